"""What adapters remember of listings: kept durably, replaced by name, gone with the store."""

from __future__ import annotations

import pytest

from domain.catalog import ListingId, PlatformName, Store, StoreId
from domain.errors import Fault
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.database import Database
from storage.store_notes import SqlStoreNotes

ONE, OTHER = ListingId("MUG-01"), ListingId("MUG-02")


async def connected(database: Database, name: str) -> StoreId:
    team = await ensure_team(database, "My shop")
    store = Store(StoreId(name), team.team_id, PlatformName.AMAZON, name)
    assert await StoreRows(database).add(store)
    return store.store_id


async def test_a_note_is_kept_by_name_and_listing_and_replaced(database: Database) -> None:
    notes = SqlStoreNotes(database)
    here, there = await connected(database, "here"), await connected(database, "there")
    await notes.keep(here, ONE, "e1:1", "first")
    await notes.keep(here, ONE, "e1:1", "second")
    await notes.keep(here, ONE, "e2:1", "another")
    await notes.keep(here, OTHER, "e1:1", "elsewhere")
    assert await SqlStoreNotes(database).of_listing(here, ONE) == {"e1:1": "second", "e2:1": "another"}
    assert await notes.of_listing(here, OTHER) == {"e1:1": "elsewhere"}
    assert await notes.of_listing(there, ONE) == {}


async def test_notes_go_with_their_store_and_are_not_kept_for_one_that_is_gone(database: Database) -> None:
    notes, store_id = SqlStoreNotes(database), await connected(database, "here")
    await notes.keep(store_id, ONE, "e1:1", "first")
    await StoreRows(database).remove(store_id)
    assert await notes.of_listing(store_id, ONE) == {}
    with pytest.raises(Fault) as caught:
        await notes.keep(store_id, ONE, "e1:1", "first")
    assert caught.value.code == "row_missing"
