"""Connecting an Etsy shop from a chat: PKCE and state, with the browser coming back or its address pasted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from domain.connect_replies import StoreConnected
from tests.bot.connect_rig import PUBLIC, Rig, open_rig
from tests.fakes.etsy import KEYSTRING, SHARED_SECRET, EtsyServer
from tests.platforms.stage import WallTime


@asynccontextmanager
async def etsy(migrated: Path, folder: Path, **more: str) -> AsyncIterator[tuple[Rig, EtsyServer]]:
    async with EtsyServer(time=WallTime()) as server:
        env = {"ETSY_KEYSTRING": KEYSTRING, "ETSY_SHARED_SECRET": SHARED_SECRET, "ETSY_API_URL": server.url, **more}
        async with open_rig(migrated, folder, **env) as rig:
            yield rig, server


async def test_a_shop_is_connected_and_buyers_data_is_not_asked_for_by_default(migrated: Path, tmp_path: Path) -> None:
    async with etsy(migrated, tmp_path / "data") as (rig, server):
        page = await rig.browser.open(await rig.link("connect etsy"))
        assert page.features == {"pictures": (True, True), "orders": (False, False), "shipping": (False, False)}
        go = await rig.browser.choose(page)
        asked = dict(parse_qsl(urlsplit(go.vendor).query))
        assert (asked["scope"], asked["code_challenge_method"]) == ("listings_r listings_w shops_r", "S256")
        assert asked["redirect_uri"] == f"{PUBLIC}/connect/etsy/callback"
        before = await rig.mark()
        done = await rig.browser.open(server.say_yes(go.vendor))
        assert "Etsy is connected" in done.text
        [said] = await rig.said(before)
        assert isinstance(said, StoreConnected)
        assert (said.account, said.features) == ("MugsAndBowls", ("pictures",))
        server.calls.clear()
        [store] = await rig.stores()
        await (await rig.app.stores.open(store.store_id)).check()
        assert server.counted()["refreshToken"] == 0, "the first token is kept with the one that renews it"


async def test_orders_are_asked_for_later_and_on_top(migrated: Path, tmp_path: Path) -> None:
    async with etsy(migrated, tmp_path / "data") as (rig, server):
        page = await rig.browser.open(await rig.link("connect etsy"))
        await rig.browser.open(server.say_yes((await rig.browser.choose(page)).vendor))
        more = await rig.browser.open(await rig.link("reconnect etsy orders"))
        go = await rig.browser.choose(more)
        assert dict(parse_qsl(urlsplit(go.vendor).query))["scope"] == "listings_r listings_w shops_r transactions_r"
        await rig.browser.open(server.say_yes(go.vendor))
        assert len(await rig.stores()) == 1
        assert [entry.what for entry in await rig.audit() if entry.action == "granted"] == ["Etsy: transactions_r"]


async def test_a_code_and_an_answer_count_for_their_own_question_once(migrated: Path, tmp_path: Path) -> None:
    async with etsy(migrated, tmp_path / "data") as (rig, server):
        page = await rig.browser.open(await rig.link("connect etsy"))
        first = server.say_yes((await rig.browser.choose(page)).vendor)
        second = server.say_yes((await rig.browser.choose(page)).vendor)  # the form was sent again: the first is void
        kept = await rig.kept()
        assert (await rig.browser.open(first)).answer.status_code == 404
        stolen = second.replace("code=code-2", "code=code-1")
        assert stolen != second
        refused = await rig.browser.open(stolen)
        assert (refused.answer.status_code, "Etsy" in refused.text) == (400, True)
        assert await rig.kept() == kept
        assert (await rig.browser.open(second)).answer.status_code == 404, "one try an answer"


async def test_a_no_is_one_sentence(migrated: Path, tmp_path: Path) -> None:
    async with etsy(migrated, tmp_path / "data") as (rig, server):
        page = await rig.browser.open(await rig.link("connect etsy"))
        refused = await rig.browser.open(server.say_no((await rig.browser.choose(page)).vendor))
        assert (refused.answer.status_code, "The user denied consent" in refused.text) == (400, True)
        assert await rig.stores() == []


async def test_without_an_address_of_our_own_the_landing_place_is_pasted(migrated: Path, tmp_path: Path) -> None:
    async with etsy(migrated, tmp_path / "data", PUBLIC_URL="") as (rig, server):
        page = await rig.browser.open(await rig.link("connect etsy"))
        pasting = await rig.browser.choose(page)
        assert "Two steps at Etsy" in pasting.text
        link = pasting.answer.text.partition('href="https://www.etsy.com')[2].partition('"')[0].replace("&amp;", "&")
        landed = server.say_yes(f"https://www.etsy.com{link}")
        assert landed.startswith("https://localhost/connect/etsy/callback?")
        kept = await rig.kept()
        for wrong in (
            "https://localhost/connect/etsy/callback",
            "https://[",
            "?" * 500,
            "https://evil.example/?code=c&state=s",
            landed.replace("state=", "state=x"),
        ):
            refused = await rig.browser.paste(pasting, wrong)
            assert (refused.answer.status_code, "paste the whole address" in refused.text) == (400, True)
        assert await rig.kept() == kept
        done = await rig.browser.paste(pasting, landed)
        assert "Etsy is connected" in done.text
