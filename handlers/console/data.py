"""The replies about health and data as pieces of the console's page, and the page /status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from domain.data_replies import DataReply, FileReady
from domain.health import HealthLine
from domain.people import Member
from domain.replies import HistoryShown, StatusShown
from handlers.console.pages import fill, when
from handlers.data_faces import data_face, health_words, history_title, history_turn, queue_words
from handlers.words import ENGLISH

_KINDS: Final = (("store", "Stores"), ("chat", "Chats"))


@dataclass(frozen=True, slots=True)
class HealthRow:
    """A store or chat as the page shows it."""

    line: HealthLine
    state: str
    facts: tuple[Markup, ...]
    todo: str


def data_fragment(reply: DataReply) -> str:
    """Return a reply about health or data as HTML."""
    face = data_face(reply, clean=_harmless, time=when)
    # By its path alone: the reader is in the console already, by whatever address they came.
    link = f"/console/files/{reply.file_id}" if isinstance(reply, FileReady) else urlsplit(face.link_url).path
    label = "Download" if isinstance(reply, FileReady) else face.link_label
    lines = [Markup(line) for line in face.lines]  # noqa: S704 - every word of a person in it went through _harmless
    title = Markup(face.title)  # noqa: S704 - as above
    return fill("data.html", face=face, title=title, lines=lines, link=link, label=label)


def _harmless(said: str) -> str:
    return str(escape(said))


def history_fragment(reply: HistoryShown) -> str:
    """Return a page of the history as HTML."""
    page, following = history_turn(reply, ENGLISH)
    lines = [(line, ENGLISH.sentence(line.what)) for line in reply.lines]
    title = history_title(reply, ENGLISH)
    return fill("history.html", reply=reply, lines=lines, title=title, page=page, following=following)


def health_lines(status: StatusShown) -> list[tuple[str, list[HealthRow]]]:
    """Return the stores and the chats, each under its heading."""
    found = []
    for kind, title in _KINDS:
        rows = []
        for line in status.lines:
            if line.kind == kind:
                state, facts = health_words(line, ENGLISH, clean=_harmless, time=when)
                marked = tuple(Markup(fact) for fact in facts)  # noqa: S704 - as above
                rows.append(HealthRow(line, state, marked, ENGLISH.sentence(line.todo)))
        if rows:
            found.append((title, rows))
    return found


def queue_line(status: StatusShown) -> str:
    """Return what waits, empty where nobody counted."""
    return queue_words(status.queue, ENGLISH) if status.queue else ""


def status_page(status: StatusShown, member: Member) -> str:
    """Return /status: the same as `status` says, as a page of its own."""
    is_well = not status.trouble and all(line.is_well for line in status.lines)
    return fill(
        "status_page.html",
        reply=status,
        health=health_lines(status),
        queue=queue_line(status),
        member=member,
        is_well=is_well,
    )
