"""Closing ends: a loop that did not hear that it was cancelled is told again."""

from __future__ import annotations

import asyncio

from bot.app import _end
from storage.bell import Bell


async def test_a_loop_that_loses_a_cancellation_is_ended_all_the_same() -> None:
    lost = 0

    async def deaf_once() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
                if lost > 1:
                    raise

    loop = asyncio.create_task(deaf_once())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await _end([loop])
    assert (lost, loop.cancelled()) == (2, True)


async def test_who_waits_for_a_ring_hears_a_cancellation_in_that_very_moment() -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(after=0, timeout_s=60))
    await asyncio.sleep(0)
    bell.ring()
    await asyncio.sleep(0)  # the ring is on its way to the waiting task
    waiting.cancel()
    await asyncio.wait([waiting], timeout=5)
    assert waiting.cancelled()
