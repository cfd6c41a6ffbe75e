"""How soon the next message may go, so that a chat's limits are kept before they bite.

Sliding windows in memory: after a restart they are empty, and a chat that then asks for a pause is
listened to. A message counts from when it was begun until `per_s` after it was done, since nobody
knows when between the two the chat counted it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from domain.chat_ports import Limit

FORGET_EVERY = 1000
"""Idle keys are dropped once in so many messages: a year of conversations must not stay in memory."""


@dataclass(slots=True)
class Started:
    """One message under way; `done` ends it."""

    began_at: float
    ended_at: float = math.inf

    def done(self, now: float) -> None:
        """It was answered, whatever the answer was."""
        self.ended_at = min(self.ended_at, now)


@dataclass(slots=True)
class _Key:
    """The recent messages of one key, in the order they were begun."""

    longest_s: float = 0.0
    recent: deque[Started] = field(default_factory=deque)
    blocked_until: float = -math.inf

    def forget(self, now: float) -> None:
        while self.recent and self.recent[0].ended_at + self.longest_s <= now:
            self.recent.popleft()


class Pacer:
    """All limits of all chats; times are seconds of one monotonic clock, handed in with every call."""

    def __init__(self) -> None:
        self._keys: dict[str, _Key] = {}
        self._counted = 0

    def free_at(self, limits: Sequence[Limit], now: float) -> float:
        """Return when a message under these limits may go: `now` at once, else look again then.

        While a message is under way, the time is the earliest possible one.
        """
        return max((self._free_at(limit, now) for limit in limits), default=now)

    def start(self, limits: Sequence[Limit], now: float) -> Started:
        """Count a message that goes now."""
        started = Started(now)
        for limit in {limit.key: limit for limit in limits}.values():
            self._of(limit, now).recent.append(started)
        self._counted += 1
        if self._counted % FORGET_EVERY == 0:
            self._forget_idle(now)
        return started

    def block(self, keys: Iterable[str], until: float) -> None:
        """Let nothing of these keys go before `until`: the chat asked for it."""
        for name in keys:
            key = self._keys.setdefault(name, _Key())
            key.blocked_until = max(key.blocked_until, until)

    def _free_at(self, limit: Limit, now: float) -> float:
        key = self._of(limit, now)
        # The `count`th newest end is the one that must have left the window.
        ends = sorted((min(message.ended_at, now) for message in key.recent), reverse=True)
        free = ends[limit.count - 1] + limit.per_s if len(ends) >= limit.count else now
        return max(free, key.blocked_until, now)

    def _of(self, limit: Limit, now: float) -> _Key:
        key = self._keys.setdefault(limit.key, _Key())
        # Two messages may name one key with windows of their own; the longest decides how much is remembered.
        key.longest_s = max(key.longest_s, limit.per_s)
        key.forget(now)
        return key

    def _forget_idle(self, now: float) -> None:
        for key in self._keys.values():
            key.forget(now)
        self._keys = {name: key for name, key in self._keys.items() if key.recent or key.blocked_until > now}
