"""One small business under proof: three shops, the real ledger on SQLite, and what is true of the shelf.

Every act of the machine (tests/stock/machine.py) is a method here, and so are the invariants. Where it can be, an act
is the very step that a worker runs (handlers/stock_orders.py and those beside it); where something shall happen in the
middle of one, its parts. The truth is counted past our code: `on_shelf` follows what buyers, returns and deliveries
did, whatever we know of it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from domain.errors import Ambiguous, NotFound, RateLimited, RejectedByStore, StockChanged, StoreDown, StoreError
from domain.stock import (
    SPLIT_AT,
    LineCounts,
    LinkState,
    MismatchState,
    Outlet,
    Pool,
    Push,
    PushEnd,
    PushState,
    WriteWay,
)
from domain.stock_rules import promise, targets
from domain.trade import Order, StockWrite
from handlers import stock_orders, stock_push, stock_read
from handlers.desk import Desk
from tests.stock.calls import Died, HeldPull, HeldRead, then_die, write_once
from tests.stock.ledger import Ledger
from tests.stock.shops import MUG, Sale, Shop, ShopifyShop, Shops

TEAM_ID = "team-1"
QUIET_ROUNDS = 12
"""After so many rounds without a sale everything must have come to rest."""


@dataclass(slots=True)
class Business:
    """See the module."""

    shops: Shops
    ledger: Ledger
    path: Path
    desk: Desk
    split_at: int = SPLIT_AT
    on_shelf: int = 0
    sales: list[Sale] = field(default_factory=list)
    hints: list[Sale] = field(default_factory=list)
    reads: dict[str, HeldRead] = field(default_factory=dict)
    pulls: list[tuple[Shop, HeldPull]] = field(default_factory=list)
    answers: list[PushEnd] = field(default_factory=list)
    """What stores answered, and we have not taken in yet."""
    edited: set[str] = field(default_factory=set)
    """Shops where a person typed a number of their own."""
    missing: dict[str, datetime] = field(default_factory=dict)
    """Shops that had fewer than they could have by the orders we knew, and since when we know."""
    lines: dict[tuple[str, str, str], LineCounts] = field(default_factory=dict)
    oversold: int = 0

    # ------------------------------------------------------------ the world

    def sell(self, shop: Shop, quantity: int) -> None:
        """A buyer buys, where the store shows enough."""
        self.ledger.clock.pass_by(5)
        if shop.real() < quantity:
            return
        sale = shop.sell(quantity)
        self.sales.append(sale)
        self.hints.append(sale)
        self.oversold += min(quantity, max(0, quantity - max(0, self.on_shelf)))
        self.on_shelf -= quantity

    def cancel(self, sale: Sale, *, restock: bool) -> None:
        """An order that was not sent is cancelled."""
        self.ledger.clock.pass_by(5)
        before = sale.gone
        sale.shop.cancel(sale, restock=restock)
        self.on_shelf += before - sale.gone
        self.hints.append(sale)

    def ship(self, sale: Sale) -> None:
        """An order is sent."""
        self.ledger.clock.pass_by(5)
        sale.shop.ship(sale)
        self.hints.append(sale)

    def send_back(self, sale: Sale, *, restock: bool) -> None:
        """A buyer returns what was sent (only Shopify says whether it is on the shelf again)."""
        assert isinstance(sale.shop, ShopifyShop)
        self.ledger.clock.pass_by(5)
        before = sale.gone
        sale.shop.send_back(sale, restock=restock)
        self.on_shelf += before - sale.gone
        self.hints.append(sale)

    def edit(self, shop: Shop, quantity: int) -> None:
        """A person types a number in the store's own pages."""
        self.ledger.clock.pass_by(5)
        if shop.real() != quantity:
            shop.set_by_hand(quantity)
            self.edited.add(shop.name)

    # ------------------------------------------------------------ people who tell us

    async def receive(self, quantity: int) -> None:
        """A delivery is booked in."""
        self.on_shelf += quantity
        await self.ledger.receive(quantity)

    async def count(self, lost: int) -> None:
        """Somebody counts what can be sold, and finds some missing, or more than anybody knew."""
        for shop in self.shops.all:
            await self.pull(shop)
        self.on_shelf = max(0, self.on_shelf - lost)
        await self.ledger.count(self.on_shelf)

    # ------------------------------------------------------------ hearing

    async def hear(self, sale: Sale, *, times: int = 1) -> None:
        """A webhook came: its order is fetched and booked, as often as it came."""
        for _ in range(times):
            await self._book(sale.shop, [await sale.shop.platform.read_order(sale.order_id)])

    async def ask_orders(self, shop: Shop) -> HeldPull:
        """Ask a store for all orders that changed, with overlap, and keep what it says."""
        began_at = self.ledger.clock()
        async with self.ledger.work.reading() as rows:
            known = (await rows.stock.pulls(TEAM_ID)).get(shop.platform.store.store_id)
        cursor = known.cursor if known and known.cursor else began_at - timedelta(days=1)
        orders: list[Order] = []
        page_cursor: str | None = None
        while True:
            page = await shop.platform.orders_since(cursor - timedelta(minutes=10), cursor=page_cursor)
            orders += page.orders
            page_cursor = page.next_cursor
            if page_cursor is None:
                break
        newest = max([cursor, *(order.changed_at for order in orders)])
        return HeldPull(orders, began_at, min(newest, began_at))

    async def finish_pull(self, shop: Shop, held: HeldPull) -> None:
        """Book what a store said, perhaps long ago."""
        await self._book(shop, held.orders)
        async with self.ledger.work() as work:
            await work.stock.finish_pull(shop.platform.store, began_at=held.began_at, cursor=held.cursor)

    async def pull(self, shop: Shop) -> None:
        """Poll a store, whole."""
        self.ledger.clock.pass_by(1)
        before = self._believed(shop)
        await stock_orders.pull(shop.platform, self.desk, is_whole=True)
        self._note_missing(shop, before)

    async def _book(self, shop: Shop, orders: Sequence[Order]) -> None:
        before = self._believed(shop)
        await stock_orders.book(shop.platform.store, orders, self.desk)
        self._note_missing(shop, before)

    # ------------------------------------------------------------ writing

    async def open(self) -> list[Push]:
        """Open what is due, and check that no raise was opened that must wait."""
        known = {push.push_id for push in await self.pushes()}
        before = await self.pool()
        async with self.desk.work() as work:
            await stock_orders.open_writes(work, TEAM_ID, [MUG], now=self.ledger.clock())
        opened = [push for push in await self.pushes() if push.push_id not in known]
        if any(push.delta > 0 for push in opened):
            waiting = [name for name, since in self.missing.items() if not await self._was_pulled_since(name, since)]
            assert not waiting, f"a raise while {waiting} sold what we have no order of: {opened}"
            pool = await self.pool()
            if before.on_hand <= self.split_at:
                promised = sum(promise(outlet) for outlet in pool.outlets if outlet.link.state is LinkState.ON)
                assert promised <= pool.on_hand, f"{promised} promised of {pool.on_hand}"
        return opened

    async def _was_pulled_since(self, name: str, since: datetime) -> bool:
        outlet = await self.outlet(self.shops.named(name))
        return outlet.pull.began_at is not None and outlet.pull.began_at > since

    async def write(self, shop: Shop) -> None:
        """Write all that is open at a store, as a worker does; what a store says no to is tried again later."""
        before = self._believed(shop)
        with contextlib.suppress(StoreError, Died):
            await stock_push.push(shop.platform.store.store_id, self.desk)
        self._note_missing(shop, before)

    async def write_and_die(self, shop: Shop) -> None:
        """The worker dies when the store has written, and before it hears so."""
        for name in ("swap_stock", "set_stock"):
            if (real := getattr(shop.platform, name, None)) is not None:
                setattr(shop.platform, name, then_die(real))
        try:
            await self.write(shop)
        finally:
            shop.reopen()

    async def pushes(self) -> list[Push]:
        async with self.ledger.work.reading() as rows:
            return list(await rows.stock.pushes(TEAM_ID))

    async def send_crossed(self, push: Push, quantity: int) -> PushEnd | None:
        """Write, while somebody buys between our look and our write: a store that only sets undoes that sale's change."""
        shop = self.shop_of(push)
        self.shops.come_between(shop, lambda: self.sell(shop, quantity))
        end = await self.send(push)
        shop.server.admits = None
        return end

    async def send(self, push: Push) -> PushEnd | None:
        """Write to a store, and return what to make of the answer; None while nobody can tell: it is sent again."""
        shop = self.shop_of(push)
        if not await self._take_up(shop, push):
            return None
        write = StockWrite(push.push_id, push.stock_id, push.sku, push.from_quantity, push.to_quantity)
        total, is_split = self._promised(), (await self.pool()).on_hand <= self.split_at
        try:
            await write_once(shop.platform, write)
        except StockChanged as error:
            return PushEnd(push.push_id, PushState.REFUSED, found=error.found)
        except (NotFound, RejectedByStore) as error:
            return PushEnd(push.push_id, PushState.FAILED, why=str(error))
        except (StoreDown, Ambiguous, RateLimited):
            return None
        finally:
            if push.delta > 0 and is_split and shop.way is WriteWay.SWAPS and not self.edited:
                assert self._promised() <= max(total, self.on_shelf), "a raise promised more than there is"
        return PushEnd(push.push_id, PushState.DONE)

    async def _take_up(self, shop: Shop, push: Push) -> bool:
        """Do what a worker does before it writes; False where the write was withdrawn."""
        async with self.desk.work() as work:
            store_id, now = shop.platform.store.store_id, self.ledger.clock()
            taken = await work.stock.take_up(TEAM_ID, store_id, limit=100, now=now)
            await stock_orders.open_writes(work, TEAM_ID, [one.sku for one in taken.withdrawn], now=now)
        return push.push_id in {one.push_id for one in taken.pushes}

    async def take(self, end: PushEnd) -> None:
        """Take an answer in."""
        push = next((one for one in await self.pushes() if one.push_id == end.push_id), None)
        if push is None:
            await self.ledger.close(end)
            return
        shop = self.shop_of(push)
        before = self._believed(shop)
        await self.ledger.close(end)
        if end.found is not None and end.found < self._believed(shop):
            self.missing[shop.name] = self.ledger.clock.now
        self._note_missing(shop, before)

    def _note_missing(self, shop: Shop, before: int) -> None:
        """Fallen below zero there are sales we have no order of, or that were not there: raises wait for a pull."""
        if self._believed(shop) < min(0, before):
            self.missing[shop.name] = self.ledger.clock.now

    def _believed(self, shop: Shop) -> int:
        with closing(sqlite3.connect(self.path)) as rows:
            named = (shop.platform.store.store_id,)
            [[quantity]] = rows.execute("SELECT quantity FROM stock_outlet WHERE store_id = ?", named)
        return int(quantity or 0)

    # ------------------------------------------------------------ reading

    async def ask_levels(self, shop: Shop) -> None:
        """Ask a store what it shows, and keep its answer."""
        store = shop.platform.store
        async with self.ledger.work.reading() as rows:
            believed = await rows.stock.shown(TEAM_ID, store_id=store.store_id)
        asked_at = self.ledger.clock()
        self.reads[shop.name] = HeldRead(await shop.platform.read_stock([MUG]), believed, asked_at)

    async def finish_read(self, shop: Shop) -> None:
        """Pull the store's orders, and compare."""
        held = self.reads.pop(shop.name)
        await self.pull(shop)
        await stock_read.observe(shop.platform.store, held.levels, held.believed, held.asked_at, self.desk)

    async def answer_mismatches(self, state: MismatchState) -> None:
        """People say which number is right."""
        async with self.ledger.work() as work:
            for one in await work.stock.mismatches(TEAM_ID):
                assert self.edited, f"nobody typed anything, and {one} is asked"
                await work.stock.resolve(TEAM_ID, one.mismatch_id, state, by="Anna", now=self.ledger.clock())
                if state is MismatchState.TRUSTED:
                    self.on_shelf += one.observed - one.expected

    # ------------------------------------------------------------ crashing, and coming to rest

    def crash(self) -> None:
        """Lose what is only in memory; the adapters are opened anew."""
        self.reads.clear()
        self.pulls.clear()
        self.answers.clear()
        for shop in self.shops.all:
            shop.server.forget_faults()
            shop.server.admits = None
            shop.reopen()

    async def come_to_rest(self) -> None:
        """Nobody buys any more: hear, write and read until nothing is due."""
        self.crash()
        for _ in range(QUIET_ROUNDS):
            self.ledger.clock.pass_by(60)
            for shop in self.shops.all:
                await self.ask_levels(shop)
                await self.finish_read(shop)
            await self.answer_mismatches(MismatchState.OURS)
            is_done = not await self.open() and not await self.pushes()
            for shop in self.shops.all:
                await self.write(shop)
            if is_done and not any(_is_in_doubt(outlet) for outlet in (await self.pool()).outlets):
                return
        raise AssertionError(f"no rest after {QUIET_ROUNDS} rounds: {(await self.pool()).outlets}")

    # ------------------------------------------------------------ what must hold

    def check(self) -> None:
        """Check what must hold after every step; on a plain connection, since it is done after each of thousands."""
        with closing(sqlite3.connect(self.path)) as rows:
            [[on_hand, counted]] = rows.execute(
                "SELECT on_hand, (SELECT sum(quantity) FROM stock_movement WHERE sku_key = stock_sku.sku_key) FROM stock_sku"
            )
            lines = {
                (row[0], row[1], row[2]): LineCounts(*row[3:])
                for row in rows.execute(
                    "SELECT store_id, order_id, line_id, ordered, cancelled, restocked, shipped FROM stock_order_line"
                )
            }
            beliefs = {
                row[0]: (row[1], row[2]) for row in rows.execute("SELECT store_id, quantity, slack FROM stock_outlet")
            }
            open_pushes = rows.execute("SELECT store_id, delta FROM stock_push WHERE state = 'open'").fetchall()
        assert on_hand == counted, "the kept sum is the sum of the movements"
        assert self.lines.keys() <= lines.keys(), "a line that was known is known"
        for key, counts in self.lines.items():
            is_grown = all(before <= now for before, now in zip(astuple(counts), astuple(lines[key]), strict=True))
            assert is_grown, "what is known of a line only grows"
        self.lines = lines
        unheard = sum(self._known(sale).gone(tells_restock=sale.shop.tells_restock) - sale.gone for sale in self.sales)
        assert on_hand + unheard == self.on_shelf, "on hand is what is on the shelf, but for orders nobody heard of"
        deltas = dict(open_pushes)
        assert len(deltas) == len(open_pushes), "one push a place is open"
        for shop in self.shops.all:
            if shop.name not in self.edited:
                store_id = shop.platform.store.store_id
                self._check_belief(shop, *beliefs[store_id], deltas.get(store_id, 0))

    def _check_belief(self, shop: Shop, quantity: int, slack: int, delta: int) -> None:
        """What the store shows is what we believe, but for what happened there and we have not heard of."""
        unheard = sum(
            sale.at_store - _heard_at_store(sale, self._known(sale)) for sale in self.sales if sale.shop is shop
        )
        least, most = quantity + min(0, delta), quantity + slack + max(0, delta)
        if shop.way is WriteWay.SETS:
            # What was bought before an absolute write was undone by it, and is in doubt once we hear of it.
            most += sum(sale.counts.ordered - self._known(sale).ordered for sale in self.sales if sale.shop is shop)
        told = f"{shop.name} shows {shop.real()}, {unheard} of it unheard, and we believe {least} to {most}"
        assert least <= shop.real() - unheard <= most, told

    async def check_rest(self) -> None:
        """Check what must hold when everything is heard, written and read."""
        self.check()
        pool = await self.pool()
        assert pool.on_hand == self.on_shelf, "drift"
        due = targets(pool)
        for shop in self.shops.all:
            outlet = await self.outlet(shop)
            assert shop.real() == due[outlet.link.key], f"{shop.name} shows {shop.real()} instead of {due}"
            assert not _is_in_doubt(outlet)
        if pool.on_hand <= self.split_at:
            assert self._promised() <= max(0, pool.on_hand), "more is promised than there is"
        assert not await self.pushes()

    def _promised(self) -> int:
        return sum(max(0, shop.real()) for shop in self.shops.all)

    def _known(self, sale: Sale) -> LineCounts:
        store_id = sale.shop.platform.store.store_id
        found = (counts for key, counts in self.lines.items() if key[:2] == (store_id, sale.order_id))
        return next(found, LineCounts())

    async def pool(self) -> Pool:
        return await self.ledger.pool()

    async def outlet(self, shop: Shop) -> Outlet:
        store_id = shop.platform.store.store_id
        return next(one for one in (await self.pool()).outlets if one.link.store_id == store_id)

    def shop_of(self, push: Push) -> Shop:
        return next(shop for shop in self.shops.all if shop.platform.store.store_id == push.store_id)


def _heard_at_store(sale: Sale, known: LineCounts) -> int:
    """Return what of an order's change of the store's number is in the belief or its slack."""
    if sale.shop.tells_restock:
        return known.restocked - known.ordered
    put_back = sale.at_store + sale.counts.ordered
    return (put_back if known.cancelled else 0) - known.ordered


def _is_in_doubt(outlet: Outlet) -> bool:
    shown = outlet.shown
    return shown.slack > 0 or shown.suspected is not None or outlet.push is not None or outlet.mismatch is not None
