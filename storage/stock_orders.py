"""What orders did to the stock: the port `OrderRows`.

Lines are joined, never overwritten, under one lock a store: whoever reads the same order twice, late or at the same
time as somebody else ends in the same counts, and only what the join added moves anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, func, select, update

from domain.catalog import Sku, Store, StoreId
from domain.stock import LineCounts, Movement, MovementKind, Outlet, OutletKey, Pool, Pull, WriteWay
from domain.stock_rules import TELLS_RESTOCK, LineChange, after_order, kind_of
from domain.trade import Order, OrderId
from storage.statements import lock_until_commit
from storage.stock_codec import LINE, MOVEMENT, PULL, counts_of, pull_of
from storage.stock_movements import SqlMovements
from storage.stock_pools import in_parts

LineKey = tuple[OrderId, str]
Line = tuple[Sku, LineCounts]

CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""A store's clock is not ours. An order of the minute before the first count that no pull before it knew is taken for
newer: one too few is seen at the next read, one too many is sold."""
_COUNTS: Final = ("ordered", "cancelled", "restocked", "shipped")
_JOIN: Final = (
    update(LINE)
    .where(
        LINE.c.store_id == bindparam("of_store"),
        LINE.c.order_id == bindparam("of_order"),
        LINE.c.line_id == bindparam("of_line"),
    )
    .values({name: bindparam(f"new_{name}") for name in _COUNTS})
)


class SqlOrders(SqlMovements):
    """The lines of orders, seen by one transaction."""

    async def book_orders(self, store: Store, orders: Sequence[Order], *, now: datetime) -> Sequence[Movement]:
        """Join the lines, and book what that added, with the belief of the place, in this transaction."""
        holding = [order for order in orders if order.holds_stock]
        await lock_until_commit(self._db_session, f"stock orders {store.store_id}")
        known = await self.lines(store.store_id, [order.order_id for order in holding])
        learned, after = _join(holding, known)
        if not learned:
            return ()
        await self.run(LINE.insert(), [_line_columns(store, key, *after[key]) for key in after if key not in known])
        grown = [key for key in known if after[key] != known[key]]
        await self.run(_JOIN, [_line_changes(store, key, after[key][1]) for key in grown])
        booking = _Booking(store, await self.pools_by_key(store.team_id, {one.sku.key for one in learned}), now)
        movements = [booking.movement(one) for one in learned]
        added = await self.append(store.team_id, [one for one in movements if one is not None])
        new_keys = {one.key for one in added}
        for one, movement in zip(learned, movements, strict=True):
            # One that is known already was followed when it was booked.
            if movement is None or movement.key in new_keys:
                booking.follow(one)
        await self.save_shown([(key, outlet.shown) for key, outlet in booking.followed.items()])
        return added

    async def latest_orders(self, team_id: str, sku: Sku, *, limit: int = 5) -> Sequence[tuple[StoreId, OrderId]]:
        """Return the orders that took this SKU last, the newest first."""
        newest = func.max(MOVEMENT.c.movement_id)
        statement = (
            select(MOVEMENT.c.store_id, MOVEMENT.c.order_id)
            .where(
                MOVEMENT.c.team_id == team_id,
                MOVEMENT.c.sku_key == sku.key,
                MOVEMENT.c.kind == MovementKind.SOLD.value,
            )
            .group_by(MOVEMENT.c.store_id, MOVEMENT.c.order_id)
            .order_by(newest.desc())
            .limit(limit)
        )
        return [(StoreId(row.store_id), OrderId(row.order_id)) for row in await self.rows_of(statement)]

    async def pulls(self, team_id: str) -> Mapping[StoreId, Pull]:
        """Return how far each store is pulled."""
        rows = await self.rows_of(select(PULL).where(PULL.c.team_id == team_id))
        return {StoreId(row.store_id): pull_of(row) for row in rows}

    async def finish_pull(self, store: Store, *, began_at: datetime, cursor: datetime | None) -> None:
        """Keep the later of each."""
        await lock_until_commit(self._db_session, f"stock orders {store.store_id}")
        first = {"store_id": store.store_id, "team_id": store.team_id, "cursor": cursor, "began_at": began_at}
        known = (await self.pulls(store.team_id)).get(store.store_id)
        if known is None:
            await self.run(PULL.insert(), [first])
            return
        later = {
            "new_began_at": max(known.began_at or began_at, began_at),
            "new_cursor": max((at for at in (known.cursor, cursor) if at is not None), default=None),
        }
        statement = update(PULL).where(PULL.c.store_id == bindparam("of_store"))
        statement = statement.values(began_at=bindparam("new_began_at"), cursor=bindparam("new_cursor"))
        await self.run(statement, [{"of_store": store.store_id, **later}])

    async def lines(self, store_id: StoreId, order_ids: Sequence[OrderId]) -> dict[LineKey, Line]:
        """Return what is known of these orders' lines."""
        found: dict[LineKey, Line] = {}
        for some in in_parts(sorted(set(order_ids))):
            statement = select(LINE).where(LINE.c.store_id == store_id, LINE.c.order_id.in_(some))
            for row in await self.rows_of(statement):
                found[OrderId(row.order_id), row.line_id] = Sku(row.sku), counts_of(row)
        return found


@dataclass(frozen=True, slots=True)
class _Learned:
    """What an order says of a line that was not known: `old` is None at first sight."""

    order: Order
    line_id: str
    sku: Sku
    old: LineCounts | None
    new: LineCounts

    def change(self, *, tells_restock: bool) -> LineChange:
        old = self.old or LineCounts()
        gone = self.new.gone(tells_restock=tells_restock) - old.gone(tells_restock=tells_restock)
        return LineChange(self.new.ordered - old.ordered, -gone)


def _join(orders: Sequence[Order], known: Mapping[LineKey, Line]) -> tuple[Sequence[_Learned], Mapping[LineKey, Line]]:
    """Return what is new, in order, and every line as it is known now. A line stays with its first SKU."""
    after = dict(known)
    learned: list[_Learned] = []
    for order in sorted(orders, key=lambda order: order.changed_at):
        for line in order.lines:
            if line.sku is None:
                continue
            key = order.order_id, line.line_id
            sku, old = after.get(key, (line.sku, None))
            told = LineCounts(line.ordered, line.cancelled, line.restocked, line.shipped)
            new = told if old is None else old.join(told)
            if new != old:
                after[key] = sku, new
                learned.append(_Learned(order, line.line_id, sku, old, new))
    return learned, after


class _Booking:
    """What one call's orders mean for locked pools; nothing is written here."""

    def __init__(self, store: Store, pools: Mapping[str, Pool], now: datetime) -> None:
        self.followed: dict[OutletKey, Outlet] = {}
        self._store = store
        self._pools = pools
        self._now = now
        self._tells_restock = store.platform in TELLS_RESTOCK

    def movement(self, one: _Learned) -> Movement | None:
        """Return what it does to what is on hand.

        None for a SKU that nobody counts or that is not sold from our shelf there, and for an order that is older
        than the first count or the link: what it took was gone by then.
        """
        pool = self._pools.get(one.sku.key)
        places = self._places(one)
        change = one.change(tells_restock=self._tells_restock)
        if pool is None or not places or pool.facts.counted_at is None or change.moved == 0:
            return None
        if one.old is None and one.order.ordered_at < max(pool.facts.counted_at, _linked_at(places)) - CLOCKS_DIFFER:
            return None
        return Movement(
            key=_key(one, change, self._store),
            sku=pool.sku,
            quantity=change.moved,
            kind=kind_of(change, was_shipped=one.new.shipped > 0),
            occurred_at=one.order.ordered_at if change.moved < 0 else one.order.changed_at,
            source=self._store.name,
            what=one.order.number,
            store_id=self._store.store_id,
            order_id=one.order.order_id,
        )

    def follow(self, one: _Learned) -> None:
        """Change the belief of the place where it was ordered as the store changed its own number."""
        pool = self._pools.get(one.sku.key)
        places = self._places(one)
        if (
            pool is None
            or not places
            or (one.old is None and one.order.ordered_at < _linked_at(places) - CLOCKS_DIFFER)
        ):
            return
        counted_at = pool.facts.counted_at
        change = one.change(tells_restock=self._tells_restock)
        for outlet in places:
            shown = after_order(
                outlet,
                change,
                is_only_place=len(places) == 1,
                is_in_first_read=one.old is None
                and (counted_at is None or one.order.ordered_at < counted_at + CLOCKS_DIFFER),
                tells_restock=self._tells_restock,
                now=self._now,
            )
            self.followed[outlet.link.key] = replace(outlet, shown=shown)

    def _places(self, one: _Learned) -> Sequence[Outlet]:
        pool = self._pools.get(one.sku.key)
        return [
            self.followed.get(outlet.link.key, outlet)
            for outlet in (pool.outlets if pool else ())
            if outlet.link.store_id == self._store.store_id and outlet.link.way is not WriteWay.READS
        ]


def _linked_at(places: Sequence[Outlet]) -> datetime:
    return min(outlet.link.linked_at for outlet in places)


def _key(one: _Learned, change: LineChange, store: Store) -> str:
    """Return the movement's name. Counts only grow, so that a line is never twice where it is now."""
    kind = kind_of(change, was_shipped=one.new.shipped > 0)
    line = f"{kind.value}:{store.store_id}:{one.order.order_id}:{one.line_id}"
    if one.old is None:
        return line
    new = one.new
    return f"{line}:{new.ordered}.{new.cancelled}.{new.restocked}.{new.shipped}"


def _line_columns(store: Store, key: LineKey, sku: Sku, counts: LineCounts) -> dict[str, Any]:
    return {
        "store_id": store.store_id,
        "order_id": key[0],
        "line_id": key[1],
        "team_id": store.team_id,
        "sku": sku.value,
        "sku_key": sku.key,
        **_numbers(counts),
    }


def _line_changes(store: Store, key: LineKey, counts: LineCounts) -> dict[str, Any]:
    named = {f"new_{name}": number for name, number in _numbers(counts).items()}
    return {"of_store": store.store_id, "of_order": key[0], "of_line": key[1], **named}


def _numbers(counts: LineCounts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in _COUNTS}
