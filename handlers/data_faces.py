"""What the replies about health and data say, in the reader's words; each chat draws it in its own way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import assert_never

from domain.data_replies import DataReply, ExportOffered, FileReady, Forgotten, HealthNotice
from domain.health import HealthLine, QueueCounts
from domain.replies import HistoryShown
from handlers.team_faces import TeamFace
from handlers.words import ENGLISH, Words

_MARKS = frozenset('`"<>&')
_ICONS = {"good": "✅", "warn": "⏰", "bad": "🔌"}


def data_face(
    reply: DataReply,
    words: Words = ENGLISH,
    *,
    clean: Callable[[str], str] = str,
    time: Callable[[datetime], str] | None = None,
) -> TeamFace:
    """Return a reply in words. `clean` makes a whole sentence harmless in a chat, `time` writes a moment."""
    match reply:
        case HealthNotice():
            return TeamFace(_ICONS[reply.tone], clean(words.sentence(reply.said)), hint=words.sentence(reply.todo))
        case FileReady():
            size = words("{kilobytes} kB", kilobytes=words.number(max(1, round(reply.size_bytes / 1000))))
            return TeamFace("📄", clean(reply.name), (clean(f"{words.sentence(reply.said)} · {size}"),))
        case ExportOffered():
            title = words("Everything of your shop in one file")
            said = words(
                "Your rows, photos and history, without any key. The link works once, until {time}, and only you see it: whoever has it has your data.",
                time=(time or words.time)(reply.expires_at),
            )
            label = words("Fetch the file")
            return TeamFace("📦", title, (said,), link_label=label, link_url=reply.url)
        case Forgotten():
            title = clean(words.sentence(reply.said))
            lines = tuple(clean(words.sentence(line)) for line in reply.lines)
            return TeamFace("🗑" if reply.is_done else "⚠️", title, lines, words.sentence(reply.todo))
        case _:
            assert_never(reply)


def health_words(
    line: HealthLine,
    words: Words,
    *,
    clean: Callable[[str], str] = str,
    time: Callable[[datetime], str] | None = None,
) -> tuple[str, Sequence[str]]:
    """Return how a store or chat is doing in one word, and what else is to be said of it, the next step left out."""
    at = time or words.time
    facts = []
    if line.last_ok_at:
        facts.append(words("last answered {time}", time=at(line.last_ok_at)))
    if line.key_expires_at:
        facts.append(words("key good until {time}", time=at(line.key_expires_at)))
    if line.failure and line.failed_at:
        failed = words("last failure {time}: {why}", time=at(line.failed_at), why=clean(words.sentence(line.failure)))
        facts.append(failed)
    if not facts:
        facts.append(words("not asked yet"))
    return (words("works") if line.is_well else words("needs you")), facts


def queue_words(queue: QueueCounts, words: Words) -> str:
    """Return what waits, in one line."""
    return words(
        "{jobs} jobs waiting, {running} in work, {dead} stopped; {messages} messages waiting, {lost} lost",
        jobs=words.number(queue.events + queue.jobs_waiting),
        running=words.number(queue.jobs_running),
        dead=words.number(queue.dead_letters),
        messages=words.number(queue.messages_waiting),
        lost=words.number(queue.messages_lost),
    )


def history_title(reply: HistoryShown, words: Words, *, clean: Callable[[str], str] = str) -> str:
    """Return what a page of the history is about."""
    subject = reply.sku or reply.person
    if subject and reply.today:
        return words("History of {sku}, today", sku=clean(subject))
    if subject:
        return words("History of {sku}", sku=clean(subject))
    return words("History of today") if reply.today else words("History")


def history_turn(reply: HistoryShown, words: Words) -> tuple[str, str]:
    """Return which page it is and the command of the next one; empty where there is only this, or no next."""
    if reply.pages <= 1:
        return "", ""
    page = words("Page {page} of {pages}", page=words.number(reply.page), pages=words.number(reply.pages))
    subject = reply.sku or reply.person
    asked = ["history", as_word(subject) if subject else "", "today" if reply.today else "", f"page={reply.page + 1}"]
    return page, " ".join(part for part in asked if part) if reply.page < reply.pages else ""


def as_word(text: str, *, instead: str = "STORE") -> str:
    """Return text as one word of a command: names and SKUs may have spaces in them.

    One that would break out of the command's own marks is called `instead`, for a person to put in.
    """
    if any(char in _MARKS for char in text):
        return instead
    return f'"{text}"' if any(char.isspace() or char == "," for char in text) else text
