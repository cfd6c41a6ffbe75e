"""Shopify's own ways with listings, stock, orders and offers: searches, bulk files, keys, shipments, HTML."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.catalog import ImageId, ListingId, Sku
from domain.errors import NotFound, RejectedByStore
from domain.trade import OrderState, PriceWrite, Shipment, StockWrite, TextWrite
from tests.fakes.store_server import Fault
from tests.platforms.shopify_harness import ShopifyHarness, open_shopify


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyHarness]:
    async with open_shopify() as opened:
        assert isinstance(opened, ShopifyHarness)
        yield opened


async def test_the_search_finds_words_and_the_adapter_compares_whole_skus(shop: ShopifyHarness) -> None:
    shop.product.variants[0].sku = 'MUG 01 "L"'
    [listing] = await shop.platform.find_listings(Sku('mug 01 "l"'))
    assert listing.listing_id == shop.listing_id
    assert list(await shop.platform.find_listings(Sku("MUG"))) == []


async def test_variants_beyond_the_page_are_fetched(shop: ShopifyHarness) -> None:
    await shop.add_skus(10)
    product = list(shop.server.goods.products.values())[-1]
    product.variants = [shop._variant(9000 + number, f"CUP-{number}") for number in range(120)]
    [listing] = await shop.platform.find_listings(Sku("CUP-7"))
    assert len(listing.variants) == 120


async def test_a_large_catalogue_is_one_file_and_the_same_as_its_pages(shop: ShopifyHarness) -> None:
    await shop.add_skus(2000)
    begin = len(shop.calls)
    whole = await shop.platform.list_products(limit=100)
    assert whole.next_cursor is None
    assert [one for one in shop.calls[begin:] if not one.endswith("poll")] == [
        "accessToken",
        "Products",
        "BulkOperationRunQuery",
        "bulkFile",
    ]
    paged, cursor = [], None
    while True:
        page = await shop.platform.list_products(cursor=cursor, limit=50)
        paged += page.listings
        if (cursor := page.next_cursor) is None:
            break
    assert list(whole.listings) == paged


async def test_a_bulk_operation_that_fails_leaves_the_pages(shop: ShopifyHarness) -> None:
    await shop.add_skus(2000)
    shop.server.fail(Fault.CUT, operation="bulkFile", times=9)
    page = await shop.platform.list_products(limit=100)
    assert page.next_cursor is not None
    assert len(page.listings) == 10


async def test_a_stock_write_is_the_same_write_across_processes(shop: ShopifyHarness) -> None:
    [level] = await shop.platform.read_stock([shop.sku])
    write = StockWrite("w1", level.stock_id, level.sku, was=level.quantity, quantity=3)
    await shop.platform.swap_stock(write)
    await shop.sell(shop.sku, 1)
    shop.reopen()
    assert (await shop.platform.swap_stock(write)).quantity == 2, "the repeat wrote nothing"


async def test_a_key_that_was_used_for_another_write_is_refused(shop: ShopifyHarness) -> None:
    [level] = await shop.platform.read_stock([shop.sku])
    await shop.platform.swap_stock(StockWrite("w1", level.stock_id, level.sku, was=level.quantity, quantity=3))
    with pytest.raises(RejectedByStore, match="mismatch"):
        await shop.platform.swap_stock(StockWrite("w1", level.stock_id, level.sku, was=3, quantity=4))
    assert await shop.stock_at_store(shop.sku) == 3


async def test_a_negative_quantity_is_refused(shop: ShopifyHarness) -> None:
    [level] = await shop.platform.read_stock([shop.sku])
    with pytest.raises(RejectedByStore, match="negative"):
        await shop.platform.swap_stock(StockWrite("w1", level.stock_id, level.sku, was=level.quantity, quantity=-1))


async def test_a_stock_write_whose_answer_is_lost_is_asked_again_and_done_once(shop: ShopifyHarness) -> None:
    [level] = await shop.platform.read_stock([shop.sku])
    shop.server.fail(Fault.LOST, operation="InventorySetQuantities")
    write = StockWrite("w1", level.stock_id, level.sku, was=level.quantity, quantity=3)
    assert (await shop.platform.swap_stock(write)).quantity == 3
    assert len(shop.server.trade.writes) == 1


async def test_stock_in_bulk_is_what_stock_by_sku_is(shop: ShopifyHarness) -> None:
    shop.server.trade.locations[502] = "Shop floor"
    shop.product.variants[0].levels[502] = 2
    shop.product.variants[1].tracked = False
    in_bulk = await shop.platform.read_all_stock()
    by_sku = await shop.platform.read_stock([Sku("MUG-01"), Sku("MUG-01-RED"), Sku("BOWL-01")])
    assert sorted(in_bulk, key=str) == sorted(by_sku, key=str)
    assert {(one.location, one.quantity) for one in by_sku if one.sku == shop.sku} == {
        ("Warehouse", 7),
        ("Shop floor", 2),
    }
    assert next(one.quantity for one in by_sku if one.sku == shop.variation_sku) is None


async def test_what_was_taken_back_is_read_with_the_order(shop: ShopifyHarness) -> None:
    order_id = await shop.sell(shop.sku, 3)
    line = shop.server.trade.orders[order_id].lines[0]
    line.removed = line.restocked = 1
    [order] = (await shop.platform.orders_since(datetime(2026, 1, 1, tzinfo=UTC))).orders
    assert (order.lines[0].ordered, order.lines[0].cancelled, order.lines[0].restocked) == (3, 1, 1)
    assert await shop.platform.read_order(order_id) == order


async def test_an_unpaid_and_a_cancelled_order_say_so(shop: ShopifyHarness) -> None:
    order_id = await shop.sell(shop.sku, 1)
    shop.server.trade.orders[order_id].is_paid = False
    assert (await shop.platform.read_order(order_id)).state is OrderState.UNPAID
    shop.server.trade.orders[order_id].cancelled_at = shop.server.trade.now
    assert (await shop.platform.read_order(order_id)).state is OrderState.CANCELLED


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.LOST_500, Fault.EMPTY])
async def test_a_shipment_whose_answer_is_lost_is_not_sent_twice(shop: ShopifyHarness, fault: Fault) -> None:
    order_id = await shop.sell(shop.sku, 1)
    shop.server.fail(fault, operation="FulfillmentCreate")
    order = await shop.platform.mark_shipped(Shipment("s1", order_id, "DHL", "0034"))
    assert order.state is OrderState.SHIPPED
    assert shop.mails_to_buyers() == 1


async def test_a_price_that_changed_meanwhile_is_left_alone(shop: ShopifyHarness) -> None:
    write = PriceWrite(shop.listing_id, shop.sku, Decimal("21.90"), "EUR", was=Decimal("17.00"))
    with pytest.raises(RejectedByStore, match=r"18\.50") as caught:
        await shop.platform.set_price(write)
    assert caught.value.field == "price"
    assert shop.product.variants[0].price == "18.50"


async def test_a_description_becomes_paragraphs_and_a_refused_title_says_why(shop: ShopifyHarness) -> None:
    await shop.platform.set_texts(TextWrite(shop.listing_id, description="Large & blue.\nHolds 0.4 l.\n\nHand made."))
    assert shop.product.description == "<p>Large &amp; blue.<br>Holds 0.4 l.</p><p>Hand made.</p>"
    with pytest.raises(RejectedByStore, match="blank") as caught:
        await shop.platform.set_texts(TextWrite(shop.listing_id, title=""))
    assert caught.value.field == "title"


async def test_a_product_that_is_gone_is_not_found_by_any_write(shop: ShopifyHarness) -> None:
    gone = ListingId("gid://shopify/Product/404")
    with pytest.raises(NotFound):
        await shop.platform.set_texts(TextWrite(gone, title="Mug"))
    with pytest.raises(NotFound):
        await shop.platform.set_price(PriceWrite(gone, shop.sku, Decimal(1), "EUR"))
    with pytest.raises(NotFound):
        await shop.platform.remove_image(gone, ImageId("gid://shopify/MediaImage/1"))
