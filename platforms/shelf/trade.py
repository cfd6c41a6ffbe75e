"""The shelf's stock and orders: what buyers took of it, and how many are left, compared and set in one step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from domain.catalog import Sku, Store
from domain.errors import NotFound, StockChanged
from domain.rows import ShelfListing, ShelfOrder, ShelfRows
from domain.trade import Order, OrderId, OrderLine, OrderPage, OrderState, StockId, StockLevel, StockWrite

PAGE: Final = 100


async def read(rows: ShelfRows, store: Store, skus: Sequence[Sku]) -> Sequence[StockLevel]:
    """Return the levels of these SKUs."""
    wanted = {sku.key: sku for sku in skus}
    found = {
        listing.listing_id: listing
        for sku in wanted.values()
        for listing in await rows.by_sku(store.store_id, sku)
    }  # fmt: skip
    return [level for listing in found.values() for level in _levels(store, listing) if level.sku.key in wanted]


async def read_all(rows: ShelfRows, store: Store) -> Sequence[StockLevel]:
    """Return every level, a hundred products a look."""
    levels: list[StockLevel] = []
    after = ""
    while found := await rows.listings(store.store_id, after=after, limit=PAGE):
        levels += [level for listing in found for level in _levels(store, listing)]
        after = found[-1].handle
    return levels


async def swap(rows: ShelfRows, store: Store, write: StockWrite) -> StockLevel:
    """Set one level where it still is what was expected; the same key again writes nothing. Raises StockChanged."""
    listing_id, _, _ = write.stock_id.partition("|")
    listing = next(
        (one for one in await rows.by_sku(store.store_id, write.sku) if one.listing_id == listing_id), None
    )  # fmt: skip
    done = None
    if listing is not None:
        done = await rows.set_quantity(
            store.store_id, listing.listing_id, write.sku, was=write.was, quantity=write.quantity, key=write.key
        )
    if listing is None or done is None:
        raise NotFound(f"{store.name} sells no {write.sku} there any more.", store=store.name)
    is_written, quantity = done
    if not is_written:
        raise StockChanged(store=store.name, sku=write.sku.value, found=quantity)
    return StockLevel(store.store_id, write.stock_id, write.sku, listing.listing_id, quantity)


async def orders_since(rows: ShelfRows, store: Store, since: datetime, cursor: str | None) -> OrderPage:
    """Return a page; the cursor names the last order seen."""
    after_id = ""
    if cursor:
        moment, _, after_id = cursor.partition("|")
        since = datetime.fromisoformat(moment)
    found = await rows.orders(store.store_id, since=since, after_id=after_id, limit=PAGE + 1)
    page = found[:PAGE]
    last = f"{page[-1].ordered_at.isoformat()}|{page[-1].order_id}" if len(found) > PAGE else None
    return OrderPage(tuple(_order(store, one) for one in page), last)


async def read_order(rows: ShelfRows, store: Store, order_id: OrderId) -> Order:
    """Return one. Raises NotFound."""
    found = await rows.order(store.store_id, order_id)
    if found is None:
        raise NotFound(f"{store.name} has no such order.", store=store.name)
    return _order(store, found)


def _levels(store: Store, listing: ShelfListing) -> Iterator[StockLevel]:
    seen: set[str] = set()
    for variant in listing.variants:
        # A SKU that one listing has twice is counted at its first form, where a sale takes it from too.
        if variant.sku.key not in seen:
            seen.add(variant.sku.key)
            stock_id = StockId(f"{listing.listing_id}|{variant.sku.value}")
            yield StockLevel(store.store_id, stock_id, variant.sku, listing.listing_id, variant.quantity)


def _order(store: Store, sold: ShelfOrder) -> Order:
    return Order(
        store_id=store.store_id,
        order_id=OrderId(sold.order_id),
        number=sold.order_id,
        state=OrderState.OPEN,
        ordered_at=sold.ordered_at,
        changed_at=sold.ordered_at,
        lines=(OrderLine("1", sold.sku, "", sold.quantity),),
    )
