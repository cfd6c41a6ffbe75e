"""Connecting a seller's account at Amazon from a chat: its page of consent, or a pasted refresh token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from domain.connect_replies import StoreConnected
from domain.errors import MissingScope
from domain.powers import ReadsOrders
from domain.replies import Refused
from tests.bot.connect_rig import PUBLIC, Rig, open_rig
from tests.fakes.amazon import CLIENT_ID, REFRESH_TOKEN, SELLER, AmazonServer
from tests.fakes.store_server import SECRET_MARK
from tests.platforms.stage import WallTime


@asynccontextmanager
async def amazon(migrated: Path, folder: Path, **more: str) -> AsyncIterator[tuple[Rig, AmazonServer]]:
    async with AmazonServer(client_secret=SECRET_MARK, time=WallTime()) as server:
        env = {
            "AMAZON_CLIENT_ID": CLIENT_ID,
            "AMAZON_CLIENT_SECRET": SECRET_MARK,
            "AMAZON_API_URL": server.url,
            "AMAZON_AUTH_URL": f"{server.url}/auth/o2/token",
            "AMAZON_CONSENT_URL": "https://sellercentral.amazon.de/apps/authorize/consent?application_id=amzn1.sp.1",
            **more,
        }
        async with open_rig(migrated, folder, **env) as rig:
            yield rig, server


async def test_an_account_is_connected_over_the_apps_page_of_consent(migrated: Path, tmp_path: Path) -> None:
    async with amazon(migrated, tmp_path / "data") as (rig, server):
        page = await rig.browser.open(await rig.link("connect amazon DE"))
        go = await rig.browser.choose(page)
        asked = dict(parse_qsl(urlsplit(go.vendor).query))
        assert go.vendor.startswith("https://sellercentral.amazon.de/apps/authorize/consent?application_id=amzn1.sp.1&")
        assert asked["redirect_uri"] == f"{PUBLIC}/connect/amazon/callback"
        before = await rig.mark()
        done = await rig.browser.open(server.say_yes(go.vendor))
        assert "Amazon is connected" in done.text
        [said] = await rig.said(before)
        assert isinstance(said, StoreConnected)
        assert said.features == ("pictures", "orders")
        [store] = await rig.stores()
        own = await rig.app.stores.own_settings(store)
        assert (own["seller_id"], own["refresh_token"]) == (SELLER, REFRESH_TOKEN)


async def test_an_answer_counts_once_and_for_its_own_question(migrated: Path, tmp_path: Path) -> None:
    async with amazon(migrated, tmp_path / "data") as (rig, server):
        page = await rig.browser.open(await rig.link("connect amazon DE"))
        go = await rig.browser.choose(page)
        kept = await rig.kept()
        refused = await rig.browser.open(server.say_no(go.vendor))
        assert (refused.answer.status_code, "Amazon was not told yes" in refused.text) == (400, True)
        page = await rig.browser.open(await rig.link("connect amazon DE"))
        landed = server.say_yes((await rig.browser.choose(page)).vendor)
        forged = landed.replace("spapi_oauth_code=code-", "spapi_oauth_code=stolen-")
        refused = await rig.browser.open(forged)
        assert (refused.answer.status_code, "kept nothing" in refused.text) == (400, True)
        assert SECRET_MARK not in refused.answer.text
        assert (await rig.browser.open(landed)).answer.status_code == 404
        assert await rig.kept() == kept


async def test_a_role_that_was_left_out_is_never_used_and_can_be_allowed_later(migrated: Path, tmp_path: Path) -> None:
    async with amazon(migrated, tmp_path / "data") as (rig, server):
        page = await rig.browser.open(await rig.link("connect amazon DE"))
        assert "gives an app all its rights at once" in page.text
        await rig.browser.open(server.say_yes((await rig.browser.choose(page, [])).vendor))
        [store] = await rig.stores()
        platform = await rig.app.stores.open(store.store_id)
        assert isinstance(platform, ReadsOrders)
        server.calls.clear()
        with pytest.raises(MissingScope):
            await platform.orders_since(datetime(2026, 1, 1, tzinfo=UTC))
        assert server.calls == [], "nobody is asked"
        more = await rig.browser.open(await rig.link("reconnect amazon orders"))
        done = await rig.browser.choose(more)
        assert "Amazon is connected" in done.text, "Amazon has given it before: nobody is asked there again"
        again = await rig.app.stores.open(store.store_id)
        assert isinstance(again, ReadsOrders)
        assert (await again.orders_since(datetime(2026, 1, 1, tzinfo=UTC))).orders == ()
        assert server.counted()["searchOrders"] == 1


async def test_without_a_page_of_consent_the_refresh_token_is_typed_in(migrated: Path, tmp_path: Path) -> None:
    async with amazon(migrated, tmp_path / "data", PUBLIC_URL="", AMAZON_CONSENT_URL="") as (rig, _server):
        page = await rig.browser.open(await rig.link("connect amazon"))
        typed = {"marketplace": "de", "seller_id": SELLER, "refresh_token": "wrong-token"}
        wrong = await rig.browser.choose(page, **typed)
        assert (wrong.answer.status_code, "wrong-token" in wrong.answer.text, await rig.stores()) == (400, False, [])
        done = await rig.browser.choose(page, **{**typed, "refresh_token": REFRESH_TOKEN})
        assert "Amazon is connected" in done.text


async def test_a_marketplace_that_is_none_is_refused_in_the_chat(migrated: Path, tmp_path: Path) -> None:
    async with amazon(migrated, tmp_path / "data") as (rig, _server):
        said = await rig.say("connect amazon Atlantis")
        assert isinstance(said, Refused)
        assert "no marketplace" in said.sentence
