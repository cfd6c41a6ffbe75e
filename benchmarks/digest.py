"""How long the digest of a large shop takes: `python -m benchmarks.digest [--skus 10000]`.

A SQLite file with as many SKUs, 56 days of orders and half of the SKUs counted in the ledger; timed is what a worker
does at eight o'clock: read, forecast, chart, table, and the transaction that says it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from domain.alert_rows import Goods
from domain.alerts import AlertPlace
from domain.catalog import PlatformName, Sku, Store, StoreId
from domain.forecast import WINDOW_DAYS
from domain.people import ChatName, Place
from domain.stock import Movement, MovementKind, SkuFacts
from domain.trade import Order, OrderId, OrderLine, OrderState
from handlers.alert_tick import send_due
from handlers.desk import Desk
from imaging.cover_chart import PillowCharts
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.database import Database, open_database
from storage.migrate import migrate
from storage.work import SqlWork
from tests.fakes import FakeEnhancer, FakeMedia, FakeStores

NOW = datetime(2026, 11, 24, 7, 3, tzinfo=UTC)
PLACE = Place(ChatName.CONSOLE, "room")
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of the first digest, when everything is news, and of the next morning's; `*_cpu_s` of our own processor time."""

    skus: int
    order_lines: int
    first_s: float
    next_s: float
    first_cpu_s: float
    next_cpu_s: float


async def time_digests(skus: int, folder: Path, *, seed: int = 7) -> Timed:
    """Make the shop in a database of its own, and say two mornings' digests."""
    database = open_database(f"sqlite:///{folder / 'digest.db'}")
    try:
        await migrate(database)
        lines = await _furnish(database, skus, seed)
        took = []
        for day in range(2):
            began, began_cpu = time.perf_counter(), time.process_time()
            sent = await send_due(_desk(database, NOW + timedelta(days=day)))
            took.append((time.perf_counter() - began, time.process_time() - began_cpu))
            if sent != 1:
                raise RuntimeError(f"{sent} digests were said on day {day}")
        return Timed(skus, lines, took[0][0], took[1][0], took[0][1], took[1][1])
    finally:
        await database.close()


def _desk(database: Database, now: datetime) -> Desk:
    def clock() -> datetime:
        return now

    work = SqlWork(database, lambda connection, job: None, clock)
    return Desk(work, FakeMedia(), FakeEnhancer(), FakeStores(), clock, charts=PillowCharts())


async def _furnish(database: Database, skus: int, seed: int) -> int:
    drawn = random.Random(seed)
    team = await ensure_team(database, "Large shop")
    store = Store(StoreId("large"), team.team_id, PlatformName.SHELF, "Large")
    await StoreRows(database).add(store)
    desk = _desk(database, NOW)
    read_at = NOW - timedelta(hours=1)
    goods = [_goods(number, drawn, read_at) for number in range(skus)]
    async with desk.work() as work:
        await work.alerts.put_goods(store, goods, now=read_at)
        await work.alerts.put_place(
            AlertPlace(
                team.team_id,
                PLACE,
                True,
                NOW.time().replace(hour=8, minute=0),
                "Europe/Berlin",
                NOW - timedelta(days=2),
            )
        )
        counted = goods[::2]
        await work.stock.put_facts(
            team.team_id, [SkuFacts(one.sku, 14, 7, 6, f"Supplier {index % 40}") for index, one in enumerate(counted)]
        )
    for start in range(0, len(counted), BATCH):
        async with desk.work() as work:
            await work.stock.add_movements(
                team.team_id,
                [
                    Movement(
                        f"count:{one.sku.key}",
                        one.sku,
                        one.quantity or 0,
                        MovementKind.COUNTED,
                        NOW - timedelta(days=60),
                    )
                    for one in counted[start : start + BATCH]
                ],
            )
    orders = _orders(store, goods, drawn)
    for start in range(0, len(orders), BATCH):
        async with desk.work() as work:
            await work.alerts.put_orders(store, orders[start : start + BATCH], now=NOW, orders_to=NOW, is_all=True)
    return len(orders)


def _goods(number: int, drawn: random.Random, read_at: datetime) -> Goods:
    return Goods(
        Sku(f"SKU-{number:05}"),
        f"product-{number // 3}",
        f"Product {number // 3}",
        f"Colour {number % 3}",
        Decimal(drawn.randint(5, 90)),
        "EUR",
        drawn.choice((0, 1, 3, 8, 20, 60, 200)),
        read_at,
    )


def _orders(store: Store, goods: list[Goods], drawn: random.Random) -> list[Order]:
    """One order line a sale; a few SKUs sell daily, most now and then, many never."""
    orders = []
    for one in goods:
        chance = drawn.choice((0.0, 0.0, 0.02, 0.1, 0.4))
        for day in range(1, WINDOW_DAYS + 1):
            if drawn.random() < chance:
                at = NOW - timedelta(days=day)
                line = OrderLine("1", one.sku, one.title, drawn.randint(1, 3))
                order_id = OrderId(f"{one.sku.key}-{day}")
                orders.append(Order(store.store_id, order_id, order_id, OrderState.SHIPPED, at, at, (line,)))
    return orders


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skus", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        timed = asyncio.run(time_digests(asked.skus, Path(folder)))
    print(
        f"digest of {timed.skus} SKUs, {timed.order_lines} order lines: {timed.first_s:.2f} s ({timed.first_cpu_s:.2f} s of"
        f" processor), the next morning's {timed.next_s:.2f} s ({timed.next_cpu_s:.2f} s); aim: 5 s"
    )


if __name__ == "__main__":
    main()
