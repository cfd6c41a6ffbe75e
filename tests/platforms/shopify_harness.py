"""Shopify under the contract: a shop with a mug in two forms and a bowl, and the hands of its outside world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from domain import powers
from domain.catalog import ListingId, PlatformName, Sku, Store, StoreId
from domain.ports import RestoresImages
from domain.trade import OrderId
from platforms.descriptor import Supplies
from platforms.shopify.adapter import ShopifyStore
from platforms.shopify.descriptor import DESCRIPTOR
from platforms.shopify.media import MEDIA_MOST
from platforms.transport import Transports
from tests.fakes.shopify import ShopifyServer
from tests.fakes.shopify_shop import ShopProduct, ShopVariant
from tests.fakes.store_server import SECRET_MARK, Fault
from tests.fakes.store_side import HandTime, MemoryNotes, make_transports
from tests.platforms.fakes import FakeMedia, FakeShelfRows
from tests.platforms.harness import Kind, StoreHarness

STORE = Store(StoreId("shopify-1"), "team-1", PlatformName.SHOPIFY, "Kiln")


@dataclass(slots=True)
class ShopifyHarness:
    """See TradingHarness."""

    server: ShopifyServer
    transports: Transports
    settings: dict[str, str] = field(default_factory=dict)
    platform: ShopifyStore = field(init=False)
    sku: Sku = field(default_factory=lambda: Sku("MUG-01"))
    variation_sku: Sku = field(default_factory=lambda: Sku("MUG-01-RED"))
    images_most: int | None = None
    """250 media a product; test_shopify.py fills one."""

    def __post_init__(self) -> None:
        self._seed()
        self.reopen()

    @property
    def product(self) -> ShopProduct:
        return self.server.goods.products[self.listing_id]

    @property
    def listing_id(self) -> ListingId:
        return ListingId("gid://shopify/Product/11")

    @property
    def calls(self) -> list[str]:
        return self.server.operations

    def content(self, name: str) -> bytes:
        return b"\xff\xd8\xff" + name.encode()

    def fail(self, fault: Fault, *, at: int = 0) -> None:
        self.server.fail(fault, at=at)

    def forget_faults(self) -> None:
        self.server.forget_faults()

    def reopen(self) -> None:
        given = {
            "shop": "kiln.myshopify.com",
            "client_id": self.server.client_id,
            "client_secret": SECRET_MARK,
            "api_url": self.server.url,
            **self.settings,
        }
        settings = DESCRIPTOR.complete(given, {})
        supplies = Supplies(
            media=FakeMedia(),
            shelf_rows=FakeShelfRows(),
            public_url=str,
            transports=self.transports,
            notes=MemoryNotes(),
            settings=settings,
        )
        self.platform = cast(ShopifyStore, DESCRIPTOR.open(STORE, supplies))

    async def images_at_store(self) -> list[bytes]:
        files = [self.server.goods.files[one] for one in self.product.media]
        return [file.content for file in files if file.status == "READY" and file.kind == "MediaImage"]

    async def change_by_hand(self, position: int) -> None:
        self.product.media[position - 1] = self._picture("by hand")

    async def add_twin(self) -> ListingId:
        twin = ShopProduct(13, "Twin", [self._variant(131, self.sku.value)])
        self.server.goods.products[twin.gid] = twin
        return ListingId(twin.gid)

    async def add_listing(self) -> ListingId:
        number = self.server.goods.numbers()
        product = ShopProduct(number, f"Bowl {number}", [self._variant(number, f"BOWL-{number}")])
        product.media = [self._picture(f"bowl {number}")]
        self.server.goods.products[product.gid] = product
        return ListingId(product.gid)

    async def add_skus(self, count: int) -> None:
        """Products with ten forms each."""
        for begin in range(0, count, 10):
            number = self.server.goods.numbers()
            forms = range(begin, min(begin + 10, count))
            variants = [self._variant(self.server.goods.numbers(), f"PLATE-{form}") for form in forms]
            product = ShopProduct(number, f"Plate {number}", variants)
            self.server.goods.products[product.gid] = product

    async def delete_listing(self) -> None:
        del self.server.goods.products[self.listing_id]

    async def fill(self) -> None:
        """Nothing: see images_most."""

    def fill_up(self) -> None:
        """As many media as a product may have."""
        while len(self.product.media) < MEDIA_MOST:
            self.product.media.append(self._picture(f"more {len(self.product.media)}"))

    def refuse_pictures(self, reason: str) -> None:
        self.server.goods.refusal = reason

    def revoke_key(self) -> None:
        self.server.tokens.clear()
        self.server.grant_error = "app_not_installed"

    async def stock_at_store(self, sku: Sku) -> int:
        variant = next(one for one in self.product.variants if one.sku == sku.value)
        return sum(variant.levels.values())

    async def sell(self, sku: Sku, quantity: int) -> OrderId:
        return OrderId(self.server.trade.sell(sku.value, quantity))

    def mails_to_buyers(self) -> int:
        return self.server.trade.mails

    def _seed(self) -> None:
        goods = self.server.goods
        goods.url, self.server.client_secret = self.server.url, SECRET_MARK
        mug = ShopProduct(11, "Mug", [self._variant(111, "MUG-01"), self._variant(112, "MUG-01-RED")])
        bowl = ShopProduct(12, "Bowl", [self._variant(121, "BOWL-01")])
        goods.products = {mug.gid: mug, bowl.gid: bowl}
        mug.media = [self._picture(f"old {number}") for number in range(3)]

    def _picture(self, name: str) -> str:
        return self.server.goods.add_file(self.content(name), filename=f"{name.replace(' ', '-')}.jpg", alt=name).gid

    def _variant(self, number: int, sku: str) -> ShopVariant:
        return ShopVariant(number, sku, sku.rsplit("-", 1)[-1].title(), "18.50", {501: 7})


@asynccontextmanager
async def open_shopify() -> AsyncIterator[StoreHarness]:
    """Open one on a server of its own."""
    time = HandTime()
    async with ShopifyServer(monotonic=time.monotonic) as server, make_transports(time) as transports:
        yield ShopifyHarness(server, transports)


SHOPIFY = Kind(
    "shopify",
    open_shopify,
    powers=frozenset(
        {
            RestoresImages,
            powers.WritesAltText,
            powers.RemovesImages,
            powers.ReadsStock,
            powers.SwapsStock,
            powers.ReadsOrders,
            powers.ShipsOrders,
            powers.WritesPrices,
            powers.WritesTexts,
            powers.RevokesAccess,
        }
    ),
)
