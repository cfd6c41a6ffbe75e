"""What only a person can answer: a number somebody typed, what was oversold, a run that would change too much."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from domain.catalog import ListingId, Sku
from domain.replies import Refused
from domain.rows import ShelfListing
from domain.sync import ZEROED_MOST
from domain.sync_replies import MismatchAsked, OversoldAsked, RunAsked, SyncAnswer
from handlers.buttons import buttons
from tests.handlers.shop import Shop
from tests.stock.in_step import HOUR, PLATE, agreed, by_hand, in_time, on_hand, quantity, sell, token

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
