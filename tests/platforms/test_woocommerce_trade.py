"""Stock, orders, prices and texts at WooCommerce: its pitfalls, on the fake shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

import pytest

from domain.catalog import Sku
from domain.errors import RejectedByStore, StockChanged
from domain.trade import OrderId, OrderState, PriceWrite, Shipment, StockId, StockWrite, TextWrite
from platforms.woocommerce.api import SKU_CHARS_MOST
from tests.fakes.store_server import Fault
from tests.platforms.woocommerce_harness import WooHarness, open_woo

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def shop() -> AsyncIterator[WooHarness]:
    async with open_woo() as opened:
        yield cast(WooHarness, opened)


# ---------------------------------------------------------------- stock


async def test_a_variation_that_leaves_its_stock_to_the_product_shares_its_handle(shop: WooHarness) -> None:
    state = shop.server.state
    product = state.add_product(type="variable", name="Tea", manage_stock=True, stock_quantity=30)
    for sku in ("TEA-50", "TEA-100"):
        state.add_variation(product, sku=sku)
    levels = await shop.platform.read_stock([Sku("TEA-50"), Sku("TEA-100")])
    assert {(level.stock_id, level.quantity) for level in levels} == {(str(product), 30)}
    write = StockWrite("w", levels[0].stock_id, levels[0].sku, was=30, quantity=12)
    assert (await shop.platform.set_stock(write)).quantity == 12
    assert state.rows[product]["stock_quantity"] == 12


async def test_what_the_shop_does_not_count_is_not_writable_and_says_what_to_do(shop: WooHarness) -> None:
    loose = shop.server.state.add_product(sku="LOOSE")
    [level] = await shop.platform.read_stock([Sku("LOOSE")])
    assert (level.quantity, level.is_writable) == (None, False)
    with pytest.raises(RejectedByStore, match="Track stock quantity"):
        await shop.platform.set_stock(StockWrite("w", StockId(str(loose)), level.sku, was=None, quantity=3))


async def test_a_delta_is_never_sent(shop: WooHarness) -> None:
    [level] = await shop.platform.read_stock([shop.sku])
    await shop.platform.set_stock(StockWrite("w", level.stock_id, level.sku, was=level.quantity, quantity=9))
    assert [seen.json() for seen in shop.server.calls if seen.method == "PUT"] == [{"stock_quantity": 9}]


async def test_a_sale_between_write_and_answer_is_told(shop: WooHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    [level] = await shop.platform.read_stock([shop.sku])
    change = shop.server._change

    def sold_at_once(row: dict[str, object], wanted: dict[str, object]) -> object:
        done = change(row, wanted)
        row["stock_quantity"] = 8
        return done

    monkeypatch.setattr(type(shop.server), "_change", lambda _self, row, wanted: sold_at_once(row, wanted))
    with pytest.raises(StockChanged) as caught:
        await shop.platform.set_stock(StockWrite("w", level.stock_id, level.sku, was=level.quantity, quantity=9))
    assert caught.value.found == 8


async def test_before_10_3_variations_are_read_product_by_product(shop: WooHarness) -> None:
    new = await shop.platform.read_all_stock()
    shop.server.has_all_variations = False
    assert await shop.platform.read_all_stock() == new
    assert shop.server.operations[-1] == "listProductVariations"


async def test_many_skus_are_asked_for_in_addresses_that_fit(shop: WooHarness) -> None:
    await shop.add_skus(250)
    wanted = [Sku(row["sku"]) for row in shop.server.state.rows.values() if row["sku"]]
    wanted += [Sku(f"{'long-' * 12}{number}") for number in range(100)]
    shop.server.calls.clear()
    levels = await shop.platform.read_stock(wanted)
    assert len(levels) == len(wanted) - 100
    asked = [seen.query["sku"] for seen in shop.server.calls]
    assert max(len(one) for one in asked) <= SKU_CHARS_MOST
    assert len(asked) < 8


async def test_one_row_that_is_gone_leaves_a_batch_whole(shop: WooHarness) -> None:
    levels = await shop.platform.read_all_stock()
    gone = StockWrite("w0", StockId("999"), Sku("GONE"), was=None, quantity=1)
    lost = StockWrite("w1", StockId("999/1000"), Sku("LOST"), was=None, quantity=1)
    writes = [gone, *(StockWrite("w", one.stock_id, one.sku, one.quantity, 5) for one in levels), lost]
    told = await shop.platform.set_stock_of_many(writes)
    assert [type(one).__name__ for one in told] == ["NotFound", *(["StockLevel"] * len(levels)), "NotFound"]


# ---------------------------------------------------------------- orders


async def test_orders_of_one_second_come_once_over_pages(shop: WooHarness) -> None:
    state = shop.server.state
    made = [state.place_order("BOWL-01", 0) for _ in range(130)]
    for order in made[40:125]:
        state.orders[order]["date_modified_gmt"] = state.orders[made[40]]["date_modified_gmt"]
    seen, cursor = [], None
    while True:
        page = await shop.platform.orders_since(LONG_AGO, cursor=cursor)
        seen += [int(order.order_id) for order in page.orders]
        if (cursor := page.next_cursor) is None:
            break
    assert sorted(seen) == made
    assert len(seen) == len(set(seen))


async def test_an_order_changed_between_two_pages_hides_no_other(shop: WooHarness) -> None:
    state = shop.server.state
    made = [state.place_order("BOWL-01", 0) for _ in range(120)]
    first = await shop.platform.orders_since(LONG_AGO)
    state.orders[made[0]]["date_modified_gmt"] = state.tick()
    second = await shop.platform.orders_since(LONG_AGO, cursor=first.next_cursor)
    seen = [int(order.order_id) for page in (first, second) for order in page.orders]
    assert set(seen) == set(made)


async def test_an_order_changed_in_the_very_second_is_among_them(shop: WooHarness) -> None:
    order = await shop.platform.read_order(await shop.sell(shop.sku, 1))
    page = await shop.platform.orders_since(order.changed_at)
    assert [one.order_id for one in page.orders] == [order.order_id]


async def test_nobody_asks_who_the_buyer_is(shop: WooHarness) -> None:
    order_id = await shop.sell(shop.sku, 1)
    await shop.platform.orders_since(LONG_AGO)
    await shop.platform.read_order(order_id)
    asked = [seen.query["_fields"] for seen in shop.server.calls]
    assert asked
    assert not any(word in fields for fields in asked for word in ("billing", "shipping", "customer", "meta_data"))


async def test_a_refund_counts_as_cancelled_in_its_line(shop: WooHarness) -> None:
    order_id = await shop.sell(shop.sku, 3)
    shop.server.state.refund(int(order_id), 2)
    [line] = (await shop.platform.read_order(order_id)).lines
    assert (line.ordered, line.cancelled, line.shipped) == (3, 2, 0)


@pytest.mark.parametrize(
    ("status", "state"),
    [("pending", OrderState.UNPAID), ("on-hold", OrderState.UNPAID), ("failed", OrderState.CANCELLED),
     ("refunded", OrderState.CANCELLED), ("packed-by-plugin", OrderState.OPEN)],
)  # fmt: skip
async def test_what_cannot_be_sent_is_not_completed(status: str, state: OrderState, shop: WooHarness) -> None:
    order_id = OrderId(str(shop.server.state.place_order("MUG-01", 1, status=status)))
    assert (await shop.platform.read_order(order_id)).state is state
    if state is not OrderState.OPEN:
        with pytest.raises(RejectedByStore):
            await shop.platform.mark_shipped(Shipment("s", order_id))
        assert shop.mails_to_buyers() == 0


@pytest.mark.parametrize(
    ("status", "holds"), [("pending", False), ("failed", False), ("on-hold", True), ("processing", True)]
)
async def test_stock_is_taken_when_an_order_is_paid_or_put_on_hold(status: str, holds: bool, shop: WooHarness) -> None:
    order_id = OrderId(str(shop.server.state.place_order("MUG-01", 1, status=status)))
    assert (await shop.platform.read_order(order_id)).holds_stock is holds


async def test_what_a_completed_order_gives_money_back_for_had_left(shop: WooHarness) -> None:
    number = shop.server.state.place_order("MUG-01", 2, status="completed")
    shop.server.state.refund(number, 1)
    [line] = (await shop.platform.read_order(OrderId(str(number)))).lines
    assert (line.ordered, line.cancelled, line.shipped) == (2, 1, 2)


async def test_a_basket_at_the_till_is_no_order(shop: WooHarness) -> None:
    shop.server.state.place_order("MUG-01", 1, status="checkout-draft")
    assert (await shop.platform.orders_since(LONG_AGO)).orders == ()


async def test_tracking_goes_with_the_one_mail(shop: WooHarness) -> None:
    order_id = await shop.sell(shop.sku, 1)
    await shop.platform.mark_shipped(Shipment("s", order_id, "DHL", "0034", "https://dhl.example/0034"))
    [entry] = shop.server.state.orders[int(order_id)]["meta_data"]
    assert entry["key"] == "_wc_shipment_tracking_items"
    assert entry["value"][0]["tracking_number"] == "0034"
    assert shop.mails_to_buyers() == 1


async def test_a_lost_answer_is_read_back_before_a_buyer_is_written_to_again(shop: WooHarness) -> None:
    order_id = await shop.sell(shop.sku, 1)
    shop.server.fail(Fault.LOST, operation="updateOrder")
    order = await shop.platform.mark_shipped(Shipment("s", order_id))
    assert order.state is OrderState.SHIPPED
    assert [line.shipped for line in order.lines] == [1]
    assert shop.mails_to_buyers() == 1


# ---------------------------------------------------------------- prices and texts


async def test_a_price_hidden_by_a_sale_is_not_set(shop: WooHarness) -> None:
    shop.server.state.add_product(sku="SALE", sale_price="5.00")
    [listing] = await shop.platform.find_listings(Sku("SALE"))
    write = PriceWrite(listing.listing_id, Sku("SALE"), Decimal("12.00"), "EUR")
    for wrong, words in (
        (write, "end the sale first"),
        (replace(write, currency="USD"), "sells in EUR"),
        (replace(write, was=Decimal("6.00")), "costs 5.00 EUR now"),
    ):
        with pytest.raises(RejectedByStore, match=words) as caught:
            await shop.platform.set_price(wrong)
        assert caught.value.field == "price"
    assert all(seen.method == "GET" for seen in shop.server.calls)


async def test_texts_keep_what_looks_like_a_tag(shop: WooHarness) -> None:
    text = "Fits 1 < 2 & <big> mugs.\n\nSecond part."
    await shop.platform.set_texts(TextWrite(shop.listing_id, title="Mug <big> & small", description=text))
    [listing] = await shop.platform.find_listings(shop.sku)
    assert listing.title == "Mug <big> & small"


async def test_a_text_that_is_not_given_is_left_alone(shop: WooHarness) -> None:
    await shop.platform.set_texts(TextWrite(shop.listing_id))
    assert shop.server.calls == []
