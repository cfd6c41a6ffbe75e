"""The built-in store's rows."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from domain.catalog import ImageId, ListingId, PlatformName, Sha256, Sku, Store, StoreId
from domain.errors import Fault, RowChanged
from domain.rows import ShelfImage, ShelfListing, ShelfVariant
from storage.catalog import StoreRows
from storage.shelf import SqlShelfRows
from storage.vault import Vault
from tests.storage.conftest import SHELF, Shop

MUG = ListingId("l1")
MINE = ShelfImage(ImageId("i3"), Sha256("03" * 32), "image/jpeg", "mine", "key:1:shelf")


def listing(
    listing_id: str = "l1", handle: str = "blue-mug", *, sku: str = "MUG-01", quantity: int = 7
) -> ShelfListing:
    images = tuple(
        ShelfImage(ImageId(f"i{number}"), Sha256(f"0{number}" * 32), "image/jpeg", "old", "") for number in (1, 2)
    )
    variants = (ShelfVariant(Sku(sku), "Blue", 1490, quantity), ShelfVariant(Sku(f"{sku}-XL"), "Big", 1990, 1))
    return ShelfListing(ListingId(listing_id), "Blue mug", handle, "A mug.", variants, images, 1)


async def test_listings_come_back_by_handle_and_by_sku(shop: Shop) -> None:
    rows = SqlShelfRows(shop.database)
    mug, cup = listing(), listing("l2", "a-cup", sku="CUP-02")
    for one in (mug, cup):
        assert await rows.add_listing(SHELF, one)
    assert not await rows.add_listing(SHELF, replace(mug, listing_id=ListingId("l3")))
    assert await rows.listings(SHELF) == [cup, mug]
    assert await rows.listings(SHELF, after="a-cup", limit=1) == [mug]
    assert await rows.by_sku(SHELF, Sku("mug-01")) == [mug]
    assert await rows.listing(SHELF, MUG) == mug
    assert await rows.listing(StoreId("their-shelf"), MUG) is None
    assert await rows.listings(StoreId("their-shelf")) == []


async def test_a_listing_needs_its_store(shop: Shop) -> None:
    with pytest.raises(Fault, match="no store"):
        await SqlShelfRows(shop.database).add_listing(StoreId("nowhere"), listing())


async def test_replaced_images_are_detached_and_come_back(shop: Shop) -> None:
    rows = SqlShelfRows(shop.database)
    await rows.add_listing(SHELF, listing())
    first, second = listing().images
    await rows.set_images(SHELF, MUG, (MINE, second), was_version=1)
    changed = await rows.listing(SHELF, MUG)
    assert changed == replace(listing(), images=(MINE, second), version=2)
    assert await rows.detached(SHELF, MUG, first.image_id) == first
    assert await rows.made_for(SHELF, MUG, MINE.made_for) == MINE
    assert await rows.made_for(SHELF, MUG, "other") is None
    await rows.set_images(SHELF, MUG, (first, second), was_version=2)
    assert await rows.listing(SHELF, MUG) == replace(listing(), version=3)
    assert await rows.detached(SHELF, MUG, MINE.image_id) == MINE


async def test_a_stale_version_changes_no_image(shop: Shop) -> None:
    rows = SqlShelfRows(shop.database)
    await rows.add_listing(SHELF, listing())
    outcomes = await asyncio.gather(
        *(rows.set_images(SHELF, MUG, (MINE,), was_version=1) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(outcome, RowChanged) for outcome in outcomes) == 3
    with pytest.raises(RowChanged):
        await rows.set_images(SHELF, MUG, (), was_version=1)
    assert await rows.listing(SHELF, MUG) == replace(listing(), images=(MINE,), version=2)


async def test_nobody_sells_more_than_there_is(shop: Shop) -> None:
    rows = SqlShelfRows(shop.database)
    await rows.add_listing(SHELF, listing(quantity=3))
    sold = await asyncio.gather(*(rows.sell(SHELF, Sku("mug-01"), 1, now=shop.clock()) for _ in range(5)))
    orders = [order for order in sold if order is not None]
    assert len(orders) == 3
    assert await rows.sell(SHELF, Sku("MUG-01"), 1, now=shop.clock()) is None
    assert await rows.sell(SHELF, Sku("NOPE"), 1, now=shop.clock()) is None
    after = await rows.listing(SHELF, MUG)
    assert after is not None
    assert (after.variants[0].quantity, after.version) == (0, 4)
    recorded = await rows.orders(SHELF, since=min(order.ordered_at for order in orders))
    assert {order.order_id for order in recorded} == {order.order_id for order in orders}
    assert await rows.orders(SHELF, since=shop.clock()) == []


async def test_stores_are_the_teams_own_and_named_once(shop: Shop) -> None:
    rows = StoreRows(shop.database)
    vault = Vault([Vault.fresh_key()])
    etsy = Store(StoreId("etsy-1"), shop.team.team_id, PlatformName.ETSY, "Etsy")
    assert await rows.add(etsy, vault.encrypt("token"))
    assert not await rows.add(replace(etsy, store_id=StoreId("etsy-2")), None)
    assert not await rows.add(replace(etsy, name="Etsy 2"), None)
    assert [store.store_id for store in await rows.list(shop.team.team_id)] == [SHELF, "etsy-1"]
    assert [store.store_id for store in await rows.list(shop.stranger_team.team_id)] == ["their-shelf"]
    assert await rows.get(StoreId("etsy-1")) == etsy
    assert await rows.get(StoreId("nope")) is None
    assert vault.decrypt(await rows.credentials(StoreId("etsy-1")) or b"") == "token"
    assert await rows.credentials(SHELF) is None
