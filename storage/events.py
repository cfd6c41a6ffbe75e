"""The way in: an event is a row, and its intake a job, before the platform hears "ok"."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.errors import Fault
from domain.intents import Incoming
from domain.jobs import intake_job
from domain.people import ChatName
from domain.ports import Clock
from domain.replies import Reply
from storage.codec import INCOMING, clean_text, dump, dump_reply
from storage.console import add_line
from storage.database import Database
from storage.messages import Messages
from storage.statements import find_one, insert_once
from storage.tables import ConsoleLineRow, OutboxRow, PlaceRow, PostedMessageRow, SeenEventRow
from storage.work import Enqueue


class SqlEvents:
    """The port `Events`."""

    def __init__(self, database: Database, enqueue: Enqueue, clock: Clock) -> None:
        self._database = database
        self._enqueue = enqueue
        self._clock = clock

    async def take(self, incoming: Incoming, *, working: Reply | None = None) -> bool:
        """Store the event, its intake job and its first message in one transaction; False when known before."""
        async with self._database.begin() as db_session:
            now = self._clock()
            payload = dump(INCOMING, incoming)
            event = SeenEventRow(event_key=incoming.event_key, team_id=incoming.team_id, payload=payload, taken_at=now)
            if not await insert_once(db_session, event):
                return False
            place = incoming.place
            await insert_once(
                db_session,
                PlaceRow(team_id=incoming.team_id, chat=place.chat.value, place_id=place.place_id, first_seen_at=now),
            )
            await (await db_session.connection()).run_sync(self._enqueue, intake_job(incoming.event_key))
            is_console = place.chat is ChatName.CONSOLE
            has_line = is_console and await self._add_own_line(db_session, incoming)
            messages = Messages(db_session, self._clock)
            if working is not None:
                message = await messages.post(
                    place, working, team_id=incoming.team_id, event_key=incoming.event_key, is_provisional=True
                )
                if is_console:
                    await self._add_reply_line(db_session, message, working, incoming)
                    has_line = True
            has_spoken = await messages.flush(delivered=is_console)
        if has_spoken:
            self._database.messages_queued.ring()
        if has_line:
            self._database.lines_added.ring()
        return True

    async def load(self, event_key: str) -> Incoming:
        """Return a stored event. Raises Fault("row_missing")."""
        async with self._database.read() as db_session:
            row = await find_one(db_session, select(SeenEventRow).where(col(SeenEventRow.event_key) == event_key))
        if row is None:
            raise Fault("row_missing", f"no event {event_key}")
        return INCOMING.validate_python(row.payload)

    async def is_handled(self, event_key: str) -> bool:
        """Whether the event was concluded and everything it said has reached its chat (or never will)."""
        async with self._database.read() as db_session:
            event = await find_one(db_session, select(SeenEventRow).where(col(SeenEventRow.event_key) == event_key))
            if event is None or event.concluded_at is None:
                return False
            waiting = select(OutboxRow).where(col(OutboxRow.cause) == event_key, col(OutboxRow.state) == "queued")
            return await find_one(db_session, waiting) is None

    async def _add_own_line(self, db_session: AsyncSession, incoming: Incoming) -> bool:
        """Show people of a browser chat what they said; a press says nothing of its own."""
        if not (incoming.text or incoming.photos):
            return False
        await add_line(
            db_session,
            ConsoleLineRow(
                team_id=incoming.team_id,
                place_id=incoming.place.place_id,
                message_key=f"said:{incoming.event_key}",
                author=clean_text(incoming.actor.name),
                text=clean_text(incoming.text),
                photos=list(incoming.photos),
                reply=None,
                cause=incoming.event_key,
                at=self._clock(),
            ),
        )
        return True

    async def _add_reply_line(
        self, db_session: AsyncSession, message: PostedMessageRow, working: Reply, incoming: Incoming
    ) -> None:
        """Show the first word at once: the console's lines are rows of ours, so no delivery is needed."""
        message.native_id = message.message_key
        await add_line(
            db_session,
            ConsoleLineRow(
                team_id=incoming.team_id,
                place_id=incoming.place.place_id,
                message_key=message.message_key,
                author="",
                text="",
                photos=[],
                reply=dump_reply(working),
                cause=incoming.event_key,
                at=self._clock(),
            ),
        )
