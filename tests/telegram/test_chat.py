"""The way out: what Telegram takes, what it refuses, and what becomes of each."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from domain.catalog import Sha256
from domain.data_replies import FileReady
from domain.errors import Fault, RateLimited, StoreDown, Undeliverable
from domain.intents import Attachment, Incoming
from domain.people import Actor, ChatName, Place, Role
from domain.replies import (
    PRIVATE,
    AlreadyDecided,
    Invited,
    Outgoing,
    PreviewReady,
    Published,
    Refused,
    Rejected,
    Reply,
    StatusShown,
    Working,
)
from domain.tokens import Action, Token
from handlers.telegram.chat import TelegramChat
from tests.console.samples import AFTER, NOW
from tests.fakes import FakeMedia
from tests.fakes.telegram import TOKEN, TelegramServer, Trouble
from tests.fakes.telegram_chats import Group, Person
from tests.telegram.samples import EVERY_SORT, PLAIN, name_of

PREVIEW = next(reply for reply in PLAIN if isinstance(reply, PreviewReady))
PUBLISHED = next(reply for reply in PLAIN if isinstance(reply, Published))
WORKING = Working("MUG-01", "enhancing")
STATUS = next(reply for reply in PLAIN if isinstance(reply, StatusShown))
PRESS = str(Token(Action.APPROVE, "e1", 1))


@pytest.fixture
def anna(telegram: TelegramServer) -> Person:
    return telegram.person("Anna")


@pytest.fixture
def media() -> FakeMedia:
    media = FakeMedia()
    media.kept[AFTER] = b"before and after"
    return media


def outgoing(
    reply: Reply,
    to: Person | Group,
    native_id: str = "",
    *,
    by: Person | None = None,
    token: str = "",
    message_id: str = "",
    thread_id: str = "",
    attachments: tuple[Attachment, ...] = (),
    is_told: bool = False,
) -> Outgoing:
    place_id = to.user_id if isinstance(to, Person) else to.chat_id
    place = Place(ChatName.TELEGRAM, str(place_id), thread_id)
    actor = Actor(ChatName.TELEGRAM, str(by.user_id if by else place_id), "Anna")
    asked = Incoming(
        "telegram:1:1", "t", actor, place, token=token, attachments=attachments, message_id=message_id, is_told=is_told
    )
    return Outgoing("m1", "t", place, native_id, reply, asked.event_key, asked)


MESSAGES = [reply for reply in EVERY_SORT if not isinstance(reply, FileReady)]
"""A file comes as a document of its own (tests/telegram/test_digest.py, tests/trust/test_trust_history.py)."""


@pytest.mark.parametrize("reply", MESSAGES, ids=name_of)
async def test_telegram_takes_it_as_a_post_and_as_an_edit(
    chat: TelegramChat, telegram: TelegramServer, anna: Person, reply: Reply
) -> None:
    native_id = await chat.deliver(outgoing(WORKING, anna))
    assert await chat.deliver(outgoing(reply, anna, native_id)) == native_id
    assert await chat.deliver(outgoing(reply, anna)) not in {"", native_id}
    edited, posted = telegram.shown(anna)
    assert edited.text == posted.text != ""
    assert edited.photo == posted.photo
    assert edited.labels == posted.labels
    refused = [call.answer for call in telegram.calls if call.answer != "ok"]
    assert [answer for answer in refused if "not modified" not in answer] == []


async def test_text_becomes_a_picture_and_stays_one_message(
    chat: TelegramChat, telegram: TelegramServer, anna: Person
) -> None:
    native_id = await chat.deliver(outgoing(WORKING, anna))
    await chat.deliver(outgoing(PREVIEW, anna, native_id))
    await chat.deliver(outgoing(PUBLISHED, anna, native_id))
    (card,) = telegram.shown(anna)
    assert str(card.message_id) == native_id
    assert card.photo == b"before and after"
    assert "Live" in card.text
    edits = [call.method for call in telegram.calls if call.method.startswith("edit")]
    assert edits == ["editMessageMedia", "editMessageCaption"], "the same picture goes up once"


async def test_a_new_process_edits_what_the_old_one_posted(
    chat: TelegramChat, telegram: TelegramServer, anna: Person, media: FakeMedia
) -> None:
    native_id = await chat.deliver(outgoing(PREVIEW, anna))
    other = TelegramChat(token=TOKEN, api_url=telegram.url, media=media)
    rejected = Rejected(replace(PREVIEW.card, after=None), "Anna", NOW, "too dark")
    await other.deliver(outgoing(rejected, anna, native_id))
    await other.close()
    (card,) = telegram.shown(anna)
    assert "Rejected" in card.text
    assert card.photo == b"before and after"


async def test_the_same_edit_twice_is_no_error(chat: TelegramChat, telegram: TelegramServer, anna: Person) -> None:
    native_id = await chat.deliver(outgoing(STATUS, anna))
    for _ in range(2):
        assert await chat.deliver(outgoing(STATUS, anna, native_id)) == native_id
    assert "not modified" in telegram.calls[-1].answer


async def test_a_picture_that_is_no_longer_kept_leaves_the_words(
    chat: TelegramChat, telegram: TelegramServer, anna: Person, media: FakeMedia
) -> None:
    media.kept.clear()
    await chat.deliver(outgoing(PREVIEW, anna))
    assert "Your decision" in telegram.shown(anna)[0].text


async def test_a_picture_telegram_cannot_use_leaves_the_words_and_says_so(
    chat: TelegramChat, telegram: TelegramServer, anna: Person, media: FakeMedia
) -> None:
    await chat.deliver(outgoing(PREVIEW, anna))
    telegram.files.clear()  # Telegram forgot the file that our file_id names
    await chat.deliver(outgoing(PREVIEW, anna))
    assert "Telegram did not take the picture" in telegram.shown(anna)[1].text


async def test_a_picture_over_ten_megabytes_is_not_sent(
    chat: TelegramChat, telegram: TelegramServer, anna: Person, media: FakeMedia
) -> None:
    media.kept[AFTER] = bytes(10_000_001)
    await chat.deliver(outgoing(PREVIEW, anna))
    assert telegram.shown(anna)[0].photo is None


async def test_an_answer_stands_under_its_question_even_when_that_was_deleted(
    chat: TelegramChat, telegram: TelegramServer, anna: Person
) -> None:
    asked = telegram.say(anna, "status")
    await chat.deliver(outgoing(STATUS, anna, message_id=str(asked.message_id)))
    assert telegram.shown(anna)[0].reply_to is asked
    asked.is_deleted = True
    await chat.deliver(outgoing(STATUS, anna, message_id=str(asked.message_id)))
    assert telegram.shown(anna)[1].reply_to is None


async def test_a_topic_of_a_forum_is_kept(chat: TelegramChat, telegram: TelegramServer) -> None:
    forum = telegram.group("Shop", is_forum=True)
    await chat.deliver(outgoing(PREVIEW, forum, thread_id="7"))
    assert telegram.shown(forum)[0].thread_id == 7


async def test_work_begins_without_a_sound(chat: TelegramChat, telegram: TelegramServer, anna: Person) -> None:
    await chat.deliver(outgoing(WORKING, anna))
    await chat.deliver(outgoing(PREVIEW, anna))
    assert [message.is_silent for message in telegram.shown(anna)] == [True, False]


async def test_the_action_lives_until_the_next_edit(chat: TelegramChat, telegram: TelegramServer, anna: Person) -> None:
    native_id = await chat.deliver(outgoing(WORKING, anna))
    await telegram.until(lambda: len(telegram.calls_of("sendChatAction")) >= 3)
    assert telegram.calls_of("sendChatAction")[0].params["action"] == "upload_photo"
    await chat.deliver(outgoing(PREVIEW, anna, native_id))
    await telegram.until(lambda: not chat._actions._tasks)


async def test_the_action_is_an_ornament(chat: TelegramChat, telegram: TelegramServer, anna: Person) -> None:
    telegram.fail("sendChatAction", Trouble("too_many", 5))
    await chat.deliver(outgoing(WORKING, anna))
    await telegram.until(lambda: telegram.calls_of("sendChatAction"))
    assert len(telegram.shown(anna)) == 1


# ---------------------------------------------------------------- trouble


async def test_too_many_requests_says_how_long(chat: TelegramChat, telegram: TelegramServer, anna: Person) -> None:
    telegram.fail("sendMessage", Trouble("too_many", 7))
    with pytest.raises(RateLimited) as caught:
        await chat.deliver(outgoing(STATUS, anna))
    assert caught.value.retry_after_s == 7
    assert len(telegram.calls_of("sendMessage")) == 1, "nobody tries again behind our back"


@pytest.mark.parametrize("trouble", [Trouble("status", 500), Trouble("status", 502), Trouble("hang"), Trouble("cut")])
@pytest.mark.parametrize("native", [False, True])
async def test_a_silent_telegram_may_be_asked_again(
    chat: TelegramChat, telegram: TelegramServer, anna: Person, trouble: Trouble, native: bool
) -> None:
    native_id = await chat.deliver(outgoing(STATUS, anna)) if native else ""
    telegram.fail("*", trouble)
    changed = replace(STATUS, waiting=77)
    with pytest.raises(StoreDown):
        await chat.deliver(outgoing(changed, anna, native_id))
    await chat.deliver(outgoing(changed, anna, native_id))
    assert "77" in telegram.shown(anna)[-1].text


async def test_an_edit_whose_answer_got_lost_is_repeated_without_harm(
    chat: TelegramChat, telegram: TelegramServer, anna: Person
) -> None:
    native_id = await chat.deliver(outgoing(WORKING, anna))
    telegram.fail("editMessageMedia", Trouble("lost_answer"))
    with pytest.raises(StoreDown):
        await chat.deliver(outgoing(PREVIEW, anna, native_id))
    await chat.deliver(outgoing(PREVIEW, anna, native_id))
    assert len(telegram.shown(anna)) == 1


async def test_telegram_cannot_tell_whether_a_post_arrived(chat: TelegramChat, anna: Person) -> None:
    assert await chat.find_posted(outgoing(STATUS, anna)) is None


async def test_who_blocked_the_bot_closes_the_place(chat: TelegramChat, telegram: TelegramServer, anna: Person) -> None:
    telegram.block(anna)
    with pytest.raises(Undeliverable) as caught:
        await chat.deliver(outgoing(STATUS, anna))
    assert caught.value.scope == "place"


@pytest.mark.parametrize(
    "words",
    [
        "Forbidden: bot was kicked from the supergroup chat",
        "Forbidden: the group chat was deleted",
        "Forbidden: bot is not a member of the supergroup chat",
    ],
)
async def test_a_group_that_put_the_bot_out_is_closed(chat: TelegramChat, telegram: TelegramServer, words: str) -> None:
    group = telegram.group("Shop")
    telegram.closed[group.chat_id] = words
    with pytest.raises(Undeliverable) as caught:
        await chat.deliver(outgoing(STATUS, group))
    assert caught.value.scope == "place"


async def test_an_unknown_chat_is_closed(chat: TelegramChat) -> None:
    with pytest.raises(Undeliverable) as caught:
        await chat.deliver(outgoing(STATUS, Person(9, "Nobody")))
    assert caught.value.scope == "place"


async def test_a_deleted_message_is_only_that_message(
    chat: TelegramChat, telegram: TelegramServer, anna: Person
) -> None:
    for first in (WORKING, PREVIEW):
        native_id = await chat.deliver(outgoing(first, anna))
        telegram.shown(anna)[-1].is_deleted = True
        with pytest.raises(Undeliverable) as caught:
            await chat.deliver(outgoing(PUBLISHED, anna, native_id))
        assert caught.value.scope == "message"


@pytest.mark.parametrize("words", ["Bad Request: message thread not found", "Bad Request: TOPIC_CLOSED"])
async def test_a_topic_that_is_gone_does_not_close_its_group(
    chat: TelegramChat, telegram: TelegramServer, words: str
) -> None:
    forum = telegram.group("Shop", is_forum=True)
    telegram.fail("sendMessage", Trouble("status", 400, words))
    with pytest.raises(Undeliverable) as caught:
        await chat.deliver(outgoing(STATUS, forum, thread_id="7"))
    assert caught.value.scope == "message"


async def test_a_group_that_became_a_supergroup_is_closed(chat: TelegramChat, telegram: TelegramServer) -> None:
    group = telegram.group("Shop")
    telegram.fail("sendMessage", Trouble("migrated", -1_000_000_000_999))
    with pytest.raises(Undeliverable) as caught:
        await chat.deliver(outgoing(STATUS, group))
    assert caught.value.scope == "place"


async def test_a_revoked_token_closes_the_chat(chat: TelegramChat, telegram: TelegramServer, anna: Person) -> None:
    telegram.is_token_revoked = True
    with pytest.raises(Undeliverable) as caught:
        await chat.deliver(outgoing(STATUS, anna))
    assert caught.value.scope == "chat"
    assert TOKEN not in caught.value.sentence


async def test_the_token_is_in_no_log(
    telegram: TelegramServer, anna: Person, media: FakeMedia, caplog: pytest.LogCaptureFixture
) -> None:
    chat = TelegramChat(token=TOKEN, api_url=telegram.url, media=media, read_timeout_s=0.3)
    for name in ("", "httpx", "httpcore", "telegram", "telegram.Bot", "packshot"):
        caplog.set_level(logging.DEBUG, logger=name)
    file = telegram.keep(b"bytes")
    await chat.fetch(Attachment(file.file_id))
    await chat.deliver(outgoing(PREVIEW, anna))
    for trouble in (Trouble("cut"), Trouble("hang"), Trouble("status", 502), Trouble("too_many", 1)):
        telegram.fail("*", trouble)
        with pytest.raises((StoreDown, RateLimited)):
            await chat.deliver(outgoing(STATUS, anna))
    telegram.is_token_revoked = True
    with pytest.raises(Undeliverable):
        await chat.deliver(outgoing(STATUS, anna))
    await chat.close()
    assert "HTTP Request" in caplog.text, "httpx did log its addresses, and they were cleaned"
    assert TOKEN not in caplog.text
    assert TOKEN.partition(":")[2] not in caplog.text


# ---------------------------------------------------------------- private replies


@pytest.mark.parametrize("reply", [reply for reply in PLAIN if isinstance(reply, PRIVATE)], ids=name_of)
async def test_a_private_reply_is_never_said_in_a_group(
    chat: TelegramChat, telegram: TelegramServer, anna: Person, reply: Reply
) -> None:
    group = telegram.group("Shop")
    assert await chat.deliver(outgoing(reply, group, by=anna)) == ""
    assert telegram.shown(group) == []
    assert len(telegram.shown(anna)) == 1


async def test_what_said_working_in_a_group_does_not_hang_there(
    chat: TelegramChat, telegram: TelegramServer, anna: Person
) -> None:
    group = telegram.group("Shop")
    native_id = await chat.deliver(outgoing(WORKING, group))
    await chat.deliver(outgoing(Refused("bad_photo", "I cannot read it."), group, native_id, by=anna))
    assert telegram.shown(group)[0].text == "✉️ I answered you privately."
    assert "I cannot read it." in telegram.shown(anna)[0].text


async def test_an_alert_is_not_said_again(chat: TelegramChat, telegram: TelegramServer, anna: Person) -> None:
    for reply in (AlreadyDecided("approved", "Ben", NOW, "MUG-01"), Refused("stale_button", "The card moved on.")):
        assert await chat.deliver(outgoing(reply, anna, token=PRESS, is_told=True)) == ""
    assert telegram.shown(anna) == []


async def test_what_no_alert_could_foresee_is_said(chat: TelegramChat, telegram: TelegramServer, anna: Person) -> None:
    await chat.deliver(outgoing(Refused("not_now", "The store is away."), anna, token=PRESS))
    assert "The store is away." in telegram.shown(anna)[0].text


async def test_a_code_stays_out_of_a_group_when_the_person_cannot_be_reached(
    chat: TelegramChat, telegram: TelegramServer
) -> None:
    group, ada = telegram.group("Shop"), telegram.person("Ada", has_started=False)
    await chat.deliver(outgoing(Invited("secret-code", Role.ADMIN, NOW), group, by=ada))
    (said,) = telegram.shown(group)
    assert "secret-code" not in said.text + repr(said.keyboard)


def test_the_limits_are_telegrams(chat: TelegramChat) -> None:
    person, group = Person(5, "Anna"), Group(-100, "Shop")
    assert {(limit.key, limit.count, limit.per_s) for limit in chat.limits(outgoing(STATUS, person))} == {
        ("telegram:all", 30, 1.0),
        ("telegram:chat:5", 1, 1.0),
    }
    assert ("telegram:group:-100", 20, 60.0) in {
        (limit.key, limit.count, limit.per_s) for limit in chat.limits(outgoing(STATUS, group))
    }
    whispered = chat.limits(outgoing(Refused("x", "y"), group, by=person))
    assert "telegram:chat:5" in {limit.key for limit in whispered}, "it goes to the person, not to the group"


async def test_what_telegram_refuses_for_our_own_fault_has_a_code(
    chat: TelegramChat, telegram: TelegramServer, anna: Person, media: FakeMedia
) -> None:
    media.kept[Sha256("c" * 64)] = b""
    with pytest.raises(Fault) as caught:
        await chat.deliver(outgoing(PreviewReady(replace(PREVIEW.card, after=Sha256("c" * 64))), anna))
    assert caught.value.code == "telegram_refused"


async def test_doctor_hears_who_we_are_and_that_a_token_is_gone(telegram: TelegramServer, chat: TelegramChat) -> None:
    assert await chat.whoami() == "@packshot_bot"
    telegram.is_token_revoked = True
    with pytest.raises(Undeliverable) as gone:
        await chat.whoami()
    assert gone.value.scope == "chat"
