"""Prices, names and descriptions at WooCommerce, each set and compared with what the store then has."""

from __future__ import annotations

from html import escape

from domain.catalog import Sku
from domain.errors import NotFound, RejectedByStore
from domain.trade import PriceWrite, TextWrite
from platforms.woocommerce.api import WooApi
from platforms.woocommerce.payloads import Product, plain


async def set_price(api: WooApi, write: PriceWrite, *, currency: str) -> None:
    """Set the regular price of the one product or variation. Raises NotFound, RejectedByStore(field="price")."""
    found = await _of_listing(api, write.sku, str(write.listing_id))
    problem = ""
    if write.currency != currency:
        problem = f"{api.store.name} sells in {currency}, not in {write.currency}."
    elif write.was is not None and found.price_read != write.was:
        problem = f"{write.sku} costs {found.price_read} {currency} now, not {write.was}."
    elif found.on_sale:
        problem = f"{write.sku} is on sale at {found.price_read} {currency}: end the sale first."
    elif found.type == "variable":
        problem = f"{write.sku} is sold in variations, each with a price of its own: name one of those."
    if not problem:
        after = await api.update(_path(found), {"regular_price": str(write.price)})
        if after.price_read != write.price:
            problem = f"{api.store.name} shows {after.price or 'no price'} instead of {write.price}."
    if problem:
        raise RejectedByStore(problem, store=api.store.name, field="price")


async def set_texts(api: WooApi, product_id: int, write: TextWrite) -> None:
    """Set what is given. Raises RejectedByStore(field="title" | "description")."""
    wanted = {"name": write.title, "description": write.description}
    # WordPress takes what looks like a tag for one, so plain text goes as the HTML that reads the same.
    changes = {name: escape(value, quote=False) for name, value in wanted.items() if value is not None}
    if not changes:
        return
    after = await api.update(str(product_id), changes)
    for name, field in (("name", "title"), ("description", "description")):
        if name in changes and _read(getattr(after, name)) != _read(changes[name]):
            raise RejectedByStore(f"{api.store.name} kept another {field}.", store=api.store.name, field=field)


def _read(text: str) -> str:
    return "\n".join(line.strip() for line in plain(text).splitlines()).strip()


async def _of_listing(api: WooApi, sku: Sku, listing_id: str) -> Product:
    async for one in api.by_skus([sku]):
        its = one.sku_read
        if its and its.key == sku.key and str(one.parent_id or one.id) == listing_id:
            return one
    raise NotFound(f"{sku} is not sold by that product of {api.store.name}.", store=api.store.name)


def _path(found: Product) -> str:
    return f"{found.parent_id}/variations/{found.id}" if found.parent_id else str(found.id)
