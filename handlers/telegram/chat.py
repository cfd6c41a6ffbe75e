"""Telegram's way out: one message a card, edited in place; and the files that people sent.

`editMessageMedia` puts a picture into what was text before, so a photo's way from "I have it" to
"published" stays one message. Pace is not kept here: python-telegram-bot's own limiter lets requests
out too early after a 429 (its issue 5338), so the outbox keeps `limits` and honours RateLimited.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from telegram import InputMediaPhoto, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import TelegramError

from domain.catalog import Sha256
from domain.chat_ports import Limit
from domain.data_replies import FileReady
from domain.errors import Fault, Undeliverable
from domain.intents import Attachment
from domain.picture_ports import MediaStorage
from domain.replies import PRIVATE, Invited, Outgoing, Working
from handlers.telegram.action import Actions
from handlers.telegram.api import (
    is_picture_refused,
    is_unchanged,
    is_without_caption,
    is_without_text,
    open_bot,
    open_requests,
    translated,
    without_token,
)
from handlers.telegram.files import Files
from handlers.telegram.keyboards import markup
from handlers.telegram.render import Shown, render
from handlers.words import Words

MAX_PHOTO_BYTES = 10_000_000
_REMEMBERED = 2_000
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

log = logging.getLogger("packshot.telegram")


class TelegramChat:
    """The ports `Chat` and `ChatFiles`."""

    def __init__(
        self,
        *,
        token: str,
        api_url: str,
        media: MediaStorage,
        read_timeout_s: float = 20.0,
        action_every_s: float = 4.0,
    ) -> None:
        self._requests = open_requests(pool_size=32, read_timeout_s=read_timeout_s)
        self._bot = open_bot(token=token, api_url=api_url, requests=self._requests)
        self._files = Files(self._bot, root=f"{api_url.rstrip('/')}/file/bot{token}/")
        self._media = media
        self._actions = Actions(self._bot, every_s=action_every_s)
        self._bot_name = ""
        self._shown: OrderedDict[tuple[str, str], str] = OrderedDict()
        """Which picture a message shows. It saves uploads; what is not in it is found out by trying."""
        self._uploaded: OrderedDict[str, str] = OrderedDict()
        """A picture's file_id, so that the same bytes go up once."""

    async def close(self) -> None:
        """Stop what runs beside the messages, and close the connections."""
        await self._actions.close()
        await self._files.close()
        await self._requests.shutdown()

    async def whoami(self) -> str:
        """Return the bot's name. Raises Undeliverable for a token that Telegram does not know."""
        try:
            return f"@{(await self._bot.get_me()).username}"
        except TelegramError as error:
            raise translated(error) from error

    # ------------------------------------------------------------ the port Chat

    async def deliver(self, outgoing: Outgoing) -> str:
        """Post or edit. Telegram cannot tell us of a post whose answer got lost, so a repeat may post twice."""
        try:
            return await self._deliver(outgoing)
        except TelegramError as error:
            raise translated(error) from error

    def limits(self, outgoing: Outgoing) -> Sequence[Limit]:
        """Return one a second a chat, twenty a minute a group, thirty a second in all."""
        place_id = _private_place(outgoing) or outgoing.place.place_id
        limits = [Limit("telegram:all", 30, 1.0), Limit(f"telegram:chat:{place_id}", 1, 1.0)]
        if _is_group(place_id):
            limits.append(Limit(f"telegram:group:{place_id}", 20, 60.0))
        return limits

    async def find_posted(self, outgoing: Outgoing) -> str | None:
        """Return None: a bot cannot read what stands in a chat, and Telegram takes no key of ours."""
        return None

    # ------------------------------------------------------------ the port ChatFiles

    async def fetch(self, attachment: Attachment) -> bytes:
        """Return a file's bytes."""
        return await self._files.fetch(attachment)

    # ------------------------------------------------------------ posting

    async def _deliver(self, outgoing: Outgoing) -> str:
        is_working = isinstance(outgoing.reply, Working)
        if not is_working:
            self._actions.stop(outgoing.place, outgoing.native_id)
        if isinstance(outgoing.reply, PRIVATE):
            return await self._whisper(outgoing)
        if isinstance(outgoing.reply, FileReady):
            return await self._send_file(outgoing, outgoing.reply, self._render(outgoing))
        native_id = await self._show(outgoing, self._render(outgoing))
        if is_working:
            self._actions.start(outgoing.place, native_id)
        return native_id

    async def _send_file(self, outgoing: Outgoing, file: FileReady, shown: Shown) -> str:
        """Send a file with its words as the caption; a `Working` that stood for it becomes those words."""
        content = await self._media.get(file.content)
        thread_id = int(outgoing.place.thread_id) if outgoing.place.thread_id else None
        message = await self._bot.send_document(
            outgoing.place.place_id,
            content,
            caption=shown.html,
            parse_mode=ParseMode.HTML,
            filename=file.name,
            reply_parameters=_answering(outgoing),
            message_thread_id=thread_id,
        )
        if outgoing.native_id:
            await self._edit(outgoing, shown)
            return outgoing.native_id
        return str(message.message_id)

    async def _show(self, outgoing: Outgoing, shown: Shown) -> str:
        """Post or edit; where Telegram does not like the picture, the words say so and go alone."""
        try:
            return await self._post_or_edit(outgoing, shown)
        except TelegramError as error:
            if shown.photo is None or not is_picture_refused(error):
                raise
            log.warning("telegram refused a picture: %s", without_token(error.message), extra={"photo": shown.photo})
            said = Words(outgoing.language)("Telegram did not take the picture: the console shows it.")
            return await self._post_or_edit(outgoing, replace(shown, html=f"{shown.html}\n🖼 {said}", photo=None))

    async def _post_or_edit(self, outgoing: Outgoing, shown: Shown) -> str:
        if not outgoing.native_id:
            return await self._post(outgoing, shown)
        await self._edit(outgoing, shown)
        return outgoing.native_id

    def _render(self, outgoing: Outgoing) -> Shown:
        words = Words(outgoing.language, outgoing.timezone)
        sent = outgoing.asked.attachments if outgoing.asked else ()
        is_recompressed = any(attachment.is_recompressed for attachment in sent)
        return render(outgoing.reply, words, bot_name=self._bot_name, is_recompressed=is_recompressed)

    async def _post(self, outgoing: Outgoing, shown: Shown) -> str:
        picture = await self._picture(shown.photo)
        thread_id = int(outgoing.place.thread_id) if outgoing.place.thread_id else None
        # A person is called when there is something to decide or read, not when work begins.
        is_silent = isinstance(outgoing.reply, Working)
        if picture is None:
            message = await self._bot.send_message(
                outgoing.place.place_id,
                shown.html,
                parse_mode=ParseMode.HTML,
                reply_markup=markup(shown.rows),
                reply_parameters=_answering(outgoing),
                message_thread_id=thread_id,
                link_preview_options=_NO_PREVIEW,
                disable_notification=is_silent,
            )
        else:
            message = await self._bot.send_photo(
                outgoing.place.place_id,
                picture,
                caption=shown.html,
                parse_mode=ParseMode.HTML,
                reply_markup=markup(shown.rows),
                reply_parameters=_answering(outgoing),
                message_thread_id=thread_id,
                disable_notification=is_silent,
                filename="packshot.jpg",
            )
        native_id = str(message.message_id)
        self._remember(outgoing, native_id, shown.photo, message)
        return native_id

    async def _edit(self, outgoing: Outgoing, shown: Shown) -> None:
        known = self._shown.get((outgoing.place.place_id, outgoing.native_id))
        picture = None if known and known == shown.photo else await self._picture(shown.photo)
        try:
            if picture is not None:
                await self._edit_media(outgoing, shown, picture)
            elif known:
                await self._edit_caption(outgoing, shown)
            else:
                await self._edit_text(outgoing, shown)
        except TelegramError as error:
            if not is_unchanged(error):
                raise

    async def _edit_media(self, outgoing: Outgoing, shown: Shown, picture: bytes | str) -> None:
        message = await self._bot.edit_message_media(
            InputMediaPhoto(picture, caption=shown.html, parse_mode=ParseMode.HTML, filename="packshot.jpg"),
            chat_id=outgoing.place.place_id,
            message_id=int(outgoing.native_id),
            reply_markup=markup(shown.rows),
        )
        self._remember(outgoing, outgoing.native_id, shown.photo, message)

    async def _edit_caption(self, outgoing: Outgoing, shown: Shown) -> None:
        try:
            await self._bot.edit_message_caption(
                outgoing.place.place_id,
                int(outgoing.native_id),
                caption=shown.html,
                parse_mode=ParseMode.HTML,
                reply_markup=markup(shown.rows),
            )
        except TelegramError as error:
            if not is_without_caption(error):
                raise
            await self._edit_text(outgoing, shown)

    async def _edit_text(self, outgoing: Outgoing, shown: Shown) -> None:
        try:
            await self._bot.edit_message_text(
                shown.html,
                outgoing.place.place_id,
                int(outgoing.native_id),
                parse_mode=ParseMode.HTML,
                reply_markup=markup(shown.rows),
                link_preview_options=_NO_PREVIEW,
            )
        except TelegramError as error:
            if not is_without_text(error):
                raise
            await self._edit_caption(outgoing, shown)

    async def _picture(self, photo: Sha256 | None) -> bytes | str | None:
        """Return what to send for a picture; None where it is past its keeping time or too large for a photo."""
        if photo is None:
            return None
        if photo in self._uploaded:
            return self._uploaded[photo]
        try:
            content = await self._media.get(photo)
        except Fault as fault:
            if fault.code != "media_missing":
                raise
            log.info("a card's picture is no longer kept, so it is shown without", extra={"photo": photo})
            return None
        if len(content) > MAX_PHOTO_BYTES:
            log.warning("a card's picture is too large for Telegram", extra={"photo": photo, "size_bytes": len(content)})  # fmt: skip
            return None
        return content

    def _remember(self, outgoing: Outgoing, native_id: str, photo: Sha256 | None, message: Message | bool) -> None:
        if photo is None or not isinstance(message, Message) or not message.photo:
            return
        self._shown[outgoing.place.place_id, native_id] = photo
        self._uploaded[photo] = message.photo[-1].file_id
        for memory in (self._shown, self._uploaded):
            while len(memory) > _REMEMBERED:
                memory.popitem(last=False)

    async def username(self) -> str:
        """Return the bot's own name, asked once. Raises what `translated` does."""
        if not self._bot_name:
            try:
                self._bot_name = (await self._bot.get_me()).username or ""
            except TelegramError as error:
                raise translated(error) from error
        return self._bot_name

    # ------------------------------------------------------------ what only one person may see

    async def _whisper(self, outgoing: Outgoing) -> str:
        """Tell the one who asked, and nobody else; nothing where the alert on their press has said it."""
        if _was_alerted(outgoing):
            return outgoing.native_id
        if isinstance(outgoing.reply, Invited):
            await self.username()
        shown = self._render(outgoing)
        if not _is_group(outgoing.place.place_id):
            return await self._show(outgoing, shown)
        words = Words(outgoing.language)
        place_id = _private_place(outgoing)
        if place_id and await self._tell(place_id, shown):
            # What stood in the group for this event must not say “working” for ever.
            if outgoing.native_id:
                await self._edit(outgoing, Shown(f"✉️ {words('I answered you privately.')}"))
            return outgoing.native_id
        said = words("I cannot write to you privately: open a chat with me, press Start, and ask again.")
        await self._show(outgoing, Shown(f"✉️ {said}"))
        return outgoing.native_id

    async def _tell(self, place_id: str, shown: Shown) -> bool:
        """Write to one person; False where they never opened a chat with the bot, or closed it."""
        try:
            await self._bot.send_message(
                place_id,
                shown.html,
                parse_mode=ParseMode.HTML,
                reply_markup=markup(shown.rows),
                link_preview_options=_NO_PREVIEW,
            )
        except TelegramError as error:
            trouble = translated(error)
            if isinstance(trouble, Undeliverable) and trouble.scope == "place":
                return False
            raise
        return True


def _was_alerted(outgoing: Outgoing) -> bool:
    """Whether an alert on the press has said it; the loser of a race hears it here first."""
    return outgoing.asked is not None and outgoing.asked.is_told


def _private_place(outgoing: Outgoing) -> str:
    """Return the private chat of the one who asked in a group, for what the group may not see; else ""."""
    if not isinstance(outgoing.reply, PRIVATE) or not _is_group(outgoing.place.place_id) or outgoing.asked is None:
        return ""
    return outgoing.asked.actor.actor_id


def _is_group(place_id: str) -> bool:
    """Whether a chat is a group: Telegram counts them below zero."""
    return place_id.startswith("-")


def _answering(outgoing: Outgoing) -> ReplyParameters | None:
    """Return which message is answered; one that was deleted meanwhile is no error."""
    if outgoing.under.isdecimal():
        return ReplyParameters(int(outgoing.under), allow_sending_without_reply=True)
    asked = outgoing.asked
    if asked is None or not asked.message_id.isdecimal() or asked.place.place_id != outgoing.place.place_id:
        return None
    return ReplyParameters(int(asked.message_id), allow_sending_without_reply=True)
