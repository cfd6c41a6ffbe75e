"""An outbox with two chats on a clock that is moved by hand, and a way to say something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.outbox import Outbox
from domain.chat_ports import Limit
from domain.intents import Incoming
from domain.people import Actor, ChatName, Place
from domain.replies import Outgoing, Refused
from domain.rows import Trouble
from storage.database import Database
from storage.events import SqlEvents
from storage.outbox import OutboxRows
from storage.work import SqlWork

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROOM, OTHER_ROOM = Place(ChatName.TELEGRAM, "1"), Place(ChatName.TELEGRAM, "2")
CHANNEL, THREAD = Place(ChatName.SLACK, "C1"), Place(ChatName.SLACK, "C1", "1700000000.0001")


async def at_once(_outgoing: Outgoing) -> None:
    return


def _no_limits(_outgoing: Outgoing) -> Sequence[Limit]:
    return ()


@dataclass(slots=True)
class Line:
    """A chat that can be cut: it shows what it accepted, each message as its newest words.

    `refuses` and `loses_answer` are raised for a delivery: before the chat accepted it, or after.
    `is_private`: every message is for one person only, so nobody can edit it.
    """

    now: Callable[[], float]
    can_tell: bool = True
    is_private: bool = False
    hangs: Callable[[Outgoing], Awaitable[None]] = at_once
    refuses: Callable[[Outgoing], BaseException | None] = lambda _: None
    loses_answer: Callable[[Outgoing], BaseException | None] = lambda _: None
    limits_of: Callable[[Outgoing], Sequence[Limit]] = _no_limits
    accepted: list[tuple[float, Outgoing]] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)
    """Native id → sentence, in the order of the posts."""
    tried: int = 0
    asked_for: int = 0
    _keys: dict[str, str] = field(default_factory=dict)

    async def deliver(self, outgoing: Outgoing) -> str:
        self.tried += 1
        await self.hangs(outgoing)
        if (error := self.refuses(outgoing)) is not None:
            raise error
        native_id = outgoing.native_id or f"n{len(self.shown) + 1}"
        assert isinstance(outgoing.reply, Refused)
        self.accepted.append((self.now(), outgoing))
        self.shown[native_id] = outgoing.reply.sentence
        self._keys.setdefault(outgoing.message_key, native_id)
        if (error := self.loses_answer(outgoing)) is not None:
            raise error
        return "" if self.is_private else native_id

    def limits(self, outgoing: Outgoing) -> Sequence[Limit]:
        return self.limits_of(outgoing)

    async def find_posted(self, outgoing: Outgoing) -> str | None:
        self.asked_for += 1
        if (error := self.refuses(outgoing)) is not None:
            raise error
        return self._keys.get(outgoing.message_key) if self.can_tell else None

    @property
    def heard(self) -> list[str]:
        return list(self.shown.values())


class Office:
    """Everything a test of the outbox starts from."""

    def __init__(self, database: Database, team_id: str) -> None:
        self.now = NOON
        self.database = database
        self.team_id = team_id
        self.telegram, self.slack = Line(self.monotonic, can_tell=False), Line(self.monotonic)
        self.rows = OutboxRows(database)
        self.outbox = self.restarted()
        self.work = SqlWork(database, lambda _connection, _job: None, self.clock)
        self.events = SqlEvents(database, lambda _connection, _job: None, self.clock)
        self._said = 0

    def restarted(self) -> Outbox:
        """A new process's outbox: it remembers nothing."""
        chats = {ChatName.TELEGRAM: self.telegram, ChatName.SLACK: self.slack}
        self.outbox = Outbox(
            self.rows,
            chats,
            self.clock,
            self.database.messages_queued,
            monotonic=self.monotonic,
            jitter=lambda: 1.0,
        )
        return self.outbox

    def clock(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return (self.now - NOON).total_seconds()

    async def say(self, sentence: str, place: Place = ROOM) -> Incoming:
        """A message that is posted."""
        self._said += 1
        incoming = Incoming(f"test:{self._said}", self.team_id, Actor(place.chat, "anna", "Anna"), place)
        assert await self.events.take(incoming, working=Refused("test", sentence))
        return incoming

    async def edit(self, incoming: Incoming, sentence: str) -> None:
        """The same message, with its last words."""
        async with self.work(incoming) as work:
            await work.answer(Refused("test", sentence))

    async def deliver_all(self) -> None:
        while await self.outbox.deliver_due():
            pass

    async def pass_time(self, seconds: float, *, step_s: float = 5.0) -> None:
        """Deliver, as time goes by."""
        end = self.now + timedelta(seconds=seconds)
        await self.deliver_all()
        while self.now < end:
            free_at = self.outbox.next_free_at()
            step = step_s if free_at is None else min(step_s, max(free_at - self.monotonic(), 0.001))
            self.now = min(end, self.now + timedelta(seconds=step))
            await self.deliver_all()

    async def troubles(self) -> list[Trouble]:
        async with self.work.reading() as reading:
            return list(await reading.troubles(self.team_id))
