"""What the contract suite asks of an adapter's test side: a store with its outside world, opened afresh for each rule.

To bring an adapter under the contract: write `tests/platforms/<name>_harness.py` with a class that keeps
`StoreHarness` (and `TradingHarness` where the adapter has those powers) on the store's fake server, and add one
line to `tests/platforms/harnesses.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from domain.catalog import ListingId, Sku
from domain.ports import RestoresImages, StorePlatform
from domain.trade import OrderId
from platforms.transport import Transports
from tests.fakes.store_server import Fault, StoreServer


class UndoableStore(StorePlatform, RestoresImages, Protocol):
    """A store that can also put back."""


class StoreHarness(Protocol):
    """One store, seeded with two listings; the first has `sku` and exactly three distinct pictures.

    What is named `…_at_store` is the server's own truth, read past the adapter.
    """

    @property
    def platform(self) -> UndoableStore:
        """The adapter under test; `reopen` makes another one."""
        ...

    @property
    def listing_id(self) -> ListingId:
        """The seeded listing."""
        ...

    @property
    def sku(self) -> Sku:
        """Sold by the seeded listing and by no other."""
        ...

    @property
    def variation_sku(self) -> Sku:
        """The SKU of a second form of the seeded listing; `sku` itself where the platform has no forms."""
        ...

    @property
    def images_most(self) -> int | None:
        """How many pictures a listing may have, None where the store has no limit worth testing."""
        ...

    @property
    def calls(self) -> Sequence[str]:
        """The operations asked of the store so far, by the vendor's names, token calls included."""
        ...

    def content(self, name: str) -> bytes:
        """Return picture bytes the store takes; other bytes for another name."""
        ...

    def fail(self, fault: Fault, *, at: int = 0) -> None:
        """Make the call number `at` from now go wrong once."""
        ...

    def forget_faults(self) -> None:
        """Work well from now on."""
        ...

    def reopen(self) -> None:
        """Like a new process: another adapter, with what is durable and nothing else."""
        ...

    async def images_at_store(self) -> list[bytes]:
        """Return what buyers of the seeded listing see, in order."""
        ...

    async def change_by_hand(self, position: int) -> None:
        """Somebody puts another picture at a 1-based position, past our back."""
        ...

    async def add_twin(self) -> ListingId:
        """A second listing begins to sell `sku`. Where SKUs are unique: return the seeded one, and change nothing."""
        ...

    async def delete_listing(self) -> None:
        """Somebody deletes the seeded listing."""
        ...

    async def fill(self) -> None:
        """The seeded listing gets as many pictures as `images_most`; nothing where that is None."""
        ...

    def refuse_pictures(self, reason: str) -> None:
        """The store refuses the next picture, whatever it is, and says why."""
        ...

    def revoke_key(self) -> None:
        """The seller takes our key away: nothing of it is accepted, nor renewed."""
        ...


class TradingHarness(StoreHarness, Protocol):
    """The outside world of an adapter with stock or orders."""

    async def stock_at_store(self, sku: Sku) -> int:
        """Return how many of a SKU can be bought."""
        ...

    async def sell(self, sku: Sku, quantity: int) -> OrderId:
        """A buyer orders and pays; the stock falls by as much."""
        ...

    def mails_to_buyers(self) -> int:
        """How often a buyer was written to about a shipment."""
        ...


@runtime_checkable
class CrowdedHarness(StoreHarness, Protocol):
    """A harness on a server of its own, for which many publish at once (benchmarks/calls.py)."""

    server: StoreServer
    transports: Transports
    """What `reopen` opens with."""

    async def add_listing(self) -> ListingId:
        """One more listing, with one picture."""
        ...


@runtime_checkable
class LargeHarness(StoreHarness, Protocol):
    """A harness whose store can be made large (benchmarks/calls.py)."""

    async def add_skus(self, count: int) -> None:
        """So many more SKUs with a quantity each, in products and variations as such a store has them."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One adapter under the contract. `faults` it can play; `powers` it claims, which is checked against the adapter."""

    name: str
    open: Callable[[], AbstractAsyncContextManager[StoreHarness]]
    faults: frozenset[Fault] = field(default_factory=lambda: frozenset(Fault))
    powers: frozenset[type[object]] = frozenset({RestoresImages})
