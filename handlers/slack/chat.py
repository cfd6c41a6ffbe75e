"""Slack's way out: the ports `Chat` and `ChatFiles`.

One message is posted and then edited. Its `native_id` is Slack's `ts`, which is unique within its place.
What only one person may read is an ephemeral message, which nobody can edit: those hold no state.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Sequence
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from domain.catalog import Sha256
from domain.chat_ports import Limit
from domain.data_replies import FileReady
from domain.errors import BadPhoto, Fault, PackshotError, Undeliverable
from domain.intents import Attachment
from domain.people import Place
from domain.picture_ports import MediaStorage
from domain.replies import PRIVATE, Card, Compared, Outgoing, WhichPart, Working
from domain.stock_alert_replies import DigestShown
from handlers.alert_faces import chart_alt
from handlers.faces import alt_text
from handlers.slack import files
from handlers.slack.api import code_of, open_client, translated
from handlers.slack.blocks import escaped
from handlers.slack.cards import NO_PICTURE, Picture, Shown
from handlers.slack.outfiles import share_file
from handlers.slack.pictures import Pictures, file_name
from handlers.slack.render import render
from handlers.words import Words, known_language

log = logging.getLogger(__name__)

METADATA_EVENT = "packshot_message"
_PERSON = ("U", "W")
"""How the ids of people begin in Slack."""
LOOK_BACK = 50
"""How many messages `find_posted` looks at: a crash is noticed within minutes."""
SHOW_TRIES = 3
POSTS = (1, 1.0)
"""“About one message a second per conversation” (docs.slack.dev, rate limits, special tier)."""
UPDATES = (50, 60.0)
"""Tier 3, per method and workspace."""


SCOPES = frozenset(
    [
        "app_mentions:read",
        "channels:history",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "im:history",
        "im:write",
        "users:read",
    ]
)
"""What manifest.yaml asks for; a test holds the two together."""


class SlackChat:
    """One workspace's way out. `pause_s` is how long to wait between two looks at an upload."""

    def __init__(self, *, bot_token: str, api_url: str, media: MediaStorage, pause_s: float = 0.4) -> None:
        self._client: AsyncWebClient = open_client(token=bot_token, api_url=api_url)
        self._media = media
        self._pause_s = pause_s
        self.pictures = Pictures(self._client, media, pause_s=pause_s)
        self._unshowable: set[Sha256] = set()
        self._shared: set[tuple[str, Sha256]] = set()

    async def close(self) -> None:
        """Forget what was remembered; no connection is kept between calls."""
        self.pictures.forget()

    async def whoami(self) -> str:
        """Return which app of which workspace the token is. Raises Undeliverable, naming scopes that are missing."""
        async with translated():
            answer = await self._client.auth_test()
        granted = {str(name).lower(): value for name, value in dict(answer.headers).items()}.get("x-oauth-scopes", "")
        missing = sorted(SCOPES - {scope.strip() for scope in granted.split(",")}) if granted else []
        if missing:
            raise Undeliverable(
                f"The Slack app lacks {', '.join(missing)}: add that as manifest.yaml has it, and install it again.",
                scope="chat",
            )
        return f"@{answer['user']} in {answer['team']}"

    # ------------------------------------------------------------ the port Chat

    async def deliver(self, outgoing: Outgoing) -> str:
        """Post or edit, and return Slack's `ts`; an empty id for an ephemeral message."""
        words = Words(known_language(outgoing.language), outgoing.timezone)
        if isinstance(outgoing.reply, PRIVATE):
            return await self._tell_one(outgoing, words)
        try:
            return await self._deliver_card(outgoing, words)
        except Undeliverable as error:
            if error.scope == "place":
                await self._tell_elsewhere(outgoing, words(error.sentence))
            raise

    def limits(self, outgoing: Outgoing) -> Sequence[Limit]:
        """Return what Slack allows of one workspace's app."""
        return self.limits_of(outgoing)

    @staticmethod
    def limits_of(outgoing: Outgoing) -> Sequence[Limit]:
        """Return what Slack allows: a post a second in a place, fifty edits a minute in the workspace."""
        if outgoing.native_id and not isinstance(outgoing.reply, PRIVATE):
            return (Limit("slack:update", *UPDATES),)
        return (Limit(f"slack:post:{outgoing.place.place_id}", *POSTS),)

    async def find_posted(self, outgoing: Outgoing) -> str | None:
        """Look for our message among the place's newest by the key in its metadata.

        Only after a cut connection or a crash, and only from the message that was answered onwards. None
        where Slack will not let us look. Raises RateLimited, StoreDown.
        """
        if isinstance(outgoing.reply, PRIVATE) and not _is_direct(outgoing.place):
            return None
        thread = _thread_of(outgoing)
        asked: dict[str, Any] = {"include_all_metadata": True, "limit": LOOK_BACK}
        if outgoing.asked is not None and outgoing.asked.message_id and _is_of(outgoing.place, outgoing):
            asked |= {"oldest": outgoing.asked.message_id, "inclusive": True}
        try:
            async with translated():
                if thread:
                    seen = await self._client.conversations_replies(channel=outgoing.place.place_id, ts=thread, **asked)
                else:
                    seen = await self._client.conversations_history(channel=outgoing.place.place_id, **asked)
        except (Undeliverable, Fault) as error:
            log.info("slack_cannot_look_back", extra={"error": code_of(error)})
            return None
        for message in seen.get("messages") or ():
            payload = (message.get("metadata") or {}).get("event_payload") or {}
            if payload.get("message_key") == outgoing.message_key:
                return str(message["ts"])
        return None

    # ------------------------------------------------------------ the port ChatFiles

    async def fetch(self, attachment: Attachment) -> bytes:
        """Return the bytes of a file somebody sent, from Slack's own host only."""
        return await files.fetch(self._client, attachment)

    # ------------------------------------------------------------ messages

    async def _deliver_card(self, outgoing: Outgoing, words: Words) -> str:
        if isinstance(outgoing.reply, FileReady):
            ts = await self._put(outgoing, render(outgoing.reply, words))
            place = outgoing.place.place_id, _thread_of(outgoing) or ts
            await share_file(self._client, self._media, outgoing.reply, place=place)
            return ts
        digest = _picture_of(outgoing)
        if digest is not None and digest not in self._unshowable:
            picture = await self._uploaded(outgoing, digest, words)
            if picture.file_id and (shown := await self._try_to_show(outgoing, words, picture, digest)):
                return shown
        if digest is None or digest not in self._unshowable:
            return await self._put(outgoing, render(outgoing.reply, words))
        if (outgoing.message_key, digest) in self._shared:
            return await self._put(outgoing, render(outgoing.reply, words, Picture(is_in_thread=True)))
        return await self._share_in_thread(outgoing, words, digest)

    async def _try_to_show(self, outgoing: Outgoing, words: Words, picture: Picture, digest: Sha256) -> str:
        """Return the message's ts; empty when Slack will not have the picture in a block."""
        for _ in range(SHOW_TRIES):
            try:
                return await self._put(outgoing, render(outgoing.reply, words, picture))
            except Fault as error:
                if code_of(error) not in {"invalid_blocks", "invalid_slack_file"}:
                    raise
                log.info("slack_file_not_shown", extra={"details": str(error)})
            await asyncio.sleep(self._pause_s)
        self._unshowable.add(digest)
        return ""

    async def _share_in_thread(self, outgoing: Outgoing, words: Words, digest: Sha256) -> str:
        ts = await self._put(outgoing, render(outgoing.reply, words))
        name, alt = _captions(outgoing, words)
        try:
            content = await self._media.get(digest)
            place = outgoing.place.place_id, _thread_of(outgoing) or ts
            await files.upload(self._client, content, name=name, alt=alt, place=place)
        except PackshotError as error:
            # The card stands and says nothing untrue; raising would have the outbox post it again.
            log.warning("slack_picture_not_shared", extra={"error": str(error)})
            return ts
        self._shared.add((outgoing.message_key, digest))
        await self._update(outgoing, ts, render(outgoing.reply, words, Picture(is_in_thread=True)))
        return ts

    async def _put(self, outgoing: Outgoing, shown: Shown) -> str:
        if outgoing.native_id:
            await self._update(outgoing, outgoing.native_id, shown)
            return outgoing.native_id
        thread = _thread_of(outgoing)
        channel = await self._channel_of(outgoing.place)
        async with translated():
            posted = await self._client.chat_postMessage(
                channel=channel,
                **_face(shown, outgoing),
                thread_ts=thread or None,
                unfurl_links=False,
                unfurl_media=False,
            )
        return str(posted["ts"])

    async def _channel_of(self, place: Place) -> str:
        """Return where to post: a notice to one person is addressed to their id, which stands for a direct message."""
        if not place.place_id.startswith(_PERSON):
            return place.place_id
        async with translated():
            opened = await self._client.conversations_open(users=place.place_id)
        return str(opened["channel"]["id"])

    async def _update(self, outgoing: Outgoing, ts: str, shown: Shown) -> None:
        async with translated():
            await self._client.chat_update(channel=outgoing.place.place_id, ts=ts, **_face(shown, outgoing))

    # ------------------------------------------------------------ one person

    async def _tell_one(self, outgoing: Outgoing, words: Words) -> str:
        shown = render(outgoing.reply, words)
        if _is_direct(outgoing.place):
            return await self._put(outgoing, shown)
        if outgoing.asked is None:
            raise Undeliverable("Nobody is there to be told privately.", scope="message")
        thread = outgoing.place.thread_id
        try:
            async with translated():
                await self._client.chat_postEphemeral(
                    channel=outgoing.place.place_id,
                    user=outgoing.asked.actor.actor_id,
                    **_face(shown),
                    thread_ts=thread or None,
                )
        except Undeliverable as error:
            if error.scope != "place" or not await self._tell_directly(outgoing, shown):
                raise
        if outgoing.native_id:
            await self._take_back(outgoing)
        return ""

    async def _take_back(self, outgoing: Outgoing) -> None:
        """Delete the `Working` that everybody saw and that became a private answer."""
        try:
            async with translated():
                await self._client.chat_delete(channel=outgoing.place.place_id, ts=outgoing.native_id)
        except Undeliverable as error:
            if error.scope != "message":
                raise

    async def _tell_elsewhere(self, outgoing: Outgoing, sentence: str) -> None:
        """A slash command works where we are not: then its answer cannot, and the person hears why."""
        said = escaped(sentence)
        await self._tell_directly(
            outgoing, Shown(said, [{"type": "section", "text": {"type": "mrkdwn", "text": said}}])
        )

    async def _tell_directly(self, outgoing: Outgoing, shown: Shown) -> bool:
        # A card may also be shown where nobody asked, and be asked for in another chat altogether.
        if outgoing.asked is None or _is_direct(outgoing.place) or not _is_of(outgoing.place, outgoing):
            return False
        try:
            async with translated():
                opened = await self._client.conversations_open(users=outgoing.asked.actor.actor_id)
                await self._client.chat_postMessage(channel=opened["channel"]["id"], **_face(shown))
        except PackshotError as error:
            log.warning("slack_person_not_told", extra={"error": str(error)})
            return False
        return True

    # ------------------------------------------------------------ pictures

    async def _uploaded(self, outgoing: Outgoing, digest: Sha256, words: Words) -> Picture:
        name, alt = _captions(outgoing, words)
        try:
            return Picture(await self.pictures.file_id(digest, name=name, alt=alt))
        except files.NotReady:
            self._unshowable.add(digest)
            return NO_PICTURE
        except (Fault, BadPhoto) as error:
            # Retention took the bytes of an old card, or Slack refused the file: the words still count.
            log.warning("slack_picture_left_out", extra={"error": str(error)})
            return NO_PICTURE


def _face(shown: Shown, outgoing: Outgoing | None = None) -> dict[str, Any]:
    """Text and blocks, always both: an update without blocks removes them. Block ids are new each time."""
    salt = uuid.uuid4().hex[:12]
    blocks = [block | {"block_id": f"{salt}-{index}"} for index, block in enumerate(shown.blocks)]
    face: dict[str, Any] = {"text": shown.text, "blocks": blocks}
    if outgoing is not None:
        face["metadata"] = {"event_type": METADATA_EVENT, "event_payload": {"message_key": outgoing.message_key}}
    return face


def _thread_of(outgoing: Outgoing) -> str:
    """Return the thread to post into: the place's own, or in a channel that of the message answered.

    What is said under a card hangs under it, in direct messages too; where the card hangs in a thread itself, in that
    one, since Slack knows no answer of an answer.
    """
    if outgoing.place.thread_id or _is_direct(outgoing.place):
        return outgoing.place.thread_id or outgoing.under
    if outgoing.asked is not None and _is_of(outgoing.place, outgoing):
        return outgoing.asked.message_id
    return outgoing.under


def _is_of(place: Place, outgoing: Outgoing) -> bool:
    """Whether the message that was asked stands in this place, not in another that shows the card too."""
    asked = outgoing.asked
    return asked is not None and (asked.place.chat, asked.place.place_id) == (place.chat, place.place_id)


def _is_direct(place: Place) -> bool:
    return place.place_id.startswith("D")


def _card_of(outgoing: Outgoing) -> Card | None:
    return getattr(outgoing.reply, "card", None)


def _picture_of(outgoing: Outgoing) -> Sha256 | None:
    match outgoing.reply:
        case WhichPart(picture=picture) | Compared(sheet=picture) | DigestShown(chart=picture):
            return picture
        case Working():
            return None
    card = _card_of(outgoing)
    return None if card is None else card.preview or card.after or card.before


def _captions(outgoing: Outgoing, words: Words) -> tuple[str, str]:
    """Return a picture's file name and alt text."""
    match outgoing.reply:
        case WhichPart(sku=sku, title=title):
            alt = words("The photo of {product} in fields from A1 to D4, its parts numbered", product=title or sku)
            return file_name(sku, "parts"), alt
        case Compared(sku=sku, title=title):
            return file_name(sku, "versions"), words("{product}, side by side", product=title or sku)
        case DigestShown():
            return outgoing.reply.table_name.replace(".csv", ".png"), chart_alt(outgoing.reply, words)
    card = _card_of(outgoing)
    assert card is not None, "only these replies have pictures"
    return file_name(card.sku, str(card.revision)), alt_text(card, words)
