"""WooCommerce on stage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.fakes.store_server import SECRET_MARK
from tests.fakes.woo import USER, WooServer
from tests.platforms.stage import PHOTO, Stage
from tests.platforms.woocommerce_harness import stock


@asynccontextmanager
async def open_woocommerce_stage() -> AsyncIterator[Stage]:
    """A shop with a mug in two colours and a bowl, connected with an application password."""
    async with WooServer() as server:
        state = server.state
        mug = stock(server)
        state.gallery(mug)[0].content = PHOTO

        async def images(_http: httpx.AsyncClient) -> list[bytes]:
            return [one.content for one in state.gallery(mug)]

        yield Stage(
            "woocommerce",
            "MUG-01",
            images,
            lambda: [f"{seen.operation}  {seen.method} {seen.path}" for seen in server.calls],
            given={"site": server.url, "user": USER, "password": SECRET_MARK},
            server=server,
            env={"WOOCOMMERCE_ALLOW_HTTP": "1"},
        )
