"""The console's way in: a page, two verbs (say, press), and the room's lines.

Durable before acknowledged: the bytes are in the media storage and the event is a row before the
browser hears 202. Pixels are never looked at here; an unreadable photo is an event like any other
and is refused by its handler, in the conversation, where the person can see which one it was.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from domain.catalog import Sha256
from domain.chat_ports import Events
from domain.intents import Incoming
from domain.logins import ConsoleLogins
from domain.people import Member
from domain.picture_ports import MediaStorage
from domain.ports import Clock, Work
from domain.replies import Reply
from domain.rows import ConsoleLines
from domain.stripped import without_metadata
from handlers.console.chat import ROOM, actor_of, event_key
from handlers.console.entry import Entry
from handlers.console.guard import Door, Guard, Refusal, Visitor, no_pause
from handlers.console.lines import PAGE_LINES, Reader
from handlers.console.pages import console_page, static_files
from handlers.console.uploads import read_sent

_EVENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ConsoleDesk:
    """All that the console asks of the others; `bot/app.py` fills it.

    `provisional` is what to show at once for an event (`Working` for a request for pictures) or None.
    `is_handled` is whether an event was concluded and everything it said has been delivered.
    `member_pause_s` is told of everything a member asks, and returns how long they have to wait, 0 for not at all.
    `hosts` are the Host headers we answer to, port included: `127.0.0.1:8080`, `shop.example`.
    `is_https` is whether browsers reach us over TLS that ends before us, which the request cannot tell.
    """

    events: Events
    lines: ConsoleLines
    logins: ConsoleLogins
    media: MediaStorage
    work: Work
    clock: Clock
    local_key: str
    hosts: frozenset[str]
    is_https: bool
    max_upload_bytes: int
    member_named: Callable[[str, str], Awaitable[Member | None]]
    provisional: Callable[[Incoming, Member], Reply | None]
    is_handled: Callable[[str], Awaitable[bool]]
    dump_reply: Callable[[Reply], dict[str, Any]]
    member_pause_s: Callable[[str], float] = no_pause


def console_routes(desk: ConsoleDesk) -> list[BaseRoute]:
    """Return every route under /console, each behind the guard."""
    entry = Entry(desk.logins, desk.work, desk.clock, desk.is_https)
    listeners = Listeners(desk, entry)
    hosts = frozenset(host.lower() for host in desk.hosts)
    guard = [Middleware(Guard, hosts=hosts)]
    table: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
        ("GET", "/console", listeners.page),
        ("POST", "/console/join", entry.join),
        ("POST", "/console/leave", listeners.leave),
        ("POST", "/console/say", listeners.say),
        ("POST", "/console/press", listeners.press),
        ("GET", "/console/lines", listeners.lines),
        ("GET", "/console/stream", listeners.stream),
        ("GET", "/console/events/{event_key:path}", listeners.event),
        ("GET", "/console/photos/{sha256}", listeners.photo),
        ("GET", "/console/static/{name}", static_files()),
    ]
    return [Route(path, endpoint, methods=[method], middleware=guard) for method, path, endpoint in table]


class Listeners:
    """One method a route."""

    def __init__(self, desk: ConsoleDesk, entry: Entry) -> None:
        self._desk = desk
        self._entry = entry
        self._door = Door(desk.logins, desk.member_named, desk.local_key, desk.clock, desk.member_pause_s)

    async def page(self, request: Request) -> Response:
        """Show the chat; a one-time code in the address is redeemed first."""
        if code := request.query_params.get("code", ""):
            return await self._entry.redeem(request, code)
        visitor = await self._door.look(request)
        if visitor is None:
            return self._entry.turned_away(request)
        cursor = await self._desk.lines.recent_cursor(visitor.member.team_id, ROOM.place_id, lines=PAGE_LINES)
        return HTMLResponse(
            console_page(
                member=visitor.member,
                csrf=visitor.csrf,
                max_upload_bytes=self._desk.max_upload_bytes,
                cursor=cursor,
            )
        )

    async def leave(self, request: Request) -> Response:
        """End the login."""
        visitor = await self._door.writer(request)
        await self._desk.logins.end(visitor.cookie)
        return self._entry.forgotten()

    async def say(self, request: Request) -> Response:
        """Take text and photos as one event."""
        visitor = await self._door.writer(request)
        key = event_key(visitor.member, _event_id(request))
        sent = await read_sent(request, max_bytes=self._desk.max_upload_bytes)
        if not sent.text and not sent.photos:
            raise Refusal(400, "There was nothing in it: write something or attach a photo.")
        contents = [await asyncio.to_thread(without_metadata, photo) for photo in sent.photos]
        photos = tuple([await self._desk.media.write(content) for content in contents])
        written = dict(zip(photos, contents, strict=True))
        return await self._take(visitor, self._incoming(visitor, key, text=sent.text, photos=photos), written)

    async def press(self, request: Request) -> Response:
        """Take a button as an event; whether it may be pressed is the handler's to say."""
        visitor = await self._door.writer(request)
        key = event_key(visitor.member, _event_id(request))
        sent = await read_sent(request, max_bytes=self._desk.max_upload_bytes)
        if not sent.token:
            raise Refusal(400, "There was no button in it: reload the page.")
        incoming = self._incoming(visitor, key, text=sent.text, token=sent.token, options=sent.options)
        return await self._take(visitor, incoming)

    async def lines(self, request: Request) -> Response:
        """Return a page of the room."""
        reader = self._reader(await self._door.reader(request))
        return JSONResponse(await reader.page(_cursor(request.query_params.get("after", "0"))))

    async def stream(self, request: Request) -> Response:
        """Follow the room. A browser that reconnects says where it was in Last-Event-ID."""
        visitor = await self._door.reader(request)
        after = request.headers.get("last-event-id") or request.query_params.get("after", "0")

        async def still_here() -> bool:
            return await self._door.look(request) is not None

        events = self._reader(visitor).stream(_cursor(after), still_here=still_here)
        # A proxy that buffers (nginx) would hold every line back.
        return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def event(self, request: Request) -> Response:
        """Return what became of one of the reader's own events."""
        visitor = await self._door.reader(request)
        key: str = request.path_params["event_key"]
        if not key.startswith(event_key(visitor.member, "")):
            raise Refusal(404, "There is no event of yours with that key.")
        # Asked first: lines that come in between are then in the answer, never missing from it.
        handled = await self._desk.is_handled(key)
        lines = await self._reader(visitor).of_event(key, self._desk.dump_reply)
        return JSONResponse({"handled": handled, "lines": lines})

    async def photo(self, request: Request) -> Response:
        """Return photo bytes; the type is what the bytes are, never what somebody said."""
        visitor = await self._door.reader(request)
        name: str = request.path_params["sha256"]
        # Bytes may be shared by teams, and a name that leaked is no right to see them.
        if not _SHA256.fullmatch(name) or not await self._desk.lines.shows(visitor.member.team_id, Sha256(name)):
            raise Refusal(404, "There is no such photo.")
        content = await self._desk.media.get(Sha256(name))
        headers = {"Cache-Control": "private, max-age=31536000, immutable", "Content-Security-Policy": "sandbox"}
        content_type = sniffed_type(content)
        if content_type == "application/octet-stream":
            headers["Content-Disposition"] = "attachment"
        return Response(content, media_type=content_type, headers=headers)

    def _reader(self, visitor: Visitor) -> Reader:
        return Reader(self._desk.lines, visitor.member, self._desk.hosts, visitor.session)

    def _incoming(
        self,
        visitor: Visitor,
        key: str,
        *,
        text: str,
        photos: tuple[Sha256, ...] = (),
        token: str = "",
        options: dict[str, str] | None = None,
    ) -> Incoming:
        member = visitor.member
        return Incoming(key, member.team_id, actor_of(member), ROOM, text, photos, token, options or {})

    async def _take(
        self, visitor: Visitor, incoming: Incoming, written: Mapping[Sha256, bytes] | None = None
    ) -> Response:
        # False means that the same event was taken before: the answer to a repeated POST is the same.
        working = self._desk.provisional(incoming, visitor.member)
        await self._desk.events.take(incoming, working=working, written=written)
        return JSONResponse({"event": incoming.event_key}, 202)


def sniffed_type(content: bytes) -> str:
    """Return the image type that the first bytes show, `application/octet-stream` for anything else."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in {b"heic", b"heix", b"hevc", b"mif1", b"msf1"}:
        return "image/heic"
    return "application/octet-stream"


def _event_id(request: Request) -> str:
    event_id = request.headers.get("x-event-id") or uuid.uuid4().hex
    if not _EVENT_ID.fullmatch(event_id):
        raise Refusal(400, "X-Event-Id wants 8 to 64 letters, digits, - or _.")
    return event_id


def _cursor(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Refusal(400, "A cursor is a number.")
    return int(text)
