"""The built-in store under the contract: its rows are its wire, so calls and faults are theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from domain import powers
from domain.catalog import ImageId, ListingId, PlatformName, Sku, Store, StoreId
from domain.errors import RejectedByStore, StoreDown
from domain.ports import RestoresImages
from domain.rows import ShelfImage, ShelfListing, ShelfRows, ShelfVariant
from domain.trade import OrderId
from platforms.shelf.adapter import IMAGES_MOST, ShelfStore
from tests.fakes.store_server import Fault
from tests.platforms.fakes import FakeMedia, FakeShelfRows
from tests.platforms.harness import Kind, StoreHarness

STORE = Store(StoreId("store-1"), "team-1", PlatformName.SHELF, "Shelf")
LISTING = ListingId("listing-1")


def content(key: str) -> bytes:
    return b"\xff\xd8" + key.encode()


@dataclass(slots=True)
class WiredRows:
    """ShelfRows whose calls are logged and can be cut off before they act, or after."""

    rows: ShelfRows
    calls: list[str] = field(default_factory=list)
    plans: list[list[Any]] = field(default_factory=list)
    refusal: str = ""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            fault = self._due()
            if fault is Fault.CUT:
                raise StoreDown("the process died before it", store=STORE.name)
            if name == "set_images" and self.refusal:
                reason, self.refusal = self.refusal, ""
                raise RejectedByStore(reason, store=STORE.name, field="content")
            answer = await getattr(self.rows, name)(*args, **kwargs)
            if fault is Fault.LOST:
                raise StoreDown("the process died after it", store=STORE.name)
            return answer

        return call

    def _due(self) -> Fault | None:
        for plan in list(self.plans):
            if plan[1] == 0:
                self.plans.remove(plan)
                return Fault(plan[0])
            plan[1] -= 1
        return None


@dataclass(slots=True)
class ShelfHarness:
    """See StoreHarness."""

    rows: ShelfRows
    media: FakeMedia
    wired: WiredRows
    platform: ShelfStore
    listing_id: ListingId = LISTING
    sku: Sku = field(default_factory=lambda: Sku("MUG-01"))
    variation_sku: Sku = field(default_factory=lambda: Sku("MUG-01-RED"))
    images_most: int | None = IMAGES_MOST

    @property
    def calls(self) -> list[str]:
        return self.wired.calls

    def content(self, name: str) -> bytes:
        return content(name)

    def fail(self, fault: Fault, *, at: int = 0) -> None:
        self.wired.plans.append([fault, at])

    def forget_faults(self) -> None:
        self.wired.plans.clear()

    def reopen(self) -> None:
        self.platform = opened(self.wired, self.media)

    async def images_at_store(self) -> list[bytes]:
        return [self.media.objects[image.photo] for image in (await self._listing()).images]

    async def change_by_hand(self, position: int) -> None:
        listing = await self._listing()
        images = list(listing.images)
        photo = await self.media.put(content("by hand"))
        images[position - 1] = ShelfImage(ImageId("by-hand"), photo, "image/jpeg", "", "")
        await self._set(listing, images)

    async def add_twin(self) -> ListingId:
        twin = ShelfListing(ListingId("twin"), "Twin", "twin", "", (ShelfVariant(self.sku, "", 1, 1),), (), 1)
        assert await self.rows.add_listing(STORE.store_id, twin)
        return twin.listing_id

    async def delete_listing(self) -> None:
        assert isinstance(self.rows, FakeShelfRows)
        del self.rows.stores[STORE.store_id][LISTING]

    async def fill(self) -> None:
        listing = await self._listing()
        images = list(listing.images)
        for number in range(len(images), IMAGES_MOST):
            photo = await self.media.put(content(f"more {number}"))
            images.append(ShelfImage(ImageId(f"more-{number}"), photo, "image/jpeg", "", ""))
        await self._set(listing, images)

    def refuse_pictures(self, reason: str) -> None:
        self.wired.refusal = reason

    async def stock_at_store(self, sku: Sku) -> int:
        listing = await self._listing()
        return next(variant.quantity for variant in listing.variants if variant.sku.key == sku.key)

    async def sell(self, sku: Sku, quantity: int) -> OrderId:
        sold = await self.rows.sell(STORE.store_id, sku, quantity, now=datetime(2026, 11, 24, 12, tzinfo=UTC))
        assert sold is not None
        return OrderId(sold.order_id)

    def mails_to_buyers(self) -> int:
        raise AssertionError("the shelf writes to nobody")

    def revoke_key(self) -> None:
        raise AssertionError("the shelf has no key")

    async def _listing(self) -> ShelfListing:
        listing = await self.rows.listing(STORE.store_id, LISTING)
        assert listing is not None
        return listing

    async def _set(self, listing: ShelfListing, images: list[ShelfImage]) -> None:
        await self.rows.set_images(STORE.store_id, LISTING, images, was_version=listing.version)


def opened(rows: WiredRows | ShelfRows, media: FakeMedia) -> ShelfStore:
    """Return the adapter on these rows."""
    return ShelfStore(STORE, rows, media, public_url=lambda path: f"https://shop.example{path}")  # type: ignore[arg-type]


async def stocked(rows: ShelfRows, *, image_count: int = 3) -> ShelfHarness:
    """Seed two listings, and open."""
    media = FakeMedia()
    images = [
        ShelfImage(ImageId(f"old-{n}"), await media.put(content(f"old {n}")), "image/jpeg", f"view {n}", "")
        for n in range(image_count)
    ]
    blue = ShelfVariant(Sku("MUG-01"), "Blue", 1850, 7)
    red = replace(blue, sku=Sku("MUG-01-RED"), title="Red")
    mug = ShelfListing(LISTING, "Mug", "mug", "A mug.", (blue, red), tuple(images), 1)
    bowl = ShelfListing(ListingId("listing-2"), "Bowl", "bowl", "", (ShelfVariant(Sku("BOWL-01"), "", 900, 2),), (), 1)
    for listing in (mug, bowl):
        assert await rows.add_listing(STORE.store_id, listing)
    wired = WiredRows(rows)
    return ShelfHarness(rows, media, wired, opened(wired, media))


@asynccontextmanager
async def open_shelf() -> AsyncIterator[StoreHarness]:
    """Open one on rows in memory."""
    yield await stocked(FakeShelfRows())


SHELF = Kind(
    "shelf",
    open_shelf,
    faults=frozenset({Fault.CUT, Fault.LOST}),
    powers=frozenset({RestoresImages, powers.ReadsStock, powers.SwapsStock, powers.ReadsOrders}),
)
