"""What is said about keeping the stores in step: how far each is, and the questions only a person can answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    """What all of them are, so that a chat hands them on in one line."""


@dataclass(frozen=True, slots=True)
class SyncStoreLine:
    """How far one store is. `state`: `in_step`, `waiting` (nobody agreed to its numbers yet), `off`, `trouble`, `lacking` (no stock or orders).

    `tells`: it tells of orders by itself; else they are pulled every `every_s` seconds. `trouble` is a sentence.
    """

    store: str
    platform: str
    state: str
    tells: bool
    every_s: int
    pulled_at: datetime | None = None
    read_at: datetime | None = None
    linked: int = 0
    open_pushes: int = 0
    oldest_push_at: datetime | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class SyncShown(SyncAnswer):
    """`sync status`. `stopped` counts products a stopped run holds back, `notes` are sentences with what to do."""

    is_on: bool
    by: str
    at: datetime | None
    stores: tuple[SyncStoreLine, ...]
    mismatches: int = 0
    oversold: int = 0
    stopped: int = 0
    is_asking: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncTurned(SyncAnswer):
    """Sync was turned on or off, for the team or (`sku`) one product; `is_news` False where it stood so already.

    `is_first`: the stores are being read, and a question follows.
    """

    is_on: bool
    by: str
    sku: str = ""
    is_news: bool = True
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class SyncBegun(SyncAnswer):
    """`sync`: every store is being pulled and compared now."""

    stores: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MismatchAsked(SyncAnswer):
    """A store shows another number than the ledger, on two reads: which one is right?

    `state` is a MismatchState value; while `open`, nothing is written there. `others` are the other stores that show
    the ledger's number. `counting`: who said that they will count.
    """

    mismatch_id: str
    sku: str
    title: str
    store: str
    expected: int
    observed: int
    others: tuple[str, ...]
    state: str
    by: str = ""
    at: datetime | None = None
    counting: str = ""


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One order that took the last pieces."""

    store: str
    number: str
    quantity: int
    ordered_at: datetime
    url: str = ""


@dataclass(frozen=True, slots=True)
class OversoldAsked(SyncAnswer):
    """More was ordered than there is. A person writes to the buyer: an apology is drafted, and never sent by us."""

    oversold_id: str
    sku: str
    title: str
    missing: int
    orders: tuple[SoldLine, ...]
    is_open: bool = True
    by: str = ""


@dataclass(frozen=True, slots=True)
class DryRunLine:
    """One product of a dry run: what each store shows, and what it would be (None: it is left out)."""

    sku: str
    shows: tuple[tuple[str, int | None], ...]
    becomes: int | None
    is_disputed: bool = False


@dataclass(frozen=True, slots=True)
class RunAsked(SyncAnswer):
    """A run that stopped, or the first count of what the stores show: nothing is written before a yes.

    `kind` and `state` are RunKind and RunState values, `alarm` an Alarm value or empty. `lines` are the first of the
    dry run, `total` counts its products, `disputed` those the stores disagree on, `zeroed` those that would be sold
    out, `of` all products looked at.
    """

    run_id: str
    kind: str
    state: str
    store: str
    alarm: str
    lines: tuple[DryRunLine, ...]
    total: int
    disputed: int = 0
    zeroed: int = 0
    of: int = 0
    by: str = ""
    at: datetime | None = None
    notes: tuple[str, ...] = ()


SyncReply = SyncShown | SyncTurned | SyncBegun | MismatchAsked | OversoldAsked | RunAsked
