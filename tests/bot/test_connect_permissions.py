"""What a store lets us do, what was used of it, what is missing, and what goes when it is taken away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from bot.clock import utc_now
from bot.stores import ConnectedStores
from domain.catalog import ListingId, PlatformName, Sku, StoreId
from domain.connect_replies import (
    ConnectOffered,
    DisconnectAsked,
    PermissionMissing,
    PermissionsShown,
    StoreConnected,
    StoreDisconnected,
    StorePermissions,
)
from domain.connecting import UNUSED_AFTER
from domain.enhancement import (
    Decision,
    EnhancementEvent,
    EnhancementState,
    Placement,
    PlacementState,
    Replaced,
    Target,
)
from domain.errors import Disconnected, MissingScope
from domain.intents import Incoming
from domain.people import Actor, ChatName
from domain.powers import ReadsOrders, ReadsStock
from domain.replies import PublishFailed, Refused, RestoreFailed, Unclear
from handlers import dispatch, publish
from handlers.connect_faces import connect_buttons
from storage.connect_tables import StoreScopeRow
from storage.statements import find_all
from storage.tables import StoreHintRow, StoreNoteRow, StoreRow, StoreStateRow
from tests.bot.connect_rig import ROOM, Rig, open_rig
from tests.domain.rows import a_placement, an_enhancement
from tests.fakes.shopify import ShopifyServer
from tests.fakes.shopify_shop import ShopProduct, ShopVariant


@dataclass(slots=True)
class Shop:
    """A bot with one Shopify shop connected to it."""

    rig: Rig
    server: ShopifyServer
    store_id: StoreId

    async def permissions(self) -> StorePermissions:
        shown = await self.rig.say("permissions shopify")
        assert isinstance(shown, PermissionsShown)
        return shown.stores[0]

    async def disconnect(self) -> StoreDisconnected:
        question = await self.rig.say("disconnect shopify")
        assert isinstance(question, DisconnectAsked)
        gone = await self.rig.say("", token=connect_buttons(question)[0].token)
        assert isinstance(gone, StoreDisconnected)
        return gone


@pytest.fixture
async def shop(migrated: Path, tmp_path: Path) -> AsyncIterator[Shop]:
    async with ShopifyServer() as server:
        server.goods.url = server.url
        mug = ShopProduct(11, "Blue mug", [ShopVariant(111, "MUG-01", "Blue", "18.50", {501: 7})])
        server.goods.products[mug.gid] = mug
        env = {
            "SHOPIFY_API_URL": server.url,
            "SHOPIFY_CLIENT_ID": server.client_id,
            "SHOPIFY_CLIENT_SECRET": server.client_secret,
        }
        async with open_rig(migrated, tmp_path / "data", **env) as rig:
            page = await rig.browser.open(await rig.link("connect shopify kiln"))
            await rig.browser.open(server.say_yes((await rig.browser.choose(page, ["stock"])).vendor))
            [store] = await rig.stores()
            yield Shop(rig, server, store.store_id)


async def test_granted_used_unused_and_missing_rights_are_told_apart(shop: Shop) -> None:
    shown = await shop.permissions()
    assert {line.scope: line.feature for line in shown.missing} == {
        "write_inventory": "stock-writing",
        "read_orders": "orders",
        "read_merchant_managed_fulfillment_orders": "shipping",
        "write_merchant_managed_fulfillment_orders": "shipping",
    }
    assert {line.scope for line in shown.given} == {"read_products", "write_products", "write_files", "read_inventory"}
    assert {line.scope for line in shown.given if line.used_at} == {"read_products"}, "looking at the shop uses it"
    platform = await shop.rig.app.stores.open(shop.store_id)
    assert isinstance(platform, ReadsStock)
    [level] = await platform.read_stock([Sku("MUG-01")])
    assert level.quantity == 7
    shown = await shop.permissions()
    assert {line.scope for line in shown.given if line.used_at} == {"read_products", "read_inventory"}


async def test_a_use_is_written_down_once_an_hour(shop: Shop) -> None:
    platform = await shop.rig.app.stores.open(shop.store_id)
    await platform.find_listings(Sku("MUG-01"))
    first = await _used_at(shop, "read_products")
    for _ in range(5):
        await platform.find_listings(Sku("MUG-01"))
    shop.rig.app.stores.supplies.transports.used_at.clear()  # another process, which has not written it down yet
    await platform.find_listings(Sku("MUG-01"))
    assert await _used_at(shop, "read_products") == first
    await _change(shop, "read_products", used_at=utc_now() - timedelta(hours=1, seconds=1))
    shop.rig.app.stores.supplies.transports.used_at.clear()
    await platform.find_listings(Sku("MUG-01"))
    assert await _used_at(shop, "read_products") > first


async def test_a_right_unused_for_90_days_is_one_to_give_back(shop: Shop) -> None:
    await _change(shop, "read_inventory", given_at=utc_now() - UNUSED_AFTER)
    await _change(shop, "write_files", given_at=utc_now() - UNUSED_AFTER, used_at=utc_now() - timedelta(days=89))
    assert [line.scope for line in (await shop.permissions()).given if line.is_idle] == ["read_inventory"]


async def test_a_right_given_or_taken_at_the_store_is_seen(shop: Shop) -> None:
    shop.server.scopes = ("read_products", "write_products", "read_orders")
    shown = await shop.permissions()
    assert {line.scope for line in shown.given} == set(shop.server.scopes)
    assert "write_files" in {line.scope for line in shown.missing}


async def test_a_store_that_is_silent_is_shown_as_it_was_last_known(shop: Shop) -> None:
    shop.server.closed = 402
    shown = await shop.permissions()
    assert len(shown.given) == 4
    assert shown.trouble


async def test_what_fails_for_want_of_a_right_offers_an_admin_the_link_and_others_a_question(shop: Shop) -> None:
    platform = await shop.rig.app.stores.open(shop.store_id)
    assert isinstance(platform, ReadsOrders)
    with pytest.raises(MissingScope) as raised:
        await platform.orders_since(utc_now())
    offered = await _when_it_fails(shop, "owner", raised.value)
    assert isinstance(offered, ConnectOffered)
    assert (offered.store, offered.features, offered.scope) == ("Shopify", ("orders",), "read_orders")
    asked = await _when_it_fails(shop, "edith", raised.value)
    assert isinstance(asked, PermissionMissing)
    [button] = connect_buttons(asked)
    refused = await shop.rig.say("", token=button.token, by="edith")
    assert isinstance(refused, Refused)
    allowed = await shop.rig.say("", token=button.token, by="ada")
    assert isinstance(allowed, ConnectOffered)
    assert allowed.features == ("orders",)


class Failing:
    """The team's stores, where the first question fails."""

    def __init__(self, stores: ConnectedStores, error: MissingScope) -> None:
        self._stores, self._errors = stores, [error]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stores, name)

    async def of_team(self, team_id: str) -> Any:
        if self._errors:
            raise self._errors.pop()
        return await self._stores.of_team(team_id)


async def _when_it_fails(shop: Shop, by: str, error: MissingScope) -> object:
    """Let a command of theirs fail so: what a subject raises is answered at the door."""
    member = await shop.rig.app.member_named(by, shop.rig.app.team.name)
    assert member is not None
    incoming = Incoming(f"console:{by}:fails", member.team_id, Actor(ChatName.CONSOLE, by, by), ROOM, "products")
    before = await shop.rig.mark()
    await shop.rig.app.events.take(incoming)

    desk = replace(shop.rig.app.desk, stores=Failing(shop.rig.app.stores, error))
    await dispatch.handle(incoming, desk)
    return (await shop.rig.said(before))[-1]


async def test_disconnecting_deletes_every_key_and_keeps_the_history(shop: Shop) -> None:
    gone = await shop.disconnect()
    assert (gone.is_revoked, gone.by, gone.ended) == (True, "owner", 0)
    async with shop.rig.app.database.read() as db_session:
        rows = [
            await find_all(db_session, select(table).where(col(table.store_id) == shop.store_id))
            for table in (StoreRow, StoreStateRow, StoreScopeRow, StoreNoteRow, StoreHintRow)
        ]
    [[row], [state], *left] = rows
    assert isinstance(row, StoreRow)
    assert isinstance(state, StoreStateRow)
    assert (row.credentials, state.tokens, left) == (None, None, [[], [], []])
    assert await shop.rig.stores() == []
    with pytest.raises(Disconnected, match="Shopify"):
        await shop.rig.app.stores.open(shop.store_id)
    assert [entry.action for entry in await shop.rig.audit()][-2:] == ["connected", "disconnected"]


async def test_a_shop_that_comes_back_is_the_same_store(shop: Shop) -> None:
    await shop.disconnect()
    page = await shop.rig.browser.open(await shop.rig.link("connect shopify kiln"))
    before = await shop.rig.mark()
    await shop.rig.browser.open(shop.server.say_yes((await shop.rig.browser.choose(page)).vendor))
    [said] = await shop.rig.said(before)
    assert isinstance(said, StoreConnected)
    assert [one.store_id for one in await shop.rig.stores()] == [shop.store_id], (
        "what was published there can be undone"
    )


async def test_where_access_is_not_ended_a_person_is_told_where(shop: Shop) -> None:
    shop.server.closed = 402
    gone = await shop.disconnect()
    assert (gone.is_revoked, gone.taken_away_at) == (False, "Shopify admin: Settings, Apps")
    assert await shop.rig.stores() == []


async def _on_its_way(shop: Shop, *states: PlacementState) -> list[Placement]:
    """Make an approved picture of each state, on its way to the shop."""
    team_id = shop.rig.app.team.team_id
    target = Target(shop.store_id, "Shopify", PlatformName.SHOPIFY, ListingId("gid://shopify/Product/11"))
    made = []
    for number, state in enumerate(states):
        name = f"enhancement-number-00{number}"
        enhancement = replace(
            an_enhancement(),
            enhancement_id=name,
            team_id=team_id,
            targets=(target,),
            state=EnhancementState.APPROVED,
            decision=Decision(EnhancementEvent.APPROVE, 1, "owner", "m1", utc_now(), ""),
        )
        placement = replace(
            a_placement(), placement_id=f"placement-{number}", enhancement_id=name, team_id=team_id, target=target, state=state,
            replaced=None if state is PlacementState.APPROVED else Replaced(None, None),
        )  # fmt: skip
        async with shop.rig.app.desk.work() as work:
            await work.enhancements.add(enhancement)
            await work.placements.add(placement)
        made.append(placement)
    return made


async def test_what_is_on_its_way_when_a_store_goes_ends_where_a_person_reads_it(shop: Shop) -> None:
    moving = (PlacementState.APPROVED, PlacementState.PUBLISHING, PlacementState.ACCEPTED, PlacementState.RESTORING)
    made = await _on_its_way(shop, *moving, PlacementState.LIVE)
    before = await shop.rig.mark()
    gone = await shop.disconnect()
    assert gone.ended == len(moving)
    async with shop.rig.app.desk.work.reading() as rows:
        after = [await rows.placements.load(one.placement_id) for one in made]
    assert [one.state for one in after] == [
        PlacementState.PUBLISH_FAILED,
        PlacementState.UNCLEAR,
        PlacementState.UNCLEAR,
        PlacementState.RESTORE_FAILED,
        PlacementState.LIVE,
    ]
    assert all("was disconnected" in one.failure for one in after[:4])
    shown = [type(reply) for reply in await shop.rig.said(before)]
    assert {kind: shown.count(kind) for kind in (PublishFailed, Unclear, RestoreFailed)} == {
        PublishFailed: 1, Unclear: 2, RestoreFailed: 1,
    }  # fmt: skip


async def test_a_publish_that_lacks_a_right_says_so_under_its_card_with_a_button(shop: Shop) -> None:
    [placement] = await _on_its_way(shop, PlacementState.PUBLISHING)
    before = await shop.rig.mark()
    error = MissingScope(store="Shopify", scope="write_files")
    await publish.publish_failed(placement.placement_id, error, shop.rig.app.desk)
    failed, missing = await shop.rig.said(before)
    assert isinstance(failed, PublishFailed)
    assert isinstance(missing, PermissionMissing)
    assert (missing.scope, missing.feature) == ("write_files", "pictures")
    [button] = connect_buttons(missing)
    offered = await shop.rig.say("", token=button.token)
    assert isinstance(offered, ConnectOffered)
    assert (offered.store, offered.features) == ("Shopify", ("pictures",))


async def _used_at(shop: Shop, scope: str) -> datetime:
    async with shop.rig.app.desk.work.reading() as rows:
        found = next(one for one in await rows.connections.scopes_of(shop.store_id) if one.name == scope)
    assert found.used_at is not None
    return found.used_at


async def _change(shop: Shop, scope: str, **values: datetime) -> None:
    """Let time have passed over a right."""
    async with shop.rig.app.database.begin() as db_session:
        await db_session.execute(update(StoreScopeRow).where(col(StoreScopeRow.scope) == scope).values(**values))
