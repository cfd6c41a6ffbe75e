"""What stores tell by themselves: signed by the store over the raw bytes, of this shop, in time, kept once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from bot.store_hooks import StoreHooks
from bot.stores import ConnectedStores
from domain.catalog import PlatformName, Store, StoreId
from platforms.etsy.webhooks import WINDOW
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.database import Database, open_database
from storage.statements import find_all
from storage.store_hints import SqlStoreHints
from storage.tables import StoreHintRow
from storage.vault import Vault

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
SECRET = "the secret of the app"
ETSY_KEY = b"etsy's own signing key"
SETTINGS = {
    PlatformName.SHOPIFY: {"shop": "tea.myshopify.com", "client_id": "app", "client_secret": SECRET},
    PlatformName.ETSY: {
        "keystring": "key", "shared_secret": "s", "refresh_token": "t", "shop_id": "77",
        "webhook_secret": f"whsec_{base64.b64encode(ETSY_KEY).decode()}",
    },
}  # fmt: skip
PRODUCT = json.dumps({"id": 788, "title": "Mug", "updated_at": "2026-11-24T08:00:00Z"}).encode()
PAID = json.dumps(
    {"event_type": "order.paid", "resource_url": "https://api.etsy.com/v3/application/shops/77/receipts/901", "shop_id": 77}
).encode()  # fmt: skip


def shopify(body: bytes, *, secret: str = SECRET, shop: str = "tea.myshopify.com", topic: str = "products/update") -> dict[str, str]:  # fmt: skip
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Shop-Domain": shop, "X-Shopify-Topic": topic, "X-Shopify-Webhook-Id": "w1"}  # fmt: skip


def etsy(body: bytes, *, at: datetime = NOW, key: bytes = ETSY_KEY, delivery: str = "d1") -> dict[str, str]:
    told = str(int(at.timestamp()))
    signature = base64.b64encode(
        hmac.new(key, b".".join((delivery.encode(), told.encode(), body)), hashlib.sha256).digest()
    )
    return {"webhook-id": delivery, "webhook-timestamp": told, "webhook-signature": f"v1,{signature.decode()}"}


class Door:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.vault = Vault([Vault.fresh_key()])
        self.stores = ConnectedStores(StoreRows(database), self.vault, None, {})  # type: ignore[arg-type] # none is opened

    async def connect(self) -> None:
        team = await ensure_team(self.database, "My shop")
        for platform, settings in SETTINGS.items():
            store = Store(StoreId(f"{platform.value}-1"), team.team_id, platform, platform.value)
            assert await self.stores.rows.add(store, self.vault.encrypt(json.dumps(settings)))

    async def deliver(self, platform: PlatformName, body: bytes, headers: dict[str, str]) -> int:
        app = Starlette(
            routes=list(StoreHooks(self.stores, SqlStoreHints(self.database, lambda: NOW), lambda: NOW).routes())
        )
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://bot.example") as http:
            path = f"/webhooks/{platform.value}/{platform.value}-1"
            return (await http.post(path, content=body, headers=headers)).status_code

    async def kept(self) -> list[tuple[str, str]]:
        async with self.database.read() as db_session:
            return [(row.topic, row.subject) for row in await find_all(db_session, select(StoreHintRow))]


@pytest.fixture
async def door(sqlite_url: str) -> AsyncIterator[Door]:
    database = open_database(sqlite_url)
    opened = Door(database)
    await opened.connect()
    yield opened
    await database.close()


async def test_shopify_s_delivery_is_kept_once_by_what_it_says(door: Door) -> None:
    assert await door.deliver(PlatformName.SHOPIFY, PRODUCT, shopify(PRODUCT)) == 200
    again = shopify(PRODUCT) | {"X-Shopify-Webhook-Id": "another id, which nobody signed"}
    assert await door.deliver(PlatformName.SHOPIFY, PRODUCT, again) == 200
    assert await door.kept() == [("products/update", "788")]


@pytest.mark.parametrize(
    ("body", "subject"),
    [
        ({"inventory_item_id": 12, "location_id": 3, "available": 4}, "12"),
        ({"admin_graphql_api_id": "gid://shopify/BulkOperation/147", "status": "completed"}, "147"),
        ({"shop_id": 954889, "shop_domain": "tea.myshopify.com", "customer": {"email": "bea@buyer.example"}}, "954889"),
    ],
)
async def test_shopify_s_topics_name_their_own_thing(door: Door, body: dict[str, object], subject: str) -> None:
    raw = json.dumps(body).encode()
    assert await door.deliver(PlatformName.SHOPIFY, raw, shopify(raw, topic="t")) == 200
    assert await door.kept() == [("t", subject)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        shopify(PRODUCT, secret="another"),
        shopify(PRODUCT + b" "),
        shopify(PRODUCT, shop="other.myshopify.com"),
        shopify(PRODUCT) | {"X-Shopify-Hmac-Sha256": "bm90IGl0"},
        shopify(PRODUCT) | {"X-Shopify-Shop-Domain": ""},
    ],
)
async def test_what_the_shop_did_not_sign_is_refused(door: Door, headers: dict[str, str]) -> None:
    assert await door.deliver(PlatformName.SHOPIFY, PRODUCT, headers) == 401
    assert await door.kept() == []


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"[1]", b'{"id": "x"}', b"{}", b'"id"', b"[" * 100_000])
async def test_signed_nonsense_is_refused(door: Door, body: bytes) -> None:
    assert await door.deliver(PlatformName.SHOPIFY, body, shopify(body)) == 401
    assert await door.deliver(PlatformName.ETSY, body, etsy(body)) == 401
    assert await door.kept() == []


async def test_etsy_s_delivery_is_kept_once_by_its_signed_id(door: Door) -> None:
    assert await door.deliver(PlatformName.ETSY, PAID, etsy(PAID)) == 200
    assert await door.deliver(PlatformName.ETSY, PAID, etsy(PAID, at=NOW + timedelta(seconds=5))) == 200
    assert await door.kept() == [("order.paid", "901")]


async def test_etsy_may_sign_with_the_old_and_the_new_secret(door: Door) -> None:
    headers = etsy(PAID)
    other = etsy(PAID, key=b"the next one")["webhook-signature"]
    headers["webhook-signature"] = f"{other} {headers['webhook-signature']}"
    assert await door.deliver(PlatformName.ETSY, PAID, headers) == 200


@pytest.mark.parametrize("away", [WINDOW, -WINDOW])
async def test_a_delivery_of_another_time_is_refused(door: Door, away: timedelta) -> None:
    assert await door.deliver(PlatformName.ETSY, PAID, etsy(PAID, at=NOW + away)) == 200
    beyond = NOW + away + timedelta(seconds=1 if away > timedelta() else -1)
    assert await door.deliver(PlatformName.ETSY, PAID, etsy(PAID, at=beyond, delivery="d2")) == 401
    assert len(await door.kept()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        etsy(PAID, key=b"another"),
        etsy(PAID) | {"webhook-id": "d2"},
        etsy(PAID) | {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        etsy(PAID) | {"webhook-timestamp": "²"},
        etsy(PAID) | {"webhook-timestamp": "-1"},
        etsy(PAID) | {"webhook-signature": ""},
        etsy(PAID) | {"webhook-signature": "v1,"},
    ],
)
async def test_what_etsy_did_not_sign_is_refused(door: Door, headers: dict[str, str]) -> None:
    raw = {name: value.encode("utf-8") for name, value in headers.items()}
    assert await door.deliver(PlatformName.ETSY, PAID, raw) == 401  # type: ignore[arg-type] # bytes, since ² is no ASCII
    assert await door.kept() == []


async def test_another_shop_s_order_is_refused(door: Door) -> None:
    body = PAID.replace(b'"shop_id": 77', b'"shop_id": 78')
    assert await door.deliver(PlatformName.ETSY, body, etsy(body)) == 401
