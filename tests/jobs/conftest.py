"""Both databases, and a house on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.jobs.house import House
from tests.jobs.server import PostgresServer


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    binaries = postgres.find_binaries()
    if binaries is None:
        pytest.skip(postgres.ABSENT)
    started = PostgresServer(binaries)
    started.start()
    yield started
    started.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with nothing of ours in it, SQLite and Postgres in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/packshot.db"
    address: str = request.getfixturevalue("server_url")
    return address


@pytest.fixture
def server_url(server: PostgresServer) -> str:
    return server.new_database()


@pytest.fixture
def house(url: str, tmp_path: Path) -> Iterator[House]:
    built = House(url, tmp_path)
    yield built
    built.close()


@pytest.fixture
def sqlite_house(tmp_path: Path) -> Iterator[House]:
    built = House(f"sqlite:///{tmp_path}/packshot.db", tmp_path)
    yield built
    built.close()


@pytest.fixture
def postgres_house(server_url: str, tmp_path: Path) -> Iterator[House]:
    built = House(server_url, tmp_path)
    yield built
    built.close()
