"""Patience with the line to Telegram: try for ever, ever more slowly, and say how long it has been down."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from domain.errors import Fault
from handlers.telegram.api import retry_after_s, translated, without_token

T = TypeVar("T")

ALARMING_S = 60.0
"""Shorter cuts mend themselves, and nobody should be woken for them."""

log = logging.getLogger("packshot.telegram")


@dataclass(frozen=True, slots=True)
class Pace:
    """`poll_s`: how long Telegram may hold a poll without news. `hold_every_s`: between two tries for the lock."""

    poll_s: float = 25.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 30.0
    refused_pause_s: float = 60.0
    hold_every_s: float = 2.0


class Line:
    """Counts one trouble's length across tries and calls."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._since: float | None = None
        self._pause_s = pace.first_pause_s

    async def until_done(self, call: Callable[[], Awaitable[T]], what: str) -> T:
        """Return what the call returns, once it does."""
        while True:
            try:
                result = await call()
            except (TelegramError, Fault) as error:
                await self._wait(error, what)
            else:
                self._well(what)
                return result

    def _well(self, what: str) -> None:
        if self._since is not None:
            log.warning("telegram is back: %s works after %.0f s", what, time.monotonic() - self._since)
        self._since = None
        self._pause_s = self._pace.first_pause_s

    async def _wait(self, error: TelegramError | Fault, what: str) -> None:
        if self._since is None:
            self._since = time.monotonic()
        pause_s = self._pause_s * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
        self._pause_s = min(self._pause_s * 2, self._pace.longest_pause_s)
        trouble = translated(error) if isinstance(error, TelegramError) else error
        if isinstance(error, RetryAfter):
            pause_s = max(pause_s, retry_after_s(error))
        elif isinstance(error, InvalidToken):
            pause_s = self._pace.refused_pause_s
        advice = " (does another process poll with this token?)" if isinstance(error, Conflict) else ""
        down_s = time.monotonic() - self._since
        level = logging.ERROR if down_s > ALARMING_S else logging.WARNING
        log.log(level, "%s failed for %.0f s: %s%s", what, down_s, without_token(str(trouble)), advice)
        await asyncio.sleep(pause_s)
