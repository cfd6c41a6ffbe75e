"""What a shop sells, and where: SKUs, stores, listings and their pictures."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from domain.errors import BadInput

SKU_MAX_CHARS = 64
"""Amazon allows 40, Etsy 32, Shopify 255; 64 keeps every real one and bounds what we store."""

StoreId = NewType("StoreId", str)
ListingId = NewType("ListingId", str)
ImageId = NewType("ImageId", str)
Sha256 = NewType("Sha256", str)
"""Hex digest that names photo bytes in the media storage."""


class PlatformName(StrEnum):
    """The store platforms, spelled as in commands, settings and tables."""

    SHOPIFY = "shopify"
    AMAZON = "amazon"
    ETSY = "etsy"
    WOOCOMMERCE = "woocommerce"
    SHELF = "shelf"


@dataclass(frozen=True, slots=True)
class Sku:
    """A stock keeping unit as the seller writes it. Case is kept, comparison is by `key`.

    Raises BadInput when empty, longer than 64 characters or with control characters.
    """

    value: str

    def __post_init__(self) -> None:
        value = " ".join(unicodedata.normalize("NFC", self.value).split())
        if not value:
            raise BadInput("A SKU is missing: write it after the command, for example `enhance MUG-01`.")
        if len(value) > SKU_MAX_CHARS:
            raise BadInput(
                "That SKU is {number} characters long, and {most} is the most I know: check it.",
                number=len(value),
                most=SKU_MAX_CHARS,
            )
        if any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in value):
            raise BadInput("That SKU has an invisible character in it: type it by hand instead of pasting it.")
        object.__setattr__(self, "value", value)

    @property
    def key(self) -> str:
        """What two SKUs are compared by: sellers type `mug-01` for MUG-01."""
        return self.value.casefold()

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Store:
    """One connected account on a platform. `name` is what people call it, unique in the team."""

    store_id: StoreId
    team_id: str
    platform: PlatformName
    name: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One buyable form of a listing. `quantity` None where the store does not count it."""

    sku: Sku
    title: str
    price: Decimal
    currency: str
    quantity: int | None


@dataclass(frozen=True, slots=True)
class ListingImage:
    """One picture of a listing. `position` is 1-based; 1 is the main image."""

    image_id: ImageId
    position: int
    url: str
    alt: str

    @property
    def is_main(self) -> bool:
        """Whether buyers see this one first."""
        return self.position == 1


@dataclass(frozen=True, slots=True)
class Listing:
    """A product as one store shows it. `images` are in the store's order."""

    store_id: StoreId
    listing_id: ListingId
    title: str
    url: str
    variants: tuple[Variant, ...]
    images: tuple[ListingImage, ...]

    def image_at(self, position: int) -> ListingImage | None:
        """Return the picture at a 1-based position, None when the listing has fewer."""
        return next((image for image in self.images if image.position == position), None)


@dataclass(frozen=True, slots=True)
class ListingPage:
    """One page of a store's listings; `next_cursor` is None on the last."""

    listings: tuple[Listing, ...]
    next_cursor: str | None
