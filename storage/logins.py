"""The browser chat's logins: the port `ConsoleLogins`. Codes and cookies are kept as hashes only."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlmodel import col

from domain.errors import Fault
from domain.rows import Login
from storage.database import Database
from storage.people import hashed, member_of
from storage.statements import change, find_one, insert
from storage.tables import ConsoleLoginRow, MemberRow

CODE_LIFETIME = timedelta(minutes=15)
COOKIE_LIFETIME = timedelta(days=30)
SECRET_BYTES = 32


class SqlConsoleLogins:
    """The logins of every member."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def offer(self, member_id: str, *, now: datetime) -> str:
        """Return a one-time code, valid 15 minutes. Raises Fault("row_missing") for an unknown member."""
        code = secrets.token_urlsafe(SECRET_BYTES)
        async with self._database.begin() as db_session:
            member = await find_one(db_session, select(MemberRow).where(col(MemberRow.member_id) == member_id))
            if member is None:
                raise Fault("row_missing", f"no member {member_id}")
            row = ConsoleLoginRow(
                login_id=secrets.token_urlsafe(12),
                team_id=member.team_id,
                member_id=member_id,
                csrf=secrets.token_urlsafe(SECRET_BYTES),
                code_hash=hashed(code),
                code_expires_at=now + CODE_LIFETIME,
            )
            await insert(db_session, row)
        return code

    async def redeem(self, code: str, *, now: datetime) -> str | None:
        """Return a cookie value for a code used the first time, None otherwise."""
        cookie = secrets.token_urlsafe(SECRET_BYTES)
        statement = (
            update(ConsoleLoginRow)
            .where(
                col(ConsoleLoginRow.code_hash) == hashed(code),
                col(ConsoleLoginRow.cookie_hash).is_(None),
                col(ConsoleLoginRow.code_expires_at) > now,
            )
            .values(cookie_hash=hashed(cookie), cookie_expires_at=now + COOKIE_LIFETIME)
        )
        async with self._database.begin() as db_session:
            return cookie if await change(db_session, statement) == 1 else None

    async def find(self, cookie: str, *, now: datetime) -> Login | None:
        """Return the login of a living cookie."""
        statement = select(ConsoleLoginRow).where(
            col(ConsoleLoginRow.cookie_hash) == hashed(cookie), col(ConsoleLoginRow.cookie_expires_at) > now
        )
        async with self._database.read() as db_session:
            row = await find_one(db_session, statement)
            if row is None:
                return None
            still = select(MemberRow).where(
                col(MemberRow.member_id) == row.member_id, col(MemberRow.removed_at).is_(None)
            )
            member = await find_one(db_session, still)
        return None if member is None else Login(row.login_id, member_of(member), row.csrf)

    async def end(self, cookie: str) -> None:
        """Log out; the code that made this login is spent for good."""
        async with self._database.begin() as db_session:
            await change(db_session, delete(ConsoleLoginRow).where(col(ConsoleLoginRow.cookie_hash) == hashed(cookie)))
