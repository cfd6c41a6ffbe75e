"""One deployment with two shops, each full of words that no other place has: what one must never show the other.

The app is the real one, its rows, web application and handlers; only pixels are made at once, and what jobs would do
is done when asked for. A word of a shop begins with its `mark`, so that a new table, command or page is covered
without naming it here.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from starlette.applications import Starlette

from bot.app import App, migrate_all, open_app, steps_of
from bot.chats import ways_in
from bot.clock import utc_now
from bot.outbox import Outbox
from bot.settings import Settings
from bot.web import web_app
from domain.catalog import ImageId, ListingId, PlatformName, Sha256, Sku, Store, StoreId
from domain.enhancement import EnhancementState, PlacementState
from domain.intents import Incoming
from domain.people import Actor, ChatName, Member, Place, Role
from domain.rows import ShelfImage, ShelfListing, ShelfVariant
from handlers import dispatch
from handlers.arrive import ChatDesk
from handlers.commands import COMMANDS
from handlers.console.chat import ROOM, ConsoleChat
from handlers.desk import Desk
from storage.bootstrap import ensure_member, ensure_team
from storage.catalog import StoreRows
from storage.outbox import OutboxRows
from storage.tables import EnhancementRow, PlacementRow, Row
from tests.fakes import FakeEnhancer

PORT = 8080
MARKS = ("zquark", "bxenon")
"""Six letters that no random id will spell."""


@dataclass(slots=True)
class Tenant:
    """One shop: its people in every chat, its store, and everything that may be typed to name a thing of it."""

    team_id: str
    mark: str
    admin: Member
    people: dict[ChatName, Actor]
    store_id: StoreId
    public: Names | None = None
    """What anybody may see on a page: the window of the built-in store."""

    def word(self, stem: str) -> str:
        """Return a word of this shop alone."""
        return f"{self.mark}{stem}"

    @property
    def sku(self) -> str:
        """The product whose picture is live."""
        return f"{self.mark.upper()}-SKU-1"


@dataclass(slots=True)
class Deployment:
    """Both shops, and the app they live in."""

    app: App
    web: Starlette
    first: Tenant
    second: Tenant
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def desk_of(self, tenant: Tenant) -> ChatDesk:
        """Return the desk that a chat's listeners of this shop have."""
        return ChatDesk(self.app.desk, self.app.events, tenant.team_id, _no_lock)

    def said(
        self,
        tenant: Tenant,
        text: str = "",
        *,
        token: str = "",
        photos: Sequence[Sha256] = (),
        chat: ChatName = ChatName.CONSOLE,
        place: Place = ROOM,
        team_id: str = "",
        reply_to: str = "",
    ) -> Incoming:
        """Return what a shop's admin says or presses, as their chat would bring it."""
        return Incoming(
            f"{chat.value}:walk:{next(self._numbers)}", team_id or tenant.team_id, tenant.people[chat], place, text,
            tuple(photos), token, message_id=str(next(self._numbers)), reply_to=reply_to,
        )  # fmt: skip

    async def hear(self, *events: Incoming, desk: Desk | None = None) -> None:
        """Take events together, as they come in a busy hour, and handle them one by one."""
        await asyncio.gather(*(self.app.events.take(incoming) for incoming in events))
        for incoming in events:
            await dispatch.handle(incoming, desk or self.app.desk)

    async def say(self, tenant: Tenant, text: str = "", **where: Any) -> None:
        """Let a shop's admin say something, and answer it."""
        await self.hear(self.said(tenant, text, **where))

    async def work_off(self) -> None:
        """Do what the workers would: pictures, publications, undoing."""
        steps = steps_of(self.app.desk, self.app.events)
        moving = {EnhancementState.RECEIVED.value, EnhancementState.ENHANCING.value}
        for row in await self._all(EnhancementRow):
            if row["state"] in moving:
                for step in (steps.fetch, steps.improve, steps.offer):
                    await step(row["enhancement_id"])
        placed = {PlacementState.APPROVED.value, PlacementState.PUBLISHING.value}
        for row in await self._all(PlacementRow):
            if row["state"] in placed:
                for step in (steps.keep, steps.publish, steps.confirm):
                    await step(row["placement_id"])

    async def deliver(self) -> None:
        """Bring what was said to the console's lines."""
        chats = {ChatName.CONSOLE: ConsoleChat(self.app.lines, utc_now)}
        outbox = Outbox(OutboxRows(self.app.database), chats, utc_now, self.app.database.messages_queued)
        while await outbox.deliver_due():
            pass

    async def rows(self, *, of: str = "", but: str = "") -> dict[str, list[str]]:
        """Return every row as it lies in the database, by table: of one team, or of all but one."""
        found: dict[str, list[str]] = {}
        async with self.app.database.read() as db_session:
            for table in Row.metadata.sorted_tables:
                has_team = "team_id" in table.c
                if of and not has_team:
                    continue
                whose = " WHERE team_id = :team" if of else " WHERE team_id IS NOT :team" if has_team else ""
                # Straight from the file: what SQLAlchemy makes of a row costs ten times as much.
                statement = text(f"SELECT * FROM {table.name}{whose}")
                rows = await db_session.execute(statement, {"team": of or but} if whose else {})
                found[table.name] = sorted(map(repr, rows.all()))
        return found

    async def window_of(self, tenant: Tenant) -> Names:
        """Return what stands in the built-in store's window, for everybody to see."""
        return await self.names_of(tenant, tables="shelf_")

    async def names_of(self, tenant: Tenant, *, tables: str = "") -> Names:
        """Return every id and every word of a shop that stands in its rows (of tables that begin so)."""
        ids: set[str] = set()
        samples: set[str] = set()
        words: set[str] = set()
        async with self.app.database.read() as db_session:
            for table in Row.metadata.sorted_tables:
                if "team_id" not in table.c or not table.name.startswith(tables):
                    continue
                seen: dict[str, str] = {}
                rows = await db_session.execute(select(table).where(table.c.team_id == tenant.team_id))
                for row in rows.mappings():
                    seen |= _ids_in(row)
                    ids |= set(_ids_in(row).values())
                    words |= set(marked(json.dumps(dict(row), default=str), tenant.mark))
                samples |= set(seen.values())
        return Names(frozenset(ids - {tenant.team_id}), frozenset(samples - {tenant.team_id}), frozenset(words))

    async def _all(self, kind: type[Row]) -> Sequence[Mapping[str, Any]]:
        async with self.app.database.read() as db_session:
            return (await db_session.execute(select(Row.metadata.tables[kind.__tablename__]))).mappings().all()


@dataclass(frozen=True, slots=True)
class Names:
    """What stands in a shop's rows: ids (and digests), one of each column to try, and its own words in lower case."""

    ids: frozenset[str]
    samples: frozenset[str]
    words: frozenset[str]


def _no_lock(_name: str) -> Any:
    raise AssertionError("nothing is locked here")


def marked(text: str, mark: str) -> Iterable[str]:
    """Return the words of a shop in a text, in lower case."""
    return (word.lower() for word in re.findall(rf"{mark}[a-z0-9-]*", text, re.IGNORECASE))


def _ids_in(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a row's ids by their column; what is short or of a fixed vocabulary is none."""
    named = {"photo", "before", "after", "preview", "handle"}
    return {
        name: value
        for name, value in row.items()
        if isinstance(value, str) and len(value) >= 8 and (name.endswith(("_id", "_key", "sha256")) or name in named)
    }


@asynccontextmanager
async def two_shops(data_dir: Path) -> AsyncIterator[Deployment]:
    """Open a deployment and fill both shops by talking to it as their people would."""
    settings = Settings(
        _env_file=None,
        DATA_DIR=data_dir,
        PUBLIC_URL=f"http://127.0.0.1:{PORT}",
        SHELF_SAMPLES=False,
        TELEGRAM_BOT_TOKEN="1:telegram",
        TELEGRAM_API_URL="http://127.0.0.1:9",  # nobody listens there, and says so at once
        SLACK_API_URL="http://127.0.0.1:9/",
        TELEGRAM_WEBHOOK_SECRET="a-secret-of-telegram",
        SLACK_BOT_TOKEN="xoxb-slack",
        SLACK_SIGNING_SECRET="a-secret-of-slack",
        SLACK_CLIENT_ID="1.2",
        SLACK_CLIENT_SECRET="another-secret-of-slack",
    )
    await migrate_all(settings)
    async with open_app(settings, base_url=f"http://127.0.0.1:{PORT}") as opened:
        app = replace(opened, desk=replace(opened.desk, enhancer=FakeEnhancer()))
        first = await _tenant(app, MARKS[0], app.team.team_id, app.shelf.store_id)
        team = await ensure_team(app.database, f"{MARKS[1]}shop")
        store = Store(StoreId(f"shelf-{team.team_id}"), team.team_id, PlatformName.SHELF, f"{MARKS[1]}store")
        await StoreRows(app.database).add(store, credentials=None)
        second = await _tenant(app, MARKS[1], team.team_id, store.store_id)
        deployment = Deployment(app, web_app(app, port=PORT, listeners=ways_in(app)), first, second)
        for tenant in (first, second):
            await _fill(deployment, tenant)
        first.public = await deployment.window_of(first)
        await deployment.deliver()
        yield deployment


async def _tenant(app: App, mark: str, team_id: str, store_id: StoreId) -> Tenant:
    people = {chat: Actor(chat, f"{mark}{chat.value}", f"{mark}{chat.value}") for chat in ChatName}
    members = [await ensure_member(app.database, team_id, actor.name, Role.ADMIN, actor) for actor in people.values()]
    photo = await app.media.put(f"pixels of {mark}listing".encode())
    for number in (1, 2):
        sku = f"{mark.upper()}-SKU-{number}"
        listing = ShelfListing(
            ListingId(f"{mark}listing{number}"), f"{mark}title{number} mug", f"{mark}handle{number}", f"{mark}said",
            (ShelfVariant(Sku(sku), f"{mark}variant", 2400, 12),),
            (ShelfImage(ImageId(f"{mark}image{number}"), photo, "image/jpeg", f"{mark}alt", ""),), 1,
        )  # fmt: skip
        await app.shelf_rows.add_listing(store_id, listing)
    console = next(
        member for member, actor in zip(members, people.values(), strict=True) if actor.chat is ChatName.CONSOLE
    )
    return Tenant(team_id, mark, console, people, store_id)


async def _fill(deployment: Deployment, tenant: Tenant) -> None:
    """Let a shop live: every command once, pictures in every state, a question, a group in Telegram."""
    app = deployment.app
    for number, sku in enumerate((tenant.sku, tenant.sku, f"{tenant.mark.upper()}-SKU-2"), start=1):
        photo = await app.media.put(f"pixels of {tenant.word(f'photo{number}')}".encode())
        await deployment.say(tenant, sku, photos=[photo])
        await deployment.work_off()
        if number == 1:
            await deployment.say(tenant, f"approve {sku}")
            await deployment.work_off()
        if number == 2:
            await deployment.say(tenant, f"reject {sku} {tenant.word('reason')}")
    question = await app.media.put(f"pixels of {tenant.word('asked')}".encode())
    await deployment.say(tenant, f"what is {tenant.word('caption')} here", photos=[question])
    group = Place(ChatName.TELEGRAM, f"-100{tenant.word('group')}")
    await deployment.desk_of(tenant).at(group, tenant.people[ChatName.TELEGRAM], settles=True)
    await deployment.say(tenant, f"card {tenant.sku}", chat=ChatName.TELEGRAM, place=group)
    examples = [command.example.replace("MUG-01", tenant.sku) for command in COMMANDS]
    await deployment.hear(*(deployment.said(tenant, text) for text in examples))
