"""Who may talk to the console, and from where: the one file that says no before anything is read.

Two ways in. A browser has the cookie of a login, and for everything that changes something the
login's CSRF token and an Origin that is ours. The command line has the local key, which only a
person of this machine can read. An address is never a proof: behind a tunnel every stranger comes
from 127.0.0.1. The Host is checked always, since a page elsewhere can point its own name at us.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import Fault, UserError
from domain.logins import ConsoleLogins
from domain.people import Member
from domain.ports import Clock
from domain.sessions import mark_of

log = logging.getLogger(__name__)

COOKIE = "packshot_console"
DEFAULT_NAME = "owner"
"""Who the command line speaks as when it does not say."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    # `same-origin` and not `no-referrer`: under the latter browsers send `Origin: null` with a form,
    # and the Origin is what we check.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=()",
}


class Refusal(UserError):
    """An answer with a status and one sentence, given before any event was taken."""

    def __init__(self, status: int, sentence: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Visitor:
    """A member who proved it. `csrf` is empty for the command line, which has nothing to forge."""

    member: Member
    csrf: str
    cookie: str
    session: str = ""
    """The mark of this browser (domain/sessions.py)."""


def no_pause(_member_id: str) -> float:
    """Let everybody ask as often as they like."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Door:
    """What it takes to tell who somebody is."""

    logins: ConsoleLogins
    member_named: Callable[[str, str], Awaitable[Member | None]]
    """Who is called so, in the team of this name (empty: the only one). Raises UserError where that cannot be told."""
    local_key: str
    clock: Clock
    member_pause_s: Callable[[str], float] = no_pause

    async def look(self, request: Request) -> Visitor | None:
        """Return who asks, None for a browser without a login. Raises Refusal for a wrong local key."""
        if "authorization" in request.headers:
            return await self._by_local_key(request)
        cookie = request.cookies.get(COOKIE, "")
        login = await self.logins.find(cookie, now=self.clock()) if cookie else None
        return Visitor(login.member, csrf_token(login.csrf), cookie, mark_of(login.login_id)) if login else None

    async def reader(self, request: Request) -> Visitor:
        """Return who reads. Raises Refusal (401)."""
        visitor = await self.look(request)
        if visitor is None:
            raise Refusal(401, "You are signed out: open /console with a fresh link from `packshot run`.")
        if pause_s := self.member_pause_s(visitor.member.member_id):
            raise Refusal(429, "That is too often: wait a moment, then try again.", retry_after_s=pause_s)
        return visitor

    async def writer(self, request: Request) -> Visitor:
        """Return who wants to change something. Raises Refusal (401, 403) unless the page is really ours."""
        visitor = await self.reader(request)
        if visitor.cookie:
            same_origin(request)
            sent = request.headers.get("x-csrf", "")
            if not hmac.compare_digest(sent.encode(), visitor.csrf.encode()):
                raise Refusal(403, "This page is from an older login: reload it.")
        return visitor

    async def _by_local_key(self, request: Request) -> Visitor:
        kind, _, key = request.headers["authorization"].partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(key.strip().encode(), self.local_key.encode()):
            raise Refusal(401, "That is not the local key: read it from local.key in the data directory of this bot.")
        name = unquote(request.headers.get("x-packshot-as", "")).strip() or DEFAULT_NAME
        try:
            member = await self.member_named(name, unquote(request.headers.get("x-packshot-team", "")).strip())
        except UserError as error:
            raise Refusal(403, error.sentence) from error
        if member is None:
            raise Refusal(403, f"There is no member called {name}: make one with `packshot invite ROLE --as {name}`.")
        return Visitor(member, csrf="", cookie="")


def csrf_token(secret: str) -> str:
    """Return the token that a page carries; the login's secret itself never leaves the server."""
    return hmac.new(secret.encode(), b"packshot console csrf", hashlib.sha256).hexdigest()


def same_origin(request: Request) -> None:
    """Raise Refusal (403) unless the browser says that one of our own pages sent this.

    Only the host is compared: behind a tunnel the page is https and we are asked over http.
    """
    origin = urlsplit(request.headers.get("origin", ""))
    if origin.scheme not in {"http", "https"} or origin.netloc.lower() != request.headers.get("host", "").lower():
        raise Refusal(403, "That did not come from this page, so nothing was done: use the console's own window.")


class Guard:
    """ASGI middleware around every console route: the Host, the headers, and refusals as one sentence."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse; a refusal after the first byte can only break the connection off."""
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            if Headers(scope=scope).get("host", "").lower() not in self.hosts:
                raise Refusal(421, "I do not answer to that address: set PUBLIC_URL to the one you use.")
            await self.app(scope, receive, send_guarded)
        except Refusal as refusal:
            if started:
                raise
            pause = {"Retry-After": str(math.ceil(refusal.retry_after_s))} if refusal.retry_after_s else None
            answer = JSONResponse({"error": refusal.sentence}, refusal.status, pause)
            await answer(scope, receive, send_guarded)
        except ClientDisconnect:
            log.info("A browser went away in the middle of an upload: nothing was taken")
        except Fault as fault:
            if started:
                raise
            log.exception("The console could not take a request: %s", fault.code)
            sentence = f"I could not keep that, and nothing was done ({fault.code}): try again, then tell an admin."
            await JSONResponse({"error": sentence}, 503)(scope, receive, send_guarded)
