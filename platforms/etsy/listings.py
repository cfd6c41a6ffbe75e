"""Etsy's listings in our words. Etsy finds nothing by SKU, so which listings sell one is an index we keep.

The index is read from the whole shop, a hundred listings a call, and noted. A hit is looked at again before it
is believed; a miss, or an old index, reads the shop anew.
"""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, get_args

from domain.catalog import Listing, ListingId, ListingPage, Sku, Variant
from domain.errors import BadInput, NotFound
from platforms.etsy.api import PAGE, EtsyApi, State
from platforms.etsy.index import SkuIndex, keep, noted
from platforms.etsy.payloads import Image, Inventory, Offering, Product, ShopListing, ShopListings
from platforms.etsy.pictures import shown

STATES: Final[tuple[State, ...]] = get_args(State)
"""Every state a listing can be in: drafts too, since a shop prepares its pictures before it opens."""
GOOD_FOR: Final = timedelta(minutes=10)
"""How long a hit is believed to be every listing of a SKU."""
MISS_GOOD_FOR: Final = timedelta(seconds=30)
"""How long a miss is believed: somebody who has just made the listing asks again."""


async def find(api: EtsyApi, sku: Sku) -> Sequence[Listing]:
    """Return every listing that sells exactly this SKU."""
    index = await noted(api)
    now = api.clock()
    if index is not None and (known := index.of(sku)) and now - index.at < GOOD_FOR:
        looked = [listing for one in known if (listing := await _look(api, one)) and _sells(listing, sku)]
        if len(looked) == len(known):
            return looked
    elif index is not None and not index.of(sku) and now - index.at < MISS_GOOD_FOR:
        return []
    # The shop's pages have no room for pictures beside the products, and a SKU has one listing, or two.
    found = [one async for one in everything(api) if any(_key(product) == sku.key for product in products_of(one))]
    return [listing for one in found if (listing := await _with_images(api, one))]


async def known_places(api: EtsyApi, skus: Sequence[Sku]) -> Sequence[ListingId] | None:
    """Return the listings that sell these SKUs, None where a fresh index does not know every one of them."""
    index = await noted(api)
    if index is None or api.clock() - index.at >= GOOD_FOR or not all(index.of(sku) for sku in skus):
        return None
    return list(dict.fromkeys(place for sku in skus for place in index.of(sku)))


async def page(api: EtsyApi, *, cursor: str | None, limit: int) -> ListingPage:
    """Return a page; the cursor is `state:offset`. Two calls a page, for products and for pictures."""
    state, offset = _place(cursor)
    limit = min(limit, PAGE)
    while True:
        products = await api.get_listings_by_shop(state, offset=offset, limit=limit, includes="Inventory")
        pictures = ShopListings()
        if products.results:
            pictures = await api.get_listings_by_shop(state, offset=offset, limit=limit, includes="Images")
        images = {one.listing_id: one.images or () for one in pictures.results}
        listings = tuple(in_our_words(api, one, images.get(one.listing_id, ())) for one in products.results)
        offset += len(products.results)
        later = STATES.index(state) + 1
        if products.results and offset < products.count:
            return ListingPage(listings, f"{state}:{offset}")
        if listings:
            return ListingPage(listings, f"{STATES[later]}:0" if later < len(STATES) else None)
        if later == len(STATES):
            return ListingPage((), None)
        state, offset = STATES[later], 0


async def everything(api: EtsyApi) -> AsyncIterator[ShopListing]:
    """Yield every listing of the shop once, products included, and note which sells which SKU at the end."""
    seen: dict[int, ShopListing] = {}
    began = api.clock()
    for state in STATES:
        offset = 0
        while True:
            part = await api.get_listings_by_shop(state, offset=offset, limit=PAGE, includes="Inventory")
            for one in part.results:
                # One that was sold out meanwhile comes in two states.
                if one.listing_id not in seen:
                    seen[one.listing_id] = one
                    yield one
            offset += len(part.results)
            if not part.results or offset >= part.count:
                break
    await _note(api, began, seen.values())


def in_our_words(api: EtsyApi, listing: ShopListing, images: Sequence[Image]) -> Listing:
    """Return a listing of Etsy's as ours; products without a SKU are none of its variants."""
    return Listing(
        store_id=api.store.store_id,
        listing_id=ListingId(str(listing.listing_id)),
        title=html.unescape(listing.title),
        url=listing.url,
        variants=tuple(one for product in products_of(listing) if (one := _variant(product))),
        images=shown(sorted(images, key=lambda image: image.rank)),
    )


def products_of(listing: ShopListing) -> Sequence[Product]:
    """Return the products that are still there."""
    return living(listing.inventory or Inventory())


def living(inventory: Inventory) -> Sequence[Product]:
    """Return the products of an inventory that are still there."""
    return [one for one in inventory.products if not one.is_deleted and offering_of(one)]


def offering_of(product: Product) -> Offering | None:
    """Return what is offered of a product now."""
    return next((one for one in product.offerings if not one.is_deleted), None)


def sku_of(text: str | None) -> Sku | None:
    """Return a SKU as the seller wrote it there, None for an empty one or one that nobody could type."""
    try:
        return Sku(html.unescape(text or ""))
    except BadInput:
        return None


def values_of(product: Product) -> str:
    """Return what makes the product differ, as people read it: `Blue / Large`."""
    return " / ".join(html.unescape(value) for one in product.property_values for value in one.values)


async def _note(api: EtsyApi, at: datetime, listings: Iterable[ShopListing]) -> None:
    by_sku: dict[str, list[str]] = {}
    varied = set()
    for listing in listings:
        products, listing_id = products_of(listing), str(listing.listing_id)
        if len(products) > 1:
            varied.add(listing_id)
        for key in sorted({key for product in products if (key := _key(product))}):
            by_sku.setdefault(key, []).append(listing_id)
    await keep(api, SkuIndex(at, by_sku, frozenset(varied)))


async def _look(api: EtsyApi, listing_id: ListingId) -> Listing | None:
    """Return a listing as it is now, None where it is gone."""
    try:
        listing = await api.get_listing(listing_id)
        inventory = await api.get_listing_inventory(listing_id)
    except NotFound:
        return None
    return in_our_words(api, listing.model_copy(update={"inventory": inventory}), listing.images or ())


async def _with_images(api: EtsyApi, listing: ShopListing) -> Listing | None:
    try:
        return in_our_words(api, listing, await api.get_listing_images(ListingId(str(listing.listing_id))))
    except NotFound:
        return None


def _sells(listing: Listing, sku: Sku) -> bool:
    return any(variant.sku.key == sku.key for variant in listing.variants)


def _variant(product: Product) -> Variant | None:
    sku, offering = sku_of(product.sku), offering_of(product)
    if sku is None or offering is None:
        return None
    price: Decimal = offering.price.value
    return Variant(sku, values_of(product), price, offering.price.currency_code, offering.quantity)


def _key(product: Product) -> str:
    sku = sku_of(product.sku)
    return sku.key if sku else ""


def _place(cursor: str | None) -> tuple[State, int]:
    if cursor is None:
        return STATES[0], 0
    named, _, offset = cursor.partition(":")
    state = next(one for one in STATES if one == named)
    return state, int(offset)
