"""How fast a store may be asked: a token bucket per (account, operation), shared by all who talk to it.

A caller reserves first and then waits for its own turn, so that waiters are served in order and a store
with its limits kept never answers 429. What a store says of its limits (Shopify's `throttleStatus`,
Amazon's `x-amzn-RateLimit-Limit`, a Retry-After) corrects the bucket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

WHOLE_ACCOUNT: Final = ""
"""The bucket of every operation that has none of its own."""

Monotonic = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` points flow back a second, at most `burst` wait; an ordinary call costs 1."""

    per_s: float
    burst: float


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
        # A call dearer than the whole bucket could never be paid for: it waits for a full one.
        cost = min(cost, bucket.rate.burst)
        while True:
            now = self.monotonic()
            bucket.refill(now)
            missing = max(0.0, cost - bucket.points) / bucket.rate.per_s
            wait_s = max(missing, bucket.closed_until - now)
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
        rate = Rate(
            per_s if per_s and per_s > 0 else bucket.rate.per_s, burst if burst and burst > 0 else bucket.rate.burst
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
            self._buckets[name] = _Bucket(rate, points=rate.burst, at=self.monotonic())
        return self._buckets[name]

    def _give_back(self, bucket: _Bucket, cost: float) -> None:
        bucket.points += cost
        bucket.outstanding = max(0.0, bucket.outstanding - cost)
