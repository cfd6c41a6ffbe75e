"""People first: while their events come in fast, the work behind them waits a little between its steps.

Acknowledging an event takes some 5 ms of the event loop, answering it 40 ms. At 50 events a second both
together are more than one loop has, and whoever had just spoken waited behind the answers to everybody
else (p50 100 ms, p99 350 ms; measured on two cores). Slack asks again after three seconds and Telegram
keeps a line waiting, while an answer that comes a second later in a flood is no harm.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

CALM_PER_S = 10
"""Up to here nobody waits for anybody."""
LONGEST_PAUSE_S = 0.25
EXCESS_PER_PAUSE_S = 160
"""At 50 events a second a step has to wait the longest pause: four answers a second until it is calm again."""
WINDOW_S = 1.0
_REMEMBERED = 200


class Courtesy:
    """Counts the events of the last second; `monotonic` in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._heard_at: deque[float] = deque(maxlen=_REMEMBERED)
        self._passage = asyncio.Lock()

    def heard(self, count: int) -> None:
        """Note that events came in just now."""
        self._heard_at.extend([self._monotonic()] * count)

    def pause_s(self) -> float:
        """Return how long a step should wait now: nothing when it is calm, longer the faster events come."""
        since = self._monotonic() - WINDOW_S
        while self._heard_at and self._heard_at[0] < since:
            self._heard_at.popleft()
        excess = len(self._heard_at) - CALM_PER_S
        return min(LONGEST_PAUSE_S, excess / EXCESS_PER_PAUSE_S) if excess > 0 else 0.0

    async def wait(self) -> None:
        """Let people go first. One step at a time passes here while it is not calm, so that none is forgotten."""
        if self.pause_s():
            async with self._passage:
                await asyncio.sleep(self.pause_s())
