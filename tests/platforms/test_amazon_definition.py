"""Our adapter and our fake speak as Amazon's own models say, so that neither can flatter the other."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from jsonschema import Draft201909Validator

from domain.trade import OrderState
from platforms.amazon import api
from platforms.amazon.listings import Item
from platforms.amazon.marketplaces import MARKETPLACES
from tests.fakes.amazon import RATES
from tests.platforms.amazon_harness import open_amazon
from tests.platforms.amazon_models import SPECS, Judge
from tests.platforms.amazon_story import play

pytestmark = pytest.mark.skipif(not SPECS.exists(), reason="../shared is absent")


async def test_every_request_and_answer_is_as_amazons_models_say() -> None:
    judge = Judge()
    async with open_amazon() as shop:

        async def look(response: httpx.Response) -> None:
            await response.aread()
            request = response.request
            judge.exchange(request.method, str(request.url), request.content, response.status_code, response.content)

        shop.transports.client.event_hooks["response"].append(look)
        await play(shop)
        feeds = [content for name, content in shop.server.documents.items() if name.startswith("in-")]
    assert judge.breaches == []
    assert set(judge.seen) == set(RATES), "every operation we use was judged"
    schema = json.loads((SPECS / "schemas" / "listings-feed-schema-v2.json").read_text())
    assert feeds
    for feed in feeds:
        assert [error.message for error in Draft201909Validator(schema).iter_errors(json.loads(feed))] == []


def examples(file: str, path: str, key: str) -> list[dict[str, Any]]:
    """What Amazon's own examples answer at an address, under a key."""
    answers = json.loads((SPECS / file).read_text())["paths"][path]["get"]["responses"]["200"]
    found = [one["response"] for one in answers["x-amzn-api-sandbox"]["static"]]
    return [one for answer in found if key in answer for one in (answer[key] if key.endswith("s") else [answer[key]])]


async def test_amazons_own_examples_of_orders_are_understood() -> None:
    path = "/orders/2026-01-01/orders"
    shown = examples("orders_2026-01-01.json", path, "orders")
    shown += examples("orders_2026-01-01.json", path + "/{orderId}", "order")
    assert len(shown) > 5
    async with open_amazon() as shop:
        shop.server.order_page = 100
        shop.server.goods.orders = {one["orderId"]: one for one in shown}
        page = await shop.platform.orders_since(datetime(2020, 1, 1, tzinfo=UTC))
    assert {order.order_id for order in page.orders} == set(shop.server.goods.orders)
    for order in page.orders:
        assert order.lines
        assert all(0 <= line.shipped + line.cancelled <= line.ordered for line in order.lines), order
        assert (order.state is OrderState.SHIPPED) <= all(line.shipped for line in order.lines), order


def test_amazons_own_examples_of_listings_are_understood() -> None:
    path = "/listings/2021-08-01/items/{sellerId}"
    shown = examples("listingsItems_2021-08-01.json", path, "items")
    assert shown
    for body in shown:
        item = Item(body, MARKETPLACES[0])
        assert (item.sku, item.asin, item.product_type) == (
            body["sku"], body["summaries"][0]["asin"], body["summaries"][0]["productType"],
        )  # fmt: skip
        variant = item.variant()
        assert variant is not None
        assert str(variant.price) == str(body["offers"][0]["price"]["amount"])


def test_the_judge_sees_breaches() -> None:
    judge, place = Judge(), "https://x.example/listings/2021-08-01/items/S/SKU"
    judge.exchange("GET", f"{place}?includedData=summaries", b"", 200, b'{"sku": "SKU"}')
    judge.exchange("GET", f"{place}?marketplaceIds=A&includedData=secrets", b"", 200, b"{}")
    judge.exchange("PATCH", f"{place}?marketplaceIds=A&made=up", b'{"patches": []}', 418, b"{}")
    said = "\n".join(judge.breaches)
    for expected in (
        "marketplaceIds is missing",
        "secrets",
        "'sku' is a required",
        "made",
        "productType",
        "never answers 418",
    ):
        assert expected in said, said


def test_our_rates_and_the_fakes_are_the_models() -> None:
    judge = Judge()
    documented = {}
    for file in SPECS.glob("*.json"):
        for item in json.loads(file.read_text())["paths"].values():
            for operation in item.values():
                if isinstance(operation, dict) and "operationId" in operation:
                    documented[operation["operationId"]] = operation.get("description", "")
    assert {one.name for one in judge.operations} >= set(RATES)
    for name, (per_s, burst) in RATES.items():
        figures = [part.strip() for part in documented[name].split("|")]
        assert f"{per_s:g}" in figures, (name, documented[name])
        assert f"{burst:g}" in figures, (name, documented[name])
        assert (api.RATES[name].per_s, api.RATES[name].burst) == (per_s, burst), name
