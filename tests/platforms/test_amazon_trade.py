"""Amazon's keys, limits, stock and orders: 403s that say nothing, a bucket for every operation, warehouses of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from domain.catalog import ListingId, Sku
from domain.errors import (
    Ambiguous,
    BadInput,
    MissingScope,
    NeedsReconnect,
    NotFound,
    NotPossible,
    RejectedByStore,
    StockChanged,
)
from domain.trade import OrderState, Shipment, StockId, StockLevel, StockWrite
from platforms.amazon.descriptor import DESCRIPTOR, clean
from platforms.amazon.marketplaces import MARKETPLACES, REGIONS, endpoint
from tests.fakes.amazon import LISTING_ROLE, ORDER_ROLE, RATES
from tests.fakes.store_server import Fault
from tests.platforms.amazon_harness import AmazonHarness, open_amazon
from tests.platforms.contract import ids, publish


@pytest.fixture
async def shop() -> AsyncIterator[AmazonHarness]:
    async with open_amazon() as opened:
        yield opened


# ---------------------------------------------------------------- keys and limits


async def test_a_missing_role_is_named_after_another_token_was_tried(shop: AmazonHarness) -> None:
    shop.server.roles = {LISTING_ROLE}
    with pytest.raises(MissingScope) as caught:
        await shop.platform.read_order(await shop.sell(shop.sku, 1))
    assert caught.value.scope == ORDER_ROLE
    assert shop.calls.count("getToken") == 2


async def test_an_ended_token_is_renewed_once_for_everybody(shop: AmazonHarness) -> None:
    await ids(shop)
    await shop.time.sleep(3601)
    await asyncio.gather(*(ids(shop) for _ in range(8)))
    assert shop.calls.count("getToken") == 2


async def test_an_app_secret_that_ended_says_so(shop: AmazonHarness) -> None:
    shop.server.client_secret = "a newer one"
    with pytest.raises(NeedsReconnect, match="180 days"):
        await shop.platform.check()


@pytest.mark.parametrize(("since", "is_warned"), [("2026-11-01", False), ("2026-06-01", True)])
async def test_the_app_secret_is_warned_of_a_month_before_it_ends(
    shop: AmazonHarness, since: str, is_warned: bool
) -> None:
    shop.more["secret_since"] = since
    shop.reopen()
    health = await shop.platform.check()
    assert health.key_expires_at is not None
    assert any("client secret ends" in note for note in health.notes) == is_warned


async def test_a_marketplace_where_nobody_sells_is_said(shop: AmazonHarness) -> None:
    shop.more["marketplace"] = "ATVPDKIKX0DER"
    shop.reopen()
    with pytest.raises(NotFound, match=r"amazon\.com"):
        await shop.platform.check()


def test_each_region_and_its_sandbox_has_an_address() -> None:
    assert endpoint("na") == "https://sellingpartnerapi-na.amazon.com"
    assert endpoint("eu-sandbox") == "https://sandbox.sellingpartnerapi-eu.amazon.com"
    assert {one.region for one in MARKETPLACES} == set(REGIONS)
    assert len({one.marketplace_id for one in MARKETPLACES}) == len(MARKETPLACES)


def test_what_was_typed_is_put_into_shape() -> None:
    typed = {"marketplace": " de ", "client_secret": "s", "region": "eu-sandbox"}
    given = clean(typed)
    assert given["marketplace"] == "A1PA6795UKMFR9"
    assert given["secret_since"]
    assert clean({"marketplace": "gb"})["marketplace"] == "A1F83G8C2ARO7P"
    for wrong in ({"marketplace": "Atlantis"}, {"region": "moon"}, {"secret_since": "soon"}):
        with pytest.raises(BadInput):
            clean(wrong)
    with pytest.raises(NotPossible, match="refresh_token"):
        DESCRIPTOR.require(DESCRIPTOR.complete(given, {}))


async def test_a_hundred_publishes_keep_the_limits_and_waste_no_time(shop: AmazonHarness) -> None:
    goods = shop.server.goods
    skus = [f"CUP-{number:03d}" for number in range(100)]
    for sku in skus:
        goods.add_item(sku, "Cup", quantity=1, pictures=[b"\xff\xd8" + sku.encode()])
    await ids(shop)
    started = shop.time.monotonic()
    for sku in skus:
        shop.listing_id = ListingId(sku)
        await publish(shop, f"{sku}:1:s", replaces=(await ids(shop))[0])
    calls = shop.server.counted()
    least_s = max((calls[name] - burst) / per_s for name, (per_s, burst) in RATES.items())
    assert calls["patchListingsItem"] == 200
    assert shop.server.limits.refused == 0
    assert shop.time.monotonic() - started <= 1.15 * least_s


async def test_the_header_slows_one_operation_down_before_amazon_does(shop: AmazonHarness) -> None:
    shop.server.slow_down(0.2)
    await ids(shop)
    for _ in range(30):
        await ids(shop)
    assert shop.server.limits.refused <= 1, "the burst of the slower account was spent while we believed the models"


# ---------------------------------------------------------------- stock, orders


async def test_what_lies_in_amazons_warehouses_is_read_and_never_written(shop: AmazonHarness) -> None:
    shop.server.goods.items["MUG-01"].channel = "AMAZON_EU"
    [level] = await shop.platform.read_stock([shop.sku])
    assert (level.quantity, level.is_writable, level.location) == (7, False, "FBA")
    assert level in await shop.platform.read_all_stock()
    with pytest.raises(RejectedByStore, match="warehouses"):
        await shop.platform.set_stock(StockWrite("w", level.stock_id, level.sku, was=7, quantity=9))
    assert shop.server.goods.items["MUG-01"].quantity == 7


async def test_a_stock_write_keeps_what_stands_beside_the_quantity(shop: AmazonHarness) -> None:
    shop.server.goods.items["MUG-01"].attributes["fulfillment_availability"] = {
        "fulfillment_channel_code": "DEFAULT",
        "quantity": 7,
        "lead_time_to_ship_max_days": 3,
    }
    await shop.platform.set_stock(StockWrite("w", StockId("MUG-01"), shop.sku, was=7, quantity=9))
    assert shop.server.goods.items["MUG-01"].attributes["fulfillment_availability"]["lead_time_to_ship_max_days"] == 3
    assert shop.server.goods.items["MUG-01"].quantity == 9


@pytest.mark.parametrize(("channel", "most"), [("AMAZON_EU", 210), ("DEFAULT", 210)])
async def test_the_stock_of_ten_thousand_skus_takes_few_calls(shop: AmazonHarness, channel: str, most: int) -> None:
    goods = shop.server.goods
    goods.items.clear()
    for number in range(10_000):
        goods.add_item(f"SKU-{number:05d}", "Größe M", quantity=number % 7, pictures=[]).channel = channel
    begin = len(shop.calls)
    levels = await shop.platform.read_all_stock()
    made = [name for name in shop.calls[begin:] if name not in {"getToken", "getReport poll"}]
    assert len({level.sku.key for level in levels}) == len(levels) == 10_000
    assert {level.sku.value: level.quantity for level in levels} == {
        item.sku: item.quantity for item in goods.items.values()
    }
    assert len(made) <= most
    assert shop.server.limits.refused == 0


async def test_many_quantities_are_written_by_one_feed_and_each_is_told(shop: AmazonHarness) -> None:
    goods = shop.server.goods
    for number in range(100):
        goods.add_item(f"SKU-{number:03d}", "Cup", quantity=number, pictures=[])
    goods.items["SKU-002"].channel = "AMAZON_EU"
    writes = [
        StockWrite("w", StockId(sku), Sku(sku), was=one.quantity, quantity=50) for sku, one in goods.items.items()
    ]
    writes.append(StockWrite("w", StockId("NO-SUCH"), Sku("NO-SUCH"), was=1, quantity=50))
    goods.items["SKU-001"].quantity = 9
    goods.refused_in_feeds = {"SKU-003"}
    begin = len(shop.calls)
    told = await shop.platform.set_stock_of_many(writes)
    by_sku = dict(zip((write.sku.value for write in writes), told, strict=True))
    odd = {sku: type(one) for sku, one in by_sku.items() if not isinstance(one, StockLevel)}
    assert odd == {
        "SKU-001": StockChanged, "SKU-002": RejectedByStore, "SKU-003": RejectedByStore, "NO-SUCH": NotFound,
    }  # fmt: skip
    assert {sku: item.quantity for sku, item in goods.items.items() if item.quantity != 50} == {
        "SKU-001": 9, "SKU-002": 2, "SKU-003": 3,
    }  # fmt: skip
    names = [name for name in shop.calls[begin:] if name not in {"getToken", "getFeed poll", "searchListingsItems"}]
    assert names == [
        "getInventorySummaries", "createFeedDocument", "upload", "createFeed", "getFeedDocument", "download",
    ]  # fmt: skip


async def test_a_shipment_whose_answer_is_lost_is_looked_up_and_sent_once(shop: AmazonHarness) -> None:
    order_id = await shop.sell(shop.sku, 2)
    shop.server.fail(Fault.LOST, operation="confirmShipment")
    order = await shop.platform.mark_shipped(Shipment("s", order_id, carrier="Kurier", tracking_number="1Z"))
    assert order.state is OrderState.SHIPPED
    assert shop.mails_to_buyers() == 1


async def test_a_shipment_nobody_can_judge_is_put_to_a_person(shop: AmazonHarness) -> None:
    order_id = await shop.sell(shop.sku, 2)
    shop.server.fail(Fault.CUT, operation="confirmShipment")
    with pytest.raises(Ambiguous):
        await shop.platform.mark_shipped(Shipment("s", order_id, carrier="DHL", tracking_number="1Z"))
    assert shop.mails_to_buyers() == 0


async def test_an_order_amazon_sends_itself_and_one_without_a_number_are_refused(shop: AmazonHarness) -> None:
    order_id = await shop.sell(shop.sku, 2)
    with pytest.raises(RejectedByStore, match="tracking number"):
        await shop.platform.mark_shipped(Shipment("s", order_id))
    shop.server.goods.orders[order_id]["fulfillment"]["fulfilledBy"] = "AMAZON"
    with pytest.raises(RejectedByStore, match="itself"):
        await shop.platform.mark_shipped(Shipment("s", order_id, carrier="DHL", tracking_number="1Z"))


async def test_no_order_asks_for_a_buyer(shop: AmazonHarness) -> None:
    await shop.platform.read_order(await shop.sell(shop.sku, 1))
    await shop.platform.orders_since(shop.time.now() - timedelta(days=1))
    asked = {seen.query["includedData"] for seen in shop.server.calls if "rder" in seen.operation}
    assert asked == {"FULFILLMENT"}


async def test_a_second_parcel_is_no_correction_of_the_first(shop: AmazonHarness) -> None:
    order_id = await shop.sell(shop.sku, 3)
    order = shop.server.goods.orders[order_id]
    line = order["orderItems"][0]["orderItemId"]
    first = {"packageReferenceId": "1", "trackingNumber": "A1", "orderItems": [{"orderItemId": line, "quantity": 1}]}
    shop.server.goods.ship(order, first, shop.server.moment())
    sent = await shop.platform.mark_shipped(Shipment("s", order_id, carrier="DHL", tracking_number="B2"))
    assert (sent.state, sent.lines[0].shipped) == (OrderState.SHIPPED, 3)
    assert [one["packageReferenceId"] for one in order["packages"]] == ["1", "2"]
    order["fulfillment"]["fulfillmentStatus"] = "UNSHIPPED"  # Amazon tells of it minutes later
    await shop.platform.mark_shipped(Shipment("s", order_id, carrier="DHL", tracking_number="B2"))
    assert shop.mails_to_buyers() == 2
