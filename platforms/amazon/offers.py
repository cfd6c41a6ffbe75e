"""A listing's price and texts: the seller's contribution, checked by Amazon before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from domain.catalog import ListingId
from domain.errors import RejectedByStore
from domain.trade import PriceWrite, TextWrite
from platforms.amazon.api import AmazonApi, Json
from platforms.amazon.listings import Item

INCLUDED: Final = ("summaries", "attributes", "offers", "productTypes")
READ_BACK_AFTER_S: Final = (0.0, 2.0)
ATTRIBUTES: Final = {"title": "item_name", "description": "product_description"}


@dataclass(frozen=True, slots=True)
class Offers:
    """Prices and texts of one account at one marketplace."""

    api: AmazonApi

    async def set_price(self, write: PriceWrite) -> None:
        """Merge the price in, so that sales and minimum prices stay. Raises RejectedByStore(field="price")."""
        item = await self._item(write.listing_id)
        variant = item.variant()
        if write.was is not None and (variant is None or variant.price != write.was):
            now = variant.price if variant else "none"
            raise RejectedByStore(f"its price there is {now} by now", store=self.api.name, field="price")
        value = {
            "marketplace_id": self.api.marketplace.marketplace_id,
            "currency": write.currency,
            "audience": "ALL",
            "our_price": [{"schedule": [{"value_with_tax": float(write.price)}]}],
        }
        patch = {"op": "merge", "path": "/attributes/purchasable_offer", "value": [value]}
        await self._send(item, [patch], field="price")
        for wait_s in READ_BACK_AFTER_S:
            await self.api.transports.sleep(wait_s)
            seen = (await self._item(write.listing_id)).variant()
            if seen is not None and seen.price == Decimal(write.price):
                return

    async def set_texts(self, write: TextWrite) -> None:
        """Set them in the marketplace's language. Raises RejectedByStore(field="title" or "description")."""
        item = await self._item(write.listing_id)
        for field, text in (("title", write.title), ("description", write.description)):
            if text is None:
                continue
            attribute = ATTRIBUTES[field]
            value = {
                "marketplace_id": self.api.marketplace.marketplace_id,
                "language_tag": item.first(attribute).get("language_tag") or self.api.marketplace.language,
                "value": text,
            }
            patch = {"op": "replace", "path": f"/attributes/{attribute}", "value": [value]}
            await self._send(item, [patch], field=field)
        for wait_s in READ_BACK_AFTER_S:
            await self.api.transports.sleep(wait_s)
            seen = await self._item(write.listing_id)
            wanted = {ATTRIBUTES["title"]: write.title, ATTRIBUTES["description"]: write.description}
            if all(text is None or seen.first(name).get("value") == text for name, text in wanted.items()):
                return

    async def _send(self, item: Item, patches: list[Json], *, field: str) -> None:
        try:
            await self.api.patch(item.sku, item.product_type, patches, is_preview=True)
            await self.api.patch(item.sku, item.product_type, patches)
        except RejectedByStore as error:
            raise RejectedByStore(str(error), store=error.store, field=field) from error

    async def _item(self, listing_id: ListingId) -> Item:
        return Item(await self.api.listing(listing_id, *INCLUDED), self.api.marketplace)
