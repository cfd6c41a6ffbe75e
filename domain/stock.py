"""The stock ledger's values: movements, order lines, what each store shows, and writes that are on their way.

On hand is the sum of a SKU's movements, each with a key that can be there only once: order, repeats and delay of
what stores tell cannot change it. What a store shows is a belief that is corrected by reading. The rules on these
values are in domain/stock_rules.py, their rows in domain/stock_rows.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from domain.catalog import ListingId, Sku, StoreId
from domain.errors import BadInput
from domain.trade import OrderId, StockId

QUANTITY_MOST: Final = 1_000_000
"""More of one product than any small shop has; a slip of the finger or of an import has more."""
SPLIT_AT: Final = 3
"""From so few on the stores' quantities together are at most what is there (design/STOCK.md: oversold 0)."""

OutletKey = tuple[StoreId, StockId]
"""One place where a SKU can be bought: a store, and the store's own handle of the quantity."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A whole number of pieces, 0 to QUANTITY_MOST. Raises BadInput, which asks for the number that was meant."""

    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise BadInput("{number} cannot be counted: how many are there, 0 or more?", number=self.value)
        if self.value > QUANTITY_MOST:
            raise BadInput(
                "{number} pieces are more than I believe of one product ({most} is the most): how many are there?",
                number=self.value,
                most=QUANTITY_MOST,
            )

    @classmethod
    def read(cls, text: str) -> Quantity:
        """Read what somebody typed; a leading `+` is fine. Raises BadInput, also for `2.5`, `1e9` and words."""
        bare = text.strip().removeprefix("+")
        if re.fullmatch(r"-?[0-9]{1,12}", bare):
            return cls(int(bare))
        if re.fullmatch(r"-?[0-9]*[.,][0-9]+", bare):
            raise BadInput("{number} is no whole number of pieces: how many are there?", number=bare[:20])
        raise BadInput("“{word}” is no number of pieces: write it in digits, for example 12.", word=bare[:20])


# ---------------------------------------------------------------- what moved


class MovementKind(StrEnum):
    """Why the quantity on hand changed; rows and keys spell it so."""

    SOLD = "sold"
    CANCELLED = "cancel"
    RETURNED = "return"
    RECEIVED = "received"
    COUNTED = "count"
    ADDED = "add"
    TRUSTED = "trust"
    """A person said that a store's number is the right one."""
    UNDONE = "undo"


@dataclass(frozen=True, slots=True)
class Movement:
    """So many came (> 0) or went (< 0). `key` is unique in the team: the same one again changes nothing.

    Keys: `sold:{store}:{order}:{line}` and the like from an order, `received:{uuid}` and the like from a person,
    `undo:{key}` for taking one back. `source` is the store's or chat's name, `actor` who did it (empty: a buyer),
    `what` the words they gave. `movement_id` is counted up by the rows, 0 before.
    """

    key: str
    sku: Sku
    quantity: int
    kind: MovementKind
    occurred_at: datetime
    source: str = ""
    actor: str = ""
    what: str = ""
    store_id: StoreId | None = None
    order_id: OrderId | None = None
    movement_id: int = 0


@dataclass(frozen=True, slots=True)
class LineCounts:
    """What is known of an order's line. Each count only grows, so what was learned in any order joins to the same."""

    ordered: int = 0
    cancelled: int = 0
    restocked: int = 0
    shipped: int = 0

    def join(self, other: LineCounts) -> LineCounts:
        """Return what both know: the larger of each count."""
        return LineCounts(
            max(self.ordered, other.ordered),
            max(self.cancelled, other.cancelled),
            max(self.restocked, other.restocked),
            max(self.shipped, other.shipped),
        )

    def gone(self, *, tells_restock: bool) -> int:
        """Return how many are off the shelf because of this line.

        A store that says what went back on the shelf is believed. Elsewhere what was cancelled before it was
        shipped never left; what comes back after that is counted by a person, since only they see its state.
        """
        back = self.restocked if tells_restock else min(self.cancelled, self.ordered - self.shipped)
        return max(0, self.ordered - max(0, back))


@dataclass(frozen=True, slots=True)
class DayOfSku:
    """One UTC day of a SKU: `net` of all movements, and of those `sold` by orders less what was cancelled (≥ 0 mostly)."""

    day: date
    net: int
    sold: int


# ---------------------------------------------------------------- what each store shows


class WriteWay(StrEnum):
    """How a store's quantity is written; the link's `mode`."""

    SWAPS = "swaps"
    """Compare and set in one step at the store."""
    SETS = "sets"
    """Look, then set: somebody may buy in between."""
    READS = "reads"
    """Kept by the platform (Amazon's warehouses): never written, and what is sold there is not of our shelf."""


class LinkState(StrEnum):
    """Whether a link is kept in step. What is sold through it is booked in every state."""

    ON = "on"
    OFF = "off"
    """Somebody said `sync off`."""
    GONE = "gone"
    """The listing was deleted at the store: it promises nothing and is not written."""
    RENAMED = "renamed"
    """The store shows another SKU there now: a person says whether it is the same goods."""


@dataclass(frozen=True, slots=True)
class StockLink:
    """One SKU at one place of one store. `buffer` pieces are kept back from it, `cap` is the most it shows.

    What was ordered there before `linked_at` is in the first count already and moves nothing.
    """

    store_id: StoreId
    stock_id: StockId
    sku: Sku
    listing_id: ListingId
    way: WriteWay
    linked_at: datetime
    location: str = ""
    buffer: int = 0
    cap: int | None = None
    state: LinkState = LinkState.ON

    @property
    def key(self) -> OutletKey:
        """Which place this is, whatever its SKU is called."""
        return self.store_id, self.stock_id

    def limit(self, on_hand: int) -> int:
        """Return the most it may show: clamp(on hand - buffer, 0, cap)."""
        most = max(0, on_hand - self.buffer)
        return most if self.cap is None else min(most, self.cap)


@dataclass(frozen=True, slots=True)
class Shown:
    """What we believe a place shows: from `quantity` to `quantity + slack`, None before it was ever read.

    `slack` is what nobody can tell without reading: a set and a sale that crossed, a write without an answer.
    `suspected` is what a first read found instead. `blocked_at`: something was sold there that we have no order
    of; every raise of the SKU waits for a pull of that store's orders that began later. `written_at` is when the
    last absolute write was answered. `version` rises with every change, so that a read knows what came between.
    """

    quantity: int | None = None
    slack: int = 0
    observed_at: datetime | None = None
    suspected: int | None = None
    blocked_at: datetime | None = None
    written_at: datetime | None = None
    version: int = 0


class PushState(StrEnum):
    """How far a write to a store is; at most one a place is open."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"
    """The store showed something else than expected, and nothing was written."""
    FAILED = "failed"
    """Not written, and trying again as it is will not help (the listing is gone, the store refused it)."""
    LOST = "lost"
    """Given up without knowing whether it was written."""
    WITHDRAWN = "withdrawn"
    """A raise that was never sent, and that would promise too much by what is known now."""


@dataclass(frozen=True, slots=True)
class Push:
    """One write to one place. `push_id` is the idempotency key: a repeat carries the same one and the same numbers."""

    push_id: str
    sku: Sku
    store_id: StoreId
    stock_id: StockId
    from_quantity: int
    delta: int
    opened_at: datetime
    state: PushState = PushState.OPEN
    closed_at: datetime | None = None
    why: str = ""
    sent_at: datetime | None = None
    """When somebody took it up to send it: from then on it may have arrived."""

    @property
    def key(self) -> OutletKey:
        """Which place it writes to."""
        return self.store_id, self.stock_id

    @property
    def to_quantity(self) -> int:
        """Return what the place shall show."""
        return self.from_quantity + self.delta


@dataclass(frozen=True, slots=True)
class PushEnd:
    """How a push ended. `found` is what the store showed instead (REFUSED), `why` the store's words.

    `is_first`: nothing of this push was ever sent before, so that a refusal means that nothing was written. A store
    that only sets refuses a repeat of what it did when somebody bought since; saying False is always safe.
    """

    push_id: str
    state: PushState
    found: int | None = None
    why: str = ""
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """Where a place shall show another quantity; may be written now."""

    store_id: StoreId
    stock_id: StockId
    from_quantity: int
    to_quantity: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a store answered for one place. `version` is that of `Shown` before the store was asked."""

    stock_id: StockId
    quantity: int
    version: int


class MismatchState(StrEnum):
    """Whether somebody has said which number is right."""

    OPEN = "open"
    TRUSTED = "trusted"
    """The store's number was right: the ledger follows."""
    OURS = "ours"
    """The ledger was right: the store is written."""
    COUNTED = "counted"
    """Neither: somebody counted."""
    PASSED = "passed"
    """The store shows what it should again, without us."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A place shows `observed` where we expected `expected`, on two reads with its orders pulled: a person changed it.

    At most one a place is open, and meanwhile nothing is written there.
    """

    mismatch_id: str
    sku: Sku
    store_id: StoreId
    stock_id: StockId
    expected: int
    observed: int
    opened_at: datetime
    state: MismatchState = MismatchState.OPEN
    resolved_at: datetime | None = None
    resolved_by: str = ""


# ---------------------------------------------------------------- one SKU as a whole


@dataclass(frozen=True, slots=True)
class SkuFacts:
    """What the shop says of a SKU: None where nobody said. `pack` is the supplier's unit, `cost` what one piece costs.

    From `split_at` pieces on the stores' quantities together are at most what is on hand; 0 lets every store show
    all of it to the last piece. `counted_at` is when it was first counted; before, nothing is written to any store,
    and orders move nothing.
    """

    sku: Sku
    lead_days: int | None = None
    review_days: int | None = None
    pack: int | None = None
    supplier: str = ""
    cost: Decimal | None = None
    currency: str = ""
    split_at: int = SPLIT_AT
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pull:
    """How far a store's orders are pulled: `cursor` the newest change seen, `began_at` when the last complete pull began."""

    cursor: datetime | None = None
    began_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outlet:
    """One place of a pool with everything that is known of it."""

    link: StockLink
    shown: Shown = field(default_factory=Shown)
    push: Push | None = None
    mismatch: Mismatch | None = None
    pull: Pull = field(default_factory=Pull)


@dataclass(frozen=True, slots=True)
class Pool:
    """One SKU of a team: what is on hand, and every place where it is sold, in a stable order."""

    team_id: str
    facts: SkuFacts
    on_hand: int
    outlets: tuple[Outlet, ...] = ()

    @property
    def sku(self) -> Sku:
        """Which SKU."""
        return self.facts.sku

    @property
    def is_counted(self) -> bool:
        """Whether the number on hand means anything yet."""
        return self.facts.counted_at is not None


def in_stock_days(on_hand: int, days: Sequence[DayOfSku], first: date, last: date) -> Mapping[date, bool]:
    """Return for each day from `first` to `last` whether any could be sold: some stood there, came in or were sold.

    `on_hand` is at the end of `last`, `days` holds every day of the window on which something moved.
    """
    moved = {one.day: one for one in days}
    told: dict[date, bool] = {}
    at_end = on_hand
    for number in range(last.toordinal(), first.toordinal() - 1, -1):
        day = date.fromordinal(number)
        one = moved.get(day, DayOfSku(day, 0, 0))
        at_start = at_end - one.net
        told[day] = at_start > 0 or at_end > 0 or one.sold > 0
        at_end = at_start
    return dict(sorted(told.items()))
