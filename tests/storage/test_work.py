"""One transaction: rows, jobs and messages together, or none of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from domain.catalog import Sku
from domain.enhancement import EnhancementEvent
from domain.errors import Fault, RowChanged
from domain.intents import Incoming
from domain.jobs import Job, enhance_job, intake_job
from domain.replies import Card, HelpShown, PreviewReady, Published, Publishing, Refused, Working
from domain.rows import AuditEntry
from tests.storage.conftest import CONSOLE, OTHER_ROOM, ROOM, Shop

WORKING = Working("MUG-01", "received")


def card(enhancement_id: str) -> Card:
    return Card(enhancement_id, 1, "MUG-01", "Blue mug", ("Shelf",), "Anna")


async def taken(shop: Shop, event_key: str, *, working: bool = True) -> Incoming:
    incoming = shop.incoming(event_key)
    assert await shop.events.take(incoming, working=WORKING if working else None)
    return incoming


async def test_a_failed_unit_of_work_leaves_neither_row_nor_job_nor_message(shop: Shop) -> None:
    incoming = await taken(shop, "console:1", working=False)
    enhancement = shop.enhancement()

    async def die_at_the_end() -> None:
        async with shop.work(incoming) as work:
            await work.enhancements.add(enhancement)
            await work.enqueue(enhance_job(enhancement))
            await work.show(enhancement.enhancement_id, WORKING)
            await work.audit(AuditEntry(shop.team.team_id, shop.clock(), "Anna", "ask", "MUG-01", "x", "asked"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await die_at_the_end()
    assert await shop.jobs() == [intake_job("console:1").key]
    assert [await shop.count(table) for table in ("enhancement", "posted_message", "outbox", "audit")] == [0, 0, 0, 0]
    async with shop.work(incoming):
        pass  # and the event is still open


async def test_an_engine_that_refuses_the_job_rolls_the_rows_back(shop: Shop) -> None:
    def refuse(connection: Connection, job: Job) -> None:
        raise ConnectionError("engine")

    enhancement = shop.enhancement()
    shop.enqueue = refuse

    async def ask() -> None:
        async with shop.work() as work:
            await work.enhancements.add(enhancement)
            await work.enqueue(enhance_job(enhancement))

    with pytest.raises(ConnectionError):
        await ask()
    assert await shop.count("enhancement") == 0
    with pytest.raises(ConnectionError):
        await shop.events.take(shop.incoming("console:1"), working=WORKING)
    assert [await shop.count(table) for table in ("seen_event", "posted_message", "console_line")] == [0, 0, 0]


async def test_rows_job_and_message_commit_together(shop: Shop) -> None:
    enhancement = shop.enhancement()
    incoming = await taken(shop, "console:1")
    async with shop.work(incoming) as work:
        await work.enhancements.add(enhancement)
        await work.enqueue(enhance_job(enhancement))
        await work.show(enhancement.enhancement_id, WORKING)
    assert await shop.jobs() == sorted([intake_job("console:1").key, enhance_job(enhancement).key])
    assert await shop.count("enhancement") == 1
    assert await shop.deliver_all() == [("", "Working", "console:1")]


async def test_an_event_is_concluded_once(shop: Shop) -> None:
    incoming = await taken(shop, "console:1")
    async with shop.work(incoming):
        pass
    with pytest.raises(RowChanged):
        async with shop.work(incoming):
            raise AssertionError("never entered")


async def test_of_two_who_conclude_an_event_at_once_one_loses(shop: Shop) -> None:
    incoming = await taken(shop, "console:1")

    async def conclude() -> None:
        async with shop.work(incoming) as work:
            await work.answer(HelpShown(()))

    outcomes = await asyncio.gather(*(conclude() for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(outcome, RowChanged) for outcome in outcomes) == 4
    assert await shop.deliver_all() == [("", "HelpShown", "console:1")]


async def test_an_event_that_was_never_taken_is_a_fault(shop: Shop) -> None:
    with pytest.raises(Fault, match="no event") as caught:
        async with shop.work(shop.incoming("console:404")):
            raise AssertionError("never entered")
    assert caught.value.code == "row_missing"


async def test_taking_an_event_five_times_keeps_one(shop: Shop) -> None:
    incoming = shop.incoming("console:1")
    answers = await asyncio.gather(*(shop.events.take(incoming, working=WORKING) for _ in range(5)))
    assert sorted(answers) == [False, False, False, False, True]
    assert await shop.jobs() == [intake_job("console:1").key]
    assert await shop.count("posted_message") == 1
    assert len(await shop.deliver_all()) == 1
    assert await shop.events.load("console:1") == incoming


async def test_an_unknown_event_is_a_fault(shop: Shop) -> None:
    with pytest.raises(Fault, match="no event"):
        await shop.events.load("console:404")


async def test_text_no_database_can_hold_is_kept_readable(shop: Shop) -> None:
    assert await shop.events.take(shop.incoming("console:1", place=CONSOLE, text="mug\x00 \ud800 ☕\n"))
    assert (await shop.events.load("console:1")).text == "mug\ufffd \ufffd ☕\n"


async def test_a_second_answer_does_not_overwrite_the_first(shop: Shop) -> None:
    incoming = await taken(shop, "console:1")
    working = await shop.deliver_all()
    async with shop.work(incoming) as work:
        await work.answer(HelpShown(()))
        await work.answer(Refused("stale_button", "Look again."))
    assert working + await shop.deliver_all() == [
        ("", "Working", "console:1"),
        ("native-1", "HelpShown", "console:1"),
        ("", "Refused", "console:1"),
    ]


async def test_a_job_has_nobody_to_answer(shop: Shop) -> None:
    with pytest.raises(RuntimeError, match="event"):
        async with shop.work() as work:
            await work.answer(HelpShown(()))


async def test_of_three_products_the_first_takes_the_working_message(shop: Shop) -> None:
    incoming = await taken(shop, "console:1")
    await shop.deliver_all()
    async with shop.work(incoming) as work:
        for enhancement in (shop.enhancement(), shop.enhancement(), shop.enhancement()):
            await work.enhancements.add(enhancement)
            await work.show(enhancement.enhancement_id, Working("MUG-01", "waiting"))
    assert [native_id for native_id, *_ in await shop.deliver_all()] == ["native-1", "", ""]


async def test_a_job_edits_the_card_wherever_it_is_shown_and_names_its_event(shop: Shop) -> None:
    enhancement = shop.enhancement()
    incoming = await taken(shop, "console:1")
    async with shop.work(incoming) as work:
        await work.enhancements.add(enhancement)
        await work.show(enhancement.enhancement_id, WORKING)
    shown = await shop.deliver_all()
    async with shop.work() as work:
        await work.show(enhancement.enhancement_id, PreviewReady(card(enhancement.enhancement_id)))
    shown += await shop.deliver_all()
    press = await taken(shop, "console:2", working=False)
    async with shop.work(press) as work:
        await work.show(
            enhancement.enhancement_id, Publishing(card(enhancement.enhancement_id), "Anna", shop.clock(), ())
        )
    shown += await shop.deliver_all()
    async with shop.work() as work:
        await work.show(
            enhancement.enhancement_id, Published(card(enhancement.enhancement_id), "Anna", shop.clock(), ())
        )
    assert shown + await shop.deliver_all() == [
        ("", "Working", "console:1"),
        ("native-1", "PreviewReady", "console:1"),
        ("native-1", "Publishing", "console:2"),
        ("native-1", "Published", "console:1"),
    ]


async def test_a_card_nobody_shows_is_posted_where_it_was_asked_for(shop: Shop) -> None:
    enhancement = await shop.added(shop.enhancement(place=OTHER_ROOM))
    async with shop.work() as work:
        await work.show(enhancement.enhancement_id, PreviewReady(card(enhancement.enhancement_id)))
    (message,) = await shop.outbox.due(shop.clock(), 10)
    assert message.outgoing.place == OTHER_ROOM
    assert message.outgoing.native_id == ""
    await shop.outbox.sent(message.outbox_id, "99")
    async with shop.work() as work:
        await work.show(enhancement.enhancement_id, PreviewReady(card(enhancement.enhancement_id)))
    assert [native_id for native_id, *_ in await shop.deliver_all()] == ["99"]


async def test_the_loser_of_a_race_changes_nothing(shop: Shop) -> None:
    before = await shop.added(shop.enhancement())
    async with shop.work() as work:
        await work.enhancements.save(before.after(EnhancementEvent.START), was=before)
    failed = replace(before.after(EnhancementEvent.FAIL), failure="late", title="late")
    with pytest.raises(RowChanged):
        async with shop.work() as work:
            await work.enhancements.save(failed, was=before)
    async with shop.work() as work:
        assert await work.enhancements.load(before.enhancement_id) == before.after(EnhancementEvent.START)


async def test_four_writers_lose_no_increment(shop: Shop) -> None:
    tries = 100
    enhancement = await shop.added(shop.enhancement())
    placement_id = shop.placement(enhancement).placement_id
    async with shop.work() as work:
        await work.placements.add(replace(shop.placement(enhancement), placement_id=placement_id))

    async def count_up() -> int:
        done = races_lost = 0
        while done < tries:
            try:
                async with shop.work() as work:
                    before = await work.placements.load(placement_id)
                    await work.placements.save(replace(before, attempt=before.attempt + 1), was=before)
                done += 1
            except RowChanged:
                races_lost += 1
        return races_lost

    races_lost = await asyncio.gather(*(count_up() for _ in range(4)))
    async with shop.work() as work:
        assert (await work.placements.load(placement_id)).attempt == 1 + 4 * tries
    if shop.database.is_sqlite:
        assert sum(races_lost) == 0, "BEGIN IMMEDIATE lets nobody read what another is about to write"


async def write_elsewhere(shop: Shop) -> None:
    async with shop.database.begin():
        pass


async def write_inside(shop: Shop, *, in_a_child: bool) -> None:
    async with shop.work():
        await (asyncio.create_task(write_elsewhere(shop)) if in_a_child else write_elsewhere(shop))


@pytest.mark.parametrize("in_a_child", [False, True])
async def test_writes_inside_a_unit_of_work_never_wait_for_themselves(shop: Shop, in_a_child: bool) -> None:
    if shop.database.is_sqlite:
        with pytest.raises(RuntimeError, match="unit of work is open"):
            await write_inside(shop, in_a_child=in_a_child)
    else:
        await write_inside(shop, in_a_child=in_a_child)
    await write_elsewhere(shop)  # the lock was given back


async def test_a_task_started_inside_a_unit_of_work_may_write_after_it(shop: Shop) -> None:
    may_write = asyncio.Event()

    async def later() -> None:
        await may_write.wait()
        await write_elsewhere(shop)

    async with shop.work():
        task = asyncio.create_task(later())
    may_write.set()
    await task


async def test_history_is_newest_first_and_the_teams_own(shop: Shop) -> None:
    async with shop.work() as work:
        for team, sku, what in (
            (shop.team, "MUG-01", "asked"),
            (shop.team, "CUP-02", "asked"),
            (shop.stranger_team, "MUG-01", "secret"),
            (shop.team, "mug-01", "approved"),
        ):
            await work.audit(AuditEntry(team.team_id, shop.clock(), "Anna", "say", sku, "id", what))
    async with shop.work() as work:
        assert [line.what for line in await work.history(shop.team.team_id, sku=Sku("Mug-01"), limit=9)] == [
            "approved",
            "asked",
        ]
        assert [line.sku for line in await work.history(shop.team.team_id, sku=None, limit=2)] == ["mug-01", "CUP-02"]


async def test_the_outbox_is_woken_by_a_commit_that_spoke_and_by_no_other(shop: Shop) -> None:
    bell = shop.database.messages_queued
    enhancement = await shop.added(shop.enhancement())
    rung = bell.rung
    assert not await bell.wait(after=rung, timeout_s=0)
    waiting = asyncio.create_task(bell.wait(after=rung, timeout_s=30))
    async with shop.work() as work:
        await work.show(enhancement.enhancement_id, WORKING)
    assert await waiting


async def test_places_that_spoke_to_us_are_known_once(shop: Shop) -> None:
    await taken(shop, "console:1")
    await taken(shop, "console:2")
    assert shop.incoming("console:1").place == ROOM
    assert await shop.count("place") == 1
