"""What Etsy's answers hold, as far as we use it; names are Etsy's own (Open API v3 definition, schemas of those names)."""

from __future__ import annotations

import html
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from platforms.wire import Answer, unsure


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Money(_Payload):
    """An amount in the currency's smallest part, and how many of them make one."""

    amount: int
    divisor: int = Field(ge=1)
    currency_code: str

    @property
    def value(self) -> Decimal:
        """The amount in whole units."""
        return Decimal(self.amount) / self.divisor


class Image(_Payload):
    """ListingImage. Sizes and colours are null until Etsy has processed it, so none of them is here."""

    listing_image_id: int
    rank: int = 0
    url_fullxfull: str = ""
    alt_text: str | None = None

    @property
    def alt(self) -> str:
        """The text as people wrote it: Etsy hands it out with HTML entities."""
        return html.unescape(self.alt_text or "")


class Images(_Payload):
    """ListingImages."""

    results: tuple[Image, ...] = ()

    @property
    def ordered(self) -> tuple[Image, ...]:
        """By rank; equal ranks, which do occur, as they came."""
        return tuple(sorted(self.results, key=lambda image: image.rank))


class VariationImage(_Payload):
    """ListingVariationImage: the picture that a variation's value shows."""

    property_id: int
    value_id: int
    image_id: int


class VariationImages(_Payload):
    """ListingVariationImages."""

    results: tuple[VariationImage, ...] = ()


class PropertyValue(_Payload):
    """ListingPropertyValue: what makes one product of a listing differ from another."""

    property_id: int
    property_name: str | None = None
    scale_id: int | None = None
    value_ids: tuple[int, ...] = ()
    values: tuple[str, ...] = ()


class Offering(_Payload):
    """ListingInventoryProductOffering."""

    quantity: int = 0
    is_enabled: bool = True
    is_deleted: bool = False
    price: Money
    readiness_state_id: int | None = None


class Product(_Payload):
    """ListingInventoryProduct."""

    sku: str = ""
    is_deleted: bool = False
    offerings: tuple[Offering, ...] = ()
    property_values: tuple[PropertyValue, ...] = ()


class Inventory(_Payload):
    """ListingInventory. `*_on_property` name the properties that price, quantity, SKU and processing differ by."""

    products: tuple[Product, ...] = ()
    price_on_property: tuple[int, ...] = ()
    quantity_on_property: tuple[int, ...] = ()
    sku_on_property: tuple[int, ...] = ()
    readiness_state_on_property: tuple[int, ...] = ()


class ShopListing(_Payload):
    """ShopListingWithAssociations; `images` and `inventory` are there where they were asked for."""

    listing_id: int
    title: str = ""
    description: str = ""
    url: str = ""
    skus: tuple[str, ...] = ()
    images: tuple[Image, ...] | None = None
    inventory: Inventory | None = None


class ShopListings(_Payload):
    """A page of listings; `count` is how many there are in all."""

    count: int = 0
    results: tuple[ShopListing, ...] = ()


class Shop(_Payload):
    """Shop."""

    shop_id: int
    shop_name: str
    url: str = ""
    listing_active_count: int = 0
    is_vacation: bool = False


class Me(_Payload):
    """Self."""

    user_id: int
    shop_id: int


class Scopes(_Payload):
    """What tokenScopes says; the definition leaves its fields open."""

    scopes: tuple[str, ...] = ()


class Transaction(_Payload):
    """ShopReceiptTransaction: one line of an order."""

    transaction_id: int
    title: str | None = None
    sku: str | None = None
    quantity: int = 0
    shipped_timestamp: int | None = None
    expected_ship_date: int | None = None


class Receipt(_Payload):
    """ShopReceipt, without anything about the buyer: those fields are read past and never kept."""

    receipt_id: int
    status: str = ""
    is_paid: bool = False
    is_shipped: bool = False
    created_timestamp: int
    updated_timestamp: int
    transactions: tuple[Transaction, ...] = ()


class Receipts(_Payload):
    """A page of receipts; `count` is how many match in all."""

    count: int = 0
    results: tuple[Receipt, ...] = ()


P = TypeVar("P", bound=_Payload)


def read(answer: Answer, kind: type[P]) -> P:
    """Return an answer as its model. Raises StoreDown, or Ambiguous after a write, for one that is no such thing."""
    try:
        return kind.model_validate(answer.json())
    except ValidationError as error:
        raise unsure(
            answer.call, answer.store, f"{answer.store} gave an answer I cannot read ({error.error_count()} fields)."
        ) from error
