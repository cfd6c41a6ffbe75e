"""The contract again, on the real rows in both databases: the in-memory rows of the other tests do not lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.catalog import ListingId, StoreId
from domain.errors import StoreDown
from domain.rows import ShelfImage
from platforms.shelf.samples.catalogue import load_samples, seed
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.database import Database
from storage.shelf import SqlShelfRows
from tests.platforms.contract import CONTRACT, Rule
from tests.platforms.fakes import FakeMedia
from tests.platforms.test_shelf_store import STORE, shop_on, stock


class ForgetfulRows(SqlShelfRows):
    """The real rows, whose answer to a write can get lost."""

    loses_next_answer = False

    async def set_images(
        self, store_id: StoreId, listing_id: ListingId, images: Sequence[ShelfImage], *, was_version: int
    ) -> None:
        await super().set_images(store_id, listing_id, images, was_version=was_version)
        if self.loses_next_answer:
            self.loses_next_answer = False
            raise StoreDown("the process died after the write", store=store_id)


@pytest.fixture
async def rows(database: Database) -> ForgetfulRows:
    team = await ensure_team(database, "My shop")
    store = replace(STORE, team_id=team.team_id)
    await StoreRows(database).add(store, None)
    return ForgetfulRows(database)


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
async def test_contract(rule: Rule, rows: ForgetfulRows) -> None:
    def lose_next_answer() -> None:
        rows.loses_next_answer = True

    await rule(shop_on(await stock(rows, FakeMedia()), rows, lose_next_answer))


async def test_seeding_a_real_shelf_twice_is_seeding_it_once(rows: ForgetfulRows) -> None:
    media, now = FakeMedia(), datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert await seed(rows, media, STORE.store_id, now) == len(load_samples())
    assert await seed(rows, media, STORE.store_id, now) == 0
    first = (await rows.listings(STORE.store_id))[0]
    assert first.variants[0].sku.value == "MUG-01"
    assert first.variants[0].quantity == 24
