"""Stock on Amazon: the seller's own can be set, what lies in Amazon's warehouses can only be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from domain.catalog import ListingId, Sku
from domain.errors import NotFound, RejectedByStore, StockChanged, StoreError
from domain.trade import StockId, StockLevel, StockWrite
from platforms.amazon.api import AmazonApi, Json
from platforms.amazon.listings import OWN, Item, sku_of
from platforms.amazon.reports import LISTINGS, MESSAGES_MOST, read_report, send_feed

PAGE: Final = 20
FBA_PAGE: Final = 50
BY_PAGES_MOST: Final = 200
"""Up to so many listings ten quick pages are read; beyond, one report is fewer calls and takes Amazon minutes."""
BY_AMAZON: Final = "FBA"
FEED_FROM: Final = 50
"""So many writes take ten seconds one by one; a feed takes Amazon minutes, however many there are."""
INCLUDED: Final = "summaries,fulfillmentAvailability,productTypes"
READ_BACK_AFTER_S: Final = (0.0, 2.0)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stock:
    """The stock of one account at one marketplace."""

    api: AmazonApi

    async def read(self, skus: Sequence[Sku]) -> list[StockLevel]:
        """Return the levels of these SKUs, 20 a call, and 50 a call of those in Amazon's warehouses."""
        wanted = {sku.key for sku in skus}
        items: list[Item] = []
        plain = [sku.value for sku in skus if "," not in sku.value]
        for chunk in _chunks(plain, PAGE):
            found = await self.api.search(
                {"identifiers": ",".join(chunk), "identifiersType": "SKU", "includedData": INCLUDED, "pageSize": PAGE}
            )
            items += [Item(body, self.api.marketplace) for body in found.get("items") or ()]
        for sku in skus:
            if "," in sku.value:
                items += await self._one(sku.value)
        items = [item for item in items if (known := sku_of(item.sku)) and known.key in wanted]
        by_amazon = [item.sku for item in items if item.is_by_amazon]
        levels = [level for item in items if not item.is_by_amazon and (level := self._own(item))]
        for chunk in _chunks([sku for sku in by_amazon if "," not in sku], FBA_PAGE):
            levels += self._warehouse(await self.api.inventory_page(skus=chunk))
        return levels

    async def read_all(self) -> list[StockLevel]:
        """Return every level: pages of the small shop, the listings report of the large one, and the warehouses'."""
        params: dict[str, str | int] = {
            "includedData": INCLUDED, "pageSize": PAGE, "sortBy": "sku", "sortOrder": "ASC",
        }  # fmt: skip
        page = await self.api.search(params)
        if int(page.get("numberOfResults") or 0) > BY_PAGES_MOST:
            return await self._by_report()
        items = [Item(body, self.api.marketplace) for body in page.get("items") or ()]
        while token := (page.get("pagination") or {}).get("nextToken"):
            page = await self.api.search({**params, "pageToken": token})
            items += [Item(body, self.api.marketplace) for body in page.get("items") or ()]
        levels = [level for item in items if not item.is_by_amazon and (level := self._own(item))]
        if any(item.is_by_amazon for item in items):
            levels += await self._warehouses()
        return levels

    async def set(self, write: StockWrite) -> StockLevel:
        """Look, merge the quantity in, and read back. Raises StockChanged, RejectedByStore for Amazon's own."""
        item = await self._item(write.sku.value if not write.stock_id else str(write.stock_id))
        level = self._own(item)
        if item.is_by_amazon or level is None:
            raise self._by_amazon()
        if level.quantity == write.quantity:
            return level
        if level.quantity != write.was:
            raise StockChanged(store=self.api.name, sku=write.sku.value, found=level.quantity)
        await self.api.patch(item.sku, item.product_type, [quantity_patch(write.quantity)])
        for wait_s in READ_BACK_AFTER_S:
            await self.api.transports.sleep(wait_s)
            seen = self._own(await self._item(item.sku))
            if seen is not None and seen.quantity == write.quantity:
                return seen
        # Amazon took it and shows it to its own readers minutes later.
        return self._level(item.sku, write.quantity)

    async def set_many(self, writes: Sequence[StockWrite]) -> list[StockLevel | StoreError]:
        """Set each as `set` does: one by one while they are few, by one feed where they are many (Amazon takes minutes)."""
        if len(writes) < FEED_FROM:
            return [await self._set_or_error(write) for write in writes]
        found = {level.sku.key: level for level in await self.read([write.sku for write in writes])}
        told: dict[int, StockLevel | StoreError] = {}
        due: dict[int, StockWrite] = {}
        for number, write in enumerate(writes, start=1):
            level = found.get(write.sku.key)
            if level is None:
                told[number] = NotFound(f"{self.api.name} has no {write.sku}.", store=self.api.name)
            elif not level.is_writable:
                told[number] = self._by_amazon()
            elif level.quantity == write.quantity:
                told[number] = level
            elif level.quantity != write.was:
                told[number] = StockChanged(store=self.api.name, sku=write.sku.value, found=level.quantity)
            else:
                due[number] = replace(write, stock_id=level.stock_id)
        for chunk in _chunks(list(due.items()), MESSAGES_MOST):
            refused = await send_feed(self.api, [_message(number, write) for number, write in chunk])
            for number, write in chunk:
                told[number] = self._level(str(write.stock_id), write.quantity)
                if why := refused.get(number):
                    told[number] = RejectedByStore(why, store=self.api.name, field="quantity")
        return [told[number] for number in sorted(told)]

    async def _set_or_error(self, write: StockWrite) -> StockLevel | StoreError:
        try:
            return await self.set(write)
        except (NotFound, RejectedByStore, StockChanged) as error:
            return error

    def _by_amazon(self) -> RejectedByStore:
        why = "what lies in Amazon's warehouses is counted by Amazon alone"
        return RejectedByStore(why, store=self.api.name, field="quantity")

    async def _by_report(self) -> list[StockLevel]:
        """Read the report and the warehouses at the same time: the report is mostly waiting."""
        lines, in_warehouses = await asyncio.gather(read_report(self.api, LISTINGS), self._warehouses())
        levels = list(in_warehouses)
        for line in lines:
            channel, quantity = line.get("fulfillment-channel") or OWN, (line.get("quantity") or "").strip()
            if channel == OWN and sku_of(line.get("seller-sku")) is not None:
                levels.append(self._level(str(line["seller-sku"]), int(quantity) if quantity.isdecimal() else None))
        return levels

    async def _warehouses(self) -> list[StockLevel]:
        levels: list[StockLevel] = []
        token = ""
        while True:
            page = await self.api.inventory_page(token=token)
            levels += self._warehouse(page)
            token = str((page.get("pagination") or {}).get("nextToken") or "")
            if not token:
                return levels

    def _warehouse(self, page: Json) -> Iterator[StockLevel]:
        for one in (page.get("payload") or {}).get("inventorySummaries") or ():
            details = one.get("inventoryDetails") or {}
            if sku_of(one.get("sellerSku")) is not None:
                quantity = int(details.get("fulfillableQuantity", one.get("totalQuantity") or 0))
                yield self._level(str(one["sellerSku"]), quantity, is_by_amazon=True)

    async def _one(self, sku: str) -> list[Item]:
        try:
            return [await self._item(sku)]
        except NotFound:
            return []

    async def _item(self, sku: str) -> Item:
        return Item(await self.api.listing(sku, *INCLUDED.split(",")), self.api.marketplace)

    def _own(self, item: Item) -> StockLevel | None:
        return self._level(item.sku, item.own_quantity) if sku_of(item.sku) else None

    def _level(self, sku: str, quantity: int | None, *, is_by_amazon: bool = False) -> StockLevel:
        return StockLevel(
            self.api.transport.account.store.store_id,
            StockId(sku),
            Sku(sku),
            ListingId(sku),
            quantity,
            location=BY_AMAZON if is_by_amazon else "",
            is_writable=not is_by_amazon,
        )


def _message(number: int, write: StockWrite) -> Json:
    """Return a feed's message. `PRODUCT` is every product type's name where only the offer is touched."""
    return {
        "messageId": number,
        "sku": str(write.stock_id),
        "operationType": "PATCH",
        "productType": "PRODUCT",
        "patches": [quantity_patch(write.quantity)],
    }


def quantity_patch(quantity: int) -> Json:
    """Return the patch that changes the seller's own quantity and keeps its lead time and restock date.

    `merge` since June 2025; `replace` would wipe both.
    """
    value = {"fulfillment_channel_code": OWN, "quantity": quantity}
    return {"op": "merge", "path": "/attributes/fulfillment_availability", "value": [value]}


def _chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
