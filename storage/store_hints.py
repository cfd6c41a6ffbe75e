"""What stores told us of their own accord: the port `StoreHints`.

A hint of an order asks for the job that fetches it in the same transaction, so that a sale reaches the other stores
within seconds; a hundred hints that come while it waits are one job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import Store
from domain.connection import StoreHint
from domain.jobs import Job, sync_job
from domain.ports import Clock
from domain.sync import SyncJob, is_of_order
from storage.database import Database
from storage.statements import change, insert_new
from storage.sync import SqlSync
from storage.tables import StoreHintRow

BATCH = 100


class SqlStoreHints:
    """One row a hint. Without `enqueue` nobody acts on it before the store's orders are pulled in turn."""

    def __init__(
        self, database: Database, clock: Clock, enqueue: Callable[[Connection, Job], None] | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._enqueue = enqueue
        self._coming: list[tuple[Store, StoreHint, asyncio.Future[bool]]] = []
        self._keeper: asyncio.Task[None] | None = None

    async def keep(self, store: Store, hint: StoreHint) -> bool:
        """Keep it, on the disk when this returns; False when it was known before.

        Those that come while one is being written share the next transaction: a sale brings hundreds at once, and
        the disk is waited for once for all of them.
        """
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._coming.append((store, hint, kept))
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep_coming())
        return await kept

    async def _keep_coming(self) -> None:
        while self._coming:
            batch, self._coming = self._coming[:BATCH], self._coming[BATCH:]
            try:
                async with self._database.begin(urgent=True) as db_session:
                    told = await self._insert(db_session, [(store, hint) for store, hint, _ in batch])
                    sold = {
                        store.store_id: store
                        for (store, hint, _), is_new in zip(batch, told, strict=True)
                        if is_new and is_of_order(hint.topic)
                    }
                    for store in sold.values():
                        await self._ask(db_session, store)
            except Exception as error:  # noqa: BLE001 - whoever waits is told, each in their own place
                told = []
                for _, _, kept in batch:
                    if not kept.done():
                        kept.set_exception(error)
            for (_, _, kept), is_new in zip(batch, told, strict=False):
                if not kept.done():
                    kept.set_result(is_new)

    async def _insert(self, db_session: AsyncSession, hints: Sequence[tuple[Store, StoreHint]]) -> list[bool]:
        now = self._clock()
        rows = [
            {
                "store_id": store.store_id,
                "hint_key": hint.key,
                "team_id": store.team_id,
                "topic": hint.topic,
                "subject": hint.subject,
                "taken_at": now,
            }
            for store, hint in hints
        ]
        new = set(await insert_new(db_session, StoreHintRow, rows))
        told: list[bool] = []
        for store, hint in hints:
            key = (store.store_id, hint.key)
            told.append(key in new)
            new.discard(key)
        return told

    async def _ask(self, db_session: AsyncSession, store: Store) -> None:
        sync = SqlSync(db_session, self._clock)
        if await sync.is_asked(SyncJob.HEAR, store.store_id):
            return
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
