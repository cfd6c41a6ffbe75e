"""Everything the Shopify adapter can ask for, played once: what the schema and the independent server then judge."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

from domain.catalog import Sku
from domain.errors import RejectedByStore, StockChanged
from domain.trade import PriceWrite, Shipment, StockWrite, TextWrite
from tests.fakes.store_server import Fault
from tests.platforms.contract import publish, restore
from tests.platforms.shopify_harness import ShopifyHarness


async def play(shop: ShopifyHarness) -> None:
    """Look, publish, undo, fail once, write stock, sell, ship, change price and texts."""
    store, listing_id = shop.platform, shop.listing_id
    await store.check()
    await store.find_listings(shop.sku)
    await store.list_products(limit=1)
    await shop.add_skus(2000)
    await store.list_products(limit=100)
    shop.product.variants[1].medium = shop.product.media[0]
    main, content = (await store.read_images(listing_id))[0], (await shop.images_at_store())[0]
    ours = await publish(shop, "e1:1:s", replaces=main.image_id)
    await store.fetch_image(ours)
    await store.set_alt_text(listing_id, ours.image_id, "Blue mug")
    await restore(shop, "e1:1:s", ours=ours.image_id, original=main.image_id, content=content)
    shop.server.goods.moving_steps = 4  # longer than one look, so that the move is ordered again
    shop.server.fail(Fault.LOST, operation="SwapMedia")
    await publish(shop, "e4:1:s", position=2, replaces=(await store.read_images(listing_id))[1].image_id)
    shop.refuse_pictures("too large")
    with suppress(RejectedByStore):
        await publish(shop, "e2:1:s", replaces=main.image_id)
    appended = await publish(shop, "e3:1:s", position=9)
    await store.remove_image(listing_id, appended.image_id)

    [level] = await store.read_stock([shop.sku])
    await store.swap_stock(StockWrite("w1", level.stock_id, level.sku, was=level.quantity, quantity=5))
    with suppress(StockChanged):
        await store.swap_stock(StockWrite("w2", level.stock_id, level.sku, was=99, quantity=6))
    await store.read_all_stock()
    order_id = await shop.sell(Sku("MUG-01"), 1)
    await store.orders_since(datetime(2026, 1, 1, tzinfo=UTC))
    await store.mark_shipped(Shipment("s1", order_id, "DHL", "0034", "https://dhl.example/0034"))
    await store.set_price(PriceWrite(listing_id, shop.sku, Decimal("21.90"), "EUR"))
    await store.set_texts(TextWrite(listing_id, "Big mug", "One.\n\nTwo."))
    await store.revoke()
