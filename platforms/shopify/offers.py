"""What a Shopify product says and costs: price, title, description."""

from __future__ import annotations

import html
from decimal import Decimal
from typing import Any

from domain.errors import NotFound, RejectedByStore, StoreDown
from domain.trade import PriceWrite, TextWrite
from platforms.shopify.api import Refused, ShopifyApi
from platforms.shopify.listings import sku_in, variants_of
from platforms.shopify.media import as_gid


async def set_price(api: ShopifyApi, write: PriceWrite) -> None:
    """See WritesPrices.set_price. A SKU that two variants of the product share changes both."""
    product = as_gid("Product", write.listing_id)
    variants = [
        node
        for node in await variants_of(api, write.listing_id)
        if (sku := sku_in(node["sku"])) and sku.key == write.sku.key
    ]
    if not variants:
        raise NotFound(f"That product has no {write.sku} any more.", store=api.store_name)
    other = next(
        (node["price"] for node in variants if write.was is not None and Decimal(node["price"]) != write.was), ""
    )
    if other:
        raise RejectedByStore(f"it costs {other} there now", store=api.store_name, field="price")
    changes = [{"id": node["id"], "price": str(write.price)} for node in variants]
    data = await _changed(api, "product_variants_bulk_update", {"product": product, "variants": changes}, field="price")
    shown = data["productVariantsBulkUpdate"]["productVariants"] or ()
    if [Decimal(one["price"]) for one in shown] != [write.price] * len(changes):
        raise StoreDown(f"{api.store_name} still shows another price.", store=api.store_name)


async def set_texts(api: ShopifyApi, write: TextWrite) -> None:
    """See WritesTexts.set_texts. The description is plain text here and paragraphs of HTML there."""
    product: dict[str, Any] = {"id": as_gid("Product", write.listing_id)}
    if write.title is not None:
        product["title"] = write.title
    if write.description is not None:
        product["descriptionHtml"] = as_html(write.description)
    field = "title" if write.title is not None else "description"
    data = await _changed(api, "product_update_texts", {"product": product}, field=field)
    shown = data["productUpdate"]["product"] or {}
    # Shopify tidies HTML up, so that only a description that came to nothing can be told.
    is_lost = bool(write.description) and not shown.get("descriptionHtml")
    if is_lost or (write.title is not None and shown.get("title") != write.title):
        raise StoreDown(f"{api.store_name} still shows another text.", store=api.store_name)


async def _changed(api: ShopifyApi, name: str, variables: dict[str, Any], *, field: str) -> dict[str, Any]:
    """Do an absolute write, naming the field as people do."""
    try:
        return await api.ask(name, variables, is_repeatable=True, scope="write_products", cost=30)
    except Refused as error:
        named = "description" if error.field == "descriptionHtml" else error.field
        known = named if named in {"title", "description", "price"} else field
        raise RejectedByStore(str(error), store=api.store_name, field=known) from error


def as_html(text: str) -> str:
    """Return plain text as HTML: an empty line parts paragraphs, a line break stays one."""
    paragraphs = (html.escape(part.strip(), quote=False) for part in text.split("\n\n"))
    return "".join(f"<p>{part.replace(chr(10), '<br>')}</p>" for part in paragraphs if part)
