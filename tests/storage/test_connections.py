"""Tokens rest encrypted, one renews at a time, and a lost race is seen."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from domain.catalog import PlatformName, Store, StoreId
from domain.connection import Contact, KeptTokens, Tokens
from domain.errors import Fault, RowChanged
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.connections import SqlConnections
from storage.database import Database
from storage.vault import Vault

SHOP = StoreId("shop-1")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOKENS = Tokens("access-1", NOW + timedelta(hours=1), "refresh-1", NOW + timedelta(days=90), ("read", "write"))


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def connections(database: Database, clock: Clock) -> SqlConnections:
    team = await ensure_team(database, "My shop")
    assert await StoreRows(database).add(Store(SHOP, team.team_id, PlatformName.ETSY, "Etsy"), b"sealed")
    return SqlConnections(database, Vault([Vault.fresh_key()]), clock)


async def test_tokens_come_back_as_they_were_and_rest_unreadable(
    connections: SqlConnections, database: Database
) -> None:
    assert await connections.load(SHOP) == KeptTokens(None, 0)
    assert await connections.save(SHOP, TOKENS, was_version=0) == 1
    assert await connections.load(SHOP) == KeptTokens(TOKENS, 1)
    async with database.read() as db_session:
        sealed = (await db_session.execute(text("SELECT tokens FROM store_state"))).scalar_one()
    assert b"access-1" not in bytes(sealed)
    assert b"refresh-1" not in bytes(sealed)


async def test_a_save_over_somebody_elses_is_refused(connections: SqlConnections) -> None:
    await connections.save(SHOP, TOKENS, was_version=0)
    with pytest.raises(RowChanged):
        await connections.save(SHOP, Tokens("mine"), was_version=0)
    assert await connections.load(SHOP) == KeptTokens(TOKENS, 1)


async def test_one_of_many_gets_the_claim(connections: SqlConnections, clock: Clock) -> None:
    got = await asyncio.gather(*(connections.claim(SHOP, version=0, seconds=60) for _ in range(5)))
    assert sorted(got) == [False, False, False, False, True]
    clock.now += timedelta(seconds=61)
    assert await connections.claim(SHOP, version=0, seconds=60), "who had it died"
    await connections.release(SHOP, version=0)
    assert await connections.claim(SHOP, version=0, seconds=60)
    await connections.save(SHOP, TOKENS, was_version=0)
    assert not await connections.claim(SHOP, version=0, seconds=60), "that version is over"
    assert await connections.claim(SHOP, version=1, seconds=60)


async def test_what_went_wrong_is_kept_until_it_goes_well(connections: SqlConnections, clock: Clock) -> None:
    assert await connections.of(SHOP) == Contact()
    await connections.went_well(SHOP)
    clock.now += timedelta(hours=1)
    await connections.went_wrong(SHOP, "The key is gone.")
    assert await connections.of(SHOP) == Contact(NOW, "The key is gone.", NOW + timedelta(hours=1))
    await connections.went_well(SHOP)
    assert await connections.of(SHOP) == Contact(NOW + timedelta(hours=1))


async def test_connecting_again_keeps_the_store_and_drops_its_tokens(
    connections: SqlConnections, database: Database
) -> None:
    rows = StoreRows(database)
    await connections.save(SHOP, TOKENS, was_version=0)
    await rows.reconnect(SHOP, b"other")
    assert await rows.credentials(SHOP) == b"other"
    assert (await connections.load(SHOP)).tokens is None
    with pytest.raises(RowChanged):
        await connections.save(SHOP, TOKENS, was_version=1)


async def test_a_removed_store_leaves_no_keys(connections: SqlConnections, database: Database) -> None:
    await connections.save(SHOP, TOKENS, was_version=0)
    await StoreRows(database).remove(SHOP)
    assert await connections.load(SHOP) == KeptTokens(None, 0)
    with pytest.raises(Fault):
        await connections.save(SHOP, TOKENS, was_version=0)
