"""The shop on a SQLite file, and on both databases where the order of transactions matters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database, open_database
from tests.handlers.shop import Shop, assemble, open_shop


@pytest.fixture(scope="session")
def shop_template(sqlite_template: bytes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, bytes]:
    """A shop that was furnished once, and its file, to copy."""
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    path.write_bytes(sqlite_template)

    async def furnish() -> Shop:
        database = open_database(f"sqlite:///{path}")
        try:
            return await open_shop(database)
        finally:
            await database.close()

    shop = asyncio.run(furnish())
    return shop, path.read_bytes()


@pytest.fixture
async def shop(shop_template: tuple[Shop, bytes], tmp_path: Path) -> AsyncIterator[Shop]:
    """A fresh shop."""
    furnished, content = shop_template
    path = tmp_path / "shop.db"
    path.write_bytes(content)
    database = open_database(f"sqlite:///{path}")
    yield assemble(
        database,
        team=furnished.team,
        other_team=furnished.other_team,
        members=furnished.members,
        photos=furnished.media.kept,
    )
    await database.close()


@pytest.fixture
async def busy_shop(database: Database) -> Shop:
    """A fresh shop on SQLite, and one on PostgreSQL."""
    return await open_shop(database)
