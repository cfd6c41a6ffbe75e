"""What stands in Telegram's chats: people, messages, files, and how they look as the Bot API's JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

BOT_ID, BOT_USERNAME = 700_000_001, "packshot_bot"
_COMMAND = re.compile(r"(?<!\S)/[A-Za-z0-9_]+(?:@[A-Za-z0-9_]+)?")
_MENTION = re.compile(r"(?<!\w)@[A-Za-z0-9_]{4,}")
DAY = 1_772_366_400


@dataclass(frozen=True, slots=True)
class Person:
    """A user; their private chat with the bot has their own id."""

    user_id: int
    name: str
    language: str = "en"

    @property
    def json(self) -> dict[str, Any]:
        return {"id": self.user_id, "is_bot": False, "first_name": self.name, "language_code": self.language}


@dataclass(frozen=True, slots=True)
class Group:
    """A supergroup, with topics when it is a forum."""

    chat_id: int
    title: str
    is_forum: bool = False


@dataclass(slots=True)
class File:
    """Bytes that Telegram keeps. `size` may claim more than the bytes, so that no test carries 30 MB."""

    file_id: str
    content: bytes
    size: int
    path: str
    is_gone: bool = False


@dataclass(slots=True)
class Message:
    """One message as a person sees it now, and what it was before."""

    chat_id: int
    message_id: int
    sender: Person | None
    """None: the bot."""
    text: str = ""
    """What is read: the text, or the caption under a photo or document."""
    html: str = ""
    photo: bytes | None = None
    file: File | None = None
    document: dict[str, Any] | None = None
    keyboard: list[list[dict[str, Any]]] = field(default_factory=list)
    reply_to: Message | None = None
    thread_id: int = 0
    album: str = ""
    is_silent: bool = False
    is_deleted: bool = False
    edits: list[str] = field(default_factory=list)
    forwarded_from: Message | None = None

    @property
    def labels(self) -> list[str]:
        """The words on the buttons, row by row."""
        return [key["text"] for row in self.keyboard for key in row]

    def key(self, words: str) -> dict[str, Any]:
        """The button with these words in its label."""
        return next(key for row in self.keyboard for key in row if words in key["text"])

    def signature(self) -> tuple[object, ...]:
        """What decides whether an edit changes anything."""
        return self.html, self.photo, repr(self.keyboard)


def bot_json(username: str = BOT_USERNAME) -> dict[str, Any]:
    return {"id": BOT_ID, "is_bot": True, "first_name": "Packshot", "username": username}


def me_json() -> dict[str, Any]:
    return bot_json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def chat_json(where: Person | Group) -> dict[str, Any]:
    if isinstance(where, Person):
        return {"id": where.user_id, "type": "private", "first_name": where.name}
    forum = {"is_forum": True} if where.is_forum else {}
    return {"id": where.chat_id, "type": "supergroup", "title": where.title} | forum


def message_json(message: Message, where: Person | Group, *, depth: int = 1) -> dict[str, Any]:
    """Return a message as an update or an answer carries it."""
    found: dict[str, Any] = {
        "message_id": message.message_id,
        "date": DAY + message.message_id,
        "chat": chat_json(where),
        "from": message.sender.json if message.sender else bot_json(),
    }
    words = "caption" if message.photo is not None or message.document else "text"
    if message.text:
        found[words] = message.text
        if entities := _entities(message.text):
            found["entities" if words == "text" else "caption_entities"] = entities
    if message.photo is not None and message.file:
        found["photo"] = [
            _size(f"{message.file.file_id}-s", 90, 1_000),
            _size(message.file.file_id, 1280, message.file.size),
        ]
    if message.document:
        found["document"] = message.document
    if message.album:
        found["media_group_id"] = message.album
    if message.keyboard:
        found["reply_markup"] = {"inline_keyboard": message.keyboard}
    if message.thread_id:
        found |= {"message_thread_id": message.thread_id, "is_topic_message": True}
    if message.forwarded_from:
        origin = message.forwarded_from.sender
        found["forward_origin"] = {
            "type": "user",
            "date": DAY,
            "sender_user": origin.json if origin else bot_json(),
        }
    if message.reply_to and depth:
        found["reply_to_message"] = message_json(message.reply_to, where, depth=0)
    return found


def _size(file_id: str, side: int, size: int) -> dict[str, Any]:
    return {"file_id": file_id, "file_unique_id": f"u{file_id}", "width": side, "height": side, "file_size": size}


def _entities(text: str) -> list[dict[str, Any]]:
    found = [("bot_command", match) for match in _COMMAND.finditer(text)]
    found += [("mention", match) for match in _MENTION.finditer(text)]
    return [
        {"type": kind, "offset": _utf16(text[: match.start()]), "length": _utf16(match[0])} for kind, match in found
    ]


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
