"""Which platforms there are: what each wants of a picture, and how a connected store is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.catalog import PlatformName, Store
from domain.ports import MediaStorage, StorePlatform
from domain.recipe import PictureRules
from domain.rows import ShelfRows
from platforms.amazon import picture as amazon
from platforms.etsy import picture as etsy
from platforms.shelf import picture as shelf
from platforms.shelf.adapter import ShelfStore
from platforms.shopify import picture as shopify
from platforms.woocommerce import picture as woocommerce


@dataclass(frozen=True, slots=True)
class Supplies:
    """What the roof hands to whoever opens a store. `public_url` makes a path a buyer can open."""

    media: MediaStorage
    shelf_rows: ShelfRows
    public_url: Callable[[str], str]


Opener = Callable[[Store, Supplies], StorePlatform]


def open_shelf(store: Store, supplies: Supplies) -> StorePlatform:
    """Open the built-in store."""
    return ShelfStore(store, supplies.shelf_rows, supplies.media, public_url=supplies.public_url)


RULES: dict[PlatformName, PictureRules] = {
    PlatformName.SHOPIFY: shopify.RULES,
    PlatformName.AMAZON: amazon.RULES,
    PlatformName.ETSY: etsy.RULES,
    PlatformName.WOOCOMMERCE: woocommerce.RULES,
    PlatformName.SHELF: shelf.RULES,
}

OPENERS: dict[PlatformName, Opener] = {
    PlatformName.SHELF: open_shelf,
}
"""A platform without an opener can be enhanced for, and not yet published to."""
