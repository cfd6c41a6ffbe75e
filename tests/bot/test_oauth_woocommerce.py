"""Connecting a WooCommerce shop from a chat: WordPress's own page for an application password, or one typed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from domain.connect_replies import DisconnectAsked, StoreConnected, StoreDisconnected
from domain.replies import Refused
from handlers.connect_faces import connect_buttons
from tests.bot.connect_rig import PUBLIC, Rig, open_rig
from tests.fakes.woo import USER, WooServer


@asynccontextmanager
async def woocommerce(migrated: Path, folder: Path, **more: str) -> AsyncIterator[tuple[Rig, WooServer]]:
    async with WooServer() as server, open_rig(migrated, folder, WOOCOMMERCE_ALLOW_HTTP="1", **more) as rig:
        yield rig, server


async def test_a_shop_is_connected_by_a_password_wordpress_makes_and_disconnecting_deletes_it(
    migrated: Path, tmp_path: Path
) -> None:
    async with woocommerce(migrated, tmp_path / "data") as (rig, server):
        page = await rig.browser.open(await rig.link(f"connect woocommerce {server.url}"))
        go = await rig.browser.choose(page)
        asked = dict(parse_qsl(urlsplit(go.vendor).query))
        assert urlsplit(go.vendor).path == "/wp-admin/authorize-application.php"
        assert asked["success_url"].startswith(f"{PUBLIC}/connect/woocommerce/callback?state=")
        before = await rig.mark()
        done = await rig.browser.open(server.say_yes(go.vendor))
        assert "WooCommerce is connected" in done.text
        assert "password" not in str(done.answer.url), "the address with the password is left at once"
        assert server.password.replace(" ", "") not in done.answer.text.replace(" ", "")
        [said] = await rig.said(before)
        assert isinstance(said, StoreConnected)
        assert said.account == "Tee & Tassen"
        question = await rig.say("disconnect woocommerce")
        assert isinstance(question, DisconnectAsked)
        assert question.is_revoked
        gone = await rig.say("", token=connect_buttons(question)[0].token)
        assert isinstance(gone, StoreDisconnected)
        assert (gone.is_revoked, server.password) == (True, "")
        assert await rig.stores() == []


async def test_an_answer_of_another_site_or_without_our_state_keeps_nothing(migrated: Path, tmp_path: Path) -> None:
    async with woocommerce(migrated, tmp_path / "data") as (rig, server):
        kept = await rig.kept()
        forgeries = {
            "another site": lambda landed: landed.replace(
                quote(server.url, safe=""), quote("https://evil.example", safe="")
            ),
            "no": lambda landed: server.say_no(go.vendor),
            "no password": lambda landed: landed.partition("&password=")[0],
            "no site": lambda landed: landed.replace("site_url=", "site="),
        }
        for name, forge in forgeries.items():
            page = await rig.browser.open(await rig.link(f"connect woocommerce {server.url}"))
            go = await rig.browser.choose(page)
            refused = await rig.browser.open(forge(server.say_yes(go.vendor)))
            assert (refused.answer.status_code, "kept nothing" in refused.text) == (400, True), name
            assert await rig.kept() == kept, name


async def test_an_application_password_may_be_typed_in(migrated: Path, tmp_path: Path) -> None:
    async with woocommerce(migrated, tmp_path / "data") as (rig, server):
        page = await rig.browser.open(await rig.link(f"connect woocommerce {server.url}"))
        wrong = await rig.browser.choose(page, user=USER, password="wrong-password", way="typed")
        assert (wrong.answer.status_code, await rig.stores()) == (400, [])
        assert "wrong-password" not in wrong.answer.text
        done = await rig.browser.choose(page, user=USER, password=server.password, way="typed")
        assert "WooCommerce is connected" in done.text


ELSEWHERE = (
    "http://shop.example", "ftp://shop.example", "http://169.254.169.254/latest", "javascript:alert(1)", "https://user:pw@shop.example",
    "file:///etc/passwd", "https://", "http://10.0.0.1",
)  # fmt: skip


async def test_an_address_that_no_shop_has_is_refused_before_any_link_is_made(migrated: Path, tmp_path: Path) -> None:
    async with woocommerce(migrated, tmp_path / "data") as (rig, _server):
        for site in ELSEWHERE:
            assert isinstance(await rig.say(f'connect woocommerce "{site}"'), Refused), site
        assert await rig.links() == []


async def test_a_shop_inside_a_private_network_is_not_asked(migrated: Path, tmp_path: Path) -> None:
    async with open_rig(migrated, tmp_path / "data") as rig:
        for site in ("https://10.0.0.1", "https://169.254.169.254", "https://127.0.0.1:8080", "https://[fd00::1]"):
            page = await rig.browser.open(await rig.link(f"connect woocommerce {site}"))
            way = "typed" if "application password" in page.text else ""
            answer = await rig.browser.choose(page, user="u", password="some-password", way=way)
            assert "is connected" not in answer.text, site
        assert await rig.stores() == []
