"""A chat's ways in and out. `bot/app.py` hands the implementations in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.catalog import Sha256
from domain.intents import Attachment, Incoming
from domain.replies import Outgoing, Reply


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` messages in `per_s` seconds share this `key`; the outbox waits before it bites."""

    key: str
    count: int
    per_s: float


class Chat(Protocol):
    """One chat's way out."""

    async def deliver(self, outgoing: Outgoing) -> str:
        """Post or edit, and return the message's native id. May be repeated after a crash.

        Raises RateLimited or StoreDown (try again), Undeliverable or Fault (never will). Returns an
        empty id for what only one person was shown and nobody can edit.
        """
        ...

    def limits(self, outgoing: Outgoing) -> Sequence[Limit]:
        """Return what the chat allows for such a message; none where it has no limits."""
        ...

    async def find_posted(self, outgoing: Outgoing) -> str | None:
        """Return the native id of a post whose sending was cut off, None where there is none or it cannot be told.

        Asked once, after a crash between sending and marking.
        """
        ...


class ChatFiles(Protocol):
    """The files people sent, as their chat keeps them."""

    async def fetch(self, attachment: Attachment) -> bytes:
        """Return the bytes, from the chat's own host only.

        Raises BadPhoto when it is gone, too large or no picture; RateLimited, StoreDown (try again).
        """
        ...


class Events(Protocol):
    """The way in: durable before acknowledged."""

    async def take(
        self, incoming: Incoming, *, working: Reply | None = None, written: Mapping[Sha256, bytes] | None = None
    ) -> bool:
        """In one transaction store the event and enqueue its intake; False when it was known before.

        `working` is shown at once in the event's place. `written` are bytes from `MediaStorage.write`,
        recorded in this very transaction.
        """
        ...

    async def load(self, event_key: str) -> Incoming:
        """Return a stored event. Raises Fault("row_missing")."""
        ...
