"""Etsy's own pitfalls with inventories and receipts (../shared/specs/STORES.md)."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.catalog import ListingId, Sku
from domain.errors import Ambiguous, RejectedByStore, StoreDown
from domain.trade import OrderState, PriceWrite, Shipment, StockLevel, StockWrite, TextWrite
from platforms.etsy.payloads import Inventory
from platforms.etsy.stock import body_of
from tests.fakes.etsy_goods import Listing, product
from tests.fakes.store_server import Fault
from tests.platforms.etsy_harness import EtsyHarness, open_etsy_shop

COLOUR, SIZE, STYLE = (200, "Colour"), (100, "Size"), (300, "Style")
BLUE, RED = (1, "Blue"), (2, "Red")
SMALL, LARGE = (11, "Small"), (12, "Large")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


# ---------------------------------------------------------------- inventory


def without_ids(inventory: dict[str, Any]) -> dict[str, Any]:
    """An inventory without what Etsy numbers anew at every write."""
    plain = deepcopy(inventory)
    for one in plain["products"]:
        del one["product_id"]
        for offering in one["offerings"]:
            del offering["offering_id"]
    return plain


async def test_a_write_keeps_every_product_property_and_processing_profile() -> None:
    async with open_etsy_shop() as shop:
        listing = _shirt(shop, on=(COLOUR[0], SIZE[0]))
        expected = without_ids(listing.inventory)
        await _set(shop, "SHIRT-RL", 40)
        expected["products"][3]["offerings"][0]["quantity"] = 40
        assert without_ids(listing.inventory) == expected
        assert {o["readiness_state_id"] for p in listing.inventory["products"] for o in p["offerings"]} == {77}


async def test_a_third_property_is_not_dropped() -> None:
    async with open_etsy_shop() as shop:
        three = product("TEE-1", 5, 3, (*COLOUR, *BLUE), (*SIZE, *SMALL), (*STYLE, 21, "Plain"))
        listing = shop.server.goods.add_listing("Tee", [three])
        await _set(shop, "TEE-1", 9)
        assert len(listing.inventory["products"][0]["property_values"]) == 3


async def test_a_quantity_that_colours_share_is_written_for_all_of_them() -> None:
    """Etsy refuses values that differ where `quantity_on_property` says they are one."""
    async with open_etsy_shop() as shop:
        listing = _shirt(shop, on=(COLOUR[0], SIZE[0]))
        listing.inventory["quantity_on_property"] = [SIZE[0]]
        for one in listing.inventory["products"]:
            one["offerings"][0]["quantity"] = 4 if "S" in one["sku"][-1] else 6
        await _set(shop, "SHIRT-BL", 2)
        counts = {one["sku"]: one["offerings"][0]["quantity"] for one in listing.inventory["products"]}
        assert counts == {"SHIRT-BS": 4, "SHIRT-BL": 2, "SHIRT-RS": 4, "SHIRT-RL": 2}


async def test_a_price_that_colours_share_is_written_for_all_of_them() -> None:
    async with open_etsy_shop() as shop:
        listing = _shirt(shop, on=(COLOUR[0], SIZE[0]))
        listing.inventory["price_on_property"] = []
        wish = PriceWrite(_id(listing), Sku("SHIRT-RS"), Decimal("7.35"), "EUR", was=Decimal(5))
        await shop.platform.set_price(wish)
        prices = {one["offerings"][0]["price"]["amount"] for one in listing.inventory["products"]}
        assert prices == {735}


@pytest.mark.parametrize(
    ("price", "currency", "was", "said"),
    [
        ("7.00", "USD", None, "sells in EUR"),
        ("7.00", "EUR", "9.99", "the price there is 18.5 now"),
        ("7.001", "EUR", None, "more decimals"),
    ],
)
async def test_a_price_that_makes_no_sense_is_refused_before_it_is_sent(
    price: str, currency: str, was: str | None, said: str
) -> None:
    async with open_etsy_shop() as shop:
        wish = PriceWrite(shop.listing_id, shop.sku, Decimal(price), currency, was=Decimal(was) if was else None)
        with pytest.raises(RejectedByStore, match=said) as caught:
            await shop.platform.set_price(wish)
        assert caught.value.field == "price"
        assert "updateListingInventory" not in shop.calls


async def test_a_sku_that_several_products_share_has_a_level_each() -> None:
    async with open_etsy_shop() as shop:
        both = [product("DUP", 5, 1, (*COLOUR, *BLUE)), product("DUP", 5, 2, (*COLOUR, *RED))]
        listing = shop.server.goods.add_listing("Twins", both, on=(COLOUR[0],))
        listing.inventory["sku_on_property"] = []
        levels = await shop.platform.read_stock([Sku("DUP")])
        assert [(level.location, level.quantity) for level in levels] == [("Blue", 1), ("Red", 2)]
        await shop.platform.set_stock(StockWrite("w", levels[1].stock_id, levels[1].sku, was=2, quantity=5))
        assert [one["offerings"][0]["quantity"] for one in listing.inventory["products"]] == [1, 5]


async def test_a_level_is_found_again_after_etsy_has_numbered_its_products_anew() -> None:
    async with open_etsy_shop() as shop:
        level = await _level(shop, "MUG-01-RED")
        await _set(shop, "MUG-01", 1)
        await shop.platform.set_stock(StockWrite("w", level.stock_id, level.sku, was=level.quantity, quantity=8))
        assert await shop.stock_at_store(Sku("MUG-01-RED")) == 8


@pytest.mark.parametrize("quantity", [1000, -1])
async def test_more_than_etsy_counts_is_refused(quantity: int) -> None:
    async with open_etsy_shop() as shop:
        level = await _level(shop, "MUG-01")
        with pytest.raises(RejectedByStore, match="0 to 999"):
            await shop.platform.set_stock(StockWrite("w", level.stock_id, level.sku, level.quantity, quantity))


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.LOST_500, Fault.EMPTY, Fault.TRUNCATED])
async def test_a_lost_answer_to_a_stock_write_is_settled_by_a_look(fault: Fault) -> None:
    async with open_etsy_shop() as shop:
        level = await _level(shop, "MUG-01")
        shop.server.fail(fault, operation="updateListingInventory")
        written = await shop.platform.set_stock(StockWrite("w", level.stock_id, level.sku, level.quantity, 3))
        assert written.quantity == 3
        assert shop.server.counted()["updateListingInventory"] == 1


async def test_a_stock_write_that_was_not_done_is_not_repeated_blindly() -> None:
    async with open_etsy_shop() as shop:
        level = await _level(shop, "MUG-01")
        wish = StockWrite("w", level.stock_id, level.sku, level.quantity, 3)
        shop.server.fail(Fault.CUT, operation="updateListingInventory")
        with pytest.raises(Ambiguous):
            await shop.platform.set_stock(wish)
        assert (await shop.platform.set_stock(wish)).quantity == 3


def test_what_is_sent_back_has_nothing_that_etsy_refuses() -> None:
    sold = product("A", 5, 1, (*COLOUR, *BLUE))
    gone = {**product("B", 5, 1, (*COLOUR, *RED)), "is_deleted": True}
    sold["offerings"].append({**sold["offerings"][0], "is_deleted": True, "quantity": 9})
    body = body_of(Inventory.model_validate({"products": [sold, gone], "sku_on_property": [COLOUR[0]]}))
    assert [one["sku"] for one in body["products"]] == ["A"]
    assert body["products"][0]["offerings"] == [
        {"price": 5.0, "quantity": 1, "is_enabled": True, "readiness_state_id": 77}
    ]
    assert body["sku_on_property"] == [COLOUR[0]]


# ---------------------------------------------------------------- receipts


async def test_orders_are_read_on_when_one_moves_to_the_end_between_two_pages() -> None:
    """With an offset, the order after the one that moved would never be seen."""
    async with open_etsy_shop() as shop:
        made = []
        for _ in range(150):
            made.append(await shop.sell(Sku("BOWL-01"), 0))
            shop.time.seconds += 1
        first = await shop.platform.orders_since(LONG_AGO)
        assert len(first.orders) == 100
        shop.time.seconds += 60
        moved = shop.server.goods.receipts[int(made[10])]
        moved["updated_timestamp"] = int(shop.time.now().timestamp())
        second = await shop.platform.orders_since(LONG_AGO, cursor=first.next_cursor)
        assert {order.order_id for order in (*first.orders, *second.orders)} == set(made)
        assert second.next_cursor is None


async def test_orders_of_one_second_are_read_on() -> None:
    async with open_etsy_shop() as shop:
        made = [await shop.sell(Sku("BOWL-01"), 0) for _ in range(250)]
        seen, cursor = [], None
        while True:
            page = await shop.platform.orders_since(LONG_AGO, cursor=cursor)
            seen += [order.order_id for order in page.orders]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert sorted(seen) == sorted(made)


async def test_nothing_about_a_buyer_is_kept() -> None:
    async with open_etsy_shop() as shop:
        order = await shop.platform.read_order(await shop.sell(shop.sku, 1))
        assert "Buyer" not in repr(order)
        assert "Secret Street" not in repr(order)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"is_paid": False, "status": "payment processing"}, OrderState.UNPAID),
        ({"status": "canceled"}, OrderState.CANCELLED),
        ({"status": "fully refunded"}, OrderState.CANCELLED),
        ({"status": "partially refunded"}, OrderState.OPEN),
        ({"status": "completed", "is_shipped": True}, OrderState.SHIPPED),
    ],
)
async def test_each_status_is_a_state(change: dict[str, Any], state: OrderState) -> None:
    async with open_etsy_shop() as shop:
        order_id = await shop.sell(shop.sku, 2)
        shop.server.goods.receipts[int(order_id)] |= change
        order = await shop.platform.read_order(order_id)
        assert order.state is state
        assert order.lines[0].cancelled == (2 if state is OrderState.CANCELLED else 0)
        assert order.lines[0].shipped == (2 if state is OrderState.SHIPPED else 0)
        assert order.ship_by is not None


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.LOST_500, Fault.LOST_HANG, Fault.EMPTY, Fault.TRUNCATED])
async def test_a_lost_answer_to_a_shipment_writes_to_the_buyer_once(fault: Fault) -> None:
    async with open_etsy_shop() as shop:
        shipment = Shipment("s1", await shop.sell(shop.sku, 1), "DHL", "0034")
        shop.server.fail(fault, operation="createReceiptShipment")
        assert (await shop.platform.mark_shipped(shipment)).state is OrderState.SHIPPED
        assert shop.mails_to_buyers() == 1


async def test_a_shipment_nobody_can_tell_of_is_put_to_a_person_and_never_sent_again_by_itself() -> None:
    async with open_etsy_shop() as shop:
        order_id = await shop.sell(shop.sku, 1)
        shop.server.fail(Fault.CUT, operation="createReceiptShipment")
        for _ in range(3):
            with pytest.raises(Ambiguous):
                await shop.platform.mark_shipped(Shipment("s1", order_id, "DHL", "0034"))
            shop.reopen()
        assert shop.server.counted()["createReceiptShipment"] == 1
        asked_anew = Shipment("s2", order_id, "DHL", "0034")
        assert (await shop.platform.mark_shipped(asked_anew)).state is OrderState.SHIPPED
        assert shop.mails_to_buyers() == 1


async def test_a_shipment_etsy_refused_can_be_sent_again() -> None:
    async with open_etsy_shop() as shop:
        order_id = await shop.sell(shop.sku, 1)
        with pytest.raises(RejectedByStore) as caught:
            await shop.platform.mark_shipped(Shipment("s1", order_id, "nobody-knows", "0034"))
        assert caught.value.field == "carrier"
        assert shop.mails_to_buyers() == 0
        assert (await shop.platform.mark_shipped(Shipment("s1", order_id, "", "0034"))).state is OrderState.SHIPPED
        assert shop.server.goods.receipts[int(order_id)]["shipments"][0]["carrier_name"] == "other"


async def test_a_cancelled_order_is_not_shipped() -> None:
    async with open_etsy_shop() as shop:
        order_id = await shop.sell(shop.sku, 1)
        shop.server.goods.receipts[int(order_id)]["status"] = "canceled"
        with pytest.raises(RejectedByStore, match="canceled"):
            await shop.platform.mark_shipped(Shipment("s1", order_id))
        assert shop.mails_to_buyers() == 0


async def test_a_title_etsy_refuses_says_which_field() -> None:
    async with open_etsy_shop() as shop:
        with pytest.raises(RejectedByStore, match="140 characters") as caught:
            await shop.platform.set_texts(TextWrite(shop.listing_id, title="x" * 141))
        assert caught.value.field == "title"


async def test_a_shop_that_does_not_answer_is_down() -> None:
    async with open_etsy_shop() as shop:
        shop.server.fail(Fault.UNAVAILABLE, operation="getShopReceipts", times=9)
        with pytest.raises(StoreDown):
            await shop.platform.orders_since(LONG_AGO)


def _shirt(shop: EtsyHarness, *, on: tuple[int, ...]) -> Listing:
    """A shirt in two colours and two sizes."""
    return shop.server.goods.add_listing(
        "Shirt",
        [
            product(f"SHIRT-{colour[1][0]}{size[1][0]}", 5, 3, (*COLOUR, *colour), (*SIZE, *size))
            for colour in (BLUE, RED)
            for size in (SMALL, LARGE)
        ],
        on=on,
    )


async def _level(shop: EtsyHarness, sku: str) -> StockLevel:
    [level] = await shop.platform.read_stock([Sku(sku)])
    return level


async def _set(shop: EtsyHarness, sku: str, quantity: int) -> None:
    level = await _level(shop, sku)
    await shop.platform.set_stock(StockWrite(f"set {sku}", level.stock_id, level.sku, level.quantity, quantity))


def _id(listing: Listing) -> ListingId:
    return ListingId(str(listing.listing_id))
