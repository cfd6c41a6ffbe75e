"""WooCommerce under the contract: its adapter on its fake shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain import powers
from domain.catalog import ListingId, PlatformName, Sku, Store, StoreId
from domain.ports import RestoresImages
from domain.trade import OrderId
from platforms.transport import Transports
from platforms.woocommerce.adapter import WooStore
from platforms.woocommerce.api import open_api
from platforms.woocommerce.descriptor import DESCRIPTOR
from tests.fakes.store_server import SECRET_MARK, Fault
from tests.fakes.store_side import HandTime, make_transports
from tests.fakes.woo import USER, WooServer
from tests.fakes.woo_state import Attachment
from tests.platforms.harness import Kind, TradingHarness

STORE = Store(StoreId("woo-1"), "team-1", PlatformName.WOOCOMMERCE, "Teeladen")


@dataclass(slots=True)
class WooHarness:
    """See TradingHarness."""

    server: WooServer
    transports: Transports
    time: HandTime
    product_id: int
    platform: WooStore = field(init=False)
    sku: Sku = field(default_factory=lambda: Sku("MUG-01"))
    variation_sku: Sku = field(default_factory=lambda: Sku("MUG-01-RED"))
    images_most: int | None = None

    def __post_init__(self) -> None:
        self.reopen()

    @property
    def listing_id(self) -> ListingId:
        return ListingId(str(self.product_id))

    @property
    def calls(self) -> list[str]:
        return self.server.operations

    def content(self, name: str) -> bytes:
        return content(name)

    def fail(self, fault: Fault, *, at: int = 0) -> None:
        self.server.fail(fault, at=at)

    def forget_faults(self) -> None:
        self.server.forget_faults()

    def reopen(self) -> None:
        given = {"site": self.server.url, "user": USER, "password": SECRET_MARK}
        settings = DESCRIPTOR.complete(given, {"WOOCOMMERCE_ALLOW_HTTP": "1"})
        self.platform = WooStore(open_api(STORE, self.transports, settings, DESCRIPTOR.secrets(settings)))

    async def images_at_store(self) -> list[bytes]:
        return [one.content for one in self.server.state.gallery(self.product_id)]

    async def change_by_hand(self, position: int) -> None:
        ids = self.server.state.rows[self.product_id]["images"]
        ids[position - 1] = seeded(self.server, "by hand").media_id

    async def add_twin(self) -> ListingId:
        # WooCommerce keeps SKUs unique; shops that were imported or use a plug-in have them twice.
        return ListingId(str(self.server.state.add_product(name="Twin", sku=self.sku.value)))

    async def add_listing(self) -> ListingId:
        picture = seeded(self.server, f"more {len(self.server.state.rows)}")
        return ListingId(str(self.server.state.add_product(name="More", images=[picture.media_id])))

    async def add_skus(self, count: int) -> None:
        """A tenth of the SKUs are variations, five to a product."""
        state, made = self.server.state, 0
        while made < count:
            if made % 50:
                state.add_product(sku=f"S-{made}", manage_stock=True, stock_quantity=made)
                made += 1
                continue
            product = state.add_product(type="variable")
            for form in range(5):
                state.add_variation(product, sku=f"V-{made}-{form}", manage_stock=True, stock_quantity=form)
            made += 5

    async def delete_listing(self) -> None:
        self.server.state.rows[self.product_id]["status"] = "trash"
        for one in self.server.state.variations(self.product_id):
            one["status"] = "trash"

    async def fill(self) -> None:
        """Nothing: a product may have any number of pictures."""

    def refuse_pictures(self, reason: str) -> None:
        self.server.refusal = reason

    def revoke_key(self) -> None:
        self.server.password = "another password"

    async def stock_at_store(self, sku: Sku) -> int:
        row = next(one for one in self.server.state.rows.values() if one["sku"] == sku.value)
        return int(self.server.state.stock_row(row)["stock_quantity"])

    async def sell(self, sku: Sku, quantity: int) -> OrderId:
        return OrderId(str(self.server.state.place_order(sku.value, quantity)))

    def mails_to_buyers(self) -> int:
        return len(self.server.state.mails)


def content(name: str) -> bytes:
    return b"\xff\xd8" + name.encode()


def seeded(server: WooServer, name: str) -> Attachment:
    """Put a picture into the library as the shop's people do."""
    return server.state.add_media(content(name), slug=name, filename=f"{name}.jpg", title=name, alt=name)


def stock(server: WooServer) -> int:
    """Fill the shop with two products, and return the first: a mug in two colours, with three pictures."""
    state = server.state
    pictures = [seeded(server, f"view {number}").media_id for number in range(3)]
    mug = state.add_product(type="variable", name="Tasse &amp; Teller", images=pictures)
    for sku, colour, quantity in (("MUG-01", "Blue", 7), ("MUG-01-RED", "Red", 4)):
        state.add_variation(
            mug, sku=sku, regular_price="18.50", manage_stock=True, stock_quantity=quantity,
            attributes=[{"id": 0, "name": "Colour", "option": colour}],
        )  # fmt: skip
    state.add_product(name="Bowl", sku="BOWL-01", manage_stock=True, stock_quantity=2)
    return mug


@asynccontextmanager
async def open_woo() -> AsyncIterator[TradingHarness]:
    """Open a shop on its fake."""
    time = HandTime()
    async with WooServer() as server, make_transports(time) as transports:
        yield WooHarness(server, transports, time, stock(server))


WOOCOMMERCE = Kind(
    PlatformName.WOOCOMMERCE.value,
    open_woo,
    powers=frozenset(
        {
            RestoresImages,
            powers.WritesAltText,
            powers.RemovesImages,
            powers.ReadsStock,
            powers.SetsStock,
            powers.SetsStockInBulk,
            powers.ReadsOrders,
            powers.ShipsOrders,
            powers.WritesPrices,
            powers.WritesTexts,
            powers.RevokesAccess,
        }
    ),
)
