"""What may happen to a small business, in any order: the rules of the proof (tests/stock/test_machine.py).

Each rule is one act of `Business`; after each, everything that must hold is checked, and at the end the business
comes to rest without a single unit lost.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.stock import SPLIT_AT, MismatchState
from tests.fakes.store_server import Fault
from tests.stock.opening import open_business
from tests.stock.proof import Business
from tests.stock.shops import Sale, Shop, ShopifyShop

T = TypeVar("T")
SHOPS = st.sampled_from(("shopify", "woo", "etsy"))
FEW = st.integers(1, 4)
ANY = st.integers(0, 10_000)
"""Picks one of what there is: which, depends on how many there are then."""


class Machine(RuleBasedStateMachine):
    """See the module. `template` is a migrated SQLite file; `steps` counts what was done in all runs."""

    template: ClassVar[bytes] = b""
    loop: ClassVar[asyncio.AbstractEventLoop]
    steps: ClassVar[Counter[str]] = Counter()
    split_at: ClassVar[int] = SPLIT_AT
    buffer: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._opened = AsyncExitStack()
        self._folder = tempfile.TemporaryDirectory(prefix="proof-")
        path = Path(self._folder.name) / "packshot.db"
        path.write_bytes(self.template)
        opening = open_business(path, split_at=self.split_at, buffer=self.buffer)
        self.business: Business = self._run(self._opened.enter_async_context(opening))
        self.steps["runs"] += 1

    # ------------------------------------------------------------ the world

    @rule(shop=SHOPS, quantity=FEW)
    def sell(self, shop: str, quantity: int) -> None:
        self._count("sell")
        self.business.sell(self._shop(shop), quantity)

    @rule(shops=st.lists(SHOPS, min_size=2, max_size=4))
    def rush(self, shops: list[str]) -> None:
        """Several buyers in a row, before anything is heard."""
        for shop in shops:
            self._count("sell")
            self.business.sell(self._shop(shop), 1)

    @precondition(lambda self: self._open_sales())
    @rule(pick=ANY, restock=st.booleans())
    def cancel(self, pick: int, restock: bool) -> None:
        self._count("cancel")
        self.business.cancel(_one(self._open_sales(), pick), restock=restock)

    @precondition(lambda self: self._open_sales())
    @rule(pick=ANY)
    def ship(self, pick: int) -> None:
        self._count("ship")
        self.business.ship(_one(self._open_sales(), pick))

    @precondition(lambda self: self._sent_sales())
    @rule(pick=ANY, restock=st.booleans())
    def send_back(self, pick: int, restock: bool) -> None:
        self._count("return")
        self.business.send_back(_one(self._sent_sales(), pick), restock=restock)

    @precondition(lambda self: self.edits)
    @rule(shop=SHOPS, quantity=st.integers(0, 12))
    def edit(self, shop: str, quantity: int) -> None:
        self._count("edit")
        self.business.edit(self._shop(shop), quantity)

    edits: ClassVar[bool] = False
    """Whether people type numbers into the stores' own pages, which no belief can foresee."""

    # ------------------------------------------------------------ people who tell us

    @rule(quantity=FEW)
    def receive(self, quantity: int) -> None:
        self._count("receive")
        self._run(self.business.receive(quantity))

    @rule(lost=st.integers(-1, 2))
    def count(self, lost: int) -> None:
        self._count("count")
        self._run(self.business.count(lost))

    # ------------------------------------------------------------ hearing: late, twice, never

    @precondition(lambda self: self.business.hints)
    @rule(pick=ANY, times=st.integers(0, 2), forget=st.booleans())
    def deliver(self, pick: int, times: int, forget: bool) -> None:
        """Webhooks in any order; kept, one comes again later, and one that is forgotten at once never comes."""
        self._count(f"deliver {times} times")
        sale = _one(self.business.hints, pick)
        if forget:
            self.business.hints.remove(sale)
        self._run(self.business.hear(sale, times=times))

    @rule(shop=SHOPS)
    def poll(self, shop: str) -> None:
        self._count("poll")
        self._run(self.business.pull(self._shop(shop)))

    @rule(shop=SHOPS)
    def ask_orders(self, shop: str) -> None:
        self._count("ask orders")
        opened = self._shop(shop)
        self.business.pulls.append((opened, self._run(self.business.ask_orders(opened))))

    @precondition(lambda self: self.business.pulls)
    @rule(pick=ANY)
    def finish_pull(self, pick: int) -> None:
        self._count("book what was asked before")
        opened, held = self.business.pulls.pop(pick % len(self.business.pulls))
        self._run(self.business.finish_pull(opened, held))

    # ------------------------------------------------------------ writing: well, lost, late

    @rule()
    def open(self) -> None:
        self._count("open pushes")
        self._run(self.business.open())

    @rule(pick=ANY, fault=st.sampled_from((None, None, Fault.LOST, Fault.UNAVAILABLE)), is_late=st.booleans())
    def push(self, pick: int, fault: Fault | None, is_late: bool) -> None:
        """Write one that is open; the answer is lost with or without the write, or taken in later."""
        pushes = self._run(self.business.pushes())
        if not pushes:
            pushes = self._run(self.business.open())
        if not pushes:
            return
        push = _one(pushes, pick)
        shop = self.business.shop_of(push)
        if fault is not None:
            shop.server.fail(fault, operation=shop.write_operation, times=8)
        end = self._run(self.business.send(push))
        shop.server.forget_faults()
        self._count(f"push, {end.state if end else 'no answer'}{', late' if is_late else ''}")
        if end is not None and is_late:
            self.business.answers.append(end)
        elif end is not None:
            self._run(self.business.take(end))

    @rule(pick=ANY, quantity=st.integers(1, 2))
    def push_crossed(self, pick: int, quantity: int) -> None:
        """Somebody buys between our look and our write."""
        pushes = self._run(self.business.pushes()) or self._run(self.business.open())
        if not pushes:
            return
        end = self._run(self.business.send_crossed(_one(pushes, pick), quantity))
        self._count(f"push crossed by a sale, {end.state if end else 'no answer'}")
        if end is not None:
            self._run(self.business.take(end))

    @rule(shop=SHOPS, fault=st.sampled_from((None, None, Fault.LOST, Fault.UNAVAILABLE)), dies=st.booleans())
    def write(self, shop: str, fault: Fault | None, dies: bool) -> None:
        """A worker's whole step; the store loses an answer, or the worker dies before it hears one."""
        opened = self._shop(shop)
        if fault is not None:
            opened.server.fail(fault, operation=opened.write_operation)
        self._count("write" + (", and die" if dies else ""))
        self._run(self.business.write_and_die(opened) if dies else self.business.write(opened))
        opened.server.forget_faults()

    @precondition(lambda self: self.business.answers)
    @rule(pick=ANY)
    def answer(self, pick: int) -> None:
        self._count("late answer")
        self._run(self.business.take(self.business.answers.pop(pick % len(self.business.answers))))

    # ------------------------------------------------------------ reading, asking people, crashing

    @rule(shop=SHOPS)
    def ask_levels(self, shop: str) -> None:
        self._count("ask levels")
        self._run(self.business.ask_levels(self._shop(shop)))

    @precondition(lambda self: self.business.reads)
    @rule(pick=ANY)
    def finish_read(self, pick: int) -> None:
        self._count("compare")
        name = _one(sorted(self.business.reads), pick)
        self._run(self.business.finish_read(self._shop(name)))

    @precondition(lambda self: self.edits)
    @rule(state=st.sampled_from((MismatchState.TRUSTED, MismatchState.OURS)))
    def say_which(self, state: MismatchState) -> None:
        self._count(f"say {state}")
        self._run(self.business.answer_mismatches(state))

    @rule(dice=st.integers(1, 6))
    def crash(self, dice: int) -> None:
        """Seldom: what is only in memory should get old first."""
        if dice == 6:
            self._count("crash")
            self.business.crash()

    # ------------------------------------------------------------ what must hold

    @invariant()
    def holds(self) -> None:
        self.business.check()

    def teardown(self) -> None:
        """Come to rest, and lose nothing."""
        try:
            self._run(self.business.come_to_rest())
            self._run(self.business.check_rest())
        finally:
            self.give_up()

    def give_up(self) -> None:
        """Close everything as it is."""
        self._run(self._opened.aclose())
        self._folder.cleanup()

    # ------------------------------------------------------------ helpers

    def _run(self, act: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(act)

    def _shop(self, name: str) -> Shop:
        return self.business.shops.named(name)

    def _open_sales(self) -> list[Sale]:
        return [sale for sale in self.business.sales if sale.is_open]

    def _sent_sales(self) -> list[Sale]:
        is_sent = (sale.counts.shipped and not sale.counts.cancelled for sale in self.business.sales)
        sales = zip(self.business.sales, is_sent, strict=True)
        return [sale for sale, sent in sales if sent and isinstance(sale.shop, ShopifyShop)]

    def _count(self, what: str) -> None:
        self.steps["steps"] += 1
        self.steps[what] += 1


def _one(things: list[Any], pick: int) -> Any:
    return things[pick % len(things)]
