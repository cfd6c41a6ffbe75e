"""The browsers of members: the port `SessionRows`. A login's row is the session; what is known of it stands beside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.sessions import Browser, BrowserSession, mark_of
from storage.guard_tables import BrowserSessionRow
from storage.statements import change, find_all
from storage.tables import ConsoleLoginRow


class SqlSessions:
    """What one transaction sees of them."""

    def __init__(self, db_session: AsyncSession) -> None:
        self._db_session = db_session

    async def of_member(self, member_id: str, *, now: datetime) -> Sequence[BrowserSession]:
        """Return those that may still come in, the one used last first."""
        living = select(col(ConsoleLoginRow.login_id)).where(col(ConsoleLoginRow.cookie_expires_at) > now)
        statement = (
            select(BrowserSessionRow)
            .where(col(BrowserSessionRow.member_id) == member_id, col(BrowserSessionRow.login_id).in_(living))
            .order_by(col(BrowserSessionRow.used_at).desc(), col(BrowserSessionRow.login_id))
        )
        rows = await find_all(self._db_session, statement)
        return [
            BrowserSession(mark_of(row.login_id), Browser(row.browser, row.address), row.began_at, row.used_at)
            for row in rows
        ]

    async def end(self, member_id: str, mark: str) -> bool:
        """Sign one out, at once and for good; False when the member has none of that mark."""
        statement = select(BrowserSessionRow).where(col(BrowserSessionRow.member_id) == member_id)
        found = [row.login_id for row in await find_all(self._db_session, statement) if mark_of(row.login_id) == mark]
        for login_id in found:
            await end_logins(self._db_session, col(ConsoleLoginRow.login_id) == login_id)
        return bool(found)

    async def end_all(self, member_id: str) -> int:
        """Sign all of them out; return how many there were. Codes that were not used yet go as well."""
        statement = select(BrowserSessionRow).where(col(BrowserSessionRow.member_id) == member_id)
        count = len(await find_all(self._db_session, statement))
        await end_logins(self._db_session, col(ConsoleLoginRow.member_id) == member_id)
        return count


async def end_logins(db_session: AsyncSession, which: ColumnElement[bool]) -> None:
    """Delete these logins, and what is known of their browsers."""
    ids = select(col(ConsoleLoginRow.login_id)).where(which)
    await change(db_session, delete(BrowserSessionRow).where(col(BrowserSessionRow.login_id).in_(ids)))
    await change(db_session, delete(ConsoleLoginRow).where(which))
