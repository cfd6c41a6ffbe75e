"""Databases for every test: a fresh SQLite file, and a fresh PostgreSQL database where the binaries are."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from storage.database import Database, open_database
from storage.migrate import migrate
from tests import postgres

settings.register_profile("proof", max_examples=500, stateful_step_count=60, deadline=None, print_blob=True)
"""`make proof`: the stock ledger's state machine at full length (tests/stock/test_machine.py)."""

TEMPLATE = "packshot_template"
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", default="5", help="how often `make crash` kills in every cell")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A running server with a migrated template; the test skips where the binaries are absent."""
    binaries = postgres.find_binaries()
    if binaries is None:
        pytest.skip(postgres.ABSENT)
    with postgres.running_server(binaries) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        asyncio.run(_migrated(_named(url, TEMPLATE)))
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database."""
    name = f"packshot_{next(_numbers)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        yield _named(postgres_server, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A migrated SQLite file, to copy."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    asyncio.run(_migrated(f"sqlite:///{path}"))
    return path.read_bytes()


@pytest.fixture
def sqlite_url(sqlite_template: bytes, tmp_path: Path) -> str:
    """A fresh, migrated SQLite file."""
    path = tmp_path / "packshot.db"
    path.write_bytes(sqlite_template)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both databases, one after the other."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Both databases, opened."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


async def _migrated(url: str) -> None:
    database = open_database(url)
    await migrate(database)
    await database.close()


def _named(url: str, name: str) -> str:
    return f"{url.rsplit('/', 1)[0]}/{name}"
