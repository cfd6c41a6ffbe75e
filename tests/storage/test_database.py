"""What a transaction means, and what a broken database is called."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from domain.errors import Fault
from storage.database import Database, open_database


async def _one(database: Database, statement: str) -> object:
    async with database.read() as db_session:
        return (await db_session.execute(text(statement))).scalar_one()


async def test_every_sqlite_connection_writes_ahead_and_checks_its_keys(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    settings = [await _one(database, f"PRAGMA {name}") for name in ("journal_mode", "foreign_keys")]
    await database.close()
    assert settings == ["wal", 1]


async def test_only_what_somebody_is_told_of_waits_for_the_disk(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    modes = []
    for urgent in (True, False, True):  # on one connection of the pool, so that no mode may stick to it
        async with database.begin(urgent=urgent) as db_session:
            modes.append((await db_session.execute(text("PRAGMA synchronous"))).scalar_one())
    await database.close()
    assert modes == [2, 1, 2]


@pytest.mark.parametrize(
    ("url", "sync_url"),
    [
        ("postgres://me:pass@host:5/shop", "postgresql://me:pass@host:5/shop"),
        ("postgresql://me@host/shop?sslmode=require", "postgresql://me@host/shop?sslmode=require"),
        ("postgresql+asyncpg://me@host/shop", "postgresql://me@host/shop"),
    ],
)
async def test_every_spelling_of_postgres_is_understood(url: str, sync_url: str) -> None:
    database = open_database(url)
    await database.close()
    assert database.sync_url == sync_url
    assert not database.is_sqlite


async def test_a_sqlite_file_gets_its_folder(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/new/shop.db")
    assert await _one(database, "SELECT 1") == 1
    await database.close()
    assert database.sync_url == f"sqlite:///{tmp_path}/new/shop.db"
    assert database.is_sqlite


async def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    async with database.begin() as db_session:
        await db_session.execute(text("INSERT INTO team VALUES ('t', 'Shop', '2026-01-01 00:00:00+00')"))
        assert await asyncio.wait_for(_one(database, "SELECT count(*) FROM team"), timeout=10) == 0
    assert await _one(database, "SELECT count(*) FROM team") == 1


async def test_a_writer_who_dies_lets_the_next_one_in(database: Database) -> None:
    async def die() -> None:
        async with database.begin() as db_session:
            await db_session.execute(text("INSERT INTO team VALUES ('t', 'Shop', '2026-01-01 00:00:00+00')"))
            raise ZeroDivisionError

    outcomes = await asyncio.gather(*(die() for _ in range(3)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ZeroDivisionError}
    assert await _one(database, "SELECT count(*) FROM team") == 0


async def test_a_server_that_is_away_is_a_fault_without_words_of_ours() -> None:
    database = open_database("postgresql://me:secret@127.0.0.1:1/shop")
    with pytest.raises(Fault) as caught:
        await _one(database, "SELECT 1")
    await database.close()
    assert caught.value.code == "database_down"
    assert "secret" not in str(caught.value)


async def test_a_missing_table_is_a_database_that_was_not_migrated(database: Database) -> None:
    with pytest.raises(Fault) as caught:
        await _one(database, "SELECT count(*) FROM no_table_of_ours")
    assert caught.value.code == "database_not_migrated"


@pytest.mark.postgres
async def test_a_wrong_statement_is_no_fault_of_the_database(postgres_url: str) -> None:
    database = open_database(postgres_url)
    with pytest.raises(ProgrammingError):
        await _one(database, "SELECT no_column FROM team")
    await database.close()


@pytest.mark.postgres
async def test_a_pool_without_a_free_connection_is_busy(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.database.POSTGRES_POOL_SIZE", 1)
    database = open_database(postgres_url)
    monkeypatch.setattr(database._engine.pool, "_timeout", 0.05)
    monkeypatch.setattr(database._engine.pool, "_max_overflow", 0)
    async with database.begin() as db_session:
        await db_session.execute(text("SELECT 1"))
        with pytest.raises(Fault) as caught:
            await _one(database, "SELECT 1")
    await database.close()
    assert caught.value.code == "database_busy"


@pytest.mark.postgres
async def test_a_restarted_server_costs_nobody_their_press(postgres_url: str) -> None:
    database = open_database(postgres_url)
    assert await _one(database, "SELECT 1") == 1
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert await _one(database, "SELECT 1") == 1
    await database.close()
