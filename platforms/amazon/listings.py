"""What a listing of the Selling Partner API says, in our words: `Item` reads it once, and nobody else looks into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from domain.catalog import ListingId, Sku, Variant
from domain.errors import BadInput
from platforms.amazon.api import Json
from platforms.amazon.marketplaces import Marketplace

SLOTS: Final = ("main_product_image_locator", *(f"other_product_image_locator_{number}" for number in range(1, 9)))
"""The attribute of each position, 1 to 9."""
POSITIONS_MOST: Final = len(SLOTS)
VARIANTS: Final = ("MAIN", *(f"PT{number:02d}" for number in range(1, 9)))
"""What the catalogue calls each position."""
OWN: Final = "DEFAULT"
"""The fulfilment channel of the seller's own stock."""


@dataclass(frozen=True, slots=True)
class Item:
    """One listing as Amazon gave it, for one marketplace."""

    body: Json
    marketplace: Marketplace

    @property
    def sku(self) -> str:
        """The seller's SKU, which is the listing's id too."""
        return str(self.body.get("sku") or "")

    @property
    def listing_id(self) -> ListingId:
        """The same as the SKU: a listing of Amazon's has no other name for its seller."""
        return ListingId(self.sku)

    @property
    def summary(self) -> Json:
        """What Amazon says of the product, empty where a submission made none."""
        return next(iter(self._here(self.body.get("summaries"))), {})

    @property
    def asin(self) -> str:
        """Amazon's number of the product, empty before it has one."""
        return str(self.summary.get("asin") or "")

    @property
    def product_type(self) -> str:
        """What a patch must name."""
        known = next(iter(self._here(self.body.get("productTypes"))), {})
        return str(known.get("productType") or self.summary.get("productType") or "PRODUCT")

    @property
    def shown_main(self) -> str:
        """The main picture buyers see, whoever contributed it; empty for none."""
        return str((self.summary.get("mainImage") or {}).get("link") or "")

    @property
    def title(self) -> str:
        """The seller's own title, else the catalogue's."""
        return str(self.first("item_name").get("value") or self.summary.get("itemName") or self.sku)

    @property
    def issues(self) -> Sequence[Json]:
        """What Amazon has against it."""
        return list(self.body.get("issues") or ())

    @property
    def offer(self) -> Json:
        """The offer to everybody."""
        offers = self._here(self.body.get("offers"))
        return next((one for one in offers if one.get("offerType", "B2C") == "B2C"), {})

    @property
    def channels(self) -> Sequence[Json]:
        """Its fulfilment channels, `DEFAULT` being the seller's own."""
        return list(self.body.get("fulfillmentAvailability") or ())

    @property
    def is_by_amazon(self) -> bool:
        """Whether Amazon's warehouses send it."""
        return any(str(one.get("fulfillmentChannelCode")) != OWN for one in self.channels)

    @property
    def own_quantity(self) -> int | None:
        """How many the seller has, None where that is not counted, or not the seller's to count."""
        own = next((one for one in self.channels if one.get("fulfillmentChannelCode") == OWN), {})
        quantity = own.get("quantity")
        return int(quantity) if quantity is not None else None

    @property
    def addresses(self) -> dict[int, str]:
        """The seller's own pictures, by position."""
        found = {number: str(self.first(slot).get("media_location") or "") for number, slot in enumerate(SLOTS, 1)}
        return {position: address for position, address in found.items() if address}

    def first(self, attribute: str) -> Json:
        """Return the value of an attribute here, empty where the seller contributed none."""
        return next(iter(self._here((self.body.get("attributes") or {}).get(attribute))), {})

    def variant(self) -> Variant | None:
        """Return what is bought; None for a SKU longer than we know."""
        sku = sku_of(self.sku)
        if sku is None:
            return None
        price = self.offer.get("price") or {}
        currency = str(price.get("currencyCode") or price.get("currency") or "")
        return Variant(sku, "", _decimal(price.get("amount")), currency, self.own_quantity)

    def _here(self, values: Any) -> list[Json]:
        here = self.marketplace.marketplace_id
        found = [one for one in values or () if isinstance(one, dict)]
        return [one for one in found if one.get("marketplaceId", one.get("marketplace_id", here)) == here]


def sku_of(word: object) -> Sku | None:
    """Return a SKU of Amazon's in our words, None for one we cannot take."""
    try:
        return Sku(str(word or ""))
    except BadInput:
        return None


def _decimal(amount: object) -> Decimal:
    try:
        return Decimal(str(amount))
    except InvalidOperation:
        return Decimal(0)
