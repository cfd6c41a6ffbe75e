"""Three shops with one mug, as their buyers and sellers see them: what happens there, past every adapter of ours.

The stores are the fakes of tests/fakes behind the real adapters. `Sale` keeps what is true of an order, so that a
test can tell what our ledger should come to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, cast

from domain.catalog import Sku
from domain.ports import StorePlatform
from domain.powers import ReadsOrders, ReadsStock
from domain.stock import LineCounts, WriteWay
from domain.trade import OrderId
from tests.fakes.store_server import StoreServer
from tests.platforms.etsy_harness import EtsyHarness, open_etsy_shop
from tests.platforms.shopify_harness import ShopifyHarness, open_shopify
from tests.platforms.woocommerce_harness import WooHarness, open_woo

MUG = Sku("MUG-01")
Now = Callable[[], datetime]


class Adapter(StorePlatform, ReadsStock, ReadsOrders, Protocol):
    """What every store of the proof can do; writing is `SwapsStock` or `SetsStock`."""


@dataclass(slots=True)
class Sale:
    """What is true of one order of the mug. `at_store`: by how much it changed the store's own number so far."""

    shop: Shop
    order_id: OrderId
    counts: LineCounts
    at_store: int

    @property
    def gone(self) -> int:
        """How many are off the shelf because of it."""
        return self.counts.gone(tells_restock=self.shop.tells_restock)

    @property
    def is_open(self) -> bool:
        return self.counts.cancelled == 0 and self.counts.shipped == 0


class Shop(Protocol):
    """One store, its adapter, and the world's side of it."""

    name: str
    way: WriteWay
    write_operation: str
    tells_restock: bool

    @property
    def platform(self) -> Adapter:
        """The adapter, as it is open now."""
        ...

    @property
    def server(self) -> StoreServer:
        """The store's server, to fail or to be asked in between."""
        ...

    def reopen(self) -> None:
        """Like a new process."""
        ...

    def real(self) -> int:
        """How many buyers can buy."""
        ...

    def set_by_hand(self, quantity: int) -> None:
        """The seller types a number in the store's own pages."""
        ...

    def sell(self, quantity: int) -> Sale:
        """A buyer buys and pays."""
        ...

    def cancel(self, sale: Sale, *, restock: bool) -> None:
        """The order is cancelled before it is sent; the store puts it back on its own number, or does not."""
        ...

    def ship(self, sale: Sale) -> None:
        """The order is sent."""
        ...


@dataclass(slots=True)
class ShopifyShop:
    """See Shop."""

    harness: ShopifyHarness
    now: Now
    name: str = "shopify"
    way: WriteWay = WriteWay.SWAPS
    write_operation: str = "inventory_set_quantities"
    tells_restock: bool = True

    @property
    def platform(self) -> Adapter:
        return self.harness.platform

    @property
    def server(self) -> StoreServer:
        return self.harness.server

    def reopen(self) -> None:
        self.harness.reopen()

    def real(self) -> int:
        return self._levels()[501]

    def set_by_hand(self, quantity: int) -> None:
        self._levels()[501] = quantity

    def sell(self, quantity: int) -> Sale:
        trade = self.harness.server.trade
        trade.now = self.now() - timedelta(minutes=1)
        return Sale(self, OrderId(trade.sell(MUG.value, quantity)), LineCounts(quantity), -quantity)

    def cancel(self, sale: Sale, *, restock: bool) -> None:
        order = self.harness.server.trade.orders[sale.order_id]
        order.cancelled_at = order.changed_at = self.now()
        self._take_back(sale, restock=restock)

    def ship(self, sale: Sale) -> None:
        order = self.harness.server.trade.orders[sale.order_id]
        order.changed_at = self.now()
        order.lines[0].fulfilled = sale.counts.ordered
        sale.counts = sale.counts.join(LineCounts(shipped=sale.counts.ordered))

    def send_back(self, sale: Sale, *, restock: bool) -> None:
        """The buyer returns it, and the seller puts it back on the shelf or does not."""
        self.harness.server.trade.orders[sale.order_id].changed_at = self.now()
        self._take_back(sale, restock=restock)

    def _take_back(self, sale: Sale, *, restock: bool) -> None:
        ordered = sale.counts.ordered
        line = self.harness.server.trade.orders[sale.order_id].lines[0]
        line.removed, line.restocked = ordered, ordered if restock else 0
        if restock:
            self._levels()[501] += ordered
            sale.at_store += ordered
        sale.counts = sale.counts.join(LineCounts(cancelled=ordered, restocked=line.restocked))

    def _levels(self) -> dict[int, int]:
        return next(one for one in self.harness.product.variants if one.sku == MUG.value).levels


@dataclass(slots=True)
class WooShop:
    """See Shop."""

    harness: WooHarness
    now: Now
    name: str = "woo"
    way: WriteWay = WriteWay.SETS
    write_operation: str = "updateProduct"
    tells_restock: bool = False

    @property
    def platform(self) -> Adapter:
        return self.harness.platform

    @property
    def server(self) -> StoreServer:
        return self.harness.server

    def reopen(self) -> None:
        self.harness.reopen()

    def real(self) -> int:
        return int(self._row()["stock_quantity"])

    def set_by_hand(self, quantity: int) -> None:
        self._row()["stock_quantity"] = quantity

    def sell(self, quantity: int) -> Sale:
        self.harness.server.state.now = self.now() - timedelta(seconds=1)
        number = self.harness.server.state.place_order(MUG.value, quantity)
        return Sale(self, OrderId(str(number)), LineCounts(quantity), -quantity)

    def cancel(self, sale: Sale, *, restock: bool) -> None:
        self._change(sale, "cancelled")
        if restock:
            self._row()["stock_quantity"] += sale.counts.ordered
            sale.at_store += sale.counts.ordered
        sale.counts = sale.counts.join(LineCounts(cancelled=sale.counts.ordered))

    def ship(self, sale: Sale) -> None:
        self._change(sale, "completed")
        sale.counts = sale.counts.join(LineCounts(shipped=sale.counts.ordered))

    def _change(self, sale: Sale, status: str) -> None:
        state = self.harness.server.state
        state.now = self.now() - timedelta(seconds=1)
        order = state.orders[int(sale.order_id)]
        order["status"], order["date_modified_gmt"] = status, state.tick()
        order["date_completed_gmt"] = order["date_modified_gmt"] if status == "completed" else None

    def _row(self) -> dict[str, object]:
        state = self.harness.server.state
        return state.stock_row(next(one for one in state.rows.values() if one["sku"] == MUG.value))


@dataclass(slots=True)
class EtsyShop:
    """See Shop."""

    harness: EtsyHarness
    now: Now
    name: str = "etsy"
    way: WriteWay = WriteWay.SETS
    write_operation: str = "updateListingInventory"
    tells_restock: bool = False

    @property
    def platform(self) -> Adapter:
        return self.harness.platform

    @property
    def server(self) -> StoreServer:
        return self.harness.server

    def reopen(self) -> None:
        self.harness.reopen()

    def real(self) -> int:
        return int(self._offering()["quantity"])

    def set_by_hand(self, quantity: int) -> None:
        self._offering()["quantity"] = quantity

    def sell(self, quantity: int) -> Sale:
        number = self.harness.server.goods.sell(MUG.value, quantity, int(self.now().timestamp()))
        return Sale(self, OrderId(str(number)), LineCounts(quantity), -quantity)

    def cancel(self, sale: Sale, *, restock: bool) -> None:
        receipt = self.harness.server.goods.receipts[int(sale.order_id)]
        receipt |= {"status": "canceled", "updated_timestamp": int(self.now().timestamp())}
        if restock:
            self._offering()["quantity"] += sale.counts.ordered
            sale.at_store += sale.counts.ordered
        sale.counts = sale.counts.join(LineCounts(cancelled=sale.counts.ordered))

    def ship(self, sale: Sale) -> None:
        self.harness.server.goods.ship(int(sale.order_id), {}, int(self.now().timestamp()))
        sale.counts = sale.counts.join(LineCounts(shipped=sale.counts.ordered))

    def _offering(self) -> dict[str, int]:
        listing = self.harness.server.goods.listings[int(self.harness.listing_id)]
        found = next(one for one in listing.inventory["products"] if one["sku"] == MUG.value)
        return cast(dict[str, int], found["offerings"][0])


@dataclass(slots=True)
class Shops:
    """All of them, and the moments at which a buyer comes between our look and our write."""

    all: list[Shop]
    between: dict[str, Callable[[], None]] = field(default_factory=dict)

    def named(self, name: str) -> Shop:
        return next(one for one in self.all if one.name == name)

    def come_between(self, shop: Shop, act: Callable[[], None]) -> None:
        """Let somebody act when the store is asked to write, before it does."""

        def admits(operation: str) -> bool:
            if operation == shop.write_operation:
                shop.server.admits = None
                act()
            return True

        shop.server.admits = admits


@asynccontextmanager
async def open_shops(now: Now) -> AsyncIterator[Shops]:
    """Open the three, each on a server of its own."""
    async with AsyncExitStack() as opened:
        shopify = await opened.enter_async_context(open_shopify())
        woo = await opened.enter_async_context(open_woo())
        etsy = await opened.enter_async_context(open_etsy_shop())
        assert isinstance(shopify, ShopifyHarness)
        assert isinstance(woo, WooHarness)
        assert isinstance(etsy, EtsyHarness)
        yield Shops([ShopifyShop(shopify, now), WooShop(woo, now), EtsyShop(etsy, now)])
