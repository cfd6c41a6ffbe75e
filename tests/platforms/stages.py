"""The stores on stage, one line each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.platforms.amazon_stage import open_amazon_stage
from tests.platforms.etsy_stage import open_etsy_stage
from tests.platforms.shopify_stage import open_shopify_stage
from tests.platforms.stage import OpenStage, Stage
from tests.platforms.woocommerce_stage import open_woocommerce_stage


@asynccontextmanager
async def open_shelf_stage() -> AsyncIterator[Stage]:
    """The built-in store: it lives in the bot itself, so nothing is connected and nothing is called."""

    async def images(http: httpx.AsyncClient) -> list[bytes]:
        products = (await http.get("/shelf/products.json")).raise_for_status().json()["products"]
        mug = next(one for one in products if one["variants"][0]["sku"] == "MUG-01")
        shown = sorted(mug["images"], key=lambda image: image["position"])
        return [(await http.get(image["src"])).raise_for_status().content for image in shown]

    yield Stage("shelf", "MUG-01", images, list)


STAGES: dict[str, OpenStage] = {
    "shelf": open_shelf_stage,
    "shopify": open_shopify_stage,
    "amazon": open_amazon_stage,
    "etsy": open_etsy_stage,
    "woocommerce": open_woocommerce_stage,
}
