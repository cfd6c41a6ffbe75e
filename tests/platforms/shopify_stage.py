"""Shopify on stage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.fakes.shopify import ShopifyServer
from tests.fakes.shopify_shop import ShopProduct, ShopVariant
from tests.platforms.stage import PHOTO, Stage


@asynccontextmanager
async def open_shopify_stage() -> AsyncIterator[Stage]:
    """A shop with one mug, connected with the app's own credentials."""
    async with ShopifyServer() as server:
        goods = server.goods
        goods.url = server.url
        mug = ShopProduct(11, "Blue mug", [ShopVariant(111, "MUG-01", "Blue", "18.50", {501: 7})])
        goods.products[mug.gid] = mug
        others = [b"\xff\xd8\xffview %d" % number for number in range(2)]
        mug.media = [
            goods.add_file(content, filename=f"mug-{number}.jpg", alt="A mug").gid
            for number, content in enumerate((PHOTO, *others))
        ]

        async def images(_http: httpx.AsyncClient) -> list[bytes]:
            return [goods.files[gid].content for gid in mug.media]

        yield Stage(
            "shopify",
            "MUG-01",
            images,
            lambda: [f"{seen.operation}  {seen.method} {seen.path}" for seen in server.calls],
            given={"shop": "kiln"},
            server=server,
            env={
                "SHOPIFY_CLIENT_ID": server.client_id,
                "SHOPIFY_CLIENT_SECRET": server.client_secret,
                "SHOPIFY_API_URL": server.url,
            },
        )
