"""A team with stores, and the ledger on a real database: what every test of the rows starts from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from domain.catalog import ListingId, PlatformName, Sku, Store, StoreId
from domain.jobs import Job
from domain.people import Team
from domain.stock import Movement, MovementKind, Pool, Push, PushEnd, PushState, Seen, Shown, StockLink, WriteWay
from domain.stock_rules import counted
from domain.trade import Order, OrderId, OrderLine, OrderState, StockId
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.database import Database
from storage.work import SqlWork

MUG = Sku("MUG-01")
BEGIN = datetime(2026, 11, 1, 8, tzinfo=UTC)


@dataclass(slots=True)
class HandClock:
    """Aware UTC that moves when told, and a millisecond a look, so that no two moments are the same."""

    now: datetime = BEGIN

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def _no_jobs(_connection: Connection, job: Job) -> None:
    raise AssertionError(f"the ledger enqueues nothing, and {job.key} was")


@dataclass(slots=True)
class Ledger:
    """The ledger of one team, spoken to as the sync does."""

    database: Database
    team: Team
    stores: dict[str, Store]
    clock: HandClock = field(default_factory=HandClock)

    @property
    def work(self) -> SqlWork:
        return SqlWork(self.database, _no_jobs, self.clock)

    async def link(self, store: str, sku: Sku = MUG, *, way: WriteWay = WriteWay.SWAPS, **how: Any) -> StockLink:
        stock_id = StockId(f"{store}/{sku.key}")
        link = StockLink(self.stores[store].store_id, stock_id, sku, ListingId("l1"), way, self.clock(), **how)
        async with self.work() as work:
            await work.stock.put_links(self.team.team_id, [link])
        return link

    async def count(self, quantity: int, sku: Sku = MUG, *, key: str = "") -> None:
        async with self.work() as work:
            pool = (await work.stock.pools(self.team.team_id, [sku], for_change=True))[sku.key]
            now = self.clock()
            movement = counted(pool, quantity, key=key or f"count:{now.isoformat()}", now=now)
            await work.stock.add_movements(self.team.team_id, [movement])

    async def receive(self, quantity: int, sku: Sku = MUG, *, key: str = "") -> frozenset[str]:
        now = self.clock()
        movement = Movement(key or f"received:{now.isoformat()}", sku, quantity, MovementKind.RECEIVED, now)
        async with self.work() as work:
            return await work.stock.add_movements(self.team.team_id, [movement])

    async def book(self, store: str, *orders: Order) -> list[Movement]:
        async with self.work() as work:
            return list(await work.stock.book_orders(self.stores[store], orders, now=self.clock()))

    async def pull(self, store: str, *orders: Order) -> list[Movement]:
        """Book all there is, as a complete pull."""
        began_at = self.clock()
        booked = await self.book(store, *orders)
        async with self.work() as work:
            await work.stock.finish_pull(self.stores[store], began_at=began_at, cursor=began_at)
        return booked

    async def open(self) -> list[Push]:
        async with self.work() as work:
            return list(await work.stock.open_pushes(self.team.team_id, now=self.clock()))

    async def close(self, *ends: PushEnd) -> list[Push]:
        async with self.work() as work:
            return list(await work.stock.close_pushes(self.team.team_id, ends, now=self.clock()))

    async def settle(self) -> dict[str, int]:
        """Write until nothing is due, all going well; return what each store is believed to show."""
        while pushes := await self.open():
            for push in pushes:
                await self.close(PushEnd(push.push_id, PushState.DONE))
        return {name: (await self.shown(name)).quantity or 0 for name in await self.linked()}

    async def read(self, store: str, quantity: int, sku: Sku = MUG, *orders: Order) -> list[str]:
        """Ask a store, pull its orders, and compare; return the mismatches that are new."""
        place = self.stores[store]
        async with self.work.reading() as rows:
            shown = await rows.stock.shown(self.team.team_id, store_id=place.store_id)
        asked_at = self.clock()
        await self.pull(store, *orders)
        stock_id = StockId(f"{store}/{sku.key}")
        seen = Seen(stock_id, quantity, shown[place.store_id, stock_id].version)
        async with self.work() as work:
            new = await work.stock.observe(place, [seen], asked_at=asked_at, now=self.clock())
        return [one.mismatch_id for one in new]

    async def pool(self, sku: Sku = MUG) -> Pool:
        async with self.work.reading() as rows:
            return (await rows.stock.pools(self.team.team_id, [sku]))[sku.key]

    async def on_hand(self, sku: Sku = MUG) -> int:
        pool = await self.pool(sku)
        async with self.work.reading() as rows:
            summed = (await rows.stock.recount(self.team.team_id, [sku])).get(sku.key, 0)
        assert pool.on_hand == summed, "the kept sum is the sum of the movements"
        return pool.on_hand

    async def shown(self, store: str, sku: Sku = MUG) -> Shown:
        store_id = self.stores[store].store_id
        return next(one.shown for one in (await self.pool(sku)).outlets if one.link.store_id == store_id)

    async def linked(self, sku: Sku = MUG) -> list[str]:
        names = {store.store_id: name for name, store in self.stores.items()}
        return [names[outlet.link.store_id] for outlet in (await self.pool(sku)).outlets]


def order(
    number: str,
    ledger: Ledger,
    ordered: int,
    *,
    sku: Sku | None = MUG,
    cancelled: int = 0,
    restocked: int = 0,
    shipped: int = 0,
    at: datetime | None = None,
) -> Order:
    """One order with one line, as a store tells it now."""
    now = at or ledger.clock()
    state = OrderState.CANCELLED if cancelled == ordered else OrderState.OPEN
    line = OrderLine("1", sku, "Mug", ordered, cancelled, restocked, shipped)
    return Order(StoreId("any"), OrderId(number), number, state, now, now, (line,))


async def open_ledger(database: Database, *, stores: int = 3) -> Ledger:
    """A team with stores `a`, `b`, `c` on Shopify, WooCommerce and Etsy, nothing linked yet."""
    team = await ensure_team(database, "My shop")
    platforms = (PlatformName.SHOPIFY, PlatformName.WOOCOMMERCE, PlatformName.ETSY, PlatformName.SHELF)
    opened = {}
    for name, platform in zip("abcd"[:stores], platforms[:stores], strict=True):
        store = Store(StoreId(f"store-{name}"), team.team_id, platform, f"Store {name}")
        assert await StoreRows(database).add(store)
        opened[name] = store
    return Ledger(database, team, opened)
