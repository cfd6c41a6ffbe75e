"""One Shopify shop behind the port every store has; what it does is in the files named after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.catalog import ImageId, Listing, ListingId, ListingImage, ListingPage, Sku, Store
from domain.connection import StoreHealth
from domain.ports import PublishRequest, RestoreRequest
from domain.trade import Order, OrderId, OrderPage, PriceWrite, Shipment, StockLevel, StockWrite, TextWrite
from platforms.shopify import listings, offers, orders, pictures, publishing, stock, undo
from platforms.shopify.api import CDN, ShopifyApi
from platforms.shopify.features import SCOPES
from platforms.shopify.media import Mark, is_held, read_gallery
from platforms.wire import MAX_ANSWER_BYTES


class ShopifyStore:
    """One shop, opened: every power of domain/powers.py that Shopify has."""

    def __init__(self, store: Store, api: ShopifyApi) -> None:
        self.store = store
        self._api = api

    async def check(self) -> StoreHealth:
        """Ask the shop who it is, how much it sells and what we may do there, in one call."""
        data = await self._api.ask("health", scope="read_products")
        shop = data["shop"]
        held = tuple(sorted(one["handle"] for one in data["currentAppInstallation"]["accessScopes"]))
        return StoreHealth(
            account=f"{shop['name']} ({shop['myshopifyDomain']})",
            listing_count=data["productsCount"]["count"],
            url=shop["primaryDomain"]["url"],
            scopes=held,
            missing=tuple(scope for scope in SCOPES if not is_held(scope.name, held)),
        )

    async def revoke(self) -> None:
        """Uninstall our app at the shop, which ends every token of it."""
        await self._api.ask("app_uninstall", is_repeatable=True, cost=20)

    async def find_listings(self, sku: Sku) -> Sequence[Listing]:
        """Return every product with a variant of exactly this SKU."""
        return await listings.find(self._api, self.store.store_id, sku)

    async def list_products(self, *, cursor: str | None = None, limit: int = 50) -> ListingPage:
        """Return a page of products, 10 at most."""
        return await listings.list_page(self._api, self.store.store_id, cursor=cursor, limit=limit)

    async def read_images(self, listing_id: ListingId) -> tuple[ListingImage, ...]:
        """Return the pictures in order; videos, models and what is still being processed are not counted."""
        return (await read_gallery(self._api, listing_id)).images()

    async def fetch_image(self, image: ListingImage) -> bytes:
        """Return the bytes as Shopify serves them."""
        return await self._api.download(CDN, image.url, max_bytes=MAX_ANSWER_BYTES)

    async def find_published(self, key: str, listing_id: ListingId) -> ListingImage | None:
        """Return the picture of this key where it stands in its place; one that is only half there counts as none."""
        mark = Mark.of(key, listing_id)
        gallery = await read_gallery(self._api, listing_id)
        done = (one for one in gallery.made_for(mark) if not mark.is_unfinished(one))
        return next((image for one in done if (image := gallery.image_of(one.media_id))), None)

    async def publish_image(self, request: PublishRequest) -> ListingImage:
        """Add, wait, swap, read back; variants that pointed at the replaced picture point at ours."""
        return await publishing.publish(self._api, request)

    async def restore_image(self, request: RestoreRequest) -> ListingImage | None:
        """Attach the original again, under its old id, and detach ours."""
        return await undo.restore(self._api, request)

    async def set_alt_text(self, listing_id: ListingId, image_id: ImageId, alt: str) -> ListingImage:
        """Change a picture's text, on every product that shows it."""
        return await pictures.set_alt(self._api, listing_id, image_id, alt)

    async def remove_image(self, listing_id: ListingId, image_id: ImageId) -> None:
        """Detach a picture; the file stays under Content, Files."""
        await pictures.remove(self._api, listing_id, image_id)

    async def read_stock(self, skus: Sequence[Sku]) -> Sequence[StockLevel]:
        """Return what is available of these SKUs at each location."""
        return await stock.read(self._api, self.store.store_id, skus)

    async def read_all_stock(self) -> Sequence[StockLevel]:
        """Return every level, by a bulk operation."""
        return await stock.read_all(self._api, self.store.store_id)

    async def swap_stock(self, write: StockWrite) -> StockLevel:
        """Compare and set what is available at one location."""
        return await stock.swap(self._api, self.store.store_id, write)

    async def orders_since(self, since: datetime, *, cursor: str | None = None) -> OrderPage:
        """Return a page of changed orders; Shopify shows those of the last 60 days."""
        return await orders.since(self._api, self.store, since, cursor=cursor)

    async def read_order(self, order_id: OrderId) -> Order:
        """Return one order."""
        return await orders.read(self._api, self.store, order_id)

    async def mark_shipped(self, shipment: Shipment) -> Order:
        """Ship what is open, and let Shopify write to the buyer."""
        return await orders.ship(self._api, self.store, shipment)

    async def set_price(self, write: PriceWrite) -> None:
        """Set a variant's price, in the shop's currency."""
        await offers.set_price(self._api, write)

    async def set_texts(self, write: TextWrite) -> None:
        """Set title and description."""
        await offers.set_texts(self._api, write)
