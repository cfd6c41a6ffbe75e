"""How fast a store may be asked: a token bucket per (account, operation), shared by all who talk to it.

A caller reserves first and then waits for its own turn, so that waiters are served in order and a store
with its limits kept never answers 429. What a store says of its limits (Shopify's `throttleStatus`,
Amazon's `x-amzn-RateLimit-Limit`, a Retry-After) corrects the bucket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

WHOLE_ACCOUNT: Final = ""
"""The bucket of every operation that has none of its own."""

LOOK_AGAIN_S: Final = 0.25
SHORTEST_WAIT_S: Final = 0.001
"""Less may be lost in rounding, and then nobody gets on."""

Monotonic = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` points flow back a second, at most `burst` wait; an ordinary call costs 1.

    `at_once` calls may be under way, where a store takes its highest price first and gives change with the answer:
    reservations of all who wait, at the highest price, would let them wait for points that are never spent.
    """

    per_s: float
    burst: float
    at_once: int | None = None


class WaitTooLong(Exception):
    """The turn would come only in `seconds`, which is more than the caller is patient for."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.1f} s to wait")
        self.seconds = seconds


@dataclass(slots=True)
class _Bucket:
    rate: Rate
    points: float
    at: float
    closed_until: float = 0.0
    outstanding: float = 0.0
    """Reserved by calls whose answer is not here yet: the store may not have counted them."""
    gate: asyncio.Semaphore | None = None

    def refill(self, now: float) -> None:
        self.points = min(self.rate.burst, self.points + (now - self.at) * self.rate.per_s)
        self.at = now


@dataclass(slots=True)
class Buckets:
    """The buckets of one account. `rates` by operation; `WHOLE_ACCOUNT` must be among them."""

    rates: Mapping[str, Rate]
    monotonic: Monotonic
    sleep: Sleep
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    async def take(self, operation: str, *, cost: float = 1.0, patience_s: float = 30.0) -> None:
        """Wait for a turn; end it with `settle`. Raises WaitTooLong, having taken nothing."""
        bucket = self._of(operation)
        if bucket.gate is None:
            return await self._reserve(bucket, cost, patience_s)
        await bucket.gate.acquire()
        try:
            while (wait_s := self._wait_s(bucket, cost)) > 0:
                if wait_s > patience_s:
                    raise WaitTooLong(wait_s)
                # What comes back with somebody's answer shortens the wait.
                await self.sleep(min(max(wait_s, SHORTEST_WAIT_S), LOOK_AGAIN_S))
            bucket.points -= min(cost, bucket.rate.burst)
            bucket.outstanding += min(cost, bucket.rate.burst)
        except BaseException:
            bucket.gate.release()
            raise

    def _wait_s(self, bucket: _Bucket, cost: float) -> float:
        """How long until a call of this cost may go, as things stand; one dearer than the bucket waits for a full one."""
        now = self.monotonic()
        bucket.refill(now)
        missing = max(0.0, min(cost, bucket.rate.burst) - bucket.points) / bucket.rate.per_s
        return max(missing, bucket.closed_until - now)

    async def _reserve(self, bucket: _Bucket, cost: float, patience_s: float) -> None:
        # A call dearer than the whole bucket could never be paid for: it waits for a full one.
        cost = min(cost, bucket.rate.burst)
        while True:
            wait_s = self._wait_s(bucket, cost)
            if wait_s > patience_s:
                raise WaitTooLong(wait_s)
            bucket.points -= cost
            bucket.outstanding += cost
            if wait_s > 0:
                try:
                    await self.sleep(wait_s)
                except BaseException:
                    self._give_back(bucket, cost)
                    raise
            if self.monotonic() >= bucket.closed_until:
                return
            self._give_back(bucket, cost)

    def settle(self, operation: str, *, cost: float = 1.0, actual: float | None = None) -> None:
        """Say that the answer is here; `actual` is what the store charged, where it says so."""
        bucket = self._of(operation)
        cost = min(cost, bucket.rate.burst)
        bucket.outstanding = max(0.0, bucket.outstanding - cost)
        if bucket.gate is not None:
            bucket.gate.release()
        if actual is not None:
            bucket.points = min(bucket.rate.burst, bucket.points + cost - actual)

    def learn(
        self,
        operation: str,
        *,
        per_s: float | None = None,
        burst: float | None = None,
        available: float | None = None,
    ) -> None:
        """Take the store's own word for its limits; zero, negative and absent figures change nothing."""
        bucket = self._of(operation)
        bucket.refill(self.monotonic())
        rate = replace(
            bucket.rate,
            per_s=per_s if per_s and per_s > 0 else bucket.rate.per_s,
            burst=burst if burst and burst > 0 else bucket.rate.burst,
        )
        bucket.rate = rate
        if available is not None:
            bucket.points = min(rate.burst, available) - bucket.outstanding

    def pause(self, operation: str, seconds: float) -> None:
        """Let nobody through for so long: the store asked for it."""
        bucket = self._of(operation)
        now = self.monotonic()
        bucket.refill(now)
        bucket.closed_until = max(bucket.closed_until, now + seconds)
        bucket.points = min(bucket.points, 0.0)

    def seconds_for_one(self, operation: str) -> float:
        """How long one ordinary call takes to flow back: the pause where a store names none."""
        return 1.0 / self._of(operation).rate.per_s

    def _of(self, operation: str) -> _Bucket:
        name = operation if operation in self.rates else WHOLE_ACCOUNT
        if name not in self._buckets:
            rate = self.rates[name]
            gate = None if rate.at_once is None else asyncio.Semaphore(rate.at_once)
            self._buckets[name] = _Bucket(rate, points=rate.burst, at=self.monotonic(), gate=gate)
        return self._buckets[name]

    def _give_back(self, bucket: _Bucket, cost: float) -> None:
        bucket.points += cost
        bucket.outstanding = max(0.0, bucket.outstanding - cost)
