"""The bot as a test runs it: real listeners, real rows, the real outbox, jobs that run when told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn
from sqlmodel import col, select
from starlette.applications import Starlette

from bot.app import steps_of
from bot.outbox import Outbox
from bot.steps import run_step
from domain.intents import Incoming
from domain.people import Actor, ChatName, Role
from domain.replies import Reply
from handlers.arrive import ChatDesk
from handlers.desk import Desk
from handlers.telegram.chat import TelegramChat
from handlers.telegram.line import Pace
from handlers.telegram.listeners import TelegramListeners
from storage.bell import Bell
from storage.bootstrap import ensure_member
from storage.codec import INCOMING
from storage.events import SqlEvents
from storage.outbox import OutboxRows
from storage.tables import SeenEventRow
from tests.fakes.telegram import TOKEN, TelegramServer
from tests.fakes.telegram_chats import Message, Person
from tests.handlers.shop import AT_ONCE, PHOTO, Shop

QUICK = Pace(poll_s=2.0, first_pause_s=0.01, longest_pause_s=0.05, refused_pause_s=0.05, hold_every_s=0.01)
SECRET = "a-webhook-secret"
PUBLIC_URL = "https://shop.example"


@dataclass(slots=True)
class Lock:
    """A lock by name, as several processes share it."""

    holders: dict[str, int] = field(default_factory=dict)

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        is_ours = not self.holders.get(name)
        if is_ours:
            self.holders[name] = 1
        try:
            yield is_ours
        finally:
            if is_ours:
                self.holders[name] = 0


@dataclass(slots=True)
class FlakyEvents:
    """The real events, whose next takes fail as a database that went away does."""

    events: SqlEvents
    trouble: list[Exception]

    async def take(self, incoming: Incoming, *, working: Reply | None = None, **more: Any) -> bool:
        if self.trouble:
            raise self.trouble.pop(0)
        return await self.events.take(incoming, working=working, **more)

    async def load(self, event_key: str) -> Incoming:
        return await self.events.load(event_key)


@dataclass(slots=True)
class TelegramBot:
    """One process of the bot."""

    telegram: TelegramServer
    shop: Shop
    chat: TelegramChat
    lock: Lock
    webhook: bool = False
    trouble: list[Exception] = field(default_factory=list)
    """What the next takes raise instead of keeping the event."""
    listeners: TelegramListeners = field(init=False)
    outbox: Outbox = field(init=False)
    _running: asyncio.Task[None] | None = None
    _web: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        ticks = itertools.count(step=100)
        self.outbox = Outbox(
            OutboxRows(self.shop.database),
            {ChatName.TELEGRAM: self.chat},
            self.shop.clock,
            Bell(),
            monotonic=lambda: float(next(ticks)),  # the pace has tests of its own
        )
        self.listeners = self.make_listeners()

    @property
    def desk(self) -> Desk:
        return replace(self.shop.desk, files={ChatName.TELEGRAM: self.chat})

    def make_listeners(self) -> TelegramListeners:
        desk = ChatDesk(self.desk, FlakyEvents(self.shop.events, self.trouble), self.shop.team.team_id, self.lock.hold)
        address = {"webhook_secret": SECRET, "public_url": PUBLIC_URL} if self.webhook else {}
        return TelegramListeners(desk, token=TOKEN, api_url=self.telegram.url, pace=QUICK, **address)

    # ------------------------------------------------------------ one process

    async def start(self) -> None:
        """Run the listeners, and the web application when there is a webhook."""
        if self.webhook:
            app = Starlette(routes=self.listeners.routes())
            config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
            self._web = uvicorn.Server(config)
            self._serving = asyncio.create_task(self._web.serve())
            await self.telegram.until(lambda: self._web is not None and self._web.started)
            self.telegram.tunnel[PUBLIC_URL] = self.web_url
        self._running = asyncio.create_task(self.listeners.run())
        if self.webhook:
            await self.telegram.until(lambda: self.telegram.webhook.get("url"))
        else:
            await self.telegram.until(lambda: len(self.telegram.commands) == 4)

    @property
    def web_url(self) -> str:
        assert self._web is not None
        port = self._web.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """End as a process does that is told to."""
        if self._running:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
            self._running = None
        if self._web and self._serving:
            self._web.should_exit = True
            await self._serving
            self._web = None

    # ------------------------------------------------------------ people

    async def member(self, name: str, role: Role = Role.APPROVER, *, language: str = "en") -> Person:
        """Somebody of the team, who started the bot."""
        person = self.telegram.person(name, language=language)
        actor = Actor(ChatName.TELEGRAM, str(person.user_id), name)
        await ensure_member(self.shop.database, self.shop.team.team_id, name, role, actor)
        return person

    async def card_for(self, person: Person) -> Message:
        """A preview that waits for them."""
        self.telegram.send_photo(person, PHOTO, "MUG-01")
        await self.settle()
        return self.telegram.shown(person)[-1]

    # ------------------------------------------------------------ what happens

    async def events(self) -> list[Incoming]:
        """What was taken, in order."""
        statement = select(SeenEventRow).order_by(col(SeenEventRow.taken_at))
        async with self.shop.database.read() as db_session:
            rows = (await db_session.execute(statement)).scalars()
            found = [INCOMING.validate_python(row.payload) for row in rows]
        return [incoming for incoming in found if incoming.place.chat is ChatName.TELEGRAM]

    async def taken(self) -> None:
        """Wait until Telegram has nothing left for us."""
        await self.telegram.until(lambda: not self.telegram.updates)

    async def settle(self) -> None:
        """Take all updates, run all jobs, deliver all messages."""
        await self.taken()
        await self.run_jobs()
        await self.deliver()

    async def run_jobs(self) -> None:
        steps = steps_of(self.desk, self.shop.events)
        while (job := await self.shop._next_job()) is not None:
            name, subject_id = job
            chain = steps.of(name)
            for _, step in chain.steps:
                if not await run_step(step, chain.failed, subject_id, patience=AT_ONCE):
                    break

    async def deliver(self) -> None:
        for _ in range(20):
            if not await self.outbox.deliver_due():
                return


@asynccontextmanager
async def open_bot(
    telegram: TelegramServer, shop: Shop, *, webhook: bool = False, lock: Lock | None = None
) -> AsyncIterator[TelegramBot]:
    """Open one process of the bot; `start` makes it listen."""
    chat = TelegramChat(token=TOKEN, api_url=telegram.url, media=shop.media, read_timeout_s=5.0, action_every_s=0.05)
    bot = TelegramBot(telegram, shop, chat, lock or Lock(), webhook)
    try:
        yield bot
    finally:
        await bot.stop()
        await chat.close()
