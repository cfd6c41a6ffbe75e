"""The browser chat's logins: the port `ConsoleLogins`. Codes and cookies are kept as hashes only."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlmodel import col

from domain.errors import Fault
from domain.logins import Login
from domain.sessions import Browser
from storage.database import Database
from storage.guard_tables import BrowserSessionRow
from storage.people import hashed, member_of
from storage.sessions import end_logins
from storage.statements import change, find_one, insert
from storage.tables import ConsoleLoginRow, MemberRow

CODE_LIFETIME = timedelta(minutes=15)
COOKIE_LIFETIME = timedelta(days=30)
SECRET_BYTES = 32
NOTED_EVERY = timedelta(minutes=5)
"""How often the last use of a cookie is written down; every request would be a write each."""


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

    async def redeem(self, code: str, *, now: datetime, browser: Browser | None = None) -> str | None:
        """Return a cookie value for a code used the first time, None otherwise; `browser` is who brought it."""
        cookie, browser = secrets.token_urlsafe(SECRET_BYTES), browser or Browser()
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
            if await change(db_session, statement) != 1:
                return None
            mine = select(ConsoleLoginRow).where(col(ConsoleLoginRow.cookie_hash) == hashed(cookie))
            login = await find_one(db_session, mine)
            assert login is not None
            row = BrowserSessionRow(
                login_id=login.login_id,
                team_id=login.team_id,
                member_id=login.member_id,
                browser=browser.name,
                address=browser.address,
                began_at=now,
                used_at=now,
            )
            await insert(db_session, row)
            return cookie

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
            seen = select(BrowserSessionRow).where(col(BrowserSessionRow.login_id) == row.login_id)
            session = await find_one(db_session, seen)
        if session is not None and session.used_at + NOTED_EVERY <= now:
            await self._note(row.login_id, now)
        return None if member is None else Login(row.login_id, member_of(member), row.csrf)

    async def _note(self, login_id: str, now: datetime) -> None:
        mine = update(BrowserSessionRow).where(
            col(BrowserSessionRow.login_id) == login_id, col(BrowserSessionRow.used_at) <= now - NOTED_EVERY
        )
        async with self._database.begin() as db_session:
            await change(db_session, mine.values(used_at=now))

    async def end(self, cookie: str) -> None:
        """Log out; the code that made this login is spent for good."""
        async with self._database.begin() as db_session:
            await end_logins(db_session, col(ConsoleLoginRow.cookie_hash) == hashed(cookie))
