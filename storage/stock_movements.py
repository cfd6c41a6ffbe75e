"""What came and went: the port `MovementRows`. A key is there once, and each SKU's sum moves with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import bindparam, case, exists, func, select, update

from domain.catalog import Sku
from domain.stock import DayOfSku, Movement, MovementKind
from domain.stock_rows import Skus
from storage.stock_codec import MOVEMENT, SKU, movement_columns, movement_of
from storage.stock_pools import SqlPools, in_parts, keys_of

_BY_ORDERS = (MovementKind.SOLD.value, MovementKind.CANCELLED.value)


class SqlMovements(SqlPools):
    """The movements, seen by one transaction."""

    async def add_movements(self, team_id: str, movements: Sequence[Movement]) -> frozenset[str]:
        """Add those whose key is new, and return these keys."""
        await self.know(team_id, [one.sku for one in movements])
        await self.pools_by_key(team_id, [one.sku.key for one in movements])
        return frozenset(one.key for one in await self.append(team_id, movements))

    async def movements(
        self, team_id: str, sku: Sku, *, before: int | None = None, limit: int = 20
    ) -> Sequence[Movement]:
        """Return a page, the newest first."""
        statement = select(MOVEMENT).where(MOVEMENT.c.team_id == team_id, MOVEMENT.c.sku_key == sku.key)
        if before is not None:
            statement = statement.where(MOVEMENT.c.movement_id < before)
        return [
            movement_of(row)
            for row in await self.rows_of(statement.order_by(MOVEMENT.c.movement_id.desc()).limit(limit))
        ]

    async def movement(self, team_id: str, key: str) -> Movement | None:
        """Return one by its key."""
        statement = select(MOVEMENT).where(MOVEMENT.c.team_id == team_id, MOVEMENT.c.key == key)
        return next(map(movement_of, await self.rows_of(statement)), None)

    async def movements_by_key(self, team_id: str, keys: Sequence[str]) -> Mapping[str, Movement]:
        """Return those that are there."""
        found: dict[str, Movement] = {}
        for part in in_parts(keys):
            statement = select(MOVEMENT).where(MOVEMENT.c.team_id == team_id, MOVEMENT.c.key.in_(part))
            found.update((one.key, one) for one in map(movement_of, await self.rows_of(statement)))
        return found

    async def last_counts(self, team_id: str, skus: Skus) -> Mapping[str, Movement]:
        """Return the newest counts that stand."""
        undo = MOVEMENT.alias()
        is_undone = exists().where(undo.c.team_id == team_id, undo.c.key == "undo:" + MOVEMENT.c.key)
        newest = (
            select(func.max(MOVEMENT.c.movement_id))
            .where(MOVEMENT.c.team_id == team_id, MOVEMENT.c.kind == MovementKind.COUNTED.value, ~is_undone)
            .group_by(MOVEMENT.c.sku_key)
        )
        statement = select(MOVEMENT).where(MOVEMENT.c.movement_id.in_(newest))
        rows = await self.rows_of_skus(statement, MOVEMENT, keys_of(skus))
        return {one.sku.key: one for one in map(movement_of, rows)}

    async def days(self, team_id: str, skus: Skus | None, *, since: date) -> Mapping[str, Sequence[DayOfSku]]:
        """Return the days on which something moved, by SKU."""
        by_orders = case((MOVEMENT.c.kind.in_(_BY_ORDERS), MOVEMENT.c.quantity), else_=0)
        statement = (
            select(
                MOVEMENT.c.sku_key,
                MOVEMENT.c.day,
                func.sum(MOVEMENT.c.quantity).label("net"),
                func.sum(by_orders).label("by_orders"),
            )
            .where(MOVEMENT.c.team_id == team_id, MOVEMENT.c.day >= since)
            .group_by(MOVEMENT.c.sku_key, MOVEMENT.c.day)
            .order_by(MOVEMENT.c.sku_key, MOVEMENT.c.day)
        )
        found: defaultdict[str, list[DayOfSku]] = defaultdict(list)
        for row in await self.rows_of_skus(statement, MOVEMENT, keys_of(skus)):
            found[row.sku_key].append(DayOfSku(row.day, int(row.net), -int(row.by_orders)))
        return found

    async def recount(self, team_id: str, skus: Skus | None = None) -> Mapping[str, int]:
        """Add every movement up, past the sums that are kept."""
        statement = (
            select(MOVEMENT.c.sku_key, func.sum(MOVEMENT.c.quantity).label("sum"))
            .where(MOVEMENT.c.team_id == team_id)
            .group_by(MOVEMENT.c.sku_key)
        )
        return {row.sku_key: int(row.sum) for row in await self.rows_of_skus(statement, MOVEMENT, keys_of(skus))}

    async def append(self, team_id: str, movements: Iterable[Movement]) -> Sequence[Movement]:
        """Add those whose key is new to SKUs that are locked; return them. The first count makes a SKU counted."""
        wanted: dict[str, Movement] = {}
        for one in movements:
            wanted.setdefault(one.key, one)
        for keys in in_parts(list(wanted)):
            known = select(MOVEMENT.c.key).where(MOVEMENT.c.team_id == team_id, MOVEMENT.c.key.in_(keys))
            for row in await self.rows_of(known):
                del wanted[row.key]
        added = list(wanted.values())
        await self.run(MOVEMENT.insert(), [movement_columns(team_id, one) for one in added])
        sums: Counter[str] = Counter()
        for one in added:
            sums[one.sku.key] += one.quantity
        this = (SKU.c.team_id == team_id, SKU.c.sku_key == bindparam("of_key"))
        moved = update(SKU).where(*this).values(on_hand=SKU.c.on_hand + bindparam("moved"))
        await self.run(moved, [{"of_key": key, "moved": total} for key, total in sums.items() if total])
        counts = [one for one in added if one.kind is MovementKind.COUNTED]
        counted = update(SKU).where(*this, SKU.c.counted_at.is_(None)).values(counted_at=bindparam("at"))
        await self.run(counted, [{"of_key": one.sku.key, "at": one.occurred_at} for one in counts])
        return added
