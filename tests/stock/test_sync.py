"""Two shelves kept in step, through the chat's front door and the real jobs; where two workers meet, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from domain.catalog import Sku
from domain.errors import Ambiguous, StoreDown
from domain.replies import Refused
from domain.stock import LinkState, PushState
from domain.sync import SyncJob
from domain.sync_replies import RunAsked, SyncBegun, SyncShown, SyncTurned
from domain.tokens import TOKEN_MAX_BYTES
from handlers.buttons import buttons
from handlers.stock_orders import hear
from handlers.stock_push import push
from storage.database import Database
from tests.handlers.shop import Shop, open_shop
from tests.stock.in_step import HOUR, PLATE, agreed, by_hand, in_time, on_hand, quantity, sell, token

# ---------------------------------------------------------------- first contact


async def test_nothing_is_counted_or_written_before_a_yes(shop: Shop) -> None:
    await by_hand(shop, PLATE, 7, at=shop.outlet)
    turned, *_, asked = await shop.send("sync on", by="april")
    assert isinstance(turned, SyncTurned)
    assert turned.is_first
    assert isinstance(asked, RunAsked)
    assert (asked.kind, asked.state, asked.total, asked.disputed) == ("first", "asked", 5, 1)
    first = asked.lines[0]
    assert (first.sku, dict(first.shows), first.becomes) == ("PLATE-3", {"Shelf": 5, "Outlet": 7}, 5)
    async with shop.desk.work.reading() as rows:
        assert await rows.stock.on_hand(shop.team.team_id) == {}
        assert await rows.stock.links(shop.team.team_id) == []
    assert await quantity(shop, PLATE, shop.outlet) == 7


async def test_after_the_yes_the_lowest_number_stands_everywhere(shop: Shop) -> None:
    await by_hand(shop, PLATE, 7, at=shop.outlet)
    await agreed(shop)
    assert await on_hand(shop, PLATE) == 5
    assert await quantity(shop, PLATE, shop.outlet) == 5


async def test_only_where_they_agree_leaves_the_others_alone(shop: Shop) -> None:
    await by_hand(shop, PLATE, 7, at=shop.outlet)
    asked = (await shop.send("sync on", by="april"))[-1]
    await shop.send(by="april", token=token(asked, "Only where they agree"))
    assert await quantity(shop, PLATE, shop.outlet) == 7
    async with shop.desk.work.reading() as rows:
        known = await rows.stock.on_hand(shop.team.team_id)
        assert PLATE.key not in known
        assert known["mug-01"] == 5


async def test_leave_it_changes_nothing_and_asks_again_only_when_told(shop: Shop) -> None:
    asked = (await shop.send("sync on", by="april"))[-1]
    left = (await shop.send(by="april", token=token(asked, "Leave it")))[-1]
    assert isinstance(left, RunAsked)
    assert (left.state, left.by) == ("left", "april")
    assert await in_time(shop, HOUR) == []
    again = await shop.send("sync", by="april")
    assert isinstance(again[0], SyncBegun)
    assert isinstance(again[-1], RunAsked)


async def test_a_second_answer_and_a_stranger_s_team_change_nothing(shop: Shop) -> None:
    asked = (await shop.send("sync on", by="april"))[-1]
    yes = token(asked, "Go ahead")
    foreign = (await shop.send(by="olga", token=yes))[-1]
    low = (await shop.send(by="edith", token=yes))[-1]
    assert isinstance(foreign, Refused)
    assert isinstance(low, Refused)
    assert low.code == "not_allowed"
    await shop.send(by="april", token=yes)
    second = (await shop.send(by="abel", token=token(asked, "Leave it")))[-1]
    assert isinstance(second, Refused)
    assert (await shop.audit_actions()).count("sync_go_ahead") == 1


@pytest.mark.parametrize(
    ("words", "by"), [("sync on", "edith"), ("sync off", "edith"), ("sync", "vera"), ("sync off MUG-01", "edith")]
)
async def test_turning_it_takes_an_approver_and_looking_nobody(shop: Shop, words: str, by: str) -> None:
    refused = (await shop.send(words, by=by))[-1]
    assert isinstance(refused, Refused)
    assert refused.code == "not_allowed"
    assert isinstance((await shop.send("sync status", by="vera"))[0], SyncShown)


# ---------------------------------------------------------------- in step


async def test_a_sale_on_one_store_changes_the_other(shop: Shop) -> None:
    await agreed(shop)
    await sell(shop, PLATE, 1, at=shop.shelf)
    await in_time(shop)
    assert [await quantity(shop, PLATE, one) for one in (shop.shelf, shop.outlet)] == [4, 4]


async def test_the_last_pieces_are_split_and_none_is_sold_twice(shop: Shop) -> None:
    await agreed(shop)
    await sell(shop, PLATE, 3, at=shop.shelf)
    await in_time(shop)
    await in_time(shop)
    shown = [await quantity(shop, PLATE, one) for one in (shop.shelf, shop.outlet)]
    assert sum(shown) == await on_hand(shop, PLATE) == 2


async def test_an_own_echo_finds_nothing_to_do(shop: Shop) -> None:
    await agreed(shop)
    await sell(shop, PLATE, 1, at=shop.shelf)
    await in_time(shop)
    before = [len(one.calls) for one in (shop.shelf, shop.outlet)]
    await in_time(shop, HOUR)
    written = [one.calls[began:] for one, began in zip((shop.shelf, shop.outlet), before, strict=True)]
    assert all("swap_stock" not in calls for calls in written)


async def test_off_means_nothing_is_written(shop: Shop) -> None:
    await agreed(shop)
    await shop.send("sync off", by="april")
    await sell(shop, PLATE, 1, at=shop.shelf)
    await in_time(shop, HOUR)
    assert await quantity(shop, PLATE, shop.outlet) == 5
    again = await shop.send("sync on", by="april")
    assert isinstance(again[0], SyncTurned)
    assert not again[0].is_first
    await in_time(shop)
    assert await quantity(shop, PLATE, shop.outlet) == 4


async def test_off_for_one_product_still_counts_what_is_sold(shop: Shop) -> None:
    await agreed(shop)
    off = (await shop.send("sync off PLATE-3", by="april"))[0]
    assert isinstance(off, SyncTurned)
    assert (off.is_on, off.sku) == (False, "PLATE-3")
    await sell(shop, PLATE, 1, at=shop.shelf)
    await in_time(shop)
    assert (await on_hand(shop, PLATE), await quantity(shop, PLATE, shop.outlet)) == (4, 5)
    await shop.send("sync on PLATE-3", by="april")
    assert await quantity(shop, PLATE, shop.outlet) == 4
    unknown = (await shop.send("sync off NOPE-1", by="april"))[0]
    assert isinstance(unknown, Refused)


# ---------------------------------------------------------------- a write that went wrong


async def test_a_write_whose_answer_is_lost_is_the_same_write_again(shop: Shop) -> None:
    await agreed(shop)
    shop.outlet.after["swap_stock"].append(Ambiguous("No answer.", store="Outlet"))
    await sell(shop, PLATE, 1, at=shop.shelf)
    await in_time(shop)
    assert await quantity(shop, PLATE, shop.outlet) == 4
    async with shop.desk.work.reading() as rows:
        assert await rows.stock.pushes(shop.team.team_id) == []


async def test_a_store_that_is_down_is_told_later_and_says_so_meanwhile(shop: Shop) -> None:
    await agreed(shop)
    shop.outlet.before["swap_stock"] += [StoreDown("It is closed.", store="Outlet")] * 2
    await sell(shop, PLATE, 1, at=shop.shelf)
    await in_time(shop)
    status = (await shop.send("sync status", by="vera"))[0]
    assert isinstance(status, SyncShown)
    outlet = next(line for line in status.stores if line.store == "Outlet")
    assert (outlet.state, outlet.open_pushes) == ("trouble", 1)
    assert "Outlet" in outlet.trouble
    for _ in range(3):
        await in_time(shop, timedelta(minutes=2))
    assert await quantity(shop, PLATE, shop.outlet) == 4
    healed = (await shop.send("sync status", by="vera"))[0]
    assert isinstance(healed, SyncShown)
    assert [line.state for line in healed.stores] == ["in_step", "in_step"]


async def test_a_sale_during_the_write_is_not_overwritten(shop: Shop) -> None:
    await agreed(shop)
    await sell(shop, PLATE, 1, at=shop.shelf)
    await sell(shop, PLATE, 1, at=shop.outlet)
    for _ in range(3):
        await in_time(shop)
    assert await on_hand(shop, PLATE) == 3
    assert sum([await quantity(shop, PLATE, one) for one in (shop.shelf, shop.outlet)]) == 3


# ---------------------------------------------------------------- what becomes of listings


async def test_a_renamed_sku_is_not_written_until_somebody_names_it(shop: Shop) -> None:
    await agreed(shop)
    async with shop.database.begin() as db_session:
        renamed = "UPDATE shelf_variant SET sku = 'PLATE-4', sku_key = 'plate-4' WHERE store_id = 'outlet'"
        await db_session.execute(text(renamed))
    await in_time(shop, HOUR)
    await sell(shop, PLATE, 1, at=shop.shelf)
    await in_time(shop)
    assert await quantity(shop, Sku("PLATE-4"), shop.outlet) == 5
    status = (await shop.send("sync status", by="vera"))[0]
    assert isinstance(status, SyncShown)
    assert any("PLATE-3 (Outlet)" in note for note in status.notes)


async def test_a_listing_that_is_deleted_in_the_middle_of_a_write_is_let_go(shop: Shop) -> None:
    await agreed(shop)
    await sell(shop, PLATE, 1, at=shop.shelf)
    async with shop.database.begin() as db_session:
        await db_session.execute(text("DELETE FROM shelf_variant WHERE store_id = 'outlet'"))
    await in_time(shop)
    async with shop.desk.work.reading() as rows:
        links = await rows.stock.links(shop.team.team_id, [PLATE])
        assert {link.store_id: link.state for link in links} == {"outlet": LinkState.GONE, "shelf": LinkState.ON}
        assert await rows.stock.pushes(shop.team.team_id) == []
    await in_time(shop, HOUR)
    assert await quantity(shop, PLATE, shop.shelf) == 4


# ---------------------------------------------------------------- the machinery


async def test_a_hundred_wishes_make_one_job(shop: Shop) -> None:
    async with shop.desk.work() as work:
        asked = [await work.sync.ask(SyncJob.HEAR, "shelf", shop.team.team_id) for _ in range(100)]
        assert asked == [1, *[None] * 99]
        await work.sync.begin(SyncJob.HEAR, "shelf")
        assert await work.sync.ask(SyncJob.HEAR, "shelf", shop.team.team_id) == 2


async def test_two_workers_at_once_write_once_and_count_once(database: Database) -> None:
    shop = await open_shop(database)
    await agreed(shop)
    await sell(shop, PLATE, 1, at=shop.shelf)
    shop.clock.now += timedelta(minutes=1)
    await asyncio.gather(*(hear("shelf", shop.desk) for _ in range(2)))
    await asyncio.gather(*(push("outlet", shop.desk) for _ in range(2)))
    await shop.run_jobs()
    assert await on_hand(shop, PLATE) == 4
    assert [await quantity(shop, PLATE, one) for one in (shop.shelf, shop.outlet)] == [4, 4]
    async with shop.desk.work.reading() as rows:
        done = await rows.stock.pushes(shop.team.team_id, state=PushState.DONE)
        assert len([one for one in done if one.sku.key == PLATE.key]) == 1


async def test_every_button_fits_into_what_telegram_grants(shop: Shop) -> None:
    asked = (await shop.send("sync on", by="april"))[-1]
    longest = max(len(button.token.encode()) for button in buttons(asked))
    assert longest <= TOKEN_MAX_BYTES
