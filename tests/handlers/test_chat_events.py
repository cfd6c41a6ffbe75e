"""What chats bring beside words: files to fetch, albums, answers under a card, and what is set in a place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import StoreDown
from domain.intents import Attachment, DecideBySku, Incoming
from domain.people import Actor, ChatName, Place
from domain.replies import (
    PreviewReady,
    Published,
    Refused,
    Rejected,
    Reply,
    SettingsShown,
    StatusShown,
    WhichProduct,
    Working,
)
from handlers.answers import read_answer
from storage.outbox import OutboxRows
from tests.handlers.shop import PHOTO, STRANGER, Shop

TALK = Place(ChatName.TELEGRAM, "4711")
ROOM = Place(ChatName.CONSOLE, "room")


def event(
    number: int,
    words: str = "",
    *,
    by: str = "edith",
    file: str = "",
    album: str = "",
    reply_to: str = "",
    message_id: str = "",
    shop: Shop,
    place: Place = TALK,
    language: str = "",
) -> Incoming:
    return Incoming(
        event_key=f"telegram:7:{number}",
        team_id=shop.team.team_id,
        actor=Actor(ChatName.CONSOLE, by, by),
        place=place,
        text=words,
        attachments=(Attachment(file, is_recompressed=True),) if file else (),
        album=album,
        reply_to=reply_to,
        message_id=message_id or str(number),
        language=language,
    )


def kinds(replies: list[Reply]) -> list[str]:
    return [type(reply).__name__ for reply in replies]


async def deliver(shop: Shop) -> None:
    """Let the chat show everything, under ids that a test can answer to."""
    rows = OutboxRows(shop.database)
    while due := await rows.due(shop.clock(), 50):
        for message in due:
            await rows.sent(message.outbox_id, message.outgoing.native_id or f"shown-{message.outbox_id}")


async def shown_ids(shop: Shop, card: PreviewReady) -> list[str]:
    async with shop.desk.work() as work:
        return [message.native_id for message in await work.messages.showing(card.card.enhancement_id)]  # type: ignore[attr-defined]


# ---------------------------------------------------------------- files


async def test_a_file_is_fetched_by_a_worker_and_becomes_a_preview(shop: Shop) -> None:
    shop.files.kept["f1"] = PHOTO
    replies = await shop.answer(event(1, "MUG-01", file="f1", shop=shop))
    assert kinds(replies) == ["Working", "Working", "Working", "PreviewReady"]
    assert shop.files.fetched == ["f1"]
    assert PHOTO in shop.media.kept.values()


async def test_a_strangers_file_is_never_fetched(shop: Shop) -> None:
    shop.files.kept["f1"] = PHOTO
    replies = await shop.answer(event(1, "MUG-01", file="f1", by=STRANGER, shop=shop))
    assert [reply.code for reply in replies if isinstance(reply, Refused)] == ["not_a_member"]
    assert shop.files.fetched == []


async def test_a_viewers_file_is_never_fetched(shop: Shop) -> None:
    replies = await shop.answer(event(1, "MUG-01", file="f1", by="vera", shop=shop))
    assert [reply.code for reply in replies if isinstance(reply, Refused)] == ["not_allowed"]
    assert shop.files.fetched == []


async def test_a_deleted_file_is_one_sentence_and_starts_nothing(shop: Shop) -> None:
    replies = await shop.answer(event(1, "MUG-01", file="gone", shop=shop))
    assert isinstance(replies[-1], Refused)
    assert "send it again" in replies[-1].sentence
    assert await shop.enhancements() == []


async def test_a_chat_that_does_not_give_the_file_is_said_and_starts_nothing(shop: Shop) -> None:
    shop.files.trouble = [StoreDown("cut", store="Telegram")]
    replies = await shop.answer(event(1, "MUG-01", file="f1", shop=shop))
    assert isinstance(replies[-1], Refused)
    assert await shop.enhancements() == []


# ---------------------------------------------------------------- albums


async def test_an_album_out_of_order_is_one_request_in_the_order_of_its_messages(shop: Shop) -> None:
    for name in ("a", "b", "c"):
        shop.files.kept[name] = name.encode()
    parts = [
        event(12, file="b", album="g", message_id="12", shop=shop),
        event(11, "MUG-01", file="a", album="g", message_id="11", shop=shop),
        event(13, file="c", album="g", message_id="13", shop=shop),
    ]
    replies = await shop.answer(*parts)
    assert kinds(replies).count("PreviewReady") == 3
    photos = [enhancement.photo for enhancement in await shop.enhancements()]
    assert [shop.media.kept[photo] for photo in photos if photo] == [b"a", b"b", b"c"]
    assert [item.targets[0].position for item in await shop.enhancements()] == [1, 2, 3]


async def test_an_album_that_comes_twice_is_one_request(shop: Shop) -> None:
    shop.files.kept.update(a=b"a", b=b"b")
    parts = [
        event(1, "MUG-01", file="a", album="g", shop=shop),
        event(2, file="b", album="g", shop=shop),
    ]
    assert [await shop.take_event(part) for part in (*parts, *parts)] == [True, True, False, False]
    await shop.run_jobs()
    assert len(await shop.enhancements()) == 2
    await shop.answer(*parts)
    assert len(await shop.enhancements()) == 2


async def test_a_photo_that_is_too_late_for_its_album_is_not_lost(shop: Shop) -> None:
    shop.files.kept.update(a=b"a", b=b"b")
    await shop.answer(event(1, "MUG-01", file="a", album="g", shop=shop))
    replies = await shop.answer(event(2, file="b", album="g", shop=shop))
    assert isinstance(replies[-1], WhichProduct)
    assert (await shop.answer(event(3, "MUG-02", shop=shop)))[-1].__class__ is PreviewReady


async def test_two_albums_of_one_name_in_two_places_stay_apart(shop: Shop) -> None:
    shop.files.kept.update(a=b"a", b=b"b")
    other = replace(TALK, place_id="12")
    await shop.answer(
        event(1, "MUG-01", file="a", album="g", shop=shop),
        event(2, "MUG-02", file="b", album="g", shop=shop, place=other),
    )
    assert [item.sku.value for item in await shop.enhancements()] == ["MUG-01", "MUG-02"]


# ---------------------------------------------------------------- answers under a card


async def preview(shop: Shop, number: int = 1, sku: str = "MUG-01") -> PreviewReady:
    shop.files.kept["f"] = PHOTO
    last = (await shop.answer(event(number, sku, file="f", shop=shop)))[-1]
    assert isinstance(last, PreviewReady)
    await deliver(shop)
    return last


async def test_yes_under_a_preview_approves_that_one_though_another_waits(shop: Shop) -> None:
    first, _second = await preview(shop, 1), await preview(shop, 2, "MUG-02")
    (message_id,) = await shown_ids(shop, first)
    last = (await shop.answer(event(3, "yes", by="april", reply_to=message_id, shop=shop)))[-1]
    assert isinstance(last, Published)
    assert last.card.enhancement_id == first.card.enhancement_id


async def test_an_answer_to_ones_own_request_means_its_card(shop: Shop) -> None:
    first, _second = await preview(shop, 1), await preview(shop, 2, "MUG-02")
    last = (await shop.answer(event(3, "no, too dark", reply_to="1", shop=shop)))[-1]
    assert isinstance(last, Rejected)
    assert (last.card.enhancement_id, last.reason) == (first.card.enhancement_id, "too dark")


async def test_redo_on_grey_under_a_preview_makes_a_new_revision(shop: Shop) -> None:
    first = await preview(shop)
    (message_id,) = await shown_ids(shop, first)
    last = (await shop.answer(event(3, "redo on light grey", reply_to=message_id, shop=shop)))[-1]
    assert isinstance(last, PreviewReady)
    assert (last.card.revision, last.card.background) == (2, "#eeeeee")


async def test_yes_of_an_editor_under_a_preview_publishes_nothing(shop: Shop) -> None:
    first = await preview(shop)
    (message_id,) = await shown_ids(shop, first)
    last = (await shop.answer(event(3, "yes", reply_to=message_id, shop=shop)))[-1]
    assert isinstance(last, Refused)
    assert await shop.placements() == []


async def test_a_sku_under_a_card_stands_for_itself(shop: Shop) -> None:
    first, second = await preview(shop, 1), await preview(shop, 2, "MUG-02")
    (message_id,) = await shown_ids(shop, first)
    last = (await shop.answer(event(3, "approve MUG-02", by="april", reply_to=message_id, shop=shop)))[-1]
    assert isinstance(last, Published)
    assert last.card.enhancement_id == second.card.enhancement_id


async def test_yes_under_nothing_of_ours_is_not_a_decision(shop: Shop) -> None:
    await preview(shop)
    replies = await shop.answer(event(3, "yes", by="april", reply_to="999", shop=shop))
    assert isinstance(replies[-1], Refused)
    assert await shop.placements() == []


@pytest.mark.parametrize(
    ("said", "verb", "text", "options"),
    [
        ("yes", "approve", "", {}),
        ("Looks good!", "approve", "", {}),
        ("👍", "approve", "", {}),
        ("passt", "approve", "", {}),
        ("approve", "approve", "", {}),
        ("no", "reject", "", {}),
        ("No, too dark", "reject", "too dark", {}),
        ("nein, zu dunkel", "reject", "zu dunkel", {}),
        ("reject the handle is gone", "reject", "the handle is gone", {}),
        ("👎 blurry", "reject", "blurry", {}),
        ("undo", "undo", "", {}),
        ("redo", "redo", "", {}),
        ("redo on grey", "redo", "", {"background": "#dddddd"}),
        ("on light grey", "redo", "", {"background": "#eeeeee"}),
        ("redo on #abc, soft shadow", "redo", "", {"background": "#abc", "shadow": "soft"}),
        ("redo background=white shadow=none", "redo", "", {"background": "white", "shadow": "none"}),
        ("nochmal auf grau ohne Schatten", "redo", "", {"background": "#dddddd", "shadow": "none"}),
    ],
)
def test_what_people_answer(said: str, verb: str, text: str, options: dict[str, str]) -> None:
    assert read_answer(said) == DecideBySku(verb, None, text, options)


@pytest.mark.parametrize(
    "said", ["", "approve MUG-01", "what is this", "nothing", "noble mug", "on sale today", "MUG-02"]
)
def test_what_is_no_answer(said: str) -> None:
    assert read_answer(said) is None


# ---------------------------------------------------------------- places


async def test_the_first_person_decides_the_language_until_it_is_set(shop: Shop) -> None:
    (shown,) = await shop.answer(event(1, "settings", by="vera", language="de-AT", shop=shop))
    assert shown == SettingsShown("de", "UTC", previews=False)
    (shown,) = await shop.answer(event(2, "settings language=en timezone=europe/berlin", language="de", shop=shop))
    assert shown == SettingsShown("en", "Europe/Berlin", previews=False)
    (message,) = await OutboxRows(shop.database).due(shop.clock(), 1)
    assert (message.outgoing.language, message.outgoing.timezone) == ("en", "Europe/Berlin")
    assert message.outgoing.asked is not None


@pytest.mark.parametrize("words", ["language=tlh", "timezone=Moon/Base", "previews=perhaps", "colour=red", "please"])
async def test_a_setting_that_does_not_exist_is_a_sentence(shop: Shop, words: str) -> None:
    (refused,) = await shop.answer(event(1, f"settings {words}", by="ada", shop=shop))
    assert isinstance(refused, Refused)
    assert (await shop.answer(event(2, "settings", shop=shop)))[-1] == SettingsShown("en", "UTC", previews=False)


async def test_only_an_admin_lets_all_previews_into_a_place(shop: Shop) -> None:
    (refused,) = await shop.answer(event(1, "settings previews=on", by="april", shop=shop))
    assert isinstance(refused, Refused)
    assert refused.code == "not_allowed"


async def test_a_preview_is_shown_and_closed_in_every_place_that_watches(shop: Shop) -> None:
    await shop.answer(event(1, "settings previews=on", by="ada", shop=shop))
    replies = await shop.send("MUG-01", photos=[PHOTO])  # asked for in the console's room
    assert kinds(replies)[-2:] == ["PreviewReady", "PreviewReady"]
    await deliver(shop)
    card = replies[-1]
    assert isinstance(card, PreviewReady)
    ids = await shown_ids(shop, card)
    assert len(ids) == 2
    replies = await shop.answer(event(2, "approve", by="april", reply_to=ids[-1], shop=shop))
    assert kinds(replies)[-2:] == ["Published", "Published"]


async def test_card_shows_it_here_too_and_keeps_it_up_to_date(shop: Shop) -> None:
    await shop.send("MUG-01", photos=[PHOTO])
    (shown,) = await shop.answer(event(1, "card mug-01", by="vera", shop=shop))
    assert isinstance(shown, PreviewReady)
    replies = await shop.send("approve MUG-01", by="april")
    assert kinds(replies)[-2:] == ["Published", "Published"]
    assert isinstance((await shop.answer(event(2, "card NOPE", shop=shop)))[-1], Refused)


async def test_status_is_asked_and_answered_in_a_chat(shop: Shop) -> None:
    replies = await shop.answer(event(1, "status", by="vera", shop=shop))
    assert isinstance(replies[-1], StatusShown)
    assert not any(isinstance(reply, Working) for reply in replies)
