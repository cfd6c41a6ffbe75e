"""Etsy's stock and prices: the whole inventory is read, one thing in it changed, and all of it written back.

Etsy replaces a listing's inventory with what it is sent, and what is left out is gone (etsy/open-api issues 337,
159). So every product, property and `readiness_state_id` goes back as it came; what Etsy gave a name of its own
(`product_id`, `scale_name`, …) is not taken back and is left off. There is no compare-and-set: the look and the
write are two calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from domain.catalog import ListingId, Sku
from domain.errors import Ambiguous, NotFound, RejectedByStore, StockChanged
from domain.trade import PriceWrite, StockId, StockLevel, StockWrite
from platforms.etsy.api import EtsyApi
from platforms.etsy.listings import everything, known_places, living, offering_of, sku_of, values_of
from platforms.etsy.payloads import Inventory, Offering, Product

QUANTITY_MOST: Final = 999
"""What Etsy takes of one offering."""
FEW: Final = 20
"""So many listings are read one by one; a shop of 2,000 takes as many calls as a whole."""


async def read(api: EtsyApi, skus: Sequence[Sku]) -> Sequence[StockLevel]:
    """Return the levels of these SKUs: a call a listing where few are known to sell them, else the whole shop."""
    wanted = {sku.key for sku in skus}
    places = await known_places(api, skus)
    if places is None or len(places) > FEW:
        return [level for level in await read_all(api) if level.sku.key in wanted]
    levels: list[StockLevel] = []
    for listing_id in places:
        try:
            levels += _levels(api, listing_id, await api.get_listing_inventory(listing_id))
        except NotFound:
            continue
    return [level for level in levels if level.sku.key in wanted]


async def read_all(api: EtsyApi) -> Sequence[StockLevel]:
    """Return every level, a hundred listings a call."""
    return [
        level
        async for listing in everything(api)
        for level in _levels(api, ListingId(str(listing.listing_id)), listing.inventory or Inventory())
    ]


async def write(api: EtsyApi, wish: StockWrite) -> StockLevel:
    """Set one level, and every product that shares its quantity with it.

    Raises StockChanged, having written nothing; RejectedByStore(field="quantity").
    """
    if not 0 <= wish.quantity <= QUANTITY_MOST:
        raise RejectedByStore(f"it takes 0 to {QUANTITY_MOST} of one product", store=api.store.name, field="quantity")
    listing_id, _, mark = wish.stock_id.partition("|")
    inventory = await api.get_listing_inventory(ListingId(listing_id))
    found = _level(api, ListingId(listing_id), inventory, mark)
    if found is None or found.sku.key != wish.sku.key:
        raise NotFound(f"{api.store.name} sells no {wish.sku} there any more.", store=api.store.name)
    if found.quantity == wish.quantity:
        return found
    if found.quantity != wish.was:
        raise StockChanged(store=api.store.name, sku=wish.sku.value, found=found.quantity)
    shared = _sharing(inventory, mark, inventory.quantity_on_property)
    after = await _changed(
        api,
        ListingId(listing_id),
        inventory,
        shared,
        lambda offering: offering.model_copy(update={"quantity": wish.quantity}),
        lambda offering: offering.quantity == wish.quantity,
    )
    level = _level(api, ListingId(listing_id), after, mark)
    return level if level is not None else replace(found, quantity=wish.quantity)


async def write_price(api: EtsyApi, wish: PriceWrite) -> None:
    """Set the price of a SKU, and of every product that shares it.

    Raises RejectedByStore(field="price"), also for another currency than the shop's.
    """
    inventory = await api.get_listing_inventory(wish.listing_id)
    sold = [one for one in living(inventory) if _has(one, wish.sku)]
    if not sold:
        raise NotFound(f"{api.store.name} sells no {wish.sku} there any more.", store=api.store.name)
    offerings = [offering for one in sold if (offering := offering_of(one))]
    stands = {offering.price.value for offering in offerings}
    if wish.currency != offerings[0].price.currency_code:
        raise _refused_price(api, f"it sells in {offerings[0].price.currency_code}, not in {wish.currency}")
    if wish.was is not None and stands != {wish.was}:
        raise _refused_price(api, f"the price there is {min(stands)} now, not {wish.was}")
    if stands == {wish.price}:
        return
    divisor = offerings[0].price.divisor
    amount = wish.price * divisor
    if amount != amount.to_integral_value():
        raise _refused_price(api, f"{wish.price} has more decimals than {wish.currency} has")
    shared = {mark for one in sold for mark in _sharing(inventory, _mark(one), inventory.price_on_property)}
    await _changed(
        api,
        wish.listing_id,
        inventory,
        shared,
        lambda offering: offering.model_copy(
            update={"price": offering.price.model_copy(update={"amount": int(amount), "divisor": divisor})}
        ),
        lambda offering: offering.price.value == wish.price,
    )


def _refused_price(api: EtsyApi, why: str) -> RejectedByStore:
    return RejectedByStore(why, store=api.store.name, field="price")


async def _changed(
    api: EtsyApi,
    listing_id: ListingId,
    inventory: Inventory,
    marks: set[str],
    change: Callable[[Offering], Offering],
    is_so: Callable[[Offering], bool],
) -> Inventory:
    """Write the inventory back with some offerings changed, and return what Etsy then has.

    Raises Ambiguous only where the look afterwards does not tell either.
    """
    products = [
        one.model_copy(update={"offerings": tuple(change(offering) for offering in one.offerings)})
        if _mark(one) in marks
        else one
        for one in inventory.products
    ]
    body = body_of(inventory.model_copy(update={"products": tuple(products)}))
    variations = max((len(one.property_values) for one in products), default=0)
    try:
        after = await api.update_listing_inventory(listing_id, body, variations=variations)
    except Ambiguous:
        after = await api.get_listing_inventory(listing_id)
        if not _all_are(after, marks, is_so):
            raise
    if not _all_are(after, marks, is_so):
        raise RejectedByStore("it kept what was there", store=api.store.name, field="quantity")
    return after


def body_of(inventory: Inventory) -> dict[str, Any]:
    """Return an inventory as updateListingInventory takes it: nothing lost, nothing it would refuse."""
    return {
        "products": [
            {
                "sku": one.sku,
                "property_values": [
                    {
                        "property_id": value.property_id,
                        "property_name": value.property_name or "",
                        "scale_id": value.scale_id,
                        "value_ids": list(value.value_ids),
                        "values": list(value.values),
                    }
                    for value in one.property_values
                ],
                "offerings": [
                    {
                        "price": float(offering.price.value),
                        "quantity": offering.quantity,
                        "is_enabled": offering.is_enabled,
                        "readiness_state_id": offering.readiness_state_id,
                    }
                    for offering in one.offerings
                    if not offering.is_deleted
                ],
            }
            for one in living(inventory)
        ],
        "price_on_property": list(inventory.price_on_property),
        "quantity_on_property": list(inventory.quantity_on_property),
        "sku_on_property": list(inventory.sku_on_property),
        "readiness_state_on_property": list(inventory.readiness_state_on_property),
    }


def _levels(api: EtsyApi, listing_id: ListingId, inventory: Inventory) -> list[StockLevel]:
    products = living(inventory)
    keys = [sku.key for one in products if (sku := sku_of(one.sku))]
    levels = []
    for one in products:
        sku, offering = sku_of(one.sku), offering_of(one)
        if sku is not None and offering is not None:
            where = values_of(one) if keys.count(sku.key) > 1 else ""
            stock_id = StockId(f"{listing_id}|{_mark(one)}")
            levels.append(StockLevel(api.store.store_id, stock_id, sku, listing_id, offering.quantity, where))
    return levels


def _level(api: EtsyApi, listing_id: ListingId, inventory: Inventory, mark: str) -> StockLevel | None:
    return next((one for one in _levels(api, listing_id, inventory) if one.stock_id.endswith(f"|{mark}")), None)


def _mark(product: Product) -> str:
    """Return what a product is told by for good; Etsy gives it a new `product_id` when its listing is edited."""
    pairs = sorted((value.property_id, value.value_ids) for value in product.property_values)
    return ",".join(f"{number}={'+'.join(map(str, values))}" for number, values in pairs)


def _sharing(inventory: Inventory, mark: str, properties: Sequence[int]) -> set[str]:
    """Return the products whose quantity, or price, is one with this product's: it differs by `properties` only."""
    products = living(inventory)
    ours = next(one for one in products if _mark(one) == mark)

    def by(product: Product) -> dict[int, tuple[int, ...]]:
        return {
            value.property_id: value.value_ids for value in product.property_values if value.property_id in properties
        }

    return {_mark(one) for one in products if by(one) == by(ours)}


def _all_are(inventory: Inventory, marks: set[str], is_so: Callable[[Offering], bool]) -> bool:
    offerings = [offering_of(one) for one in living(inventory) if _mark(one) in marks]
    return len(offerings) == len(marks) and all(offering is not None and is_so(offering) for offering in offerings)


def _has(product: Product, sku: Sku) -> bool:
    return (found := sku_of(product.sku)) is not None and found.key == sku.key
