"""`status` says how every store and chat is and what to do; admins hear of trouble once, and once that it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from domain.catalog import PlatformName, Store, StoreId
from domain.connection import Tokens
from domain.data_replies import HealthNotice
from domain.errors import MissingScope, NeedsReconnect, StoreDown, StoreError
from domain.people import Actor, ChatName, Role
from domain.replies import Reply, StatusShown
from handlers.console.data import status_page
from handlers.health import tell_of_stores
from storage.bootstrap import ensure_member
from storage.connections import SqlConnections
from storage.vault import Vault
from tests.handlers.shop import Shop

SHELF = StoreId("shelf")
DOWN = StoreDown("Shelf did not answer.", store="Shelf")
REVOKED = NeedsReconnect("Shelf does not accept the key.", store="Shelf")


def connections(shop: Shop) -> SqlConnections:
    return SqlConnections(shop.database, Vault([Vault.fresh_key()]), shop.clock)


async def fail(shop: Shop, times: int, error: StoreError = DOWN) -> None:
    for _ in range(times):
        shop.clock.now += timedelta(minutes=1)
        await connections(shop).failed(SHELF, error)


async def told(shop: Shop) -> list[Reply]:
    mark = await shop.mark()
    await tell_of_stores(shop.desk, shop.team.team_id)
    return await shop.said(mark)


async def status(shop: Shop) -> StatusShown:
    (shown,) = await shop.send("status", by="vera")
    assert isinstance(shown, StatusShown)
    return shown


async def test_three_failures_are_told_once_and_so_is_the_end_of_them(shop: Shop) -> None:
    await fail(shop, 2)
    assert await told(shop) == []
    await fail(shop, 1)
    (notice,) = await told(shop)
    assert isinstance(notice, HealthNotice)
    assert (notice.tone, notice.store) == ("bad", "Shelf")
    assert "3 times in a row" in notice.said
    assert "`reconnect Shelf`" in notice.todo
    await fail(shop, 5)
    assert await told(shop) == [], "it is not repeated at every sweep"
    await connections(shop).went_well(SHELF)
    (good,) = await told(shop)
    assert isinstance(good, HealthNotice)
    assert (good.tone, good.said) == ("good", "Shelf works again.")
    assert await told(shop) == []
    await fail(shop, 3)
    assert len(await told(shop)) == 1, "a new trouble is news again"


async def test_one_call_that_fails_twice_is_one_failure(shop: Shop) -> None:
    for _ in range(6):
        await connections(shop).failed(SHELF, REVOKED)
    assert await told(shop) == []


async def test_an_answer_in_between_begins_the_count_anew(shop: Shop) -> None:
    for _ in range(4):
        await fail(shop, 2)
        await connections(shop).went_well(SHELF)
    assert await told(shop) == []


@pytest.mark.parametrize(("days", "kinds"), [(20, 0), (7, 1), (3, 1), (1, 1)])
async def test_a_keys_end_is_told_a_week_and_a_day_before(shop: Shop, days: int, kinds: int) -> None:
    ends = shop.clock() + timedelta(days=20)
    await connections(shop).checked(SHELF, key_expires_at=ends)
    shop.clock.now = ends - timedelta(days=days)
    assert len(await told(shop)) == kinds
    assert await told(shop) == []


async def test_a_keys_end_is_told_twice_in_all(shop: Shop) -> None:
    ends = shop.clock() + timedelta(days=180)
    await connections(shop).checked(SHELF, key_expires_at=ends)
    notices = []
    for hours in (0, 24 * 100, *range(24 * 172, 24 * 181, 12)):
        shop.clock.now = ends - timedelta(days=180) + timedelta(hours=hours)
        notices += await told(shop)
    assert [type(one) for one in notices] == [HealthNotice] * 2
    assert all("reconnect" in one.todo for one in notices if isinstance(one, HealthNotice))
    await connections(shop).checked(SHELF, key_expires_at=shop.clock() + timedelta(days=6))
    assert len(await told(shop)) == 1, "the next key is another one"


async def test_admins_hear_it_privately_where_they_can_be_reached(shop: Shop) -> None:
    team_id = shop.team.team_id
    ada = Actor(ChatName.SLACK, "U0ADA", "Ada")
    boss = Actor(ChatName.TELEGRAM, "4711", "Boss")
    await ensure_member(shop.database, team_id, "Ada", Role.ADMIN, ada)
    await ensure_member(shop.database, team_id, "Boss", Role.ADMIN, boss)
    await ensure_member(shop.database, team_id, "Eve", Role.EDITOR, Actor(ChatName.SLACK, "U0EVE", "Eve"))
    await fail(shop, 3)
    await told(shop)

    async def places() -> list[tuple[str, str]]:
        async with shop.database.read() as db_session:
            rows = await db_session.execute(
                text("SELECT chat, place_id FROM outbox WHERE reply LIKE '%HealthNotice%' ORDER BY 1")
            )
            return [(chat, place) for chat, place in rows]

    assert await places() == [("slack", "U0ADA")], "a bot may not write to whom never wrote to it in Telegram"
    async with shop.database.begin() as db_session:
        statement = "INSERT INTO place (team_id, chat, place_id, first_seen_at, language, timezone, previews) VALUES (:team, 'telegram', '4711', '2026-01-01', '', '', 0)"
        await db_session.execute(text(statement), {"team": team_id})
    await connections(shop).went_well(SHELF)
    await told(shop)
    assert sorted(await places()) == [("slack", "U0ADA"), ("slack", "U0ADA"), ("telegram", "4711")]


@pytest.mark.parametrize(
    ("error", "way_out"),
    [
        (DOWN, "I keep trying"),
        (REVOKED, "`reconnect Shelf`"),
        (MissingScope(store="Shelf", scope="write_products"), "`permissions Shelf`"),
    ],
)
async def test_every_bad_line_says_the_next_step(shop: Shop, error: StoreError, way_out: str) -> None:
    await connections(shop).went_well(SHELF)
    well = next(line for line in (await status(shop)).lines if line.name == "Shelf")
    assert (well.is_well, well.todo) == (True, "")
    await fail(shop, 1, error)
    line = next(line for line in (await status(shop)).lines if line.name == "Shelf")
    assert not line.is_well
    assert line.failure
    assert way_out in line.todo
    assert line.last_ok_at is not None
    assert line.failed_at is not None
    assert line.failed_at > line.last_ok_at


async def test_status_counts_what_waits(shop: Shop) -> None:
    await shop.send("enhance MUG-01", by="edith")
    shown = await status(shop)
    assert shown.queue is not None
    assert shown.waiting == 1
    assert shown.oldest_waiting_at is not None
    assert shown.queue.messages_waiting > 0
    assert {line.name for line in shown.lines} >= {"Shelf", "Outlet", "Console"}
    assert "Theirs" not in str(shown), "the other team's store"


async def test_the_page_shows_the_same_and_runs_nothing(shop: Shop) -> None:
    await fail(shop, 3, REVOKED)
    page = status_page(await status(shop), shop.members["vera"])
    assert "Something needs you" in page
    assert "<code>reconnect Shelf</code>" in page
    assert "<script" not in page
    assert "style=" not in page


async def test_a_renewed_store_begins_with_a_clean_pulse(shop: Shop) -> None:
    from storage.catalog import StoreRows

    store = Store(StoreId("etsy-1"), shop.team.team_id, PlatformName.ETSY, "Crafts")
    assert await StoreRows(shop.database).add(store, b"old")
    known = connections(shop)
    await known.save(store.store_id, Tokens("a"), was_version=0)
    await known.failed(store.store_id, StoreDown("x", store="Crafts"))
    await StoreRows(shop.database).reconnect(store.store_id, b"new")
    async with shop.desk.work.reading() as rows:
        assert (await rows.health.pulses(shop.team.team_id))[store.store_id].failures == 0
