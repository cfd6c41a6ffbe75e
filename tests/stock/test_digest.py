"""What a place hears in the morning, through the front door: words and presses in, digests out of the outbox."""

from __future__ import annotations

import asyncio
import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.alerts import Level
from domain.catalog import Sku
from domain.data_replies import FileReady
from domain.errors import StoreDown
from domain.intents import Incoming
from domain.people import Actor, ChatName, Place
from domain.replies import Refused
from domain.stock import SkuFacts
from domain.stock_alert_replies import AlertsShown, DigestShown
from domain.trade import Order, Shipment
from handlers.alert_faces import alert_face
from handlers.alert_tick import send_due, survey_due
from handlers.words import ENGLISH
from imaging.cover_chart import PillowCharts
from tests.fakes import FakePlatform
from tests.handlers.shop import ROOM, Shop
from tests.stock.mornings import (
    PHONE,
    TODAY,
    a_digest,
    levels,
    line_of,
    morning,
    open_for_weeks,
    put_variants,
    say,
    set_left,
    turned_on,
)

# ---------------------------------------------------------------- when


async def test_alerts_on_shows_the_zone_its_clock_and_the_next_morning(shop: Shop) -> None:
    shop.clock.now = TODAY
    shown = await say(shop, "alerts at 7:30 tz Europe/Berlin")
    assert isinstance(shown, AlertsShown)
    assert (shown.wall_time, shown.timezone, shown.zone_from) == ("7:30", "Europe/Berlin", "place")
    assert shown.next_at == datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    assert "there it is 24 Nov, 07:00 now" in alert_face(shown, ENGLISH).rows[1].said
    off = await say(shop, "alerts off")
    assert isinstance(off, AlertsShown)
    assert (off.is_on, off.next_at, off.wall_time) == (False, None, "7:30")
    assert await shop.audit_actions() == ["alerts", "alerts"]


async def test_the_zone_is_the_places_then_the_teams_then_the_persons_then_the_deployments(shop: Shop) -> None:
    deployment = await say(shop, "alerts on")
    assert isinstance(deployment, AlertsShown)
    assert (deployment.timezone, deployment.zone_from) == ("UTC", "deployment")
    edith = Actor(ChatName.CONSOLE, "edith", "edith")
    incoming = Incoming("telegram:zone", shop.team.team_id, edith, PHONE, text="alerts", timezone="America/Lima")
    (person,) = await shop.answer(incoming)
    assert isinstance(person, AlertsShown)
    assert (person.timezone, person.zone_from) == ("America/Lima", "person")
    await say(shop, "settings timezone=Asia/Tokyo")
    team = (await shop.answer(replace(incoming, event_key="telegram:zone2")))[-1]
    assert isinstance(team, AlertsShown)
    assert (team.timezone, team.zone_from) == ("Asia/Tokyo", "team")
    place = await say(shop, "alerts")
    assert isinstance(place, AlertsShown)
    assert (place.timezone, place.zone_from) == ("Asia/Tokyo", "place")


async def test_only_an_editor_turns_alerts_on_and_anybody_may_look(shop: Shop) -> None:
    refused = await say(shop, "alerts on", by="vera")
    assert isinstance(refused, Refused)
    assert "editor" in refused.sentence
    assert isinstance(await say(shop, "alerts", by="vera"), AlertsShown)


@pytest.mark.parametrize(
    "words", ["alerts at 25:00", "alerts tz Atlantis", "alerts loud", "snooze MUG-01 0d", "ordered"]
)
async def test_what_cannot_be_read_is_answered_with_how_to_write_it(shop: Shop, words: str) -> None:
    refused = await say(shop, words)
    assert isinstance(refused, Refused)
    assert "`" in refused.sentence or "timezone=" in refused.sentence


async def test_once_a_date_and_no_sooner(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 2}, left={"MUG-01": 500})
    assert await morning(shop, hour=6) == []
    assert len(await morning(shop)) == 1
    assert await morning(shop) == []
    assert await morning(shop, hour=20) == []
    assert len(await morning(shop, 1)) == 1


async def test_after_days_without_a_worker_one_digest_is_said(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 2}, left={"MUG-01": 500})
    assert len(await morning(shop)) == 1
    late = await morning(shop, 5, hour=21)
    assert [digest.day for digest in late if isinstance(digest, DigestShown)] == [date(2026, 11, 29)]
    assert len(await morning(shop, 6)) == 1


async def test_two_workers_at_the_same_moment_say_one(busy_shop: Shop) -> None:
    """Both have made it before either inserts: the row decides, on SQLite and on PostgreSQL."""
    shop = await turned_on(busy_shop, sells={"MUG-01": 2}, left={"MUG-01": 0})
    await survey_due(shop.desk)
    shop.clock.now = TODAY.replace(hour=7, minute=3)
    mark = await shop.mark()
    assert sorted(await asyncio.gather(*(send_due(shop.desk) for _ in range(4)))) == [0, 0, 0, 1]
    assert len([one for one in await shop.said(mark) if isinstance(one, DigestShown)]) == 1


async def test_each_place_has_its_own_time_and_its_own_news(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 2}, left={"MUG-01": 0})
    await say(shop, "alerts at 9:00", place=PHONE)
    (first,) = await morning(shop)
    (second, file) = await morning(shop, hour=8)
    assert isinstance(first, DigestShown)
    assert isinstance(second, DigestShown)
    assert isinstance(file, FileReady)
    assert levels(first) == levels(second) == {"MUG-01": Level.OUT}


async def test_another_team_hears_nothing_of_it(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 2}, left={"MUG-01": 0})
    await say(shop, "alerts on", by="olga")
    shop.clock.now = TODAY.replace(hour=9)
    await survey_due(shop.desk)
    shop.clock.now = TODAY + timedelta(days=1, hours=3)
    mark = await shop.mark()
    await send_due(shop.desk)
    digests = [one for one in await shop.said(mark) if isinstance(one, DigestShown)]
    assert sorted(bool(digest.lines) for digest in digests) == [False, True]


# ---------------------------------------------------------------- what


async def test_nothing_to_say_is_one_line(shop: Shop) -> None:
    await turned_on(shop, sells={}, left={"MUG-01": 5})
    digest = await a_digest(shop)
    face = alert_face(digest, ENGLISH)
    assert (face.head, face.rows) == ("Nothing sold yesterday; nothing needs you today.", ())
    assert digest.chart is None
    assert digest.table is None


async def test_changes_are_told_the_costliest_first_with_chart_and_table(shop: Shop) -> None:
    await put_variants(shop, "Gold ring", {"RING-1": 3}, price_cents=90_000)
    await turned_on(
        shop, sells={"MUG-01": 3, "MUG-02": 1, "RING-1": 1}, left={"MUG-01": 0, "MUG-02": 30, "BOWL-2": 0, "RING-1": 3}
    )
    digest = await a_digest(shop, charts=PillowCharts())
    assert list(levels(digest).items()) == [("RING-1", Level.CRITICAL), ("MUG-01", Level.OUT), ("MUG-02", Level.LOW)]
    assert (digest.orders, digest.units) == (3, 5)
    ring = line_of(digest, "RING-1")
    assert ring.out_early is not None
    assert digest.day < ring.out_early <= (ring.out_late or ring.out_early)
    assert ring.order > 0
    assert digest.chart is not None
    assert shop.media.kept[digest.chart].startswith(b"\x89PNG")
    assert digest.table is not None
    rows = list(csv.reader(io.StringIO(shop.media.kept[digest.table].decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["SKU", "MUG-01", "RING-1", "MUG-02"]
    assert digest.table_rows == len(rows) - 1


async def test_what_was_told_is_counted_and_not_told_again(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 3}, left={"MUG-01": 0})
    assert levels(await a_digest(shop)) == {"MUG-01": Level.OUT}
    again = await a_digest(shop, 1)
    assert (again.lines, again.still) == ((), 1)
    assert alert_face(again, ENGLISH).head == "Nothing sold yesterday; nothing new; 1 product is as low as before."


async def test_what_came_in_is_said_after_two_days_and_last(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 3, "MUG-02": 2}, left={"MUG-01": 0, "MUG-02": 400})
    await a_digest(shop)
    await set_left(shop, "MUG-01", 900)
    assert (await a_digest(shop, 1)).lines == ()
    await set_left(shop, "MUG-02", 0)
    digest = await a_digest(shop, 2)
    assert list(levels(digest).items()) == [("MUG-02", Level.OUT), ("MUG-01", Level.OK)]
    assert "there again: 900 on hand" in alert_face(digest, ENGLISH).rows[1].said


async def test_variants_are_one_line(shop: Shop) -> None:
    await put_variants(shop, "Linen shirt", {"SHIRT-S": 0, "SHIRT-M": 0, "SHIRT-L": 900})
    await turned_on(shop, sells={"SHIRT-S": 1, "SHIRT-M": 2, "SHIRT-L": 1}, left={})
    digest = await a_digest(shop)
    line = line_of(digest, "SHIRT-S")
    assert (line.skus, line.variants, line.level) == (("SHIRT-M", "SHIRT-S"), 3, "out")
    assert "2 of 3 variants: SHIRT-M, SHIRT-S" in alert_face(digest, ENGLISH).rows[0].said


async def test_a_suppliers_products_stand_together_and_ten_lines_are_the_most(shop: Shop) -> None:
    names = [f"GOODS-{number:02}" for number in range(14)]
    for name in names:
        await put_variants(shop, f"Thing {name[-2:]}", {name: 0})
    await turned_on(shop, sells=dict.fromkeys(names, 1), left={})
    async with shop.desk.work() as work:
        await work.stock.put_facts(
            shop.team.team_id,
            [
                SkuFacts(Sku(name), supplier=("Kiln & Co" if number % 2 else "Weavers"))
                for number, name in enumerate(names)
            ],
        )
    digest = await a_digest(shop)
    suppliers = [line.supplier for line in digest.lines]
    assert sorted(set(suppliers)) == ["Kiln & Co", "Weavers"]
    assert suppliers == sorted(suppliers, key=suppliers.index)  # each stands together
    face = alert_face(digest, ENGLISH)
    assert 1 + len(face.rows) <= 10
    assert digest.more == 14 - len(digest.lines)
    assert f"{digest.more} more changed" in face.rows[len(digest.lines)].label


async def test_a_silent_store_is_named_and_its_old_numbers_are_used(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 3}, left={"MUG-01": 0})
    await a_digest(shop)
    shop.outlet.before["read_all_stock"] += [StoreDown("it does not answer", store="Outlet")] * 2
    digest = await a_digest(shop, 1)
    assert [note for note in digest.notes if "Outlet is silent: its numbers are from 24 Nov" in note]
    assert not digest.is_quiet


class ShippingStore(FakePlatform):
    """A store in which orders can be marked as shipped, so that an open one waits for somebody."""

    async def mark_shipped(self, shipment: Shipment) -> Order:
        raise AssertionError("a digest ships nothing")


async def test_orders_to_ship_are_counted_where_they_can_be_shipped_and_after_three_days_late(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 1}, left={"MUG-01": 900})
    assert (await a_digest(shop)).unshipped == 0
    shop.stores.opened[0] = ShippingStore(shop.shelf.shelf)
    digest = await a_digest(shop, 1)
    assert (digest.unshipped, digest.late) == (40, 39)
    assert alert_face(digest, ENGLISH).rows[0].label == "📦 40 orders to ship"
    assert alert_face(digest, ENGLISH).rows[0].said == "39 late"


async def test_pictures_that_wait_for_a_decision_are_counted(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 1}, left={"MUG-01": 900})
    await shop.send("MUG-01", photos=[b"a photo"])
    digest = await a_digest(shop)
    assert digest.waiting_photos == 1
    assert "🖼️ 1 picture waits for a decision" in [row.label for row in alert_face(digest, ENGLISH).rows]


async def test_alerts_now_shows_it_at_once_and_the_morning_still_comes(shop: Shop) -> None:
    await turned_on(shop, sells={"MUG-01": 3}, left={"MUG-01": 0})
    now = await say(shop, "alerts now", by="vera")
    assert isinstance(now, DigestShown)
    assert now.asked
    assert levels(now) == {"MUG-01": Level.OUT}
    assert levels(await a_digest(shop)) == {"MUG-01": Level.OUT}


async def test_words_of_a_seller_cannot_become_a_formula_in_the_table(shop: Shop) -> None:
    await put_variants(shop, "=HYPERLINK(1)", {"EVIL-1": 0})
    await turned_on(shop, sells={"EVIL-1": 1}, left={})
    digest = await a_digest(shop)
    assert digest.table is not None
    rows = list(csv.reader(io.StringIO(shop.media.kept[digest.table].decode("utf-8-sig"))))
    assert rows[1][1] == "'=HYPERLINK(1)"


async def test_slack_and_telegram_get_the_table_as_a_file_under_the_digest(shop: Shop) -> None:
    await open_for_weeks(shop, sells={"MUG-01": 3}, left={"MUG-01": 0})
    await say(shop, "alerts on tz Europe/Berlin", place=Place(ChatName.SLACK, "C1"))
    digest, file = await morning(shop)
    assert isinstance(digest, DigestShown)
    assert isinstance(file, FileReady)
    assert (file.name, file.content, file.size_bytes) == ("stock-2026-11-24.csv", digest.table, digest.table_bytes)
    assert ROOM.chat is ChatName.CONSOLE
