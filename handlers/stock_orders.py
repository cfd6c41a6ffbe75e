"""What was sold: orders are fetched from the store that has them, booked in the ledger, and the others told.

A hint is no truth, and may be forged, doubled, late or out of order: it makes us ask the store for the order, and
what the store says now is joined with what was known. So nothing that a hint says can change a number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.catalog import Sku, Store, StoreId
from domain.errors import NotFound, StoreDown
from domain.ports import StorePlatform, UnitOfWork
from domain.powers import ReadsOrders
from domain.sync import (
    LOOK_BACK,
    OVERLAP,
    PULL_EVERY,
    QUICK_OVERLAP,
    OpenHint,
    StoreSync,
    SyncJob,
    held_back,
    is_past,
)
from domain.trade import Order, OrderId
from handlers.desk import Desk
from handlers.failures import sentence_for
from handlers.stock_doubts import look_after
from handlers.stock_send import ask_for, send_to

log = logging.getLogger("packshot.stock")

HINTS_AT_ONCE: Final = 500
ONE_BY_ONE: Final = 8
"""So many orders are read by themselves; more come cheaper by the page."""
AT_ONCE: Final = 4
GATHER_S: Final = 0.5
HINT_OVERLAP: Final = timedelta(seconds=2)
"""Where the store tells of each order no more is needed: one that does not come with the pages is read by itself."""
TOLD_LATELY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class InStep:
    """A store whose team has sync on, opened, with how far it is."""

    platform: StorePlatform
    sync: StoreSync

    @property
    def store(self) -> Store:
        """Which store."""
        return self.platform.store


async def hear(store_id: str, desk: Desk) -> None:
    """Fetch what the store's hints speak of, and pull what is due. Raises what the store's calls raise."""
    found = await in_step(store_id, SyncJob.HEAR, desk)
    if found is None or not isinstance(found.platform, ReadsOrders):
        return
    if found.sync.is_pull_due(found.store.platform, desk.clock()):
        await pull(found.platform, desk, is_whole=True)
    elif await is_pull_wanted(found, desk) and not await _is_rush(found.store, desk):
        await pull(found.platform, desk)
    is_rush = await _take_hints(found.platform, desk)
    async with desk.work() as work:
        await work.sync.went_well(found.store)
        if is_rush:
            await ask_for(work, SyncJob.HEAR, store_id, found.store.team_id, delay_s=GATHER_S)


async def in_step(store_id: str, job: SyncJob, desk: Desk) -> InStep | None:
    """Return the store of a job that begins; None where it was disconnected, or its team has sync off."""
    try:
        platform = await desk.stores.open(StoreId(store_id))
    except NotFound:
        return None
    async with desk.work() as work:
        await work.sync.begin(job, store_id)
        switch = await work.sync.switch(platform.store.team_id)
        stores = await work.sync.stores(platform.store.team_id)
    sync = stores.get(platform.store.store_id, StoreSync(platform.store.store_id, platform.store.team_id))
    return InStep(platform, sync) if switch.is_on else None


async def is_pull_wanted(found: InStep, desk: Desk) -> bool:
    """Whether something was done there since its orders were pulled, and the store can be asked again already."""
    async with desk.work.reading() as rows:
        pull_of = (await rows.stock.pulls(found.store.team_id)).get(found.store.store_id)
    began_at = pull_of.began_at if pull_of else None
    wanted_at = found.sync.wanted_at
    is_done = wanted_at is None or (began_at is not None and began_at > wanted_at)
    return not is_done and is_rested(began_at, found.store, desk.clock())


async def _is_rush(store: Store, desk: Desk) -> bool:
    """Whether so many hints wait that what they speak of is pulled by the page, which is a pull like any other."""
    async with desk.work.reading() as rows:
        return _come_by_pages(await rows.sync.hints(store.store_id, limit=HINTS_AT_ONCE))


def _come_by_pages(hints: Sequence[OpenHint]) -> bool:
    return len({hint.subject for hint in hints if hint.is_of_order}) > ONE_BY_ONE


def is_rested(began_at: datetime | None, store: Store, now: datetime) -> bool:
    """Whether a store's orders may be pulled out of turn: where few calls are allowed, only as often as in turn."""
    every = PULL_EVERY[store.platform]
    return every.total_seconds() < 120 or is_past(began_at, every, now)


async def pull(platform: StorePlatform, desk: Desk, *, is_whole: bool = False) -> datetime:
    """Book every order that changed since the last pull, and return when this one began.

    `is_whole` looks ten minutes further back than the newest change that is known, since stores show some late; any
    other ten seconds, or two while the store tells of its orders by itself: in a rush ten seconds are a thousand. The
    cursor is in the store's own time; one that lies ahead of ours is taken for ours, so that a clock that jumps can
    only make us look back further.
    """
    assert isinstance(platform, ReadsOrders)
    store, began_at = platform.store, desk.clock()
    async with desk.work.reading() as rows:
        known = (await rows.stock.pulls(store.team_id)).get(store.store_id)
        sync = (await rows.sync.stores(store.team_id)).get(store.store_id)
    newest = known.cursor if known else None
    quick = QUICK_OVERLAP if sync is None or is_past(sync.hinted_at, TOLD_LATELY, began_at) else HINT_OVERLAP
    since = began_at - LOOK_BACK if newest is None else newest - (OVERLAP if is_whole else quick)
    cursor: str | None = None
    while True:
        page = await platform.orders_since(since, cursor=cursor)
        await book(store, page.orders, desk)
        changed = [order.changed_at for order in page.orders]
        newest = max([*changed, *([newest] if newest else [])], default=None)
        if page.next_cursor is None:
            break
        if page.next_cursor == cursor:
            raise StoreDown(f"{store.name} gives the same page of orders again and again.", store=store.name)
        cursor = page.next_cursor
    async with desk.work() as work:
        await work.stock.finish_pull(store, began_at=began_at, cursor=min(newest, began_at) if newest else None)
        if is_whole or known is None:
            await work.sync.was_pulled(store, began_at=began_at)
    return began_at


async def book(store: Store, orders: Sequence[Order], desk: Desk, *, hints: Sequence[str] = ()) -> None:
    """Book orders, conclude the hints that spoke of them, and open the writes to the other stores, all or nothing."""
    if not orders and not hints:
        return
    now = desk.clock()
    async with desk.work() as work:
        moved = await work.stock.book_orders(store, orders, now=now)
        await work.sync.conclude(store.store_id, hints, now=now)
        skus = list({movement.sku.key: movement.sku for movement in moved}.values())
        if skus:
            await open_writes(work, store.team_id, skus, now=now)
            await look_after(work, store.team_id, skus, desk, orders=orders)


async def open_writes(work: UnitOfWork, team_id: str, skus: Sequence[Sku], *, now: datetime) -> int:
    """Open what is due of these SKUs and start the stores' jobs; return how many writes. Stopped runs' stay as they are."""
    held = held_back(await work.sync.runs(team_id))
    free = [sku for sku in skus if sku.key not in held]
    pushes = await work.stock.open_pushes(team_id, free, now=now) if free else ()
    await send_to(work, team_id, [push.store_id for push in pushes])
    return len(pushes)


async def _take_hints(platform: StorePlatform, desk: Desk) -> bool:
    """Act on the hints there are: a few orders are read by themselves, many come by the page.

    Return whether there were so many that the next ones should gather for a moment, to be fetched together again.
    """
    store = platform.store
    while True:
        async with desk.work.reading() as rows:
            hints = await rows.sync.hints(store.store_id, limit=HINTS_AT_ONCE)
        if not hints:
            return False
        # What is no order (a product was edited, a stock level changed) shows in the next read, our own echo too.
        others = [hint.key for hint in hints if not hint.is_of_order]
        of_orders = [hint for hint in hints if hint.is_of_order]
        if others:
            async with desk.work() as work:
                await work.sync.conclude(store.store_id, others, now=desk.clock())
        is_rush = _come_by_pages(of_orders)
        if is_rush:
            of_orders = await _by_pages(platform, of_orders, desk)
        await _one_by_one(platform, of_orders, desk)
        if is_rush:
            return True


async def _by_pages(platform: StorePlatform, hints: Sequence[OpenHint], desk: Desk) -> list[OpenHint]:
    """Pull what changed lately, and return the hints whose orders did not come with it (a hint may be a day late).

    The pull begins at the oldest of these hints: an order that came with the pages before, while its own hint was
    still on its way, comes again. Read by itself instead, each would be a call of its own, and a shop that takes five
    calls a second would fall behind for as long as the rush lasts.
    """
    assert isinstance(platform, ReadsOrders)
    store, began_at = platform.store, desk.clock()
    async with desk.work.reading() as rows:
        known = (await rows.stock.pulls(store.team_id)).get(store.store_id)
    newest = known.cursor if known and known.cursor else began_at - OVERLAP
    keys_of: dict[str, list[str]] = {}
    for hint in hints:
        keys_of.setdefault(hint.subject, []).append(hint.key)
    cursor: str | None = None
    oldest = min(hint.taken_at for hint in hints)
    since = max(min(newest, oldest) - HINT_OVERLAP, newest - OVERLAP)
    while True:
        asked_at = desk.clock()
        page = await platform.orders_since(since, cursor=cursor)
        subjects = [_subject(order.order_id) for order in page.orders]
        told = [key for subject in subjects for key in keys_of.pop(subject, ())]
        # Those too that came since the first page: it may take many to catch up with a rush. The web process that took
        # them may have a clock of its own.
        async with desk.work.reading() as rows:
            told += await rows.sync.hints_about(store.store_id, subjects, before=asked_at - HINT_OVERLAP)
        await book(store, page.orders, desk, hints=told)
        newest = max([newest, *(order.changed_at for order in page.orders)])
        if page.next_cursor is None or page.next_cursor == cursor:
            break
        cursor = page.next_cursor
    async with desk.work() as work:
        await work.stock.finish_pull(store, began_at=began_at, cursor=min(newest, began_at))
    return [hint for hint in hints if hint.subject in keys_of]


async def _one_by_one(platform: StorePlatform, hints: Sequence[OpenHint], desk: Desk) -> None:
    assert isinstance(platform, ReadsOrders)
    reading = asyncio.Semaphore(AT_ONCE)

    async def read(subject: str) -> Order | None:
        async with reading:
            try:
                return await platform.read_order(OrderId(subject))
            except NotFound:
                # Deleted there, or never was: the hint is spent, and what was known of the order stays.
                return None

    keys_of: dict[str, list[str]] = {}
    for hint in hints:
        keys_of.setdefault(hint.subject, []).append(hint.key)
    subjects = list(keys_of)
    for begin in range(0, len(subjects), ONE_BY_ONE):
        some = subjects[begin : begin + ONE_BY_ONE]
        orders = await asyncio.gather(*(read(subject) for subject in some))
        told = [key for subject in some for key in keys_of[subject]]
        await book(platform.store, [order for order in orders if order is not None], desk, hints=told)


def _subject(order_id: OrderId) -> str:
    """Return what a hint calls an order: the bare number of Shopify's `gid://shopify/Order/1`."""
    return order_id.rpartition("/")[2]


async def sync_failed(job: SyncJob, subject_id: str, error: BaseException, desk: Desk) -> None:
    """Note why a store's job failed; it is tried again after a pause that grows, and `sync status` shows it."""
    async with desk.work() as work:
        await work.sync.begin(job, subject_id)
    try:
        store = (await desk.stores.open(StoreId(subject_id))).store
    except NotFound:
        # A team's own job, or a store that was disconnected meanwhile: the next tick asks anew where it is needed.
        log.warning("a stock job failed", extra={"job": job.value, "subject": subject_id}, exc_info=error)
        return
    async with desk.work() as work:
        await work.sync.went_wrong(store, str(sentence_for(error)), now=desk.clock())
