"""Our adapter and our fake speak as Amazon's own models say, so that neither can flatter the other."""

from __future__ import annotations

import json

import httpx
import pytest
from jsonschema import Draft201909Validator

from platforms.amazon import api
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
