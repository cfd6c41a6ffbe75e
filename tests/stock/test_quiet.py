"""What a place does not want to hear of, and what it hears at once, through the front door."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from domain.alerts import Level, Quiet
from domain.catalog import Sku
from domain.replies import Refused
from domain.stock_alert_replies import DigestShown, OutNow, SnoozeAsked, Snoozed
from domain.tokens import Action, Token
from handlers.alert_faces import ASK, ORDERED, RESTOCK, WEEK, alert_buttons
from handlers.alert_tick import survey_due, tell_what_ran_out
from tests.handlers.shop import Shop
from tests.stock.mornings import (
    TODAY,
    a_digest,
    levels,
    line_of,
    put_variants,
    say,
    set_left,
    turned_on,
)


async def test_a_press_asks_how_long_and_then_it_is_quiet(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 3, "MUG-02": 3}, left={"MUG-01": 0, "MUG-02": 0})
    now = await say(shop, "alerts now")
    assert isinstance(now, DigestShown)
    subject = line_of(now, "MUG-01").subject_id
    assert [Token.parse(button.token).number for button in alert_buttons(now)] == [ASK, ASK]
    (asked,) = await shop.send(token=str(Token(Action.SNOOZE, subject, ASK)), by="edith")
    assert isinstance(asked, SnoozeAsked)
    (snoozed,) = await shop.send(token=str(Token(Action.SNOOZE, subject, WEEK)), by="edith")
    assert isinstance(snoozed, Snoozed)
    assert (snoozed.skus, snoozed.kind) == (("MUG-01",), Quiet.UNTIL.value)
    assert levels(await a_digest(shop)) == {"MUG-02": Level.OUT}
    assert await a_digest(shop, 6)
    assert levels(await a_digest(shop, 8)) == {"MUG-01": Level.OUT}


async def test_quiet_until_restock_ends_when_some_come_in_and_go_again(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 3}, left={"MUG-01": 0})
    now = await say(shop, "alerts now")
    assert isinstance(now, DigestShown)
    await shop.send(token=str(Token(Action.SNOOZE, line_of(now, "MUG-01").subject_id, RESTOCK)), by="edith")
    assert (await a_digest(shop)).lines == ()
    await set_left(shop, "MUG-01", 2)
    assert levels(await a_digest(shop, 1)) == {"MUG-01": Level.CRITICAL}


async def test_ordered_is_quiet_until_the_end_of_the_day_it_comes(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 3}, left={"MUG-01": 0})
    await say(shop, "alerts now")
    ordered = await say(shop, "ordered mug-01 26 Nov")
    assert isinstance(ordered, Snoozed)
    assert ordered.until == datetime(2026, 11, 26, 23, 0, tzinfo=UTC)
    assert (await a_digest(shop)).lines == ()
    assert (await a_digest(shop, 2)).lines == ()
    assert levels(await a_digest(shop, 3)) == {"MUG-01": Level.OUT}


async def test_the_button_ordered_takes_the_usual_days_of_delivery(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 3}, left={"MUG-01": 0})
    now = await say(shop, "alerts now")
    assert isinstance(now, DigestShown)
    (ordered,) = await shop.send(
        token=str(Token(Action.SNOOZE, line_of(now, "MUG-01").subject_id, ORDERED)), by="edith"
    )
    assert isinstance(ordered, Snoozed)
    assert ordered.until == datetime(2026, 12, 8, 23, 0, tzinfo=UTC)


async def test_snooze_off_speaks_again_and_a_viewer_may_not(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 3}, left={"MUG-01": 0})
    await say(shop, "alerts now")
    assert isinstance(await say(shop, "snooze MUG-01 3d"), Snoozed)
    refused = await say(shop, "snooze MUG-01 off", by="vera")
    assert isinstance(refused, Refused)
    over = await say(shop, "snooze MUG-01 off")
    assert isinstance(over, Snoozed)
    assert over.kind == ""
    assert levels(await a_digest(shop)) == {"MUG-01": Level.OUT}
    unknown = await say(shop, "snooze NOPE-9 1d")
    assert isinstance(unknown, Refused)


async def test_a_button_of_a_product_that_is_gone_says_so(shop: Shop) -> None:
    (refused,) = await shop.send(token=str(Token(Action.SNOOZE, "A" * 22, WEEK)), by="edith")
    assert isinstance(refused, Refused)
    assert refused.code == "bad_input"


# ---------------------------------------------------------------- at once


async def test_what_sells_and_runs_out_is_said_at_once_and_once(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 3}, left={"MUG-01": 400, "VASE-7": 3})
    await a_digest(shop)
    shop.clock.now = TODAY + timedelta(hours=30)
    await set_left(shop, "MUG-01", 0)
    await set_left(shop, "VASE-7", 0)
    await survey_due(shop.desk)
    mark = await shop.mark()
    assert [await tell_what_ran_out(shop.desk) for _ in range(3)] == [1, 0, 0]
    (out,) = await shop.said(mark)
    assert isinstance(out, OutNow)
    assert (out.line.skus, out.line.level) == (("MUG-01",), "out")
    assert out.sold >= 3 * 13
    assert (await a_digest(shop, 2)).lines == ()  # the digest does not repeat it


async def test_a_sale_of_the_last_one_is_noticed_by_its_order_alone(shop: Shop) -> None:
    """Between two reads of the stock, orders count: no store has to be asked for its quantities."""
    await turned_on(shop, sells={"MUG-01": 1}, left={"MUG-01": 2})
    await a_digest(shop)
    reads = shop.shelf.calls.count("read_all_stock")
    shop.clock.now = TODAY + timedelta(hours=4)
    assert await shop.shelf_rows.sell(shop.shelf.store.store_id, Sku("MUG-01"), 2, now=shop.clock.now)
    await survey_due(shop.desk)
    assert shop.shelf.calls.count("read_all_stock") == reads
    assert await tell_what_ran_out(shop.desk) == 1


async def test_of_many_that_run_out_together_three_are_said_at_once(shop: Shop) -> None:
    names = [f"GOODS-{number:02}" for number in range(6)]
    for name in names:
        await put_variants(shop, f"Thing {name}", {name: 300})
    await turned_on(shop, sells=dict.fromkeys(names, 1), left={})
    await a_digest(shop)
    shop.clock.now = TODAY + timedelta(hours=30)
    for name in names:
        await set_left(shop, name, 0)
    await survey_due(shop.desk)
    assert await tell_what_ran_out(shop.desk) == 3
    assert len((await a_digest(shop, 2)).lines) == 3


async def test_two_workers_say_at_once_once(busy_shop: Shop) -> None:
    shop = await turned_on(busy_shop, sells={"MUG-01": 3}, left={"MUG-01": 0})
    await survey_due(shop.desk)
    assert sum(await asyncio.gather(*(tell_what_ran_out(shop.desk) for _ in range(3)))) == 1
