"""What an adapter with more powers must do: texts of pictures, stock, orders, prices. Each rule names its power."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain import powers
from domain.catalog import Sku, Variant
from domain.errors import NotFound, StockChanged
from domain.trade import OrderId, OrderState, PriceWrite, Shipment, StockLevel, StockWrite, TextWrite
from tests.platforms.contract import ids
from tests.platforms.harness import TradingHarness

TradeRule = Callable[[TradingHarness], Awaitable[None]]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def alt_text_changes_one_picture(shop: TradingHarness) -> None:
    assert isinstance(shop.platform, powers.WritesAltText)
    first, second, third = await shop.platform.read_images(shop.listing_id)
    changed = await shop.platform.set_alt_text(shop.listing_id, second.image_id, "Blaue Tasse & <Henkel>")
    assert changed.alt == "Blaue Tasse & <Henkel>"
    assert await shop.platform.read_images(shop.listing_id) == (first, changed, third)


async def a_removed_picture_leaves_the_others_in_order(shop: TradingHarness) -> None:
    assert isinstance(shop.platform, powers.RemovesImages)
    first, second, third = await ids(shop)
    for _ in range(2):
        await shop.platform.remove_image(shop.listing_id, second)
        assert await ids(shop) == [first, third]


async def reads_the_stock_of_the_skus_asked_for(shop: TradingHarness) -> None:
    assert isinstance(shop.platform, powers.ReadsStock)
    level = await _level(shop)
    assert level.quantity == await shop.stock_at_store(shop.sku)
    assert level.sku.key == shop.sku.key
    assert level.listing_id == shop.listing_id
    assert list(await shop.platform.read_stock([Sku("NO-SUCH-SKU")])) == []
    assert level in await shop.platform.read_all_stock()


async def stock_is_written_where_it_is_what_was_expected(shop: TradingHarness) -> None:
    level = await _level(shop)
    assert level.quantity is not None
    write = StockWrite("push-1", level.stock_id, level.sku, was=level.quantity, quantity=level.quantity + 5)
    assert (await _write(shop, write)).quantity == level.quantity + 5
    assert await shop.stock_at_store(shop.sku) == level.quantity + 5
    assert (await _level(shop)).quantity == level.quantity + 5


async def stock_that_was_sold_meanwhile_is_not_overwritten(shop: TradingHarness) -> None:
    level = await _level(shop)
    assert level.quantity is not None
    await shop.sell(shop.sku, 1)
    with pytest.raises(StockChanged) as caught:
        await _write(shop, StockWrite("push-1", level.stock_id, level.sku, was=level.quantity, quantity=50))
    assert caught.value.found == level.quantity - 1
    assert await shop.stock_at_store(shop.sku) == level.quantity - 1


async def one_stock_write_repeated_is_one_write(shop: TradingHarness) -> None:
    level = await _level(shop)
    write = StockWrite("push-1", level.stock_id, level.sku, was=level.quantity, quantity=3)
    assert await _write(shop, write) == await _write(shop, write)
    assert await shop.stock_at_store(shop.sku) == 3


async def writing_one_stock_leaves_every_other(shop: TradingHarness) -> None:
    assert isinstance(shop.platform, powers.ReadsStock)
    level = await _level(shop)
    before = {one.stock_id: one.quantity for one in await shop.platform.read_all_stock()}
    await _write(shop, StockWrite("push-1", level.stock_id, level.sku, was=level.quantity, quantity=3))
    after = {one.stock_id: one.quantity for one in await shop.platform.read_all_stock()}
    assert after == {**before, level.stock_id: 3}


async def many_stocks_are_written_at_once_and_each_is_told(shop: TradingHarness) -> None:
    assert isinstance(shop.platform, powers.SetsStockInBulk)
    assert isinstance(shop.platform, powers.ReadsStock)
    before = list(await shop.platform.read_all_stock())
    sold = await _level(shop)
    assert sold.quantity is not None
    await shop.sell(shop.sku, 1)
    writes = [StockWrite(f"push-{one.stock_id}", one.stock_id, one.sku, one.quantity, 40) for one in before]
    told = await shop.platform.set_stock_of_many(writes)
    assert len(told) == len(writes)
    for write, answer in zip(writes, told, strict=True):
        if write.stock_id == sold.stock_id:
            assert isinstance(answer, StockChanged)
            assert answer.found == sold.quantity - 1
        else:
            assert isinstance(answer, StockLevel)
            assert (answer.stock_id, answer.quantity) == (write.stock_id, 40)
    after = {one.stock_id: one.quantity for one in await shop.platform.read_all_stock()}
    assert after == {one.stock_id: 40 for one in before} | {sold.stock_id: sold.quantity - 1}


async def an_order_is_found_by_time_and_by_id(shop: TradingHarness) -> None:
    assert isinstance(shop.platform, powers.ReadsOrders)
    order_id = await shop.sell(shop.sku, 2)
    page = await shop.platform.orders_since(LONG_AGO)
    order = next(one for one in page.orders if one.order_id == order_id)
    assert order.state is OrderState.OPEN
    assert [(line.sku.key if line.sku else None, line.ordered) for line in order.lines] == [(shop.sku.key, 2)]
    assert order.ordered_at.tzinfo is not None
    assert await shop.platform.read_order(order_id) == order
    with pytest.raises(NotFound):
        await shop.platform.read_order(OrderId("0"))


async def orders_come_once_over_pages(shop: TradingHarness) -> None:
    assert isinstance(shop.platform, powers.ReadsOrders)
    made = {await shop.sell(shop.sku, 1) for _ in range(3)}
    seen: list[OrderId] = []
    cursor: str | None = None
    for _ in range(20):
        page = await shop.platform.orders_since(LONG_AGO, cursor=cursor)
        seen += [order.order_id for order in page.orders]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


async def an_order_is_shipped_once_and_the_buyer_told_once(shop: TradingHarness) -> None:
    assert isinstance(shop.platform, powers.ShipsOrders)
    order_id = await shop.sell(shop.sku, 1)
    shipment = Shipment("ship-1", order_id, carrier="DHL", tracking_number="00340434161094000001")
    first = await shop.platform.mark_shipped(shipment)
    assert first.state is OrderState.SHIPPED
    assert (await shop.platform.mark_shipped(shipment)).state is OrderState.SHIPPED
    assert shop.mails_to_buyers() == 1


async def a_price_is_set_for_one_sku(shop: TradingHarness) -> None:
    assert isinstance(shop.platform, powers.WritesPrices)
    before = await _variants(shop)
    ours = before[shop.sku.key]
    await shop.platform.set_price(PriceWrite(shop.listing_id, shop.sku, Decimal("21.90"), ours.currency))
    after = await _variants(shop)
    assert after.pop(shop.sku.key).price == Decimal("21.90")
    before.pop(shop.sku.key)
    assert after == before


async def a_title_is_set_and_nothing_else(shop: TradingHarness) -> None:
    assert isinstance(shop.platform, powers.WritesTexts)
    [before] = await shop.platform.find_listings(shop.sku)
    await shop.platform.set_texts(TextWrite(shop.listing_id, title="Große Tasse"))
    [after] = await shop.platform.find_listings(shop.sku)
    assert after.title == "Große Tasse"
    assert (after.variants, after.images) == (before.variants, before.images)


async def _level(shop: TradingHarness) -> StockLevel:
    assert isinstance(shop.platform, powers.ReadsStock)
    levels = await shop.platform.read_stock([shop.sku])
    assert len(levels) == 1, "the seeded SKU is kept in one place"
    return levels[0]


async def _write(shop: TradingHarness, write: StockWrite) -> StockLevel:
    if isinstance(shop.platform, powers.SwapsStock):
        return await shop.platform.swap_stock(write)
    assert isinstance(shop.platform, powers.SetsStock)
    return await shop.platform.set_stock(write)


async def _variants(shop: TradingHarness) -> dict[str, Variant]:
    [listing] = await shop.platform.find_listings(shop.sku)
    return {variant.sku.key: variant for variant in listing.variants}


_STOCK: tuple[TradeRule, ...] = (
    stock_is_written_where_it_is_what_was_expected,
    stock_that_was_sold_meanwhile_is_not_overwritten,
    one_stock_write_repeated_is_one_write,
    writing_one_stock_leaves_every_other,
)
TRADE_CONTRACT: dict[type[object], tuple[TradeRule, ...]] = {
    powers.WritesAltText: (alt_text_changes_one_picture,),
    powers.RemovesImages: (a_removed_picture_leaves_the_others_in_order,),
    powers.ReadsStock: (reads_the_stock_of_the_skus_asked_for,),
    powers.SwapsStock: _STOCK,
    powers.SetsStock: _STOCK,
    powers.SetsStockInBulk: (many_stocks_are_written_at_once_and_each_is_told,),
    powers.ReadsOrders: (an_order_is_found_by_time_and_by_id, orders_come_once_over_pages),
    powers.ShipsOrders: (an_order_is_shipped_once_and_the_buyer_told_once,),
    powers.WritesPrices: (a_price_is_set_for_one_sku,),
    powers.WritesTexts: (a_title_is_set_and_nothing_else,),
}
"""The rules of each power, run for every adapter that claims it."""
