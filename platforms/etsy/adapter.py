"""An Etsy shop behind the ports: each method's work is done in the file of its subject."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Sequence
from datetime import datetime

from domain.catalog import ImageId, Listing, ListingId, ListingImage, ListingPage, Sku, Store
from domain.connection import StoreHealth
from domain.errors import RejectedByStore
from domain.ports import PublishRequest, RestoreRequest
from domain.trade import Order, OrderId, OrderPage, PriceWrite, Shipment, StockLevel, StockWrite, TextWrite
from platforms.etsy import listings, orders, pictures, stock
from platforms.etsy.api import EtsyApi
from platforms.etsy.features import ORDER_SCOPES, SCOPES


class EtsyStore:
    """One Etsy shop, opened: implements StorePlatform, RestoresImages and what Etsy can of domain/powers.py."""

    def __init__(self, api: EtsyApi) -> None:
        self._api = api

    @property
    def store(self) -> Store:
        """Which account this is."""
        return self._api.store

    async def check(self) -> StoreHealth:
        """Ask who we are, what we may do, and how the shop stands: three calls."""
        await self._api.get_me()
        held = await self._api.token_scopes()
        shop = await self._api.get_shop()
        notes = [
            f"Without the right {scope.name} I cannot help {scope.reason}: `reconnect` asks for it, if you want it."
            for scope in ORDER_SCOPES
            if scope.name not in held
        ]
        if shop.is_vacation:
            notes.append("The shop is on vacation, and nobody can buy: end it in the shop's settings.")
        return StoreHealth(
            account=shop.shop_name,
            listing_count=shop.listing_active_count,
            url=shop.url,
            scopes=held,
            missing=tuple(scope for scope in SCOPES if scope.name not in held),
            notes=tuple(notes),
        )

    # ------------------------------------------------------------ listings and pictures

    async def find_listings(self, sku: Sku) -> Sequence[Listing]:
        """Return every listing that sells exactly this SKU, by an index kept of the whole shop."""
        return await listings.find(self._api, sku)

    async def list_products(self, *, cursor: str | None = None, limit: int = 50) -> ListingPage:
        """Return a page: what is for sale first, then sold out, inactive, drafts, expired."""
        return await listings.page(self._api, cursor=cursor, limit=limit)

    async def read_images(self, listing_id: ListingId) -> tuple[ListingImage, ...]:
        """Return the pictures in order. Raises NotFound."""
        return await pictures.read(self._api, listing_id)

    async def fetch_image(self, image: ListingImage) -> bytes:
        """Return the largest picture Etsy serves, up to 3,000 pixels a side: the uploaded bytes are not handed out."""
        return await self._api.fetch(image.url)

    async def publish_image(self, request: PublishRequest) -> ListingImage:
        """Put the picture at its position instead of `replaces`."""
        async with self._gallery(request.listing_id):
            return await pictures.publish(self._api, request)

    async def find_published(self, key: str, listing_id: ListingId) -> ListingImage | None:
        """Return our picture of a key where it is shown now."""
        return await pictures.find_published(self._api, key, listing_id)

    async def restore_image(self, request: RestoreRequest) -> ListingImage | None:
        """Put the original back at the position and take ours off."""
        async with self._gallery(request.listing_id):
            return await pictures.restore(self._api, request)

    async def set_alt_text(self, listing_id: ListingId, image_id: ImageId, alt: str) -> ListingImage:
        """Change what a picture is said to show."""
        return await pictures.set_alt_text(self._api, listing_id, image_id, alt)

    async def remove_image(self, listing_id: ListingId, image_id: ImageId) -> None:
        """Take a picture off; Etsy keeps a copy."""
        async with self._gallery(listing_id):
            await pictures.remove(self._api, listing_id, image_id)

    # ------------------------------------------------------------ stock, prices, texts

    async def read_stock(self, skus: Sequence[Sku]) -> Sequence[StockLevel]:
        """Return the levels of these SKUs."""
        return await stock.read(self._api, skus)

    async def read_all_stock(self) -> Sequence[StockLevel]:
        """Return every level: a call for a hundred listings, and one for each state a listing can be in."""
        return await stock.read_all(self._api)

    async def set_stock(self, write: StockWrite) -> StockLevel:
        """Look, set, and return what was read back."""
        async with self._inventory(ListingId(write.stock_id.partition("|")[0])):
            return await stock.write(self._api, write)

    async def set_price(self, write: PriceWrite) -> None:
        """Set the price of a SKU, in the shop's own currency."""
        async with self._inventory(write.listing_id):
            await stock.write_price(self._api, write)

    async def set_texts(self, write: TextWrite) -> None:
        """Set title and description, and compare what Etsy says it kept."""
        wanted = {"title": write.title, "description": write.description}
        fields = [(name, value) for name, value in wanted.items() if value is not None]
        if not fields:
            return
        kept = await self._api.update_listing(write.listing_id, fields)
        for name, value in fields:
            if not _same(getattr(kept, name), value):
                raise RejectedByStore("it kept other words", store=self.store.name, field=name)

    # ------------------------------------------------------------ orders

    async def orders_since(self, since: datetime, *, cursor: str | None = None) -> OrderPage:
        """Return a page of orders changed since."""
        return await orders.since(self._api, since, cursor=cursor)

    async def read_order(self, order_id: OrderId) -> Order:
        """Return one. Raises NotFound."""
        return await orders.one(self._api, order_id)

    async def mark_shipped(self, shipment: Shipment) -> Order:
        """Mark an order as shipped, once."""
        return await orders.ship(self._api, shipment)

    def _gallery(self, listing_id: ListingId) -> asyncio.Lock:
        return self._api.turn(f"gallery {listing_id}")

    def _inventory(self, listing_id: ListingId) -> asyncio.Lock:
        return self._api.turn(f"inventory {listing_id}")


def _same(kept: str, wanted: str) -> bool:
    """Whether two texts read the same: Etsy hands words out with HTML entities, and trims them."""
    return " ".join(html.unescape(kept).split()) == " ".join(html.unescape(wanted).split())
