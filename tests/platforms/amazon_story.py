"""Every call the Amazon adapter makes, once: for whoever holds them against Amazon's own models."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from domain.catalog import ListingId, Sku
from domain.trade import PriceWrite, Shipment, StockId, StockWrite, TextWrite
from tests.platforms.amazon_harness import AmazonHarness
from tests.platforms.contract import ids, publish, restore


async def play(shop: AmazonHarness) -> None:
    """Look, publish, wait, undo, count, sell, ship, change: at the account of `open_amazon`."""
    platform, goods = shop.platform, shop.server.goods
    await platform.check()
    await platform.find_listings(shop.sku)
    await platform.list_products(limit=1)
    before, seen = await ids(shop), await shop.images_at_store()
    first = await publish(shop, "e1:1:s", replaces=before[0])
    second = await publish(shop, "e1:2:s", position=2, replaces=before[1])
    await platform.find_live("e1:1:s", shop.listing_id)
    await platform.find_live("e1:2:s", shop.listing_id)
    await restore(shop, "e1:1:s", ours=first.image_id, original=before[0], content=seen[0])
    await restore(shop, "e1:2:s", ours=second.image_id, original=before[1], content=seen[1], position=2)
    await platform.remove_image(shop.listing_id, before[2])
    level = (await platform.read_stock([shop.sku]))[0]
    await platform.set_stock(StockWrite("w", level.stock_id, shop.sku, was=level.quantity, quantity=9))
    await platform.set_price(PriceWrite(shop.listing_id, shop.sku, Decimal("21.90"), "EUR"))
    await platform.set_texts(TextWrite(shop.listing_id, title="Große Tasse", description="Für Kaffee."))
    order_ids = [await shop.sell(shop.sku, 1) for _ in range(3)]
    page = await platform.orders_since(shop.time.now() - timedelta(days=1))
    await platform.orders_since(shop.time.now() - timedelta(days=1), cursor=page.next_cursor)
    await platform.mark_shipped(Shipment("s1", order_ids[0], carrier="DHL", tracking_number="00340434161094000001"))
    await platform.mark_shipped(Shipment("s2", order_ids[1], carrier="Kurier Meier", tracking_number="77"))
    goods.items["BOWL-01"].channel = "AMAZON_EU"
    await platform.read_stock([Sku("BOWL-01")])
    await platform.read_all_stock()
    for number in range(201):
        goods.add_item(f"SKU-{number:03d}", "Cup", quantity=1, pictures=[])
    await platform.read_all_stock()
    skus = [Sku(f"SKU-{number:03d}") for number in range(60)]
    await platform.set_stock_of_many([StockWrite("f", StockId(one.value), one, was=1, quantity=4) for one in skus])
    assert (await platform.read_images(ListingId("SKU-001"))) == ()
    await platform.leave_notices("ORDER_CHANGE", "arn:aws:sqs:eu-west-1:444455556666:packshot")
    await platform.leave_notices("ORDER_CHANGE", "arn:aws:sqs:eu-west-1:444455556666:packshot")
