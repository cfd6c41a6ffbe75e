"""Messages of a vendor's inbox become hints of the stores they are about, each once, and none is lost on the way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlmodel import col

from bot.store_inbox import InboxReader
from bot.stores import ConnectedStores
from domain.catalog import PlatformName, Store, StoreId
from domain.connection import StoreHint
from domain.errors import StoreDown
from platforms.amazon.inbox import open_inbox
from platforms.descriptor import Supplies
from platforms.transport import Transports
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.database import Database
from storage.statements import find_all
from storage.store_hints import SqlStoreHints
from storage.tables import StoreHintRow
from storage.vault import Vault
from tests.fakes.amazon import CLIENT_ID, REFRESH_TOKEN, SELLER, AmazonServer
from tests.fakes.amazon_goods import MARKETPLACE
from tests.fakes.amazon_notices import KEY_ID, KEY_SECRET, QueueServer, order_change
from tests.fakes.store_server import SECRET_MARK, Fault
from tests.fakes.store_side import HandTime, MemoryNotes, make_transports
from tests.platforms.fakes import FakeMedia, FakeShelfRows

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
ELSEWHERE = "A1F83G8C2ARO7P"


@dataclass(slots=True)
class Office:
    """Two of a seller's marketplaces and another seller, one queue, and whoever reads it."""

    database: Database
    amazon: AmazonServer
    queue: QueueServer
    stores: ConnectedStores
    transports: Transports

    @property
    def reader(self) -> InboxReader:
        inbox = open_inbox(self.stores.deployment, self.transports)
        assert inbox is not None
        return InboxReader(self.stores, SqlStoreHints(self.database, lambda: NOW), PlatformName.AMAZON, inbox)

    def tell(self, order_id: str, notice_id: str, *, seller: str = SELLER, marketplace: str = MARKETPLACE) -> None:
        self.queue.put(order_change(order_id, seller=seller, marketplace=marketplace, notice_id=notice_id))

    async def kept(self) -> list[tuple[str, str]]:
        async with self.database.read() as db_session:
            ordered = select(StoreHintRow).order_by(col(StoreHintRow.store_id), col(StoreHintRow.subject))
            return [(row.store_id, row.subject) for row in await find_all(db_session, ordered)]


@pytest.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    team = await ensure_team(database, "Shop")
    vault = Vault([Vault.fresh_key()])
    rows = StoreRows(database)
    async with (
        AmazonServer(client_secret=SECRET_MARK) as amazon,
        QueueServer() as queue,
        make_transports(HandTime()) as transports,
    ):
        deployment = {
            "AMAZON_SQS_URL": queue.queue_url, "AMAZON_SQS_KEY_ID": KEY_ID, "AMAZON_SQS_SECRET": KEY_SECRET,
            "AMAZON_API_URL": amazon.url, "AMAZON_AUTH_URL": f"{amazon.url}/auth/o2/token",
        }  # fmt: skip
        for store_id, seller, marketplace in (
            ("de", SELLER, MARKETPLACE), ("uk", SELLER, ELSEWHERE), ("other", "A9OTHER", MARKETPLACE)
        ):  # fmt: skip
            given = {
                "marketplace": marketplace, "seller_id": seller, "refresh_token": REFRESH_TOKEN,
                "client_id": CLIENT_ID, "client_secret": SECRET_MARK,
            }  # fmt: skip
            store = Store(StoreId(store_id), team.team_id, PlatformName.AMAZON, f"Amazon {store_id}")
            await rows.add(store, vault.encrypt(json.dumps(given)))
        await rows.add(Store(StoreId("shelf"), team.team_id, PlatformName.SHELF, "Shelf"))
        supplies = Supplies(FakeMedia(), FakeShelfRows(), str, transports, MemoryNotes())
        stores = ConnectedStores(rows, vault, supplies, deployment)
        yield Office(database, amazon, queue, stores, transports)


async def test_a_message_is_a_hint_of_the_very_store_it_is_about(office: Office) -> None:
    office.tell("903-1", "n1")
    office.tell("903-2", "n2", marketplace=ELSEWHERE)
    office.tell("903-3", "n3", seller="A7STRANGER")
    office.queue.put("not a notification")
    assert await office.reader.read_once() == 2
    assert await office.kept() == [("de", "903-1"), ("uk", "903-2")]
    assert office.queue.messages == {}, "what is nobody's is taken out too, or it would come for ever"


async def test_a_message_that_comes_twice_is_known(office: Office) -> None:
    office.tell("903-1", "n1")
    office.tell("903-1", "n1")
    assert await office.reader.read_once() == 1
    office.tell("903-1", "n1")
    assert await office.reader.read_once() == 0
    assert await office.kept() == [("de", "903-1")]


async def test_what_could_not_be_kept_stays_in_the_queue(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_self: SqlStoreHints, _store: Store, _hint: StoreHint) -> bool:
        raise StoreDown("the disk is full", store="x")

    office.tell("903-1", "n1")
    with monkeypatch.context() as patched:
        patched.setattr(SqlStoreHints, "keep", broken)
        with pytest.raises(StoreDown):
            await office.reader.read_once()
    assert len(office.queue.messages) == 1
    assert await office.reader.read_once() == 1


async def test_sellers_are_subscribed_and_one_who_cannot_be_is_no_hindrance(office: Office) -> None:
    office.amazon.fail(Fault.FORBIDDEN, at=0)
    office.tell("903-1", "n1")
    reader = office.reader
    assert await reader.read_once() == 1
    before = len(office.amazon.calls)
    assert await reader.read_once() == 0
    assert len(office.amazon.calls) == before, "asked once an hour at most"
    assert list(office.amazon.notices.subscriptions) == ["ORDER_CHANGE"]
