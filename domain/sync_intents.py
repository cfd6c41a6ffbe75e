"""What a person can say to keep the stores in step."""

from __future__ import annotations

from dataclasses import dataclass

from domain.catalog import Sku


@dataclass(frozen=True, slots=True)
class SyncAsked:
    """What all of them are, so that the door hands them on in one line."""


@dataclass(frozen=True, slots=True)
class SyncNow(SyncAsked):
    """`sync`: pull and compare everything now, and ask again what somebody said no to."""


@dataclass(frozen=True, slots=True)
class ShowSync(SyncAsked):
    """`sync status`."""


@dataclass(frozen=True, slots=True)
class TurnSync(SyncAsked):
    """`sync on`, `sync off`, of the team or of some products."""

    is_on: bool
    skus: tuple[Sku, ...] = ()


SyncIntent = SyncNow | ShowSync | TurnSync
