"""A store's server on a real loopback socket, for a store's own fake to build on: it logs calls and makes faults.

Subclass `StoreServer`, give it state, and return its ways in from `ways()`:

    class WooServer(StoreServer):
        def ways(self) -> list[Way]:
            return [Way("GET", "/wp-json/wc/v3/products", "listProducts", self.list_products)]

    async with WooServer() as woo:  # woo.url, woo.calls
        woo.fail(Fault.LOST, at=2)  # the third call from now is done, and its answer never comes

A wire where every call has one address (GraphQL) overrides `operation_of`. Handlers take `Seen` and return a
`web.StreamResponse`; `answer_json` makes one.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import web

from platforms.buckets import Rate
from tests.fakes.limits import Limit, Limits

SECRET_MARK = "tok-secret-that-nobody-may-see"
"""What a fake's refusals quote, so that a test can see it cut out."""


class Fault(StrEnum):
    """What the outside world does to one call. The store acts for `ACTING` ones, and for no other."""

    TOO_MANY = "429"
    UNAUTHORISED = "401"
    FORBIDDEN = "403"
    MISSING = "404"
    BROKEN = "500"
    UNAVAILABLE = "503"
    HTML = "html"
    HUGE = "huge"
    HANG = "hang"
    CUT = "cut"
    ELSEWHERE = "redirect to another host"
    TEAPOT = "418"
    LOST = "acted, then cut"
    LOST_500 = "acted, then 500"
    LOST_HANG = "acted, then silent"
    EMPTY = "acted, answer empty"
    TRUNCATED = "acted, answer truncated"


ACTING = frozenset({Fault.LOST, Fault.LOST_500, Fault.LOST_HANG, Fault.EMPTY, Fault.TRUNCATED})
"""Faults that come after the store did what was asked."""
_STATUSES = {
    Fault.UNAUTHORISED: 401,
    Fault.FORBIDDEN: 403,
    Fault.MISSING: 404,
    Fault.BROKEN: 500,
    Fault.UNAVAILABLE: 503,
    Fault.TEAPOT: 418,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came in. `match` holds the path's `{names}`."""

    operation: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    match: Mapping[str, str]
    request: web.Request

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """Return a urlencoded body."""
        return dict(parse_qsl(self.body.decode()))


Handler = Callable[[Seen], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Way:
    """One address: aiohttp's path syntax, the vendor's name for the operation, and who answers."""

    method: str
    path: str
    operation: str
    handler: Handler


@dataclass(slots=True)
class _Planned:
    fault: Fault
    at: int
    operation: str
    times: int


@dataclass(slots=True)
class StoreServer:
    """See the module."""

    url: str = ""
    calls: list[Seen] = field(default_factory=list)
    retry_after: str = "1"
    """What a TOO_MANY says; empty for none."""
    huge_bytes: int = 30_000_000
    admits: Callable[[str], bool] | None = None
    """The store's own limits (tests/fakes/limits.py): whether a call of this operation is let in now."""
    _plans: list[_Planned] = field(default_factory=list)
    _runner: web.AppRunner | None = None
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    def ways(self) -> Sequence[Way]:
        """Return every way in."""
        raise NotImplementedError

    def operation_of(self, way: Way, body: bytes) -> str:
        """Return the name of what is asked; a GraphQL server looks into the document."""
        return way.operation

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=60_000_000)
        for way in self.ways():
            app.router.add_route(way.method, way.path, self._entry(way))
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def operations(self) -> list[str]:
        """The names of the calls so far, in order."""
        return [seen.operation for seen in self.calls]

    def counted(self) -> Counter[str]:
        """How often each operation was called."""
        return Counter(self.operations)

    def fail(self, fault: Fault, *, at: int = 0, operation: str = "", times: int = 1) -> None:
        """Make the call number `at` from now (0 is the next), among those of `operation` if named, go wrong."""
        self._plans.append(_Planned(fault, at, operation, times))

    def forget_faults(self) -> None:
        """Work well from now on."""
        self._plans.clear()

    def has_faults_left(self) -> bool:
        """Whether a planned fault has not happened yet."""
        return bool(self._plans)

    def keep_limits(self, monotonic: Callable[[], float], rates: Mapping[str, Rate]) -> Limit:
        """Refuse what comes faster than these rates from now on; a store that counts otherwise says so itself."""
        limits = Limits(rates, monotonic)
        self.admits = limits.admits
        return limits

    def _fault_for(self, operation: str) -> Fault | None:
        due: Fault | None = None
        for plan in list(self._plans):
            if plan.operation not in {"", operation}:
                continue
            if plan.at > 0:
                plan.at -= 1
            elif due is None:
                due = plan.fault
                plan.times -= 1
                if plan.times == 0:
                    self._plans.remove(plan)
        return due

    def _entry(self, way: Way) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def entry(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            operation = self.operation_of(way, body)
            seen = Seen(
                operation, request.method, request.path, dict(request.query),
                {name.lower(): value for name, value in request.headers.items()}, body, dict(request.match_info), request,
            )  # fmt: skip
            fault = self._fault_for(operation)
            if self.admits is not None and not self.admits(operation.removesuffix(" poll")):
                fault = Fault.TOO_MANY
            if fault is not None and fault not in ACTING:
                self.calls.append(seen)
                return await self._instead(fault, request)
            try:
                done = await way.handler(seen)
            finally:
                # Logged once it was done: who waits for the log to grow knows that the store has acted.
                self.calls.append(seen)
            return done if fault is None else await self._after(fault, request, done)

        return entry

    async def _instead(self, fault: Fault, request: web.Request) -> web.StreamResponse:
        match fault:
            case Fault.TOO_MANY:
                headers = {"Retry-After": self.retry_after} if self.retry_after else {}
                return web.json_response({"message": "too many"}, status=429, headers=headers)
            case Fault.HTML:
                return web.Response(
                    text="<!doctype html><title>Checking your browser</title>", content_type="text/html"
                )
            case Fault.HUGE:
                return await self._huge(request)
            case Fault.HANG:
                await self._closing.wait()
                return cut(request)
            case Fault.CUT:
                return cut(request)
            case Fault.ELSEWHERE:
                return web.Response(status=302, headers={"Location": "http://elsewhere.example/admin"})
            case _:
                return web.json_response({"message": f"refused, {SECRET_MARK}"}, status=_STATUSES[fault])

    async def _after(self, fault: Fault, request: web.Request, done: web.StreamResponse) -> web.StreamResponse:
        match fault:
            case Fault.LOST_500:
                return web.json_response({"message": "internal error"}, status=500)
            case Fault.LOST_HANG:
                await self._closing.wait()
                return cut(request)
            case Fault.EMPTY:
                return web.Response(status=done.status)
            case Fault.TRUNCATED:
                assert isinstance(done, web.Response)
                whole = done.body if isinstance(done.body, bytes) else b""
                return web.Response(body=whole[: len(whole) // 2], status=done.status, content_type="application/json")
            case _:
                return cut(request)

    async def _huge(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        part, left = b" " * 1_000_000, self.huge_bytes
        try:
            while left > 0 and not self._closing.is_set():
                await response.write(part)
                left -= len(part)
            await response.write_eof()
        except ConnectionError:
            pass  # the reader had enough, which is what is tested
        return response


def answer_json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON answer."""
    return web.json_response(value, status=status, headers=headers)


def cut(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
