"""Amazon under the contract: our adapter on the fake seller's account."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain import powers
from domain.catalog import ListingId, PlatformName, Sha256, Sku, Store, StoreId
from domain.ports import RestoresImages
from domain.trade import OrderId
from platforms.amazon.adapter import AmazonStore
from platforms.amazon.descriptor import DESCRIPTOR
from platforms.descriptor import Supplies
from platforms.transport import Transports
from tests.fakes.amazon import CLIENT_ID, REFRESH_TOKEN, SELLER, AmazonServer
from tests.fakes.amazon_goods import IMAGES_MOST, MARKETPLACE
from tests.fakes.store_server import SECRET_MARK, Fault
from tests.fakes.store_side import HandTime, MemoryNotes, make_transports
from tests.platforms.fakes import FakeMedia, FakeShelfRows
from tests.platforms.harness import Kind, StoreHarness

STORE = Store(StoreId("amazon-1"), "team-1", PlatformName.AMAZON, "Amazon")
POLLS = "issues,summaries,attributes"
WAITS = {"getReport", "getFeed"}


@dataclass(slots=True)
class NumberedLinks:
    """PictureLinks whose address is another one each time, as one with an end in it is; and the world's way in."""

    media: FakeMedia
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def link(self, name: Sha256) -> str:
        return f"https://packshot.example/media/{next(self._numbers)}/{name}"

    async def fetch(self, address: str) -> bytes | None:
        return self.media.objects.get(Sha256(address.rpartition("/")[2]))


@dataclass(slots=True)
class AmazonHarness:
    """See StoreHarness."""

    server: AmazonServer
    time: HandTime
    transports: Transports
    media: FakeMedia = field(default_factory=FakeMedia)
    notes: MemoryNotes = field(default_factory=MemoryNotes)
    listing_id: ListingId = field(default_factory=lambda: ListingId("MUG-01"))
    sku: Sku = field(default_factory=lambda: Sku("MUG-01"))
    variation_sku: Sku = field(default_factory=lambda: Sku("MUG-01"))
    images_most: int | None = IMAGES_MOST
    more: dict[str, str] = field(default_factory=dict)
    picture: Callable[[str], bytes] = lambda name: b"\xff\xd8" + name.encode()
    links: NumberedLinks = field(init=False)
    platform: AmazonStore = field(init=False)

    def __post_init__(self) -> None:
        self.links = NumberedLinks(self.media)
        self.server.goods.fetch = self.links.fetch
        self.reopen()

    @property
    def calls(self) -> list[str]:
        return [
            seen.operation + (" poll" if seen.query.get("includedData") == POLLS or seen.operation in WAITS else "")
            for seen in self.server.calls
        ]

    def content(self, name: str) -> bytes:
        return self.picture(name)

    def fail(self, fault: Fault, *, at: int = 0) -> None:
        self.server.fail(fault, at=at)

    def forget_faults(self) -> None:
        self.server.forget_faults()

    def reopen(self) -> None:
        given = {
            "marketplace": MARKETPLACE,
            "seller_id": SELLER,
            "refresh_token": REFRESH_TOKEN,
            "client_id": CLIENT_ID,
            "client_secret": SECRET_MARK,
            "api_url": self.server.url,
            "auth_url": f"{self.server.url}/auth/o2/token",
            **self.more,
        }
        settings = DESCRIPTOR.complete(given, {})
        supplies = Supplies(
            self.media, FakeShelfRows(), str, self.transports, self.notes, settings=settings, links=self.links
        )
        opened = DESCRIPTOR.open(STORE, supplies)
        assert isinstance(opened, AmazonStore)
        self.platform = opened

    async def images_at_store(self) -> list[bytes]:
        return self.server.goods.seen_by_buyers(self.listing_id)

    async def change_by_hand(self, position: int) -> None:
        self.server.goods.put_by_hand(self.server.goods.items[self.listing_id], position, b"by hand")

    async def add_twin(self) -> ListingId:
        return self.listing_id

    async def add_listing(self) -> ListingId:
        """One more listing, with one picture; see CrowdedHarness."""
        self.server.admits = None  # the crowd comes on a time of its own, and with limits of its own
        sku = f"CUP-{len(self.server.goods.items):03d}"
        self.server.goods.add_item(sku, "Cup", quantity=1, pictures=[b"\xff\xd8" + sku.encode()])
        return ListingId(sku)

    async def add_skus(self, count: int) -> None:
        """So many more SKUs, all in Amazon's warehouses: the way that takes most calls; see LargeHarness."""
        for number in range(count):
            item = self.server.goods.add_item(f"SKU-{number:05d}", "Cup", quantity=number % 7, pictures=[])
            item.channel = "AMAZON_EU"

    async def delete_listing(self) -> None:
        del self.server.goods.items[self.listing_id]

    async def fill(self) -> None:
        goods = self.server.goods
        for position in range(len(await self.images_at_store()) + 1, IMAGES_MOST + 1):
            goods.put_by_hand(goods.items[self.listing_id], position, b"more %d" % position)

    def refuse_pictures(self, reason: str) -> None:
        self.server.refusal = reason

    def revoke_key(self) -> None:
        self.server.is_revoked = True

    async def stock_at_store(self, sku: Sku) -> int:
        return self.server.goods.items[sku.value].quantity

    async def sell(self, sku: Sku, quantity: int) -> OrderId:
        return OrderId(self.server.goods.sell(sku.value, quantity, self.server.moment()))

    def mails_to_buyers(self) -> int:
        return self.server.goods.mails


@asynccontextmanager
async def open_amazon(*, rewrites: bool = False) -> AsyncIterator[AmazonHarness]:
    """Open the adapter on a fake account with two listings."""
    time = HandTime()
    async with AmazonServer(client_secret=SECRET_MARK, time=time) as server, make_transports(time) as transports:
        goods = server.goods
        goods.rewrites = rewrites
        server.order_page = 2
        pictures = [b"\xff\xd8 old %d" % number for number in range(3)]
        goods.add_item("MUG-01", "Mug", quantity=7, pictures=pictures)
        goods.add_item("BOWL-01", "Bowl", quantity=2, pictures=[])
        yield AmazonHarness(server, time, transports)


@asynccontextmanager
async def _open() -> AsyncIterator[StoreHarness]:
    async with open_amazon() as shop:
        yield shop


AMAZON = Kind(
    "amazon",
    _open,
    powers=frozenset(
        {
            RestoresImages,
            powers.GoesLiveLater,
            powers.RemovesImages,
            powers.ReadsStock,
            powers.SetsStock,
            powers.SetsStockInBulk,
            powers.ReadsOrders,
            powers.ShipsOrders,
            powers.WritesPrices,
            powers.WritesTexts,
        }
    ),
)
