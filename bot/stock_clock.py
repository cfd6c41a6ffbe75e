"""Asks for the jobs whose time has come: pulls, comparisons, and whatever a failure left open. One process does it.

The jobs themselves are durable and run anywhere; this only looks at rows, so that missing a tick costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from domain.catalog import Store
from domain.errors import PackshotError
from domain.jobs import Job, sync_job
from domain.ports import Reading
from domain.sync import READ_EVERY, RunState, StoreSync, SyncJob, is_past
from handlers.desk import Desk
from handlers.stock_orders import is_rested
from handlers.stock_send import ask_for
from storage.catalog import StoreRows
from storage.database import Database
from storage.sync import teams_in_step, waiting_jobs

if TYPE_CHECKING:
    from datetime import datetime

    from bot.app import App

log = logging.getLogger("packshot.stock")

LOCK = "stock-clock"
EVERY_S = 2.0


async def keep_in_step(app: App) -> None:
    """Tick for ever; cancel to stop. A failure is logged, and the next tick tries again."""
    while True:
        held = await asyncio.to_thread(app.locks.try_hold, LOCK)
        if held is None:
            await asyncio.sleep(EVERY_S)
            continue
        try:
            while await asyncio.to_thread(held.is_still_mine):
                try:
                    await tick(app.database, app.desk)
                except PackshotError:
                    log.exception("could not look which stores are due")
                await asyncio.sleep(EVERY_S)
        finally:
            await asyncio.to_thread(held.release)


async def tick(database: Database, desk: Desk) -> None:
    """Ask for every job that is due now."""
    for team_id in await teams_in_step(database):
        stores = await StoreRows(database).list(team_id)
        async with desk.work.reading() as rows:
            due = await due_jobs(rows, team_id, stores, desk.clock())
        if due:
            async with desk.work() as work:
                for job, subject_id in due:
                    await ask_for(work, job, subject_id, team_id)


async def due_jobs(rows: Reading, team_id: str, stores: Sequence[Store], now: datetime) -> list[tuple[SyncJob, str]]:
    """Return what is due of a team's stores. A store that failed lately is left alone for a while."""
    syncs, pulls = await rows.sync.stores(team_id), await rows.stock.pulls(team_id)
    writing = {push.store_id for push in await rows.stock.pushes(team_id)}
    due: list[tuple[SyncJob, str]] = []
    for store in stores:
        sync = syncs.get(store.store_id, StoreSync(store.store_id, team_id))
        if sync.is_resting(now):
            continue
        pulled = pulls.get(store.store_id)
        began_at = pulled.began_at if pulled else None
        is_wanted = sync.wanted_at is not None and (began_at is None or began_at <= sync.wanted_at)
        if (
            sync.is_pull_due(store.platform, now)
            or (is_wanted and is_rested(began_at, store, now))
            or await rows.sync.hints(store.store_id, limit=1)
        ):
            due.append((SyncJob.HEAR, store.store_id))
        is_surprised = sync.recheck_at is not None and sync.recheck_at <= now
        if sync.is_linked and (is_past(sync.read_at, READ_EVERY, now) or is_surprised):
            due.append((SyncJob.READ, store.store_id))
        if store.store_id in writing:
            due.append((SyncJob.PUSH, store.store_id))
    due += await _due_of_team(rows, team_id)
    return due


async def _due_of_team(rows: Reading, team_id: str) -> list[tuple[SyncJob, str]]:
    runs = await rows.sync.runs(team_id)
    is_reading = any(run.state is RunState.READING for run in runs)
    going = {run.kind for run in runs if run.state is RunState.GOING}
    due: list[tuple[SyncJob, str]] = []
    if is_reading or "first" in going:
        due.append((SyncJob.FIRST, team_id))
    if await rows.sync.due(team_id) != [] or "write" in going:
        due.append((SyncJob.PLAN, team_id))
    due += [
        (SyncJob.READ, run.store_id)
        for run in runs
        if run.kind == "read" and run.state is RunState.GOING and run.store_id is not None
    ]
    return due


async def waiting_sync_jobs(database: Database) -> list[tuple[Job, datetime]]:
    """Return the jobs that must be alive, for the sweep: each was asked for and has not begun."""
    return [(sync_job(job, subject, number), since) for job, subject, number, since in await waiting_jobs(database)]
