"""The chats behind the fake server: who is there, what stands in them, and what a person can do."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram_chats import (
    BOT_USERNAME,
    DAY,
    File,
    Group,
    Message,
    Person,
    bot_json,
    chat_json,
    message_json,
)
from tests.fakes.telegram_rules import (
    MAX_PHOTO_BYTES,
    MAX_UPLOAD_BYTES,
    Params,
    Refusal,
    Upload,
    bad,
    check_keyboard,
)


@dataclass(slots=True)
class Press:
    """A pressed button; `answer` is None until the spinner stopped."""

    callback_id: str
    person: Person
    answer: str | None = None
    is_alert: bool = False
    is_old: bool = False


@dataclass(slots=True)
class World:
    """What Telegram remembers. `TelegramServer` speaks for it."""

    messages: list[Message] = field(default_factory=list)
    presses: dict[str, Press] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    documents: list[tuple[int, str, bytes]] = field(default_factory=list)
    """Files that the bot sent: to whom, their name, their bytes."""
    updates: list[dict[str, Any]] = field(default_factory=list)
    """Not confirmed yet, in the order they go out."""
    blocked: set[int] = field(default_factory=set)
    closed: dict[int, str] = field(default_factory=dict)
    """Groups that put the bot out, with Telegram's words."""
    is_holding: bool = False
    has_privacy: bool = True
    """Privacy mode: of a group the bot sees only commands, replies to it and mentions."""
    _people: dict[int, Person] = field(default_factory=dict)
    _groups: dict[int, Group] = field(default_factory=dict)
    _started: set[int] = field(default_factory=set)
    _allowed: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(101))
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    # ------------------------------------------------------------ a test acts as a person

    def person(self, name: str, *, language: str = "en", has_started: bool = True) -> Person:
        """Somebody; unless they started the bot it may not write to them."""
        person = Person(next(self._numbers), name, language)
        self._people[person.user_id] = person
        if has_started:
            self._started.add(person.user_id)
        return person

    def group(self, title: str, *, is_forum: bool = False) -> Group:
        """A group the bot is in."""
        group = Group(-1_000_000_000_000 - next(self._numbers), title, is_forum)
        self._groups[group.chat_id] = group
        return group

    def say(self, person: Person, text: str, *, to: Group | None = None, **more: Any) -> Message:
        """Write a message; `reply_to` and `thread_id` go in `more`."""
        return self._from_person(person, to, text=text, **more)

    def send_photo(
        self, person: Person, content: bytes, caption: str = "", *, to: Group | None = None, **more: Any
    ) -> Message:
        """Send a picture the quick way: the bot gets it made smaller."""
        return self._from_person(person, to, text=caption, photo=content, file=self.keep(content), **more)

    def send_document(
        self,
        person: Person,
        content: bytes,
        caption: str = "",
        *,
        name: str = "IMG_0001.HEIC",
        mime: str = "",
        size: int = 0,
        to: Group | None = None,
        **more: Any,
    ) -> Message:
        """Send a file as it is. `size` may claim more than there is; `mime` may be missing."""
        file = self.keep(content, size=size)
        document = {"file_id": file.file_id, "file_unique_id": f"u{file.file_id}", "file_size": file.size}
        document |= {"file_name": name} if name else {}
        document |= {"mime_type": mime} if mime else {}
        return self._from_person(person, to, text=caption, file=file, document=document, **more)

    def send_album(
        self, person: Person, photos: Sequence[bytes], caption: str, *, order: Sequence[int], to: Group | None = None
    ) -> list[Message]:
        """Send an album; its parts arrive in `order`, the caption stands under the first."""
        album = str(next(self._numbers))
        numbers = [next(self._numbers) for _ in photos]
        return [
            self._from_person(
                person,
                to,
                text=caption if index == 0 else "",
                photo=photos[index],
                file=self.keep(photos[index]),
                album=album,
                message_id=numbers[index],
            )
            for index in order
        ]

    def forward(self, person: Person, message: Message, *, to: Group | None = None) -> Message:
        """Pass a message on: its words and picture come along, its buttons do not."""
        return self._from_person(
            person, to, text=message.text, photo=message.photo, file=message.file, forwarded_from=message
        )

    def press(self, person: Person, message: Message, words: str = "", *, data: str = "") -> Press:
        """Press the button with these words, or send forged `data`."""
        data = data or message.key(words)["callback_data"]
        press = Press(str(next(self._numbers)), person)
        self.presses[press.callback_id] = press
        body = {
            "id": press.callback_id,
            "from": person.json,
            "message": message_json(message, self._where(message.chat_id)),
            "chat_instance": "1",
            "data": data,
        }
        self.send_update(callback_query=body)
        return press

    def block(self, person: Person) -> None:
        """Block the bot."""
        self.blocked.add(person.user_id)
        member = {"user": bot_json(), "status": "member"}
        body = {
            "chat": chat_json(person),
            "from": person.json,
            "date": DAY,
            "old_chat_member": member,
            "new_chat_member": {"user": bot_json(), "status": "kicked", "until_date": 0},
        }
        self.send_update(my_chat_member=body)

    def keep(self, content: bytes, *, size: int = 0) -> File:
        """Keep a file."""
        number = next(self._numbers)
        file = File(f"file-{number}", content, size or len(content), f"photos/file_{number}.jpg")
        self.files[file.file_id] = file
        return file

    def send_update(self, **body: Any) -> dict[str, Any]:
        """Queue an update of one kind, unless the bot did not ask for that kind."""
        update = {"update_id": next(self._numbers), **body}
        if not self._allowed or next(iter(body)) in self._allowed:
            self.updates.append(update)
            self._changed.set()
        return update

    def send_again(self, update: dict[str, Any]) -> None:
        """Deliver an update once more, as Telegram does when it never heard our answer."""
        self.updates.append(update)
        self._changed.set()

    def release(self) -> None:
        """Let out what `is_holding` kept."""
        self.is_holding = False
        self._changed.set()

    # ------------------------------------------------------------ the chats

    def _where(self, chat_id: int) -> Person | Group:
        return self._people.get(chat_id) or self._groups[chat_id]

    def _reach(self, chat_id: int | str) -> Person | Group:
        """Return the chat, or say why the bot may not write there."""
        if chat_id not in self._people and chat_id not in self._groups:
            raise bad("chat not found")
        where = self._where(int(chat_id))
        if isinstance(where, Person) and where.user_id in self.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if isinstance(where, Person) and where.user_id not in self._started:
            raise Refusal(403, "Forbidden: bot can't initiate conversation with a user")
        if isinstance(where, Group) and where.chat_id in self.closed:
            raise Refusal(403, self.closed[where.chat_id])
        return where

    def _post(self, params: Params, text: str, html: str, *, file: File | None = None) -> Any:
        where = self._reach(params["chat_id"])
        check_keyboard(params.get("reply_markup"))
        replied = params.get("reply_parameters")
        target = self._find(params["chat_id"], replied["message_id"]) if replied else None
        if replied and target is None and not replied.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        message = Message(
            chat_id=params["chat_id"],
            message_id=next(self._numbers),
            sender=None,
            text=text,
            html=html,
            photo=file.content if file else None,
            file=file,
            keyboard=params.get("reply_markup", {}).get("inline_keyboard", []),
            reply_to=target,
            thread_id=params.get("message_thread_id", 0),
            is_silent=params.get("disable_notification", False),
        )
        self.messages.append(message)
        return message_json(message, where)

    def _change(self, message: Message, params: Params, text: str, html: str, *, file: File | None) -> Any:
        check_keyboard(params.get("reply_markup"))
        before, old_text = message.signature(), message.text
        message.text, message.html, message.file = text, html, file
        message.photo = file.content if file else None
        message.keyboard = params.get("reply_markup", {}).get("inline_keyboard", [])
        if message.signature() == before:
            raise bad("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")  # fmt: skip
        message.edits.append(old_text)
        return message_json(message, self._where(message.chat_id))

    def _own(self, params: Params) -> Message:
        self._reach(params["chat_id"])
        message = self._find(params["chat_id"], params["message_id"])
        if message is None:
            raise bad("message to edit not found")
        if message.sender:
            raise bad("message can't be edited")
        return message

    def _find(self, chat_id: int, message_id: int) -> Message | None:
        found = (each for each in self.messages if (each.chat_id, each.message_id) == (chat_id, message_id))
        return next((each for each in found if not each.is_deleted), None)

    def _picture(self, source: Upload | str) -> File:
        if isinstance(source, str):
            if source not in self.files:
                raise bad("wrong remote file identifier specified: Wrong padding in the string")
            return self.files[source]
        if not source.content:
            raise bad("file must be non-empty")
        if len(source.content) > MAX_PHOTO_BYTES:
            raise (
                Refusal(413, "Request Entity Too Large")
                if len(source.content) > MAX_UPLOAD_BYTES
                else bad("PHOTO_INVALID_DIMENSIONS")
            )
        return self.keep(source.content)

    def _from_person(self, person: Person, to: Group | None, **parts: Any) -> Message:
        where: Person | Group = to or person
        if to is None:
            self._started.add(person.user_id)
        message_id = parts.pop("message_id", 0) or next(self._numbers)
        chat_id = where.user_id if isinstance(where, Person) else where.chat_id
        message = Message(chat_id=chat_id, message_id=message_id, sender=person, **parts)
        self.messages.append(message)
        if to is None or not self.has_privacy or _is_addressed(message):
            self.send_update(message=message_json(message, where))
        return message


def _is_addressed(message: Message) -> bool:
    to_bot = message.reply_to is not None and message.reply_to.sender is None
    return to_bot or message.text.startswith("/") or f"@{BOT_USERNAME}" in message.text
