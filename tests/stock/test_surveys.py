"""What surveys keep of the stores, and what is made of it together with the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from domain.alert_rows import Goods
from domain.catalog import PlatformName, Sku, Store, StoreId
from domain.forecast import WINDOW_DAYS
from domain.stock import Movement, MovementKind, SkuFacts
from domain.trade import Order, OrderId, OrderLine, OrderState
from handlers.outlook import Prospect, count_now, look
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.database import Database
from storage.surveys import forget_sales
from storage.work import SqlWork

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
TODAY = NOW.date()


class Books:
    """Two stores of one team, and units of work at any moment."""

    def __init__(self, database: Database, team_id: str) -> None:
        self.database = database
        self.team_id = team_id
        self.now = NOW
        self.etsy, self.shop = (
            Store(StoreId(name), team_id, PlatformName.SHELF, name.title()) for name in ("etsy", "shop")
        )
        self.work = SqlWork(database, lambda connection, job: None, lambda: self.now)

    async def put_goods(self, store: Store, *goods: Goods, at: datetime = NOW) -> None:
        async with self.work() as work:
            await work.alerts.put_goods(store, goods, now=at)

    async def put_orders(self, store: Store, *orders: Order) -> None:
        async with self.work() as work:
            await work.alerts.put_orders(store, orders, now=self.now, orders_to=None, is_all=True)

    async def count(self, sku: str, quantity: int, *, days_ago: int) -> None:
        at = NOW - timedelta(days=days_ago)
        async with self.work() as work:
            await work.stock.put_facts(self.team_id, [SkuFacts(Sku(sku), 10, 5, 6, "Kiln & Co")])
            await work.stock.add_movements(
                self.team_id, [Movement(f"count:{sku}", Sku(sku), quantity, MovementKind.COUNTED, at)]
            )

    async def move(self, sku: str, quantity: int, kind: MovementKind, *, days_ago: int) -> None:
        at = NOW - timedelta(days=days_ago)
        key = f"{kind.value}:{sku}:{days_ago}"
        async with self.work() as work:
            await work.stock.add_movements(self.team_id, [Movement(key, Sku(sku), quantity, kind, at)])

    async def ahead(self) -> dict[str, Prospect]:
        async with self.work.reading() as rows:
            return {one.sku.key: one for one in await look(rows, self.team_id, NOW)}


@pytest.fixture
async def books(database: Database) -> Books:
    team = await ensure_team(database, "My shop")
    made = Books(database, team.team_id)
    for store in (made.etsy, made.shop):
        await StoreRows(database).add(store)
    return made


def goods(sku: str, quantity: int | None, *, at: datetime = NOW) -> Goods:
    return Goods(Sku(sku), f"of {sku}", "Blue mug", "", Decimal("12.50"), "EUR", quantity, at)


def order(number: str, sku: str, units: int, *, days_ago: float = 1.0, state: OrderState = OrderState.SHIPPED) -> Order:
    at = NOW - timedelta(days=days_ago)
    line = OrderLine("1", Sku(sku), "Blue mug", units)
    return Order(StoreId("etsy"), OrderId(number), number, state, at, at, (line,))


async def test_two_stores_share_a_shelf_and_the_larger_number_counts(books: Books) -> None:
    await books.put_goods(books.etsy, goods("MUG-01", 3), goods("BOWL", None))
    await books.put_goods(books.shop, goods("mug-01", 5), goods("BOWL", None))
    async with books.work.reading() as rows:
        found = await rows.alerts.goods(books.team_id)
        assert (found["mug-01"].quantity, found["bowl"].quantity) == (5, None)
        assert await count_now(rows, books.team_id) == {"mug-01": 5}


async def test_an_order_that_comes_again_is_one_and_its_last_word_counts(books: Books) -> None:
    sold = order("1", "MUG-01", 3)
    await books.put_orders(books.etsy, sold, sold)
    await books.put_orders(books.etsy, sold, order("2", "MUG-01", 2, days_ago=2), replace(sold, number="#1"))
    await books.put_orders(books.etsy, replace(sold, lines=(replace(sold.lines[0], cancelled=1),)))
    async with books.work.reading() as rows:
        days = await rows.alerts.sold_days(books.team_id, since=TODAY - timedelta(days=10))
        assert dict(days["mug-01"]) == {TODAY - timedelta(days=1): 2, TODAY - timedelta(days=2): 2}


async def test_test_orders_cancelled_and_unpaid_ones_are_no_sales(books: Books) -> None:
    await books.put_orders(
        books.etsy,
        replace(order("1", "MUG-01", 3), is_test=True),
        order("2", "MUG-01", 3, state=OrderState.CANCELLED),
        order("3", "MUG-01", 3, state=OrderState.UNPAID),
        order("4", "MUG-01", 2, state=OrderState.OPEN),
    )
    async with books.work.reading() as rows:
        sales = await rows.alerts.sales(books.team_id, after=NOW - timedelta(days=2), before=NOW)
        assert (sales.orders, sales.units) == (1, 2)
        assert [one.number for one in await rows.alerts.open_orders(books.team_id)] == ["4"]
        assert await rows.alerts.sales("another team", after=NOW - timedelta(days=2), before=NOW) == type(sales)()


async def test_between_two_reads_orders_lower_the_number(books: Books) -> None:
    await books.put_goods(books.etsy, goods("MUG-01", 5, at=NOW - timedelta(hours=6)))
    await books.put_orders(books.etsy, order("1", "MUG-01", 2, days_ago=0.1), order("2", "MUG-01", 1, days_ago=0.5))
    async with books.work.reading() as rows:
        assert await count_now(rows, books.team_id) == {"mug-01": 3}


async def test_days_without_stock_are_remembered_over_all_stores(books: Books) -> None:
    at = NOW - timedelta(days=9)
    await books.put_goods(books.etsy, goods("MUG-01", 0), at=at)
    await books.put_goods(books.shop, goods("MUG-01", 4), at=at)
    await books.put_goods(books.shop, goods("MUG-01", 0), at=at + timedelta(days=2))
    await books.put_goods(books.shop, goods("MUG-01", 0), at=at + timedelta(days=3))
    await books.put_goods(books.etsy, goods("MUG-01", 6), at=at + timedelta(days=6))
    async with books.work.reading() as rows:
        spells = await rows.alerts.out_days(books.team_id, since=TODAY - timedelta(days=30))
    first, last = (at.date() + timedelta(days=more) for more in (2, 6))
    # The day of the first look, before the other store was read, is a spell of no length.
    assert [spell for spell in spells["mug-01"] if spell[0] != spell[1]] == [(first, last)]
    told = (await books.ahead())["mug-01"].forecast
    assert told.days_in_stock == WINDOW_DAYS - 4


async def test_a_product_that_appears_later_is_new(books: Books) -> None:
    await books.put_goods(books.etsy, goods("MUG-01", 5), at=NOW - timedelta(days=8))
    await books.put_goods(books.etsy, goods("MUG-01", 5), goods("NEW-1", 5), at=NOW - timedelta(days=4))
    await books.put_goods(books.etsy, goods("MUG-01", 5), goods("NEW-1", 5))
    ahead = await books.ahead()
    assert ahead["mug-01"].forecast.days_in_stock == WINDOW_DAYS
    assert ahead["new-1"].forecast.days_in_stock == 4


async def test_where_the_ledger_has_counted_its_number_and_its_days_count(books: Books) -> None:
    await books.put_goods(books.etsy, goods("MUG-01", 50))
    await books.count("MUG-01", 4, days_ago=20)
    await books.move("MUG-01", -4, MovementKind.SOLD, days_ago=15)
    await books.move("MUG-01", 10, MovementKind.RECEIVED, days_ago=5)
    one = (await books.ahead())["mug-01"]
    assert (one.forecast.on_hand, one.supplier) == (10, "Kiln & Co")
    assert (one.forecast.lead_days, one.forecast.review_days, one.forecast.pack) == (10, 5, 6)
    assert one.forecast.days_in_stock == WINDOW_DAYS - 9  # 14 days ago to 6 days ago none was there
    assert one.forecast.units == 4


async def test_what_is_known_to_the_ledger_and_not_counted_is_the_stores(books: Books) -> None:
    await books.put_goods(books.etsy, goods("MUG-01", 7))
    async with books.work() as work:
        await work.stock.put_facts(books.team_id, [SkuFacts(Sku("MUG-01"), 3), SkuFacts(Sku("GHOST"))])
    ahead = await books.ahead()
    assert (ahead["mug-01"].forecast.on_hand, ahead["mug-01"].forecast.lead_days) == (7, 3)
    assert "ghost" not in ahead


async def test_old_sales_are_forgotten_and_open_orders_are_not(books: Books) -> None:
    await books.put_orders(
        books.etsy,
        order("old", "MUG-01", 1, days_ago=130),
        order("old and open", "MUG-01", 1, days_ago=130, state=OrderState.OPEN),
        order("new", "MUG-01", 1),
    )
    assert await forget_sales(books.database, NOW - timedelta(days=120)) == 2
    async with books.work.reading() as rows:
        assert [one.number for one in await rows.alerts.open_orders(books.team_id)] == ["old and open"]
        assert await rows.alerts.sold_days(books.team_id, since=date(2026, 1, 1)) == {
            "mug-01": {TODAY - timedelta(days=1): 1}
        }


async def test_a_store_that_goes_takes_its_goods_along(books: Books) -> None:
    await books.put_goods(books.etsy, goods("MUG-01", 5))
    await books.put_orders(books.etsy, order("1", "MUG-01", 1))
    await StoreRows(books.database).remove(books.etsy.store_id)
    assert await books.ahead() == {}
