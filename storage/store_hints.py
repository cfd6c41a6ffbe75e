"""What stores told us of their own accord: the port `StoreHints`.

A hint of an order asks for the job that fetches it in the same transaction, so that a sale reaches the other stores
within seconds; a hundred hints that come while it waits are one job.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import Store
from domain.connection import StoreHint
from domain.jobs import Job, sync_job
from domain.ports import Clock
from domain.sync import OpenHint, SyncJob
from storage.database import Database
from storage.statements import change, insert_once
from storage.sync import SqlSync
from storage.tables import StoreHintRow


class SqlStoreHints:
    """One row a hint. Without `enqueue` nobody acts on it before the store's orders are pulled in turn."""

    def __init__(
        self, database: Database, clock: Clock, enqueue: Callable[[Connection, Job], None] | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._enqueue = enqueue

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
        is_of_order = OpenHint(hint.key, hint.topic, hint.subject, row.taken_at).is_of_order
        async with self._database.begin(urgent=True) as db_session:
            is_new = await insert_once(db_session, row)
            if is_new and is_of_order:
                await self._ask(db_session, store)
        return is_new

    async def _ask(self, db_session: AsyncSession, store: Store) -> None:
        sync = SqlSync(db_session, self._clock)
        await sync.was_hinted(store, now=self._clock())
        if self._enqueue is None or not (await sync.switch(store.team_id)).is_on:
            return
        number = await sync.ask(SyncJob.HEAR, store.store_id, store.team_id)
        if number is not None:
            connection = await db_session.connection()
            await connection.run_sync(self._enqueue, sync_job(SyncJob.HEAR, store.store_id, number))


async def forget_hints(database: Database, before: datetime) -> int:
    """Delete the hints that came before `before`; return how many."""
    async with database.begin() as db_session:
        return await change(db_session, delete(StoreHintRow).where(col(StoreHintRow.taken_at) < before))
