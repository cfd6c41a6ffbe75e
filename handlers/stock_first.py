"""The first contact: what the stores show becomes the first count, once somebody has seen where they disagree.

Two jobs of one run. The first reads every store and shows the dry run; nothing is counted, linked or written. The
second, after a yes, reads again, leaves out for a moment what is being sold meanwhile, and counts the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from domain.catalog import Sku, Store
from domain.errors import StoreError
from domain.ports import StorePlatform, UnitOfWork
from domain.powers import ReadsOrders, ReadsStock
from domain.stock import Pool, StockLink
from domain.stock_rules import compare_links, counted
from domain.sync import Run, RunKind, RunLine, RunState, SyncJob
from domain.trade import StockLevel
from handlers.desk import Desk, id_from
from handlers.failures import sentence_for
from handlers.stock_cards import show_run
from handlers.stock_links import link_of, seen_of
from handlers.stock_orders import pull
from handlers.stock_push import open_all
from handlers.stock_send import ask_for

SKUS_AT_ONCE: Final = 500
LINES_SHOWN: Final = 12
TRIES: Final = 3
"""What was sold while it was read is read again; what sells faster than that is counted at the next contact."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one store shows, and when it was asked."""

    platform: StorePlatform
    asked_at: datetime
    levels: tuple[StockLevel, ...]

    @property
    def store(self) -> Store:
        """Which store."""
        return self.platform.store


async def ask_first(work: UnitOfWork, team_id: str, desk: Desk, *, new: Sequence[Sku] = ()) -> bool:
    """Begin to ask what the stores show; `new` are listings that appeared, and are not asked about twice.

    False where nothing is to be asked: somebody is being asked already, or said no to all of these.
    """
    runs = await work.sync.runs(team_id, kind=RunKind.FIRST)
    left = {key for run in runs if run.state is RunState.LEFT for key in run.skus}
    if new and {sku.key for sku in new} <= left:
        return False
    now = desk.clock()
    run_id = id_from(team_id, "first", now.isoformat())
    run = Run(run_id, team_id, RunKind.FIRST, RunState.READING, None, now)
    if not await work.sync.add_run(run):
        return False
    await ask_for(work, SyncJob.FIRST, team_id, team_id)
    return True


async def first(team_id: str, desk: Desk) -> None:
    """Do what the team's run is at: read and ask, or count what somebody said yes to."""
    async with desk.work() as work:
        await work.sync.begin(SyncJob.FIRST, team_id)
        runs = await work.sync.runs(team_id, kind=RunKind.FIRST)
    for run in runs:
        if run.state is RunState.READING:
            await _ask(run, desk)
        elif run.state is RunState.GOING:
            await _count(run, desk)


# ---------------------------------------------------------------- the dry run


async def _ask(run: Run, desk: Desk) -> None:
    readings, silent = await read_all(run.team_id, desk)
    async with desk.work.reading() as rows:
        known = await rows.stock.links(run.team_id)
        pools = await rows.stock.on_hand(run.team_id)
        facts = await rows.stock.facts(run.team_id)
    counted_ones = {key: pools[key] for key, one in facts.items() if one.counted_at is not None and key in pools}
    new = new_places(readings, known)
    lines = dry_run(readings, counted_ones, {link.sku.key for link in new})
    asked = replace(
        run,
        state=RunState.ASKED if lines else RunState.DONE,
        lines=lines[:LINES_SHOWN],
        total=len(lines),
        disputed=sum(line.is_disputed for line in lines),
        of=sum(len(one.levels) for one in readings),
        skus=tuple(sorted({link.sku.key for link in new})),
    )
    async with desk.work() as work:
        if not await work.sync.save_run(asked, was=RunState.READING):
            return
        for platform, error in silent:
            await work.sync.went_wrong(platform.store, str(sentence_for(error)), now=desk.clock())
        if not lines:
            await _in_step(work, readings, desk)
        await show_run(work, asked, desk)


async def read_all(team_id: str, desk: Desk) -> tuple[list[Reading], list[tuple[StorePlatform, StoreError]]]:
    """Read every store of a team at once; return what they show, and which were silent."""
    stores = [one for one in await desk.stores.of_team(team_id) if isinstance(one, ReadsStock)]
    told = await asyncio.gather(*(_read(one, None, desk) for one in stores), return_exceptions=True)
    readings = [one for one in told if isinstance(one, Reading)]
    silent: list[tuple[StorePlatform, StoreError]] = [
        (store, one) for store, one in zip(stores, told, strict=True) if isinstance(one, StoreError)
    ]
    for one in told:
        if isinstance(one, BaseException) and not isinstance(one, StoreError):
            raise one
    return readings, silent


async def _read(platform: StorePlatform, skus: Sequence[Sku] | None, desk: Desk) -> Reading:
    assert isinstance(platform, ReadsStock)
    asked_at = desk.clock()
    levels = await platform.read_all_stock() if skus is None else await platform.read_stock(skus)
    return Reading(platform, asked_at, tuple(levels))


def new_places(readings: Sequence[Reading], known: Sequence[StockLink]) -> list[StockLink]:
    """Return the places that nobody has agreed to yet; one that several SKUs share is left out."""
    new: list[StockLink] = []
    for reading in readings:
        of_store = [link for link in known if link.store_id == reading.store.store_id]
        seen = [link_of(reading.platform, level, reading.asked_at) for level in reading.levels]
        new += compare_links(of_store, seen).new
    return new


def dry_run(readings: Sequence[Reading], counted_ones: Mapping[str, int], new: Collection[str]) -> tuple[RunLine, ...]:
    """Return a line a product that is new somewhere: what each store shows, and what would be the first count.

    The ledger's own number where the product was counted, else the lowest that a store shows: with one piece too few
    a sale waits, with one too many a buyer is disappointed. Where the stores disagree comes first.
    """
    shows: dict[str, dict[str, int]] = {}
    names: dict[str, str] = {}
    for reading in readings:
        for level in reading.levels:
            if level.sku.key in new and level.is_writable and level.quantity is not None:
                names.setdefault(level.sku.key, level.sku.value)
                of_sku = shows.setdefault(level.sku.key, {})
                of_sku[reading.store.name] = of_sku.get(reading.store.name, 0) + level.quantity
    lines = []
    for key in sorted(shows):
        ours = counted_ones.get(key)
        numbers = {*shows[key].values(), *([max(0, ours)] if ours is not None else [])}
        becomes = max(0, ours) if ours is not None else min(numbers)
        lines.append(RunLine(names[key], tuple(shows[key].items()), becomes, len(numbers) > 1))
    return tuple(sorted(lines, key=lambda line: not line.is_disputed))


# ---------------------------------------------------------------- after the yes


async def _count(run: Run, desk: Desk) -> None:
    """Count and link what the stores show now, then bring them to the same number."""
    readings, silent = await read_all(run.team_id, desk)
    todo = {level.sku.key: level.sku for reading in readings for level in reading.levels}
    async with desk.work.reading() as rows:
        known = await rows.stock.links(run.team_id)
    wanted = {link.sku.key for link in new_places(readings, known)}
    todo = {key: sku for key, sku in todo.items() if key in wanted}
    for _ in range(TRIES):
        moving = await _sold_meanwhile(readings, desk)
        quiet = [sku for key, sku in todo.items() if key not in moving]
        await _settle(run, quiet, readings, desk)
        todo = {key: sku for key, sku in todo.items() if key in moving}
        if not todo:
            break
        again = await asyncio.gather(*(_read(one.platform, list(todo.values()), desk) for one in readings))
        readings = list(again)
    async with desk.work() as work:
        done = replace(run, state=RunState.DONE)
        if await work.sync.save_run(done, was=RunState.GOING):
            await _in_step(work, readings, desk)
            for platform, error in silent:
                await work.sync.went_wrong(platform.store, str(sentence_for(error)), now=desk.clock())
            await show_run(work, done, desk)


async def _in_step(work: UnitOfWork, readings: Sequence[Reading], desk: Desk) -> None:
    for reading in readings:
        await work.sync.was_linked(reading.store)
        await work.sync.was_read(reading.store, began_at=reading.asked_at)


async def _sold_meanwhile(readings: Sequence[Reading], desk: Desk) -> set[str]:
    """Pull the orders of every store, and return the SKUs of those that came after it was asked what it shows."""
    moving: set[str] = set()
    for reading in readings:
        if not isinstance(reading.platform, ReadsOrders):
            continue
        await pull(reading.platform, desk, is_whole=True)
        cursor: str | None = None
        while True:
            page = await reading.platform.orders_since(reading.asked_at, cursor=cursor)
            lines = [line for order in page.orders for line in order.lines]
            moving |= {line.sku.key for line in lines if line.sku is not None}
            cursor = page.next_cursor
            if cursor is None:
                break
    return moving


async def _settle(run: Run, skus: Sequence[Sku], readings: Sequence[Reading], desk: Desk) -> None:
    """Link and count these SKUs, believe what was read, and let the stores be written, some at a time."""
    names = {sku.key for sku in skus}
    if run.only_agreed:
        async with desk.work.reading() as rows:
            counted_ones = {
                key: pool.on_hand
                for key, pool in (await rows.stock.pools(run.team_id, skus)).items()
                if pool.is_counted
            }
        names -= {Sku(line.sku).key for line in dry_run(readings, counted_ones, names) if line.is_disputed}
    chosen = [sku for sku in skus if sku.key in names]
    for begin in range(0, len(chosen), SKUS_AT_ONCE):
        some = chosen[begin : begin + SKUS_AT_ONCE]
        await _settle_some(run, some, readings, desk)
    for reading in readings:
        await _believe(reading, names, desk)
    # The dry run was looked at, so it is no run to stop and ask about.
    await open_all(run.team_id, chosen, desk)


async def _settle_some(run: Run, skus: Sequence[Sku], readings: Sequence[Reading], desk: Desk) -> None:
    keys = {sku.key for sku in skus}
    now = desk.clock()
    async with desk.work() as work:
        known = {link.key: link for link in await work.stock.links(run.team_id, skus)}
        links = [
            link
            for reading in readings
            for level in reading.levels
            if level.sku.key in keys and level.quantity is not None
            for link in [link_of(reading.platform, level, reading.asked_at)]
            if link.key not in known
        ]
        await work.stock.put_links(run.team_id, links)
        pools = await work.stock.pools(run.team_id, skus, for_change=True)
        numbers = {line.sku: line.becomes for line in dry_run(readings, {}, keys)}
        counts = [
            counted(pool, number, key=f"count:{run.run_id}:{key}", now=now, actor=run.by, source="")
            for key, pool in pools.items()
            if not pool.is_counted and (number := _number_of(numbers, pool)) is not None
        ]
        await work.stock.add_movements(run.team_id, counts)


def _number_of(numbers: Mapping[str, int | None], pool: Pool) -> int | None:
    return next((number for sku, number in numbers.items() if Sku(sku).key == pool.sku.key), None)


async def _believe(reading: Reading, keys: Collection[str], desk: Desk) -> None:
    async with desk.work.reading() as rows:
        believed = await rows.stock.shown(reading.store.team_id, store_id=reading.store.store_id)
    seen = seen_of([level for level in reading.levels if level.sku.key in keys], believed)
    for begin in range(0, len(seen), SKUS_AT_ONCE):
        async with desk.work() as work:
            some = seen[begin : begin + SKUS_AT_ONCE]
            await work.stock.observe(reading.store, some, asked_at=reading.asked_at, now=desk.clock())
