"""The connected stores. Credentials pass through here encrypted; only an adapter opens them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, select, update
from sqlmodel import col

from domain.catalog import PlatformName, Store, StoreId
from storage.connect_tables import DisconnectedStoreRow, StoreScopeRow
from storage.database import Database
from storage.health_tables import StorePulseRow
from storage.statements import change, find_all, find_one, insert_once, run_made, table_of
from storage.tables import StoreHintRow, StoreNoteRow, StoreRow, StoreStateRow


class StoreRows:
    """The stores of every team."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, team_id: str) -> Sequence[Store]:
        """Return a team's stores, the first connected first."""
        return [store for store, _credentials in await self.with_credentials(team_id)]

    async def with_credentials(self, team_id: str) -> Sequence[tuple[Store, bytes | None]]:
        """Return a team's stores in the same order, each with what the vault made of its credentials."""
        statement = (
            select(StoreRow)
            .where(col(StoreRow.team_id) == team_id, _IS_CONNECTED)
            .order_by(col(StoreRow.connected_at), col(StoreRow.store_id))
        )
        async with self._database.read() as db_session:
            return [(_store(row), row.credentials) for row in await find_all(db_session, statement)]

    async def everywhere(self) -> Sequence[Store]:
        """Return every team's stores, the first connected first."""
        statement = select(StoreRow).where(_IS_CONNECTED).order_by(col(StoreRow.connected_at))
        async with self._database.read() as db_session:
            return [_store(row) for row in await find_all(db_session, statement)]

    async def get(self, store_id: StoreId) -> Store | None:
        """Return one, None when it is not connected."""
        found = await self.sealed(store_id)
        return None if found is None else found[0]

    async def sealed(self, store_id: StoreId) -> tuple[Store, bytes | None] | None:
        """Return one with what the vault made of its credentials; None when it is not connected."""
        async with self._database.read() as db_session:
            row = (await run_made(db_session, _CONNECTED, {"of_store": store_id})).first()
        if row is None:
            return None
        return Store(StoreId(row.store_id), row.team_id, PlatformName(row.platform), row.name), row.credentials

    async def find_disconnected(self, team_id: str, name: str, shop: str) -> Store | None:
        """Return a team's store that was disconnected: of that name in any case, and that very shop."""
        gone = select(col(DisconnectedStoreRow.store_id)).where(
            col(DisconnectedStoreRow.team_id) == team_id, col(DisconnectedStoreRow.shop) == shop
        )
        statement = select(StoreRow).where(col(StoreRow.store_id).in_(gone)).order_by(col(StoreRow.store_id))
        async with self._database.read() as db_session:
            rows = await find_all(db_session, statement)
        return next((_store(row) for row in rows if row.name.casefold() == name.casefold()), None)

    async def was_called(self, team_id: str, name: str) -> bool:
        """Whether a store of the team has, or had, this name."""
        statement = select(StoreRow).where(col(StoreRow.team_id) == team_id, col(StoreRow.name) == name)
        async with self._database.read() as db_session:
            return await find_one(db_session, statement) is not None

    async def name_of(self, store_id: StoreId) -> str:
        """Return what a store is or was called, empty for one that never was."""
        statement = select(StoreRow).where(col(StoreRow.store_id) == store_id)
        async with self._database.read() as db_session:
            row = await find_one(db_session, statement)
        return row.name if row else ""

    async def credentials(self, store_id: StoreId) -> bytes | None:
        """Return what the vault made of a store's credentials, None when it needs none or is gone."""
        found = await self.sealed(store_id)
        return None if found is None else found[1]

    async def add(self, store: Store, credentials: bytes | None = None) -> bool:
        """Connect one; False when its id, or its name in the team, is taken."""
        row = StoreRow(
            store_id=store.store_id,
            team_id=store.team_id,
            platform=store.platform.value,
            name=store.name,
            credentials=credentials,
            connected_at=datetime.now(UTC),
        )
        async with self._database.begin() as db_session:
            return await insert_once(db_session, row)

    async def reconnect(self, store_id: StoreId, credentials: bytes) -> None:
        """Give a store other credentials; it keeps its id, so that what was published there can be undone.

        One that was disconnected is connected by this. Its tokens go, and the version of them rises: whoever renews the old ones finds that theirs are not kept.
        """
        async with self._database.begin() as db_session:
            await change(db_session, delete(DisconnectedStoreRow).where(col(DisconnectedStoreRow.store_id) == store_id))
            await change(
                db_session,
                update(StoreRow).where(col(StoreRow.store_id) == store_id).values(credentials=credentials),
            )
            await change(db_session, delete(StorePulseRow).where(col(StorePulseRow.store_id) == store_id))
            await change(
                db_session,
                update(StoreStateRow)
                .where(col(StoreStateRow.store_id) == store_id)
                .values(
                    tokens=None,
                    version=col(StoreStateRow.version) + 1,
                    claimed_until=None,
                    trouble="",
                    trouble_at=None,
                ),
            )

    async def remove(self, store_id: StoreId) -> None:
        """Forget a store and its keys; one that is not there is no error."""
        async with self._database.begin() as db_session:
            await change(db_session, delete(StoreScopeRow).where(col(StoreScopeRow.store_id) == store_id))
            await change(db_session, delete(StoreHintRow).where(col(StoreHintRow.store_id) == store_id))
            await change(db_session, delete(StoreNoteRow).where(col(StoreNoteRow.store_id) == store_id))
            await change(db_session, delete(StoreStateRow).where(col(StoreStateRow.store_id) == store_id))
            await change(db_session, delete(StorePulseRow).where(col(StorePulseRow.store_id) == store_id))
            await change(db_session, delete(StoreRow).where(col(StoreRow.store_id) == store_id))


_IS_CONNECTED = col(StoreRow.store_id).not_in(select(col(DisconnectedStoreRow.store_id)))
_STORE = table_of(StoreRow)
_CONNECTED = select(_STORE).where(_STORE.c.store_id == bindparam("of_store"), _IS_CONNECTED)
"""Made once, and without watched objects: every webhook asks it, a hundred a second in a rush."""


def _store(row: StoreRow) -> Store:
    return Store(StoreId(row.store_id), row.team_id, PlatformName(row.platform), row.name)
