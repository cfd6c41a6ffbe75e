"""Four stores with the same goods for benchmarks/stock.py: the real adapters over the fakes, each on a socket of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert

from domain.catalog import Sku, Store, StoreId
from domain.connection import Contact
from domain.errors import NotFound
from domain.ports import StorePlatform
from domain.recipe import PictureRules
from platforms.buckets import WHOLE_ACCOUNT, Rate
from platforms.registry import RULES
from platforms.transport import Patience
from storage.database import Database
from storage.tables import StoreRow, TeamRow
from tests.fakes.amazon import RATES as AMAZON_RATES
from tests.fakes.etsy_goods import product
from tests.fakes.shopify_shop import ShopProduct, ShopVariant
from tests.fakes.store_server import StoreServer
from tests.fakes.store_side import HandTime, make_transports
from tests.platforms.amazon_harness import AmazonHarness, open_amazon
from tests.platforms.etsy_harness import EtsyHarness, open_etsy_shop
from tests.platforms.shopify_harness import ShopifyHarness, open_shopify
from tests.platforms.woocommerce_harness import WooHarness, open_woo

TEAM = "team-1"
PATIENT = Patience(read_s=120.0, total_s=300.0, backoff_s=0.0, backoff_most_s=0.0)
"""The fakes share two cores with us: their slowness is none of the stores'."""
LIMITS = {
    "woocommerce": {WHOLE_ACCOUNT: Rate(5.0, 10.0)},
    "etsy": {WHOLE_ACCOUNT: Rate(10.0, 10.0)},
    "amazon": {operation: Rate(*rate) for operation, rate in AMAZON_RATES.items()},
}
"""As in benchmarks/calls.py; Shopify's fake counts its points itself."""


class RealTime(HandTime):
    """The clock on the wall."""

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class Corner:
    """One store: its harness, and how many buyers can buy of a SKU there."""

    name: str
    harness: Any
    shows: Callable[[str], int]

    @property
    def platform(self) -> StorePlatform:
        """The adapter."""
        platform: StorePlatform = self.harness.platform
        return platform

    @property
    def server(self) -> StoreServer:
        """The fake."""
        server: StoreServer = self.harness.server
        return server


@dataclass(slots=True)
class Corners:
    """The port `Stores` over the four."""

    all: list[Corner] = field(default_factory=list)

    async def of_team(self, team_id: str) -> Sequence[StorePlatform]:
        """Return all of them."""
        return [corner.platform for corner in self.all if team_id == TEAM]

    async def open(self, store_id: StoreId) -> StorePlatform:
        """Return one. Raises NotFound."""
        for corner in self.all:
            if corner.platform.store.store_id == store_id:
                return corner.platform
        raise NotFound("it is no longer connected", store="That store")

    async def contact(self, store: Store) -> Contact:
        """Return nothing: nobody asks here."""
        return Contact()

    def rules(self, store: Store) -> PictureRules:
        """Return its rules for pictures."""
        return RULES[store.platform]


def sku_of(number: int) -> str:
    """The name of a SKU, the same on every store."""
    return f"CUP-{number:05d}"


def _fill_shopify(shop: ShopifyHarness, count: int, pieces: int) -> Callable[[str], int]:
    goods, variants = shop.server.goods, {}
    goods.products.clear()
    for begin in range(0, count, 10):
        forms = [
            ShopVariant(goods.numbers(), sku_of(number), "Form", "18.50", {501: pieces})
            for number in range(begin, min(begin + 10, count))
        ]
        variants |= {one.sku: one for one in forms}
        made = ShopProduct(goods.numbers(), f"Cups {begin}", forms)
        goods.products[made.gid] = made
    return lambda sku: variants[sku].levels[501]


def _fill_woo(shop: WooHarness, count: int, pieces: int) -> Callable[[str], int]:
    state = shop.server.state
    state.rows.clear()
    ids = {
        sku_of(number): state.add_product(sku=sku_of(number), name="Cup", manage_stock=True, stock_quantity=pieces)
        for number in range(count)
    }
    return lambda sku: int(state.rows[ids[sku]]["stock_quantity"])


def _fill_etsy(shop: EtsyHarness, count: int, pieces: int) -> Callable[[str], int]:
    goods = shop.server.goods
    goods.listings.clear()
    made = {
        sku_of(number): goods.add_listing(f"Cup {number}", [product(sku_of(number), 18.50, pieces)])
        for number in range(count)
    }
    return lambda sku: int(made[sku].inventory["products"][0]["offerings"][0]["quantity"])


def _fill_amazon(shop: AmazonHarness, count: int, pieces: int) -> Callable[[str], int]:
    goods = shop.server.goods
    goods.items.clear()
    for number in range(count):
        goods.add_item(sku_of(number), "Cup", quantity=pieces, pictures=[])
    return lambda sku: int(goods.items[sku].quantity or 0)


@asynccontextmanager
async def open_corners(clock: HandTime, *, skus: int, pieces: int) -> AsyncIterator[Corners]:
    """Open the four, filled, on this time."""
    async with AsyncExitStack() as opened:
        corners = Corners()
        openers = (
            ("shopify", open_shopify, _fill_shopify),
            ("amazon", open_amazon, _fill_amazon),
            ("etsy", open_etsy_shop, _fill_etsy),
            ("woocommerce", open_woo, _fill_woo),
        )
        for name, opener, fill in openers:
            harness: Any = await opened.enter_async_context(opener())
            shows = fill(harness, skus, pieces)
            if hasattr(harness.server, "time"):
                harness.server.time = clock
            harness.transports = await opened.enter_async_context(make_transports(clock, patience=PATIENT))
            harness.reopen()
            corners.all.append(Corner(name, harness, shows))
        keep_limits(corners, clock)
        yield corners


def keep_limits(corners: Corners, clock: HandTime) -> None:
    """Let the stores keep their limits by this clock from now on, with every bucket full."""
    for corner in corners.all:
        corner.server.keep_limits(clock.monotonic, LIMITS.get(corner.name, {}))


async def add_team(database: Database, corners: Corners) -> None:
    """Make the rows that the harnesses' stores belong to."""
    now = datetime.now(UTC)
    async with database.begin() as db_session:
        await db_session.execute(insert(TeamRow).values(team_id=TEAM, name="Bench", created_at=now))
        for corner in corners.all:
            store = corner.platform.store
            row = {"store_id": store.store_id, "team_id": TEAM, "platform": store.platform.value, "name": store.name}
            await db_session.execute(insert(StoreRow).values(**row, connected_at=now))


def skus_up_to(count: int) -> list[Sku]:
    """The first so many."""
    return [Sku(sku_of(number)) for number in range(count)]


__all__ = [
    "LIMITS",
    "PATIENT",
    "TEAM",
    "Corner",
    "Corners",
    "RealTime",
    "add_team",
    "open_corners",
    "sku_of",
    "skus_up_to",
]
