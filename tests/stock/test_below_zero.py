"""A store that has less than it can have has sold what we know nothing of: nothing is raised until its orders are pulled.

The case that once sold what was not there (design of the ledger, rule 7), kept as it happened.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from domain.stock import PushEnd, PushState, WriteWay
from storage.database import open_database
from tests.stock.ledger import Ledger, open_ledger, order


@pytest.fixture
async def ledger(sqlite_url: str) -> AsyncIterator[Ledger]:
    """Ten mugs at a store that compares and sets, and at one that only sets."""
    database = open_database(sqlite_url)
    opened = await open_ledger(database, stores=2)
    for name, way in (("a", WriteWay.SWAPS), ("b", WriteWay.SETS)):
        await opened.link(name, way=way)
    await opened.count(10)
    for name in ("a", "b"):
        await opened.read(name, 10)
    opened.clock.pass_by(3_600)
    yield opened
    await database.close()


async def test_a_decrease_that_finds_too_few_stops_every_raise_until_the_orders_are_there(ledger: Ledger) -> None:
    unheard = order("1", ledger, 9)
    await ledger.count(4)
    for push in await ledger.open():
        found = 1 if push.store_id == "store-b" else None
        state = PushState.DONE if found is None else PushState.REFUSED
        await ledger.close(PushEnd(push.push_id, state, found=found, is_first=True))
    await ledger.receive(5)
    assert await ledger.open() == [], "nine were sold at b that nobody told us of: a must not be raised to nine"
    await ledger.pull("b", unheard)
    assert await ledger.on_hand() == 0
    assert [(push.store_id, push.to_quantity) for push in await ledger.open()][:1] == [("store-a", 0)]
    assert all(push.delta < 0 for push in await ledger.open())


async def test_a_belief_below_zero_stops_every_raise_until_the_next_pull(ledger: Ledger) -> None:
    await ledger.count(4)
    for push in await ledger.open():
        await ledger.close(PushEnd(push.push_id, PushState.DONE))
    await ledger.book("b", order("1", ledger, 9))
    shown = await ledger.shown("b")
    assert shown.quantity == -5
    assert shown.quantity + shown.slack >= 0, "a store that sets never shows less than none"
    await ledger.receive(20)
    assert [push.store_id for push in await ledger.open() if push.delta > 0] == []
    await ledger.pull("b")
    assert [push.store_id for push in await ledger.open() if push.delta > 0] == ["store-a"]
    assert await ledger.read("b", 4) == [], "what crossed is no mismatch"
    assert (await ledger.shown("b")).quantity == 4
