"""The outbox: what waits to be shown, in order per place.

Only the first waiting message of a place is due, so a place hears things in the order they were
said, and a pause a chat asked for holds back everything behind it. One loop at a time delivers (the
roof holds a lock for it); a crash between delivering and `sent` repeats that one message.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, Update, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from domain.people import ChatName, Place
from domain.replies import Outgoing
from storage.codec import clean_text, load_reply
from storage.database import Database
from storage.statements import change, find_one
from storage.tables import OutboxRow, PostedMessageRow

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """One due message; `attempts` counts the deliveries that did not work."""

    outbox_id: int
    outgoing: Outgoing
    attempts: int


class OutboxRows:
    """The waiting messages of every place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: datetime, limit: int) -> Sequence[QueuedMessage]:
        """Return the first waiting message of every place whose time has come, the oldest first.

        Of several waiting edits of one message for one cause only the newest is kept. Edits of
        different causes all stay: whoever waits for the outcome of a press looks for its own.
        """
        async with self._database.read() as db_session:
            # Most looks find nothing, and those must not take the write lock.
            if await find_one(db_session, _waiting(now)) is None:
                return ()
        async with self._database.begin() as db_session:
            await _supersede(db_session, now)
            return await _first_of_places(db_session, now, limit)

    async def sent(self, outbox_id: int, native_id: str) -> None:
        """Delivered; the chat calls the message `native_id`."""
        async with self._database.begin() as db_session:
            await change(db_session, _one(outbox_id).values(state="sent"))
            message_key = select(col(OutboxRow.message_key)).where(col(OutboxRow.outbox_id) == outbox_id)
            await change(
                db_session,
                update(PostedMessageRow)
                .where(col(PostedMessageRow.message_key) == message_key.scalar_subquery())
                .values(native_id=native_id),
            )

    async def retry(self, outbox_id: int, at: datetime, error: str) -> None:
        """Not now: the place waits until `at`."""
        async with self._database.begin() as db_session:
            await change(
                db_session,
                _one(outbox_id).values(due_at=at, attempts=col(OutboxRow.attempts) + 1, error=clean_text(error)),
            )

    async def failed(self, outbox_id: int, error: str) -> None:
        """Never: the place goes on without it."""
        async with self._database.begin() as db_session:
            await change(
                db_session,
                _one(outbox_id).values(state="failed", attempts=col(OutboxRow.attempts) + 1, error=clean_text(error)),
            )


def _one(outbox_id: int) -> Update:
    return update(OutboxRow).where(col(OutboxRow.outbox_id) == outbox_id, col(OutboxRow.state) == "queued")


def _waiting(now: datetime) -> Select[OutboxRow]:
    return select(OutboxRow).where(col(OutboxRow.state) == "queued", col(OutboxRow.due_at) <= now)


async def _supersede(db_session: AsyncSession, now: datetime) -> None:
    # A post is never superseded: it gives the message its place in the talk. Nor is a row whose
    # time has not come: its place was asked to pause, and a newer edit must not end the pause.
    newer = aliased(OutboxRow)
    statement = (
        update(OutboxRow)
        .where(
            col(OutboxRow.state) == "queued",
            col(OutboxRow.is_post).is_(False),
            col(OutboxRow.due_at) <= now,
            exists().where(
                col(newer.message_key) == col(OutboxRow.message_key),
                col(newer.cause) == col(OutboxRow.cause),
                col(newer.state) == "queued",
                col(newer.outbox_id) > col(OutboxRow.outbox_id),
            ),
        )
        .values(state="superseded")
    )
    await change(db_session, statement)


async def _first_of_places(db_session: AsyncSession, now: datetime, limit: int) -> Sequence[QueuedMessage]:
    firsts = (
        select(func.min(col(OutboxRow.outbox_id)))
        .where(col(OutboxRow.state) == "queued")
        .group_by(col(OutboxRow.team_id), col(OutboxRow.chat), col(OutboxRow.place_id), col(OutboxRow.thread_id))
    )
    statement = (
        select(OutboxRow, col(PostedMessageRow.native_id))
        .join(PostedMessageRow, col(PostedMessageRow.message_key) == col(OutboxRow.message_key))
        .where(col(OutboxRow.outbox_id).in_(firsts), col(OutboxRow.due_at) <= now)
        .order_by(col(OutboxRow.outbox_id))
        .limit(limit)
    )
    readable: list[QueuedMessage] = []
    for row, native_id in (await db_session.execute(statement)).all():
        try:
            readable.append(_queued(row, native_id))
        except (KeyError, ValueError) as error:
            # A reply of a newer version, seen during a rolling upgrade: it must not stop every other place.
            log.exception("outbox row %s cannot be read", row.outbox_id)
            await change(
                db_session, _one(row.outbox_id or 0).values(state="failed", error=clean_text(f"unreadable: {error!r}"))
            )
    return readable


def _queued(row: OutboxRow, native_id: str) -> QueuedMessage:
    outgoing = Outgoing(
        message_key=row.message_key,
        team_id=row.team_id,
        place=Place(ChatName(row.chat), row.place_id, row.thread_id),
        native_id=native_id,
        reply=load_reply(row.reply),
        cause=row.cause,
    )
    return QueuedMessage(row.outbox_id or 0, outgoing, row.attempts)
