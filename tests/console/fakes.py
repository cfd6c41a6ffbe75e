"""In-memory stand-ins for the ports that the console uses: small, and true to their contracts."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

from domain.catalog import Sha256
from domain.errors import Fault
from domain.intents import Incoming
from domain.logins import Login
from domain.people import Actor, Invitation, Member, Role, Team
from domain.ports import Work
from domain.replies import Outgoing, Reply
from domain.rows import ConsoleLine
from domain.sessions import Browser
from handlers.console.chat import ROOM, ConsoleChat
from handlers.console.listeners import ConsoleDesk
from tests.fakes import FakeMedia

TEAM = "team-1"
HOST = "127.0.0.1:8080"
KEY = "local-key-of-this-machine"
NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
OWNER = Member("m-owner", TEAM, "owner", Role.ADMIN)
ANNA = Member("m-anna", TEAM, "Anna", Role.EDITOR)


class FakeClock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class FakeLines:
    """ConsoleLines in a list."""

    def __init__(self) -> None:
        self.rows: list[ConsoleLine] = []
        self._changed = asyncio.Condition()

    async def append_reply(self, outgoing: Outgoing, *, now: datetime) -> str:
        await self._add(
            message_key=outgoing.message_key, author="Packshot", reply=outgoing.reply, cause=outgoing.cause, at=now
        )
        return outgoing.message_key

    async def append_said(self, incoming: Incoming, *, now: datetime) -> None:
        await self._add(
            message_key=f"said:{incoming.event_key}",
            author=incoming.actor.name,
            text=incoming.text,
            photos=incoming.photos,
            cause=incoming.event_key,
            at=now,
        )

    async def after(self, team_id: str, place_id: str, cursor: int, *, limit: int = 200) -> Sequence[ConsoleLine]:
        if (team_id, place_id) != (TEAM, ROOM.place_id):
            return []
        return [row for row in self.rows if row.cursor > cursor][:limit]

    async def recent_cursor(self, team_id: str, place_id: str, *, lines: int) -> int:
        older = (await self.after(team_id, place_id, 0, limit=len(self.rows)))[:-lines]
        return older[-1].cursor if older else 0

    async def shows(self, team_id: str, photo: Sha256) -> bool:
        return team_id == TEAM

    async def of_cause(self, team_id: str, event_key: str) -> Sequence[ConsoleLine]:
        touched = {row.message_key for row in self.rows if row.cause == event_key}
        return [row for row in self.rows if team_id == TEAM and row.message_key in touched]

    async def follow(self, team_id: str, place_id: str, cursor: int) -> AsyncIterator[Sequence[ConsoleLine]]:
        while True:
            lines = await self.after(team_id, place_id, cursor)
            if lines:
                cursor = lines[-1].cursor
                yield lines
                continue
            seen = len(self.rows)
            async with self._changed:
                await self._changed.wait_for(partial(self._has_more_than, seen))

    def _has_more_than(self, count: int) -> bool:
        return len(self.rows) > count

    async def _add(
        self,
        *,
        message_key: str,
        author: str,
        cause: str,
        at: datetime,
        text: str = "",
        photos: tuple[Sha256, ...] = (),
        reply: Reply | None = None,
    ) -> None:
        cursor = len(self.rows) + 1
        self.rows.append(ConsoleLine(cursor, ROOM.place_id, message_key, author, text, photos, reply, cause, at))
        async with self._changed:
            self._changed.notify_all()


class FakeLogins:
    """ConsoleLogins in dicts."""

    def __init__(self, members: dict[str, Member]) -> None:
        self._members = members
        self._codes: dict[str, str] = {}
        self._cookies: dict[str, str] = {}
        self._count = itertools.count(1)

    async def offer(self, member_id: str, *, now: datetime) -> str:
        code = f"login-{next(self._count)}"
        self._codes[code] = member_id
        return code

    async def redeem(self, code: str, *, now: datetime, browser: Browser | None = None) -> str | None:
        member_id = self._codes.pop(code, None)
        if member_id is None:
            return None
        cookie = f"cookie-{next(self._count)}"
        self._cookies[cookie] = member_id
        return cookie

    async def find(self, cookie: str, *, now: datetime) -> Login | None:
        member_id = self._cookies.get(cookie)
        return Login(f"id-{cookie}", self._members[member_id], f"secret of {cookie}") if member_id else None

    async def end(self, cookie: str) -> None:
        self._cookies.pop(cookie, None)


class FakePeople:
    """The part of PeopleRows that joining needs."""

    def __init__(self, members: dict[str, Member]) -> None:
        self._members = members
        self._codes: dict[str, Role] = {}

    async def invite(self, team_id: str, role: Role, *, by: str, expires_at: datetime) -> Invitation:
        code = f"invite-{len(self._codes) + 1}"
        self._codes[code] = role
        return Invitation(code, role, expires_at)

    def is_called(self, name: str) -> bool:
        return any(member.name.casefold() == name.casefold() for member in self._members.values())

    def is_good(self, code: str) -> bool:
        return code in self._codes

    async def find_member(self, team_id: str, actor: Actor) -> Member | None:
        return next((m for m in self._members.values() if m.name == actor.actor_id), None)

    async def join(self, code: str, actor: Actor, *, now: datetime) -> Member | None:
        role = self._codes.pop(code, None)
        if role is None:
            return None
        member = Member(f"m-{actor.actor_id.lower()}", TEAM, actor.name, role)
        self._members[member.member_id] = member
        return member


@dataclass
class FakeTeams:
    """The part of TeamRows that joining needs."""

    people: FakePeople

    async def invited_to(self, code: str, *, now: datetime) -> Team | None:
        return Team(TEAM, "My shop") if self.people.is_good(code) else None

    async def is_taken(self, team_id: str, name: str) -> bool:
        return self.people.is_called(name)


@dataclass
class FakeUnit:
    """A unit of work with people in it and nothing else."""

    people: FakePeople
    teams: FakeTeams


@dataclass
class FakeWork:
    """Opens units, to write and to read."""

    people: FakePeople

    @asynccontextmanager
    async def __call__(self, incoming: Incoming | None = None) -> AsyncIterator[FakeUnit]:
        yield FakeUnit(self.people, FakeTeams(self.people))

    def reading(self) -> AbstractAsyncContextManager[FakeUnit]:
        return self()


class FakeEvents:
    """Events in a dict; `answer` is the bot behind it, called once an event."""

    def __init__(self, lines: FakeLines, chat: ConsoleChat, clock: FakeClock) -> None:
        self.taken: dict[str, Incoming] = {}
        self.concluded: set[str] = set()
        self.answer: Callable[[Incoming], Any] | None = None
        self._lines, self._chat, self._clock = lines, chat, clock
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(
        self, incoming: Incoming, *, working: Reply | None = None, written: Mapping[Sha256, bytes] | None = None
    ) -> bool:
        if incoming.event_key in self.taken:
            return False
        self.taken[incoming.event_key] = incoming
        if incoming.text or incoming.photos:
            await self._lines.append_said(incoming, now=self._clock())
        if working is not None:
            await self.say(f"answer:{incoming.event_key}", working, cause=incoming.event_key)
        if self.answer is not None:
            task = asyncio.ensure_future(self.answer(incoming))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return True

    async def load(self, event_key: str) -> Incoming:
        if event_key not in self.taken:
            raise Fault("row_missing", event_key)
        return self.taken[event_key]

    async def say(self, message_key: str, reply: Reply, *, cause: str) -> None:
        await self._chat.deliver(Outgoing(message_key, TEAM, ROOM, "", reply, cause))


@dataclass
class Office:
    """All fakes together, and the desk made of them."""

    members: dict[str, Member] = field(default_factory=lambda: {m.member_id: m for m in (OWNER, ANNA)})
    clock: FakeClock = field(default_factory=FakeClock)
    lines: FakeLines = field(default_factory=FakeLines)
    media: FakeMedia = field(default_factory=FakeMedia)
    working: Reply | None = None

    def __post_init__(self) -> None:
        self.logins = FakeLogins(self.members)
        self.people = FakePeople(self.members)
        self.events = FakeEvents(self.lines, ConsoleChat(self.lines, self.clock), self.clock)

    async def member_named(self, name: str, team_name: str) -> Member | None:
        return next((m for m in self.members.values() if m.name.casefold() == name.casefold()), None)

    async def is_handled(self, event_key: str) -> bool:
        return event_key in self.events.concluded

    def desk(
        self, *, hosts: frozenset[str] = frozenset({HOST}), is_https: bool = False, max_upload_bytes: int = 1_000_000
    ) -> ConsoleDesk:
        return ConsoleDesk(
            events=self.events,
            lines=self.lines,
            logins=self.logins,
            media=self.media,
            work=cast(Work, FakeWork(self.people)),
            clock=self.clock,
            local_key=KEY,
            hosts=hosts,
            is_https=is_https,
            max_upload_bytes=max_upload_bytes,
            member_named=self.member_named,
            provisional=lambda incoming, member: self.working if incoming.photos else None,
            is_handled=self.is_handled,
            dump_reply=lambda reply: {"type": type(reply).__name__, **asdict(cast(Any, reply))},
        )


IN_A_WEEK = NOW + timedelta(days=7)
