"""The world of benchmarks/oversell.py: three stores, their buyers, and webhooks that come late, twice or never.

Time is simulated and ordered, randomness is seeded, so that every strategy meets the same buyers at the same moments
and the same fates of webhooks. A store keeps its own number and its orders; the shelf is counted apart, and is what
is true.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
FIRST_STOCK: Final = 12

HOOK_LOST: Final = 0.02
HOOK_TWICE: Final = 0.05
HOOK_LATE: Final = 0.05
"""Late is 5 minutes to 6 hours; the others take 1 to 20 seconds. Vendors promise neither order nor delivery."""
ANSWER_LOST: Final = 0.01
CALL_S: Final = (0.3, 2.5)
"""How long a call to a store takes, with its queue."""
ANSWER_AGAIN_S: Final = 20.0
"""After so long a call without an answer is made again."""
LOOK_TO_SET_S: Final = 0.3
"""Between the look and the write at a store that has no compare-and-set."""

Act = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One order of one line; `at` in seconds since the first day."""

    number: int
    store: str
    sku: int
    quantity: int
    at: float


@dataclass(frozen=True, slots=True)
class Scale:
    """How much happens. A SKU sells `units_a_day` in all stores, and as many come in, every few days."""

    days: int = 28
    skus: int = 12
    units_a_day: float = 9.0
    delivery_every_days: float = 2.5


@dataclass(slots=True)
class Shelves:
    """What is there, and what was sold past it."""

    on_hand: list[int]
    sold: int = 0
    oversold: int = 0
    bad_days: int = 0
    sku_days: int = 0


@dataclass(slots=True)
class Store:
    """A store's own number of each SKU, and its orders."""

    name: str
    swaps: bool
    shows: list[int]
    orders: list[SoldLine] = field(default_factory=list)


@dataclass(slots=True)
class World:
    """See the module. `hook` is whom webhooks reach."""

    scale: Scale
    seed: int
    now: float = 0.0
    stores: dict[str, Store] = field(default_factory=dict)
    shelves: Shelves = field(init=False)
    calls: Counter[str] = field(default_factory=Counter)
    _due: list[tuple[float, int, Act]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _of_calls: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.shelves = Shelves([FIRST_STOCK] * self.scale.skus)
        self._of_calls = random.Random(self.seed + 1)
        for name, swaps in (("shopify", True), ("etsy", False), ("woocommerce", False)):
            self.stores[name] = Store(name, swaps, [FIRST_STOCK] * self.scale.skus)

    @property
    def end_s(self) -> float:
        """When the last buyer has come."""
        return self.scale.days * DAY_S

    def after(self, seconds: float, act: Act) -> None:
        """Let something happen later."""
        heapq.heappush(self._due, (self.now + seconds, next(self._numbers), act))

    async def run(self, until: float) -> None:
        """Let everything happen up to a moment, in order."""
        while self._due and self._due[0][0] <= until:
            self.now, _, act = heapq.heappop(self._due)
            await act()
        self.now = until

    # ------------------------------------------------------------ buyers and deliveries

    def begin(
        self, hook: Callable[[SoldLine], Awaitable[None]], received: Callable[[int, int], Awaitable[None]]
    ) -> None:
        """Plan every buyer, delivery and day's end; all of it is drawn now, so that no strategy changes it."""
        buyers = random.Random(self.seed)
        for sku in range(self.scale.skus):
            rate = self.scale.units_a_day * buyers.uniform(0.5, 1.5)
            at = 0.0
            while (at := at + buyers.expovariate(rate / DAY_S)) < self.end_s:
                store = buyers.choice(tuple(self.stores))
                quantity = 2 if buyers.random() < 0.1 else 1
                self.after(at, self._buyer(store, sku, quantity, self._fates(buyers), hook))
            delivery, every = 0.0, self.scale.delivery_every_days * DAY_S
            while (delivery := delivery + every * buyers.uniform(0.6, 1.4)) < self.end_s:
                self.after(delivery, self._delivery(sku, round(rate * every / DAY_S), received))
        for day in range(1, self.scale.days + 1):
            self.after(day * DAY_S, self._day_ends)

    def _fates(self, chance: random.Random) -> tuple[float, ...]:
        """Return after how many seconds a sale's webhooks come: none, one or two."""
        roll, delay = chance.random(), chance.uniform(1.0, 20.0)
        late, again = chance.uniform(300.0, 6 * HOUR_S), chance.uniform(5.0, HOUR_S)
        if roll < HOOK_LOST:
            return ()
        if roll < HOOK_LOST + HOOK_LATE:
            return (late,)
        return (delay, delay + again) if roll < HOOK_LOST + HOOK_LATE + HOOK_TWICE else (delay,)

    def _buyer(
        self, name: str, sku: int, quantity: int, fates: tuple[float, ...], hook: Callable[[SoldLine], Awaitable[None]]
    ) -> Act:
        async def buy() -> None:
            store = self.stores[name]
            if store.shows[sku] < quantity:
                return
            line = SoldLine(next(self._numbers), name, sku, quantity, self.now)
            store.shows[sku] -= quantity
            store.orders.append(line)
            shelves = self.shelves
            shelves.sold += quantity
            shelves.oversold += quantity - min(quantity, max(0, shelves.on_hand[sku]))
            shelves.on_hand[sku] -= quantity

            async def tell() -> None:
                await hook(line)

            for delay in fates:
                self.after(delay, tell)

        return buy

    def _delivery(self, sku: int, quantity: int, received: Callable[[int, int], Awaitable[None]]) -> Act:
        async def unpack() -> None:
            self.shelves.on_hand[sku] += quantity
            await received(sku, quantity)

        return unpack

    async def _day_ends(self) -> None:
        for sku, there in enumerate(self.shelves.on_hand):
            self.shelves.sku_days += 1
            self.shelves.bad_days += any(store.shows[sku] > max(0, there) for store in self.stores.values())

    # ------------------------------------------------------------ the stores' side of a call

    def call_s(self) -> float:
        """How long a call takes this time."""
        return self._of_calls.uniform(*CALL_S)

    def loses_answer(self) -> bool:
        """Whether the answer of this call never comes."""
        return self._of_calls.random() < ANSWER_LOST

    def set(self, name: str, sku: int, quantity: int) -> None:
        """An absolute write, whatever the store shows."""
        self.calls["set"] += 1
        self.stores[name].shows[sku] = max(0, quantity)
