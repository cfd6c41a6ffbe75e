"""The unit of work: rows, jobs and messages in one transaction, or none of them.

How a job is enqueued is handed in by the roof: the engine writes its own row on our connection, so
that a rollback leaves neither row nor job.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import Sku
from domain.errors import EventConcluded, Fault
from domain.intents import Incoming
from domain.jobs import Job
from domain.people import ChatName, Place
from domain.ports import Clock
from domain.replies import Reply
from domain.rows import AuditEntry, AuditQuery, Trouble
from storage.alerts import SqlAlerts
from storage.audit import AuditTrail, count_history, find_history, known_people
from storage.connecting import SqlConnectRows
from storage.database import Database
from storage.enhancements import SqlEnhancements
from storage.health import SqlHealth
from storage.messages import Messages
from storage.own_data import SqlData
from storage.people import SqlPeople
from storage.placements import SqlPlacements
from storage.places import PlaceDefaults, SqlPlaces
from storage.questions import SqlQuestions
from storage.sessions import SqlSessions
from storage.statements import change, find_one
from storage.stock import SqlStock
from storage.sync import SqlSync
from storage.tables import SeenEventRow
from storage.teams import SqlTeams
from storage.trouble import find_troubles
from storage.workspaces import SqlWorkspaces

CONSOLE_ROOM = Place(ChatName.CONSOLE, "room")
"""Where everybody is who has a browser open; nobody need have spoken there."""

Enqueue = Callable[[Connection, Job], None]
"""Writes the job's row on this connection, inside its transaction."""


class SqlReading:
    """The rows of one open transaction."""

    def __init__(self, db_session: AsyncSession, *, clock: Clock, defaults: PlaceDefaults) -> None:
        self.enhancements = SqlEnhancements(db_session)
        self.placements = SqlPlacements(db_session)
        self.people = SqlPeople(db_session)
        self.teams = SqlTeams(db_session)
        self.workspaces = SqlWorkspaces(db_session)
        self.questions = SqlQuestions(db_session, clock)
        self.stock = SqlStock(db_session)
        self.sync = SqlSync(db_session, clock)
        self.alerts = SqlAlerts(db_session)
        self.places = SqlPlaces(db_session, clock, defaults)
        self.health = SqlHealth(db_session)
        self.data = SqlData(db_session, clock())
        self.connections = SqlConnectRows(db_session)
        self.sessions = SqlSessions(db_session)
        self._db_session = db_session
        self._clock = clock

    async def history(self, team_id: str, *, sku: Sku | None, limit: int) -> Sequence[AuditEntry]:
        """Return the newest lines first."""
        return await self.audit_lines(AuditQuery(team_id, sku, limit=limit))

    async def audit_lines(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """Return the lines a question is about, the newest first."""
        return await find_history(self._db_session, query)

    async def count_audit_lines(self, query: AuditQuery) -> int:
        """Return how many lines a question is about, whatever its limit."""
        return await count_history(self._db_session, query)

    async def people_of_audit(self, team_id: str) -> Sequence[str]:
        """Return every name that a line names and that was not forgotten."""
        return sorted(await known_people(self._db_session, team_id))

    async def troubles(self, team_id: str) -> Sequence[Trouble]:
        """Return which places and chats do not hear us, whole chats first."""
        return await find_troubles(self._db_session, team_id, now=self._clock())


class SqlUnitOfWork(SqlReading):
    """One open writing transaction; `SqlWork` makes, commits and forgets it."""

    def __init__(
        self,
        db_session: AsyncSession,
        *,
        enqueue: Enqueue,
        clock: Clock,
        defaults: PlaceDefaults,
        incoming: Incoming | None = None,
    ) -> None:
        super().__init__(db_session, clock=clock, defaults=defaults)
        self.messages = Messages(db_session, clock)
        self.trail = AuditTrail(db_session)
        self._enqueue = enqueue
        self._incoming = incoming

    async def enqueue(self, job: Job) -> None:
        """Start a job when, and only when, this transaction commits."""
        connection = await self._db_session.connection()
        await connection.run_sync(self._enqueue, job)

    async def answer(self, reply: Reply) -> None:
        """Say it where the event came from; the event's own `Working` is edited into the first answer.

        Raises RuntimeError in a job, which has no event to answer: `show` the card instead.
        """
        incoming = self._incoming
        if incoming is None:
            raise RuntimeError("only an event can be answered; a job shows a card")
        provisional = await self.messages.provisional(incoming.event_key)
        if provisional is None:
            await self.messages.post(incoming.place, reply, team_id=incoming.team_id, event_key=incoming.event_key)
            return
        await self.messages.settle(provisional, enhancement_id=None)
        self.messages.edit(provisional, reply, cause=incoming.event_key)

    async def show(self, enhancement_id: str, reply: Reply) -> None:
        """Edit the card in every place that shows it; where none does, post it where it was asked for."""
        incoming = self._incoming
        if incoming is not None:
            provisional = await self.messages.provisional(incoming.event_key)
            if provisional is not None:
                await self.messages.settle(provisional, enhancement_id=enhancement_id)
        shown = await self.messages.showing(enhancement_id)
        for message in shown:
            cause = incoming.event_key if incoming is not None else message.event_key or ""
            self.messages.edit(message, reply, cause=cause)
        if not shown:
            enhancement = await self.enhancements.load(enhancement_id)
            await self.messages.post(
                enhancement.place,
                reply,
                team_id=enhancement.team_id,
                event_key=None if incoming is None else incoming.event_key,
                enhancement_id=enhancement_id,
            )

    async def say_in(self, place: Place, reply: Reply, *, team_id: str, attached: Reply | None = None) -> None:
        """Say something in a place of the team's that nobody there asked for; `attached` is said under it."""
        said = await self.messages.post(place, reply, team_id=team_id, event_key=None)
        if attached is not None:
            await self.messages.post(place, attached, team_id=team_id, event_key=None, under=said.message_key)

    async def say_under(self, enhancement_id: str, reply: Reply, *, only: Place | None = None) -> None:
        """Say something under the card's newest message in every place that shows it, or in one place only."""
        enhancement = await self.enhancements.load(enhancement_id)
        shown = await self.messages.showing(enhancement_id)
        newest = {(message.chat, message.place_id): message for message in shown}
        if only is not None:
            newest = {key: message for key, message in newest.items() if key == (only.chat.value, only.place_id)}
        for message in newest.values():
            # With the card's own event: in its thread, if the chat opened one under what the card was asked for with.
            place = Place(ChatName(message.chat), message.place_id, message.thread_id)
            await self.messages.post(
                place, reply, team_id=enhancement.team_id, event_key=message.event_key, under=message.message_key
            )
        if not newest:
            await self.messages.post(only or enhancement.place, reply, team_id=enhancement.team_id, event_key=None)

    async def show_in_watching(self, enhancement_id: str, reply: Reply) -> None:
        """Show the card in every place of the team that wants all previews and does not show it yet."""
        enhancement = await self.enhancements.load(enhancement_id)
        shown = {(message.chat, message.place_id) for message in await self.messages.showing(enhancement_id)}
        for place in await self.places.watching(enhancement.team_id):
            if (place.chat.value, place.place_id) not in shown:
                await self.messages.post(
                    place, reply, team_id=enhancement.team_id, event_key=None, enhancement_id=enhancement_id
                )

    async def show_here(self, enhancement_id: str, reply: Reply) -> None:
        """Show the card in the event's place, in a new message that is kept up to date from now on.

        Raises RuntimeError in a job, which has no place.
        """
        incoming = self._incoming
        if incoming is None:
            raise RuntimeError("only an event has a place to show a card in")
        await self.messages.post(
            incoming.place,
            reply,
            team_id=incoming.team_id,
            event_key=incoming.event_key,
            enhancement_id=enhancement_id,
        )

    async def show_topic(self, topic: str, reply: Reply, *, team_id: str, places: Sequence[Place] = ()) -> None:
        """Edit the message of a topic wherever it is shown, and post it in those of `places` that do not show it."""
        cause = None if self._incoming is None else self._incoming.event_key
        shown = await self.messages.about(team_id, topic)
        for message in shown:
            self.messages.edit(message, reply, cause=cause or "")
        there = {(message.chat, message.place_id) for message in shown}
        for place in places:
            if (place.chat.value, place.place_id) not in there:
                there.add((place.chat.value, place.place_id))
                await self.messages.post(place, reply, team_id=team_id, event_key=cause, topic=topic)

    async def audit(self, entry: AuditEntry) -> None:
        """Append one line, when the transaction commits."""
        if entry.place is None and self._incoming is not None:
            entry = replace(entry, place=self._incoming.place)
        self.trail.add(entry)

    async def tell_admins(self, team_id: str, reply: Reply, *, subject: str = "") -> None:
        """Tell the team's admins privately; where none can be reached so, where `subject` was last spoken of."""
        for place in await self.health.admin_places(team_id, subject=subject) or [CONSOLE_ROOM]:
            await self.messages.post(place, reply, team_id=team_id, event_key=None)


class SqlWork:
    """Opens units of work: the port `Work`."""

    def __init__(
        self, database: Database, enqueue: Enqueue, clock: Clock, defaults: PlaceDefaults | None = None
    ) -> None:
        self._database = database
        self._enqueue = enqueue
        self._clock = clock
        self._defaults = defaults or PlaceDefaults()

    @asynccontextmanager
    async def __call__(self, incoming: Incoming | None = None) -> AsyncIterator[SqlUnitOfWork]:
        """Open one; with `incoming` the event is concluded in it. Raises EventConcluded when it was before."""
        async with self._database.begin() as db_session:
            if incoming is not None:
                await _conclude(db_session, incoming.event_key, now=self._clock())
            unit = SqlUnitOfWork(
                db_session, enqueue=self._enqueue, clock=self._clock, defaults=self._defaults, incoming=incoming
            )
            yield unit
            await unit.trail.flush()
            has_spoken = await unit.messages.flush()
        if has_spoken:
            self._database.messages_queued.ring()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlReading]:
        """Look without the right to change: no write lock is taken."""
        async with self._database.read() as db_session:
            yield SqlReading(db_session, clock=self._clock, defaults=self._defaults)


async def _conclude(db_session: AsyncSession, event_key: str, *, now: datetime) -> None:
    statement = (
        update(SeenEventRow)
        .where(col(SeenEventRow.event_key) == event_key, col(SeenEventRow.concluded_at).is_(None))
        .values(concluded_at=now)
    )
    if await change(db_session, statement) == 1:
        return
    if await find_one(db_session, select(SeenEventRow).where(col(SeenEventRow.event_key) == event_key)) is None:
        raise Fault("row_missing", f"no event {event_key}")
    raise EventConcluded(event_key)
