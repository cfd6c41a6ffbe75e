"""What was said reaches its place: in order, at the pace the chat allows, once, and never for nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.outbox import AT_ONCE, LONGEST_RETRY_S, RETRY_AFTER_S, SHARED_PAUSE_S
from domain.chat_ports import Limit
from domain.errors import Fault, NeedsReconnect, RateLimited, RejectedByStore, StoreDown, Undeliverable
from domain.people import ChatName, Place
from domain.replies import Outgoing
from handlers import undelivered
from storage.bootstrap import ensure_team
from storage.database import open_database
from storage.trouble import clear_trouble
from tests.bot.office import CHANNEL, NOON, OTHER_ROOM, ROOM, THREAD, Office, at_once

DOWN = StoreDown("503", store="Telegram")


@pytest.fixture
async def office(sqlite_url: str) -> AsyncIterator[Office]:
    database = open_database(sqlite_url)
    team = await ensure_team(database, "My shop")
    yield Office(database, team.team_id)
    await database.close()


@pytest.fixture
async def office_on_both(database_url: str) -> AsyncIterator[Office]:
    database = open_database(database_url)
    team = await ensure_team(database, "My shop")
    yield Office(database, team.team_id)
    await database.close()


def always(error: BaseException) -> Callable[[Outgoing], BaseException | None]:
    return lambda _outgoing: error


def first(*errors: BaseException) -> Callable[[Outgoing], BaseException | None]:
    """Each error once, then none."""
    waiting = list(errors)
    return lambda _outgoing: waiting.pop(0) if waiting else None


def only_in(place: Place, error: BaseException) -> Callable[[Outgoing], BaseException | None]:
    return lambda outgoing: error if outgoing.place == place else None


def never(_outgoing: Outgoing) -> None:
    return None


# ---------------------------------------------------------------- order


async def test_a_place_hears_things_in_the_order_they_were_said(office_on_both: Office) -> None:
    office = office_on_both
    for number in range(5):
        await office.say(f"{number}")
    await office.deliver_all()
    assert office.telegram.heard == ["0", "1", "2", "3", "4"]
    await office.deliver_all()
    assert office.telegram.tried == 5


async def test_edits_keep_their_place_in_the_talk(office: Office) -> None:
    asked = await office.say("working")
    await office.deliver_all()
    await office.say("next")
    await office.edit(asked, "done")
    await office.deliver_all()
    assert office.telegram.heard == ["done", "next"]


async def test_a_post_and_its_edit_are_one_call_while_nothing_was_sent(office: Office) -> None:
    asked = await office.say("working")
    await office.edit(asked, "done")
    await office.deliver_all()
    assert (office.telegram.heard, office.telegram.tried) == (["done"], 1)


async def test_a_place_that_hangs_keeps_no_other_waiting(office: Office) -> None:
    released = asyncio.Event()

    async def slow_in_room(outgoing: Outgoing) -> None:
        if outgoing.place == ROOM:
            await released.wait()

    office.telegram.hangs = slow_in_room
    await office.say("slow")
    running = asyncio.create_task(office.outbox.run())
    for number in range(3):
        await office.say(f"{number}", OTHER_ROOM)
        await office.say(f"{number}", CHANNEL)
    await office.say("behind it")
    await until(lambda: len(office.telegram.heard) == 3 and len(office.slack.heard) == 3)
    assert office.telegram.heard == ["0", "1", "2"]
    released.set()
    await until(lambda: len(office.telegram.heard) == 5)
    assert office.telegram.heard[3:] == ["slow", "behind it"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_chat_that_hangs_takes_no_more_than_its_share(office: Office) -> None:
    begun: list[Outgoing] = []

    async def hang(outgoing: Outgoing) -> None:
        begun.append(outgoing)
        await asyncio.Event().wait()

    office.telegram.hangs = hang
    for number in range(AT_ONCE + 5):
        await office.say("hangs", Place(ChatName.TELEGRAM, f"{number}"))
    for number in range(5):
        await office.say(f"{number}", CHANNEL)
    running = asyncio.create_task(office.outbox.run())
    await until(lambda: len(office.slack.heard) == 5)
    assert len(begun) == AT_ONCE
    for delivery in office.outbox._deliveries:
        delivery.cancel()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - rows and lists ring no bell
            await asyncio.sleep(0.005)


# ---------------------------------------------------------------- pace


async def test_limits_are_kept_before_they_bite_and_hold_back_no_other_place(office: Office) -> None:
    """Telegram's own: 1 a second in a chat, 20 a minute in a group, 30 a second in all (here 3)."""
    limits = {"room": (1, 1.0), "group": (4, 60.0), "all": (3, 1.0)}

    def limits_of(outgoing: Outgoing) -> list[Limit]:
        place = outgoing.place.place_id
        return [
            Limit(f"room:{place}", *limits["room"]),
            Limit(f"group:{place}", *limits["group"]),
            Limit("all", *limits["all"]),
        ]

    office.telegram.limits_of = limits_of
    places = [Place(ChatName.TELEGRAM, f"{number}") for number in range(5)]
    for number in range(6):
        for place in places:
            await office.say(f"{number}", place)
    await office.say("Slack has limits of its own", CHANNEL)
    await office.deliver_all()
    assert len(office.telegram.accepted) == 3
    assert office.slack.heard == ["Slack has limits of its own"]
    await office.pass_time(130)
    accepted = office.telegram.accepted
    assert len(accepted) == 30
    for place in places:
        in_place = [outgoing.reply for _, outgoing in accepted if outgoing.place == place]
        assert [getattr(reply, "sentence", "") for reply in in_place] == [f"{number}" for number in range(6)]
    for key in {limit.key for _, outgoing in accepted for limit in limits_of(outgoing)}:
        times = [at for at, outgoing in accepted if key in {limit.key for limit in limits_of(outgoing)}]
        count, per_s = limits[key.partition(":")[0]]
        for begin in times:
            assert sum(begin <= at < begin + per_s - 1e-6 for at in times) <= count, key
    assert max(at for at, _ in accepted) < 70, "a place waits for its own limits only"


async def test_waiting_for_a_limit_writes_nothing(office: Office) -> None:
    office.telegram.limits_of = lambda _outgoing: [Limit("room", 1, 60.0)]
    await office.say("now")
    await office.say("later")
    await office.deliver_all()
    assert office.outbox.next_free_at() == 60.0
    async with office.database.read() as db_session:
        due_at = (await db_session.execute(text("SELECT max(due_at), max(attempts) FROM outbox"))).one()
    assert due_at[1] == 0
    await office.pass_time(61)
    assert office.telegram.heard == ["now", "later"]


async def test_a_rate_limit_pauses_its_place_as_long_as_asked_and_no_other(office: Office) -> None:
    office.telegram.refuses = first(RateLimited(store="Telegram", retry_after_s=30))
    await office.say("first")
    await office.deliver_all()
    await office.say("second")
    await office.say("elsewhere", OTHER_ROOM)
    await office.deliver_all()
    assert office.telegram.heard == ["elsewhere"]
    office.now = NOON + timedelta(seconds=29)
    await office.deliver_all()
    assert office.telegram.heard == ["elsewhere"]
    office.now = NOON + timedelta(seconds=31)
    await office.deliver_all()
    assert office.telegram.heard == ["elsewhere", "first", "second"]
    assert office.telegram.asked_for == 0, "what was refused has not arrived"


async def test_a_rate_limit_pauses_every_message_that_shares_its_limit(office: Office) -> None:
    office.slack.limits_of = lambda _outgoing: [Limit("chat.postMessage", 100, 60.0)]
    office.slack.refuses = first(RateLimited(store="Slack", retry_after_s=30))
    await office.say("first", CHANNEL)
    await office.deliver_all()
    for place in (THREAD, Place(ChatName.SLACK, "C2")):
        await office.say("shares it", place)
    await office.deliver_all()
    assert office.slack.tried == 1
    await office.pass_time(31)
    assert len(office.slack.heard) == 3
    assert office.slack.tried == 4


async def test_the_long_pause_of_one_group_does_not_silence_the_whole_chat(office: Office) -> None:
    office.telegram.limits_of = lambda outgoing: [
        Limit("all", 30, 1.0),
        Limit(f"group:{outgoing.place.place_id}", 20, 60.0),
    ]
    office.telegram.refuses = first(RateLimited(store="Telegram", retry_after_s=40))
    await office.say("too often")
    await office.deliver_all()
    await office.say("elsewhere", OTHER_ROOM)
    await office.deliver_all()
    assert office.telegram.heard == [], "it may have been the whole chat's limit, which is over soon"
    await office.pass_time(SHARED_PAUSE_S, step_s=1)
    assert office.telegram.heard == ["elsewhere"]
    await office.pass_time(34, step_s=1)
    assert office.telegram.tried == 2
    await office.pass_time(2, step_s=1)
    assert office.telegram.heard == ["elsewhere", "too often"]


# ---------------------------------------------------------------- silence


async def test_a_silent_chat_is_tried_again_with_growing_pauses(office: Office) -> None:
    office.telegram.refuses = always(DOWN)
    await office.say("first")
    tries = []
    for _ in range(360):
        await office.pass_time(5)
        tries.append(office.telegram.tried + office.telegram.asked_for)
    assert tries[0] == 2
    assert tries[12] == 4, "after a minute: at 0, 5, 15 and 35 s"
    assert 9 <= tries[-1] <= 14, "in half an hour"
    office.telegram.refuses = never
    await office.pass_time(LONGEST_RETRY_S)
    assert office.telegram.heard == ["first"]


async def test_a_message_its_chat_never_answers_makes_way_while_others_arrive(office: Office) -> None:
    office.telegram.refuses = lambda outgoing: DOWN if getattr(outgoing.reply, "sentence", "") == "poison" else None
    await office.say("poison")
    await office.say("behind it")
    for _ in range(60):
        await office.say("elsewhere", OTHER_ROOM)
        await office.pass_time(60, step_s=30)
    assert office.telegram.heard.count("elsewhere") == 60
    assert "behind it" in office.telegram.heard
    (trouble,) = await office.troubles()
    assert (trouble.place, trouble.lost) == (ROOM, 1)
    assert trouble.sentence == undelivered.ALWAYS_FAILS


async def test_a_silence_between_messages_that_arrive_is_no_silence_of_the_chat(office: Office) -> None:
    office.telegram.refuses = only_in(ROOM, DOWN)
    await office.say("not yet")
    for _ in range(10):
        await office.pass_time(60, step_s=30)
        await office.say("elsewhere", OTHER_ROOM)
        assert await office.troubles() == []


async def test_a_delivery_without_end_is_given_up_and_tried_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.LONGEST_DELIVERY_S", 0.01)

    async def for_ever(_outgoing: Outgoing) -> None:
        await asyncio.Event().wait()

    office.telegram.hangs = for_ever
    await office.say("first")
    await office.deliver_all()
    monkeypatch.undo()
    office.telegram.hangs = at_once
    await office.pass_time(10)
    assert office.telegram.heard == ["first"]


async def test_any_number_of_attempts_has_a_next_pause(office: Office) -> None:
    office.telegram.refuses = always(DOWN)
    await office.say("first")
    async with office.database.begin() as db_session:
        await db_session.execute(text("UPDATE outbox SET attempts = 100000"))
    await office.deliver_all()
    (message,) = await office.rows.due(office.now + timedelta(seconds=LONGEST_RETRY_S), 10)
    assert message.attempts == 100001


async def test_a_long_silence_is_seen_in_status_and_ends_with_the_first_message_that_arrives(office: Office) -> None:
    office.telegram.refuses = always(DOWN)
    await office.say("first")
    await office.pass_time(60)
    assert await office.troubles() == []
    await office.pass_time(120)
    (trouble,) = await office.troubles()
    assert trouble.place == Place(ChatName.TELEGRAM, "")
    assert trouble.sentence == undelivered.NO_ANSWER
    assert (trouble.since, trouble.waiting) == (NOON, 1)
    office.telegram.refuses = never
    await office.say("elsewhere", OTHER_ROOM)
    await office.deliver_all()
    assert office.telegram.heard == ["elsewhere", "first"], "the others are told at once"
    assert await office.troubles() == []


async def test_both_chats_down_for_ten_minutes_lose_and_double_nothing(office_on_both: Office) -> None:
    office = office_on_both
    for line, chat in ((office.telegram, "Telegram"), (office.slack, "Slack")):
        line.refuses = always(StoreDown("no answer", store=chat))
    # The first message that Slack takes again is one of which we hear nothing; it can tell later.
    office.slack.loses_answer = first(StoreDown("cut off", store="Slack"))
    places = (ROOM, OTHER_ROOM, CHANNEL, THREAD)
    talk: dict[Place, list[str]] = {place: [] for place in places}
    for minute in range(10):
        for place in places:
            asked = await office.say(f"{minute}", place)
            talk[place].append(f"{minute}")
            if minute % 3 == 0:
                await office.edit(asked, f"{minute} done")
                talk[place][-1] = f"{minute} done"
        await office.pass_time(60, step_s=10)
    assert office.telegram.heard == office.slack.heard == []
    assert len(await office.troubles()) == 2
    office.telegram.refuses = office.slack.refuses = never
    await office.pass_time(LONGEST_RETRY_S, step_s=10)
    for place in places:
        line = office.telegram if place.chat is ChatName.TELEGRAM else office.slack
        posts = {outgoing.message_key: "" for _, outgoing in line.accepted if outgoing.place == place}
        for _, outgoing in line.accepted:
            if outgoing.place == place:
                posts[outgoing.message_key] = getattr(outgoing.reply, "sentence", "")
        assert list(posts.values()) == talk[place]
    assert len(office.telegram.shown) == len(office.slack.shown) == 20, "no message stands there twice"
    assert await office.troubles() == []


# ---------------------------------------------------------------- a death between sending and marking


async def died_after_sending(office: Office, place: Place) -> None:
    line = office.telegram if place.chat is ChatName.TELEGRAM else office.slack
    line.loses_answer = first(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await office.outbox.deliver_due()
    office.restarted()
    await office.deliver_all()


async def test_a_new_message_that_arrived_is_found_and_not_sent_again(office_on_both: Office) -> None:
    office = office_on_both
    asked = await office.say("working", CHANNEL)
    await died_after_sending(office, CHANNEL)
    assert (office.slack.heard, office.slack.tried, office.slack.asked_for) == (["working"], 1, 1)
    await office.edit(asked, "done")
    await office.deliver_all()
    assert office.slack.heard == ["done"], "its id is known"


async def test_words_that_came_meanwhile_are_an_edit_of_the_message_that_arrived(office: Office) -> None:
    asked = await office.say("working", CHANNEL)
    office.slack.loses_answer = first(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await office.outbox.deliver_due()
    await office.edit(asked, "done")
    office.restarted()
    await office.deliver_all()
    assert office.slack.heard == ["done"]


async def test_a_chat_that_cannot_tell_is_sent_it_again(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    await office.say("working")
    with caplog.at_level(logging.WARNING, "packshot.outbox"):
        await died_after_sending(office, ROOM)
    assert office.telegram.heard == ["working", "working"]
    assert "sent again, it may have arrived before" in caplog.text


async def test_a_new_message_that_had_not_arrived_is_sent(office: Office) -> None:
    await office.say("working", CHANNEL)
    office.slack.refuses = first(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await office.outbox.deliver_due()
    office.restarted()
    await office.deliver_all()
    assert office.slack.heard == ["working"]


async def test_an_edit_is_simply_repeated(office: Office) -> None:
    asked = await office.say("working")
    await office.deliver_all()
    await office.edit(asked, "done")
    await died_after_sending(office, ROOM)
    assert office.telegram.heard == ["done"]
    assert (office.telegram.tried, office.telegram.asked_for) == (3, 0)


async def test_what_is_under_way_at_the_end_is_still_marked(office: Office) -> None:
    begun, answered = asyncio.Event(), asyncio.Event()

    async def slowly(_outgoing: Outgoing) -> None:
        begun.set()
        await answered.wait()

    office.telegram.hangs = slowly
    await office.say("first")
    running = asyncio.create_task(office.outbox.run())
    await begun.wait()
    running.cancel()
    await asyncio.sleep(0)
    answered.set()
    await asyncio.gather(running, return_exceptions=True)
    office.restarted()
    await office.deliver_all()
    assert office.telegram.heard == ["first"]


async def test_a_busy_database_makes_nobody_send_twice(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.outbox.DATABASE_PAUSE_S", 0.0)
    begin, refusals = office.database.begin, first(*[Fault("database_busy", "database is locked")] * 3)

    def sometimes():  # type: ignore[no-untyped-def]
        if office.telegram.accepted and (error := refusals(office.telegram.accepted[0][1])) is not None:
            raise error
        return begin()

    await office.say("first")
    monkeypatch.setattr(office.database, "begin", sometimes)
    await office.deliver_all()
    assert (office.telegram.heard, office.telegram.tried) == (["first"], 1)


# ---------------------------------------------------------------- what never arrives


async def test_a_deleted_message_is_not_edited_again_and_its_place_goes_on(office: Office) -> None:
    asked, other = await office.say("one"), await office.say("two")
    await office.deliver_all()
    office.telegram.refuses = first(Undeliverable("The message was deleted.", scope="message"))
    await office.edit(asked, "one, done")
    await office.deliver_all()
    await office.edit(other, "two, done")
    await office.deliver_all()
    assert office.telegram.heard == ["one", "two, done"]
    (trouble,) = await office.troubles()
    assert (trouble.sentence, trouble.lost) == ("The message was deleted.", 1)


async def test_a_place_that_blocked_us_is_tried_with_new_messages_only(office: Office) -> None:
    office.telegram.refuses = only_in(ROOM, Undeliverable("The bot was blocked.", scope="place"))
    for number in range(3):
        await office.say(f"{number}")
    await office.say("elsewhere", OTHER_ROOM)
    await office.pass_time(600)
    assert office.telegram.heard == ["elsewhere"]
    assert office.telegram.tried == 2
    (trouble,) = await office.troubles()
    assert (trouble.place, trouble.sentence, trouble.lost) == (ROOM, "The bot was blocked.", 3)
    async with office.database.begin() as db_session:
        await clear_trouble(db_session, office.team_id, ROOM)
    assert await office.troubles() == []
    office.telegram.refuses = never
    await office.say("hello again")
    await office.deliver_all()
    assert office.telegram.heard == ["elsewhere", "hello again"]


@pytest.mark.parametrize(
    "error",
    [Undeliverable("The token was revoked.", scope="chat"), NeedsReconnect("The token was revoked.", store="Slack")],
)
async def test_a_revoked_token_loses_nothing_and_is_tried_every_few_minutes(office: Office, error: Exception) -> None:
    office.slack.refuses = always(error)
    for place in (CHANNEL, THREAD, Place(ChatName.SLACK, "C2")):
        await office.say("for later", place)
    await office.say("hello", ROOM)
    await office.pass_time(3600, step_s=30)
    assert office.telegram.heard == ["hello"]
    assert office.slack.tried <= 3 * 13
    (trouble,) = await office.troubles()
    assert (trouble.place, trouble.sentence) == (Place(ChatName.SLACK, ""), "The token was revoked.")
    assert (trouble.since, trouble.lost, trouble.waiting) == (NOON, 0, 3)
    office.slack.refuses = never
    await office.pass_time(LONGEST_RETRY_S, step_s=30)
    assert office.slack.heard == ["for later"] * 3
    assert await office.troubles() == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Fault("message_too_long", "4096 characters"), undelivered.BROKEN),
        (RejectedByStore("no", store="Telegram", field="text"), undelivered.REFUSED),
        (KeyError("a bug"), undelivered.BROKEN),
    ],
)
async def test_a_message_that_can_never_be_shown_holds_up_nothing_and_is_seen(
    office: Office, error: Exception, sentence: str
) -> None:
    office.telegram.refuses = first(error)
    await office.say("impossible")
    await office.say("next")
    await office.deliver_all()
    assert office.telegram.heard == ["next"]
    assert list(await office.rows.due(office.now + timedelta(days=1), 10)) == []
    (trouble,) = await office.troubles()
    assert (trouble.place, trouble.sentence, trouble.lost) == (ROOM, sentence, 1)


async def test_a_chat_that_cannot_say_its_limits_is_still_told(office: Office) -> None:
    def broken(_outgoing: Outgoing) -> list[Limit]:
        raise KeyError("a bug")

    office.telegram.limits_of = broken
    await office.say("first")
    await office.deliver_all()
    assert office.telegram.heard == ["first"]


async def test_a_chat_that_is_not_connected_is_named(office: Office) -> None:
    office.outbox.chats = {ChatName.TELEGRAM: office.telegram}
    await office.say("nobody hears this", CHANNEL)
    await office.say("first")
    await office.deliver_all()
    assert office.telegram.heard == ["first"]
    assert list(await office.rows.due(office.now + timedelta(days=1), 10)) == []
    (trouble,) = await office.troubles()
    assert trouble.sentence == undelivered.NOT_CONNECTED


async def test_a_message_is_not_lost_to_our_own_storage(office: Office) -> None:
    office.telegram.refuses = always(Fault("media_down", "no answer"))
    await office.say("first")
    await office.deliver_all()
    office.now += timedelta(seconds=RETRY_AFTER_S)
    await office.pass_time(180)
    assert office.telegram.heard == []
    (trouble,) = await office.troubles()
    assert trouble.sentence == undelivered.NO_STORAGE
    office.telegram.refuses = never
    await office.pass_time(LONGEST_RETRY_S)
    assert office.telegram.heard == ["first"]


async def test_a_reply_of_a_newer_version_stops_nobody_else(office: Office) -> None:
    await office.say("unreadable")
    await office.say("elsewhere", OTHER_ROOM)
    async with office.database.begin() as db_session:
        await db_session.execute(text("""UPDATE outbox SET reply = '{"type": "FromTheFuture"}' WHERE outbox_id = 1"""))
    await office.say("afterwards")
    await office.deliver_all()
    assert sorted(office.telegram.heard) == ["afterwards", "elsewhere"]


async def test_what_one_person_alone_was_shown_is_followed_by_a_new_message(office: Office) -> None:
    office.telegram.is_private = True
    asked = await office.say("for you alone")
    await office.deliver_all()
    await office.edit(asked, "and this")
    await office.deliver_all()
    assert [outgoing.native_id for _, outgoing in office.telegram.accepted] == ["", ""]
