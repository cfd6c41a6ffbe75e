"""Statements on the loop itself keep the order that a thread would have kept."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from domain.errors import Fault
from storage.database import Database, open_database
from storage.quick_sqlite import QuickConnection, opener


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "quick.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE word (word TEXT)")
    connection.close()
    return file


async def opened(path: Path) -> QuickConnection:
    connection = await opener(make_url(f"sqlite+aiosqlite:///{path}"))()
    assert isinstance(connection, QuickConnection)
    await connection.execute("PRAGMA busy_timeout = 20000")
    connection.isolation_level = None
    return connection


async def test_quick_statements_never_leave_the_loop(path: Path) -> None:
    connection = await opened(path)
    handed_over = connection._handed_over
    await connection.execute("PRAGMA synchronous = NORMAL")
    await connection.execute("BEGIN IMMEDIATE")
    await connection.execute("INSERT INTO word VALUES ('a')")
    await connection.commit()
    assert [row[0] for row in await connection.execute_fetchall("SELECT word FROM word")] == ["a"]
    # execute_fetchall is not one of the calls SQLAlchemy makes; it alone went to the thread.
    assert connection._handed_over == handed_over + 1
    await connection.close()


async def test_a_writer_waits_in_the_thread_while_the_loop_lives_on(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    connection = await opened(path)
    beginning = asyncio.create_task(connection.execute("BEGIN IMMEDIATE"))
    for _ in range(50):
        await asyncio.sleep(0)  # the loop turns, or this test would hang
    assert not beginning.done()
    other.execute("COMMIT")
    await beginning
    await connection.rollback()
    await connection.close()
    other.close()


async def test_a_cancelled_begin_leaves_no_transaction_behind(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    connection = await opened(path)
    beginning = asyncio.create_task(connection.execute("BEGIN IMMEDIATE"))
    async with asyncio.timeout(30):
        # It looks itself for a while before it asks the thread to wait.
        while connection._handed_over == connection._finished:  # noqa: ASYNC110 - a counter has no event
            await asyncio.sleep(0)
    beginning.cancel()
    rolling_back = asyncio.create_task(connection.rollback())  # as the pool does: it must queue behind the BEGIN
    await asyncio.sleep(0)
    assert not rolling_back.done()
    other.execute("COMMIT")
    await rolling_back
    other.execute("BEGIN IMMEDIATE")  # raises "locked" if the cancelled one still held it
    other.execute("COMMIT")
    await connection.close()
    other.close()


async def test_a_database_that_stays_busy_is_a_fault_and_not_a_hang(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.BUSY_TIMEOUT_MS", 50)
    database: Database = open_database(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Fault) as fault:
        async with database.begin(urgent=True) as db_session:
            await db_session.execute(text("SELECT 1"))
    assert fault.value.code == "database_busy"
    other.execute("ROLLBACK")
    async with database.begin() as db_session:
        await db_session.execute(text("SELECT 1"))
    other.close()
    await database.close()
