"""How often somebody may come: token buckets in memory, one a key, a bounded number of them.

Each web process counts for itself, so that n processes allow n times as much; what these limits stop is a flood. Nothing
that could be guessed hangs on them: an invitation has 72 random bits, every other code, cookie and state 192 or more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

KEYS_MOST: Final = 20_000
"""Some 4 MB. A flood from more addresses than that pushes out who came longest ago."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, `per_s` of them again every second."""

    per_s: float
    burst: float


@dataclass(slots=True)
class Rates:
    """All buckets of a process; times are seconds of one monotonic clock, handed in with every call."""

    keys_most: int = KEYS_MOST
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Key → what was left, and when; in the order of their last use."""

    def take(self, key: str, rate: Rate, now: float) -> float:
        """Take one and return 0, or take nothing and return in how many seconds there is one again."""
        left, since = self._left.pop(key, (rate.burst, now))
        left = min(rate.burst, left + (now - since) * rate.per_s)
        pause_s = 0.0 if left >= 1 else (1 - left) / rate.per_s
        if len(self._left) >= self.keys_most:
            del self._left[next(iter(self._left))]
        self._left[key] = (left if pause_s else left - 1, now)
        return pause_s

    def __len__(self) -> int:
        return len(self._left)
