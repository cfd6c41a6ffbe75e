"""A store's limits, kept as the store would, and a time for many who wait at once."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from platforms.buckets import WHOLE_ACCOUNT, Rate
from tests.fakes.store_side import HandTime

TICK_S = 0.001
QUIET_TICKS = 4
"""So many looks in a row that find nothing going on: then all who run are waiting for the time."""


class Limit(Protocol):
    """What a store kept count of."""

    @property
    def refused(self) -> int:
        """How many calls came too fast."""
        ...

    @property
    def shortest_s(self) -> float:
        """How long all that was taken in must take at least."""
        ...


@dataclass(slots=True)
class Limits:
    """Token buckets by operation, on the store's side. What has no rate of its own falls into WHOLE_ACCOUNT's, if any."""

    rates: Mapping[str, Rate]
    monotonic: Callable[[], float]
    refused: int = 0
    spent: Counter[str] = field(default_factory=Counter)
    _points: dict[str, float] = field(default_factory=dict)
    _at: dict[str, float] = field(default_factory=dict)

    def admits(self, operation: str) -> bool:
        """Take a call in, or refuse it."""
        name = operation if operation in self.rates else WHOLE_ACCOUNT
        if name not in self.rates:
            return True
        rate, now = self.rates[name], self.monotonic()
        points = self._points.get(name, rate.burst) + (now - self._at.get(name, now)) * rate.per_s
        self._points[name], self._at[name] = min(rate.burst, points), now
        # Ten thousandths of a call are rounding, not haste.
        if self._points[name] < 0.999:
            self.refused += 1
            return False
        self._points[name] -= 1.0
        self.spent[name] += 1
        return True

    @property
    def shortest_s(self) -> float:
        """How long all that was taken in must take at least."""
        return max(
            (max(0.0, calls - self.rates[name].burst) / self.rates[name].per_s for name, calls in self.spent.items()),
            default=0.0,
        )


@dataclass(slots=True)
class CrowdTime(HandTime):
    """A time for many at once: it moves to the next who wakes only when nobody has anything left to do.

    `progress` is a number that changes whenever somebody gets on (calls the server has answered).
    """

    progress: Callable[[], int] = lambda: 0
    _sleeping: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _mover: asyncio.Task[None] | None = None

    async def sleep(self, seconds: float) -> None:
        """Sleep until the time has come to that moment."""
        self.slept.append(seconds)
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleeping, (self.seconds + seconds, next(self._order), waking))
        if self._mover is None or self._mover.done():
            self._mover = asyncio.create_task(self._move())
        await waking

    async def _move(self) -> None:
        while self._sleeping:
            await self._quiet()
            at, _, waking = heapq.heappop(self._sleeping)
            self.seconds = max(self.seconds, at)
            if not waking.done():
                waking.set_result(None)

    async def _quiet(self) -> None:
        seen, quiet = (self.progress(), len(self.slept)), 0
        while quiet < QUIET_TICKS:
            await asyncio.sleep(TICK_S)
            now = (self.progress(), len(self.slept))
            quiet = quiet + 1 if now == seen else 0
            seen = now
