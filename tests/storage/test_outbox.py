"""Messages are heard in order, once, and the newest word wins."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPICursor

from domain.people import ChatName, Place
from domain.replies import HelpShown, Refused, Working
from domain.rows import Trouble
from storage.outbox import forget_messages
from storage.trouble import clear_trouble
from storage.waiting import QueuedMessage
from tests.storage.conftest import CONSOLE, OTHER_ROOM, ROOM, Shop

THREAD = Place(ROOM.chat, ROOM.place_id, "1700000000.0001")
HERE, WHOLE_CHAT = Place(ROOM.chat, ROOM.place_id), Place(ROOM.chat, "")


async def say(shop: Shop, event_key: str, *stages: str, place: Place = ROOM) -> str:
    """An enhancement whose card was posted and then edited once a further stage."""
    enhancement = shop.enhancement(place=place)
    incoming = shop.incoming(event_key, place=place)
    await shop.events.take(incoming)
    async with shop.work(incoming) as work:
        await work.enhancements.add(enhancement)
        await work.show(enhancement.enhancement_id, Working("MUG-01", stages[0]))
    await edit(shop, enhancement.enhancement_id, *stages[1:])
    return enhancement.enhancement_id


async def edit(shop: Shop, enhancement_id: str, *stages: str) -> None:
    for stage in stages:
        async with shop.work() as work:
            await work.show(enhancement_id, Working("MUG-01", stage))


async def press(shop: Shop, event_key: str, enhancement_id: str, stage: str, place: Place = ROOM) -> None:
    pressed = shop.incoming(event_key, text="", place=place)
    await shop.events.take(pressed)
    async with shop.work(pressed) as work:
        await work.show(enhancement_id, Working("MUG-01", stage))


def stage_of(message: QueuedMessage) -> str:
    return getattr(message.outgoing.reply, "stage", "")


async def due(shop: Shop) -> list[tuple[int, str]]:
    """(outbox id, stage) of what is due now."""
    return [(message.outbox_id, stage_of(message)) for message in await shop.outbox.due(shop.clock(), 50)]


async def states(shop: Shop) -> list[str]:
    async with shop.database.read() as db_session:
        return list((await db_session.execute(text("SELECT state FROM outbox ORDER BY outbox_id"))).scalars())


async def troubles(shop: Shop, team_id: str = "") -> list[Trouble]:
    async with shop.work.reading() as reading:
        return list(await reading.troubles(team_id or shop.team.team_id))


# ---------------------------------------------------------------- order


async def test_only_the_first_of_each_place_is_due(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    await say(shop, "slack:2", "two")
    await say(shop, "telegram:1", "there", place=OTHER_ROOM)
    first, there = await due(shop)
    assert [first[1], there[1]] == ["one", "there"]
    assert await due(shop) == [first, there], "looking again changes nothing"
    await shop.outbox.sent(first[0], "n1")
    assert [stage for _, stage in await due(shop)] == ["two", "there"]


async def test_a_limit_takes_the_oldest(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    await say(shop, "telegram:1", "there", place=OTHER_ROOM)
    assert len(await shop.outbox.due(shop.clock(), 1)) == 1


async def test_a_look_can_be_for_one_chat_and_pass_over_what_is_under_way(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    await say(shop, "slack:2", "behind it")
    await say(shop, "telegram:1", "there", place=OTHER_ROOM)
    now = shop.clock()
    assert await shop.outbox.waiting_chats(now) == [ChatName.SLACK, ChatName.TELEGRAM]
    (one,) = await shop.outbox.due(now, 50, chat=ChatName.SLACK)
    assert stage_of(one) == "one"
    assert await shop.outbox.due(now, 50, chat=ChatName.SLACK, skip=[one.outbox_id]) == ()
    (there,) = await shop.outbox.due(now, 50, skip=[one.outbox_id])
    assert stage_of(there) == "there"


async def test_a_chat_is_told_which_event_a_message_answers(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    enhancement = await shop.added(shop.enhancement(place=OTHER_ROOM))
    await edit(shop, enhancement.enhancement_id, "of no event")
    answering, of_none = await shop.outbox.due(shop.clock(), 50)
    assert answering.outgoing.asked == shop.incoming("slack:1")
    assert of_none.outgoing.asked is None


# ---------------------------------------------------------------- the newest word


async def test_waiting_edits_of_one_message_collapse_into_the_newest(shop: Shop) -> None:
    enhancement_id = await say(shop, "slack:1", "posted")
    assert await shop.deliver_all() == [("", "Working", "slack:1")]
    await edit(shop, enhancement_id, "old", "older news")
    await press(shop, "slack:2", enhancement_id, "newest")
    assert [stage for _, stage in await due(shop)] == ["newest"], "whatever its cause"
    assert await shop.deliver_all() == [("native-1", "Working", "slack:2")]


async def test_a_post_that_was_not_sent_yet_takes_the_newest_words_along(shop: Shop) -> None:
    enhancement_id = await say(shop, "slack:1", "posted", "old")
    await press(shop, "slack:2", enhancement_id, "newest")
    assert [stage for _, stage in await due(shop)] == ["newest"]
    assert await shop.deliver_all() == [("", "Working", "slack:1")], "and still answers its own event"
    assert await states(shop) == ["sent", "superseded", "superseded"]


async def test_a_post_that_may_have_arrived_keeps_its_words(shop: Shop) -> None:
    enhancement_id = await say(shop, "slack:1", "posted")
    ((outbox_id, _),) = await due(shop)
    assert await shop.outbox.sending(outbox_id, shop.clock())
    await edit(shop, enhancement_id, "newer")
    assert await due(shop) == [(outbox_id, "posted")]


async def test_a_message_under_way_is_left_alone(shop: Shop) -> None:
    enhancement_id = await say(shop, "slack:1", "posted")
    await shop.deliver_all()
    await edit(shop, enhancement_id, "under way")
    ((outbox_id, _),) = await due(shop)
    await edit(shop, enhancement_id, "newer")
    assert await shop.outbox.due(shop.clock(), 50, skip=[outbox_id]) == ()
    await say(shop, "telegram:1", "a", "b", place=OTHER_ROOM)
    await shop.outbox.due(shop.clock(), 50, skip=[outbox_id])
    assert (await states(shop))[1] == "queued"


async def test_the_console_keeps_what_another_event_waits_for(shop: Shop) -> None:
    enhancement_id = await say(shop, "console:1", "posted", place=CONSOLE)
    await shop.deliver_all()
    for event_key in ("console:2", "console:3"):
        pressed = shop.incoming(event_key, text="", place=CONSOLE)
        await shop.events.take(pressed)
        async with shop.work(pressed) as work:
            await work.show(enhancement_id, Refused("old", "Not yet."))
            await work.show(enhancement_id, Refused("late", "Somebody was first."))
    assert [cause for _, _, cause in await shop.deliver_all()] == ["console:2", "console:3"]


async def test_a_pause_holds_the_whole_place_and_nothing_ends_it_early(shop: Shop) -> None:
    enhancement_id = await say(shop, "slack:1", "posted")
    await shop.deliver_all()
    await edit(shop, enhancement_id, "first")
    ((outbox_id, _),) = await due(shop)
    await shop.outbox.retry(outbox_id, shop.clock() + timedelta(hours=1), "RateLimited")
    await edit(shop, enhancement_id, "second")
    await say(shop, "slack:2", "another")
    assert await due(shop) == []
    later = shop.clock() + timedelta(hours=2)
    (message,) = await shop.outbox.due(later, 50)
    assert message.outgoing.reply == Working("MUG-01", "second"), "by then the newer edit has taken over"


async def test_looks_that_change_nothing_take_no_write_lock(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await say(shop, "slack:1", "posted")
    await say(shop, "telegram:1", "there", place=OTHER_ROOM)

    def refuse() -> None:
        raise AssertionError("a look has opened a writing transaction")

    monkeypatch.setattr(shop.database, "begin", refuse)
    assert len(await due(shop)) == 2


# ---------------------------------------------------------------- what became of it


async def test_a_retry_counts_its_attempts(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    ((outbox_id, _),) = await due(shop)
    await shop.outbox.retry(outbox_id, shop.clock(), "StoreDown")
    (message,) = await shop.outbox.due(shop.clock(), 50)
    assert (message.outbox_id, message.attempts) == (outbox_id, 1)


async def test_a_new_message_under_way_is_remembered_until_the_chat_answers(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    ((outbox_id, _),) = await due(shop)
    began = shop.clock()
    assert await shop.outbox.sending(outbox_id, began)
    await shop.outbox.retry(outbox_id, shop.clock(), "no answer: it may be there")
    (message,) = await shop.outbox.due(shop.clock(), 50)
    assert message.sending_since == began
    await shop.outbox.retry(outbox_id, shop.clock(), "429: it is not there", is_refused=True)
    (message,) = await shop.outbox.due(shop.clock(), 50)
    assert message.sending_since is None
    await shop.outbox.sent(outbox_id, "n1")
    assert not await shop.outbox.sending(outbox_id, began), "what is settled is not begun again"


async def test_a_hopeless_message_makes_way_and_is_seen_for_a_day(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    await say(shop, "slack:2", "two")
    ((outbox_id, _),) = await due(shop)
    now = shop.clock()
    await shop.outbox.lost(outbox_id, "too long\x00", sentence="A message could not be shown.", now=now)
    ((second, stage),) = await due(shop)
    assert stage == "two"
    await shop.outbox.sent(second, "n2")
    assert await troubles(shop) == [Trouble(HERE, "A message could not be shown.", now, lost=1)], "nothing mends that"
    await forget_messages(shop.database, now - timedelta(days=30), now=now + timedelta(days=1))
    assert await troubles(shop) == []


async def test_an_edit_of_a_message_that_never_arrived_is_posted(shop: Shop) -> None:
    enhancement_id = await say(shop, "slack:1", "one")
    ((outbox_id, _),) = await due(shop)
    await shop.outbox.lost(outbox_id, "gone", sentence="Lost.", now=shop.clock())
    await edit(shop, enhancement_id, "two")
    assert await shop.deliver_all() == [("", "Working", "slack:1")]


async def test_what_one_person_alone_was_shown_is_followed_by_a_new_message(shop: Shop) -> None:
    enhancement_id = await say(shop, "slack:1", "for one")
    ((outbox_id, _),) = await due(shop)
    await shop.outbox.sent(outbox_id, "")
    await edit(shop, enhancement_id, "again")
    (message,) = await shop.outbox.due(shop.clock(), 50)
    assert message.outgoing.native_id == ""


async def test_a_card_whose_message_was_deleted_is_posted_again_with_its_next_change(shop: Shop) -> None:
    enhancement_id = await say(shop, "slack:1", "posted")
    await shop.deliver_all()
    await edit(shop, enhancement_id, "first")
    ((outbox_id, _),) = await due(shop)
    await shop.outbox.message_gone(outbox_id, "The message was deleted.", now=shop.clock())
    await edit(shop, enhancement_id, "second")
    (message,) = await shop.outbox.due(shop.clock(), 50)
    assert (message.outgoing.native_id, message.outgoing.reply) == ("", Working("MUG-01", "second"))
    assert await states(shop) == ["sent", "failed", "queued"]
    (trouble,) = await troubles(shop)
    assert (trouble.sentence, trouble.lost) == ("The message was deleted.", 1)


async def test_a_closed_place_loses_what_waits_for_it_and_opens_when_somebody_speaks(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    await say(shop, "slack:2", "two")
    await say(shop, "slack:3", "in a thread", place=THREAD)
    await say(shop, "telegram:1", "there", place=OTHER_ROOM)
    (first, *_) = await shop.outbox.due(shop.clock(), 50)
    now = shop.clock()
    await shop.outbox.place_closed(first.outbox_id, "The conversation was archived.", now=now)
    assert [stage for _, stage in await due(shop)] == ["there"]
    assert await troubles(shop) == [Trouble(HERE, "The conversation was archived.", now, lost=3)]
    assert await troubles(shop, shop.stranger_team.team_id) == []
    async with shop.database.begin() as db_session:
        await clear_trouble(db_session, shop.team.team_id, THREAD)
    assert await troubles(shop) == []


async def test_a_closed_place_opens_with_a_message_that_arrives(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    ((outbox_id, _),) = await due(shop)
    await shop.outbox.place_closed(outbox_id, "The bot was blocked.", now=shop.clock())
    of_no_event = await shop.added(shop.enhancement())
    await edit(shop, of_no_event.enhancement_id, "two")
    assert len(await troubles(shop)) == 1
    await shop.deliver_all()
    assert await troubles(shop) == []


async def test_a_closed_place_opens_when_somebody_speaks_there(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    ((outbox_id, _),) = await due(shop)
    await shop.outbox.place_closed(outbox_id, "The bot was blocked.", now=shop.clock())
    assert len(await troubles(shop)) == 1
    await shop.events.take(shop.incoming("slack:2"))
    assert await troubles(shop) == []


async def test_a_closed_chat_loses_nothing_and_goes_on_with_the_first_that_arrives(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    await say(shop, "slack:2", "two", place=THREAD)
    await say(shop, "telegram:1", "there", place=OTHER_ROOM)
    ((outbox_id, _), *_) = await due(shop)
    now = shop.clock()
    until = now + timedelta(minutes=5)
    await shop.outbox.chat_closed(outbox_id, "The token was revoked.", now=now, until=until)
    assert [stage for _, stage in await due(shop)] == ["there"]
    await shop.outbox.chat_closed(outbox_id, "The token was revoked.", now=shop.clock(), until=until)
    assert await troubles(shop) == [Trouble(WHOLE_CHAT, "The token was revoked.", now, waiting=2)]
    (one, two) = await shop.outbox.due(until, 50, chat=ChatName.SLACK)
    await shop.outbox.sent(one.outbox_id, "n1")
    assert [stage for _, stage in await due(shop)] == ["two", "there"], "the others need not wait any longer"
    assert await troubles(shop) == []
    assert (one.attempts, two.attempts) == (2, 0)


async def test_a_silent_chat_is_marked_since_when_it_was_silent(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    (message,) = await shop.outbox.due(shop.clock(), 50)
    await shop.outbox.chat_silent(message.outbox_id, "No answer.", now=shop.clock(), since=message.queued_at)
    assert await troubles(shop) == [Trouble(WHOLE_CHAT, "No answer.", message.queued_at, waiting=1)]


async def test_whoever_waits_for_an_event_does_not_wait_for_another_chat_that_is_away(shop: Shop) -> None:
    enhancement_id = await say(shop, "slack:1", "posted")
    await press(shop, "console:1", enhancement_id, "pressed in the console", place=CONSOLE)
    assert await shop.events.is_handled("console:1")
    await press(shop, "slack:2", enhancement_id, "pressed in Slack")
    assert not await shop.events.is_handled("slack:2")
    await shop.deliver_all()
    assert await shop.events.is_handled("slack:2")


# ---------------------------------------------------------------- many of them


async def test_rows_are_forgotten_when_they_are_old_and_wait_no_longer(shop: Shop) -> None:
    enhancement_id = await say(shop, "slack:1", "one")
    await shop.deliver_all()
    await edit(shop, enhancement_id, "still waiting")
    old = shop.clock()
    await say(shop, "telegram:1", "young", place=OTHER_ROOM)
    assert await forget_messages(shop.database, old, now=old) == 1
    assert await states(shop) == ["queued", "queued"]
    assert await forget_messages(shop.database, old, now=old) == 0
    assert await shop.deliver_all() == [("native-1", "Working", "slack:1"), ("", "Working", "telegram:1")]


async def test_more_old_rows_than_one_page_are_forgotten(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.outbox.PRUNED_AT_ONCE", 2)
    for number in range(5):
        await say(shop, f"slack:{number}", "one")
    await shop.deliver_all()
    assert await forget_messages(shop.database, shop.clock(), now=shop.clock()) == 5


async def test_delivered_messages_do_not_slow_the_look_for_waiting_ones(shop: Shop) -> None:
    await say(shop, "slack:1", "one")
    await shop.deliver_all()
    enhancement_id = await say(shop, "slack:2", "one")
    await shop.deliver_all()
    await edit(shop, enhancement_id, "first")
    async with shop.database.begin() as db_session:
        await db_session.execute(text(
            "INSERT INTO outbox (team_id, message_key, chat, place_id, thread_id, reply, cause, is_post, state,"
            " due_at, attempts, error, queued_at) SELECT team_id, message_key, chat, place_id, thread_id, reply,"
            " cause, is_post, 'sent', due_at, attempts, error, queued_at FROM outbox,"
            f" ({'SELECT value FROM generate_series(1, 5000) AS value' if not shop.database.is_sqlite else NUMBERS}) AS many"
            " WHERE outbox_id = 1"
        ))  # fmt: skip
        await db_session.execute(text("ANALYZE"))
    plans = await plans_of(shop, lambda: shop.outbox.due(shop.clock(), 50, chat=ChatName.SLACK, skip=[7]))
    plans += await plans_of(shop, lambda: shop.outbox.waiting_chats(shop.clock()))
    assert len(plans) >= 3
    for plan in plans:
        assert not re.search(r"SCAN outbox\b(?! USING)|Seq Scan on outbox", plan), plan


NUMBERS = (
    "WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < 5000)"
    " SELECT value FROM numbers"
)


async def plans_of(shop: Shop, act: Any) -> list[str]:
    """How the database carries out each statement on the outbox that `act` makes."""
    engine = shop.database._engine.sync_engine
    seen: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: DBAPICursor, statement: str, parameters: Any, *_rest: Any) -> None:
        if "outbox" in statement:
            seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    await act()
    event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if shop.database.is_sqlite else "EXPLAIN "
    plans = []
    async with shop.database.begin() as db_session:
        connection = await db_session.connection()
        for statement, parameters in seen:
            lines = (await connection.exec_driver_sql(explain + statement, parameters)).all()
            plans.append("\n".join(" ".join(str(cell) for cell in line) for line in lines))
    return plans


async def test_help_takes_the_place_of_a_card_in_its_own_message(shop: Shop) -> None:
    await say(shop, "slack:1", "posted")
    await shop.deliver_all()
    async with shop.work() as work:
        found = await work.enhancements.latest_in(ROOM, shop.team.team_id)
        assert found is not None
        await work.show(found.enhancement_id, HelpShown(()))
    assert await shop.deliver_all() == [("native-1", "HelpShown", "slack:1")]
