"""Telegram's wire: the bot with its connections, its errors in our words, and a guard on the token.

The token stands in the path of every request, so whatever quotes an address quotes the token: httpx
logs each one at INFO. Its logger is kept at WARNING, and a filter takes the token out of what passes
anyhow, since a person debugging may turn the level down.
"""

from __future__ import annotations

import logging
import os
import re
import ssl
from datetime import timedelta
from functools import cache

import httpx
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from domain.errors import Fault, PackshotError, RateLimited, StoreDown, Undeliverable

STORE = "Telegram"
"""How the chat is called in errors."""

_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{20,}")
_GONE_MESSAGE = (
    "message to edit not found", "message can't be edited", "message_id_invalid",
    # Of a forum's topic: its group is still open to us.
    "message thread not found", "topic_deleted", "topic_closed",
)  # fmt: skip
_BAD_PICTURE = ("photo_invalid", "image_process_failed", "wrong remote file", "wrong file identifier", "photo_save_file_invalid")  # fmt: skip
_GONE_PLACE = ("chat not found", "peer_id_invalid", "not enough rights", "have no rights", "chat_write_forbidden")  # fmt: skip


class TokenFilter(logging.Filter):
    """Takes a bot's token out of log lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the line; every line passes."""
        record.msg = without_token(record.getMessage())
        record.args = None
        return True


_FILTER = TokenFilter()


def without_token(text: str) -> str:
    """Return a text that may quote one of Telegram's addresses, fit for a log."""
    return _TOKEN.sub("TOKEN", text)


def quieten() -> None:
    """Keep the token out of the loggers of the libraries; calling it twice changes nothing."""
    for name in ("httpx", "httpcore.http11", "httpcore.connection", "telegram.Bot", "telegram.request"):
        logging.getLogger(name).addFilter(_FILTER)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def open_requests(*, pool_size: int, read_timeout_s: float) -> HTTPXRequest:
    """Return connections of their own; nothing is opened yet."""
    return HTTPXRequest(
        connection_pool_size=pool_size,
        connect_timeout=5.0,
        read_timeout=read_timeout_s,
        write_timeout=10.0,
        pool_timeout=5.0,
        httpx_kwargs={"follow_redirects": False, "verify": _certificates()},
    )


def open_bot(*, token: str, api_url: str, requests: HTTPXRequest) -> Bot:
    """Return the bot on one pool."""
    quieten()
    # The library's own switch to durations; without it every 429 also raises a deprecation warning.
    os.environ.setdefault("PTB_TIMEDELTA", "true")
    base = api_url.rstrip("/")
    return Bot(
        token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=requests,
        get_updates_request=requests,
    )


def translated(error: TelegramError) -> PackshotError:
    """Return Telegram's error as one of ours."""
    said = without_token(error.message)
    if isinstance(error, RetryAfter):
        return RateLimited(store=STORE, retry_after_s=retry_after_s(error))
    if isinstance(error, InvalidToken):
        return Undeliverable("Telegram no longer accepts the bot's token: set a new one.", scope="chat")
    if isinstance(error, Forbidden):
        return Undeliverable(f"Telegram does not let me write here ({said}).", scope="place")
    if isinstance(error, ChatMigrated):
        return Undeliverable("This group became a supergroup: write to me there once.", scope="place")
    if isinstance(error, BadRequest):
        return _refused(said)
    if isinstance(error, NetworkError | Conflict):
        return StoreDown(f"Telegram did not answer ({said}).", store=STORE)
    return Fault("telegram_refused", said)


def retry_after_s(error: RetryAfter) -> float:
    """Return the pause Telegram asks for."""
    asked = error.retry_after
    return asked.total_seconds() if isinstance(asked, timedelta) else float(asked)


def is_unchanged(error: TelegramError) -> bool:
    """Whether an edit found the message as it should be, which is what a repeated edit does."""
    return isinstance(error, BadRequest) and "message is not modified" in error.message.lower()


def is_late(error: TelegramError) -> bool:
    """Whether a press was answered too late for its spinner, which hurts nobody."""
    return isinstance(error, BadRequest) and "query is too old" in error.message.lower()


def is_without_text(error: TelegramError) -> bool:
    """Whether the message that should be edited is a picture."""
    return isinstance(error, BadRequest) and "no text in the message" in error.message.lower()


def is_without_caption(error: TelegramError) -> bool:
    """Whether the message that should be edited has no picture."""
    return isinstance(error, BadRequest) and "no caption in the message" in error.message.lower()


def is_picture_refused(error: TelegramError) -> bool:
    """Whether Telegram could do nothing with a picture's bytes, or forgot the file that stood for them."""
    words = error.message.lower()
    return isinstance(error, BadRequest) and any(each in words for each in _BAD_PICTURE)


def file_client() -> httpx.AsyncClient:
    """Return a client for files; it follows no redirect, since that would carry the token elsewhere."""
    return httpx.AsyncClient(timeout=httpx.Timeout(30.0, connect=5.0), follow_redirects=False, verify=_certificates())


@cache
def _certificates() -> ssl.SSLContext:
    """Read the certificates once; a client that reads them itself takes 50 ms to make."""
    return httpx.create_ssl_context()


def _refused(said: str) -> PackshotError:
    words = said.lower()
    if any(each in words for each in _GONE_MESSAGE):
        return Undeliverable(f"The message is gone or too old to change ({said}).", scope="message")
    if any(each in words for each in _GONE_PLACE):
        return Undeliverable(f"Telegram does not let me write here ({said}).", scope="place")
    return Fault("telegram_refused", said)
