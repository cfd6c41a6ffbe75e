"""One writer at a time on SQLite, people first: whoever is waited for by a chat goes ahead of the workers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

URGENT_IN_A_ROW = 4
"""After so many urgent ones a patient one has its turn, so that a flood of events never stops the work."""


class Turnstile:
    """A lock with two queues, each in its own order. For the tasks of one event loop."""

    def __init__(self) -> None:
        self._is_taken = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()
        self._in_a_row = 0

    @asynccontextmanager
    async def turn(self, *, urgent: bool) -> AsyncIterator[None]:
        """Wait for one's turn, and keep it while the block runs."""
        if self._is_taken:
            await self._wait(self._urgent if urgent else self._patient)
        self._is_taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, queue: deque[asyncio.Future[None]]) -> None:
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn in queue:
                queue.remove(turn)
            else:  # the turn came in the very moment of the cancellation: the next one must not wait for us
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Let the next one through; the turnstile stays taken on its way, so that nobody slips in between."""
        is_urgent = bool(self._urgent) and not (self._patient and self._in_a_row >= URGENT_IN_A_ROW)
        self._in_a_row = self._in_a_row + 1 if is_urgent else 0
        queue = self._urgent if is_urgent else self._patient
        self._is_taken = bool(queue)
        if queue:
            queue.popleft().set_result(None)
