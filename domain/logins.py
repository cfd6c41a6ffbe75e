"""Logins of the browser chat: the port `ConsoleLogins`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.people import Member
from domain.sessions import Browser


@dataclass(frozen=True, slots=True)
class Login:
    """A console login: who, and the secret its CSRF token is made from."""

    login_id: str
    member: Member
    csrf: str


class ConsoleLogins(Protocol):
    """Cookies of the browser chat, hashed."""

    async def offer(self, member_id: str, *, now: datetime) -> str:
        """Return a one-time code for `/console?code=…`, valid 15 minutes."""
        ...

    async def redeem(self, code: str, *, now: datetime, browser: Browser | None = None) -> str | None:
        """Return a cookie value for a code used the first time, None otherwise; `browser` is who brought it."""
        ...

    async def find(self, cookie: str, *, now: datetime) -> Login | None:
        """Return the login of a living cookie."""
        ...

    async def end(self, cookie: str) -> None:
        """Log out."""
        ...
