"""Our ledger in the world of benchmarks/oversell.py: real rows, real rules, and a sync that does as handlers/ does.

A webhook makes us fetch its order; every store is polled as well, with overlap; what is due is opened in the ledger,
written after a call's time, and closed with the store's answer; every hour all that a store shows is compared, and at
once where only a read can settle what crossed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from benchmarks.oversell_world import ANSWER_AGAIN_S, FIRST_STOCK, HOUR_S, LOOK_TO_SET_S, SoldLine, World
from domain.catalog import ListingId, PlatformName, Sku, Store, StoreId
from domain.jobs import Job
from domain.ports import UnitOfWork
from domain.stock import Movement, MovementKind, Push, PushEnd, PushState, Seen, SkuFacts, StockLink, WriteWay
from domain.stock_rules import counted
from domain.trade import Order, OrderId, OrderLine, OrderState, StockId
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.database import Database
from storage.work import SqlWork

FIRST_DAY: Final = datetime(2026, 11, 2, tzinfo=UTC)
POLL_EVERY_S: Final = 900.0
READ_EVERY_S: Final = HOUR_S
OVERLAP: Final = timedelta(minutes=10)
SOON_S: Final = 5.0
"""How soon orders are pulled after an absolute write, and what is in doubt is read."""
QUIET_ROUNDS: Final = 6


def _no_jobs(_connection: Connection, job: Job) -> None:
    raise AssertionError(f"the ledger enqueues nothing, and {job.key} was")


@dataclass(slots=True)
class LedgerSync:
    """See the module. `buffer` pieces are kept back at stores that only set; from `split_at` on the last are split."""

    world: World
    database: Database
    buffer: int
    split_at: int
    team_id: str = ""
    stores: dict[str, Store] = field(default_factory=dict)
    _work: SqlWork = field(init=False)
    _soon: set[tuple[str, str]] = field(default_factory=set)
    _done: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._work = SqlWork(self.database, _no_jobs, self._clock)

    async def begin(self) -> None:
        """Link every SKU at every store, read what they show, and count it; then let buyers come."""
        self.team_id = (await ensure_team(self.database, "Shop")).team_id
        skus = [_sku(number) for number in range(self.world.scale.skus)]
        before = self._clock() - timedelta(hours=1)
        async with self._work() as work:
            await work.stock.put_facts(self.team_id, [SkuFacts(sku, split_at=self.split_at) for sku in skus])
        for name, seen in self.world.stores.items():
            store = Store(StoreId(name), self.team_id, PlatformName(name), name)
            assert await StoreRows(self.database).add(store)
            self.stores[name] = store
            way, buffer = (WriteWay.SWAPS, 0) if seen.swaps else (WriteWay.SETS, self.buffer)
            links = [
                StockLink(store.store_id, _stock_id(number), sku, ListingId(str(number)), way, before, buffer=buffer)
                for number, sku in enumerate(skus)
            ]
            async with self._work() as work:
                await work.stock.put_links(self.team_id, links)
            await self._read(name)
        async with self._work() as work:
            pools = (await work.stock.pools(self.team_id, for_change=True)).values()
            counts = [counted(pool, FIRST_STOCK, key=f"count:{pool.sku.key}", now=before) for pool in pools]
            await work.stock.add_movements(self.team_id, counts)
        self.world.begin(self._hook, self._received)
        for number, name in enumerate(self.stores):
            self._every(POLL_EVERY_S, 60.0 * number, lambda name=name: self._pull(name))
            self._every(READ_EVERY_S, 90.0 * number, lambda name=name: self._read(name))
        await self._write_what_is_due()

    async def rest(self) -> None:
        """Read and write until nothing is due."""
        for _ in range(QUIET_ROUNDS):
            for name in self.stores:
                await self._read(name)
            await self._write_what_is_due()
            await self.world.run(self.world.now + 300.0)

    async def known(self) -> Sequence[int]:
        """Return what is on hand."""
        async with self._work.reading() as rows:
            on_hand = await rows.stock.on_hand(self.team_id)
        return [on_hand[_sku(number).key] for number in range(self.world.scale.skus)]

    # ------------------------------------------------------------ hearing

    async def _hook(self, line: SoldLine) -> None:
        async def fetched() -> None:
            async with self._work() as work:
                opened = await self._book(work, line.store, [line])
            self._send_all(opened)

        self.world.calls["order"] += 1
        self.world.after(self.world.call_s(), fetched)

    async def _received(self, sku: int, quantity: int) -> None:
        now = self._clock()
        movement = Movement(f"received:{sku}:{now.isoformat()}", _sku(sku), quantity, MovementKind.RECEIVED, now)
        async with self._work() as work:
            await work.stock.add_movements(self.team_id, [movement])
            opened = await work.stock.open_pushes(self.team_id, [movement.sku], now=now)
        self._send_all(opened)

    async def _book(self, work: UnitOfWork, name: str, lines: Sequence[SoldLine]) -> Sequence[Push]:
        now = self._clock()
        moved = await work.stock.book_orders(self.stores[name], [_order(line) for line in lines], now=now)
        skus = list({one.sku.key: one.sku for one in moved}.values())
        return await work.stock.open_pushes(self.team_id, skus, now=now) if skus else ()

    async def _pull(self, name: str) -> None:
        """Book what changed since the last pull, with overlap."""
        self.world.calls["orders"] += 1
        began_at = self._clock()
        async with self._work() as work:
            known = (await work.stock.pulls(self.team_id)).get(StoreId(name))
            since = ((known.cursor if known and known.cursor else FIRST_DAY) - OVERLAP - FIRST_DAY).total_seconds()
            lines = [line for line in self.world.stores[name].orders[-500:] if line.at >= since]
            opened = await self._book(work, name, lines) if lines else ()
            await work.stock.finish_pull(self.stores[name], began_at=began_at, cursor=began_at)
        self._send_all(opened)

    # ------------------------------------------------------------ writing

    async def _write_what_is_due(self, skus: Sequence[Sku] | None = None) -> None:
        async with self._work() as work:
            opened = await work.stock.open_pushes(self.team_id, skus, now=self._clock())
        self._send_all(opened)

    def _send_all(self, opened: Sequence[Push]) -> None:
        for push in opened:
            self._send(push)

    def _send(self, push: Push, *, is_first: bool = True) -> None:
        """Write after a call's time; at a store that only sets, somebody may buy between its look and its write."""
        name, sku = str(push.store_id), int(push.stock_id)
        store = self.world.stores[name]

        async def swap() -> None:
            self.world.calls["swap"] += 1
            if push.push_id in self._done:
                # The store knows the key of what it did, and answers as it did.
                await answered(PushState.DONE)
            elif store.shows[sku] == push.from_quantity:
                store.shows[sku] = push.to_quantity
                self._done.add(push.push_id)
                await answered(PushState.DONE)
            else:
                await answered(PushState.REFUSED, store.shows[sku])

        async def look() -> None:
            self.world.calls["set"] += 1
            if store.shows[sku] == push.to_quantity:
                await answered(PushState.DONE)
            elif store.shows[sku] != push.from_quantity:
                await answered(PushState.REFUSED, store.shows[sku])
            else:
                self.world.after(LOOK_TO_SET_S, write)

        async def write() -> None:
            store.shows[sku] = push.to_quantity
            await answered(PushState.DONE)

        async def answered(state: PushState, found: int | None = None) -> None:
            if is_first and self.world.loses_answer():
                self.world.after(ANSWER_AGAIN_S, again)
            else:
                await self._close(push, PushEnd(push.push_id, state, found, is_first=is_first and store.swaps))

        async def again() -> None:
            self._send(push, is_first=False)

        self.world.after(self.world.call_s(), swap if store.swaps else look)

    async def _close(self, push: Push, end: PushEnd) -> None:
        async with self._work() as work:
            await work.stock.close_pushes(self.team_id, [end], now=self._clock())
            opened = await work.stock.open_pushes(self.team_id, [push.sku], now=self._clock())
            pool = (await work.stock.pools(self.team_id, [push.sku]))[push.sku.key]
        self._send_all(opened)
        name = str(push.store_id)
        shown = next(one.shown for one in pool.outlets if one.link.store_id == push.store_id)
        if shown.slack or shown.suspected is not None or shown.blocked_at is not None:
            self._once_soon("read", name, self._read)
        elif not self.world.stores[name].swaps:
            self._once_soon("pull", name, self._pull)

    # ------------------------------------------------------------ reading

    async def _read(self, name: str) -> None:
        """Read what a store shows, then pull its orders, then compare."""
        self.world.calls["levels"] += 1
        store = self.stores[name]
        async with self._work.reading() as rows:
            shown = await rows.stock.shown(self.team_id, store_id=store.store_id)
        asked_at = self._clock()
        seen = [
            Seen(key[1], self.world.stores[name].shows[int(key[1])], belief.version) for key, belief in shown.items()
        ]
        await self._pull(name)
        async with self._work() as work:
            asked = await work.stock.observe(store, seen, asked_at=asked_at, now=self._clock())
            after = await work.stock.shown(self.team_id, store_id=store.store_id)
        assert not asked, f"nobody typed anything, and a person is asked: {asked}"
        if any(belief.version != shown[key].version for key, belief in after.items()):
            await self._write_what_is_due()
        if any(belief.slack or belief.suspected is not None for belief in after.values()):
            self._once_soon("read", name, self._read)

    # ------------------------------------------------------------ time

    def _clock(self) -> datetime:
        return FIRST_DAY + timedelta(seconds=self.world.now)

    def _every(self, seconds: float, first: float, act: Callable[[], Awaitable[None]]) -> None:
        async def now_and_again() -> None:
            await act()
            if self.world.now < self.world.end_s:
                self.world.after(seconds, now_and_again)

        self.world.after(first, now_and_again)

    def _once_soon(self, what: str, name: str, act: Callable[[str], Awaitable[None]]) -> None:
        """Do it in a few seconds; what waits already is not asked for twice."""
        if (what, name) in self._soon:
            return
        self._soon.add((what, name))

        async def now() -> None:
            self._soon.discard((what, name))
            await act(name)

        self.world.after(SOON_S, now)


def _sku(number: int) -> Sku:
    return Sku(f"SKU-{number:03}")


def _stock_id(number: int) -> StockId:
    return StockId(str(number))


def _order(line: SoldLine) -> Order:
    at = FIRST_DAY + timedelta(seconds=line.at)
    lines = (OrderLine("1", _sku(line.sku), "", line.quantity),)
    number = str(line.number)
    return Order(StoreId(line.store), OrderId(number), number, OrderState.OPEN, at, at, lines)
