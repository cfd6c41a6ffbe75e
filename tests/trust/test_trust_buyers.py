"""No customer's personal data is kept: stores put names and addresses into every order they tell of, and none arrives.

Every answer of the four stores' fakes, and every event they tell by themselves, gets a buyer put into it, wherever a
vendor may put one. Then the orders are read, booked, and every byte of the database is searched.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from domain.catalog import Store
from domain.powers import ReadsOrders
from handlers.stock_orders import book
from platforms.registry import PLATFORMS
from platforms.transport import Transport
from platforms.wire import Call
from storage.catalog import StoreRows
from storage.store_hints import SqlStoreHints
from tests.handlers.shop import Shop
from tests.platforms.harness import Kind, TradingHarness
from tests.platforms.harnesses import KINDS

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BUYER = {
    "name": "Berta Plantedbuyer",
    "email": "berta@plantedbuyer.example",
    "street": "Plantedstreet 17",
    "city": "Plantedtown",
    "phone": "+49 151 00000017",
}
PERSON = {
    "first_name": BUYER["name"], "last_name": BUYER["name"], "name": BUYER["name"], "email": BUYER["email"],
    "address_1": BUYER["street"], "address1": BUYER["street"], "city": BUYER["city"], "phone": BUYER["phone"],
}  # fmt: skip
EVERYWHERE: dict[str, Any] = {
    "billing": PERSON, "shippingAddress": PERSON, "billingAddress": PERSON, "customer": PERSON, "ShippingAddress": PERSON,
    "BuyerInfo": {"BuyerEmail": BUYER["email"], "BuyerName": BUYER["name"]}, "buyer": PERSON, "buyer_email": BUYER["email"],
    "first_line": BUYER["street"], "formatted_address": f"{BUYER['name']}\\n{BUYER['street']}", "customer_note": BUYER["name"],
    "message_from_buyer": BUYER["name"], "deliveryAddress": PERSON, "recipient": PERSON, "note": BUYER["name"],
}  # fmt: skip
REAL = tuple(kind for kind in KINDS if kind.name != "shelf")


def with_buyer(value: Any) -> Any:
    """Put a buyer into every object of an answer; what the store says itself stays."""
    if isinstance(value, dict):
        return {**EVERYWHERE, **{name: with_buyer(item) for name, item in value.items()}}
    return [with_buyer(item) for item in value] if isinstance(value, list) else value


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations whose answers had a buyer put into them."""
    seen: list[str] = []
    read = Transport._body

    async def body(self: Transport, call: Call, response: httpx.Response) -> bytes:
        content = await read(self, call, response)
        try:
            answer = json.loads(content)
        except ValueError:
            return content
        seen.append(call.operation)
        return json.dumps(with_buyer(answer)).encode()

    monkeypatch.setattr(Transport, "_body", body)
    return seen


async def database_bytes(shop: Shop, folder: Path) -> bytes:
    return await asyncio.to_thread(lambda: b"".join(path.read_bytes() for path in folder.glob("shop.db*")))


@pytest.mark.parametrize("kind", REAL, ids=lambda kind: kind.name)
async def test_orders_are_kept_without_their_buyers(kind: Kind, shop: Shop, told: list[str], tmp_path: Path) -> None:
    async with kind.open() as opened:
        harness = cast(TradingHarness, opened)
        platform = harness.platform
        assert isinstance(platform, ReadsOrders)
        number = await harness.sell(harness.sku, 1)
        mark = len(told)
        page = await platform.orders_since(LONG_AGO)
        assert [order.order_id for order in page.orders] == [number]
        assert len(told) > mark, "the answer had a buyer in it"
        store = Store(platform.store.store_id, shop.team.team_id, platform.store.platform, kind.name)
        assert await StoreRows(shop.database).add(store)
        await book(store, page.orders, shop.desk)
    said = repr(page.orders).encode() + await database_bytes(shop, tmp_path)
    assert str(number).encode() in said
    assert [word for word in BUYER.values() if word.encode() in said] == []


def signed_woo(body: bytes, secret: str) -> dict[str, str]:
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {
        "x-wc-webhook-signature": signature, "x-wc-webhook-topic": "order.created", "x-wc-webhook-delivery-id": "d1",
        "x-wc-webhook-source": "https://shop.example/",
    }  # fmt: skip


def signed_shopify(body: bytes, secret: str) -> dict[str, str]:
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {
        "x-shopify-hmac-sha256": signature, "x-shopify-shop-domain": "tea.myshopify.com", "x-shopify-topic": "orders/create",
        "x-shopify-webhook-id": "w1",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["woocommerce", "shopify"])
async def test_what_a_store_tells_is_kept_without_the_buyer(name: str, shop: Shop, tmp_path: Path) -> None:
    descriptor = next(one for platform, one in PLATFORMS.items() if platform.value == name)
    secret = "the secret of the store"
    settings = {
        "webhook_secret": secret, "client_secret": secret, "site": "https://shop.example", "shop": "tea.myshopify.com",
        "client_id": "app",
    }  # fmt: skip
    body = json.dumps(with_buyer({"id": 4711, "line_items": [{"sku": "MUG-01", "quantity": 1}]})).encode()
    headers = (signed_woo if name == "woocommerce" else signed_shopify)(body, secret)
    assert descriptor.hear is not None
    hint = descriptor.hear(headers, body, settings, datetime.now(UTC))
    assert hint is not None
    assert "4711" in hint.subject
    store = Store(shop.shelf.store.store_id, shop.team.team_id, descriptor.platform, name)
    assert await SqlStoreHints(shop.database, shop.clock).keep(store, hint)
    said = repr(hint).encode() + await database_bytes(shop, tmp_path)
    assert [word for word in BUYER.values() if word.encode() in said] == []


def test_the_search_would_find_a_buyer() -> None:
    said = json.dumps(with_buyer({"id": 1})).encode()
    assert [word for word in BUYER.values() if word.encode() not in said] == []
