"""Where a member is signed in by a browser: what is known of it, how it is asked for and ended, and its answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Browser:
    """What a browser says of itself, in words, and the address it came from; either may be empty."""

    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser with a living cookie. `mark` is how people name it: short, and no secret."""

    mark: str
    browser: Browser
    since: datetime
    used_at: datetime


class SessionRows(Protocol):
    """The browsers of members, in one transaction."""

    async def of_member(self, member_id: str, *, now: datetime) -> Sequence[BrowserSession]:
        """Return those that may still come in, the one used last first."""
        ...

    async def end(self, member_id: str, mark: str) -> bool:
        """Sign one out, at once and for good; False when the member has none of that mark."""
        ...

    async def end_all(self, member_id: str) -> int:
        """Sign all of them out; return how many there were. Codes that were not used yet go as well."""
        ...


@dataclass(frozen=True, slots=True)
class ListSessions:
    """`sessions`."""


@dataclass(frozen=True, slots=True)
class EndSessions:
    """`sessions end MARK`, or all where `mark` is empty."""

    mark: str


@dataclass(frozen=True, slots=True)
class SessionsShown:
    """Where the one who asks is signed in, after `ended` of them were signed out. Private."""

    sessions: tuple[BrowserSession, ...]
    ended: int = 0


SessionIntent = ListSessions | EndSessions


def mark_of(login_id: str) -> str:
    """Return the mark of a login: six characters that can be read out."""
    return hashlib.sha256(login_id.encode()).hexdigest()[:6]
