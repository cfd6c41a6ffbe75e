"""The browser chat's lines: the port `ConsoleLines`.

Every send or edit is a new row, read by cursor; so a reload, a second browser and a second process
all see the same talk. A line is inserted under a lock held until commit: without it a reader on
PostgreSQL could see cursor 8 before 7 is committed, and never look at 7 again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import Sha256
from domain.replies import Outgoing
from domain.rows import ConsoleLine
from storage.codec import PHOTOS, load_reply, pack_reply
from storage.database import Database
from storage.statements import find_all, find_one, insert, lock_until_commit
from storage.tables import ConsoleLineRow

POLL_S = 0.1
"""How often other processes are listened to; lines of this one ring `lines_added`."""

MOST_REMEMBERED = 10_000
"""Pictures of which we know whose they are: a page asks for the same ones again and again."""


class SqlConsoleLines:
    """The lines of every browser chat."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shown: set[tuple[str, Sha256]] = set()

    async def append_reply(self, outgoing: Outgoing, *, now: datetime) -> str:
        """Add a line and return the native id (the message_key)."""
        line = ConsoleLineRow(
            team_id=outgoing.team_id,
            place_id=outgoing.place.place_id,
            message_key=outgoing.message_key,
            author="",
            text="",
            photos=[],
            reply=pack_reply(outgoing.reply),
            cause=outgoing.cause,
            at=now,
        )
        async with self._database.begin() as db_session:
            await add_line(db_session, line)
        self._database.lines_added.ring()
        return outgoing.message_key

    async def after(self, team_id: str, place_id: str, cursor: int, *, limit: int = 200) -> Sequence[ConsoleLine]:
        """Return the lines with a greater cursor, in order."""
        statement = (
            select(ConsoleLineRow)
            .where(
                col(ConsoleLineRow.team_id) == team_id,
                col(ConsoleLineRow.place_id) == place_id,
                col(ConsoleLineRow.cursor) > cursor,
            )
            .order_by(col(ConsoleLineRow.cursor))
            .limit(limit)
        )
        async with self._database.read() as db_session:
            return [_line(row) for row in await find_all(db_session, statement)]

    async def recent_cursor(self, team_id: str, place_id: str, *, lines: int) -> int:
        """Return the cursor after which exactly the newest `lines` lines stand; 0 where there are no more than that."""
        statement = (
            select(ConsoleLineRow)
            .where(col(ConsoleLineRow.team_id) == team_id, col(ConsoleLineRow.place_id) == place_id)
            .order_by(col(ConsoleLineRow.cursor).desc())
            .offset(lines)
            .limit(1)
        )
        async with self._database.read() as db_session:
            return next((row.cursor or 0 for row in await find_all(db_session, statement)), 0)

    async def of_cause(self, team_id: str, event_key: str) -> Sequence[ConsoleLine]:
        """Return all lines of every message this event touched, from its first touch on, in order.

        What a card showed before a press is no answer to the press, so it is left out.
        """
        touched = (
            select(col(ConsoleLineRow.message_key), func.min(col(ConsoleLineRow.cursor)).label("first_cursor"))
            .where(col(ConsoleLineRow.team_id) == team_id, col(ConsoleLineRow.cause) == event_key)
            .group_by(col(ConsoleLineRow.message_key))
            .subquery()
        )
        statement = (
            select(ConsoleLineRow)
            .join(touched, touched.c.message_key == col(ConsoleLineRow.message_key))
            .where(col(ConsoleLineRow.team_id) == team_id, col(ConsoleLineRow.cursor) >= touched.c.first_cursor)
            .order_by(col(ConsoleLineRow.cursor))
        )
        async with self._database.read() as db_session:
            return [_line(row) for row in await find_all(db_session, statement)]

    async def shows(self, team_id: str, photo: Sha256) -> bool:
        """Whether a line of this team's names these bytes: only then may its members see them."""
        if (team_id, photo) in self._shown:
            return True
        # The newest lines first, where what is looked at stands; a name is 64 hex digits, so no pattern can be in it.
        named = f"%{photo}%"
        statement = (
            select(ConsoleLineRow)
            .where(
                col(ConsoleLineRow.team_id) == team_id,
                or_(
                    cast(col(ConsoleLineRow.reply), String).like(named),
                    cast(col(ConsoleLineRow.photos), String).like(named),
                ),
            )
            .order_by(col(ConsoleLineRow.cursor).desc())
        )
        async with self._database.read() as db_session:
            is_shown = await find_one(db_session, statement) is not None
        if is_shown:
            if len(self._shown) >= MOST_REMEMBERED:
                self._shown.clear()
            self._shown.add((team_id, photo))
        return is_shown

    async def follow(self, team_id: str, place_id: str, cursor: int) -> AsyncGenerator[Sequence[ConsoleLine], None]:
        """Yield new lines as they come, from any process, for ever."""
        bell = self._database.lines_added
        while True:
            rung = bell.rung
            lines = await self.after(team_id, place_id, cursor)
            if lines:
                cursor = lines[-1].cursor
                yield lines
            else:
                await bell.wait(after=rung, timeout_s=POLL_S)


async def add_line(db_session: AsyncSession, line: ConsoleLineRow) -> None:
    """Insert a line so that cursors of a place are committed in their order. Do it last in a transaction."""
    await lock_until_commit(db_session, f"console:{line.team_id}:{line.place_id}")
    await insert(db_session, line)


def _line(row: ConsoleLineRow) -> ConsoleLine:
    return ConsoleLine(
        cursor=row.cursor or 0,
        place_id=row.place_id,
        message_key=row.message_key,
        author=row.author,
        text=row.text,
        photos=PHOTOS.validate_python(row.photos),
        reply=None if row.reply is None else load_reply(row.reply),
        cause=row.cause,
        at=row.at,
    )
