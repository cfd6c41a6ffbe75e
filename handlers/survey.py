"""Reading the stores for alerts: what they sell and show once a day, what they sold each hour. It writes to no store.

Alerts need no sync: between two reads of a quantity its sales are taken off (`storage/surveys.py`), and where the
ledger has counted a SKU, its number goes before this one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from domain.alert_rows import Goods, Survey
from domain.catalog import Listing, Variant
from domain.errors import StoreError
from domain.forecast import WINDOW_DAYS
from domain.ports import StorePlatform
from domain.powers import ReadsOrders, ReadsStock
from handlers.desk import Desk
from handlers.failures import sentence_for

log = logging.getLogger("packshot.survey")

GOODS_EVERY: Final = timedelta(hours=20)
"""Once a day, a little early: so that it has been by the time of the digest, which moves with the clocks."""
ORDERS_EVERY: Final = timedelta(hours=1)
OVERLAP: Final = timedelta(minutes=10)
"""Stores show some changes late (design/STOCK.md, flow 5)."""
REST: Final = timedelta(minutes=10)
"""So long a store is left alone after it failed."""
PAGE: Final = 100


async def survey_team(team_id: str, desk: Desk, *, is_urgent: bool = False) -> None:
    """Read what is due of every store of the team; a store that fails keeps its trouble, rests, and stops nobody.

    `is_urgent`: a digest is about to be made, so goods of yesterday will not do.
    """
    async with desk.work.reading() as rows:
        surveys = await rows.alerts.surveys(team_id)
    for store in await desk.stores.of_team(team_id):
        known = surveys.get(store.store.store_id, Survey(store.store.store_id))
        if known.trouble and not _is_past(known.trouble_at, REST, desk.clock()):
            continue
        try:
            await survey_store(store, known, desk, is_urgent=is_urgent)
        except StoreError as error:
            log.warning("store not surveyed", extra={"store": store.store.store_id, "why": str(error)})
            async with desk.work() as work:
                await work.alerts.went_wrong(store.store, sentence_for(error), now=desk.clock())


async def survey_store(store: StorePlatform, known: Survey, desk: Desk, *, is_urgent: bool = False) -> None:
    """Read what is due of one store. Raises StoreError; the pages before stay kept."""
    now = desk.clock()
    fresh = timedelta(hours=2) if is_urgent else GOODS_EVERY
    if _is_past(known.goods_at, fresh, now):
        goods = await _read_goods(store, now)
        async with desk.work() as work:
            await work.alerts.put_goods(store.store, list(goods.values()), now=now)
    if isinstance(store, ReadsOrders) and _is_past(known.orders_at, ORDERS_EVERY, now):
        await _read_orders(store, store, known, desk)


def _is_past(moment: datetime | None, wait: timedelta, now: datetime) -> bool:
    """Whether it is time again; a clock that was set back makes it so."""
    return moment is None or now - moment >= wait or moment > now


async def _read_goods(store: StorePlatform, now: datetime) -> Mapping[str, Goods]:
    """Return every SKU of a store; one that is listed twice is the first listing's."""
    found: dict[str, Goods] = {}
    quantities = await _quantities(store)
    cursor = None
    while True:
        page = await store.list_products(cursor=cursor, limit=PAGE)
        for listing in page.listings:
            for variant in listing.variants:
                quantity = variant.quantity if quantities is None else quantities.get(variant.sku.key)
                found.setdefault(variant.sku.key, _goods(listing, variant, quantity, now))
        cursor = page.next_cursor
        if cursor is None:
            return found


async def _quantities(store: StorePlatform) -> Mapping[str, int] | None:
    """Return what a store shows of each SKU, all its places together; None where only its listings say."""
    if not isinstance(store, ReadsStock):
        return None
    found: dict[str, int] = {}
    for level in await store.read_all_stock():
        if level.quantity is not None:
            found[level.sku.key] = found.get(level.sku.key, 0) + level.quantity
    return found


def _goods(listing: Listing, variant: Variant, quantity: int | None, now: datetime) -> Goods:
    variant_title = variant.title if len(listing.variants) > 1 else ""
    return Goods(
        variant.sku,
        f"{listing.store_id}:{listing.listing_id}",
        listing.title,
        variant_title,
        variant.price,
        variant.currency,
        quantity,
        now,
    )


async def _read_orders(store: StorePlatform, orders: ReadsOrders, known: Survey, desk: Desk) -> None:
    now = desk.clock()
    since = now - timedelta(days=WINDOW_DAYS + 1)
    if known.orders_to is not None:
        since = max(since, known.orders_to - OVERLAP)
    cursor, newest = None, known.orders_to
    while True:
        page = await orders.orders_since(since, cursor=cursor)
        newest = max([order.changed_at for order in page.orders] + ([newest] if newest else []), default=None)
        is_all = page.next_cursor is None
        async with desk.work() as work:
            # Pages come the longest unchanged first, so the moment may move with each that is kept.
            await work.alerts.put_orders(store.store, page.orders, now=now, orders_to=newest, is_all=is_all)
        if is_all:
            return
        cursor = page.next_cursor
