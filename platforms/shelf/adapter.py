"""The built-in store behind the port every store has.

A change of a listing's pictures is one compare-and-set of the whole ordered list, so a crash leaves
either the old list or the new one. What makes publishing find-or-create is the image's id: it is
derived from the publish key, so the same request can only ever name the same image.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final
from urllib.parse import quote, unquote

from domain.catalog import (
    ImageId,
    Listing,
    ListingId,
    ListingImage,
    ListingPage,
    Sku,
    Store,
    Variant,
)
from domain.connection import StoreHealth
from domain.errors import ChangedMeanwhile, NotFound, RejectedByStore, RowChanged, StoreDown
from domain.picture_ports import MediaStorage
from domain.ports import PublishRequest, RestoreRequest
from domain.rows import ShelfImage, ShelfListing, ShelfRows
from domain.trade import Order, OrderId, OrderPage, StockLevel, StockWrite
from platforms.shelf import trade
from platforms.shelf.picture import RULES

CURRENCY: Final = "EUR"
IMAGES_MOST: Final = 20
"""Pictures per listing, as on Etsy."""
CONTENT_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp"})
WRITE_TRIES: Final = 5
"""A lost compare-and-set means that another write got through; five lost in a row is a busy shop."""

_IMAGE_PATH = re.compile(r"/shelf/images/([^/?#]+)/([^/?#]+)$")


class ShelfStore:
    """One built-in store, opened: implements StorePlatform, RestoresImages, and what it can of stock and orders."""

    def __init__(self, store: Store, rows: ShelfRows, media: MediaStorage, *, public_url: Callable[[str], str]) -> None:
        """`public_url` turns a path like `/shelf/images/…` into what a buyer's browser can open."""
        self.store = store
        self._rows = rows
        self._media = media
        self._public_url = public_url

    async def check(self) -> StoreHealth:
        """Return its own name and size: the shelf is always open, and to us only."""
        count, cursor = 0, None
        while True:
            page = await self.list_products(cursor=cursor, limit=500)
            count, cursor = count + len(page.listings), page.next_cursor
            if cursor is None:
                return StoreHealth(self.store.name, count, self._public_url("/shelf"))

    async def find_listings(self, sku: Sku) -> Sequence[Listing]:
        """Return every listing with a variant of this SKU."""
        return [self._listing(row) for row in await self._rows.by_sku(self.store.store_id, sku)]

    async def list_products(self, *, cursor: str | None = None, limit: int = 50) -> ListingPage:
        """Return a page by handle; the cursor is the last handle seen."""
        found = await self._rows.listings(self.store.store_id, after=cursor or "", limit=limit + 1)
        page = found[:limit]
        has_more = len(found) > limit
        return ListingPage(tuple(self._listing(row) for row in page), page[-1].handle if has_more else None)

    async def read_images(self, listing_id: ListingId) -> tuple[ListingImage, ...]:
        """Return the pictures in order. Raises NotFound."""
        return self._images(await self._load(listing_id))

    async def fetch_image(self, image: ListingImage) -> bytes:
        """Return the bytes straight from the media storage. Raises NotFound for another host's image."""
        listing_id, image_id = _ids_in(image.url)
        row = None
        if listing_id is not None and image_id == image.image_id:
            row = await self._rows.detached(self.store.store_id, listing_id, image.image_id)
        if row is None:
            raise NotFound(f"The picture {image.image_id} is not on {self.store.name}.", store=self.store.name)
        return await self._media.get(row.photo)

    async def find_published(self, key: str, listing_id: ListingId) -> ListingImage | None:
        """Return the image of this key where it is shown now; a detached one counts as none."""
        listing = await self._load(listing_id)
        return self._shown(listing, _image_id_for(self.store, listing_id, key))

    async def publish_image(self, request: PublishRequest) -> ListingImage:
        """Put the picture at its position; a position beyond the end appends.

        Raises RejectedByStore(field="position") when another image than `replaces` stands there.
        """
        self._check(request)
        photo = await self._media.put(request.content)
        ours = ShelfImage(
            image_id=_image_id_for(self.store, request.listing_id, request.key),
            photo=photo,
            content_type=request.content_type,
            alt=request.alt,
            made_for=request.key,
        )
        for _ in range(WRITE_TRIES):
            listing = await self._load(request.listing_id)
            if shown := self._shown(listing, ours.image_id):
                return shown
            # Made by an earlier call and detached since: the same image goes back, not a copy of it.
            made = await self._rows.made_for(self.store.store_id, request.listing_id, request.key)
            images = self._with_ours(listing, made or ours, request)
            if await self._write(listing, images):
                return self._image(listing, images.index(made or ours) + 1, made or ours)
        raise self._busy()

    async def restore_image(self, request: RestoreRequest) -> ListingImage | None:
        """Put the original back where ours stands, in one step; None when nothing stood there."""
        for _ in range(WRITE_TRIES):
            listing = await self._load(request.listing_id)
            standing = _at(listing.images, request.position)
            is_shown = any(image.image_id == request.ours for image in listing.images)
            if not is_shown and (standing.image_id if standing else None) == request.original:
                return self._image(listing, request.position, standing) if standing else None
            images = await self._with_original(listing, request)
            if await self._write(listing, images):
                return self._shown(listing, request.original, among=images) if request.original else None
        raise self._busy()

    async def read_stock(self, skus: Sequence[Sku]) -> Sequence[StockLevel]:
        """Return the levels of these SKUs."""
        return await trade.read(self._rows, self.store, skus)

    async def read_all_stock(self) -> Sequence[StockLevel]:
        """Return every level."""
        return await trade.read_all(self._rows, self.store)

    async def swap_stock(self, write: StockWrite) -> StockLevel:
        """Compare and set one level."""
        return await trade.swap(self._rows, self.store, write)

    async def orders_since(self, since: datetime, *, cursor: str | None = None) -> OrderPage:
        """Return a page of orders; one on the shelf never changes."""
        return await trade.orders_since(self._rows, self.store, since, cursor)

    async def read_order(self, order_id: OrderId) -> Order:
        """Return one order. Raises NotFound."""
        return await trade.read_order(self._rows, self.store, order_id)

    def _with_ours(self, listing: ShelfListing, ours: ShelfImage, request: PublishRequest) -> list[ShelfImage]:
        standing = _at(listing.images, request.position)
        if (standing.image_id if standing else None) != request.replaces:
            raise RejectedByStore(
                f"The picture at position {request.position} of “{listing.title}” changed while yours was made: "
                "look at the listing, then try again.",
                store=self.store.name,
                field="position",
            )
        images = list(listing.images)
        if standing is not None:
            images[request.position - 1] = ours
        elif len(images) < IMAGES_MOST:
            images.append(ours)
        else:
            raise RejectedByStore(
                f"“{listing.title}” has {len(images)} pictures already, the most a listing can have.",
                store=self.store.name,
                field="images",
            )
        return images

    async def _with_original(self, listing: ShelfListing, request: RestoreRequest) -> list[ShelfImage]:
        """Return the list with the original instead of ours. Raises ChangedMeanwhile."""
        images = list(listing.images)
        index = next((i for i, image in enumerate(images) if image.image_id == request.ours), None)
        # Published beyond the end it was appended, so it may stand before its position.
        was_appended = request.original is None and _at(images, request.position) is None
        stands_twice = any(image.image_id == request.original for image in images)
        if index is None or stands_twice or not (index == request.position - 1 or was_appended):
            sku = listing.variants[0].sku.value if listing.variants else listing.title
            raise ChangedMeanwhile(store=self.store.name, sku=sku)
        images[index : index + 1] = [] if request.original is None else [await self._original(listing, request)]
        return images

    async def _original(self, listing: ShelfListing, request: RestoreRequest) -> ShelfImage:
        """Return the detached image; the kept bytes are laid down again in case they were swept."""
        assert request.original is not None
        if request.original_content is not None:
            await self._media.put(request.original_content)
        image = await self._rows.detached(self.store.store_id, listing.listing_id, request.original)
        if image is None:
            raise NotFound(f"The picture that stood there is gone from {self.store.name}.", store=self.store.name)
        return image

    async def _write(self, listing: ShelfListing, images: Sequence[ShelfImage]) -> bool:
        try:
            await self._rows.set_images(self.store.store_id, listing.listing_id, images, was_version=listing.version)
        except RowChanged:
            return False
        return True

    async def _load(self, listing_id: ListingId) -> ShelfListing:
        listing = await self._rows.listing(self.store.store_id, listing_id)
        if listing is None:
            raise NotFound(f"The listing {listing_id} is not on {self.store.name}.", store=self.store.name)
        return listing

    def _check(self, request: PublishRequest) -> None:
        problem = ""
        if request.position < 1:
            field, problem = "position", f"There is no position {request.position}: the main picture is 1."
        elif request.content_type not in CONTENT_TYPES:
            field, problem = "content_type", f"{request.content_type} is no picture the shelf can show."
        elif not 0 < len(request.content) <= RULES.max_bytes:
            field, problem = "content", f"A picture has 1 to {RULES.max_bytes:,} bytes, not {len(request.content):,}."
        if problem:
            raise RejectedByStore(problem, store=self.store.name, field=field)

    def _busy(self) -> StoreDown:
        return StoreDown(f"{self.store.name} changed {WRITE_TRIES} times while I wrote.", store=self.store.name)

    def _shown(
        self, listing: ShelfListing, image_id: ImageId, *, among: Sequence[ShelfImage] | None = None
    ) -> ListingImage | None:
        images = listing.images if among is None else among
        numbered = enumerate(images, start=1)
        return next((self._image(listing, n, image) for n, image in numbered if image.image_id == image_id), None)

    def _listing(self, row: ShelfListing) -> Listing:
        return Listing(
            store_id=self.store.store_id,
            listing_id=row.listing_id,
            title=row.title,
            url=self._public_url(product_path(row)),
            variants=tuple(
                Variant(v.sku, v.title, Decimal(v.price_cents) / 100, CURRENCY, v.quantity) for v in row.variants
            ),
            images=self._images(row),
        )

    def _images(self, row: ShelfListing) -> tuple[ListingImage, ...]:
        return tuple(self._image(row, position, image) for position, image in enumerate(row.images, start=1))

    def _image(self, row: ShelfListing, position: int, image: ShelfImage) -> ListingImage:
        return ListingImage(image.image_id, position, self._public_url(image_path(row, image)), image.alt)


def product_path(listing: ShelfListing) -> str:
    """Return where the storefront shows a product."""
    return f"/shelf/products/{quote(listing.handle, safe='')}"


def image_path(listing: ShelfListing, image: ShelfImage) -> str:
    """Return where the storefront serves an image; it names the listing, since rows are found by it."""
    return f"/shelf/images/{quote(listing.listing_id, safe='')}/{quote(image.image_id, safe='')}"


def _ids_in(url: str) -> tuple[ListingId | None, ImageId | None]:
    match = _IMAGE_PATH.search(url)
    if match is None:
        return None, None
    return ListingId(unquote(match[1])), ImageId(unquote(match[2]))


def _at(images: Sequence[ShelfImage], position: int) -> ShelfImage | None:
    return images[position - 1] if 1 <= position <= len(images) else None


def _image_id_for(store: Store, listing_id: ListingId, key: str) -> ImageId:
    named = "\n".join((store.store_id, listing_id, key))
    return ImageId(f"img_{hashlib.sha256(named.encode()).hexdigest()[:24]}")
