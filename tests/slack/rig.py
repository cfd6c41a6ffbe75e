"""A real shop behind real listeners, before a fake Slack: everything between goes over sockets."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import fields

import uvicorn
from sqlalchemy import text
from starlette.applications import Starlette

from bot.outbox import Outbox
from domain.catalog import Sha256
from domain.chat_ports import Events
from domain.errors import Fault
from domain.intents import Incoming
from domain.people import Actor, ChatName, Role
from domain.replies import Reply
from handlers.arrive import ChatDesk
from handlers.desk import Desk
from handlers.slack.chat import SlackChat
from handlers.slack.listeners import EVENTS_PATH, SlackListeners
from storage.outbox import OutboxRows
from tests.fakes.slack import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, FakeSlack
from tests.fakes.slack_people import SlackPeople
from tests.handlers.shop import Shop

SHORT_SILENCE_S = 1.0
SHORT_PING_S = 0.1


class SlackDoor:
    """The way in, whose database may be away."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self.is_away = False

    async def take(
        self, incoming: Incoming, *, working: Reply | None = None, written: Mapping[Sha256, bytes] | None = None
    ) -> bool:
        if self.is_away:
            raise Fault("database_away", "the database is away")
        return await self._events.take(incoming, working=working, written=written)

    async def load(self, event_key: str) -> Incoming:
        return await self._events.load(event_key)


class SlackShop(Shop):
    """A shop whose photos come from Slack."""

    chat: SlackChat
    door: SlackDoor

    @property
    def desk(self) -> Desk:
        plain = super().desk
        return Desk(plain.work, plain.media, plain.enhancer, plain.stores, plain.clock, {ChatName.SLACK: self.chat})


class Rig:
    """What a test holds in its hands: the fake, its people, the shop, and a worker to let run."""

    def __init__(self, slack: FakeSlack, people: SlackPeople, shop: SlackShop, listeners: SlackListeners) -> None:
        self.slack = slack
        self.people = people
        self.shop = shop
        self.listeners = listeners
        later = itertools.count(0, 100)
        # Time flies, so that the pace Slack asks for costs a test nothing.
        self.outbox = Outbox(
            OutboxRows(shop.database),
            {ChatName.SLACK: shop.chat},
            shop.clock,
            shop.database.messages_queued,
            monotonic=lambda: float(next(later)),
        )

    async def work(self) -> None:
        """Let the worker do what is due: jobs, messages, and what follows from them."""
        await self.listeners.settle()
        # The first word goes out before the work is done, as it does when pixels take their time.
        await self.outbox.deliver_due()
        for _ in range(20):
            await self.shop.run_jobs()
            if not await self.outbox.deliver_due():
                return
        raise AssertionError("the outbox never settles")

    async def role(self, user: str, role: Role) -> None:
        """Give somebody a role, as an admin's invitation does."""
        actor = Actor(ChatName.SLACK, user, self.slack.people[user].name)
        async with self.shop.desk.work() as work:
            await work.people.admit(self.shop.team.team_id, actor, role, now=self.shop.clock())


async def taken(shop: Shop) -> list[str]:
    """Return the keys of every event that is a row, in order."""
    statement = text("SELECT event_key FROM seen_event ORDER BY event_key")
    async with shop.database.read() as db_session:
        return list((await db_session.execute(statement)).scalars())


@asynccontextmanager
async def open_rig(
    shop: Shop, transport: str, *, role: Role = Role.APPROVER, is_impatient: bool = False
) -> AsyncIterator[Rig]:
    """Open it all; `transport` is socket or http. An impatient socket is taken for silent after a second."""
    async with FakeSlack() as slack:
        here = SlackShop(**{each.name: getattr(shop, each.name) for each in fields(shop)})
        here.chat = SlackChat(bot_token=BOT_TOKEN, api_url=slack.api_url, media=here.media, pause_s=0.001)
        here.door = SlackDoor(here.events)
        listeners = SlackListeners(
            ChatDesk(here.desk, here.door, here.team.team_id, hold=None),  # type: ignore[arg-type]
            bot_token=BOT_TOKEN,
            app_token=APP_TOKEN if transport == "socket" else "",
            signing_secret=SIGNING_SECRET,
            api_url=slack.api_url,
            default_role=role,
            pictures=here.chat.pictures,
            silence_s=SHORT_SILENCE_S if is_impatient else 60,
            ping_s=SHORT_PING_S if is_impatient else 10,
            first_pause_s=0.01,
        )
        people = SlackPeople(slack, transport=transport)
        rig = Rig(slack, people, here, listeners)
        async with served(Starlette(routes=listeners.routes())) as url:
            people.events_url = url + EVENTS_PATH
            listening = asyncio.create_task(listeners.run())
            try:
                if transport == "socket":
                    await slack.until(lambda: slack.sockets)
                yield rig
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                await listeners.settle()
                await here.chat.close()


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """Serve a web application on a free port."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, ws="none", lifespan="off", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server._serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
