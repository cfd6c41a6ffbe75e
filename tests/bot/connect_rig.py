"""A bot in this process with its pages, a person in a chat, and a browser: what connecting a store takes."""

from __future__ import annotations

import html
import itertools
import re
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select
from sqlmodel import col

from bot.app import App, migrate_all, open_app
from bot.clock import utc_now
from bot.settings import Settings
from bot.web import web_app
from domain.catalog import Store
from domain.connect_replies import ConnectOffered
from domain.intents import Incoming
from domain.people import Actor, ChatName, Member, Place, Role, Team
from domain.replies import Reply
from domain.rows import AuditEntry
from handlers import dispatch
from storage.bootstrap import ensure_member, ensure_team
from storage.codec import load_reply
from storage.connect_tables import ConnectLinkRow, StoreScopeRow
from storage.tables import OutboxRow, StoreRow, StoreStateRow

PUBLIC = "https://bot.example"
ROOM = Place(ChatName.CONSOLE, "room")
LINK = re.compile(r'<meta http-equiv="refresh" content="0; url=([^"]+)"')
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
CHECKBOX = re.compile(r'<input type="checkbox" name="feature" value="([\w-]+)"( checked)?( disabled)?')


def settings_of(folder: Path, **env: str) -> Settings:
    """Return settings of a fresh shop in this folder, which nothing of the environment gets into."""
    values: dict[str, Any] = {"DATA_DIR": folder, "SHELF_SAMPLES": "0", "PUBLIC_URL": PUBLIC, **env}
    return Settings(_env_file=None, **values)


@dataclass(slots=True)
class Page:
    """What a browser shows."""

    answer: httpx.Response

    @property
    def text(self) -> str:
        """The page's words."""
        return html.unescape(re.sub(r"<[^>]+>", " ", self.answer.text))

    @property
    def hidden(self) -> dict[str, str]:
        """The form's hidden fields."""
        return {name: html.unescape(value) for name, value in HIDDEN.findall(self.answer.text)}

    @property
    def features(self) -> dict[str, tuple[bool, bool]]:
        """Each feature: whether it is chosen, whether that is fixed."""
        return {name: (bool(on), bool(fixed)) for name, on, fixed in CHECKBOX.findall(self.answer.text)}

    @property
    def vendor(self) -> str:
        """Where the page leads on to."""
        found = LINK.search(self.answer.text)
        assert found, self.answer.text
        return html.unescape(found[1])


@dataclass(slots=True)
class Browser:
    """One browser: it keeps cookies, and follows our own redirects as a person's does."""

    http: httpx.AsyncClient

    async def open(self, url: str) -> Page:
        """Open an address."""
        return Page(await self.http.get(url))

    async def choose(self, page: Page, features: Sequence[str] | None = None, *, way: str = "", **typed: str) -> Page:
        """Send the form as it is shown, or with these features; `typed` fills fields in."""
        path = page.answer.url.path
        chosen = (
            features
            if features is not None
            else [name for name, (on, fixed) in page.features.items() if on and not fixed]
        )
        form = {
            **page.hidden,
            "feature": list(chosen),
            "way": way,
            **{f"set-{name}": value for name, value in typed.items()},
        }
        return Page(await self.http.post(path, data=form, headers={"origin": str(self.http.base_url).rstrip("/")}))

    async def paste(self, page: Page, landed: str) -> Page:
        """Paste an address on the page that asks for one."""
        path = f"{page.answer.url.path.removesuffix('/paste')}/paste"
        return Page(
            await self.http.post(
                path, data={**page.hidden, "landed": landed}, headers={"origin": str(self.http.base_url).rstrip("/")}
            )
        )


@dataclass(slots=True)
class Rig:
    """See the module."""

    app: App
    asgi: Any
    browser: Browser
    base_url: str
    other_team: Team
    other_admin: Member
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def say(
        self, words: str, *, by: str = "owner", token: str = "", place: Place = ROOM, team: str = ""
    ) -> Reply:
        """Say something, or press a button, and return the answer."""
        key = f"console:{by}:{next(self._numbers)}"
        incoming = Incoming(key, team or self.app.team.team_id, Actor(place.chat, by, by), place, words, token=token)
        before = await self.mark()
        await self.app.events.take(incoming)
        await dispatch.handle(incoming, self.app.desk)
        return (await self.said(before))[-1]

    async def link(self, words: str, **how: Any) -> str:
        """Ask for a link and return its address."""
        reply = await self.say(words, **how)
        assert isinstance(reply, ConnectOffered), reply
        return reply.url

    async def mark(self) -> int:
        """Where the talk is now."""
        async with self.app.database.read() as db_session:
            return max((await db_session.execute(select(col(OutboxRow.outbox_id)))).scalars(), default=0)

    async def said(self, after: int = 0) -> list[Reply]:
        """What was said since, in order."""
        statement = select(OutboxRow).where(col(OutboxRow.outbox_id) > after).order_by(col(OutboxRow.outbox_id))
        async with self.app.database.read() as db_session:
            return [load_reply(row.reply) for row in (await db_session.execute(statement)).scalars()]

    async def places_of(self, kind: str) -> list[tuple[str, str]]:
        """Where replies of a kind were said: place and thread."""
        async with self.app.database.read() as db_session:
            rows = (await db_session.execute(select(OutboxRow).order_by(col(OutboxRow.outbox_id)))).scalars()
            return [(row.place_id, row.thread_id) for row in rows if type(load_reply(row.reply)).__name__ == kind]

    async def stores(self) -> list[Store]:
        """The connected stores that are not built in."""
        return [
            one
            for one in await self.app.stores.rows.list(self.app.team.team_id)
            if one.store_id != self.app.shelf.store_id
        ]

    async def audit(self) -> list[AuditEntry]:
        """The team's audit, the oldest first."""
        async with self.app.desk.work.reading() as rows:
            return list(reversed(await rows.history(self.app.team.team_id, sku=None, limit=100)))

    async def kept(self) -> tuple[object, ...]:
        """Everything a refused answer must leave alone."""
        async with self.app.database.read() as db_session:
            stores = list((await db_session.execute(select(StoreRow.store_id, StoreRow.credentials))).all())  # type: ignore[call-overload]
            states = list((await db_session.execute(select(StoreStateRow.store_id, StoreStateRow.tokens))).all())  # type: ignore[call-overload]
            scopes = list((await db_session.execute(select(StoreScopeRow.store_id, StoreScopeRow.scope))).all())  # type: ignore[call-overload]
        return stores, states, scopes, await self.audit()

    async def links(self) -> list[ConnectLinkRow]:
        """Every link that is kept."""
        async with self.app.database.read() as db_session:
            return list((await db_session.execute(select(ConnectLinkRow))).scalars())

    async def change_links(self, **values: object) -> None:
        """Change every link behind the bot's back: what time, or somebody with the database, does."""
        async with self.app.database.begin() as db_session:
            for row in (await db_session.execute(select(ConnectLinkRow))).scalars():
                for name, value in values.items():
                    setattr(row, name, value)

    @asynccontextmanager
    async def another_browser(self, cookies: Mapping[str, str] | None = None) -> AsyncIterator[Browser]:
        """Open a browser of somebody else's."""
        async with _http(self.asgi, self.base_url) as http:
            for name, value in (cookies or {}).items():
                http.cookies.set(name, value)
            yield Browser(http)

    async def cookie_of(self, member: Member) -> dict[str, str]:
        """Sign a member in to the console and return the cookie."""
        code = await self.app.logins.offer(member.member_id, now=utc_now())
        cookie = await self.app.logins.redeem(code, now=utc_now())
        assert cookie
        return {"packshot_console": cookie}


def _http(asgi: Any, base_url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url=base_url, follow_redirects=True)


@asynccontextmanager
async def open_rig(template: Path, folder: Path, **env: str) -> AsyncIterator[Rig]:
    """Open a bot on a copy of a migrated folder."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    settings = settings_of(folder, **env)
    base_url = settings.public_url or f"http://127.0.0.1:{settings.port}"
    async with open_app(settings, base_url=base_url) as app:
        await ensure_member(
            app.database, app.team.team_id, "edith", Role.EDITOR, Actor(ChatName.CONSOLE, "edith", "edith")
        )
        await ensure_member(app.database, app.team.team_id, "ada", Role.ADMIN, Actor(ChatName.CONSOLE, "ada", "ada"))
        other = await ensure_team(app.database, "Another shop")
        olga = await ensure_member(
            app.database, other.team_id, "olga", Role.ADMIN, Actor(ChatName.CONSOLE, "olga", "olga")
        )
        asgi = web_app(app, port=settings.port)
        async with _http(asgi, base_url) as http:
            yield Rig(app, asgi, Browser(http), base_url, other, olga)


async def make_template(folder: Path) -> None:
    """Migrate once for all tests."""
    await migrate_all(settings_of(folder))
