"""The gate that every request passes: shape, Host, Origin, rate, size and time, and the headers of every answer.

It stands around all routes, so that a new one is behind it without being told. What it refuses gets a status and one
sentence, and one line in the log; so does what a route refuses. It reads no body: it counts while others read.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.gate_rules import Rule
from bot.rates import Rate, Rates
from bot.settings import Network

log = logging.getLogger("packshot.web")

METHODS: Final = frozenset({"GET", "HEAD", "POST"})
PATH_BYTES_MOST: Final = 2_048
QUERY_BYTES_MOST: Final = 8_192
"""OAuth answers are the longest there are, some 2,000 characters."""
HEADERS_MOST: Final = 100
HEADER_BYTES_MOST: Final = 32_768

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    # `same-origin` and not `no-referrer`: under the latter browsers send `Origin: null` with a form.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""What an answer carries that says nothing of its own: a page's policy is set where the page is made."""
SENDING_S: Final = 900.0
"""The longest that an answer may take to be fetched once it has begun."""
HSTS: Final = "max-age=31536000"
TOLD: Final = Rate(per_s=0.2, burst=60)
"""How often the refusals of one address are told in the log: a flood must not fill the disk."""


class _Refused(Exception):
    """Ends a request; `status` and one sentence."""

    def __init__(self, status: int, sentence: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Doorplate:
    """Who we are to others. `hosts`: what a Host header may say. `trusted`: whose X-Forwarded-For is believed."""

    hosts: frozenset[str]
    is_https: bool = False
    trusted: Sequence[Network] = ()


@dataclass(slots=True)
class _Passage:
    """One request on its way: its body is counted, its answer gets its headers."""

    rule: Rule
    headers: Sequence[tuple[bytes, bytes]]
    receive: Receive
    send: Send
    tell: Callable[[int], None]
    limit: asyncio.Timeout | None = None
    is_started: bool = False
    is_read: bool = False
    size_bytes: int = 0

    async def take(self) -> Message:
        """Return the next part of the body. Raises _Refused once it is more than the rule allows."""
        message = await self.receive()
        if message["type"] == "http.request":
            self.size_bytes += len(message.get("body", b""))
            self.is_read = not message.get("more_body", False)
            if self.size_bytes > self.rule.body_bytes:
                raise _too_large(self.rule)
        return message

    async def give(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.is_started = True
            if self.limit is not None and self.limit.when() is not None:
                # From here on it is the line that is slow: a big file over a phone's takes minutes.
                self.limit.reschedule(asyncio.get_running_loop().time() + SENDING_S)
            own = list(message.get("headers", ()))
            named = {name.lower() for name, _ in own}
            message["headers"] = [*own, *(pair for pair in self.headers if pair[0] not in named)]
            if 400 <= message["status"] < 500:
                self.tell(message["status"])
        await self.send(message)


class Gate:
    """ASGI middleware around the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        rules: Sequence[Rule],
        plate: Doorplate,
        rates: Rates,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self._rules = rules
        self._plate = plate
        self._rates = rates
        self._monotonic = monotonic
        given = HEADERS | ({"Strict-Transport-Security": HSTS} if plate.is_https else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in given.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, or answer in its place."""
        if scope["type"] == "websocket":  # no route speaks it
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        rule = next(rule for rule in self._rules if rule.holds_for(scope["path"]))
        passage = _Passage(rule, self._headers, receive, send, lambda status: self._tell(scope, status))
        try:
            self._check(scope, rule)
            async with asyncio.timeout(rule.seconds) as limit:
                passage.limit = limit
                try:
                    await self.app(scope, passage.take, passage.give)
                finally:
                    passage.limit = None
        except _Refused as refused:
            if passage.is_started:
                raise
            await self._answer(scope, refused)(scope, receive, passage.give)
        except TimeoutError:
            if passage.is_started or not limit.expired():
                raise
            await self._answer(scope, _too_late(passage))(scope, receive, passage.give)

    # ------------------------------------------------------------ checks

    def _check(self, scope: Scope, rule: Rule) -> None:
        """Raise _Refused; the cheapest question first."""
        if scope["method"] not in METHODS:
            raise _Refused(405, "I only know GET, HEAD and POST.")
        if len(scope.get("raw_path") or scope["path"].encode()) > PATH_BYTES_MOST:
            raise _Refused(414, "That address is longer than any of mine.")
        if len(scope["query_string"]) > QUERY_BYTES_MOST:
            raise _Refused(414, "That address is longer than any of mine.")
        sizes = [len(name) + len(value) for name, value in scope["headers"]]
        if len(sizes) > HEADERS_MOST or sum(sizes) > HEADER_BYTES_MOST:
            raise _Refused(431, "Those are more headers than I read: delete this site's cookies and try again.")
        headers = Headers(scope=scope)
        address = scope.setdefault("state", {})["address"] = self.address(scope, headers)
        key = f"{rule.path} {address}"
        if pause_s := self._rates.take(key, rule.rate, self._monotonic()):
            raise _Refused(429, "That is too often: wait a moment, then try again.", retry_after_s=pause_s)
        if rule.is_page:
            self._check_page(scope, headers)
        declared = headers.get("content-length", "0")
        if not (declared.isascii() and declared.isdigit() and len(declared) < 16):
            raise _Refused(400, "The length of that request is no number.")
        if int(declared) > rule.body_bytes:
            raise _too_large(rule)

    def _check_page(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "").lower()
        if host not in self._plate.hosts:
            raise _Refused(421, "I do not answer to that address: set PUBLIC_URL to the one you use.")
        # The command line has no Origin and proves itself by a key that no page can know.
        if scope["method"] == "POST" and "authorization" not in headers:
            try:
                origin = urlsplit(headers.get("origin", ""))
                is_ours = origin.scheme in {"http", "https"} and origin.netloc.lower() == host
            except ValueError:
                is_ours = False
            # Only the host is compared: behind a tunnel the page is https and we are asked over http.
            if not is_ours:
                raise _Refused(403, "That did not come from one of my own pages, so nothing was done.")

    def address(self, scope: Scope, headers: Headers) -> str:
        """Return who asks: the peer, or whom a trusted proxy names; an IPv6 address as its /64, which one person has."""
        peer = scope["client"][0] if scope.get("client") else ""
        if self._plate.trusted:
            forwarded = [word.strip() for word in headers.get("x-forwarded-for", "").split(",") if word.strip()]
            while forwarded and self._is_trusted(peer):
                peer = forwarded.pop()
        return _household(peer)

    def _is_trusted(self, peer: str) -> bool:
        try:
            found = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(found in network for network in self._plate.trusted)

    # ------------------------------------------------------------ answers

    def _answer(self, scope: Scope, refused: _Refused) -> Response:
        headers = {"Cache-Control": "no-store", "Connection": "close"}
        if refused.retry_after_s:
            headers["Retry-After"] = str(math.ceil(refused.retry_after_s))
        scope.setdefault("state", {})["refused_because"] = str(refused)
        if scope["method"] == "POST":
            return JSONResponse({"error": str(refused)}, refused.status, headers)
        return PlainTextResponse(str(refused) + "\n", refused.status, headers)

    def _tell(self, scope: Scope, status: int) -> None:
        """One line for what was refused, here or by a route; a flood of one address and kind is told once a minute."""
        address = self.address(scope, Headers(scope=scope))
        if self._rates.take(f"told {status} {address}", TOLD, self._monotonic()):
            return
        because = scope.get("state", {}).get("refused_because", "")
        # The path may carry a code: only how it begins is told.
        path = "/".join(scope["path"].split("/")[:3])[:80]
        log.info(
            "refused",
            extra={"status": status, "method": scope["method"], "path": path, "address": address, "because": because},
        )


@lru_cache(maxsize=4096)
def _household(peer: str) -> str:
    try:
        found = ipaddress.ip_address(peer)
    except ValueError:
        return peer[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(found), 64), strict=False).network_address)
    return str(found)


def _too_late(passage: _Passage) -> _Refused:
    if passage.is_read:
        return _Refused(503, "That took too long, and may not be done: look, then try again.")
    return _Refused(408, "That came too slowly, so I stopped reading: try again on a better line.")


def _too_large(rule: Rule) -> _Refused:
    megabytes = rule.body_bytes / 1_000_000
    most = f"{megabytes:.0f} MB" if megabytes >= 1 else f"{rule.body_bytes // 1024} kB"
    return _Refused(413, f"That is larger than the {most} that I read here: send less at once.")
