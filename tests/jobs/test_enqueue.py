"""A job is a row beside ours: both or none, and once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from bot.jobs import migrate_engine
from domain.catalog import PlatformName
from domain.jobs import SLOW_STOCK_QUEUE, STOCK_QUEUE
from tests.jobs.book import rows
from tests.jobs.house import House, enhance, intake, publish


class ChangedMind(Exception):
    """Ends a transaction."""


async def in_one_transaction(house: House, *, fails: bool) -> None:
    """Insert a row and enqueue its job the way the storage room does: async, through run_sync."""
    url = make_url(house.url)
    driver = "sqlite+aiosqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
    engine = create_async_engine(url.set(drivername=driver))
    job = enhance("quick-1")
    try:
        async with engine.begin() as connection:
            await connection.execute(rows.insert().values(key=job.key, subject=job.subject_id))
            await connection.run_sync(house.enqueuer, job)
            await connection.execute(sa.select(rows))
            if fails:
                raise ChangedMind
    finally:
        await engine.dispose()


async def test_a_commit_leaves_row_and_job(house: House) -> None:
    await in_one_transaction(house, fails=False)
    assert house.status(enhance("quick-1")) == "ENQUEUED"
    assert house.book.moving() == [(enhance("quick-1").key, "quick-1")]


async def test_a_rollback_leaves_neither_row_nor_job(house: House) -> None:
    with pytest.raises(ChangedMind):
        await in_one_transaction(house, fails=True)
    assert house.status(enhance("quick-1")) == "none"
    assert house.book.moving() == []


def test_a_known_key_does_nothing(house: House) -> None:
    house.enqueue(publish("quick-1"))
    house.enqueue(publish("quick-1"), replace(publish("quick-1"), subject_id="quick-2"))
    (found,) = house.client.list_workflows()
    assert found.workflow_id == publish("quick-1").key
    assert found.input == {"args": ("quick-1",), "kwargs": {}}


def test_a_job_waits_in_its_queue_and_partition(house: House) -> None:
    house.enqueue(publish("quick-1", store="s9"), intake("quick-2"))
    found = {one.name: (one.queue_name, one.queue_partition_key) for one in house.client.list_workflows()}
    assert found == {"publish": ("publish-shelf", "s9"), "intake": ("intake", None)}


def test_migrating_twice_changes_nothing(house: House) -> None:
    house.enqueue(enhance("quick-1"))
    migrate_engine(house.url)
    assert house.status(enhance("quick-1")) == "ENQUEUED"


def test_every_platform_has_a_queue_that_does_one_thing_at_a_time_per_store(house: House) -> None:
    queues = {queue.name: queue for queue in house.client.list_queues()}
    stores = {f"publish-{platform.value}" for platform in PlatformName}
    assert set(queues) == {"intake", "pixels", STOCK_QUEUE, SLOW_STOCK_QUEUE} | stores
    assert queues["pixels"].worker_concurrency == 2
    assert queues["intake"].worker_concurrency == 16
    assert {queues[f"publish-{platform.value}"].partition_concurrency for platform in PlatformName} == {1}


def test_migrating_leaves_sqlite_in_wal_mode(tmp_path: Path) -> None:
    migrate_engine(f"sqlite:///{tmp_path}/packshot.db")
    with closing(sqlite3.connect(tmp_path / "packshot.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
