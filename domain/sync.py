"""Keeping the stores in step: whether we may, how far each store is, and when to stop and ask.

The numbers themselves are the ledger's (domain/stock.py). Here is what surrounds it: a switch that a person turns,
since nothing is published without a yes; a run that would change too much at once, which stops and asks; and sales
of what is not there. Rows: domain/sync_rows.py. Steps: handlers/stock_hear.py and those beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.catalog import PlatformName, Sku, Store, StoreId
from domain.people import Place
from domain.trade import OrderId

ZEROED_MOST: Final = 5
"""A run that would sell out more products than these at once stops (design/STOCK.md, flow 8)."""
ZEROED_SHARE: Final = 0.10
CHANGED_SHARE: Final = 0.30
FEW: Final = 2
"""So few products are no run: what a person just said of one must not be asked again, however small the shop."""
OVERLAP: Final = timedelta(minutes=10)
"""A pull of orders begins so long before the newest change seen: stores show some changes late."""
QUICK_OVERLAP: Final = timedelta(seconds=10)
"""The same for a pull between two complete ones, when hints come by the hundred."""
LOOK_BACK: Final = timedelta(days=7)
"""How far the first pull of a store goes back: what is cancelled later was mostly ordered within a week."""
READ_EVERY: Final = timedelta(hours=1)
"""How often everything a store shows is compared with what we believe."""
RECHECK_AFTER_S: Final = 60.0
"""When a number that surprised us is read for the second time."""
HINTS_PROVE_FOR: Final = timedelta(hours=6)
"""A store that told us of an order within so long is believed to tell of the next one too."""
PULL_WITH_HINTS: Final = timedelta(minutes=15)
PULL_EVERY: Final[Mapping[PlatformName, timedelta]] = {
    PlatformName.SHOPIFY: timedelta(seconds=90),
    PlatformName.WOOCOMMERCE: timedelta(seconds=90),
    PlatformName.ETSY: timedelta(seconds=90),
    # searchOrders: 0.0056 calls a second (specs/STORES.md), so one in 179 s, and a page more now and then.
    PlatformName.AMAZON: timedelta(seconds=200),
    PlatformName.SHELF: timedelta(seconds=5),
}
"""How often orders are pulled from a store that does not tell of them by itself; the shelf costs nobody a call."""


class SyncJob(StrEnum):
    """What a worker does to keep stores in step. The subject is a store, of PLAN and FIRST a team."""

    HEAR = "stock_hear"
    """Fetch the orders that changed, and book them."""
    PLAN = "stock_plan"
    """Open the writes that are due, unless they are too many at once."""
    PUSH = "stock_push"
    """Write what is open."""
    READ = "stock_read"
    """Compare what the store shows with what we believe."""
    FIRST = "stock_first"
    """Read what a store shows before it is kept in step, and once somebody said yes, count it."""


@dataclass(frozen=True, slots=True)
class SyncSwitch:
    """Whether a team's stores are kept in step. Off until somebody says `sync on`; cards are shown in `places`."""

    team_id: str
    is_on: bool = False
    by: str = ""
    at: datetime | None = None
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreSync:
    """How far one store is. `trouble` is a sentence, empty while all is well; `failures` counts in a row.

    `pulled_at` is when the last pull with the whole overlap began, `wanted_at` since when another one is wanted,
    `hinted_at` when the store last told of an order by itself, `read_at` when its whole stock was last compared,
    `recheck_at` when a surprise is to be read again.
    `is_linked`: it was counted with a person's yes, so it may be written.
    """

    store_id: StoreId
    team_id: str
    pulled_at: datetime | None = None
    wanted_at: datetime | None = None
    hinted_at: datetime | None = None
    read_at: datetime | None = None
    recheck_at: datetime | None = None
    trouble: str = ""
    trouble_at: datetime | None = None
    failures: int = 0
    is_linked: bool = False

    def pull_every(self, platform: PlatformName, now: datetime) -> timedelta:
        """Return how often its orders are pulled: seldom while the store tells of them by itself."""
        tells = self.hinted_at is not None and abs(now - self.hinted_at) <= HINTS_PROVE_FOR
        return max(PULL_WITH_HINTS, PULL_EVERY[platform]) if tells else PULL_EVERY[platform]

    def is_pull_due(self, platform: PlatformName, now: datetime) -> bool:
        """Whether to pull now. A clock that was set back makes it due, never late."""
        return is_past(self.pulled_at, self.pull_every(platform, now), now)

    def is_resting(self, now: datetime) -> bool:
        """Whether it failed so lately that it is left alone: 15 s, doubled with each failure, a quarter of an hour at most."""
        pause = timedelta(seconds=min(900.0, 15.0 * 2.0 ** min(self.failures - 1, 10)))
        return self.failures > 0 and not is_past(self.trouble_at, pause, now)


def is_past(moment: datetime | None, wait: timedelta, now: datetime) -> bool:
    """Whether `wait` has gone by since `moment`; also where the moment lies ahead, since then the clock has jumped."""
    return moment is None or now - moment >= wait or moment > now + timedelta(minutes=1)


# ---------------------------------------------------------------- the breaker


@dataclass(frozen=True, slots=True)
class Change:
    """One place would go from `before` to `after`; None is a number that nobody knew."""

    sku: Sku
    store_id: StoreId
    before: int | None
    after: int


class Alarm(StrEnum):
    """Why a run stopped."""

    ZEROED = "zeroed"
    """Too many products would be sold out at once."""
    CHANGED = "changed"
    """Too large a part of the shop would change at once."""
    EMPTIED = "emptied"
    """A store shows none of anything, or lost most of its listings."""


def judge(changes: Sequence[Change], total: int) -> Alarm | None:
    """Return why these changes, of `total` products, must be asked first; None where they may be made.

    Pure arithmetic on products, not on places: one that changes on four stores counts once.
    """
    zeroed = {one.sku.key for one in changes if one.after <= 0 and (one.before is None or one.before > 0)}
    changed = {one.sku.key for one in changes if one.before != one.after}
    if len(changed) <= FEW:
        return None
    had_some = {one.sku.key for one in changes if (one.before or 0) > 0}
    if len(had_some) > FEW and had_some <= zeroed and len(changed) >= total:
        return Alarm.EMPTIED
    if len(zeroed) > ZEROED_MOST or len(zeroed) > max(FEW, ZEROED_SHARE * total):
        return Alarm.ZEROED
    return Alarm.CHANGED if len(changed) > CHANGED_SHARE * total else None


class RunKind(StrEnum):
    """What a person is asked to let through."""

    FIRST = "first"
    """What the stores show now would become the first count."""
    WRITE = "write"
    """Writes to the stores, stopped by the breaker."""
    READ = "read"
    """What a store shows, stopped by the breaker before anything was made of it."""


class RunState(StrEnum):
    """Where a run stands. At most one of a kind and subject is READING, ASKED or GOING."""

    READING = "reading"
    ASKED = "asked"
    GOING = "going"
    DONE = "done"
    LEFT = "left"
    """Somebody said no: it is not asked again before `sync` is said."""
    PASSED = "passed"
    """It is no longer needed: what it would change is as it should be."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One product of a dry run: what each store shows now, and what it would be; None where it does not say."""

    sku: str
    shows: tuple[tuple[str, int | None], ...]
    becomes: int | None
    is_disputed: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A run that waits for a yes. `lines` are the first of its dry run, `total` and `disputed` count all of them.

    `skus` are those that nothing is written of meanwhile; `only_agreed`: leave out where the stores disagree.
    """

    run_id: str
    team_id: str
    kind: RunKind
    state: RunState
    store_id: StoreId | None
    opened_at: datetime
    alarm: Alarm | None = None
    lines: tuple[RunLine, ...] = ()
    total: int = 0
    disputed: int = 0
    zeroed: int = 0
    of: int = 0
    skus: tuple[str, ...] = ()
    only_agreed: bool = False
    by: str = ""
    decided_at: datetime | None = None


# ---------------------------------------------------------------- sold, and not there


@dataclass(frozen=True, slots=True)
class SoldOrder:
    """An order that took the last pieces. `url` is the store's page of it; who bought is not known here."""

    store: str
    number: str
    order_id: OrderId
    quantity: int
    ordered_at: datetime
    url: str = ""


@dataclass(frozen=True, slots=True)
class Oversold:
    """More was ordered than there is: `missing` pieces (> 0). Open until somebody deals with it or stock comes in."""

    oversold_id: str
    team_id: str
    sku: Sku
    missing: int
    orders: tuple[SoldOrder, ...]
    opened_at: datetime
    is_open: bool = True
    by: str = ""


@dataclass(frozen=True, slots=True)
class OpenHint:
    """A hint nobody has acted on: `key` names it, `subject` is the store's id of what changed."""

    key: str
    topic: str
    subject: str
    taken_at: datetime

    @property
    def is_of_order(self) -> bool:
        """Whether it speaks of an order."""
        return is_of_order(self.topic)


def is_of_order(topic: str) -> bool:
    """Whether a vendor's word speaks of an order: `order.created`, `orders/paid`, `order.canceled`."""
    return topic.lower().replace("/", ".").startswith(("order.", "orders."))


def held_back(runs: Collection[Run]) -> frozenset[str]:
    """Return the SKU keys of which nothing is written: their run was stopped, and nobody let it go on."""
    stopped = {RunState.ASKED, RunState.LEFT}
    return frozenset(key for run in runs if run.kind is RunKind.WRITE and run.state in stopped for key in run.skus)


@dataclass(frozen=True, slots=True)
class StoreLag:
    """What `sync status` says of one store."""

    store: Store
    sync: StoreSync
    tells: bool
    open_pushes: int
    oldest_push_at: datetime | None = None
    linked: int = 0
