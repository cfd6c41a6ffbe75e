"""In-memory rows and media for the stores' tests; they keep the ports' promises and can be told to fail."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.catalog import ImageId, ListingId, Sha256, Sku, StoreId
from domain.errors import Fault, RowChanged, StoreDown
from domain.rows import ShelfImage, ShelfListing, ShelfOrder


class FakeMedia:
    """MediaStorage in a dict."""

    def __init__(self) -> None:
        self.objects: dict[Sha256, bytes] = {}

    async def put(self, content: bytes) -> Sha256:
        name = Sha256(hashlib.sha256(content).hexdigest())
        self.objects[name] = content
        return name

    async def put_all(self, contents: Sequence[bytes]) -> tuple[Sha256, ...]:
        return tuple([await self.put(content) for content in contents])

    async def write(self, content: bytes) -> Sha256:
        return await self.put(content)

    async def get(self, name: Sha256) -> bytes:
        if name not in self.objects:
            raise Fault("media_missing", name)
        return self.objects[name]

    async def delete(self, names: Sequence[Sha256]) -> None:
        for name in names:
            self.objects.pop(name, None)


class FakeShelfRows:
    """ShelfRows in dicts. `lose_answers` writes fail after they happened; `rivals` others write first."""

    def __init__(self) -> None:
        self.stores: dict[StoreId, dict[ListingId, ShelfListing]] = {}
        self.all_images: dict[tuple[StoreId, ListingId], dict[ImageId, ShelfImage]] = {}
        self.sales: list[tuple[StoreId, ShelfOrder]] = []
        self.stock_keys: dict[tuple[ListingId, str], str] = {}
        self.lose_answers = 0
        self.rivals = 0
        self.writes = 0

    def _of(self, store_id: StoreId) -> dict[ListingId, ShelfListing]:
        return self.stores.setdefault(store_id, {})

    async def listings(self, store_id: StoreId, *, after: str = "", limit: int = 50) -> Sequence[ShelfListing]:
        rows = sorted(self._of(store_id).values(), key=lambda row: row.handle)
        return [row for row in rows if row.handle > after][:limit]

    async def by_sku(self, store_id: StoreId, sku: Sku) -> Sequence[ShelfListing]:
        rows = await self.listings(store_id, limit=10_000)
        return [row for row in rows if any(variant.sku.key == sku.key for variant in row.variants)]

    async def listing(self, store_id: StoreId, listing_id: ListingId) -> ShelfListing | None:
        return self._of(store_id).get(listing_id)

    async def add_listing(self, store_id: StoreId, listing: ShelfListing) -> bool:
        if any(row.handle == listing.handle for row in self._of(store_id).values()):
            return False
        self._of(store_id)[listing.listing_id] = listing
        self._remember(store_id, listing.listing_id, listing.images)
        return True

    async def set_images(
        self, store_id: StoreId, listing_id: ListingId, images: Sequence[ShelfImage], *, was_version: int
    ) -> None:
        row = self._of(store_id)[listing_id]
        if self.rivals:
            self.rivals -= 1
            row = self._of(store_id)[listing_id] = replace(row, version=row.version + 1)
        if row.version != was_version:
            raise RowChanged(f"listing {listing_id}", was=str(was_version))
        self._of(store_id)[listing_id] = replace(row, images=tuple(images), version=was_version + 1)
        self._remember(store_id, listing_id, images)
        self.writes += 1
        if self.lose_answers:
            self.lose_answers -= 1
            raise StoreDown("the process died after the write", store=store_id)

    async def detached(self, store_id: StoreId, listing_id: ListingId, image_id: ImageId) -> ShelfImage | None:
        return self.all_images.get((store_id, listing_id), {}).get(image_id)

    async def made_for(self, store_id: StoreId, listing_id: ListingId, key: str) -> ShelfImage | None:
        images = self.all_images.get((store_id, listing_id), {}).values()
        return next((image for image in images if image.made_for == key), None)

    async def sell(self, store_id: StoreId, sku: Sku, quantity: int, *, now: datetime) -> ShelfOrder | None:
        for row in await self.by_sku(store_id, sku):
            for index, variant in enumerate(row.variants):
                if variant.sku.key == sku.key and variant.quantity >= quantity:
                    left = replace(variant, quantity=variant.quantity - quantity)
                    variants = (*row.variants[:index], left, *row.variants[index + 1 :])
                    self._of(store_id)[row.listing_id] = replace(row, variants=variants, version=row.version + 1)
                    order = ShelfOrder(f"order-{len(self.sales) + 1}", variant.sku, quantity, now)
                    self.sales.append((store_id, order))
                    return order
        return None

    async def orders(
        self, store_id: StoreId, *, since: datetime, after_id: str = "", limit: int | None = None
    ) -> Sequence[ShelfOrder]:
        found = [
            order
            for owner, order in self.sales
            if owner == store_id and (order.ordered_at, order.order_id) > (since, after_id)
        ]
        return sorted(found, key=lambda order: (order.ordered_at, order.order_id))[:limit]

    async def order(self, store_id: StoreId, order_id: str) -> ShelfOrder | None:
        return next((one for owner, one in self.sales if owner == store_id and one.order_id == order_id), None)

    async def set_quantity(
        self, store_id: StoreId, listing_id: ListingId, sku: Sku, *, was: int | None, quantity: int, key: str
    ) -> tuple[bool, int] | None:
        row = self._of(store_id).get(listing_id)
        variant = next((one for one in row.variants if one.sku.key == sku.key), None) if row else None
        if row is None or variant is None:
            return None
        if self.stock_keys.get((listing_id, sku.key)) == key or variant.quantity == quantity:
            return True, variant.quantity
        if was is not None and variant.quantity != was:
            return False, variant.quantity
        variants = tuple(replace(one, quantity=quantity) if one is variant else one for one in row.variants)
        self._of(store_id)[listing_id] = replace(row, variants=variants, version=row.version + 1)
        self.stock_keys[listing_id, sku.key] = key
        return True, quantity

    def _remember(self, store_id: StoreId, listing_id: ListingId, images: Sequence[ShelfImage]) -> None:
        self.all_images.setdefault((store_id, listing_id), {}).update({image.image_id: image for image in images})
