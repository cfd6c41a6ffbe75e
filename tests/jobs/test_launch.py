"""The engine inside a process: which loop steps run on, and that it comes and goes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.jobs import Enqueuer, Jobs, migrate_engine
from bot.slots import open_locks
from bot.steps import Chain, FailedStep, Step, Steps
from domain.jobs import Job
from domain.sync import SyncJob
from tests.jobs.book import Book
from tests.jobs.house import enhance, intake


async def nothing_moves() -> Sequence[tuple[Job, datetime]]:
    return []


async def works(subject_id: str) -> None:
    """A step with nothing to do."""


async def fails(subject_id: str, error: BaseException) -> None:
    raise AssertionError(f"{subject_id} must not fail: {error}")


def steps(*, intake_step: Step = works, fetch: Step = works, failed: FailedStep = fails) -> Steps:
    stock = dict.fromkeys(SyncJob, Chain((("stock", works),), failed))
    return Steps(
        intake_step, failed, fetch, works, works, failed, works, works, works, failed, works, failed, works, stock
    )


@asynccontextmanager
async def launched(url: str, given: Steps) -> AsyncIterator[Jobs]:
    locks = open_locks(url)
    slot = locks.take_slot()
    jobs = Jobs(
        url, slot=slot, locks=locks, steps=given, moving=nothing_moves, clock=lambda: datetime.now(UTC), platforms=()
    )
    try:
        await jobs.launch()
        try:
            yield jobs
        finally:
            await jobs.close()
    finally:
        slot.release()


@pytest.fixture
def migrated_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/packshot.db"
    migrate_engine(url)
    return url


def enqueue(url: str, *jobs: Job) -> None:
    book, enqueuer = Book(url), Enqueuer(url)
    with book.engine.begin() as connection:
        for job in jobs:
            enqueuer(connection, job)
    enqueuer.close()
    book.close()


async def test_steps_run_on_the_loop_that_launched(migrated_url: str) -> None:
    seen: asyncio.Queue[tuple[asyncio.AbstractEventLoop, threading.Thread, str]] = asyncio.Queue()

    async def look(subject_id: str) -> None:
        await seen.put((asyncio.get_running_loop(), threading.current_thread(), subject_id))

    enqueue(migrated_url, intake("e1"))
    async with launched(migrated_url, steps(intake_step=look)), asyncio.timeout(20):
        assert await seen.get() == (asyncio.get_running_loop(), threading.current_thread(), "e1")


async def test_a_waiting_step_does_not_hold_up_the_loop_or_the_others(migrated_url: str) -> None:
    hold, ran = asyncio.Event(), asyncio.Event()

    async def wait(subject_id: str) -> None:
        await hold.wait()

    async def run(subject_id: str) -> None:
        ran.set()

    enqueue(migrated_url, enhance("e1"), enhance("e2"), intake("e3"))
    async with launched(migrated_url, steps(intake_step=run, fetch=wait)), asyncio.timeout(20):
        await ran.wait()
        hold.set()


async def test_closing_cancels_a_running_step_and_the_next_launch_runs_it_again(migrated_url: str) -> None:
    began, done = asyncio.Event(), asyncio.Event()
    cancelled: list[str] = []

    async def hang(subject_id: str) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(subject_id)
            raise

    async def finish(subject_id: str) -> None:
        done.set()

    enqueue(migrated_url, enhance("e1"))
    async with asyncio.timeout(40):
        async with launched(migrated_url, steps(fetch=hang)):
            await began.wait()
        assert cancelled == ["e1"]
        async with launched(migrated_url, steps(fetch=finish)):
            await done.wait()


async def test_an_unmigrated_database_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/empty.db"
    with pytest.raises(Exception, match="migrate"):
        async with launched(url, steps()):
            pass
