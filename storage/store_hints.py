"""What stores told us of their own accord: the port `StoreHints`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col

from domain.catalog import Store
from domain.connection import StoreHint
from domain.ports import Clock
from storage.database import Database
from storage.statements import change, insert_once
from storage.tables import StoreHintRow


class SqlStoreHints:
    """One row a hint."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def keep(self, store: Store, hint: StoreHint) -> bool:
        """Keep it, on the disk when this returns; False when it was known before."""
        row = StoreHintRow(
            store_id=store.store_id,
            hint_key=hint.key,
            team_id=store.team_id,
            topic=hint.topic,
            subject=hint.subject,
            taken_at=self._clock(),
        )
        async with self._database.begin(urgent=True) as db_session:
            return await insert_once(db_session, row)


async def forget_hints(database: Database, before: datetime) -> int:
    """Delete the hints that came before `before`; return how many."""
    async with database.begin() as db_session:
        return await change(db_session, delete(StoreHintRow).where(col(StoreHintRow.taken_at) < before))
