"""The contract again, on the real rows in both databases: the in-memory rows of the other tests do not lie."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from platforms.shelf.samples.catalogue import load_samples, seed
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.database import Database
from storage.shelf import SqlShelfRows
from tests.platforms.contract import CONTRACT, Rule, a_deleted_listing_is_not_found
from tests.platforms.fakes import FakeMedia
from tests.platforms.shelf_harness import STORE, stocked


@pytest.fixture
async def rows(database: Database) -> SqlShelfRows:
    team = await ensure_team(database, "My shop")
    await StoreRows(database).add(replace(STORE, team_id=team.team_id), None)
    return SqlShelfRows(database)


# No listing of the shelf can be deleted yet, so there is no row to take away.
@pytest.mark.parametrize(
    "rule", [rule for rule in CONTRACT if rule is not a_deleted_listing_is_not_found], ids=lambda rule: rule.__name__
)
async def test_contract(rule: Rule, rows: SqlShelfRows) -> None:
    await rule(await stocked(rows))


async def test_seeding_a_real_shelf_twice_is_seeding_it_once(rows: SqlShelfRows) -> None:
    media, now = FakeMedia(), datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert await seed(rows, media, STORE.store_id, now) == len(load_samples())
    assert await seed(rows, media, STORE.store_id, now) == 0
    first = (await rows.listings(STORE.store_id))[0]
    assert first.variants[0].sku.value == "MUG-01"
    assert first.variants[0].quantity == 24
