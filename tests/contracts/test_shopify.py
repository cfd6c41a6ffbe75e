"""Every call of the Shopify adapter, with the variables it really sends, before a Shopify that knows only the schema."""

from __future__ import annotations

import json
from typing import Any

from domain.catalog import PlatformName, Store, StoreId
from platforms.shopify.api import GRAPHQL_PATH, KEY_HEADER
from platforms.tokens import FixedKey
from platforms.transport import Transports
from platforms.wire import Account, Call, Manners
from tests.contracts.witness import Witness
from tests.platforms.shopify_harness import ShopifyHarness, open_shopify
from tests.platforms.shopify_story import play


async def _sent() -> list[dict[str, Any]]:
    """What the adapter sends in a story on our fake, each document as it went over the wire."""
    async with open_shopify() as shop:
        assert isinstance(shop, ShopifyHarness)
        await play(shop)
        return [json.loads(seen.body) for seen in shop.server.calls if seen.path == GRAPHQL_PATH]


async def test_shopify_takes_every_document_as_it_is_sent(
    transports: Transports, shopify_url: str, witness: Witness
) -> None:
    store = Store(StoreId("shopify-contract"), "team-1", PlatformName.SHOPIFY, "Shopify")
    seen = witness.watch(transports, "shopify")
    bodies = await _sent()
    transport = transports.open(Account(store, shopify_url), Manners(), FixedKey({KEY_HEADER: "any"}))
    for body in bodies:
        answer = await transport.send(Call(body["operationName"], "POST", GRAPHQL_PATH, is_repeatable=True, json=body))
        seen.operations.add(body["operationName"])
        assert answer.json().get("data") is not None, body["operationName"]
    seen.operations.discard(f"POST {GRAPHQL_PATH}")
    assert seen.calls == len(bodies) > 0
    assert seen.violations == []
