"""Etsy on stage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.fakes.etsy import FIRST_REFRESH, KEYSTRING, SHARED_SECRET, EtsyServer
from tests.fakes.etsy_goods import product
from tests.platforms.stage import PHOTO, Stage, WallTime


@asynccontextmanager
async def open_etsy_stage() -> AsyncIterator[Stage]:
    """A shop with one mug, connected with the app's key and a refresh token."""
    async with EtsyServer(time=WallTime()) as server:
        goods = server.goods
        mug = goods.add_listing("Blue mug", [product("MUG-01", 18.50, 7)])
        others = [b"\xff\xd8view %d" % number for number in range(2)]
        mug.images = [goods.add_picture(content, "A mug") for content in (PHOTO, *others)]

        async def images(_http: httpx.AsyncClient) -> list[bytes]:
            return [goods.pictures[number] for number in mug.images]

        yield Stage(
            "etsy",
            "MUG-01",
            images,
            lambda: [f"{seen.operation}  {seen.method} {seen.path}" for seen in server.calls],
            given={"refresh_token": FIRST_REFRESH},
            server=server,
            env={"ETSY_KEYSTRING": KEYSTRING, "ETSY_SHARED_SECRET": SHARED_SECRET, "ETSY_API_URL": server.url},
        )
