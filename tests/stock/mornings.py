"""A shop that has sold for weeks, for tests of what it hears in the morning: goods and orders on the real shelf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.alerts import Level
from domain.catalog import ListingId, Sku
from domain.people import ChatName, Place
from domain.replies import Reply
from domain.rows import ShelfListing, ShelfVariant
from domain.stock_alert_replies import AlertLine, AlertsShown, DigestShown
from domain.stock_chart import DrawsCharts
from handlers.alert_tick import send_due, survey_due
from storage.tables import ShelfOrderRow
from tests.handlers.shop import Shop

TODAY = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
"""Seven in the morning in Berlin: an hour before the digest."""
PHONE = Place(ChatName.TELEGRAM, "4711")


async def open_for_weeks(shop: Shop, *, sells: Mapping[str, int], left: Mapping[str, int], days: int = 40) -> None:
    """Let each SKU of `sells` have sold so many a day until yesterday, and `left` be what stands there now."""
    shop.clock.now = TODAY
    async with shop.database.begin() as db_session:
        for sku, units in sells.items():
            for day in range(1, days + 1):
                db_session.add(
                    ShelfOrderRow(
                        order_id=f"order-{sku}-{day}",
                        store_id="shelf",
                        team_id=shop.team.team_id,
                        sku=sku,
                        quantity=units,
                        ordered_at=TODAY - timedelta(days=day),
                    )
                )
    for sku, quantity in left.items():
        await set_left(shop, sku, quantity)


async def set_left(shop: Shop, sku: str, quantity: int) -> None:
    """Change what stands on the shelf, as somebody would behind our back."""
    listing = (await shop.shelf_rows.by_sku(shop.shelf.store.store_id, Sku(sku)))[0]
    variant = next(one for one in listing.variants if one.sku.key == Sku(sku).key)
    done = await shop.shelf_rows.set_quantity(
        shop.shelf.store.store_id,
        listing.listing_id,
        variant.sku,
        was=variant.quantity,
        quantity=quantity,
        key=f"k{quantity}-{sku}-{shop.clock.now}",
    )
    assert done == (True, quantity)


async def put_variants(shop: Shop, title: str, quantities: Mapping[str, int], *, price_cents: int = 1000) -> None:
    """Sell one more product in several variants."""
    variants = tuple(
        ShelfVariant(Sku(sku), sku.rpartition("-")[2], price_cents, left) for sku, left in quantities.items()
    )
    handle = title.lower().replace(" ", "-")
    listing = ShelfListing(ListingId(f"listing-{handle}"), title, handle, "", variants, (), 1)
    assert await shop.shelf_rows.add_listing(shop.shelf.store.store_id, listing)


async def say(shop: Shop, words: str, *, by: str = "edith", place: Place | None = None) -> Reply:
    """Say something and return the one answer."""
    said = await (shop.send(words, by=by, place=place) if place else shop.send(words, by=by))
    assert len(said) == 1, said
    return said[0]


async def morning(shop: Shop, day: int = 0, *, hour: int = 7, charts: DrawsCharts | None = None) -> list[Reply]:
    """Let it be some minutes past eight in Berlin, `day` days later, and return what was said because of it."""
    shop.clock.now = TODAY.replace(hour=hour) + timedelta(days=day, minutes=3)
    mark = await shop.mark()
    desk = replace(shop.desk, charts=charts)
    await survey_due(desk)
    await send_due(desk)
    return list(await shop.said(mark))


def levels(digest: DigestShown) -> dict[str, Level]:
    """What it says of each product, by the first SKU."""
    return {line.skus[0]: Level(line.level) for line in digest.lines}


def line_of(digest: DigestShown, sku: str) -> AlertLine:
    """The line about a SKU."""
    return next(line for line in digest.lines if sku in line.skus)


async def a_digest(shop: Shop, day: int = 0, *, charts: DrawsCharts | None = None) -> DigestShown:
    said = await morning(shop, day, charts=charts)
    assert len(said) == 1, said
    assert isinstance(said[0], DigestShown)
    return said[0]


async def turned_on(shop: Shop, *, sells: dict[str, int], left: dict[str, int]) -> Shop:
    await open_for_weeks(shop, sells=sells, left=left)
    shown = await say(shop, "alerts on tz Europe/Berlin")
    assert isinstance(shown, AlertsShown)
    assert shown.is_on
    return shop
