"""The port of the ledger's rows: `work.stock` writes, `rows.stock` reads, always for one team.

Everything takes many at once: a call is a fixed number of statements, however many SKUs it is about (`skus` None:
all of the team). SKUs are matched by `Sku.key`, which is also what the answers are keyed by. What changes the same
SKU from two places waits for the other (PostgreSQL locks the SKU's row; SQLite has one writer), in one order, so
that nobody waits in a circle; a unit of work should touch its SKUs in one call.

A store is kept in step in four moves, each safe to repeat after a crash:

1. `book_orders` with every page of a pull, then `finish_pull`;
2. `open_pushes` in one unit of work, `take_up` before they are written to the stores, then `close_pushes`; until it
   says nothing is due.
   A push that was open before the crash is in `pushes` and is written again with the same id and numbers;
3. to read: take `shown`, ask the store, pull its orders, then `observe`;
4. what `observe` calls a mismatch is asked of a person, and their answer is `resolve`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from domain.catalog import Sku, Store, StoreId
from domain.stock import (
    DayOfSku,
    Mismatch,
    MismatchState,
    Movement,
    OutletKey,
    Pool,
    Pull,
    Push,
    PushEnd,
    PushState,
    Seen,
    Shown,
    SkuFacts,
    StockLink,
)
from domain.trade import Order, OrderId

Skus = Sequence[Sku]


@dataclass(frozen=True, slots=True)
class TakenUp:
    """What is to be sent to a store now, and what was to be and no longer is."""

    pushes: Sequence[Push]
    withdrawn: Sequence[Push] = ()


class PoolRows(Protocol):
    """SKUs, their facts, and the places that sell them."""

    async def pools(self, team_id: str, skus: Skus | None = None, *, for_change: bool = False) -> Mapping[str, Pool]:
        """Return the SKUs that are known, with all that domain/stock_rules.py needs, in the order of their keys.

        `for_change` holds them until the unit of work ends, so that what is decided on them stays true.
        """
        ...

    async def on_hand(self, team_id: str, skus: Skus | None = None) -> Mapping[str, int]:
        """Return how many of each known SKU are there: the sum of its movements, below 0 when oversold."""
        ...

    async def facts(self, team_id: str, skus: Skus | None = None) -> Mapping[str, SkuFacts]:
        """Return what the shop said of each known SKU."""
        ...

    async def put_facts(self, team_id: str, facts: Sequence[SkuFacts]) -> None:
        """Make SKUs known, or replace what is said of them. `counted_at` is set by the first count and kept."""
        ...

    async def links(
        self, team_id: str, skus: Skus | None = None, *, store_id: StoreId | None = None
    ) -> Sequence[StockLink]:
        """Return the places, by SKU and store, in every state."""
        ...

    async def put_links(self, team_id: str, links: Sequence[StockLink]) -> None:
        """Add places, or change them; their SKUs become known. A place is its store and `stock_id`.

        One whose SKU is another now leaves the old SKU's pool: its belief is forgotten and read anew. `linked_at`
        of a place that stays with its SKU is kept.
        """
        ...


class MovementRows(Protocol):
    """What came and went."""

    async def add_movements(self, team_id: str, movements: Sequence[Movement]) -> frozenset[str]:
        """Add them, and return the keys that are new; one that is known changes nothing.

        Their SKUs become known; the first COUNTED of a SKU sets its `counted_at`. A count's quantity is the
        difference to what is on hand: take the pool `for_change` first.
        """
        ...

    async def movements(
        self, team_id: str, sku: Sku, *, before: int | None = None, limit: int = 20
    ) -> Sequence[Movement]:
        """Return a SKU's movements, the newest first; `before` is the last one's `movement_id` of the page above."""
        ...

    async def movement(self, team_id: str, key: str) -> Movement | None:
        """Return one by its key."""
        ...

    async def movements_by_key(self, team_id: str, keys: Sequence[str]) -> Mapping[str, Movement]:
        """Return those of the keys that are there."""
        ...

    async def last_counts(self, team_id: str, skus: Skus) -> Mapping[str, Movement]:
        """Return each SKU's newest COUNTED that nobody has taken back; a SKU without one is missing."""
        ...

    async def days(self, team_id: str, skus: Skus | None, *, since: date) -> Mapping[str, Sequence[DayOfSku]]:
        """Return for each SKU the UTC days from `since` on (by `occurred_at`) on which it moved, in order.

        `domain.stock.in_stock_days` tells from these and the quantity on hand when any could be sold.
        """
        ...

    async def recount(self, team_id: str, skus: Skus | None = None) -> Mapping[str, int]:
        """Return the sum of every movement, added up now: what `on_hand` must be (doctor and tests ask)."""
        ...


class OrderRows(Protocol):
    """What orders did to the stock."""

    async def book_orders(self, store: Store, orders: Sequence[Order], *, now: datetime) -> Sequence[Movement]:
        """Join what is known of each line with what the store says now, and return the movements that are new.

        The store lowered its own quantity by the same, so in the same transaction that place's belief follows. An
        order from before its SKU was counted or its place linked, or of a SKU nobody keeps, is joined and moves
        nothing until its counts grow. Any order, any repeat and any delay end in the same.
        """
        ...

    async def latest_orders(self, team_id: str, sku: Sku, *, limit: int = 5) -> Sequence[tuple[StoreId, OrderId]]:
        """Return the orders that took this SKU last, the newest first (an oversold card names them)."""
        ...

    async def pulls(self, team_id: str) -> Mapping[StoreId, Pull]:
        """Return how far each store's orders are pulled; a store that never was is missing."""
        ...

    async def finish_pull(self, store: Store, *, began_at: datetime, cursor: datetime | None) -> None:
        """Say that every order changed since the cursor was booked, by a pull that asked first at `began_at`.

        Never goes back: the later of each is kept.
        """
        ...


class PushRows(Protocol):
    """What is on its way to the stores, and what they show."""

    async def open_pushes(self, team_id: str, skus: Skus | None = None, *, now: datetime) -> Sequence[Push]:
        """Open every write that may go out now (`domain.stock_rules.plan`), and return them: decreases first.

        At most one a place is open; raises may become possible when these are closed.
        """
        ...

    async def pushes(
        self, team_id: str, *, state: PushState = PushState.OPEN, store_id: StoreId | None = None, limit: int = 1_000
    ) -> Sequence[Push]:
        """Return pushes in a state, the longest open first."""
        ...

    async def take_up(self, team_id: str, store_id: StoreId, *, limit: int, now: datetime) -> TakenUp:
        """Take the longest open up to be sent now; raises that were never sent and are too much by now are withdrawn."""
        ...

    async def close_pushes(self, team_id: str, ends: Sequence[PushEnd], *, now: datetime) -> Sequence[Push]:
        """Close those that are still open, with what it means for the belief, in one transaction; return them closed.

        One that was closed before is left alone, so that a late answer of a repeat changes nothing.
        """
        ...

    async def shown(self, team_id: str, *, store_id: StoreId) -> Mapping[OutletKey, Shown]:
        """Return what we believe a store shows, with versions for `observe`."""
        ...

    async def observe(
        self, store: Store, seen: Sequence[Seen], *, asked_at: datetime, now: datetime
    ) -> Sequence[Mismatch]:
        """Compare what the store answered with the belief, and return the mismatches that are new.

        Counts only where nothing of the place changed since `Seen.version`, no push is open, and the store's orders
        were pulled completely by a pull that began at `asked_at` or later; other reads say nothing and change
        nothing. An unlinked place is left out.
        """
        ...


class MismatchRows(Protocol):
    """Where a person must say which number is right."""

    async def mismatches(self, team_id: str, *, store_id: StoreId | None = None) -> Sequence[Mismatch]:
        """Return the open ones, the oldest first."""
        ...

    async def mismatch(self, team_id: str, mismatch_id: str) -> Mismatch | None:
        """Return one, in any state."""
        ...

    async def resolve(
        self, team_id: str, mismatch_id: str, state: MismatchState, *, by: str, now: datetime
    ) -> Mismatch | None:
        """Close it, and return it; None when it was closed already (the loser of a race) or is unknown.

        TRUSTED adds the movement `trust:{mismatch_id}` of the difference. In every state the belief becomes what
        was observed, so that `open_pushes` brings the place to its target.
        """
        ...


class StockRows(PoolRows, MovementRows, OrderRows, PushRows, MismatchRows, Protocol):
    """All of the ledger."""
