"""The same way at a real shop, when somebody names one; otherwise on a fake, so that this itself is known to work.

LIVE_WOO_URL, LIVE_WOO_USER, LIVE_WOO_PASSWORD and LIVE_WOO_SKU name a WooCommerce shop (plain http only on this
machine); LIVE_SHOPIFY_SHOP, LIVE_SHOPIFY_SKU and LIVE_SHOPIFY_TOKEN or LIVE_SHOPIFY_CLIENT_ID with
LIVE_SHOPIFY_CLIENT_SECRET a Shopify shop. The product must have a picture; it is replaced and put back.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from io import BytesIO

import pytest
from PIL import Image

from domain.catalog import PlatformName, Sku, Store, StoreId
from domain.ports import PublishRequest, RestoreRequest, RestoresImages
from platforms.descriptor import Supplies
from platforms.outside import anywhere_near
from platforms.registry import PLATFORMS
from platforms.transport import Transports
from tests.fakes import FakeMedia
from tests.fakes.store_server import SECRET_MARK
from tests.fakes.store_side import MemoryContacts, MemoryNotes, MemoryTokens
from tests.fakes.woo import USER, WooServer
from tests.platforms.fakes import FakeShelfRows
from tests.platforms.stage import WallTime
from tests.platforms.woocommerce_harness import stock

UNSET = "live-store credentials are unset"
LIVE: dict[PlatformName, dict[str, str]] = {
    PlatformName.WOOCOMMERCE: {"site": "LIVE_WOO_URL", "user": "LIVE_WOO_USER", "password": "LIVE_WOO_PASSWORD"},
    PlatformName.SHOPIFY: {
        "shop": "LIVE_SHOPIFY_SHOP",
        "token": "LIVE_SHOPIFY_TOKEN",
        "client_id": "LIVE_SHOPIFY_CLIENT_ID",
        "client_secret": "LIVE_SHOPIFY_CLIENT_SECRET",
    },
}
SKUS = {PlatformName.WOOCOMMERCE: "LIVE_WOO_SKU", PlatformName.SHOPIFY: "LIVE_SHOPIFY_SKU"}


async def there_and_back(platform: PlatformName, given: Mapping[str, str], sku: Sku) -> None:
    """Find a product, publish a picture on it, read it back, put the old one back, and read that back."""
    descriptor, time = PLATFORMS[platform], WallTime()
    complete = descriptor.complete(
        descriptor.clean(given), {"WOOCOMMERCE_ALLOW_HTTP": "1", "SHOPIFY_API_URL": "https://{shop}"}
    )
    store = Store(StoreId(f"{platform.value}-live"), "team-1", platform, descriptor.label)
    async with Transports(MemoryTokens(time), MemoryContacts(time), time.now, near=anywhere_near) as transports:
        shop = descriptor.open(
            store, Supplies(FakeMedia(), FakeShelfRows(), str, transports, MemoryNotes(), settings=complete)
        )
        assert isinstance(shop, RestoresImages)
        health = await shop.check()
        assert (health.account != "", health.missing) == (True, ())
        listing = (await shop.find_listings(sku))[0]
        before = await shop.read_images(listing.listing_id)
        main = before[0]
        original = await shop.fetch_image(main)

        key = f"live-{secrets.token_hex(4)}:1:{platform.value}"
        request = PublishRequest(
            key, listing.listing_id, 1, _picture(), "image/jpeg", "A try of Packshot", main.image_id
        )
        ours = await shop.publish_image(request)
        try:
            assert await shop.publish_image(request) == ours, "twice is once"
            shown = await shop.read_images(listing.listing_id)
            assert shown[0].image_id == ours.image_id
            assert [one.image_id for one in shown[1:]] == [one.image_id for one in before[1:]]
            assert len(await shop.fetch_image(ours)) > 0
        finally:
            undo = RestoreRequest(key, listing.listing_id, 1, ours.image_id, main.image_id, original, main.alt)
            await shop.restore_image(undo)
        after = await shop.read_images(listing.listing_id)
        assert [(one.position, one.alt) for one in after] == [(one.position, one.alt) for one in before]
        assert await shop.fetch_image(after[0]) == original


def _picture() -> bytes:
    made = BytesIO()
    Image.effect_mandelbrot((1200, 1200), (-2.0, -1.5, 1.0, 1.5), 60).convert("RGB").save(made, "JPEG", quality=85)
    return made.getvalue()


@pytest.mark.parametrize("platform", LIVE, ids=lambda platform: platform.value)
async def test_a_real_shop_there_and_back(platform: PlatformName) -> None:
    given = {setting: value for setting, name in LIVE[platform].items() if (value := os.environ.get(name, ""))}
    sku = os.environ.get(SKUS[platform], "")
    if not given or not sku:
        pytest.skip(UNSET)
    await there_and_back(platform, given, Sku(sku))


async def test_a_pretended_shop_there_and_back() -> None:
    async with WooServer() as server:
        product = stock(server)
        before = [one.content for one in server.state.gallery(product)]
        given = {"site": server.url, "user": USER, "password": SECRET_MARK}
        await there_and_back(PlatformName.WOOCOMMERCE, given, Sku("MUG-01"))
        assert server.counted()["createMedia"] == 1
        assert [one.content for one in server.state.gallery(product)] == before
