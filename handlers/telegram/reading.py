"""Telegram's messages in our words: who says what, where, under which message.

In a private chat everything is meant for us. In a group the bot speaks only when spoken to: by one of
its commands (`/enhance`, `/enhance@name`), by its @name, by a reply to one of its messages, or by a
photo whose caption does one of these. A photo with a bare SKU under it is left alone there: groups
share photos for many reasons, and Telegram's privacy mode (on by default) would hide it anyway.

Left alone everywhere: other bots, channels, edited messages (the first version was acted on, and
acting twice would surprise), and service messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from telegram import Chat, Message, MessageEntity, MessageOriginUser, Update, User
from telegram.constants import ChatType

from domain.intents import Attachment, Incoming
from domain.people import Actor, ChatName, Place
from handlers.commands import BY_NAME

_STARTERS = frozenset({"start", "packshot"})


@dataclass(frozen=True, slots=True)
class Me:
    """The bot, as Telegram knows it."""

    bot_id: int
    username: str


@dataclass(frozen=True, slots=True)
class Read:
    """A message for us. `is_command`: even a stranger is answered in a group then.

    `is_addressed` False: a part of an album in a group whose caption stands under another part (`Incoming.is_spare`).
    """

    incoming: Incoming
    is_command: bool
    is_addressed: bool
    is_copy: bool = False
    """One of our own messages, passed on: its buttons are gone, and its picture is no product photo."""


def read_message(update: Update, me: Me, team_id: str) -> Read | None:
    """Return a message as an event, None for what is not meant for us."""
    message = update.message
    if message is None or message.from_user is None or message.from_user.is_bot or message.sender_chat:
        return None
    if message.chat.type == ChatType.CHANNEL or _is_service(message):
        return None
    attachments = _attachments(message)
    said, command, is_ours = _words(message, me, is_group=_is_group(message.chat))
    if not is_ours:
        return None
    replied = message.reply_to_message
    is_reply = replied is not None and replied.from_user is not None and replied.from_user.id == me.bot_id
    is_addressed = not _is_group(message.chat) or bool(command) or _mentions(message, me) or is_reply
    is_part = bool(message.media_group_id and attachments)
    if not is_addressed and not is_part:
        return None
    incoming = Incoming(
        event_key=event_key(me, update.update_id),
        team_id=team_id,
        actor=actor_of(message.from_user),
        place=place_of(message),
        text=said,
        attachments=attachments,
        message_id=str(message.message_id),
        reply_to=str(replied.message_id) if replied and is_reply else "",
        album=message.media_group_id or "",
        language=message.from_user.language_code or "",
    )
    origin = message.forward_origin
    is_copy = isinstance(origin, MessageOriginUser) and origin.sender_user.id == me.bot_id
    return Read(incoming, bool(command), is_addressed, is_copy)


def event_key(me: Me, update_id: int) -> str:
    """Name an event: update ids are unique per bot only."""
    return f"telegram:{me.bot_id}:{update_id}"


def actor_of(user: User) -> Actor:
    """Return who somebody is in this chat."""
    return Actor(ChatName.TELEGRAM, str(user.id), user.full_name)


def place_of(message: Message) -> Place:
    """Return where a message stands; only a forum's topics are threads, replies are not."""
    is_topic = bool(message.is_topic_message and message.message_thread_id)
    return Place(ChatName.TELEGRAM, str(message.chat.id), str(message.message_thread_id) if is_topic else "")


def _is_group(chat: Chat) -> bool:
    return chat.type in {ChatType.GROUP, ChatType.SUPERGROUP}


def _attachments(message: Message) -> tuple[Attachment, ...]:
    """The file that came along. What kind it is, its bytes will say: `mime_type` may be missing or wrong."""
    if message.photo:
        best = message.photo[-1]
        name = f"photo-{message.message_id}.jpg"
        return (Attachment(best.file_id, name, best.file_size or 0, "image/jpeg", is_recompressed=True),)
    file = message.document or message.video or message.animation
    if file is None:
        return ()
    return (Attachment(file.file_id, file.file_name or "", file.file_size or 0, file.mime_type or ""),)


def _is_service(message: Message) -> bool:
    """Whether nobody said anything: somebody joined, a title changed."""
    return not (message.text or message.caption or message.effective_attachment)


def _words(message: Message, me: Me, *, is_group: bool) -> tuple[str, str, bool]:
    """Return the words without our name, the command, and whether it may be ours at all."""
    said = message.text or message.caption or ""
    said = _without_mention(said, me)
    first, _, rest = said.partition(" ")
    first, line_end, more = first.partition("\n")
    if not first.startswith("/"):
        return said.strip(), "", True
    name, _, bot = first[1:].partition("@")
    name = name.lower()
    if bot and bot.lower() != me.username.lower():
        return "", "", False
    known = name in BY_NAME or name in _STARTERS
    if is_group and not bot and not known:
        return "", "", False  # another bot's command
    rest = f"{more} {rest}".strip() if line_end else rest.strip()
    if name == "start":
        return (f"join {rest}" if rest else "help"), name, True
    return f"/packshot {rest}".strip() if name == "packshot" else f"{name} {rest}".strip(), name, True


def _without_mention(said: str, me: Me) -> str:
    """Take our @name out, but not out of a command."""
    return re.sub(rf"(?<!\w)@{re.escape(me.username)}\b[:,]?", "", said, flags=re.IGNORECASE).strip()


def _mentions(message: Message, me: Me) -> bool:
    found = message.parse_entities([MessageEntity.MENTION]) | message.parse_caption_entities([MessageEntity.MENTION])
    return any(name.lower() == f"@{me.username.lower()}" for name in found.values())
