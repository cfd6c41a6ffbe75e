"""Ticks each minute for alerts: surveys of the stores, digests, and what has just run out. One process does each.

The locks only spare work: what may be said once is a row that is inserted once (handlers/alert_tick.py), so a worker
that dies in the middle, or two that both think they hold the lock, say nothing twice and leave nothing unsaid.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from bot.slots import Locks
from domain.errors import PackshotError
from handlers.alert_tick import send_due, survey_due, tell_what_ran_out
from handlers.desk import Desk

log = logging.getLogger("packshot.alerts")

EVERY_S: Final = 60.0
DIGESTS, SURVEYS = "digests", "surveys"


async def send_alerts(locks: Locks, desk: Desk) -> None:
    """Say digests and what ran out, for ever; cancel to stop. A failure is logged, the next minute tries again."""
    await _each_minute(locks, DIGESTS, desk, (send_due, tell_what_ran_out))


async def survey_stores(locks: Locks, desk: Desk) -> None:
    """Read the stores, for ever; a loop of its own, since a slow store must not hold a digest back."""
    await _each_minute(locks, SURVEYS, desk, (survey_due,))


Act = Callable[[Desk], Awaitable[object]]


async def _each_minute(locks: Locks, lock: str, desk: Desk, acts: tuple[Act, ...]) -> None:
    while True:
        held = await asyncio.to_thread(locks.try_hold, lock)
        if held is not None:
            try:
                for act in acts:
                    await _tried(act, desk)
            finally:
                await asyncio.to_thread(held.release)
        await asyncio.sleep(seconds_to_next_minute(desk))


async def _tried(act: Act, desk: Desk) -> None:
    try:
        await act(desk)
    except PackshotError:
        log.exception("an alert waits for the next minute")


def seconds_to_next_minute(desk: Desk) -> float:
    """Return how long to wait, so that a digest of 8:00 is there in the first second of 8:00."""
    now = desk.clock()
    return max(0.05, EVERY_S - now.second - now.microsecond / 1e6)
