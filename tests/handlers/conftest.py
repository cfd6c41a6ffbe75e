"""The shop on a SQLite file, and on both databases where the order of transactions matters."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage.database import Database, open_database
from tests.handlers.shop import Shop, open_shop


@pytest.fixture
async def shop(sqlite_url: str) -> AsyncIterator[Shop]:
    """A fresh shop."""
    database = open_database(sqlite_url)
    yield await open_shop(database)
    await database.close()


@pytest.fixture
async def busy_shop(database: Database) -> Shop:
    """A fresh shop on SQLite, and one on PostgreSQL."""
    return await open_shop(database)
