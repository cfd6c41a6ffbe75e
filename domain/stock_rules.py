"""The ledger's rules, on values only: what each place shall show, what may be written now, what an answer means.

Every rule that keeps us from selling what is not there stands here, and storage/stock.py applies them inside the
transaction that reads and writes the rows, so that no caller can forget one. Proof: tests/stock/test_machine.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import Final

from domain.catalog import PlatformName
from domain.stock import (
    LinkState,
    Movement,
    MovementKind,
    Outlet,
    OutletKey,
    Pool,
    Pull,
    Push,
    PushEnd,
    PushState,
    Seen,
    Shown,
    StockLink,
    Wish,
    WriteWay,
)

TELLS_RESTOCK = frozenset({PlatformName.SHOPIFY})
"""Platforms whose orders say how many went back on the shelf; elsewhere a cancelled piece that never left is back."""

MOST_SHOWN: Final[Mapping[PlatformName, int]] = {PlatformName.ETSY: 999}
"""The largest quantity a platform takes: Etsy 1 to 999 of one offering (specs/STORES.md). More is shown as so many."""


# ---------------------------------------------------------------- what to show


def targets(pool: Pool) -> Mapping[OutletKey, int]:
    """Return what each place that is kept in step shall show; none before the SKU was counted.

    Above `split_at` each shows clamp(on hand - buffer, 0, cap), so that no store misses a sale. At `split_at` and
    below, all together show at most what is on hand: piece by piece around the places, those that show more first,
    so that the last ones are not carried about, and else in an order that differs from SKU to SKU.
    """
    kept = [outlet for outlet in pool.outlets if _is_kept(outlet)]
    if not pool.is_counted:
        return {}
    limits = {outlet.link.key: outlet.link.limit(pool.on_hand) for outlet in kept}
    if pool.on_hand > pool.facts.split_at:
        return limits
    shares = dict.fromkeys(limits, 0)
    left = max(0, pool.on_hand)
    while left and (open_ones := [outlet for outlet in kept if shares[outlet.link.key] < limits[outlet.link.key]]):
        in_turn = sorted(
            open_ones,
            key=lambda outlet: (promise(outlet) <= shares[outlet.link.key], _lot(pool.sku.key, outlet.link.key)),
        )
        for outlet in in_turn[:left]:
            shares[outlet.link.key] += 1
        left -= min(left, len(in_turn))
    return shares


def promise(outlet: Outlet) -> int:
    """Return the most that buyers may find there: the belief with its slack, a write on its way, a first read."""
    most = (outlet.shown.quantity or 0) + outlet.shown.slack
    if outlet.push is not None:
        most = max(most, most + outlet.push.delta)
    if outlet.mismatch is not None:
        most = max(most, most + outlet.mismatch.observed - outlet.mismatch.expected)
    return max(0, most, outlet.shown.suspected or 0)


def plan(pool: Pool) -> Sequence[Wish]:
    """Return what may be written now: every decrease, and raises only where nothing speaks against them.

    No raise while a place has sold something that we have no order of (`is_blocked`): what is on hand is less than
    we think. While the last pieces are split, a raise waits until what it needs is promised nowhere else: decreases
    are written first, and counted as shown until they are acknowledged.
    """
    due = targets(pool)
    writable = [outlet for outlet in pool.outlets if outlet.link.key in due and _is_writable(outlet)]
    steps = [(outlet.link, outlet.shown.quantity or 0, due[outlet.link.key]) for outlet in writable]
    wishes = [Wish(*link.key, shown, to) for link, shown, to in steps if to < shown]
    if is_blocked(pool):
        return wishes
    is_split = pool.on_hand <= pool.facts.split_at
    room = pool.on_hand - sum(promise(outlet) for outlet in pool.outlets if _promises(outlet))
    for link, shown, to in steps:
        need = to - max(0, shown)
        if to > shown and (not is_split or need <= room):
            wishes.append(Wish(*link.key, shown, to))
            room -= need
    return wishes


def outdated(pool: Pool) -> Sequence[Push]:
    """Return the raises that nobody has sent yet and that would not be opened now.

    A raise may wait long for a store that does not answer. What was sold elsewhere meanwhile leaves less, and then it
    would promise what is gone; one that was sent is repeated as it is, since it may have arrived.
    """
    found: list[Push] = []
    for outlet in pool.outlets:
        push = outlet.push
        if push is None or push.delta <= 0 or push.sent_at is not None:
            continue
        others = [replace(one, push=None) if one.push in (push, *found) else one for one in pool.outlets]
        without = replace(pool, outlets=tuple(others))
        room = pool.on_hand - sum(promise(one) for one in others if _promises(one))
        need = push.to_quantity - max(0, outlet.shown.quantity or 0)
        is_split = pool.on_hand <= pool.facts.split_at
        is_too_much = push.to_quantity > targets(without).get(push.key, 0) or (is_split and need > room)
        if is_too_much or is_blocked(pool):
            found.append(push)
    return found


def is_blocked(pool: Pool) -> bool:
    """Whether a place sold something that no pulled order explains yet, so that raises of this SKU wait."""
    return any(is_waiting_for_orders(outlet.shown, outlet.pull) for outlet in pool.outlets)


def is_waiting_for_orders(shown: Shown, pull: Pull) -> bool:
    """Whether a place's store must be pulled before its belief means anything again."""
    return shown.blocked_at is not None and (pull.began_at is None or pull.began_at <= shown.blocked_at)


def _is_kept(outlet: Outlet) -> bool:
    """Whether we decide what it shows."""
    link = outlet.link
    return link.state is LinkState.ON and link.way is not WriteWay.READS and outlet.mismatch is None


def _promises(outlet: Outlet) -> bool:
    return outlet.link.state is LinkState.ON and outlet.link.way is not WriteWay.READS


def _is_writable(outlet: Outlet) -> bool:
    """Whether we know what a write would find: it was read, nothing is in doubt and nothing on its way."""
    shown = outlet.shown
    return (
        shown.quantity is not None
        and shown.slack == 0
        and shown.suspected is None
        and outlet.push is None
        and not is_waiting_for_orders(shown, outlet.pull)
    )


def _lot(sku_key: str, key: OutletKey) -> str:
    """Return a draw that is the same in every process and spreads last pieces fairly over stores."""
    return hashlib.sha256("\n".join((sku_key, *key)).encode()).hexdigest()


# ---------------------------------------------------------------- what an order means


@dataclass(frozen=True, slots=True)
class LineChange:
    """What was learned of a line: so many more were `ordered`, and on hand changes by `moved` (≤ 0 when sold)."""

    ordered: int
    moved: int

    @property
    def back(self) -> int:
        """Return how many of what was ordered are on the shelf again."""
        return self.moved + self.ordered


def kind_of(change: LineChange, *, was_shipped: bool) -> MovementKind:
    """Return what a line's change is called."""
    if change.moved < 0:
        return MovementKind.SOLD
    return MovementKind.RETURNED if was_shipped else MovementKind.CANCELLED


def after_order(
    outlet: Outlet,
    change: LineChange,
    *,
    is_only_place: bool,
    is_in_first_read: bool,
    tells_restock: bool,
    now: datetime,
) -> Shown:
    """Return the belief after a sale or what came back: the store changed its own number by as much.

    Where it cannot be told whether that happened before or after something else (a set that crossed it, the first
    read, one of several places of the same SKU, a store that may or may not put cancelled pieces back), the
    belief widens to all that it can be, and a read settles it.
    """
    shown, link = outlet.shown, outlet.link
    if shown.quantity is None:
        return replace(shown, version=shown.version + 1)
    back = change.back if tells_restock else 0
    quantity, slack = shown.quantity - change.ordered + back, shown.slack
    if not is_only_place or is_in_first_read or _may_have_crossed(outlet):
        slack += change.ordered
    if not tells_restock:
        slack += max(0, change.back)
    return _landed(replace(shown, quantity=quantity, slack=slack), link, now=now)


def _may_have_crossed(outlet: Outlet) -> bool:
    """Whether a sale that is only now heard of may be older than the last absolute write, which then undid it."""
    if outlet.link.way is not WriteWay.SETS:
        return False
    if outlet.push is not None:
        return True
    written_at, began_at = outlet.shown.written_at, outlet.pull.began_at
    return written_at is not None and (began_at is None or began_at <= written_at)


# ---------------------------------------------------------------- what an answer means


def after_push(shown: Shown, push: Push, end: PushEnd, link: StockLink, *, now: datetime) -> Shown:
    """Return the belief once a push has ended.

    A write that was done changes the belief by its delta, not to its target: sales that were booked meanwhile stay.
    """
    quantity = shown.quantity or 0
    match end.state:
        case PushState.DONE:
            written_at = now if link.way is WriteWay.SETS else shown.written_at
            done = replace(shown, quantity=quantity + push.delta, written_at=written_at)
            return _landed(done, link, now=now)
        case PushState.REFUSED if end.found is not None and (end.is_first or link.way is WriteWay.SWAPS):
            doubted = replace(shown, suspected=end.found)
            return _landed(_if_missing(doubted, end.found, now=now), link, now=now)
        case PushState.REFUSED | PushState.LOST:
            least = min(quantity, quantity + push.delta)
            widened = replace(shown, quantity=least, slack=shown.slack + abs(push.delta))
            return _landed(_if_missing(widened, end.found, now=now), link, now=now)
        case _:
            return replace(shown, version=shown.version + 1)


def _if_missing(shown: Shown, found: int | None, *, now: datetime) -> Shown:
    """Return the belief with raises stopped where the store has fewer than it can have by the orders we know."""
    is_missing = found is not None and shown.quantity is not None and found < shown.quantity
    return block_raises(shown, now=now) if is_missing else shown


def _landed(shown: Shown, link: StockLink, *, now: datetime) -> Shown:
    """Return a changed belief with what it means in itself.

    Below zero more was sold than we have orders of: every raise of the SKU waits for them. A store that only sets
    never shows less than 0, so that there the belief is wrong by as much. What was suspected may be explained now.
    """
    assert shown.quantity is not None
    after = replace(shown, version=shown.version + 1)
    if shown.quantity < 0:
        after = block_raises(after, now=now)
        if link.way is WriteWay.SETS:
            after = replace(after, slack=max(shown.slack, -shown.quantity))
    return replace(after, suspected=None) if _explains(after, shown.suspected) else after


def block_raises(shown: Shown, *, now: datetime) -> Shown:
    """Return the belief with every raise of its SKU stopped until the store's orders are pulled anew."""
    return replace(shown, blocked_at=now)


def _explains(shown: Shown, found: int | None) -> bool:
    return found is not None and shown.quantity is not None and 0 <= found - shown.quantity <= shown.slack


class Verdict(Enum):
    """What a read says of a belief."""

    SAME = auto()
    SETTLED = auto()
    """The belief was wide or empty, and is this number now."""
    SUSPECT = auto()
    """Another number, for the first time."""
    MISMATCH = auto()
    """The same other number twice: a person changed it."""


def after_read(shown: Shown, seen: Seen, *, now: datetime) -> tuple[Shown, Verdict]:
    """Compare a read that counts with the belief (see `StockRows.observe` for which do)."""
    if shown.quantity == seen.quantity and shown.slack == 0:
        return replace(shown, observed_at=now, suspected=None), Verdict.SAME
    if shown.quantity is None or _explains(shown, seen.quantity):
        settled = replace(shown, quantity=seen.quantity, slack=0, observed_at=now, suspected=None)
        return replace(settled, version=shown.version + 1), Verdict.SETTLED
    verdict = Verdict.MISMATCH if shown.suspected == seen.quantity else Verdict.SUSPECT
    return replace(shown, suspected=seen.quantity, observed_at=now, version=shown.version + 1), verdict


def first_count(pool: Pool) -> int | None:
    """Return the number all places agree on, for the first count of a SKU; None where they differ or were not read."""
    read = {
        outlet.shown.quantity
        for outlet in pool.outlets
        if outlet.link.way is not WriteWay.READS and outlet.link.state is LinkState.ON
    }
    return read.pop() if len(read) == 1 else None


def counted(pool: Pool, quantity: int, *, key: str, now: datetime, actor: str = "", source: str = "") -> Movement:
    """Return the movement that makes `quantity` be on hand; the pool was taken `for_change`."""
    return Movement(key, pool.sku, quantity - pool.on_hand, MovementKind.COUNTED, now, source=source, actor=actor)


def undone(movement: Movement, *, now: datetime, actor: str, source: str) -> Movement:
    """Return what takes a movement back; its key lets it happen once."""
    key = f"undo:{movement.key}"
    return Movement(key, movement.sku, -movement.quantity, MovementKind.UNDONE, now, source=source, actor=actor)


# ---------------------------------------------------------------- what became of the listings


@dataclass(frozen=True, slots=True)
class LinkChanges:
    """How a store's places differ from those we know. `renamed` are (known, as it is now).

    `shared`: places that several SKUs sell from (WooCommerce's variations that their product counts). The ledger
    keeps one SKU a place, so these are left out, and a person is told to let the store count each by itself.
    """

    new: tuple[StockLink, ...] = ()
    gone: tuple[StockLink, ...] = ()
    renamed: tuple[tuple[StockLink, StockLink], ...] = ()
    shared: tuple[StockLink, ...] = ()


def compare_links(known: Iterable[StockLink], seen: Iterable[StockLink]) -> LinkChanges:
    """Compare what is known of a whole store with what all its levels say now.

    A place that shows another SKU was renamed: nothing is carried over by itself, since the seller may have put
    other goods there; a person says. One that is not there any more is gone, and promises nothing.
    """
    by_key = {link.key: link for link in known}
    found: dict[OutletKey, StockLink] = {}
    shared: list[StockLink] = []
    for link in seen:
        if found.setdefault(link.key, link).sku.key != link.sku.key:
            shared += [found[link.key], link]
    several = {link.key for link in shared}
    in_both = [(by_key[key], link) for key, link in found.items() if key in by_key and key not in several]
    return LinkChanges(
        new=tuple(link for key, link in found.items() if key not in by_key and key not in several),
        gone=tuple(link for key, link in by_key.items() if key not in found and link.state is not LinkState.GONE),
        renamed=tuple((old, new) for old, new in in_both if old.sku.key != new.sku.key),
        shared=tuple(dict.fromkeys(shared)),
    )
