"""Writes to the stores: what is due is opened in the ledger first, then written, then closed with what the store said.

A write is a row before it is a call, so that one that was cut off goes out again under the same id and with the same
numbers. A run that would change too much at once is not opened: a person is asked (domain/sync.py: judge).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from domain.catalog import Sku, StoreId
from domain.errors import Ambiguous, NotFound, RejectedByStore, StockChanged, StoreDown, StoreError
from domain.ports import StorePlatform
from domain.powers import ReadsOrders, ReadsStock, SetsStock, SetsStockInBulk, SwapsStock
from domain.stock import LinkState, Push, PushEnd, PushState
from domain.stock_rules import plan as plan_of
from domain.sync import Alarm, Change, Run, RunKind, RunLine, RunState, SyncJob, held_back, judge
from domain.trade import StockLevel, StockWrite
from handlers.desk import Desk, id_from
from handlers.stock_cards import show_run
from handlers.stock_doubts import look_after
from handlers.stock_orders import in_step, is_rested, open_writes, pull
from handlers.stock_send import ask_for

log = logging.getLogger("packshot.stock")

SKUS_AT_ONCE: Final = 500
"""How many products are looked at in one transaction: others wait for it."""
PUSHES_AT_ONCE: Final = 100
BULK_AT_ONCE: Final = 2_000
"""One feed takes Amazon minutes, however much is in it."""
CALLS_AT_ONCE: Final = 8
GATHER_S: Final = 2.0
LINES_SHOWN: Final = 12
BULK_FROM: Final = 2


# ---------------------------------------------------------------- what is due


async def plan(team_id: str, desk: Desk) -> None:
    """Open the writes that are due, unless they are too many at once: then stop, show what would happen, and ask."""
    async with desk.work() as work:
        await work.sync.begin(SyncJob.PLAN, team_id)
        is_on = (await work.sync.switch(team_id)).is_on
        runs = await work.sync.runs(team_id)
        due = await work.sync.due(team_id)
        known = [Sku(key) for key in await work.stock.on_hand(team_id)] if is_on else []
    if not is_on:
        return
    for run in runs:
        if run.kind is RunKind.WRITE and run.state is RunState.GOING:
            await _let_go(run, desk)
    held = held_back(runs)
    looked_at = [sku for sku in (known if due is None else due) if sku.key not in held]
    changes = await changes_due(team_id, looked_at, desk)
    alarm = judge(changes, len(known))
    if alarm is None:
        await open_all(team_id, [one.sku for one in changes], desk)
    else:
        await _stop(team_id, changes, alarm, len(known), desk)
    async with desk.work() as work:
        await work.sync.drop_due(team_id, due)


async def changes_due(team_id: str, skus: Sequence[Sku], desk: Desk) -> list[Change]:
    """Return what would be written now: a dry run, which changes nothing."""
    changes: list[Change] = []
    for some in _parts(skus):
        async with desk.work.reading() as rows:
            pools = await rows.stock.pools(team_id, some)
        for pool in pools.values():
            changes += [Change(pool.sku, wish.store_id, wish.from_quantity, wish.to_quantity) for wish in plan_of(pool)]
        await asyncio.sleep(0)  # ten thousand products are seconds of thinking, and others want to be heard
    return changes


async def open_all(team_id: str, skus: Sequence[Sku], desk: Desk) -> None:
    """Open what is due of these SKUs, some at a time, so that nobody waits long."""
    for some in _parts(list({sku.key: sku for sku in skus}.values())):
        async with desk.work() as work:
            await open_writes(work, team_id, some, now=desk.clock())


async def _stop(team_id: str, changes: Sequence[Change], alarm: Alarm, total: int, desk: Desk) -> None:
    """Hold these changes back and ask; a run that waits for its answer already takes them in."""
    now = desk.clock()
    async with desk.work() as work:
        waiting = next(
            (one for one in await work.sync.runs(team_id, kind=RunKind.WRITE) if one.state is RunState.ASKED), None
        )
        names = {platform.store.store_id: platform.store.name for platform in await desk.stores.of_team(team_id)}
        lines = run_lines(changes, names)
        zeroed = {one.sku.key for one in changes if one.after <= 0 and (one.before or 0) > 0}
        keys = tuple(sorted({one.sku.key for one in changes}))
        if waiting is None:
            run = Run(
                run_id=id_from(team_id, "write", now.isoformat()),
                team_id=team_id,
                kind=RunKind.WRITE,
                state=RunState.ASKED,
                store_id=None,
                opened_at=now,
                alarm=alarm,
                lines=lines[:LINES_SHOWN],
                total=len(keys),
                zeroed=len(zeroed),
                of=total,
                skus=keys,
            )
            await work.sync.add_run(run)
        else:
            both = tuple(sorted({*waiting.skus, *keys}))
            run = replace(
                waiting,
                lines=(*waiting.lines, *lines)[:LINES_SHOWN],
                total=len(both),
                zeroed=waiting.zeroed + len(zeroed),
                skus=both,
            )
            await work.sync.save_run(run, was=RunState.ASKED)
        await show_run(work, run, desk)
    log.warning("a run was stopped", extra={"team": team_id, "alarm": alarm.value, "skus": len(keys)})


def run_lines(changes: Sequence[Change], names: dict[StoreId, str]) -> tuple[RunLine, ...]:
    """Return a dry run by product, the greatest loss first."""
    by_sku: dict[str, list[Change]] = {}
    for change in changes:
        by_sku.setdefault(change.sku.key, []).append(change)
    groups = sorted(
        by_sku.values(), key=lambda group: (-max((one.before or 0) - one.after for one in group), group[0].sku.key)
    )
    return tuple(
        RunLine(
            group[0].sku.value,
            tuple((names.get(one.store_id, one.store_id), one.before) for one in group),
            max(one.after for one in group),
        )
        for group in groups
    )


async def _let_go(run: Run, desk: Desk) -> None:
    """Write what was held back: somebody looked at it and said yes."""
    await open_all(run.team_id, [Sku(key) for key in run.skus], desk)
    async with desk.work() as work:
        done = replace(run, state=RunState.DONE)
        if await work.sync.save_run(done, was=RunState.GOING):
            await show_run(work, done, desk)


# ---------------------------------------------------------------- writing


async def push(store_id: str, desk: Desk) -> None:
    """Write everything that is open at a store. Raises what stops all of it; what is open then stays open."""
    found = await in_step(store_id, SyncJob.PUSH, desk)
    if found is None:
        return
    platform, store = found.platform, found.store
    async with desk.work.reading() as rows:
        if not await rows.stock.pushes(store.team_id, store_id=store.store_id, limit=1):
            return
        known = (await rows.stock.pulls(store.team_id)).get(store.store_id)
    is_swapping = isinstance(platform, SwapsStock)
    if not is_swapping and isinstance(platform, ReadsOrders):
        # Between the look and the set somebody may buy: what was sold until now is booked first, and the rest after.
        began_at = known.began_at if known else None
        if is_rested(began_at, store, desk.clock()):
            await pull(platform, desk)
    most = BULK_AT_ONCE if isinstance(platform, SetsStockInBulk) else PUSHES_AT_ONCE
    async with desk.work() as work:
        taken = await work.stock.take_up(store.team_id, store.store_id, limit=most, now=desk.clock())
        if taken.withdrawn:
            less = list({one.sku.key: one.sku for one in taken.withdrawn}.values())
            await open_writes(work, store.team_id, less, now=desk.clock())
    pushes = taken.pushes
    written = await write(platform, pushes)
    await _close(platform, pushes, written, desk)
    if written.trouble is not None:
        raise written.trouble
    if pushes and not written.ends:
        raise StoreDown(f"{store.name} does not say what became of a write.", store=store.name)
    async with desk.work() as work:
        await work.sync.went_well(store)
        if await work.stock.pushes(store.team_id, store_id=store.store_id, limit=1):
            # In a rush the next sales gather meanwhile, and one write tells of many; what did not fit goes on at once.
            is_full = len(pushes) == most
            await ask_for(work, SyncJob.PUSH, store_id, store.team_id, delay_s=0.0 if is_full else GATHER_S)


@dataclass(frozen=True, slots=True)
class Written:
    """How writes ended; `gone` are the ids of those whose listing is not there, `trouble` what kept others open."""

    ends: tuple[PushEnd, ...] = ()
    gone: frozenset[str] = frozenset()
    trouble: StoreError | None = None


async def write(platform: StorePlatform, pushes: Sequence[Push]) -> Written:
    """Write these, each at most once."""
    if isinstance(platform, SetsStockInBulk) and len(pushes) >= BULK_FROM:
        try:
            told = await platform.set_stock_of_many([_write_of(one) for one in pushes])
        except StoreError as error:
            return Written(trouble=error)
    else:
        calling = asyncio.Semaphore(CALLS_AT_ONCE)

        async def one(push: Push) -> StockLevel | StoreError:
            async with calling:
                try:
                    return await _write_one(platform, push)
                except StoreError as error:
                    return error

        told = await asyncio.gather(*(one(push) for push in pushes))
    ends: list[PushEnd] = []
    troubles: list[StoreError] = []
    for push, answer in zip(pushes, told, strict=True):
        end = await _end(platform, push, answer)
        if end is not None:
            ends.append(end)
        elif isinstance(answer, StoreError):
            troubles.append(answer)
    is_gone = {push.push_id for push, answer in zip(pushes, told, strict=True) if isinstance(answer, NotFound)}
    return Written(tuple(ends), frozenset(is_gone), troubles[0] if troubles else None)


async def _write_one(platform: StorePlatform, push: Push) -> StockLevel:
    if isinstance(platform, SwapsStock):
        try:
            return await platform.swap_stock(_write_of(push))
        except Ambiguous:
            # The same key is the same write: the answer of the second call is that of the first.
            return await platform.swap_stock(_write_of(push))
    if isinstance(platform, SetsStock):
        return await platform.set_stock(_write_of(push))
    raise RejectedByStore("its stock cannot be written", store=platform.store.name, field="quantity")


async def _end(platform: StorePlatform, push: Push, answer: StockLevel | StoreError) -> PushEnd | None:
    """Return what an answer means for a push, None where it stays open and is written again later."""
    match answer:
        case StockLevel():
            return PushEnd(push.push_id, PushState.DONE)
        case StockChanged(found=found):
            return PushEnd(push.push_id, PushState.REFUSED, found=found, why=str(answer))
        case NotFound() | RejectedByStore():
            return PushEnd(push.push_id, PushState.FAILED, why=str(answer))
        case Ambiguous():
            return await _read_back(platform, push)
        case _:
            return None


async def _read_back(platform: StorePlatform, push: Push) -> PushEnd | None:
    """Look what became of a write without an answer: done, not done (it goes out again), or something else."""
    if not isinstance(platform, ReadsStock):
        return None
    try:
        levels = await platform.read_stock([push.sku])
    except StoreError:
        return None
    found = next((level for level in levels if level.stock_id == push.stock_id), None)
    if found is None:
        return PushEnd(push.push_id, PushState.FAILED, why="it is gone there")
    if found.quantity == push.to_quantity:
        return PushEnd(push.push_id, PushState.DONE)
    if found.quantity == push.from_quantity:
        return None
    return PushEnd(push.push_id, PushState.REFUSED, found=found.quantity)


def _write_of(push: Push) -> StockWrite:
    return StockWrite(push.push_id, push.stock_id, push.sku, push.from_quantity, push.to_quantity)


async def _close(platform: StorePlatform, pushes: Sequence[Push], written: Written, desk: Desk) -> None:
    """Keep how they ended, what that makes possible elsewhere, and which listings are gone, in one transaction."""
    if not written.ends:
        return
    store, now = platform.store, desk.clock()
    ended = {end.push_id for end in written.ends}
    touched = list({push.sku.key: push.sku for push in pushes if push.push_id in ended}.values())
    async with desk.work() as work:
        closed = await work.stock.close_pushes(store.team_id, written.ends, now=now)
        gone = {push.key for push in closed if push.push_id in written.gone}
        if gone:
            links = await work.stock.links(store.team_id, touched, store_id=store.store_id)
            lost = [replace(link, state=LinkState.GONE) for link in links if link.key in gone]
            await work.stock.put_links(store.team_id, lost)
        # What failed would only fail again: the next comparison of the whole store tries it once more.
        failed = {push.sku.key for push in closed if push.state is PushState.FAILED}
        await open_writes(work, store.team_id, [sku for sku in touched if sku.key not in failed], now=now)
        await look_after(work, store.team_id, touched, desk)
        if not isinstance(platform, SwapsStock) and any(push.state is PushState.DONE for push in closed):
            await work.sync.want_pull(store, now=now)
            await ask_for(work, SyncJob.HEAR, store.store_id, store.team_id)


def _parts(skus: Sequence[Sku]) -> list[Sequence[Sku]]:
    return [skus[begin : begin + SKUS_AT_ONCE] for begin in range(0, len(skus), SKUS_AT_ONCE)]
