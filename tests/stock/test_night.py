"""Two workers on PostgreSQL wait for eight o'clock, one of them dies: exactly one digest is said."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from domain.alerts import AlertPlace
from domain.people import ChatName, Place
from handlers.alert_tick import send_due
from handlers.desk import Desk
from storage.bootstrap import ensure_team
from storage.database import Database, open_database
from storage.tables import OutboxRow
from storage.work import SqlWork
from tests.fakes import FakeEnhancer, FakeMedia, FakeStores

pytestmark = pytest.mark.postgres

EIGHT = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
"""In Berlin."""
PATIENCE_S = 60.0


class Night:
    """The database, and the workers around it."""

    def __init__(self, url: str, folder: Path, database: Database) -> None:
        self.url = url
        self.folder = folder
        self.database = database
        self.gate = folder / "gate"
        self.workers: dict[str, asyncio.subprocess.Process] = {}

    def desk(self, now: datetime) -> Desk:
        def clock() -> datetime:
            return now

        work = SqlWork(self.database, lambda connection, job: None, clock)
        return Desk(work, FakeMedia(), FakeEnhancer(), FakeStores(), clock)

    async def begin(self, name: str, *, starts_at: datetime, dies_at: str = "") -> None:
        """Start a worker, and wait until it is at work."""
        ready = self.folder / f"{name}.ready"
        plan = {
            "database_url": self.url,
            "starts_at": starts_at.isoformat(),
            "gate": str(self.gate),
            "dies_at": dies_at,
            "ready": str(ready),
        }
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(plan))
        self.workers[name] = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.stock.night", str(path))
        await self.until(lambda: asyncio.to_thread(ready.exists))

    async def died(self, name: str) -> int:
        """Wait for a worker's end, and return how it ended."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.workers[name].wait()

    async def digests(self) -> list[str]:
        """The type of everything that was said, in order."""
        statement = select(OutboxRow).order_by(col(OutboxRow.outbox_id))
        async with self.database.read() as db_session:
            return [row.reply["type"] for row in (await db_session.execute(statement)).scalars()]

    async def until(self, is_so: Callable[[], Awaitable[bool]]) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(PATIENCE_S):
            while not await is_so():  # noqa: ASYNC110 - another process makes it so
                await asyncio.sleep(0.05)


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[Night]:
    database = open_database(url)
    night = Night(url, folder, database)
    try:
        team = await ensure_team(database, "My shop")
        place = AlertPlace(
            team.team_id,
            Place(ChatName.CONSOLE, "room"),
            is_on=True,
            wall_time=datetime(2026, 1, 1, 8).time(),
            timezone="Europe/Berlin",
            since=EIGHT - timedelta(days=1, hours=-2),
        )
        async with night.desk(EIGHT).work() as work:
            await work.alerts.put_place(place)
        yield night
    finally:
        for worker in night.workers.values():
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
        await database.close()


async def test_one_of_two_workers_is_killed_a_second_before_eight(postgres_url: str, tmp_path: Path) -> None:
    async with opened(postgres_url, tmp_path) as night:
        early = EIGHT - timedelta(seconds=3)
        await night.begin("other", starts_at=early)
        await night.begin("victim", starts_at=early, dies_at=str(EIGHT - timedelta(seconds=1)))
        night.gate.touch()
        assert await night.died("victim") == -signal.SIGKILL

        async def has_said() -> bool:
            return bool(await night.digests())

        await night.until(has_said)
        assert night.workers["other"].returncode is None
        assert await send_due(night.desk(EIGHT + timedelta(minutes=2))) == 0
        assert await night.digests() == ["DigestShown"]


async def test_a_worker_that_dies_while_it_says_the_digest_leaves_it_to_the_other(
    postgres_url: str, tmp_path: Path
) -> None:
    async with opened(postgres_url, tmp_path) as night:
        night.gate.touch()
        await night.begin("victim", starts_at=EIGHT, dies_at="inside")
        assert await night.died("victim") == -signal.SIGKILL
        assert await night.digests() == []
        await night.begin("other", starts_at=EIGHT + timedelta(seconds=30))

        async def has_said() -> bool:
            return bool(await night.digests())

        await night.until(has_said)
        assert await send_due(night.desk(EIGHT + timedelta(minutes=2))) == 0
        assert await send_due(replace(night.desk(EIGHT), clock=lambda: EIGHT + timedelta(hours=23))) == 0
        assert await night.digests() == ["DigestShown"]
