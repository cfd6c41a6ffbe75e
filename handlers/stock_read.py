"""What a store really shows, compared with what we believe: all of it once an hour, what surprised us again soon.

The quantities are read first and the orders pulled second, so that a sale between the two is explained when the two
are compared. A number that nobody's order explains, twice, was changed by a person: they are asked, nothing is
overwritten. A store that suddenly shows none of anything is asked about as a whole, before any of it is believed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from domain.catalog import Sku, Store
from domain.ports import Reading, StorePlatform
from domain.powers import ReadsOrders, ReadsStock
from domain.stock import LinkState, MismatchState, OutletKey, Shown, StockLink
from domain.stock_rules import LinkChanges, compare_links
from domain.sync import READ_EVERY, Alarm, Change, Run, RunKind, RunState, SyncJob, is_past, judge
from domain.trade import StockLevel
from handlers.desk import Desk, id_from
from handlers.stock_cards import show_mismatch, show_run
from handlers.stock_doubts import recheck_soon
from handlers.stock_first import ask_first
from handlers.stock_links import link_of, seen_of
from handlers.stock_orders import InStep, in_step, pull
from handlers.stock_push import LINES_SHOWN, run_lines
from handlers.stock_send import send_soon

log = logging.getLogger("packshot.stock")

SEEN_AT_ONCE: Final = 1_000


async def read(store_id: str, desk: Desk) -> None:
    """Compare what is due: all of the store, or what surprised us. Raises what the store's calls raise."""
    found = await in_step(store_id, SyncJob.READ, desk)
    if found is None or not found.sync.is_linked or not isinstance(found.platform, ReadsStock):
        return
    async with desk.work.reading() as rows:
        runs = await rows.sync.runs(found.store.team_id, kind=RunKind.READ)
    is_agreed = any(run.store_id == store_id and run.state is RunState.GOING for run in runs)
    if is_agreed or is_past(found.sync.read_at, READ_EVERY, desk.clock()):
        await read_whole(found, desk)
    else:
        await read_doubts(found, desk)
    async with desk.work() as work:
        await work.sync.went_well(found.store)


async def read_whole(found: InStep, desk: Desk) -> None:
    """Compare everything the store shows."""
    platform, store = found.platform, found.store
    assert isinstance(platform, ReadsStock)
    async with desk.work.reading() as rows:
        believed = await rows.stock.shown(store.team_id, store_id=store.store_id)
    asked_at = desk.clock()
    levels = await platform.read_all_stock()
    if isinstance(platform, ReadsOrders):
        await pull(platform, desk, is_whole=True)
    async with desk.work.reading() as rows:
        links = await rows.stock.links(store.team_id, store_id=store.store_id)
        runs = await rows.sync.runs(store.team_id, kind=RunKind.READ)
    found_links = compare_links(links, [link_of(platform, level, asked_at) for level in levels])
    waiting = next((run for run in runs if run.store_id == store.store_id), None)
    changes = alarming(links, believed, levels)
    alarm = judge(changes, sum(1 for link in links if link.state is LinkState.ON))
    if alarm is not None and (waiting is None or waiting.state is not RunState.GOING):
        await _stop(store, changes, alarm, len(links), waiting, desk)
    else:
        await _relink(store, links, levels, found_links, desk)
        await observe(store, levels, believed, asked_at, desk)
        if waiting is not None:
            await _finish(platform, waiting, levels, asked_at, desk)
    async with desk.work() as work:
        await work.sync.was_read(store, began_at=asked_at)
        if found_links.new and alarm is None:
            await ask_first(work, store.team_id, desk, new=[link.sku for link in found_links.new])
        await send_soon(work, store.team_id, None)


async def read_doubts(found: InStep, desk: Desk) -> None:
    """Read what surprised us a second time, and what a crossing of a sale and a write left open."""
    platform, store = found.platform, found.store
    assert isinstance(platform, ReadsStock)
    async with desk.work() as work:
        await work.sync.want_recheck(store, at=None)
        believed = await work.stock.shown(store.team_id, store_id=store.store_id)
        links = await work.stock.links(store.team_id, store_id=store.store_id)
        asked = await asked_about(work, store)
    doubtful = [link for link in links if link.key not in asked and is_doubtful(believed.get(link.key, Shown()))]
    if not doubtful:
        return
    asked_at = desk.clock()
    levels = await platform.read_stock(list({link.sku.key: link.sku for link in doubtful}.values()))
    if isinstance(platform, ReadsOrders):
        await pull(platform, desk)
    await observe(store, levels, believed, asked_at, desk)
    async with desk.work() as work:
        await send_soon(work, store.team_id, [link.sku for link in doubtful])


def is_doubtful(shown: Shown) -> bool:
    """Whether only a read can say what stands there."""
    return shown.quantity is None or shown.slack > 0 or shown.suspected is not None


async def asked_about(rows: Reading, store: Store) -> frozenset[OutletKey]:
    """Return the places that somebody is being asked about already: another read says nothing new."""
    found = await rows.stock.mismatches(store.team_id, store_id=store.store_id)
    return frozenset((one.store_id, one.stock_id) for one in found)


async def observe(
    store: Store,
    levels: Sequence[StockLevel],
    believed: Mapping[OutletKey, Shown],
    asked_at: datetime,
    desk: Desk,
) -> None:
    """Compare, show a card for each new mismatch, and read what is in doubt once more after a while."""
    seen = seen_of(levels, believed)
    for begin in range(0, len(seen), SEEN_AT_ONCE):
        async with desk.work() as work:
            some = seen[begin : begin + SEEN_AT_ONCE]
            for mismatch in await work.stock.observe(store, some, asked_at=asked_at, now=desk.clock()):
                await show_mismatch(work, mismatch, store.team_id, desk)
    async with desk.work() as work:
        after = await work.stock.shown(store.team_id, store_id=store.store_id)
        asked = await asked_about(work, store)
        surprised = {key for key, one in after.items() if one.suspected is not None and one != believed.get(key)}
        if surprised - asked:
            await recheck_soon(work, store, desk)


def alarming(
    links: Sequence[StockLink], believed: Mapping[OutletKey, Shown], levels: Sequence[StockLevel]
) -> list[Change]:
    """Return how the store's answer differs from what we believe; a place that is missing there counts as none."""
    read_now = {(level.store_id, level.stock_id): level.quantity for level in levels}
    changes = []
    for link in links:
        shown = believed.get(link.key, Shown())
        if link.state is not LinkState.ON or shown.quantity is None:
            continue
        after = read_now.get(link.key, 0) or 0
        if not shown.quantity <= after <= shown.quantity + shown.slack:
            changes.append(Change(link.sku, link.store_id, shown.quantity, after))
    return changes


async def _relink(
    store: Store, links: Sequence[StockLink], levels: Sequence[StockLevel], found: LinkChanges, desk: Desk
) -> None:
    """Follow what became of the listings: gone ones promise nothing, renamed ones wait for a person, some came back."""
    there = {(level.store_id, level.stock_id): level for level in levels}
    changed = [replace(link, state=LinkState.GONE) for link in found.gone]
    changed += [replace(old, state=LinkState.RENAMED) for old, _new in found.renamed if old.state is LinkState.ON]
    changed += [
        replace(link, state=LinkState.ON)
        for link in links
        if link.state in {LinkState.GONE, LinkState.RENAMED}
        and (level := there.get(link.key)) is not None
        and level.sku.key == link.sku.key
    ]
    if changed:
        async with desk.work() as work:
            await work.stock.put_links(store.team_id, changed)


async def _stop(
    store: Store, changes: Sequence[Change], alarm: Alarm, total: int, waiting: Run | None, desk: Desk
) -> None:
    """Ask about the store's answer as a whole, unless somebody is being asked or has said no to it."""
    if waiting is not None:
        return
    now = desk.clock()
    keys = tuple(sorted({change.sku.key for change in changes}))
    run = Run(
        run_id=id_from(store.store_id, "read", now.isoformat()),
        team_id=store.team_id,
        kind=RunKind.READ,
        state=RunState.ASKED,
        store_id=store.store_id,
        opened_at=now,
        alarm=alarm,
        lines=run_lines(changes, {store.store_id: store.name})[:LINES_SHOWN],
        total=len(keys),
        zeroed=len({one.sku.key for one in changes if one.after <= 0}),
        of=total,
        skus=keys,
    )
    async with desk.work() as work:
        if await work.sync.add_run(run):
            await show_run(work, run, desk)
    log.warning("a store's answer was not believed", extra={"store": store.store_id, "alarm": alarm.value})


async def _finish(
    platform: StorePlatform, run: Run, levels: Sequence[StockLevel], asked_at: datetime, desk: Desk
) -> None:
    """Believe what somebody said yes to; let a question go that answered itself."""
    store = platform.store
    if run.state is RunState.GOING:
        await trust_all(store, levels, asked_at, run.by, desk)
    async with desk.work() as work:
        done = replace(run, state=RunState.DONE if run.state is RunState.GOING else RunState.PASSED)
        if await work.sync.save_run(done, was=run.state):
            await show_run(work, done, desk)


async def trust_all(store: Store, levels: Sequence[StockLevel], asked_at: datetime, by: str, desk: Desk) -> None:
    """Make the store's numbers the ledger's: this answer and the one that was asked about are the two reads it takes."""
    wanted = {(level.store_id, level.stock_id) for level in levels}
    async with desk.work.reading() as rows:
        believed = await rows.stock.shown(store.team_id, store_id=store.store_id)
    seen = seen_of(levels, {key: one for key, one in believed.items() if key in wanted})
    for begin in range(0, len(seen), SEEN_AT_ONCE):
        async with desk.work() as work:
            now = desk.clock()
            await work.stock.observe(store, seen[begin : begin + SEEN_AT_ONCE], asked_at=asked_at, now=now)
            for mismatch in await work.stock.mismatches(store.team_id, store_id=store.store_id):
                await work.stock.resolve(store.team_id, mismatch.mismatch_id, MismatchState.TRUSTED, by=by, now=now)
    skus: list[Sku] = list({level.sku.key: level.sku for level in levels}.values())
    async with desk.work() as work:
        await send_soon(work, store.team_id, skus)
