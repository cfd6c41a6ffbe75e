"""How stock is mostly kept in step, for benchmarks/oversell.py to measure beside the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from benchmarks.oversell_world import FIRST_STOCK, SoldLine, World

POLL_EVERY_S: Final = 900.0


@dataclass(slots=True)
class Naive:
    """A number a SKU, changed by what is heard, and written to the stores whatever they show.

    `hears`: by webhooks, else by polling. `forgets_doubles`: an order counts once. `spares_origin`: the store that
    sold it has changed its own number already.
    """

    world: World
    hears: bool
    forgets_doubles: bool
    spares_origin: bool
    on_hand: list[int] = field(init=False)
    _known: set[int] = field(default_factory=set)
    _read_up_to: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.on_hand = [FIRST_STOCK] * self.world.scale.skus

    async def begin(self) -> None:
        """Begin to hear or to poll."""
        self.world.begin(self._hook, self._received)
        if not self.hears:
            self.world.after(POLL_EVERY_S, self._poll)

    async def rest(self) -> None:
        """Nobody buys any more: one more poll, where there is one; what was not heard stays unheard."""
        if not self.hears:
            await self._poll()
            await self.world.run(self.world.now + 60.0)

    async def known(self) -> list[int]:
        """Return what it believes to be on hand."""
        return self.on_hand

    async def _hook(self, line: SoldLine) -> None:
        if not self.hears or (self.forgets_doubles and line.number in self._known):
            return
        self._known.add(line.number)
        self.on_hand[line.sku] -= line.quantity
        self._write(line.sku, spare=line.store if self.spares_origin else "")

    async def _received(self, sku: int, quantity: int) -> None:
        self.on_hand[sku] += quantity
        self._write(sku)

    async def _poll(self) -> None:
        touched: set[int] = set()
        for store in self.world.stores.values():
            begin = self._read_up_to.get(store.name, 0)
            for line in store.orders[begin:]:
                self.on_hand[line.sku] -= line.quantity
                touched.add(line.sku)
            self._read_up_to[store.name] = len(store.orders)
        for sku in touched:
            self._write(sku)
        if self.world.now < self.world.end_s:
            self.world.after(POLL_EVERY_S, self._poll)

    def _write(self, sku: int, *, spare: str = "") -> None:
        quantity = self.on_hand[sku]
        for name in self.world.stores:
            if name == spare:
                continue

            async def write(name: str = name) -> None:
                self.world.set(name, sku, quantity)

            self.world.after(self.world.call_s(), write)
