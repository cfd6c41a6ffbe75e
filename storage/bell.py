"""Wakes the loops of this process that wait for rows of this process.

Other processes are heard by polling; the bell only takes the waiting out of the common case.
"""

from __future__ import annotations

import asyncio


class Bell:
    """Rung after a commit. Remembers by `rung` that it rang between a look and a wait."""

    def __init__(self) -> None:
        self.rung = 0
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def ring(self) -> None:
        """Wake everybody who waits; safe from any thread."""
        self.rung += 1
        for loop, heard in tuple(self._waiting):
            if not loop.is_closed():
                loop.call_soon_threadsafe(heard.set)

    async def wait(self, *, after: int, timeout_s: float) -> bool:
        """Return True once it rang more than `after` times, False after `timeout_s`.

        Read `rung` before looking at the rows and pass it as `after`, so that no ring is missed.
        """
        entry = (asyncio.get_running_loop(), asyncio.Event())
        self._waiting.add(entry)
        try:
            if self.rung > after:
                return True
            # Not wait_for: in Python 3.11 it loses a cancellation that comes in the moment of the ring.
            async with asyncio.timeout(timeout_s):
                await entry[1].wait()
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(entry)
        return True
