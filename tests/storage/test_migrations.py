"""The migrations and the tables say the same."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from storage.database import Database, open_database
from storage.migrate import migrate
from storage.tables import Row

MIGRATE = """
import asyncio, sys
from storage.database import open_database
from storage.migrate import migrate

async def main():
    database = open_database(sys.argv[1])
    await migrate(database)
    await database.close()

asyncio.run(main())
"""


def differences(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection), Row.metadata))


async def test_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    async with database.read() as db_session:
        assert await (await db_session.connection()).run_sync(differences) == []


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    async with database.begin() as db_session:
        await db_session.execute(text("INSERT INTO team VALUES ('t', 'Shop', '2026-01-01 00:00:00+00')"))
    await migrate(database)
    async with database.read() as db_session:
        assert (await db_session.execute(text("SELECT count(*) FROM team"))).scalar_one() == 1
        assert await (await db_session.connection()).run_sync(differences) == []


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_two_processes_that_migrate_an_empty_database_at_once_agree(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/empty.db"
    if kind == "postgres":
        server: str = request.getfixturevalue("postgres_server")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE migrated_twice")
        url = f"{server.rsplit('/', 1)[0]}/migrated_twice"
    processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", MIGRATE, url) for _ in range(2)]
    assert [await process.wait() for process in processes] == [0, 0]
    database = open_database(url)
    async with database.read() as db_session:
        assert await (await db_session.connection()).run_sync(differences) == []
    await database.close()


async def test_every_table_but_media_names_its_team(database: Database) -> None:
    async with database.read() as db_session:
        connection = await db_session.connection()
        without = await connection.run_sync(
            lambda sync: [
                table
                for table in inspect(sync).get_table_names()
                if "team_id" not in {column["name"] for column in inspect(sync).get_columns(table)}
            ]
        )
    assert sorted(without) == ["alembic_version", "media"]


@pytest.mark.parametrize("url", ["mysql://shop/x", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL"):
        open_database(url)
