"""What changes about a connected store: the ports `TokenStore` and `Contacts`. Tokens rest encrypted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import StoreId
from domain.connection import Contact, KeptTokens, Tokens
from domain.errors import Fault, RowChanged, StoreError
from domain.health import failure_kind
from storage.codec import clean_text
from storage.database import Database
from storage.health_tables import StorePulseRow
from storage.statements import change, find_one, insert_once
from storage.tables import StoreRow, StoreStateRow
from storage.vault import Vault

ONE_FAILURE = timedelta(seconds=5)
"""Failures less than this apart are one: a call may fail in the renewal of its own key, and tells of both."""


class SqlConnections:
    """The tokens of every store and how talking to it went."""

    def __init__(self, database: Database, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def load(self, store_id: StoreId) -> KeptTokens:
        """Return what is kept now. Raises Fault("vault_key") where SECRET_KEY is another one."""
        row = await self._find(store_id)
        if row is None:
            return KeptTokens(None, 0)
        return KeptTokens(_tokens(self._vault.decrypt(row.tokens)) if row.tokens else None, row.version)

    async def claim(self, store_id: StoreId, *, version: int, seconds: float) -> bool:
        """Reserve the renewal of this version, where nobody has it or who had it is overdue."""
        now = self._clock()
        is_free = or_(col(StoreStateRow.claimed_until).is_(None), col(StoreStateRow.claimed_until) <= now)
        async with self._database.begin() as db_session:
            await self._ensure(db_session, store_id)
            claimed = await change(
                db_session,
                update(StoreStateRow)
                .where(*_is(store_id, version), is_free)
                .values(claimed_until=now + timedelta(seconds=seconds)),
            )
        return claimed == 1

    async def save(self, store_id: StoreId, tokens: Tokens, *, was_version: int) -> int:
        """Keep them, on the disk when this returns: the refresh token before them is dead already."""
        sealed = self._vault.encrypt(_json(tokens))
        async with self._database.begin(urgent=True) as db_session:
            await self._ensure(db_session, store_id)
            saved = await change(
                db_session,
                update(StoreStateRow)
                .where(*_is(store_id, was_version))
                .values(tokens=sealed, version=was_version + 1, claimed_until=None),
            )
        if saved != 1:
            raise RowChanged(f"tokens of {store_id}", was=f"version {was_version}")
        return was_version + 1

    async def release(self, store_id: StoreId, *, version: int) -> None:
        """Give a claim back without new tokens."""
        async with self._database.begin() as db_session:
            await change(db_session, update(StoreStateRow).where(*_is(store_id, version)).values(claimed_until=None))

    async def went_well(self, store_id: StoreId) -> None:
        """Note an answer; what went wrong before is mended."""
        mine = col(StorePulseRow.store_id) == store_id, col(StorePulseRow.failures) > 0
        async with self._database.begin() as db_session:
            await self._note(db_session, store_id, last_ok_at=self._clock(), trouble="", trouble_at=None)
            await change(db_session, update(StorePulseRow).where(*mine).values(failures=0))

    async def went_wrong(self, store_id: StoreId, sentence: str) -> None:
        """Note what only a person can mend."""
        async with self._database.begin() as db_session:
            await self._note(db_session, store_id, trouble=clean_text(sentence), trouble_at=self._clock())

    async def failed(self, store_id: StoreId, error: StoreError) -> None:
        """Count a call that came to nothing, and keep what kind of failure it was."""
        now = self._clock()
        known = {
            "failure": failure_kind(error).value,
            "scope": clean_text(getattr(error, "scope", "")),
            "failed_at": now,
        }
        another = col(StorePulseRow.failures) == 0, col(StorePulseRow.failed_at) <= now - ONE_FAILURE
        async with self._database.begin() as db_session:
            mine = update(StorePulseRow).where(col(StorePulseRow.store_id) == store_id, or_(*another))
            await self._beat(db_session, store_id)
            await change(db_session, mine.values(failures=col(StorePulseRow.failures) + 1))
            await self._beat(db_session, store_id, **known)

    async def checked(self, store_id: StoreId, *, key_expires_at: datetime | None) -> None:
        """Note that a store was asked how it is, and when its key ends (None: it does not)."""
        async with self._database.begin() as db_session:
            await self._beat(db_session, store_id, checked_at=self._clock(), key_expires_at=key_expires_at)

    async def unchecked_since(self, moment: datetime) -> set[StoreId]:
        """Return the stores that nobody asked how they are since then."""
        beats = select(col(StorePulseRow.store_id)).where(col(StorePulseRow.checked_at) > moment)
        unasked = select(col(StoreRow.store_id)).where(col(StoreRow.store_id).not_in(beats))
        async with self._database.read() as db_session:
            return {StoreId(name) for name in (await db_session.execute(unasked)).scalars()}

    async def key_end(self, store_id: StoreId) -> datetime | None:
        """Return when a store's key ends, as it was last said."""
        mine = select(StorePulseRow).where(col(StorePulseRow.store_id) == store_id)
        async with self._database.read() as db_session:
            row = await find_one(db_session, mine)
        return row.key_expires_at if row else None

    async def of(self, store_id: StoreId) -> Contact:
        """Return what is known of one store."""
        row = await self._find(store_id)
        return Contact() if row is None else Contact(row.last_ok_at, row.trouble, row.trouble_at)

    async def _note(self, db_session: AsyncSession, store_id: StoreId, **values: object) -> None:
        await self._ensure(db_session, store_id)
        mine = update(StoreStateRow).where(col(StoreStateRow.store_id) == store_id)
        await change(db_session, mine.values(**values))

    async def _beat(self, db_session: AsyncSession, store_id: StoreId, **values: object) -> None:
        """Write into a store's pulse, made where there is none yet."""
        mine = select(StorePulseRow).where(col(StorePulseRow.store_id) == store_id)
        if await find_one(db_session, mine) is None:
            team_id = await self._team_of(db_session, store_id)
            await insert_once(db_session, StorePulseRow(store_id=store_id, team_id=team_id))
        if values:
            await change(
                db_session, update(StorePulseRow).where(col(StorePulseRow.store_id) == store_id).values(**values)
            )

    async def _ensure(self, db_session: AsyncSession, store_id: StoreId) -> None:
        if await find_one(db_session, select(StoreStateRow).where(col(StoreStateRow.store_id) == store_id)):
            return
        team_id = await self._team_of(db_session, store_id)
        await insert_once(db_session, StoreStateRow(store_id=store_id, team_id=team_id))

    async def _team_of(self, db_session: AsyncSession, store_id: StoreId) -> str:
        store = await find_one(db_session, select(StoreRow).where(col(StoreRow.store_id) == store_id))
        if store is None:
            raise Fault("row_missing", f"no store {store_id}")
        return store.team_id

    async def _find(self, store_id: StoreId) -> StoreStateRow | None:
        async with self._database.read() as db_session:
            return await find_one(db_session, select(StoreStateRow).where(col(StoreStateRow.store_id) == store_id))


def _is(store_id: StoreId, version: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(StoreStateRow.store_id) == store_id, col(StoreStateRow.version) == version


def _json(tokens: Tokens) -> str:
    return json.dumps(
        {
            "access": tokens.access,
            "expires_at": _written(tokens.expires_at),
            "refresh": tokens.refresh,
            "refresh_expires_at": _written(tokens.refresh_expires_at),
            "scopes": list(tokens.scopes),
        }
    )


def _tokens(text: str) -> Tokens:
    kept: dict[str, Any] = json.loads(text)
    return Tokens(
        access=kept["access"],
        expires_at=_read(kept["expires_at"]),
        refresh=kept["refresh"],
        refresh_expires_at=_read(kept["refresh_expires_at"]),
        scopes=tuple(kept["scopes"]),
    )


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
