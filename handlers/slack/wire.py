"""What Slack sends, in our words: text, files, who and where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from domain.intents import Attachment
from domain.people import ChatName, Place

SOURCE = "slack"
"""The first part of an event key."""

_ANGLES = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")


def plain(text: str, *, bot_user: str = "") -> str:
    """Return what the person typed: links, mentions and entities undone, our own mention left out."""

    def undone(match: re.Match[str]) -> str:
        target, label = match[1], match[2] or ""
        if bot_user and target == f"@{bot_user}":
            return " "
        if target.startswith(("@", "#", "!")):
            return f"{target[0] if target[0] != '!' else '@'}{label or target[1:]}" if label or target else ""
        return label or target.removeprefix("mailto:")

    said = _ANGLES.sub(undone, text)
    return said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def names(text: str, user: str) -> bool:
    """Whether a text mentions somebody."""
    return f"<@{user}>" in text or f"<@{user}|" in text


def attachments_of(files: Sequence[dict[str, Any]]) -> tuple[Attachment, ...]:
    """Return the files of a message. One from Slack Connect has only its id: the rest is looked up when fetched."""
    return tuple(
        Attachment(
            str(file["id"]),
            name=str(file.get("name") or "")[:200],
            size_bytes=int(file.get("size") or 0),
            content_type=str(file.get("mimetype") or ""),
        )
        for file in files
        if file.get("id") and file.get("mode") != "tombstone"
    )


def place_of(channel: str, thread_ts: str = "") -> Place:
    """Return a conversation, or a thread of one."""
    return Place(ChatName.SLACK, channel, thread_ts)


def message_event(channel: str, ts: str) -> str:
    """Name a message as an event. Its `app_mention` and its `message` are one, and so are their retries."""
    return f"message:{channel}:{ts}"


def is_direct(channel: str) -> bool:
    """Whether a conversation is somebody's direct messages with us."""
    return channel.startswith("D")
