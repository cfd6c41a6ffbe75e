"""What the reply about signed-in browsers says, in the reader's words; each chat draws it in its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.sessions import BrowserSession, SessionsShown
from handlers.words import ENGLISH, Words


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One browser: its mark, what it is, and when it was used. `is_here`: the one that reads this."""

    mark: str
    name: str
    said: str
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class SessionFace:
    """A title, a row a browser, and what to type next (with `commands`)."""

    title: str
    rows: tuple[SessionRow, ...]
    hint: str


def session_face(
    reply: SessionsShown,
    words: Words = ENGLISH,
    *,
    here: str = "",
    clean: Callable[[str], str] = str,
    time: Callable[[datetime], str] | None = None,
) -> SessionFace:
    """Return the reply in words; `here` is the mark of the browser that reads it, where one does."""
    at = time or words.time

    def row(session: BrowserSession) -> SessionRow:
        name = session.browser.name or words("A browser")
        if session.browser.address:
            name = words("{browser} at {address}", browser=name, address=session.browser.address)
        said = words("since {since}, last used {used}", since=at(session.since), used=at(session.used_at))
        return SessionRow(session.mark, clean(name), said, session.mark == here)

    title = words("Your browsers")
    if reply.ended:
        title = words.count("{number} browser is signed out.", "{number} browsers are signed out.", reply.ended)
    hint = words("`sessions end MARK` signs one out, `sessions end all` every one.")
    if not reply.sessions:
        hint = words("No browser of yours is signed in. `packshot run` prints a link, an invitation brings one too.")
    return SessionFace(title, tuple(row(session) for session in reply.sessions), hint)
