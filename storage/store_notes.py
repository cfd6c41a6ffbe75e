"""What adapters remember of listings: the port `StoreNotes`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, update
from sqlmodel import col

from domain.catalog import ListingId, StoreId
from domain.errors import Fault
from storage.database import Database
from storage.statements import change, find_all, find_one, insert_once
from storage.tables import StoreNoteRow, StoreRow


class SqlStoreNotes:
    """One row a note."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, store_id: StoreId, listing_id: ListingId, name: str, value: str) -> None:
        """Keep it, on the disk when this returns. Raises Fault("row_missing") for a store that is gone."""
        async with self._database.begin(urgent=True) as db_session:
            store = await find_one(db_session, select(StoreRow).where(col(StoreRow.store_id) == store_id))
            if store is None:
                raise Fault("row_missing", f"no store {store_id}")
            row = StoreNoteRow(store_id=store_id, listing_id=listing_id, name=name, team_id=store.team_id, value=value)
            if not await insert_once(db_session, row):
                is_this = (
                    col(StoreNoteRow.store_id) == store_id,
                    col(StoreNoteRow.listing_id) == listing_id,
                    col(StoreNoteRow.name) == name,
                )
                await change(db_session, update(StoreNoteRow).where(*is_this).values(value=value))

    async def of_listing(self, store_id: StoreId, listing_id: ListingId) -> Mapping[str, str]:
        """Return a listing's notes by name."""
        of_it = (col(StoreNoteRow.store_id) == store_id, col(StoreNoteRow.listing_id) == listing_id)
        async with self._database.read() as db_session:
            return {row.name: row.value for row in await find_all(db_session, select(StoreNoteRow).where(*of_it))}
