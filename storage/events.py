"""The way in: an event is a row, and its intake a job, before the platform hears "ok"."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import Sha256
from domain.errors import Fault
from domain.intents import Incoming
from domain.jobs import intake_job
from domain.people import ChatName
from domain.ports import Clock
from domain.replies import Reply
from storage.codec import INCOMING, clean_text, dump, pack_reply
from storage.console import add_line
from storage.database import Database
from storage.messages import Messages
from storage.statements import change, find_all, find_one, insert_once, lock_until_commit
from storage.tables import ConsoleLineRow, OutboxRow, PlaceRow, PostedMessageRow, SeenEventRow
from storage.trouble import clear_trouble
from storage.work import Enqueue

if TYPE_CHECKING:
    from storage.media import ObstoreMedia

log = logging.getLogger(__name__)

MOST_TOGETHER = 50
"""Events in one transaction on SQLite: the first of them waits for the last."""

MOST_REMEMBERED = 10_000
"""Places of which we know that they have their row: a sixth of an event's statements."""

ALBUM_QUIET = timedelta(seconds=0.8)
"""An album is whole when no photo of it came for this long (measured: Telegram sends them within 0.3 s)."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event on its way in; `is_new` is what its caller waits for."""

    incoming: Incoming
    working: Reply | None
    written: Mapping[Sha256, bytes]
    is_new: asyncio.Future[bool]


class SqlEvents:
    """The port `Events`."""

    def __init__(
        self,
        database: Database,
        enqueue: Enqueue,
        clock: Clock,
        media: ObstoreMedia | None = None,
        *,
        heard: Callable[[int], None] = lambda _count: None,
    ) -> None:
        """`media` records what `take` is given as `written`; without it nothing may be. `heard` is told how many came."""
        self._database = database
        self._enqueue = enqueue
        self._clock = clock
        self._media = media
        self._heard = heard
        self._arrivals: list[Arrival] = []
        self._seen_places: set[tuple[str, str, str]] = set()
        self._taker: asyncio.Task[None] | None = None

    async def take(
        self, incoming: Incoming, *, working: Reply | None = None, written: Mapping[Sha256, bytes] | None = None
    ) -> bool:
        """Store the event, its intake job and its first message in one transaction; False when known before.

        On SQLite all that came while another transaction held the one write lock share the next one. A
        caller who goes away does not take the event back.
        """
        self._heard(1)
        arrival = Arrival(incoming, working, written or {}, asyncio.get_running_loop().create_future())
        if not self._database.is_sqlite:
            await self._take_together([arrival])
        else:
            self._arrivals.append(arrival)
            if self._taker is None or self._taker.done():
                self._taker = asyncio.create_task(self._take_all())
        return await asyncio.shield(arrival.is_new)

    async def _take_all(self) -> None:
        while self._arrivals:
            batch: list[Arrival] = []
            try:
                await self._take_together(batch)
            except Exception as error:
                if not batch:  # the database is away: whoever waits hears so, and their chat sends it again
                    gone, self._arrivals = self._arrivals, []
                    for arrival in gone:
                        await self._take_alone(arrival, error)
                if len(batch) > 1:
                    log.warning("taking %d events one by one", len(batch), exc_info=error)
                for arrival in batch:
                    await self._take_alone(arrival, error if len(batch) == 1 else None)

    async def _take_alone(self, arrival: Arrival, error: Exception | None) -> None:
        """Take what could not be taken with the others, and tell its caller what is wrong with it."""
        if error is None:
            try:
                await self._take_together([arrival])
            except Exception as own:  # noqa: BLE001 - it is raised where the event came from
                error = own
        if error is not None and not arrival.is_new.done():
            arrival.is_new.set_exception(error)

    async def _take_together(self, batch: list[Arrival]) -> None:
        """Take a batch in one transaction; an empty one is filled with all that wait once it is our turn."""
        has_line = False
        async with self._database.begin(urgent=True) as db_session:
            if not batch:
                batch += self._arrivals[:MOST_TOGETHER]
                del self._arrivals[:MOST_TOGETHER]
            messages = {False: Messages(db_session, self._clock), True: Messages(db_session, self._clock)}
            are_new = []
            for arrival in batch:
                is_console = arrival.incoming.place.chat is ChatName.CONSOLE
                is_new, line = await self._take_one(db_session, arrival, messages[is_console])
                are_new.append(is_new)
                has_line |= line
            has_spoken = await messages[False].flush()
            await messages[True].flush(delivered=True)
        if has_spoken:
            self._database.messages_queued.ring()
        if has_line:
            self._database.lines_added.ring()
        for arrival, is_new in zip(batch, are_new, strict=True):
            if not arrival.is_new.done():
                arrival.is_new.set_result(is_new)

    async def _take_one(self, db_session: AsyncSession, arrival: Arrival, messages: Messages) -> tuple[bool, bool]:
        """Store one event; return whether it is new, and whether the console has a line more."""
        incoming, working = arrival.incoming, arrival.working
        is_console = incoming.place.chat is ChatName.CONSOLE
        to_handle = await self._insert(db_session, incoming)
        if to_handle is None:
            return False, False
        if incoming.is_spare:  # nobody has asked us for anything yet
            return True, False
        await self._see_place(db_session, incoming)
        for name, content in arrival.written.items():
            assert self._media is not None, "whoever hands over bytes wires the media storage"
            await self._media.record(db_session, name, content)
        has_line = is_console and await self._add_own_line(db_session, incoming)
        if to_handle:
            await (await db_session.connection()).run_sync(self._enqueue, intake_job(to_handle))
            if working is not None:
                message = await messages.post(
                    incoming.place, working, team_id=incoming.team_id, event_key=to_handle, is_provisional=True
                )
                if is_console:
                    await self._add_reply_line(db_session, message, working, incoming)
                    has_line = True
        return True, has_line

    async def load(self, event_key: str) -> Incoming:
        """Return a stored event; an album as one event with all its photos, once no more of them come.

        Raises Fault("row_missing").
        """
        async with self._database.read() as db_session:
            row = await find_one(db_session, select(SeenEventRow).where(col(SeenEventRow.event_key) == event_key))
        if row is None:
            raise Fault("row_missing", f"no event {event_key}")
        incoming = INCOMING.validate_python(row.payload)
        return await self._gathered(incoming) if _album_key(incoming) == event_key else incoming

    async def is_handled(self, event_key: str) -> bool:
        """Whether the event was concluded and everything it said in its own chat has arrived (or never will).

        Other chats that show the same card are not waited for: one of them may be away for hours.
        """
        async with self._database.read() as db_session:
            event = await find_one(db_session, select(SeenEventRow).where(col(SeenEventRow.event_key) == event_key))
            if event is None or event.concluded_at is None:
                return False
            waiting = select(OutboxRow).where(
                col(OutboxRow.cause) == event_key,
                col(OutboxRow.state) == "queued",
                col(OutboxRow.chat) == event.payload["place"]["chat"],
            )
            return await find_one(db_session, waiting) is None

    # ------------------------------------------------------------ albums

    async def _insert(self, db_session: AsyncSession, incoming: Incoming) -> str | None:
        """Store the event and return which key is to be handled: "" for one that a later job brings along.

        None when the event was known before.
        """
        album = _album_key(incoming)
        if not album:
            return incoming.event_key if await insert_once(db_session, self._row(incoming)) else None
        await lock_until_commit(db_session, album)
        head = await find_one(db_session, select(SeenEventRow).where(col(SeenEventRow.event_key) == album))
        if head is not None and head.gathered_at is not None:
            # Too late for its album: the others are being worked on, and no photo may be lost.
            alone = replace(incoming, album="", is_spare=False)
            return incoming.event_key if await insert_once(db_session, self._row(alone)) else None
        if not await insert_once(db_session, self._row(incoming, album=album)):
            return None
        if head is not None or incoming.is_spare:
            return ""
        await insert_once(db_session, self._row(replace(incoming, event_key=album)))
        return album

    async def _gathered(self, album: Incoming) -> Incoming:
        """Wait until an album is whole, close it, and return it as one event in the order of its messages."""
        parts = select(SeenEventRow).where(col(SeenEventRow.album) == album.event_key)
        while True:
            async with self._database.begin() as db_session:
                await lock_until_commit(db_session, album.event_key)
                rows = await find_all(db_session, parts)
                now = self._clock()
                left_s = (max(row.taken_at for row in rows) + ALBUM_QUIET - now).total_seconds()
                if left_s <= 0:
                    head = col(SeenEventRow.event_key) == album.event_key
                    open_head = update(SeenEventRow).where(head, col(SeenEventRow.gathered_at).is_(None))
                    await change(db_session, open_head.values(gathered_at=now))
                    break
            await asyncio.sleep(left_s)
        photos = sorted((INCOMING.validate_python(row.payload) for row in rows), key=_message_order)
        return replace(
            album,
            text="\n".join(filter(None, (photo.text for photo in photos))),
            attachments=tuple(attachment for photo in photos for attachment in photo.attachments),
            photos=tuple(name for photo in photos for name in photo.photos),
            message_id=photos[0].message_id,
            reply_to=next((photo.reply_to for photo in photos if photo.reply_to), ""),
        )

    # ------------------------------------------------------------ rows

    def _row(self, incoming: Incoming, *, album: str | None = None) -> SeenEventRow:
        return SeenEventRow(
            event_key=incoming.event_key,
            team_id=incoming.team_id,
            chat=incoming.place.chat.value,
            payload=dump(INCOMING, incoming),
            taken_at=self._clock(),
            message_id=incoming.message_id,
            album=album,
            is_spare=incoming.is_spare,
        )

    async def _see_place(self, db_session: AsyncSession, incoming: Incoming) -> None:
        """Remember where people talk; who speaks there first decides the language until somebody sets it."""
        place = incoming.place
        row = PlaceRow(
            team_id=incoming.team_id,
            chat=place.chat.value,
            place_id=place.place_id,
            first_seen_at=self._clock(),
            language=incoming.language,
        )
        key = (row.team_id, row.chat, row.place_id)
        # Whoever wrote the row first may yet roll back, so it is only remembered once it was found there.
        if key in self._seen_places or not await insert_once(db_session, row):
            if len(self._seen_places) >= MOST_REMEMBERED:
                self._seen_places.clear()
            self._seen_places.add(key)
            await clear_trouble(db_session, incoming.team_id, place)

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
                reply=pack_reply(working),
                cause=incoming.event_key,
                at=self._clock(),
            ),
        )


def _album_key(incoming: Incoming) -> str:
    """Return the key of the event that stands for the photo's album, empty for no album."""
    place = incoming.place
    return f"album:{place.chat.value}:{place.place_id}:{incoming.album}" if incoming.album else ""


def _message_order(photo: Incoming) -> tuple[int, str]:
    """Sort by the chat's message ids, which count up; what is no number sorts as text."""
    return (int(photo.message_id) if photo.message_id.isdecimal() else 0, photo.message_id)
