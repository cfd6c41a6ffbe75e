"""Two shelves and a worker: what the tests of sync in a chat start from."""

from __future__ import annotations

from datetime import timedelta

from bot.stock_clock import tick
from domain.catalog import Sku
from domain.replies import Reply
from domain.sync_replies import RunAsked
from handlers.buttons import buttons
from tests.fakes import FakePlatform
from tests.handlers.shop import Shop

PLATE = Sku("PLATE-3")
HOUR = timedelta(hours=1, minutes=1)


def token(reply: Reply, words: str) -> str:
    """What the button that says so carries."""
    return next(one.token for one in buttons(reply) if words in one.label)


async def quantity(shop: Shop, sku: Sku, store: FakePlatform) -> int:
    return (await shop.listing(sku.value, at=store)).variants[0].quantity


async def on_hand(shop: Shop, sku: Sku) -> int:
    async with shop.desk.work.reading() as rows:
        return (await rows.stock.on_hand(shop.team.team_id, [sku]))[sku.key]


async def in_time(shop: Shop, later: timedelta = timedelta(seconds=10)) -> list[Reply]:
    """Let time pass, the clock ask for what is due, and the worker do it."""
    shop.clock.now += later
    mark = await shop.mark()
    await tick(shop.database, shop.desk)
    await shop.run_jobs()
    return await shop.said(mark)


async def agreed(shop: Shop) -> RunAsked:
    """Turn sync on and say yes to what the stores show."""
    asked = (await shop.send("sync on", by="april"))[-1]
    assert isinstance(asked, RunAsked)
    done = (await shop.send(by="april", token=token(asked, "Go ahead")))[-1]
    assert isinstance(done, RunAsked)
    assert done.state == "done"
    return asked


async def sell(shop: Shop, sku: Sku, pieces: int, *, at: FakePlatform) -> None:
    assert await shop.shelf_rows.sell(at.store.store_id, sku, pieces, now=shop.clock()) is not None


async def by_hand(shop: Shop, sku: Sku, pieces: int, *, at: FakePlatform) -> None:
    """Somebody types a number in the store's own pages."""
    listing = await shop.listing(sku.value, at=at)
    done = await shop.shelf_rows.set_quantity(
        at.store.store_id, listing.listing_id, sku, was=None, quantity=pieces, key=f"hand {pieces}"
    )
    assert done == (True, pieces)
