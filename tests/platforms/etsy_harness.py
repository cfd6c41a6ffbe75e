"""Etsy under the contract: our adapter on the fake shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain import powers
from domain.catalog import ListingId, PlatformName, Sku, Store, StoreId
from domain.ports import RestoresImages
from domain.trade import OrderId
from platforms.etsy.adapter import EtsyStore
from platforms.etsy.api import open_api
from platforms.etsy.descriptor import DESCRIPTOR
from platforms.transport import Transports
from tests.fakes.etsy import FIRST_REFRESH, KEYSTRING, SHARED_SECRET, EtsyServer
from tests.fakes.etsy_goods import IMAGES_MOST, product
from tests.fakes.store_server import SECRET_MARK, Fault
from tests.fakes.store_side import HandTime, MemoryNotes, MemoryTokens, make_transports
from tests.platforms.harness import Kind, StoreHarness

STORE = Store(StoreId("etsy-1"), "team-1", PlatformName.ETSY, "Etsy")
COLOUR = 200


@dataclass(slots=True)
class EtsyHarness:
    """See StoreHarness."""

    server: EtsyServer
    time: HandTime
    transports: Transports
    listing_id: ListingId
    notes: MemoryNotes = field(default_factory=MemoryNotes)
    sku: Sku = field(default_factory=lambda: Sku("MUG-01"))
    variation_sku: Sku = field(default_factory=lambda: Sku("MUG-01-RED"))
    images_most: int | None = IMAGES_MOST
    platform: EtsyStore = field(init=False)

    def __post_init__(self) -> None:
        self.reopen()

    @property
    def calls(self) -> list[str]:
        return self.server.operations

    def content(self, name: str) -> bytes:
        return b"\xff\xd8" + name.encode()

    def fail(self, fault: Fault, *, at: int = 0) -> None:
        self.server.fail(fault, at=at)

    def forget_faults(self) -> None:
        self.server.forget_faults()

    def reopen(self) -> None:
        kept = self.transports.tokens
        assert isinstance(kept, MemoryTokens)
        # What was typed is used up after the first renewal, and only what is kept is good from then on.
        refresh = FIRST_REFRESH if STORE.store_id in kept.kept else self.server.refresh_token
        given = {"keystring": KEYSTRING, "shared_secret": SHARED_SECRET, "refresh_token": refresh}
        settings = DESCRIPTOR.complete({**given, "api_url": self.server.url}, {})
        secrets = (*DESCRIPTOR.secrets(settings), SECRET_MARK)
        self.platform = EtsyStore(open_api(STORE, self.transports, self.notes, settings, secrets))

    async def images_at_store(self) -> list[bytes]:
        goods = self.server.goods
        return [goods.pictures[number] for number in goods.listings[int(self.listing_id)].images]

    async def change_by_hand(self, position: int) -> None:
        goods = self.server.goods
        goods.listings[int(self.listing_id)].images[position - 1] = goods.add_picture(b"by hand", "by hand")

    async def add_twin(self) -> ListingId:
        twin = self.server.goods.add_listing("Twin", [product("MUG-01", 5, 1)])
        return ListingId(str(twin.listing_id))

    async def delete_listing(self) -> None:
        del self.server.goods.listings[int(self.listing_id)]

    async def fill(self) -> None:
        images = self.server.goods.listings[int(self.listing_id)].images
        while len(images) < IMAGES_MOST:
            images.append(self.server.goods.add_picture(b"more %d" % len(images)))

    def refuse_pictures(self, reason: str) -> None:
        self.server.refusal = reason

    def revoke_key(self) -> None:
        self.server.is_revoked = True

    async def add_listing(self) -> ListingId:
        goods = self.server.goods
        listing = goods.add_listing("Another mug", [product(f"MORE-{len(goods.listings)}", 5, 1)])
        listing.images = [goods.add_picture(b"\xff\xd8one more", "")]
        return ListingId(str(listing.listing_id))

    async def add_skus(self, count: int) -> None:
        for number in range(count):
            self.server.goods.add_listing(f"Mug {number}", [product(f"M-{number}", 5, 3)])

    async def stock_at_store(self, sku: Sku) -> int:
        return sum(
            offering["quantity"]
            for listing in self.server.goods.listings.values()
            for one in listing.inventory["products"]
            if one["sku"] == sku.value
            for offering in one["offerings"]
        )

    async def sell(self, sku: Sku, quantity: int) -> OrderId:
        return OrderId(str(self.server.goods.sell(sku.value, quantity, int(self.time.now().timestamp()))))

    def mails_to_buyers(self) -> int:
        return self.server.goods.mails


@asynccontextmanager
async def open_etsy_shop() -> AsyncIterator[EtsyHarness]:
    """Open a shop with a mug in two colours and a bowl."""
    time = HandTime()
    async with EtsyServer(time=time) as server, make_transports(time) as transports:
        mug = server.goods.add_listing(
            "Mug",
            [
                product("MUG-01", 18.50, 7, (COLOUR, "Colour", 1, "Blue")),
                product("MUG-01-RED", 19.50, 4, (COLOUR, "Colour", 2, "Red")),
            ],
            on=(COLOUR,),
        )
        mug.images = [server.goods.add_picture(b"\xff\xd8old %d" % n, f"view {n}") for n in range(3)]
        server.goods.add_listing("Bowl", [product("BOWL-01", 9, 2)])
        shop = EtsyHarness(server, time, transports, ListingId(str(mug.listing_id)))
        # A store is kept only once it was asked who we are; its number is noted since.
        await shop.platform.check()
        server.calls.clear()
        yield shop


@asynccontextmanager
async def open_etsy() -> AsyncIterator[StoreHarness]:
    """Open it for the contract."""
    async with open_etsy_shop() as shop:
        yield shop


ETSY = Kind(
    "etsy",
    open_etsy,
    powers=frozenset(
        {
            RestoresImages,
            powers.WritesAltText,
            powers.RemovesImages,
            powers.ReadsStock,
            powers.SetsStock,
            powers.ReadsOrders,
            powers.ShipsOrders,
            powers.WritesPrices,
            powers.WritesTexts,
        }
    ),
)
