"""The files people sent: asked for by id, then downloaded from Telegram's own host, counted while they come."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
from telegram import Bot
from telegram.error import TelegramError

from domain.errors import BadPhoto, RateLimited, StoreDown
from domain.intents import Attachment
from handlers.telegram.api import STORE, file_client, translated

MAX_BYTES = 20_000_000
"""What Telegram hands a bot at most (core.telegram.org/bots/api#getfile)."""
_PAUSE_S = 5.0


class Files:
    """`root` is where every file of this bot lies, the token in its path; nothing else is followed."""

    def __init__(self, bot: Bot, *, root: str) -> None:
        self._bot = bot
        self._root = root
        self._client = file_client()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def fetch(self, attachment: Attachment) -> bytes:
        """Return a file's bytes; its link lives for an hour, so each fetch asks for a new one.

        Raises BadPhoto, RateLimited, StoreDown.
        """
        if attachment.size_bytes > MAX_BYTES:
            raise _too_large(attachment.size_bytes)
        url = await self._address(attachment)
        # A local path or another host would be read, or told the token, on an answer's word alone.
        if not url.startswith(self._root) or ".." in urlsplit(url).path:
            raise BadPhoto(
                "Telegram pointed me elsewhere for that file, so I left it: send it again.", reason="wrong_host"
            )
        try:
            return await self._download(url)
        except httpx.HTTPError as error:
            # Its own cause quotes the address, and so the token.
            raise StoreDown(f"Telegram did not hand over the file ({type(error).__name__}).", store=STORE) from None

    async def _address(self, attachment: Attachment) -> str:
        try:
            found = await self._bot.get_file(attachment.file_id)
        except TelegramError as error:
            said = error.message.lower()
            if "too big" in said:
                raise _too_large(attachment.size_bytes) from error
            if "file_id" in said or "temporarily unavailable" in said:
                raise _gone() from error
            raise translated(error) from error
        return found.file_path or ""

    async def _download(self, url: str) -> bytes:
        async with self._client.stream("GET", url) as answer:
            if answer.status_code == 429:
                asked = answer.headers.get("retry-after", "")
                raise RateLimited(store=STORE, retry_after_s=float(asked) if asked.isdecimal() else _PAUSE_S)
            if answer.status_code >= 500:
                raise StoreDown(f"Telegram answered {answer.status_code} for a file.", store=STORE)
            if answer.status_code != 200:
                raise _gone()
            content = bytearray()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise _too_large(len(content))
            return bytes(content)


def _too_large(size_bytes: int) -> BadPhoto:
    if size_bytes <= MAX_BYTES:
        return BadPhoto(
            "That file is too large, and Telegram hands me 20 MB at most: send it as a photo, or take the store's own "
            "picture with `enhance SKU`.",
            reason="too_large",
        )
    return BadPhoto(
        "That file has {megabytes} MB, and Telegram hands me 20 MB at most: send it as a photo, or take the store's "
        "own picture with `enhance SKU`.",
        megabytes=round(size_bytes / 1e6),
        reason="too_large",
    )


def _gone() -> BadPhoto:
    return BadPhoto("That file is no longer on Telegram: send it again.", reason="gone")
