"""Stores that tell by themselves: only what the store signed is kept, once, and nothing of a buyer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col
from starlette.applications import Starlette

from bot.store_hooks import LARGEST_BYTES, StoreHooks
from bot.stores import ConnectedStores
from domain.catalog import PlatformName, Store, StoreId
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.database import Database
from storage.statements import find_all
from storage.store_hints import SqlStoreHints, forget_hints
from storage.tables import StoreHintRow
from storage.vault import Vault

SECRET = "the webhook's own secret"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
ORDER = {"id": 722, "status": "processing", "billing": {"email": "bea@buyer.example"}}


def signed(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@dataclass(slots=True)
class Door:
    database: Database
    http: httpx.AsyncClient
    store: Store
    path: str = field(init=False)

    def __post_init__(self) -> None:
        self.path = f"/webhooks/woocommerce/{self.store.store_id}"

    async def deliver(self, body: bytes, signature: str | None = None, *, path: str = "") -> int:
        headers = {"x-wc-webhook-topic": "order.updated", "x-wc-webhook-delivery-id": "d1"}
        headers["x-wc-webhook-signature"] = signed(body) if signature is None else signature
        return (await self.http.post(path or self.path, content=body, headers=headers)).status_code

    async def kept(self) -> list[StoreHintRow]:
        async with self.database.read() as db_session:
            return list(await find_all(db_session, select(StoreHintRow).order_by(col(StoreHintRow.subject))))


@pytest.fixture
async def door(database: Database) -> AsyncIterator[Door]:
    team = await ensure_team(database, "My shop")
    store = Store(StoreId("woo-1"), team.team_id, PlatformName.WOOCOMMERCE, "Teeladen")
    shelf = Store(StoreId("shelf"), team.team_id, PlatformName.SHELF, "Shelf")
    rows, vault = StoreRows(database), Vault([Vault.fresh_key()])
    settings = {"site": "https://shop.example", "webhook_secret": SECRET}
    assert await rows.add(store, vault.encrypt(json.dumps(settings)))
    assert await rows.add(shelf)
    stores = ConnectedStores(rows, vault, None, {})  # type: ignore[arg-type] # nothing is opened here
    app = Starlette(routes=list(StoreHooks(stores, SqlStoreHints(database, lambda: NOW), lambda: NOW).routes()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://bot.example") as http:
        yield Door(database, http, store)


async def test_a_signed_delivery_is_kept_once_and_nothing_of_the_buyer(door: Door) -> None:
    body = json.dumps(ORDER).encode()
    assert await door.deliver(body) == 200
    assert await door.deliver(body) == 200
    [hint] = await door.kept()
    assert (hint.topic, hint.subject, hint.taken_at, hint.concluded_at) == ("order.updated", "722", NOW, None)
    assert "bea" not in repr(hint)


async def test_the_ping_of_a_new_webhook_is_answered_without_a_signature(door: Door) -> None:
    answer = await door.http.post(door.path, data={"webhook_id": "12"})
    assert answer.status_code == 200
    assert await door.kept() == []


@pytest.mark.parametrize("signature", ["", "bm90IGl0", signed(json.dumps(ORDER).encode(), "another secret"), "ü"])
async def test_what_the_store_did_not_sign_is_refused(door: Door, signature: str) -> None:
    body = json.dumps(ORDER).encode()
    headers = [(b"x-wc-webhook-topic", b"order.updated"), (b"x-wc-webhook-signature", signature.encode())]
    assert (await door.http.post(door.path, content=body, headers=headers)).status_code == 401
    assert await door.kept() == []


async def test_a_signature_for_other_bytes_is_refused(door: Door) -> None:
    body = json.dumps(ORDER).encode()
    assert await door.deliver(body.replace(b"722", b"723"), signed(body)) == 401
    assert await door.kept() == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"id": "x"}', b'{"no": 1}', b"webhook_id=1"])
async def test_signed_nonsense_is_refused(door: Door, body: bytes) -> None:
    assert await door.deliver(body) == 401
    assert await door.kept() == []


@pytest.mark.parametrize("path", ["woocommerce/nobody", "shopify/woo-1", "shelf/shelf", "woocommerce/shelf"])
async def test_who_has_no_such_way_is_not_there(door: Door, path: str) -> None:
    assert await door.deliver(b'{"id": 1}', path=f"/webhooks/{path}") == 404


async def test_more_than_a_delivery_ever_is_is_not_read(door: Door) -> None:
    assert await door.deliver(b" " * (LARGEST_BYTES + 1)) == 413


async def test_hints_are_forgotten_and_go_with_their_store(door: Door) -> None:
    assert await door.deliver(b'{"id": 1}') == 200
    assert await forget_hints(door.database, NOW) == 0
    assert await forget_hints(door.database, NOW.replace(hour=9)) == 1
    assert await door.deliver(b'{"id": 2}') == 200
    await StoreRows(door.database).remove(door.store.store_id)
    assert await door.kept() == []
