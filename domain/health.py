"""How stores and chats are doing, as values: what a pulse of a store is, and the lines of `status`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.errors import MissingScope, NeedsReconnect, StoreDown, StoreError

FAILURES_TOLD = 3
"""So many failures in a row before people are told: one is the network's, three are somebody's to mend."""


class FailureKind(StrEnum):
    """Why talking to a store failed, spelled as in the table."""

    DOWN = "down"
    RECONNECT = "reconnect"
    SCOPE = "scope"
    OTHER = "other"


def failure_kind(error: StoreError) -> FailureKind:
    """Return how a failure is kept."""
    match error:
        case StoreDown():
            return FailureKind.DOWN
        case NeedsReconnect():
            return FailureKind.RECONNECT
        case MissingScope():
            return FailureKind.SCOPE
        case _:
            return FailureKind.OTHER


def failure_of(kind: FailureKind, *, store: str, scope: str = "") -> StoreError:
    """Return the error that was kept as `kind`, so that its sentence can be said again, in any language."""
    match kind:
        case FailureKind.DOWN:
            return StoreDown(f"{store} did not answer.", store=store)
        case FailureKind.RECONNECT:
            return NeedsReconnect(f"{store} does not accept the key.", store=store)
        case FailureKind.SCOPE:
            return MissingScope(store=store, scope=scope)
        case FailureKind.OTHER:
            return StoreError("an error", store=store)


@dataclass(frozen=True, slots=True)
class Pulse:
    """How talking to one store goes. `failures` in a row, 0 once it answered; the last failure stays known."""

    failures: int = 0
    failure: FailureKind | None = None
    scope: str = ""
    failed_at: datetime | None = None
    last_ok_at: datetime | None = None
    key_expires_at: datetime | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """What waits to be done for a team: events not handled yet, pictures not begun and begun, and messages out."""

    events: int = 0
    jobs_waiting: int = 0
    jobs_running: int = 0
    dead_letters: int = 0
    """Pictures and placements that failed and wait for somebody to press Retry."""
    messages_waiting: int = 0
    messages_lost: int = 0
    """Messages of the last day that nobody will see."""


@dataclass(frozen=True, slots=True)
class HealthLine:
    """One store or chat in `status`. `failure` and `todo` are sentences: what went wrong last, and the next step.

    `is_well` is false where somebody should act; then `todo` says how.
    """

    kind: str
    """`store` or `chat`."""
    name: str
    platform: str
    is_well: bool
    last_ok_at: datetime | None = None
    failure: str = ""
    failed_at: datetime | None = None
    key_expires_at: datetime | None = None
    todo: str = ""


ChatContacts = Mapping[str, datetime]
"""When a chat last took a message of ours or brought one, by its name."""


class HealthRows(Protocol):
    """How stores and chats of a team are doing, and what people were told of it."""

    async def pulses(self, team_id: str) -> Mapping[str, Pulse]:
        """Return every store's pulse by its id; one nobody talked to has none."""
        ...

    async def chats(self, team_id: str) -> ChatContacts:
        """Return when each chat last took a message of ours, or brought one of theirs."""
        ...

    async def queue(self, team_id: str, *, now: datetime) -> QueueCounts:
        """Return what waits for a team, apart from its pictures: who counts those by state knows."""
        ...

    async def tell_once(self, team_id: str, subject: str, kind: str, *, now: datetime) -> bool:
        """Note that people are told of something; False when they were told before."""
        ...

    async def over(self, team_id: str, subject: str, *kinds: str) -> bool:
        """Note that something is over; True when people had been told of it."""
        ...
