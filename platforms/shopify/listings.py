"""Shopify's products as listings: found by SKU, listed page by page."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from domain.catalog import Listing, ListingId, ListingPage, Sku, StoreId, Variant
from domain.errors import BadInput, NotFound, RateLimited, StoreDown
from platforms.shopify import bulk
from platforms.shopify.api import ShopifyApi
from platforms.shopify.media import Gallery, gallery_in, read_gallery

log = logging.getLogger("packshot.stores")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much one query asks for. A single query may cost 1,000 points: about 1 a product, 2 a variant or picture."""

    products: int
    variants: int
    media: int

    @property
    def cost(self) -> float:
        """Return what it asks for at most."""
        return 5.0 + self.products * (10 + 2 * self.variants + 2 * self.media)


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of products. `after` asks for the next one, `count` is how many the shop has (10,000 at most)."""

    listings: Sequence[Listing]
    after: str | None
    count: int
    currency: str


FOUND: Final = Sizes(products=5, variants=50, media=30)
LISTED: Final = Sizes(products=10, variants=25, media=10)
VARIANTS_PAGE: Final = 200
BULK_LIMIT: Final = 100
BULK_COUNT: Final = 150
"""From here on one bulk operation is quicker than the pages and their points."""


async def find(api: ShopifyApi, store_id: StoreId, sku: Sku) -> Sequence[Listing]:
    """Return every listing that sells exactly this SKU.

    Shopify's search looks for words, so that MUG-01 finds MUG-01-RED too: what it finds is compared here.
    """
    found: list[Listing] = []
    after: str | None = None
    while True:
        page = await _page(api, store_id, FOUND, after=after, query=f'sku:"{quoted(sku.value)}"')
        found += [one for one in page.listings if any(variant.sku.key == sku.key for variant in one.variants)]
        after = page.after
        if after is None:
            return found


async def list_page(api: ShopifyApi, store_id: StoreId, *, cursor: str | None, limit: int) -> ListingPage:
    """Return a page in the order of the products' ids; it holds 10 at most, which is what one query can pay for.

    Whoever takes pages of a hundred wants them all: a large shop is then read as one, by a bulk operation.
    """
    sizes = Sizes(min(limit, LISTED.products), LISTED.variants, LISTED.media)
    page = await _page(api, store_id, sizes, after=cursor, query=None)
    if cursor is None and limit >= BULK_LIMIT and page.count > BULK_COUNT:
        try:
            return ListingPage(tuple(await _everything(api, store_id, page.currency)), None)
        except (StoreDown, RateLimited) as error:
            log.warning(
                "no bulk operation, page by page instead", extra={"store": api.store_name, "reason": str(error)}
            )
    return ListingPage(tuple(page.listings), page.after)


async def variants_of(api: ShopifyApi, listing_id: ListingId, *, after: str | None = None) -> list[dict[str, Any]]:
    """Return the nodes of all variants of a product. Raises NotFound."""
    nodes: list[dict[str, Any]] = []
    while True:
        asked = {"id": listing_id, "first": VARIANTS_PAGE, "after": after}
        data = await api.ask("product_variants", asked, scope="read_products", cost=5 + 2 * VARIANTS_PAGE)
        if data["product"] is None:
            raise NotFound(f"The product {listing_id} is not on {api.store_name}.", store=api.store_name)
        variants = data["product"]["variants"]
        nodes += variants["nodes"]
        if not variants["pageInfo"]["hasNextPage"]:
            return nodes
        after = variants["pageInfo"]["endCursor"]


def sku_in(value: str | None) -> Sku | None:
    """Return the SKU a seller gave, None where it is none we could ever be asked for."""
    try:
        return Sku(value or "")
    except BadInput:
        return None


def quoted(value: str) -> str:
    """Return a word as it stands between quotes in Shopify's search syntax."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


async def _page(api: ShopifyApi, store_id: StoreId, sizes: Sizes, *, after: str | None, query: str | None) -> _Page:
    asked = {
        "first": sizes.products, "after": after, "query": query, "variants": sizes.variants, "media": sizes.media,
    }  # fmt: skip
    data = await api.ask("products", asked, scope="read_products", cost=sizes.cost)
    products, currency = data["products"], data["shop"]["currencyCode"]
    listings = [await _listing(api, store_id, node, currency) for node in products["nodes"]]
    info = products["pageInfo"]
    after = info["endCursor"] if info["hasNextPage"] else None
    return _Page(listings, after, data["productsCount"]["count"], currency)


async def _everything(api: ShopifyApi, store_id: StoreId, currency: str) -> list[Listing]:
    """Return every listing of the shop: a product's variants and media are lines of their own that name it as parent."""
    products: dict[str, dict[str, Any]] = {}
    for line in await bulk.read(api, "bulk_products", scope="read_products"):
        parent = line.get("__parentId")
        product = products.setdefault(parent or line["id"], {"variants": {"nodes": []}, "media": {"nodes": []}})
        if parent is None:
            product.update(line)
        else:
            product["media" if "status" in line else "variants"]["nodes"].append(line)
    return [_whole_listing(store_id, node, node["variants"]["nodes"], currency) for node in products.values()]


async def _listing(api: ShopifyApi, store_id: StoreId, node: Mapping[str, Any], currency: str) -> Listing:
    """Return a listing, whole: what did not fit on the page is fetched."""
    listing_id = ListingId(node["id"])
    variants = list(node["variants"]["nodes"])
    more = node["variants"]["pageInfo"]
    if more["hasNextPage"]:
        variants += await variants_of(api, listing_id, after=more["endCursor"])
    is_whole = not node["media"]["pageInfo"]["hasNextPage"]
    gallery = None if is_whole else await read_gallery(api, listing_id)
    return _whole_listing(store_id, node, variants, currency, gallery)


def _whole_listing(
    store_id: StoreId,
    node: Mapping[str, Any],
    variants: Sequence[Mapping[str, Any]],
    currency: str,
    gallery: Gallery | None = None,
) -> Listing:
    return Listing(
        store_id=store_id,
        listing_id=ListingId(node["id"]),
        title=node["title"],
        # Empty for a product that is not in the online shop.
        url=node["onlineStoreUrl"] or "",
        variants=tuple(variant for one in variants if (variant := _variant(one, currency))),
        images=(gallery or gallery_in({**node, "variants": None})).images(),
    )


def _variant(node: Mapping[str, Any], currency: str) -> Variant | None:
    sku = sku_in(node["sku"])
    if sku is None:
        return None
    title = "" if node["title"] == "Default Title" else node["title"]
    quantity = node["inventoryQuantity"] if node["inventoryItem"]["tracked"] else None
    return Variant(sku, title, Decimal(node["price"]), currency, quantity)
