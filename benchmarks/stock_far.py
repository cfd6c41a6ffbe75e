"""The stores and their buyers for benchmarks/stock.py, in a process of their own: the vendors stand elsewhere.

    python -m benchmarks.stock_far --skus 20 --pieces 900

It opens the fakes on loopback sockets, prints one line of JSON that says where they are, and then answers one line
with another until its input ends: `{"shows": 20}` what each store shows of so many SKUs; `{"sell": 3}` one buyer orders
the third SKU at WooCommerce, whose signed webhook goes to the door; `{"rush": 20, "rate": 100, "for_s": 60}` so many
buyers a second order, one SKU after the other. A webhook that is not acknowledged is sent again, as shops do.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from benchmarks.stock_world import PATIENT, Corner, Corners, RealTime, open_corners, sku_of
from domain.catalog import ListingId
from tests.fakes.amazon import AmazonServer
from tests.fakes.etsy import EtsyServer
from tests.fakes.shopify import ShopifyServer
from tests.fakes.store_server import SECRET_MARK
from tests.fakes.store_side import HandTime, make_transports
from tests.fakes.woo import WooServer
from tests.platforms.amazon_harness import AmazonHarness
from tests.platforms.etsy_harness import EtsyHarness
from tests.platforms.shopify_harness import ShopifyHarness
from tests.platforms.woocommerce_harness import WooHarness

SECRET = "the webhook's own secret"
"""What the shop signs its webhooks with."""
TRIES, AGAIN_AFTER_S = 5, 0.2

# ---------------------------------------------------------------- there


@dataclass(slots=True)
class Buyers:
    """Who orders at the WooCommerce shop, and how the shop tells of it."""

    corners: Corners
    http: aiohttp.ClientSession
    worst_s: float = 0.0
    """How long the slowest webhook waited for its answer."""
    again: int = 0
    _deliveries: int = 0

    async def sell(self, sku: str, door: str) -> None:
        """One is ordered; return once the webhook was acknowledged. Raises AssertionError where it never was."""
        state = self.corners.all[-1].server.state  # type: ignore[attr-defined] # the WooCommerce fake's
        state.now = datetime.now(UTC)
        body = json.dumps(state.orders[state.place_order(sku, 1)]).encode()
        signature = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
        self._deliveries += 1
        headers = {
            "x-wc-webhook-topic": "order.created",
            "x-wc-webhook-delivery-id": str(self._deliveries),
            "x-wc-webhook-signature": signature,
        }
        began = time.monotonic()
        for _one in range(TRIES):
            try:
                async with self.http.post(door, data=body, headers=headers) as answer:
                    if answer.status == 200:
                        self.worst_s = max(self.worst_s, time.monotonic() - began)
                        return
            except aiohttp.ClientError:
                pass
            self.again += 1
            await asyncio.sleep(AGAIN_AFTER_S)
        raise AssertionError("a webhook was never acknowledged")

    async def rush(self, skus: int, rate: float, for_s: float, door: str) -> dict[str, float]:
        """Buyers do not wait for one another, nor a shop's webhooks for the answer to the one before."""
        self.worst_s, self.again, sold = 0.0, 0, 0
        began, telling = time.monotonic(), set()
        while sold < for_s * rate:
            while sold < min(for_s, time.monotonic() - began) * rate:
                telling.add(asyncio.create_task(self.sell(sku_of(sold % skus), door)))
                sold += 1
            await asyncio.sleep(1 / rate)
        came_s = time.monotonic() - began
        await asyncio.gather(*telling)
        took_s = time.monotonic() - began
        return {"sold": sold, "came_s": came_s, "took_s": took_s, "worst_s": self.worst_s, "again": self.again}


async def _answer(asked: dict[str, Any], buyers: Buyers) -> dict[str, Any]:
    if "shows" in asked:
        skus = [sku_of(number) for number in range(asked["shows"])]
        return {corner.name: [corner.shows(sku) for sku in skus] for corner in buyers.corners.all}
    if "sell" in asked:
        await buyers.sell(sku_of(asked["sell"]), asked["door"])
        return {}
    return await buyers.rush(asked["rush"], asked["rate"], asked["for_s"], asked["door"])


async def _main(skus: int, pieces: int) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with (
        open_corners(RealTime(), skus=skus, pieces=pieces) as corners,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as http,
    ):
        buyers = Buyers(corners, http)
        where = {one.name: [one.server.url, getattr(one.server, "refresh_token", "")] for one in corners.all}
        print(json.dumps(where), flush=True)
        while line := await lines.readline():
            print(json.dumps(await _answer(json.loads(line), buyers)), flush=True)


# ---------------------------------------------------------------- here


@dataclass(slots=True)
class Far:
    """The other process, seen from here: our adapters on its stores, and its buyers."""

    corners: Corners
    process: asyncio.subprocess.Process
    door: str = ""
    """Where webhooks go."""
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def shows(self, skus: int) -> dict[str, list[int]]:
        """Return what each store shows of the first so many SKUs."""
        return await self._ask({"shows": skus})

    async def sell(self, number: int) -> None:
        """Let one buyer order; return once the webhook was acknowledged."""
        await self._ask({"sell": number})

    async def rush(self, skus: int, *, rate: float, for_s: float) -> dict[str, Any]:
        """Let buyers come for a while; return how many, how long, and how the webhooks fared."""
        return await self._ask({"rush": skus, "rate": rate, "for_s": for_s})

    async def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        async with self._asking:
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps({**what, "door": self.door}).encode() + b"\n")
            await self.process.stdin.drain()
            return await _told(self.process)


async def _told(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    assert line, "the stores' process has ended; its own words stand above"
    told: dict[str, Any] = json.loads(line)
    return told


@asynccontextmanager
async def far_corners(*, skus: int, pieces: int) -> AsyncIterator[Far]:
    """Open the stores in a process of their own, and our adapters on them here."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.stock_far", "--skus", str(skus), "--pieces", str(pieces),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        where = await _told(process)
        async with AsyncExitStack() as opened:
            corners, clock = Corners(), RealTime()
            for name, (url, refresh) in where.items():
                transports = await opened.enter_async_context(make_transports(clock, patience=PATIENT))
                harness = await _harness(name, url, refresh, transports, clock)
                corners.all.append(Corner(name, harness, _not_here))
            yield Far(corners, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def _harness(name: str, url: str, refresh: str, transports: Any, clock: HandTime) -> Any:
    """Return what opens our adapter; its server is only the name of the one in the other process."""
    match name:
        case "shopify":
            return ShopifyHarness(ShopifyServer(url=url), transports)
        case "amazon":
            return AmazonHarness(AmazonServer(url=url, client_secret=SECRET_MARK), clock, transports)
        case "etsy":
            shop = EtsyHarness(EtsyServer(url=url, refresh_token=refresh), clock, transports, ListingId("0"))
            await shop.platform.check()
            return shop
        case _:
            return WooHarness(WooServer(url=url), transports, clock, 0)


def _not_here(_sku: str) -> int:
    raise AssertionError("ask the other process what its stores show")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skus", type=int, required=True)
    parser.add_argument("--pieces", type=int, required=True)
    arguments = parser.parse_args()
    asyncio.run(_main(arguments.skus, arguments.pieces))
