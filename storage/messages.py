"""What we show where: posted messages, and the outbox rows that bring them there.

Outbox rows are written last in a transaction, under one lock per place taken in a fixed order: so
their ids are in commit order (an older edit can never overtake a newer one on PostgreSQL), and two
transactions that speak in the same places cannot wait for each other in a circle.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.people import Place
from domain.ports import Clock
from domain.replies import Reply
from storage.codec import pack_reply
from storage.statements import find_all, find_one, insert, insert_all, lock_until_commit
from storage.tables import OutboxRow, PostedMessageRow


class Messages:
    """The messages of one transaction; `flush` queues them, before it commits."""

    def __init__(self, db_session: AsyncSession, clock: Clock) -> None:
        self._db_session = db_session
        self._clock = clock
        self._queued: list[OutboxRow] = []

    async def provisional(self, event_key: str) -> PostedMessageRow | None:
        """Return the `Working` of an event while it is neither an answer nor a card."""
        statement = select(PostedMessageRow).where(
            col(PostedMessageRow.event_key) == event_key, col(PostedMessageRow.is_provisional)
        )
        return await find_one(self._db_session, statement)

    async def showing(self, enhancement_id: str) -> Sequence[PostedMessageRow]:
        """Return every message that shows the enhancement's card, the oldest first; a deleted one shows nothing.

        So a card whose only message somebody deleted is posted again with its next change.
        """
        statement = (
            select(PostedMessageRow)
            .where(col(PostedMessageRow.enhancement_id) == enhancement_id, col(PostedMessageRow.gone_at).is_(None))
            .order_by(col(PostedMessageRow.posted_at), col(PostedMessageRow.message_key))
        )
        return await find_all(self._db_session, statement)

    async def about(self, team_id: str, topic: str) -> Sequence[PostedMessageRow]:
        """Return every message that keeps a topic up to date, the oldest first; a deleted one shows nothing."""
        statement = (
            select(PostedMessageRow)
            .where(
                col(PostedMessageRow.topic) == topic,
                col(PostedMessageRow.team_id) == team_id,
                col(PostedMessageRow.gone_at).is_(None),
            )
            .order_by(col(PostedMessageRow.posted_at), col(PostedMessageRow.message_key))
        )
        return await find_all(self._db_session, statement)

    async def settle(self, message: PostedMessageRow, *, enhancement_id: str | None) -> None:
        """Make a provisional message an answer, or the card of an enhancement."""
        message.is_provisional = False
        message.enhancement_id = enhancement_id
        await self._db_session.flush()

    async def post(
        self,
        place: Place,
        reply: Reply,
        *,
        team_id: str,
        event_key: str | None,
        enhancement_id: str | None = None,
        is_provisional: bool = False,
        under: str | None = None,
        topic: str | None = None,
    ) -> PostedMessageRow:
        """Show a new message; `under` is the key of the one it answers, `topic` what it will be kept up to date with."""
        message = PostedMessageRow(
            message_key=secrets.token_urlsafe(16),
            team_id=team_id,
            event_key=event_key,
            enhancement_id=enhancement_id,
            is_provisional=is_provisional,
            chat=place.chat.value,
            place_id=place.place_id,
            thread_id=place.thread_id,
            native_id="",
            posted_at=self._clock(),
            under=under,
            topic=topic,
        )
        await insert(self._db_session, message)
        self._queue(message, reply, cause=event_key or "", is_post=True)
        return message

    def edit(self, message: PostedMessageRow, reply: Reply, *, cause: str) -> None:
        """Show something else in a message."""
        self._queue(message, reply, cause=cause, is_post=False)

    async def flush(self, *, delivered: bool = False) -> bool:
        """Write what was said, in the order it was said; True when somebody must deliver it.

        `delivered`: the caller shows it in this very transaction, so that only its place in the order is kept.
        """
        for key in sorted({f"outbox:{row.chat}:{row.place_id}:{row.thread_id}" for row in self._queued}):
            await lock_until_commit(self._db_session, key)
        for row in self._queued:
            row.state = "sent" if delivered else row.state
        await insert_all(self._db_session, self._queued)
        return bool(self._queued) and not delivered

    def _queue(self, message: PostedMessageRow, reply: Reply, *, cause: str, is_post: bool) -> None:
        now = self._clock()
        self._queued.append(
            OutboxRow(
                team_id=message.team_id,
                message_key=message.message_key,
                chat=message.chat,
                place_id=message.place_id,
                thread_id=message.thread_id,
                reply=pack_reply(reply),
                cause=cause,
                is_post=is_post,
                state="queued",
                due_at=now,
                attempts=0,
                error="",
                queued_at=now,
            )
        )
