"""Every command, button and route of a deployment with two shops, tried by one shop's people with the other's things.

What is tried is read off the house itself: the command table, the actions of the buttons, the routes of the web
application and the ids in the other shop's rows. So what somebody adds tomorrow is tried tomorrow. A leak is a word
or an id of the other shop in anything that comes back or is written down for us, unless we typed it ourselves in that
very attempt; and any change of a row that is theirs.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlencode

from sqlalchemy import func, select
from sqlmodel import col
from starlette.routing import BaseRoute, Mount, Route

from bot.clock import utc_now
from domain.intents import Incoming
from domain.people import Actor, ChatName, Place, Role
from domain.tokens import Action
from handlers.commands import COMMANDS
from handlers.console.guard import COOKIE, csrf_token
from handlers.desk import Desk
from storage.bootstrap import ensure_member
from storage.tables import OutboxRow
from tests.trust.tenants import PORT, Deployment, Names, Tenant, marked

_TOKEN_ID = re.compile(r"[A-Za-z0-9_-]{8,40}")
TRIES_A_MEMBER = 60
"""Requests of one member before another one goes on: nobody may be refused for being fast."""
PUBLIC = "/shelf"
"""The window of the built-in store, which is for everybody: what is published there may be seen there."""


@dataclass(slots=True)
class Report:
    """What was tried, and what came back that must not."""

    commands: int = 0
    routes: int = 0
    buttons: int = 0
    attempts: int = 0
    leaks: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.commands} commands × {self.routes} routes × {self.buttons} buttons tried "
            f"({self.attempts} attempts), leaks {len(self.leaks)}"
        )


@dataclass(slots=True)
class Walk:
    """One shop's people (`us`) among the other's things (`them`); `desk` is the app's own unless a test plants one."""

    deployment: Deployment
    us: Tenant
    them: Tenant
    names: Names
    desk: Desk | None = None
    actions: Sequence[Action] = tuple(Action)
    is_thorough: bool = True
    """Else one thing of theirs a command and a few of their ids a button: enough to see that it is the same both ways."""
    report: Report = field(default_factory=Report)
    _logins: Iterator[tuple[str, str]] | None = None
    _addresses: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _asked: int = 0
    _login: tuple[str, str] = ("", "")

    # ------------------------------------------------------------ commands and buttons

    async def commands(self) -> None:
        """Type every command with every kind of thing of theirs, in the console and in their own group."""
        group = Place(ChatName.TELEGRAM, f"-100{self.them.word('group')}")
        there = await self.deployment.desk_of(self.us).at(group, self.us.people[ChatName.TELEGRAM])
        for command in COMMANDS:
            self.report.commands += 1
            example = command.example.replace("MUG-01", self.them.sku)
            texts = [example, *(f"{command.name} {words}".strip() for words in self._arguments())]
            await self._try(command.name, [self.deployment.said(self.us, text) for text in texts])
            in_group = {"chat": ChatName.TELEGRAM, "place": group, "team_id": there.team_id}
            # A group of theirs is theirs: what a stranger says there, and how they are refused, stands in their rows.
            await self._try(command.name, [self.deployment.said(self.us, example, **in_group)], theirs_may_grow=True)
        answering = [self.deployment.said(self.us, "card", reply_to=each) for each in sorted(self.names.samples)]
        await self._try("an answer to a message of theirs", answering)

    async def buttons(self) -> None:
        """Press every action with every id of theirs that could stand in a token."""
        subjects = sorted(each for each in self.names.samples if _TOKEN_ID.fullmatch(each))
        subjects = subjects if self.is_thorough else subjects[::4]
        for action in self.actions:
            tokens = [f"v1:{action.value}:{subject}:{1 if len(subject) == 22 else 0}" for subject in subjects]
            self.report.buttons += len(tokens)
            await self._try(action.value, [self.deployment.said(self.us, token=token) for token in tokens])

    def _arguments(self) -> Sequence[str]:
        """Return what a command may be followed by: a product, a store, a person, an id, and their mixtures."""
        if not self.is_thorough:
            return (self.them.sku,)
        member = self.them.people[ChatName.CONSOLE].name
        enhancement = next((each for each in sorted(self.names.ids) if len(each) == 22), "")
        return (
            "",
            f"{self.them.sku} on {self.them.word('store')}",
            f"{self.them.sku} 3",
            member,
            f"{member} viewer",
            self.them.word("store"),
            self.them.word("shop"),
            enhancement,
        )

    async def _try(self, what: str, events: Sequence[Incoming], *, theirs_may_grow: bool = False) -> None:
        self.report.attempts += len(events)
        app = self.deployment.app
        async with app.database.read() as db_session:
            last = (await db_session.execute(select(func.max(col(OutboxRow.outbox_id))))).scalar_one() or 0
        before = await self.deployment.rows(of=self.them.team_id)
        await self.deployment.hear(*events, desk=self.desk)
        if not theirs_may_grow:
            self._changed(what, before, await self.deployment.rows(of=self.them.team_id))
        async with app.database.read() as db_session:
            said = (await db_session.execute(select(OutboxRow).where(col(OutboxRow.outbox_id) > last))).scalars().all()
        asked = {event.event_key: event for event in events}
        answered = {row.cause for row in said}
        self.report.leaks += [
            f"{what}: no answer to {asked[key].text or asked[key].token}" for key in asked.keys() - answered
        ]
        for row in said:
            event = asked.get(row.cause)
            typed = f"{event.text} {event.token}" if event else ""
            self._judge(f"{what} ({typed.strip()})", [json.dumps(row.reply)], typed=typed)

    def _changed(self, what: str, before: dict[str, list[str]], after: dict[str, list[str]]) -> None:
        for table in before:
            if before[table] != after[table]:
                self.report.leaks.append(f"{what}: a row of theirs changed in {table}")

    # ------------------------------------------------------------ routes

    async def routes(self, routes: Sequence[BaseRoute]) -> None:
        """Ask for every route with every id of theirs, by every method it takes, signed in and signed out."""
        for route in _flat(routes):
            self.report.routes += 1
            before = await self.deployment.rows(of=self.them.team_id)
            for path in self._paths(route):
                for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
                    for query, body in self._questions(method, has_names=bool(route.param_convertors)):
                        await self._ask(method, f"{path}{query}", body)
            self._changed(route.path, before, await self.deployment.rows(of=self.them.team_id))

    def _paths(self, route: Route) -> Iterable[str]:
        names = list(route.param_convertors)
        if not names:
            return [route.path]
        values = [*sorted(self.names.samples), *sorted(self.names.words)[:20], self.them.store_id, "shelf", "shopify"]
        values = values if self.is_thorough else values[::5]
        if len(names) == 1:
            return [route.path_format.format(**{names[0]: quote(value, safe="")}) for value in values]
        some = [*sorted(self.names.words)[:8], self.them.store_id, "shelf"]
        return [
            route.path_format.format(**dict(zip(names, (quote(one, safe="") for one in each), strict=True)))
            for each in itertools.product(some, repeat=len(names))
        ]

    def _questions(self, method: str, *, has_names: bool) -> Iterable[tuple[str, bytes]]:
        typed = dict.fromkeys(
            ("after", "code", "link", "state", "join", "page", "store", "team", "name", "id", "shop", "q"),
            self.them.sku,
        )
        if method == "GET" and has_names:
            return [("", b"")]
        if method == "GET":
            return [("", b""), ("?after=0", b""), (f"?{urlencode(typed)}", b"")]
        form = {"text": f"product {self.them.sku}", "csrf": self._login[1], **typed}
        return [("", b""), ("", urlencode(form).encode())]

    async def _ask(self, method: str, path: str, body: bytes) -> None:
        self.report.attempts += 1
        await self._signed_in()
        status, answer = await asgi(
            self.deployment.web, method, path, body, cookie=self._login[0], csrf=self._login[1],
            address=f"10.{next(self._addresses) // 250 % 250}.0.{next(self._addresses) % 250}",
        )  # fmt: skip
        if status == 429:
            self.report.leaks.append(f"{method} {path}: was not tried, it was refused as too often")
        typed = f"{path} {body.decode()}"
        public = self.them.public if path.startswith(PUBLIC) else None
        self._judge(f"{method} {path}", [answer], typed=typed, public=public)

    async def _signed_in(self) -> None:
        """Go on as another member of ours before anybody is told to wait."""
        if self._asked % TRIES_A_MEMBER == 0:
            app, name = self.deployment.app, f"{self.us.word('walker')}{self._asked}"
            actor = Actor(ChatName.CONSOLE, name, name)
            member = await ensure_member(app.database, self.us.team_id, name, Role.ADMIN, actor)
            cookie = await app.logins.redeem(await app.logins.offer(member.member_id, now=utc_now()), now=utc_now())
            assert cookie is not None
            login = await app.logins.find(cookie, now=utc_now())
            assert login is not None
            self._login = cookie, csrf_token(login.csrf)
        self._asked += 1

    # ------------------------------------------------------------ judging

    def _judge(self, what: str, answers: Iterable[str], *, typed: str, public: Names | None = None) -> None:
        allowed = set(marked(typed, self.them.mark)) | (public.words if public else set())
        secret = self.names.ids - public.ids if public else self.names.ids
        for answer in answers:
            words = {word for word in marked(answer, self.them.mark) if not _is_within(word, allowed)}
            # An id that has their mark in it is a word of theirs, and judged as one.
            ids = {
                each for each in secret if each in answer and each not in typed and self.them.mark not in each.lower()
            }
            if words or ids:
                self.report.leaks.append(f"{what}: {sorted(words | ids)[:4]}")

    async def leftovers(self) -> None:
        """Look through every row that is not theirs for what nobody of ours has ever typed."""
        never_typed = {self.them.word(stem) for stem in ("reason", "caption", "photo1", "alt", "variant", "said")}
        for table, rows in (await self.deployment.rows(but=self.them.team_id)).items():
            for row in rows:
                if found := never_typed & set(marked(row, self.them.mark)):
                    self.report.leaks.append(f"a row of ours in {table} says {sorted(found)}")


async def asgi(
    app: Any, method: str, path: str, body: bytes, *, cookie: str, csrf: str, address: str
) -> tuple[int, str]:
    """Ask a web application as a browser does; an answer without end is heard up to its second piece."""
    host = f"127.0.0.1:{PORT}"
    headers = {
        "host": host, "origin": f"http://{host}", "cookie": f"{COOKIE}={cookie}", "x-csrf": csrf,
        "content-type": "application/x-www-form-urlencoded", "content-length": str(len(body)),
    }  # fmt: skip
    raw_path, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(raw_path), "raw_path": raw_path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": (address, 4000), "server": ("127.0.0.1", PORT),
    }  # fmt: skip
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    incoming.put_nowait({"type": "http.request", "body": body, "more_body": False})
    enough, status, heard = asyncio.Event(), 0, []
    pieces = itertools.count(1)

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            heard.extend(f"{name.decode()}: {value.decode()}" for name, value in message["headers"])
        elif message["type"] == "http.response.body":
            heard.append(message.get("body", b"").decode(errors="replace"))
            if not message.get("more_body") or next(pieces) >= 2:
                enough.set()

    answering = asyncio.ensure_future(app(scope, incoming.get, send))
    waiting = asyncio.ensure_future(enough.wait())
    await asyncio.wait({answering, waiting}, return_when=asyncio.FIRST_COMPLETED)
    incoming.put_nowait({"type": "http.disconnect"})
    for task in (answering, waiting):
        if not (task is answering and answering.done()):
            task.cancel()
    await asyncio.gather(answering, waiting, return_exceptions=True)
    return status, "\n".join(heard)


def _flat(routes: Iterable[BaseRoute]) -> Iterator[Route]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _flat(route.routes)
        elif isinstance(route, Route):
            yield route


def _is_within(word: str, allowed: Iterable[str]) -> bool:
    """Whether a word is one that may be said, or a part of one: a text may be cut."""
    return any(word in each for each in allowed)
