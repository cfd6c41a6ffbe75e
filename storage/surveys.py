"""What the stores sell, show and have sold: the port `SurveyRows`.

Whole tables of plain columns: a shop of 10,000 SKUs is read in one go, and written by a few statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Insert, Table, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from domain.alert_rows import DayUnits, Goods, OpenOrder, Sales, Survey
from domain.catalog import Sku, Store, StoreId
from domain.trade import Order, OrderLine, OrderState
from storage.alert_tables import SurveyGoodsRow, SurveyOrderRow, SurveyOutRow, SurveySaleRow, SurveyStoreRow
from storage.codec import clean_text
from storage.database import Database
from storage.statements import change, table_of

GOODS: Final[Table] = table_of(SurveyGoodsRow)
ORDER: Final[Table] = table_of(SurveyOrderRow)
SALE: Final[Table] = table_of(SurveySaleRow)
OUT: Final[Table] = table_of(SurveyOutRow)
STORE: Final[Table] = table_of(SurveyStoreRow)
ROWS_A_STATEMENT: Final = 1_000
"""SQLite takes 32,766 values in a statement; the widest of these rows has 13."""
_OPEN: Final = (OrderState.OPEN.value, OrderState.PARTLY_SHIPPED.value)
_NOTHING: Final = (OrderState.UNPAID.value, OrderState.CANCELLED.value)


class SqlSurveys:
    """The surveys' rows, seen by one transaction."""

    def __init__(self, db_session: AsyncSession) -> None:
        self._db_session = db_session

    async def surveys(self, team_id: str) -> Mapping[StoreId, Survey]:
        """Return how far each store was read."""
        rows = await self._db_session.execute(select(STORE).where(STORE.c.team_id == team_id))
        return {
            StoreId(row.store_id): Survey(
                StoreId(row.store_id), row.orders_to, row.orders_at, row.goods_at, row.trouble, row.trouble_at
            )
            for row in rows
        }

    async def put_goods(self, store: Store, goods: Sequence[Goods], *, now: datetime) -> None:
        """Replace what this store sells; a SKU that was not there at the last look is new since today."""
        known = await self._db_session.execute(
            select(GOODS.c.sku_key, GOODS.c.new_since).where(GOODS.c.store_id == store.store_id)
        )
        since: dict[str, date | None] = {row.sku_key: row.new_since for row in known}
        today = now.astimezone(UTC).date()
        is_first = not since
        await change(self._db_session, delete(GOODS).where(GOODS.c.store_id == store.store_id))
        rows = {one.sku.key: _goods_columns(store, one) for one in goods}
        for key, row in rows.items():
            row["new_since"] = since.get(key, None if is_first else today)
        await self._upsert(GOODS, rows.values())
        await self._note(store, goods_at=now, trouble="", trouble_at=None)
        await self._note_spells(store.team_id, today)

    async def put_orders(
        self, store: Store, orders: Sequence[Order], *, now: datetime, orders_to: datetime | None, is_all: bool
    ) -> None:
        """Write orders and their lines over what was known of them."""
        real = {order.order_id: order for order in orders if not order.is_test}
        await self._upsert(ORDER, [_order_columns(store, order) for order in real.values()])
        sales = {
            (order.order_id, line.line_id): _sale_columns(store, order, line, line.sku)
            for order in real.values()
            for line in order.lines
            if line.sku is not None
        }
        await self._upsert(SALE, sales.values())
        noted: dict[str, Any] = {"orders_to": orders_to} if orders_to is not None else {}
        if is_all:
            noted |= {"orders_at": now, "trouble": "", "trouble_at": None}
        await self._note(store, **noted)

    async def went_wrong(self, store: Store, trouble: str, *, now: datetime) -> None:
        """Note the trouble and when."""
        await self._note(store, trouble=clean_text(trouble), trouble_at=now)

    async def goods(self, team_id: str) -> Mapping[str, Goods]:
        """Return every SKU once; of several stores the first gives the words, the largest quantity counts."""
        rows = await self._db_session.execute(
            select(GOODS).where(GOODS.c.team_id == team_id).order_by(GOODS.c.sku_key, GOODS.c.store_id)
        )
        found: dict[str, Goods] = {}
        for row in rows:
            was = found.get(row.sku_key)
            if was is None:
                found[row.sku_key] = _goods(row)
            elif row.quantity is not None and (was.quantity is None or row.quantity > was.quantity):
                found[row.sku_key] = _goods(row, words=was)
        return found

    async def sold_days(self, team_id: str, *, since: date) -> DayUnits:
        """Add up the lines by SKU and day."""
        statement = (
            select(SALE.c.sku_key, SALE.c.day, func.sum(SALE.c.units))
            .where(SALE.c.team_id == team_id, SALE.c.day >= since, SALE.c.units > 0)
            .group_by(SALE.c.sku_key, SALE.c.day)
        )
        found: dict[str, dict[date, int]] = defaultdict(dict)
        for key, day, units in await self._db_session.execute(statement):
            found[key][day] = int(units)
        return found

    async def sold_after_read(self, team_id: str) -> Mapping[str, int]:
        """Add up the lines that are newer than the quantity of their SKU."""
        read_at = (
            select(GOODS.c.sku_key, func.min(GOODS.c.quantity_at).label("quantity_at"))
            .where(GOODS.c.team_id == team_id)
            .group_by(GOODS.c.sku_key)
            .subquery()
        )
        statement = (
            select(SALE.c.sku_key, func.sum(SALE.c.units))
            .join(read_at, read_at.c.sku_key == SALE.c.sku_key)
            .where(SALE.c.team_id == team_id, SALE.c.units > 0, SALE.c.ordered_at > read_at.c.quantity_at)
            .group_by(SALE.c.sku_key)
        )
        return {key: int(units) for key, units in await self._db_session.execute(statement)}

    async def out_days(self, team_id: str, *, since: date) -> Mapping[str, Sequence[tuple[date, date | None]]]:
        """Return the spells that reach into the time asked for."""
        statement = (
            select(OUT.c.sku_key, OUT.c.from_day, OUT.c.to_day)
            .where(OUT.c.team_id == team_id, or_(OUT.c.to_day.is_(None), OUT.c.to_day > since))
            .order_by(OUT.c.sku_key, OUT.c.from_day)
        )
        found: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
        for key, from_day, to_day in await self._db_session.execute(statement):
            found[key].append((from_day, to_day))
        return found

    async def sales(self, team_id: str, *, after: datetime, before: datetime) -> Sales:
        """Count orders and pieces; what was cancelled or is not paid is no sale."""
        statement = select(func.count(), func.coalesce(func.sum(ORDER.c.units), 0)).where(
            ORDER.c.team_id == team_id,
            ORDER.c.ordered_at >= after,
            ORDER.c.ordered_at < before,
            ORDER.c.state.not_in(_NOTHING),
        )
        orders, units = (await self._db_session.execute(statement)).one()
        return Sales(int(orders), int(units))

    async def open_orders(self, team_id: str) -> Sequence[OpenOrder]:
        """Return what is paid and not shipped."""
        statement = (
            select(ORDER)
            .where(ORDER.c.team_id == team_id, ORDER.c.state.in_(_OPEN))
            .order_by(ORDER.c.ordered_at, ORDER.c.order_id)
        )
        return [
            OpenOrder(StoreId(row.store_id), row.order_id, row.number, row.ordered_at, row.ship_by, row.url)
            for row in await self._db_session.execute(statement)
        ]

    # ------------------------------------------------------------ writing

    async def _note(self, store: Store, **values: Any) -> None:
        row = {"store_id": store.store_id, "team_id": store.team_id, "trouble": ""} | values
        await self._db_session.execute(self._insert(STORE, list(values)), row)

    async def _note_spells(self, team_id: str, today: date) -> None:
        """Open a spell for what no store has any more, and end those of what is there again or gone for good."""
        statement = (
            select(GOODS.c.sku_key, func.max(GOODS.c.quantity))
            .where(GOODS.c.team_id == team_id, GOODS.c.quantity.is_not(None))
            .group_by(GOODS.c.sku_key)
        )
        left = {key: int(most) for key, most in await self._db_session.execute(statement)}
        is_open: ColumnElement[bool] = and_(OUT.c.team_id == team_id, OUT.c.to_day.is_(None))
        running = set((await self._db_session.execute(select(OUT.c.sku_key).where(is_open))).scalars())
        begun = [key for key, most in left.items() if most <= 0 and key not in running]
        over = [key for key in running if left.get(key, 1) > 0]
        await self._upsert(
            OUT, [{"team_id": team_id, "sku_key": key, "from_day": today, "to_day": None} for key in begun]
        )
        for start in range(0, len(over), ROWS_A_STATEMENT):
            part = OUT.c.sku_key.in_(over[start : start + ROWS_A_STATEMENT])
            await change(self._db_session, update(OUT).where(is_open, part).values(to_day=today))

    async def _upsert(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows over those with the same key."""
        every = list(rows)
        if every:
            keys = {column.name for column in table.primary_key}
            statement = self._insert(table, [name for name in every[0] if name not in keys])
            await self._db_session.execute(statement, every)

    def _insert(self, table: Table, replaced: Sequence[str]) -> Insert:
        is_postgres = self._db_session.get_bind().dialect.name == "postgresql"
        insert = postgresql.insert(table) if is_postgres else sqlite.insert(table)
        keys = list(table.primary_key)
        if not replaced:
            return insert.on_conflict_do_nothing(index_elements=keys)
        return insert.on_conflict_do_update(
            index_elements=keys, set_={name: insert.excluded[name] for name in replaced}
        )


async def forget_sales(database: Database, before: datetime) -> int:
    """Delete lines, shipped orders and spells of before that moment, of every team; return how many lines went."""
    day = before.astimezone(UTC).date()
    async with database.begin() as db_session:
        await change(db_session, delete(ORDER).where(ORDER.c.ordered_at < before, ORDER.c.state.not_in(_OPEN)))
        await change(db_session, delete(OUT).where(OUT.c.to_day.is_not(None), OUT.c.to_day < day))
        return await change(db_session, delete(SALE).where(SALE.c.day < day))


def _goods_columns(store: Store, one: Goods) -> dict[str, Any]:
    return {
        "store_id": store.store_id,
        "sku_key": one.sku.key,
        "team_id": store.team_id,
        "sku": one.sku.value,
        "product_key": one.product_key,
        "title": clean_text(one.title),
        "variant": clean_text(one.variant),
        "price": str(one.price),
        "currency": one.currency,
        "quantity": one.quantity,
        "quantity_at": one.quantity_at,
    }


def _goods(row: Any, words: Goods | None = None) -> Goods:
    return Goods(
        Sku(row.sku),
        words.product_key if words else row.product_key,
        words.title if words else row.title,
        words.variant if words else row.variant,
        words.price if words else Decimal(row.price),
        words.currency if words else row.currency,
        row.quantity,
        row.quantity_at,
        words.new_since if words else row.new_since,
    )


def _order_columns(store: Store, order: Order) -> dict[str, Any]:
    return {
        "store_id": store.store_id,
        "order_id": order.order_id,
        "team_id": store.team_id,
        "number": clean_text(order.number),
        "state": order.state.value,
        "ordered_at": order.ordered_at,
        "ship_by": order.ship_by,
        "url": order.url,
        "units": sum(max(0, line.ordered - line.cancelled) for line in order.lines),
    }


def _sale_columns(store: Store, order: Order, line: OrderLine, sku: Sku) -> dict[str, Any]:
    is_sold = order.state.value not in _NOTHING
    return {
        "store_id": store.store_id,
        "order_id": order.order_id,
        "line_id": line.line_id,
        "team_id": store.team_id,
        "sku_key": sku.key,
        "day": order.ordered_at.astimezone(UTC).date(),
        "ordered_at": order.ordered_at,
        "units": max(0, line.ordered - line.cancelled) if is_sold else 0,
    }
