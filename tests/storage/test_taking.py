"""Events that come at once: all of them taken, each caller told the truth about its own."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from domain.errors import Fault
from storage.database import Database
from tests.storage.conftest import Shop


async def count(database: Database) -> int:
    async with database.read() as db_session:
        return int((await db_session.execute(text("SELECT count(*) FROM seen_event"))).scalar_one())


async def test_a_hundred_at_once_are_taken_once_each(shop: Shop) -> None:
    events = [shop.incoming(f"slack:{number % 50}") for number in range(100)]
    taken = await asyncio.gather(*(shop.events.take(event) for event in events))
    assert sorted(taken) == [False] * 50 + [True] * 50
    assert await count(shop.database) == 50


async def test_one_that_cannot_be_taken_does_not_take_the_others_along(shop: Shop) -> None:
    events = [shop.incoming(f"slack:{number}", team="no such team" if number == 3 else None) for number in range(8)]
    answers = await asyncio.gather(*(shop.events.take(event) for event in events), return_exceptions=True)
    assert [answer is True for answer in answers] == [number != 3 for number in range(8)]
    assert isinstance(answers[3], Exception)
    assert await count(shop.database) == 7


async def test_all_hear_of_a_database_that_is_away_and_the_next_is_taken(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> object:
        raise Fault("database_down", "away")

    with monkeypatch.context() as patched:
        patched.setattr(shop.database, "begin", away)
        events = [shop.incoming(f"slack:{number}") for number in range(5)]
        answers = await asyncio.gather(*(shop.events.take(event) for event in events), return_exceptions=True)
    assert [getattr(answer, "code", "") for answer in answers] == ["database_down"] * 5
    assert await shop.events.take(shop.incoming("slack:0")) is True


async def test_who_goes_away_while_waiting_does_not_take_the_event_back(shop: Shop) -> None:
    if not shop.database.is_sqlite:
        return  # there an event has a transaction of its own, and a caller who leaves ends it
    is_open, may_close = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with shop.database.begin():
            is_open.set()
            await may_close.wait()

    holding = asyncio.create_task(hold())
    await is_open.wait()
    leaving = asyncio.create_task(shop.events.take(shop.incoming("slack:1")))
    staying = asyncio.create_task(shop.events.take(shop.incoming("slack:2")))
    await asyncio.sleep(0)
    leaving.cancel()
    may_close.set()
    assert await staying is True
    await holding
    assert await shop.events.take(shop.incoming("slack:1")) is False
