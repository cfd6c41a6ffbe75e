"""The sample shop's products, and how they get onto a shelf."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from domain.catalog import ImageId, ListingId, Sku, StoreId
from domain.picture_ports import MediaStorage
from domain.rows import ShelfImage, ShelfListing, ShelfRows, ShelfVariant

_HERE: Final = Path(__file__).parent
DEMO_SKU: Final = Sku("MUG-01")


@dataclass(frozen=True, slots=True)
class SamplePhoto:
    """A committed JPEG."""

    path: Path
    alt: str


@dataclass(frozen=True, slots=True)
class SampleSale:
    """An order that the shop already had, some days before it was set up."""

    sku: Sku
    quantity: int
    days_ago: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A product: the variants' quantities are before the sales."""

    handle: str
    title: str
    description: str
    variants: tuple[ShelfVariant, ...]
    photos: tuple[SamplePhoto, ...]
    sales: tuple[SampleSale, ...]


def load_samples() -> tuple[Sample, ...]:
    """Return the catalogue, MUG-01 first."""
    catalogue = json.loads((_HERE / "catalogue.json").read_text("utf-8"))
    return tuple(_sample(product) for product in catalogue["products"])


def demo_photo() -> bytes:
    """Return a new phone photo of MUG-01 that is not on the shelf: what the demo sends."""
    return (_HERE / "photos" / "demo_mug.jpg").read_bytes()


async def seed(rows: ShelfRows, media: MediaStorage, store_id: StoreId, now: datetime) -> int:
    """Put the samples onto a shelf and return how many were new; a handle that is there is left alone."""
    new = 0
    for sample in load_samples():
        images = []
        for number, photo in enumerate(sample.photos, start=1):
            name = await media.put(photo.path.read_bytes())
            image_id = ImageId(f"sample-{sample.handle}-{number}")
            images.append(ShelfImage(image_id, name, "image/jpeg", photo.alt, made_for=""))
        listing = ShelfListing(
            listing_id=ListingId(sample.handle),
            title=sample.title,
            handle=sample.handle,
            description=sample.description,
            variants=sample.variants,
            images=tuple(images),
            version=1,
        )
        if await rows.add_listing(store_id, listing):
            new += 1
            for sale in sample.sales:
                await rows.sell(store_id, sale.sku, sale.quantity, now=now - timedelta(days=sale.days_ago))
    return new


def _sample(product: dict[str, Any]) -> Sample:
    return Sample(
        handle=product["handle"],
        title=product["title"],
        description=product["description"],
        variants=tuple(
            ShelfVariant(Sku(each["sku"]), each["title"], int(Decimal(each["price"]) * 100), each["quantity"])
            for each in product["variants"]
        ),
        photos=tuple(SamplePhoto(_HERE / "photos" / each["photo"], each["alt"]) for each in product["images"]),
        sales=tuple(SampleSale(Sku(each["sku"]), each["quantity"], each["days_ago"]) for each in product["sold"]),
    )
