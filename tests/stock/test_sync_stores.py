"""The sync over real adapters and their fakes: what stores tell, what goes wrong on the way, and a crash in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert

from bot.steps import Patience, run_step
from bot.stock_clock import tick
from bot.stock_steps import stock_steps
from domain.catalog import Store, StoreId
from domain.connection import Contact, StoreHint
from domain.errors import NotFound
from domain.jobs import Job
from domain.ports import StorePlatform
from domain.recipe import PictureRules
from domain.stock import PushState
from domain.sync import Run, RunKind, RunState, SyncJob
from domain.trade import OrderId
from handlers.desk import Desk
from handlers.stock_push import push
from platforms.registry import RULES
from storage.database import Database, open_database
from storage.store_hints import SqlStoreHints
from storage.tables import StoreRow, TeamRow
from storage.work import SqlWork
from tests.fakes.store_server import Fault
from tests.stock.ledger import HandClock
from tests.stock.shops import MUG, Shop, Shops, open_shops

TEAM = "team-1"
AT_ONCE = Patience(store_attempts=1, database_attempts=1, first_pause_s=0.0, longest_pause_s=0.0)


@dataclass(slots=True)
class Office:
    """Three stores in step, and a worker that runs what is asked for when told."""

    database: Database
    shops: Shops
    clock: HandClock
    waiting: list[tuple[SyncJob, str]] = field(default_factory=list)
    ahead: timedelta = timedelta(0)
    """How far our clock is ahead of the world's."""

    def jump(self, by: timedelta) -> None:
        """Set our clock, and nobody else's."""
        self.clock.now += by
        self.ahead += by

    @property
    def desk(self) -> Desk:
        work = SqlWork(self.database, self.enqueue, self.clock)
        return Desk(work, None, None, self, self.clock)  # type: ignore[arg-type] # no pictures here

    @property
    def hints(self) -> SqlStoreHints:
        return SqlStoreHints(self.database, self.clock, self.enqueue)

    def enqueue(self, _connection: Connection, job: Job) -> None:
        self.waiting.append((SyncJob(job.name.value), job.subject_id))

    # The port Stores.

    async def of_team(self, team_id: str) -> list[StorePlatform]:
        return [self.adapter(shop) for shop in self.shops.all if team_id == TEAM]

    async def open(self, store_id: StoreId) -> StorePlatform:
        for shop in self.shops.all:
            if shop.platform.store.store_id == store_id:
                return self.adapter(shop)
        raise NotFound("it is no longer connected", store="That store")

    async def contact(self, store: Store) -> Contact:
        return Contact()

    def rules(self, store: Store) -> PictureRules:
        return RULES[store.platform]

    @staticmethod
    def adapter(shop: Shop) -> StorePlatform:
        platform: StorePlatform = shop.platform
        return platform

    # A worker.

    async def work(self) -> None:
        """Run what was asked for, in order, until nothing is."""
        steps = stock_steps(self.desk)
        while self.waiting:
            job, subject = self.waiting.pop(0)
            chain = steps[job]
            await run_step(chain.steps[0][1], chain.failed, subject, patience=AT_ONCE)

    async def in_time(self, minutes: float = 2.0) -> None:
        """Let time pass, the clock ask for what is due, and the worker do it."""
        self.clock.pass_by(minutes * 60)
        await tick(self.database, self.desk)
        await self.work()

    async def tell(self, shop: Shop, order_id: str, *, topic: str = "orders/create", key: str = "") -> bool:
        """The store's webhook about an order, verified."""
        hint = StoreHint(key or f"{topic}:{order_id}", topic, order_id.rpartition("/")[2])
        return await self.hints.keep(shop.platform.store, hint)

    async def on_hand(self) -> int:
        async with self.desk.work.reading() as rows:
            return (await rows.stock.on_hand(TEAM, [MUG]))[MUG.key]

    def shown(self) -> list[int]:
        return [shop.real() for shop in self.shops.all]


@pytest.fixture
async def office(sqlite_url: str) -> AsyncIterator[Office]:
    database, clock = open_database(sqlite_url), HandClock()
    offices: list[Office] = []
    async with open_shops(lambda: clock.now - (offices[0].ahead if offices else timedelta(0))) as shops:
        for shop in shops.all:
            shop.set_by_hand(20)
        async with database.begin() as db_session:
            await db_session.execute(insert(TeamRow).values(team_id=TEAM, name="Shop", created_at=clock()))
            for shop in shops.all:
                store = shop.platform.store
                row = {"store_id": store.store_id, "platform": store.platform.value, "name": store.name}
                await db_session.execute(insert(StoreRow).values(**row, team_id=TEAM, connected_at=clock()))
        office = Office(database, shops, clock)
        offices.append(office)
        now = clock()
        async with office.desk.work() as work:
            await work.sync.turn(TEAM, is_on=True, by="ada", now=now)
            await work.sync.add_run(Run("first", TEAM, RunKind.FIRST, RunState.GOING, None, now, by="ada"))
        office.waiting.append((SyncJob.FIRST, TEAM))
        await office.work()
        assert (await office.on_hand(), office.shown()) == (20, [20, 20, 20])
        yield office
    await database.close()


@pytest.mark.parametrize("name", ["shopify", "woo", "etsy"])
async def test_a_webhook_on_any_store_changes_all_others(office: Office, name: str) -> None:
    shop = office.shops.named(name)
    sale = shop.sell(3)
    assert await office.tell(shop, sale.order_id)
    await office.work()
    assert (await office.on_hand(), office.shown()) == (17, [17, 17, 17])


@pytest.mark.parametrize("name", ["shopify", "woo", "etsy"])
async def test_without_a_webhook_the_sale_is_found_by_pulling(office: Office, name: str) -> None:
    office.shops.named(name).sell(3)
    await office.in_time()
    await office.in_time()
    assert (await office.on_hand(), office.shown()) == (17, [17, 17, 17])


async def test_doubled_late_and_disordered_webhooks_count_once(office: Office) -> None:
    shop = office.shops.named("shopify")
    first, second = shop.sell(1), shop.sell(2)
    await office.tell(shop, second.order_id)
    await office.tell(shop, first.order_id, topic="orders/updated")
    assert not await office.tell(shop, second.order_id)
    await office.tell(shop, second.order_id, key="delivered again under another name")
    await office.work()
    await office.in_time(minutes=24 * 60)
    await office.tell(shop, first.order_id, topic="orders/paid")
    await office.work()
    assert (await office.on_hand(), office.shown()) == (17, [17, 17, 17])


async def test_a_webhook_about_an_order_that_is_not_there_changes_nothing(office: Office) -> None:
    shop = office.shops.named("woo")
    await office.tell(shop, "999999", topic="order.created")
    await office.tell(shop, "11", topic="product.updated")
    await office.work()
    assert (await office.on_hand(), office.shown()) == (20, [20, 20, 20])
    async with office.desk.work.reading() as rows:
        assert await rows.sync.hints(shop.platform.store.store_id, limit=10) == []


async def test_many_webhooks_are_fetched_by_the_page_and_none_is_lost(office: Office) -> None:
    shop = office.shops.named("woo")
    for _ in range(15):
        await office.tell(shop, shop.sell(1).order_id, topic="order.created")
    before = len(shop.server.calls)
    await office.work()
    assert await office.on_hand() == 5
    assert sum(office.shown()) == 15
    calls = [seen.operation for seen in shop.server.calls[before:]]
    assert len([one for one in calls if one == "getOrder"]) < 15


async def test_a_cancelled_order_comes_back_everywhere(office: Office) -> None:
    shop = office.shops.named("shopify")
    sale = shop.sell(3)
    await office.tell(shop, sale.order_id)
    await office.work()
    office.clock.pass_by(60)
    shop.cancel(sale, restock=True)
    await office.tell(shop, sale.order_id, topic="orders/cancelled")
    await office.work()
    await office.in_time()
    assert (await office.on_hand(), office.shown()) == (20, [20, 20, 20])


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("shopify", Fault.LOST),
        ("woo", Fault.LOST),
        ("etsy", Fault.LOST),
        ("shopify", Fault.CUT),
        ("woo", Fault.TOO_MANY),
        ("etsy", Fault.UNAVAILABLE),
    ],
)
async def test_a_write_that_goes_wrong_is_made_good(office: Office, name: str, fault: Fault) -> None:
    seller = office.shops.named("woo" if name != "woo" else "shopify")
    hurt = office.shops.named(name)
    hurt.server.fail(fault, operation=hurt.write_operation, times=2)
    sale = seller.sell(4)
    await office.tell(seller, sale.order_id)
    await office.work()
    for _ in range(2):
        await office.in_time(minutes=16)
    assert (await office.on_hand(), office.shown()) == (16, [16, 16, 16])


@pytest.mark.parametrize("name", ["woo", "etsy"])
async def test_a_buyer_between_our_look_and_our_write_keeps_their_piece(office: Office, name: str) -> None:
    seller = office.shops.named("woo" if name != "woo" else "shopify")
    crossed = office.shops.named(name)

    def somebody_buys() -> None:
        crossed.sell(2)

    office.shops.come_between(crossed, somebody_buys)
    await office.tell(seller, seller.sell(4).order_id)
    await office.work()
    for _ in range(4):
        await office.in_time()
    assert (await office.on_hand(), office.shown()) == (14, [14, 14, 14])


def has_written(shop: Shop, mark: int) -> bool:
    """Whether the store was asked to write since; GraphQL's operations are called by their documents' names."""
    wanted = shop.write_operation.replace("_", "").lower()
    return any(wanted in seen.operation.replace("_", "").lower() for seen in shop.server.calls[mark:])


class Died(BaseException):
    """The process is gone: nothing after it runs."""


@pytest.mark.parametrize("name", ["shopify", "woo", "etsy"])
async def test_a_crash_between_the_write_and_its_row_writes_once(office: Office, name: str) -> None:
    seller = office.shops.named("woo" if name != "woo" else "shopify")
    shop = office.shops.named(name)
    await office.tell(seller, seller.sell(4).order_id)
    store_id = shop.platform.store.store_id
    others: list[tuple[SyncJob, str]] = []
    while office.waiting and office.waiting[0] != (SyncJob.PUSH, store_id):
        one = office.waiting.pop(0)
        chain = stock_steps(office.desk)[one[0]]
        if one[0] is SyncJob.PUSH:
            others.append(one)
        else:
            await run_step(chain.steps[0][1], chain.failed, one[1], patience=AT_ONCE)
    async with office.desk.work.reading() as rows:
        [open_push] = await rows.stock.pushes(TEAM, store_id=store_id)

    desk = office.desk
    written = asyncio.Event()

    class Dying(SqlWork):
        def __call__(self, incoming=None):  # type: ignore[no-untyped-def]
            if len(shop.server.calls) > mark and has_written(shop, mark):
                written.set()
                raise Died
            return super().__call__(incoming)

    mark = len(shop.server.calls)
    dying = Desk(Dying(office.database, office.enqueue, office.clock), None, None, office, office.clock)  # type: ignore[arg-type]
    with pytest.raises(Died):
        await push(store_id, dying)
    assert written.is_set()
    shop.reopen()
    await push(store_id, desk)
    office.waiting += others
    await office.work()
    await office.in_time()
    await office.in_time()
    assert (await office.on_hand(), office.shown()) == (16, [16, 16, 16])
    async with desk.work.reading() as rows:
        done = {one.push_id for one in await rows.stock.pushes(TEAM, state=PushState.DONE)}
        refused = {one.push_id for one in await rows.stock.pushes(TEAM, state=PushState.REFUSED)}
        assert open_push.push_id in done | refused


async def test_clocks_that_jump_lose_nothing(office: Office) -> None:
    shop = office.shops.named("shopify")
    office.jump(timedelta(hours=-3))
    shop.sell(1)
    await office.in_time()
    office.jump(timedelta(hours=6))
    shop.sell(2)
    await office.in_time()
    await office.in_time()
    assert (await office.on_hand(), office.shown()) == (17, [17, 17, 17])


async def test_an_order_with_no_sku_and_one_nobody_keeps_move_nothing(office: Office) -> None:
    woo = office.shops.named("woo")
    state = woo.server.state  # type: ignore[attr-defined] # the fake's own
    state.add_product(sku="NOBODY-S", name="Other", manage_stock=True, stock_quantity=5)
    number = state.place_order("NOBODY-S", 1)
    await office.tell(woo, str(OrderId(str(number))), topic="order.created")
    await office.work()
    assert await office.on_hand() == 20
