"""Two shelves kept in step, through the chat's front door and the real jobs; where two workers meet, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.stock_clock import tick
from domain.catalog import ListingId, Sku
from domain.errors import Ambiguous, StoreDown
from domain.replies import Refused, Reply
from domain.rows import ShelfListing
from domain.stock import LinkState, PushState
from domain.sync import ZEROED_MOST, SyncJob
from domain.sync_replies import MismatchAsked, OversoldAsked, RunAsked, SyncAnswer, SyncBegun, SyncShown, SyncTurned
from domain.tokens import TOKEN_MAX_BYTES
from handlers.buttons import buttons
from handlers.stock_orders import hear
from handlers.stock_push import push
from storage.database import Database
from tests.fakes import FakePlatform
from tests.handlers.shop import Shop, open_shop

PLATE = Sku("PLATE-3")
HOUR = timedelta(hours=1, minutes=1)


def token(reply: Reply, words: str) -> str:
    """What the button that says so carries."""
    return next(one.token for one in buttons(reply) if words in one.label)


async def quantity(shop: Shop, sku: Sku, store: FakePlatform) -> int:
    return (await shop.listing(sku.value, at=store)).variants[0].quantity


async def on_hand(shop: Shop, sku: Sku) -> int:
    async with shop.desk.work.reading() as rows:
        return (await rows.stock.on_hand(shop.team.team_id, [sku]))[sku.key]


async def in_time(shop: Shop, later: timedelta = timedelta(seconds=10)) -> list[Reply]:
    """Let time pass, the clock ask for what is due, and the worker do it."""
    shop.clock.now += later
    mark = await shop.mark()
    await tick(shop.database, shop.desk)
    await shop.run_jobs()
    return await shop.said(mark)


async def agreed(shop: Shop) -> RunAsked:
    """Turn sync on and say yes to what the stores show."""
    asked = (await shop.send("sync on", by="april"))[-1]
    assert isinstance(asked, RunAsked)
    done = (await shop.send(by="april", token=token(asked, "Go ahead")))[-1]
    assert isinstance(done, RunAsked)
    assert done.state == "done"
    return asked


async def sell(shop: Shop, sku: Sku, pieces: int, *, at: FakePlatform) -> None:
    assert await shop.shelf_rows.sell(at.store.store_id, sku, pieces, now=shop.clock()) is not None


async def by_hand(shop: Shop, sku: Sku, pieces: int, *, at: FakePlatform) -> None:
    """Somebody types a number in the store's own pages."""
    listing = await shop.listing(sku.value, at=at)
    done = await shop.shelf_rows.set_quantity(
        at.store.store_id, listing.listing_id, sku, was=None, quantity=pieces, key=f"hand {pieces}"
    )
    assert done == (True, pieces)


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


# ---------------------------------------------------------------- what a person changed


async def mismatch(shop: Shop) -> MismatchAsked:
    """Somebody typed another number at the outlet, and two reads have found it."""
    await agreed(shop)
    await by_hand(shop, PLATE, 9, at=shop.outlet)
    said = [*await in_time(shop, HOUR), *await in_time(shop, timedelta(minutes=2))]
    asked = [one for one in said if isinstance(one, MismatchAsked)]
    assert len(asked) == 1
    return asked[0]


async def test_a_number_somebody_typed_is_asked_about_and_not_overwritten(shop: Shop) -> None:
    asked = await mismatch(shop)
    assert (asked.sku, asked.store, asked.expected, asked.observed) == ("PLATE-3", "Outlet", 5, 9)
    assert [button.label for button in buttons(asked)] == ["Trust Outlet: 9", "Trust Shelf: 5", "I'll count"]
    await sell(shop, PLATE, 1, at=shop.shelf)
    await in_time(shop, HOUR)
    assert await quantity(shop, PLATE, shop.outlet) == 9


async def test_trusting_the_store_makes_its_number_everybody_s(shop: Shop) -> None:
    asked = await mismatch(shop)
    answered = (await shop.send(by="april", token=token(asked, "Trust Outlet")))[-1]
    assert isinstance(answered, MismatchAsked)
    assert (answered.state, answered.by) == ("trusted", "april")
    assert await quantity(shop, PLATE, shop.shelf) == await on_hand(shop, PLATE) == 9
    second = (await shop.send(by="abel", token=token(asked, "Trust Shelf")))[-1]
    assert isinstance(second, Refused)
    assert await quantity(shop, PLATE, shop.outlet) == 9


async def test_trusting_the_others_brings_the_store_back(shop: Shop) -> None:
    asked = await mismatch(shop)
    await shop.send(by="april", token=token(asked, "Trust Shelf"))
    assert await quantity(shop, PLATE, shop.outlet) == await on_hand(shop, PLATE) == 5


async def test_who_counts_is_waited_for_and_their_count_answers(shop: Shop) -> None:
    asked = await mismatch(shop)
    waiting = (await shop.send(by="april", token=token(asked, "count")))[-1]
    assert isinstance(waiting, MismatchAsked)
    assert (waiting.state, waiting.counting) == ("open", "april")
    assert await quantity(shop, PLATE, shop.outlet) == 9
    said = await shop.send("stock count PLATE-3 6", by="april")
    closed = [one for one in said if isinstance(one, MismatchAsked)]
    assert [one.state for one in closed] == ["counted"]
    assert [await quantity(shop, PLATE, one) for one in (shop.shelf, shop.outlet)] == [6, 6]


async def test_a_number_that_comes_right_by_itself_closes_the_question(shop: Shop) -> None:
    asked = await mismatch(shop)
    await by_hand(shop, PLATE, 5, at=shop.outlet)
    await in_time(shop, HOUR)
    late = (await shop.send(by="april", token=token(asked, "Trust Outlet")))[-1]
    assert isinstance(late, Refused)
    assert await on_hand(shop, PLATE) == 5


# ---------------------------------------------------------------- oversold


async def test_oversold_shows_both_orders_and_a_letter_and_sends_none(shop: Shop) -> None:
    await agreed(shop)
    await sell(shop, PLATE, 5, at=shop.shelf)
    await sell(shop, PLATE, 2, at=shop.outlet)
    said = [*await in_time(shop), *await in_time(shop)]
    card = [one for one in said if isinstance(one, OversoldAsked)][-1]
    assert (card.sku, card.missing) == ("PLATE-3", 2)
    assert {line.store for line in card.orders} == {"Shelf", "Outlet"}
    done = (await shop.send(by="april", token=token(card, "Dealt with")))[-1]
    assert isinstance(done, OversoldAsked)
    assert (done.is_open, done.by) == (False, "april")
    assert isinstance((await shop.send(by="abel", token=token(card, "Dealt with")))[-1], Refused)


async def test_goods_that_come_in_settle_what_was_oversold(shop: Shop) -> None:
    await agreed(shop)
    await sell(shop, PLATE, 5, at=shop.shelf)
    await sell(shop, PLATE, 2, at=shop.outlet)
    await in_time(shop)
    await in_time(shop)
    said = [*await shop.send("received 10 PLATE-3", by="april"), *await in_time(shop)]
    assert [one.is_open for one in said if isinstance(one, OversoldAsked)] == [False]
    assert await on_hand(shop, PLATE) == 8


# ---------------------------------------------------------------- the breaker


async def with_many(shop: Shop, count: int = 30) -> list[Sku]:
    """Both stores sell many products of ten pieces each, and are in step."""
    skus = [Sku(f"CUP-{number:02}") for number in range(count)]
    plate = await shop.listing("PLATE-3")
    for store in (shop.shelf, shop.outlet):
        for sku in skus:
            await shop.shelf_rows.add_listing(store.store.store_id, cup(sku, plate))
    await agreed(shop)
    return skus


def cup(sku: Sku, like: ShelfListing) -> ShelfListing:
    variants = (replace(like.variants[0], sku=sku, quantity=10),)
    return replace(like, listing_id=ListingId(f"l-{sku.key}"), handle=sku.key, variants=variants, images=(), version=1)


async def test_a_store_that_shows_none_of_anything_is_not_believed(shop: Shop) -> None:
    skus = await with_many(shop)
    async with shop.database.begin() as db_session:
        await db_session.execute(text("UPDATE shelf_variant SET quantity = 0 WHERE store_id = 'outlet'"))
    said = await in_time(shop, HOUR)
    (asked,) = [one for one in said if isinstance(one, RunAsked)]
    assert (asked.kind, asked.state, asked.store, asked.alarm) == ("read", "asked", "Outlet", "emptied")
    assert [await quantity(shop, sku, shop.shelf) for sku in skus[:3]] == [10, 10, 10]
    assert [one for one in await in_time(shop, HOUR) if isinstance(one, SyncAnswer)] == []
    await shop.send(by="april", token=token(asked, "Leave it"))
    assert [one for one in await in_time(shop, HOUR) if isinstance(one, SyncAnswer)] == []
    assert await quantity(shop, skus[0], shop.shelf) == await on_hand(shop, skus[0]) == 10


async def test_go_ahead_takes_the_store_s_numbers_everywhere(shop: Shop) -> None:
    skus = await with_many(shop)
    async with shop.database.begin() as db_session:
        await db_session.execute(text("UPDATE shelf_variant SET quantity = 4 WHERE store_id = 'outlet'"))
    (asked,) = [one for one in await in_time(shop, HOUR) if isinstance(one, RunAsked)]
    assert asked.alarm == "changed"
    await shop.send(by="april", token=token(asked, "Go ahead"))
    for _ in range(3):
        await in_time(shop)
    writes = [one for one in await shop.said() if isinstance(one, RunAsked) and one.kind == "write"]
    for run in writes[-1:]:
        await shop.send(by="april", token=token(run, "Go ahead"))
    assert {await on_hand(shop, sku) for sku in skus} == {4}
    assert {await quantity(shop, sku, shop.shelf) for sku in skus} == {4}


async def test_a_run_that_would_sell_out_too_many_stops_and_asks(shop: Shop) -> None:
    skus = await with_many(shop)
    some = skus[: ZEROED_MOST + 1]
    words = "stock count " + " ".join(f"{sku} 0" for sku in some)
    said = await shop.send(words, by="april")
    (asked,) = [one for one in said if isinstance(one, RunAsked)]
    assert (asked.kind, asked.alarm, asked.zeroed) == ("write", "zeroed", len(some))
    await in_time(shop, HOUR)
    assert {await quantity(shop, sku, shop.outlet) for sku in some} == {10}
    await shop.send(by="april", token=token(asked, "Go ahead"))
    assert {await quantity(shop, sku, shop.outlet) for sku in some} == {0}


async def test_one_product_that_is_counted_to_none_is_no_run(shop: Shop) -> None:
    await agreed(shop)
    said = await shop.send("stock count PLATE-3 0", by="april")
    assert not [one for one in said if isinstance(one, RunAsked)]
    assert await quantity(shop, PLATE, shop.outlet) == 0


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
