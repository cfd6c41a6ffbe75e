"""Sends any bytes to an ASGI application, as a server would hand them on, and judges what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp, Message

ANSWER_LIMIT_S: Final = 30.0
CHUNK_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `kind` is what it tries; `route` the route it is made for; `path` as it stands on the wire.

    `is_open`: this very request may be answered with 2xx by anybody (a storefront, a sign of life).
    """

    kind: str
    route: str
    method: str
    path: str
    query: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""
    tells_length: bool = True
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 599 where the application fell over before it said anything."""

    status: int
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""

    def header(self, name: bytes) -> list[str]:
        """Return every value of a header."""
        return [value.decode("latin-1") for key, value in self.headers if key.lower() == name]


async def send(app: ASGIApp, ask: Ask, *, peer: str) -> Answer:
    """Send one and return the whole answer."""
    headers = [(name.lower(), value) for name, value in ask.headers]
    if ask.tells_length and ask.body and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(ask.body)).encode()))
    parts = [ask.body[start : start + CHUNK_BYTES] for start in range(0, len(ask.body), CHUNK_BYTES)] or [b""]
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages[-1]["more_body"] = False
    said = Answer(599)
    body = bytearray()

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def give(message: Message) -> None:
        nonlocal said
        if message["type"] == "http.response.start":
            said = Answer(message["status"], list(message.get("headers", ())))
        else:
            body.extend(message.get("body", b""))

    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": ask.method, "scheme": "https",
        "path": unquote(ask.path), "raw_path": ask.path.encode("ascii", "replace"), "query_string": ask.query,
        "root_path": "", "headers": headers, "client": (peer, 40_000), "server": ("shop.example", 443), "state": {},
    }  # fmt: skip
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            await app(scope, receive, give)
    except Exception as error:  # noqa: BLE001 - what a server would log as its own 500
        return Answer(max(said.status, 500), said.headers, repr(error).encode())
    return Answer(said.status, said.headers, bytes(body))


@dataclass(slots=True)
class Tally:
    """Counts by kind. `accepted` and `broken` hold what must never be."""

    sent: dict[str, int] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    accepted: list[tuple[str, Ask, int]] = field(default_factory=list)
    broken: list[tuple[Ask, Answer]] = field(default_factory=list)
    wordy: list[tuple[Ask, Answer]] = field(default_factory=list)
    """Refusals that are more than one sentence, or leak how we are made."""

    @property
    def total(self) -> int:
        """How many were sent."""
        return sum(self.sent.values())


@dataclass(frozen=True, slots=True)
class Judge:
    """Knows what would be a loss. `secrets` must stand in no answer; `changes` counts the database's commits."""

    secrets: Sequence[bytes]
    changes: Callable[[], int]
    host: str

    def losses(self, ask: Ask, answer: Answer, *, changed: bool) -> list[str]:
        """Return what an answer gave away, in a word each."""
        found = []
        if changed:
            found.append("changed")
        if any(_gives_cookie(value) for value in answer.header(b"set-cookie")):
            found.append("cookie")
        told = answer.body + b"\n".join(value for _, value in answer.headers)
        if any(secret in told for secret in self.secrets):
            found.append("secret")
        if any(not self._is_ours(value) for value in answer.header(b"location")):
            found.append("elsewhere")
        if 200 <= answer.status < 300 and not ask.is_open:
            found.append("opened")
        return found

    def _is_ours(self, location: str) -> bool:
        parts = urlsplit(location.replace("\\", "/"))
        return (not parts.netloc and not parts.scheme) or parts.netloc == self.host


def _gives_cookie(value: str) -> bool:
    pair, *rest = value.split(";")
    is_taken_back = any(part.strip().lower() == "max-age=0" for part in rest)
    return bool(pair.partition("=")[2].strip(' "')) and not is_taken_back


async def assault(app: ASGIApp, asks: Sequence[Ask], judge: Judge) -> Tally:
    """Send them all, each from an address of its own so that no limit of rates hides what stands behind it."""
    tally, before = Tally(), judge.changes()
    for number, ask in enumerate(asks):
        peer = f"198.{18 + number // 65_536 % 2}.{number // 256 % 256}.{number % 256}"
        answer = await send(app, ask, peer=peer)
        now = judge.changes()
        tally.sent[ask.kind] = tally.sent.get(ask.kind, 0) + 1
        tally.statuses[answer.status] = tally.statuses.get(answer.status, 0) + 1
        tally.accepted += [(loss, ask, answer.status) for loss in judge.losses(ask, answer, changed=now != before)]
        before = now
        if answer.status >= 500:
            tally.broken.append((ask, answer))
        elif answer.status >= 400 and _is_wordy(answer):
            tally.wordy.append((ask, answer))
    return tally


def _is_wordy(answer: Answer) -> bool:
    is_page = any(value.startswith("text/html") for value in answer.header(b"content-type"))
    text = answer.body.decode("utf-8", "replace")
    return "Traceback" in text or 'File "' in text or (not is_page and len(text.strip().splitlines()) > 1)
