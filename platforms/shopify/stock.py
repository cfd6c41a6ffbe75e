"""Shopify's stock: read by SKU or in bulk, written by compare and set under an idempotency key."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from domain.catalog import ListingId, Sku, StoreId
from domain.errors import NotFound, StockChanged
from domain.trade import StockId, StockLevel, StockWrite
from platforms.shopify import bulk
from platforms.shopify.api import Refused, ShopifyApi
from platforms.shopify.listings import quoted, sku_in

SKUS_A_CALL: Final = 10
ITEMS_PAGE: Final = 20
"""20 items with 10 locations each cost about 20 × 45 points."""
ITEMS_COST: Final = 920.0
STALE: Final = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
_KEYS: Final = uuid.UUID("5d2c2f0e-6d0e-5d7b-9d0c-9a3f6c1b7e11")
"""The namespace of our writes' keys: never change it, or a repeat becomes a second write."""


async def read(api: ShopifyApi, store_id: StoreId, skus: Sequence[Sku]) -> list[StockLevel]:
    """Return the levels of these SKUs at every location."""
    levels: list[StockLevel] = []
    wanted = {sku.key: sku for sku in skus}
    asked_for = list(wanted.values())
    for begin in range(0, len(asked_for), SKUS_A_CALL):
        some = asked_for[begin : begin + SKUS_A_CALL]
        query = " OR ".join(f'sku:"{quoted(sku.value)}"' for sku in some)
        after: str | None = None
        while True:
            asked = {"query": query, "first": ITEMS_PAGE, "after": after}
            data = await api.ask("inventory_items", asked, scope="read_inventory", cost=ITEMS_COST)
            items = data["inventoryItems"]
            for node in items["nodes"]:
                levels += [one for one in _levels_in(node, store_id) if one.sku.key in wanted]
            if not items["pageInfo"]["hasNextPage"]:
                break
            after = items["pageInfo"]["endCursor"]
    return levels


async def read_all(api: ShopifyApi, store_id: StoreId) -> list[StockLevel]:
    """Return every level of the shop: one operation on Shopify's side, one file. Raises StoreDown when it fails."""
    lines = await bulk.read(api, "bulk_inventory", scope="read_inventory")
    return list(_levels_in_lines(lines, store_id))


async def swap(api: ShopifyApi, store_id: StoreId, write: StockWrite) -> StockLevel:
    """Set one level where it still is what was expected. The same key is the same write, at Shopify too."""
    item, _, location = write.stock_id.partition("@")
    quantities = {
        "inventoryItemId": f"gid://shopify/InventoryItem/{item}",
        "locationId": f"gid://shopify/Location/{location}",
        "quantity": write.quantity,
        "changeFromQuantity": write.was,
    }
    key = str(uuid.uuid5(_KEYS, f"{store_id}\n{write.stock_id}\n{write.key}"))
    document_uri = f"gid://packshot/StockWrite/{key}"
    change = {
        "name": "available", "reason": "correction", "referenceDocumentUri": document_uri, "quantities": [quantities],
    }  # fmt: skip
    try:
        await api.ask(
            "inventory_set_quantities",
            {"input": change, "key": key},
            is_repeatable=True,
            scope="write_inventory",
            cost=20,
        )
    except Refused as error:
        if error.code not in STALE:
            raise
        found = await _one(api, store_id, quantities)
        raise StockChanged(store=api.store_name, sku=write.sku.value, found=found.quantity) from error
    return await _one(api, store_id, quantities)


async def _one(api: ShopifyApi, store_id: StoreId, named: Mapping[str, Any]) -> StockLevel:
    asked = {"item": named["inventoryItemId"], "location": named["locationId"]}
    item = (await api.ask("inventory_level", asked, scope="read_inventory"))["inventoryItem"]
    if item is None or item["inventoryLevel"] is None:
        raise NotFound("That stock is no longer kept there.", store=api.store_name)
    [level] = _levels_in({**item, "inventoryLevels": {"nodes": [item["inventoryLevel"]]}}, store_id)
    return level


def _levels_in_lines(lines: Iterable[dict[str, Any]], store_id: StoreId) -> Iterable[StockLevel]:
    """Put the file's lines together: an item's variant and levels are lines of their own that name it as parent."""
    items: dict[str, dict[str, Any]] = {}
    for node in lines:
        parent = node.get("__parentId")
        if parent is None:
            items.setdefault(node["id"], {"variants": [], "levels": []}).update(node)
        else:
            kind = "levels" if "location" in node else "variants"
            items.setdefault(parent, {"variants": [], "levels": []})[kind].append(node)
    for item in items.values():
        if "sku" in item:
            whole = {**item, "variants": {"nodes": item["variants"]}, "inventoryLevels": {"nodes": item["levels"]}}
            yield from _levels_in(whole, store_id)


def _levels_in(item: Mapping[str, Any], store_id: StoreId) -> list[StockLevel]:
    """Return an item's levels; none where it has no SKU or belongs to no product any more."""
    sku, variants = sku_in(item["sku"]), item["variants"]["nodes"]
    if sku is None or not variants:
        return []
    levels = item["inventoryLevels"]["nodes"]
    return [
        StockLevel(
            store_id=store_id,
            stock_id=StockId(f"{_number(item['id'])}@{_number(level['location']['id'])}"),
            sku=sku,
            listing_id=ListingId(variants[0]["product"]["id"]),
            quantity=level["quantities"][0]["quantity"] if item["tracked"] else None,
            location=level["location"]["name"] if len(levels) > 1 else "",
        )
        for level in levels
    ]


def _number(gid: str) -> str:
    return gid.rsplit("/", 1)[-1].partition("?")[0]
