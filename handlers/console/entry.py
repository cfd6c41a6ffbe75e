"""How a browser gets in: a one-time link from `packshot run`, or an invitation's code and a name."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from domain.logins import ConsoleLogins
from domain.people import Actor, ChatName, Member, Team
from domain.ports import Clock, Work
from handlers.console.browsers import browser_of
from handlers.console.guard import COOKIE, same_origin
from handlers.console.pages import bounce_page, login_page
from handlers.console.uploads import read_fields

COOKIE_DAYS = 30
MAX_NAME_CHARS = 40
MAX_CODE_CHARS = 100
_MAX_FORM_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """Everything that hands out or takes back the cookie."""

    logins: ConsoleLogins
    work: Work
    clock: Clock
    is_https: bool
    """Whether browsers reach us over TLS that a proxy or tunnel ends."""

    async def redeem(self, request: Request, code: str) -> Response:
        """Trade a one-time login code for a cookie."""
        cookie = await self.logins.redeem(code.strip(), now=self.clock(), browser=browser_of(request))
        if cookie is None:
            return _login(401, problem="That link was used or is too old: get a fresh one and open it once.")
        return await self._welcomed(request, cookie)

    async def join(self, request: Request) -> Response:
        """Trade an invitation's code and a name for a membership, and that for a cookie.

        The same field takes a login code, so that nobody needs to know which kind they were given.
        """
        same_origin(request)
        form = await read_fields(request, max_bytes=_MAX_FORM_BYTES)
        code = form.get("code", "").strip().removeprefix("join ").strip()
        name = " ".join(form.get("name", "").split())
        if code and (cookie := await self.logins.redeem(code, now=self.clock(), browser=browser_of(request))):
            return await self._welcomed(request, cookie)
        team = await self._invited_to(code)
        if problem := await self._problem(code, name, team):
            return _login(401, problem=problem, code=code, name=name)
        member = await self._membership(code, name, team) if team is not None else None
        if member is None:
            problem = "That code is unknown, used or too old: ask an admin for a new invitation."
            return _login(401, problem=problem, name=name)
        login_code = await self.logins.offer(member.member_id, now=self.clock())
        return await self.redeem(request, login_code)

    def turned_away(self, request: Request) -> Response:
        """Say how to get in; an invitation's link brings its code, which is only filled in: a look spends nothing.

        A strict cookie stays at home when a link on another site leads here. Then the page asks once
        more by itself, which is no longer another site's doing.
        """
        if request.headers.get("sec-fetch-site") == "cross-site":
            return HTMLResponse(bounce_page())
        return _login(401, code=request.query_params.get("join", "")[:MAX_CODE_CHARS])

    def forgotten(self) -> Response:
        """Take the cookie back."""
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return response

    async def _welcomed(self, request: Request, cookie: str) -> Response:
        """Hand the new cookie out; the one this browser had before opens nothing any more."""
        if before := request.cookies.get(COOKIE, ""):
            await self.logins.end(before)
        response = RedirectResponse("/console", 303)
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=COOKIE_DAYS * 24 * 3600,
            path="/",  # a link to connect a store tells by it whose browser this is
            httponly=True,
            samesite="strict",
            secure=self.is_https or request.url.scheme == "https",
        )
        return response

    async def _invited_to(self, code: str) -> Team | None:
        async with self.work.reading() as rows:
            return await rows.teams.invited_to(code, now=self.clock()) if code else None

    async def _problem(self, code: str, name: str, team: Team | None) -> str:
        """Return what is wrong with the form, before the code is spent on it."""
        if not code:
            return "The code is missing: it is in your invitation."
        if not name:
            return "Your name is missing: it is what the others will see beside what you do."
        if len(name) > MAX_NAME_CHARS or any(unicodedata.category(char).startswith("C") for char in name):
            return f"That name cannot be used: take one of at most {MAX_NAME_CHARS} plain characters."
        # A name is who somebody is in this chat (chat.py), so two people of a team cannot share one. Whoever has no
        # good code does not learn who is called what.
        if team is not None:
            async with self.work.reading() as rows:
                if await rows.teams.is_taken(team.team_id, name):
                    return f"Somebody is called {name} already: add a letter or your surname."
        return ""

    async def _membership(self, code: str, name: str, team: Team) -> Member | None:
        actor = Actor(ChatName.CONSOLE, name, name)
        async with self.work() as unit:
            # Asked again inside the transaction: of two people who choose one name at once, one is too late.
            if await unit.teams.is_taken(team.team_id, name):
                return None
            return await unit.people.join(code, actor, now=self.clock())


def _login(status: int, *, problem: str = "", code: str = "", name: str = "") -> Response:
    return HTMLResponse(login_page(problem=problem, code=code, name=name), status)
