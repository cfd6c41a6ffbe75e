"""Everything the Etsy adapter can ask for, played once: what the definition and the independent server then judge."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

from domain.catalog import Sku
from domain.errors import RejectedByStore
from domain.trade import PriceWrite, Shipment, StockWrite, TextWrite
from tests.platforms.contract import publish, restore
from tests.platforms.etsy_harness import COLOUR, EtsyHarness


async def play(shop: EtsyHarness) -> None:
    """Look, publish, undo, fail once, write stock, sell, ship, change price and texts."""
    store, listing_id = shop.platform, shop.listing_id
    await store.check()
    await store.find_listings(shop.sku)
    await store.find_listings(shop.sku)
    await store.list_products(limit=1)
    main, content = (await store.read_images(listing_id))[0], (await shop.images_at_store())[0]
    listing = shop.server.goods.listings[int(listing_id)]
    listing.links = [{"property_id": COLOUR, "value_id": 1, "image_id": int(main.image_id)}]
    ours = await publish(shop, "e1:1:s", replaces=main.image_id)
    await store.fetch_image(ours)
    await store.set_alt_text(listing_id, ours.image_id, "Blaue Tasse & <Henkel>")
    await restore(shop, "e1:1:s", ours=ours.image_id, original=main.image_id, content=content)
    shop.refuse_pictures("The image is too blurred")
    with suppress(RejectedByStore):
        await publish(shop, "e2:1:s", replaces=main.image_id)
    appended = await publish(shop, "e3:1:s", position=9)
    await store.remove_image(listing_id, appended.image_id)

    [level] = await store.read_stock([shop.sku])
    await store.set_stock(StockWrite("w1", level.stock_id, level.sku, was=level.quantity, quantity=5))
    await store.read_all_stock()
    order_id = await shop.sell(Sku("MUG-01"), 1)
    await store.orders_since(datetime(2026, 1, 1, tzinfo=UTC))
    await store.mark_shipped(Shipment("s1", order_id, "DHL", "0034"))
    await store.set_price(PriceWrite(listing_id, shop.sku, Decimal("21.90"), "EUR"))
    await store.set_texts(TextWrite(listing_id, "Big mug", "One.\n\nTwo."))
