"""Connecting a Shopify shop from a chat: the page, Shopify's consent, and what must not get through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from bot.clock import utc_now
from domain.catalog import Sku
from domain.connect_replies import ConnectOffered, StoreConnected
from domain.replies import Refused
from tests.bot.connect_rig import PUBLIC, Page, Rig, open_rig
from tests.fakes.shopify import ShopifyServer


@dataclass(slots=True)
class Shopify:
    """A bot whose deployment has an app at Shopify, and that Shopify."""

    rig: Rig
    server: ShopifyServer

    async def go(self, words: str = "connect shopify kiln", features: list[str] | None = None) -> Page:
        """Ask for a link, open it, and go on to Shopify's page."""
        page = await self.rig.browser.open(await self.rig.link(words))
        return await self.rig.browser.choose(page, features)


@pytest.fixture
async def shopify(migrated: Path, tmp_path: Path) -> AsyncIterator[Shopify]:
    async with ShopifyServer() as server:
        env = {
            "SHOPIFY_API_URL": server.url,
            "SHOPIFY_CLIENT_ID": server.client_id,
            "SHOPIFY_CLIENT_SECRET": server.client_secret,
        }
        async with open_rig(migrated, tmp_path / "data", **env) as rig:
            yield Shopify(rig, server)


async def test_a_shop_is_connected_with_the_rights_that_were_chosen(shopify: Shopify) -> None:
    rig = shopify.rig
    offered = await rig.say("connect shopify Kiln.myshopify.com/admin")
    assert isinstance(offered, ConnectOffered)
    assert offered.url.startswith(f"{PUBLIC}/connect/shopify?code=")
    page = await rig.browser.open(offered.url)
    assert page.answer.status_code == 200
    assert "kiln.myshopify.com" in page.text
    assert "Asked for by owner, for My shop." in page.text
    for scope in ("write_files", "read_orders", "write_merchant_managed_fulfillment_orders"):
        assert scope in page.text
    assert page.features["pictures"] == (True, True)
    go = await rig.browser.choose(page, ["stock"])
    asked = dict(parse_qsl(urlsplit(go.vendor).query))
    assert asked["scope"] == "read_products,write_products,write_files,read_inventory"
    assert asked["redirect_uri"] == f"{PUBLIC}/connect/shopify/callback"
    before = await rig.mark()
    done = await rig.browser.open(shopify.server.say_yes(go.vendor))
    assert "Shopify is connected" in done.text
    assert (done.answer.url.path, "code=" in str(done.answer.url)) == ("/connect/shopify/done", False)
    [said] = await rig.said(before)
    assert isinstance(said, StoreConnected)
    assert (said.store, said.by, said.features) == ("Shopify", "owner", ("pictures", "stock"))
    [store] = await rig.stores()
    platform = await rig.app.stores.open(store.store_id)
    assert await platform.find_listings(Sku("MUG-01")) == []
    tokens = (await rig.app.stores.supplies.transports.tokens.load(store.store_id)).tokens
    assert tokens is not None
    assert tokens.refresh == shopify.server.refresh, "an expiring token, and what renews it"
    assert [(entry.action, entry.who) for entry in await rig.audit()][-1] == ("connected", "owner")


async def test_a_page_carries_its_own_policy_and_no_script(shopify: Shopify) -> None:
    page = await shopify.rig.browser.open(await shopify.rig.link("connect shopify kiln"))
    policy = page.answer.headers["content-security-policy"]
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "<script" not in page.answer.text
    assert "style=" not in page.answer.text
    assert page.answer.headers["cache-control"] == "no-store"


async def test_a_link_works_once(shopify: Shopify) -> None:
    rig, url = shopify.rig, await shopify.rig.link("connect shopify kiln")
    page = await rig.browser.open(url)
    landed = shopify.server.say_yes((await rig.browser.choose(page)).vendor)
    assert (await rig.browser.open(landed)).answer.status_code == 200
    kept = await rig.kept()
    for again in (await rig.browser.open(url), await rig.browser.choose(page), await rig.browser.open(landed)):
        assert again.answer.status_code in {403, 404, 410}
    assert await rig.kept() == kept


async def test_a_no_keeps_nothing_and_ends_the_link(shopify: Shopify) -> None:
    rig = shopify.rig
    go = await shopify.go()
    kept = await rig.kept()
    refused = await rig.browser.open(shopify.server.say_no(go.vendor))
    assert refused.answer.status_code == 400
    assert "Shopify was not told yes" in refused.text
    assert await rig.kept() == kept
    assert (await rig.browser.open(shopify.server.say_yes(go.vendor))).answer.status_code == 404


def without(landed: str, *names: str) -> str:
    return _changed(landed, {}, names)


def _changed(landed: str, values: dict[str, str], gone: tuple[str, ...] = ()) -> str:
    base, _, query = landed.partition("?")
    given = {name: value for name, value in parse_qsl(query) if name not in gone}
    return f"{base}?{urlencode({**given, **values})}"


FORGERIES = {
    "no signature": lambda server, landed: without(landed, "hmac"),
    "another signature": lambda server, landed: _changed(landed, {"hmac": "0" * 64}),
    "a code that was not signed": lambda server, landed: _changed(landed, {"code": "code-of-mine"}),
    "another shop, signed by nobody": lambda server, landed: _changed(landed, {"shop": "thief.myshopify.com"}),
    "a host that is no shop": lambda server, landed: _changed(landed, {"shop": "kiln.myshopify.com.thief.example"}),
    "a value given twice": lambda server, landed: f"{landed}&code=code-of-mine",
    "a parameter on top": lambda server, landed: f"{landed}&admin=1",
    "another shop, signed": lambda server, landed: resigned(server, landed, shop="thief.myshopify.com"),
    "no code, signed": lambda server, landed: resigned(server, landed, code=""),
    "a code nobody gave, signed": lambda server, landed: resigned(server, landed, code="code-of-mine"),
}


def resigned(server: ShopifyServer, landed: str, **values: str) -> str:
    base, _, query = landed.partition("?")
    given = {**dict(parse_qsl(query)), **values}
    return f"{base}?{urlencode(server.signed({name: value for name, value in given.items() if name != 'hmac'}))}"


async def test_a_forged_answer_keeps_nothing(shopify: Shopify) -> None:
    kept = await shopify.rig.kept()
    for name, forge in FORGERIES.items():
        go = await shopify.go()
        refused = await shopify.rig.browser.open(forge(shopify.server, shopify.server.say_yes(go.vendor)))
        assert refused.answer.status_code == 400, name
        assert shopify.server.client_secret not in refused.answer.text
        assert await shopify.rig.kept() == kept, name
        assert [row.sealed for row in await shopify.rig.links()] == [None], "what was kept for it is gone too"


async def test_a_state_of_nobodys_is_refused(shopify: Shopify) -> None:
    go = await shopify.go()
    kept = await shopify.rig.kept()
    for state in ("", "of-nobody", "☃"):
        landed = resigned(shopify.server, shopify.server.say_yes(go.vendor), state=state)
        assert (await shopify.rig.browser.open(landed)).answer.status_code == 404
    assert await shopify.rig.kept() == kept


async def test_an_answer_that_comes_too_late_is_refused(shopify: Shopify) -> None:
    go = await shopify.go()
    await shopify.rig.change_links(expires_at=utc_now() - timedelta(seconds=1))
    kept = await shopify.rig.kept()
    refused = await shopify.rig.browser.open(shopify.server.say_yes(go.vendor))
    assert (refused.answer.status_code, "too old" in refused.text) == (410, True)
    assert await shopify.rig.kept() == kept


async def test_one_thing_more_asks_for_just_that_scope(shopify: Shopify) -> None:
    rig, server = shopify.rig, shopify.server
    await rig.browser.open(server.say_yes((await shopify.go(features=[])).vendor))
    [store] = await rig.stores()
    assert server.scopes == ("read_products", "write_products", "write_files")
    page = await rig.browser.open(await rig.link("reconnect shopify orders"))
    assert "Allow more at Shopify" in page.text
    assert {name: state for name, state in page.features.items() if name != "orders"} == {
        "pictures": (True, True),
    }
    assert page.features["orders"] == (True, False)
    go = await rig.browser.choose(page)
    before = await rig.mark()
    await rig.browser.open(server.say_yes(go.vendor))
    assert server.scopes == ("read_products", "write_products", "write_files", "read_orders")
    [said] = await rig.said(before)
    assert isinstance(said, StoreConnected)
    assert (said.is_again, said.features) == (True, ("pictures", "orders"))
    assert [one.store_id for one in await rig.stores()] == [store.store_id], "the same store, with its rows"
    assert [entry.what for entry in await rig.audit() if entry.action == "granted"] == ["Shopify: read_orders"]


async def test_the_same_shop_connected_twice_is_one_store(shopify: Shopify) -> None:
    rig, server = shopify.rig, shopify.server
    await rig.browser.open(server.say_yes((await shopify.go()).vendor))
    first = await rig.stores()
    await rig.browser.open(server.say_yes((await shopify.go("connect shopify kiln")).vendor))
    assert await rig.stores() == first


NO_SHOPS = (
    "evil.example", "kiln.myshopify.com.evil.example", "127.0.0.1", "[::1]", "169.254.169.254", "kiln@evil.example", "-kiln",
    "kiln.myshopify.com:8080@evil", "kiln_shop", "kiln%2eevil.example", "//evil.example/x", "file:///etc/passwd", "kılın",
    "kiln.myshopify.com#.evil.example", "a" * 300 + ".evil.example", "<b>kiln</b>",
)  # fmt: skip


async def test_a_shop_that_is_no_shop_is_refused_before_any_link_is_made(shopify: Shopify) -> None:
    for shop in NO_SHOPS:
        said = await shopify.rig.say(f'connect shopify "{shop}"')
        assert isinstance(said, Refused), shop
        assert "myshopify.com" in said.sentence
    assert await shopify.rig.links() == []
    assert shopify.server.calls == []


async def test_a_shop_typed_on_the_page_is_looked_at_the_same_way(shopify: Shopify) -> None:
    page = await shopify.rig.browser.open(await shopify.rig.link("connect shopify"))
    wrong = await shopify.rig.browser.choose(page, shop="evil.example/kiln.myshopify.com")
    assert (wrong.answer.status_code, "is not a shop" in wrong.text) == (400, True)
    right = await shopify.rig.browser.choose(page, shop="kiln")
    assert right.vendor.startswith(f"{shopify.server.url}/admin/oauth/authorize?")


async def test_without_an_address_of_our_own_the_apps_own_credentials_do(migrated: Path, tmp_path: Path) -> None:
    async with ShopifyServer() as server:
        env = {"SHOPIFY_API_URL": server.url, "PUBLIC_URL": ""}
        async with open_rig(migrated, tmp_path / "data", **env) as rig:
            offered = await rig.say("connect shopify kiln")
            assert isinstance(offered, ConnectOffered)
            assert offered.is_local
            page = await rig.browser.open(offered.url)
            wrong = await rig.browser.choose(page, client_id=server.client_id, client_secret="not-the-secret")
            assert (wrong.answer.status_code, await rig.stores()) == (400, [])
            assert "not-the-secret" not in wrong.answer.text
            done = await rig.browser.choose(page, client_id=server.client_id, client_secret=server.client_secret)
            assert "Shopify is connected" in done.text
            assert len(await rig.stores()) == 1
