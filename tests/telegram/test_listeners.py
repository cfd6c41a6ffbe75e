"""The way in by polling: what is taken, what is left alone, and what survives."""

from __future__ import annotations

import asyncio
import logging

import pytest

from domain.errors import Fault
from domain.people import Role
from tests.fakes.telegram import TOKEN, TelegramServer, Trouble
from tests.fakes.telegram_chats import BOT_ID
from tests.handlers.shop import PHOTO, Shop
from tests.telegram.bot import Lock, TelegramBot, open_bot

AWAY = Fault("database_away", "the database is away")


# ---------------------------------------------------------------- what is said


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("/start", "help"),
        ("/start AB12-CD34", "join AB12-CD34"),
        ("/help", "help"),
        ("/settings language=de", "settings language=de"),
        ("/enhance@packshot_bot MUG-01", "enhance MUG-01"),
        ("/Enhance@Packshot_Bot MUG-01", "enhance MUG-01"),
        ("/enhance\nMUG-01", "enhance MUG-01"),
        ("/packshot status", "/packshot status"),
        ("@packshot_bot status", "status"),
        ("status", "status"),
        ("🏺🏺 @packshot_bot, MUG-01", "🏺🏺  MUG-01"),
        ("/nonsense", "nonsense"),
    ],
)
async def test_words_in_a_private_chat(bot: TelegramBot, telegram: TelegramServer, said: str, read: str) -> None:
    anna = telegram.person("Anna", language="de")
    message = telegram.say(anna, said)
    await bot.taken()
    (event,) = await bot.events()
    assert event.text == read
    assert event.event_key.startswith(f"telegram:{BOT_ID}:")
    assert event.actor.actor_id == event.place.place_id == str(anna.user_id)
    assert (event.actor.name, event.language, event.message_id) == ("Anna", "de", str(message.message_id))
    assert event.place.thread_id == ""


async def test_a_command_for_another_bot_is_not_ours(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna, group = await bot.member("Anna"), telegram.group("Shop")
    telegram.say(anna, "/status@other_bot")
    telegram.say(anna, "/status@other_bot", to=group)
    telegram.say(anna, "/weather Berlin", to=group)
    await bot.taken()
    assert await bot.events() == []


async def test_a_group_is_only_answered_when_it_speaks_to_us(bot: TelegramBot, telegram: TelegramServer) -> None:
    telegram.has_privacy = False  # the bot is an admin there and sees everything
    anna, ben, group = await bot.member("Anna"), await bot.member("Ben"), telegram.group("Shop")
    chatter = telegram.say(ben, "lunch?", to=group)
    telegram.say(anna, "yes", to=group, reply_to=chatter)
    telegram.send_photo(anna, PHOTO, "MUG-01", to=group)
    telegram.send_photo(anna, PHOTO, "", to=group)
    await bot.taken()
    assert await bot.events() == []
    telegram.say(anna, "@packshot_bot status", to=group)
    telegram.say(anna, "/status", to=group)
    telegram.send_photo(anna, PHOTO, "@Packshot_bot MUG-01", to=group)
    telegram.send_photo(anna, PHOTO, "/enhance MUG-01", to=group)
    await bot.taken()
    assert [event.text for event in await bot.events()] == ["status", "status", "MUG-01", "enhance MUG-01"]


async def test_a_reply_to_the_bot_says_which_message(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna, group = await bot.member("Anna"), telegram.group("Shop")
    telegram.send_photo(anna, PHOTO, "/enhance MUG-01", to=group)
    await bot.settle()
    (card,) = telegram.shown(group)
    telegram.say(anna, "redo on grey", to=group, reply_to=card)
    await bot.taken()
    assert (await bot.events())[-1].reply_to == str(card.message_id)
    await bot.settle()
    assert str(bot.shop.enhancer.made[-1][1].background) == "#dddddd"


async def test_a_topic_of_a_forum_is_a_thread(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna, forum = await bot.member("Anna"), telegram.group("Shop", is_forum=True)
    telegram.say(anna, "/status", to=forum, thread_id=7)
    await bot.settle()
    assert (await bot.events())[0].place.thread_id == "7"
    assert telegram.shown(forum)[0].thread_id == 7


async def test_a_photo_and_a_file_are_told_apart(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = telegram.person("Anna")
    photo = telegram.send_photo(anna, b"small", "MUG-01")
    file = telegram.send_document(anna, b"large", "MUG-01", name="", mime="")
    await bot.taken()
    first, second = await bot.events()
    assert photo.file is not None
    assert file.file is not None
    assert first.attachments[0].file_id == photo.file.file_id, "the largest size, not the thumbnail"
    assert first.attachments[0].is_recompressed
    assert second.attachments[0].file_id == file.file.file_id
    assert (second.attachments[0].content_type, second.attachments[0].name) == ("", "")
    assert not second.attachments[0].is_recompressed


async def test_what_is_nobodys_message_is_left_alone(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    told = telegram.say(anna, "status")
    await bot.taken()
    other_bot = {"id": 5, "is_bot": True, "first_name": "Other"}
    private = {"id": anna.user_id, "type": "private"}
    channel = {"id": -1009, "type": "channel", "title": "News"}
    group = {"id": -1008, "type": "supergroup", "title": "Shop"}
    telegram._allowed = []
    telegram.send_update(edited_message={"message_id": told.message_id, "date": 1, "chat": private, "from": anna.json, "text": "undo"})  # fmt: skip
    telegram.send_update(channel_post={"message_id": 1, "date": 1, "chat": channel, "text": "/status"})
    telegram.send_update(message={"message_id": 2, "date": 1, "chat": group, "from": other_bot, "text": "/status"})
    telegram.send_update(message={"message_id": 3, "date": 1, "chat": group, "from": anna.json, "sender_chat": channel, "text": "/status"})  # fmt: skip
    telegram.send_update(message={"message_id": 4, "date": 1, "chat": group, "from": anna.json, "new_chat_title": "x"})
    telegram.block(anna)
    await bot.taken()
    assert len(await bot.events()) == 1


async def test_only_the_kinds_we_read_are_asked_for(bot: TelegramBot, telegram: TelegramServer) -> None:
    assert telegram.calls_of("getMe")
    telegram.block(await bot.member("Anna"))
    assert telegram.updates == [], "my_chat_member was not asked for"


async def test_a_forwarded_preview_is_explained(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    card = await bot.card_for(anna)
    before = await bot.shop.everything()
    telegram.forward(anna, card)
    await bot.taken()
    await telegram.until(lambda: len(telegram.shown(anna)) == 2)
    assert "only the original can be decided" in telegram.shown(anna)[1].text
    assert len(await bot.events()) == 1
    assert await bot.shop.everything() == before


async def test_strangers_in_a_group_hear_nothing_unless_they_use_a_command(
    bot: TelegramBot, telegram: TelegramServer
) -> None:
    sam, group = telegram.person("Sam"), telegram.group("Shop")
    telegram.say(sam, "@packshot_bot hello", to=group)
    telegram.send_photo(sam, PHOTO, "@packshot_bot MUG-01", to=group)
    await bot.settle()
    assert await bot.events() == []
    telegram.say(sam, "/enhance MUG-01", to=group)
    await bot.settle()
    assert telegram.shown(group) == []
    assert "I do not know you yet" in telegram.shown(sam)[0].text


# ---------------------------------------------------------------- durable before acknowledged


async def test_an_update_that_comes_twice_is_one_event(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    telegram.is_holding = True
    telegram.say(anna, "status")
    telegram.send_again(telegram.updates[0])
    telegram.release()
    await bot.settle()
    assert len(await bot.events()) == 1
    assert len(telegram.shown(anna)) == 1


async def test_a_crash_before_the_offset_moved_on_loses_and_doubles_nothing(
    bot: TelegramBot, telegram: TelegramServer
) -> None:
    anna = await bot.member("Anna")
    telegram.say(anna, "status")
    update = telegram.updates[0]
    await bot.taken()
    await bot.stop()
    telegram.send_again(update)  # Telegram never heard that we have it
    telegram.say(anna, "stores")
    bot.listeners = bot.make_listeners()
    await bot.start()
    await bot.settle()
    assert [event.text for event in await bot.events()] == ["status", "stores"]


async def test_the_offset_waits_for_the_database(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    bot.trouble += [AWAY, AWAY, AWAY]
    telegram.is_holding = True
    telegram.say(anna, "status")
    telegram.say(anna, "stores")
    telegram.release()
    await telegram.until(lambda: not bot.trouble)
    await bot.taken()
    assert [event.text for event in await bot.events()] == ["status", "stores"]


async def test_a_press_that_could_not_be_kept_is_told_and_comes_again(
    bot: TelegramBot, telegram: TelegramServer
) -> None:
    anna = await bot.member("Anna")
    card = await bot.card_for(anna)
    bot.trouble.append(AWAY)
    press = telegram.press(anna, card, "Approve")
    await telegram.until(lambda: press.answer is not None)
    assert press.is_alert
    await bot.settle()
    assert "Live" in card.text


async def test_updates_out_of_order_are_all_taken(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    telegram.is_holding = True
    for word in ("status", "stores", "members"):
        telegram.say(anna, word)
    telegram.updates.reverse()
    telegram.release()
    await bot.taken()
    assert sorted(event.text for event in await bot.events()) == ["members", "status", "stores"]


async def test_an_update_nobody_can_read_stops_no_other(
    bot: TelegramBot, telegram: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await bot.member("Anna")
    telegram.send_update(message={"message_id": "x", "nothing": "else"})
    telegram.say(anna, "status")
    await bot.taken()
    assert [event.text for event in await bot.events()] == ["status"]
    assert "cannot be read" in caplog.text


async def test_our_own_fault_leaves_out_one_update_after_three_tries(
    bot: TelegramBot, telegram: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await bot.member("Anna")
    bot.trouble += [RuntimeError("a bug")] * 3
    telegram.is_holding = True
    telegram.say(anna, "status")
    telegram.say(anna, "stores")
    telegram.release()
    await bot.taken()
    assert [event.text for event in await bot.events()] == ["stores"]
    assert "RuntimeError: a bug" in caplog.text


async def test_listening_can_begin_again(bot: TelegramBot, telegram: TelegramServer) -> None:
    await bot.stop()
    await bot.start()
    telegram.say(await bot.member("Anna"), "status")
    await bot.taken()
    assert len(await bot.events()) == 1


async def test_a_menu_telegram_refuses_does_not_keep_people_out(telegram: TelegramServer, shop: Shop) -> None:
    telegram.fail("setMyCommands", Trouble("status", 400))
    async with open_bot(telegram, shop) as bot:
        bot._running = asyncio.create_task(bot.listeners.run())
        telegram.say(await bot.member("Anna"), "status")
        await bot.settle()
        assert len(await bot.events()) == 1


# ---------------------------------------------------------------- the line


@pytest.mark.parametrize(
    "trouble",
    [Trouble("cut"), Trouble("status", 502), Trouble("status", 500), Trouble("status", 409), Trouble("lost_answer")],
)
async def test_the_line_comes_back(bot: TelegramBot, telegram: TelegramServer, trouble: Trouble) -> None:
    anna = await bot.member("Anna")
    telegram.fail("getUpdates", trouble, times=5)
    for word in ("status", "stores"):
        telegram.say(anna, word)
    await bot.settle()
    assert [event.text for event in await bot.events()] == ["status", "stores"]
    assert len(telegram.shown(anna)) == 2


async def test_a_telegram_that_is_down_at_the_start_is_waited_for(
    telegram: TelegramServer, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    telegram.fail("*", Trouble("status", 502), times=4)
    telegram.fail("*", Trouble("too_many", 0))
    async with open_bot(telegram, shop) as bot:
        await bot.start()
        telegram.say(await bot.member("Anna"), "status")
        await bot.settle()
        assert len(await bot.events()) == 1
    assert "failed for" in caplog.text
    assert "telegram is back" in caplog.text
    assert TOKEN not in caplog.text


async def test_a_wrong_token_is_said_and_its_mending_noticed(
    telegram: TelegramServer, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.is_token_revoked = True
    async with open_bot(telegram, shop) as bot:
        starting = telegram.until(lambda: len(telegram.calls_of("getMe")) >= 2)
        bot._running = asyncio.create_task(bot.listeners.run())
        await starting
        telegram.is_token_revoked = False
        telegram.say(await bot.member("Anna"), "status")
        await bot.settle()
        assert len(await bot.events()) == 1
    assert "no longer accepts the bot's token" in caplog.text
    assert TOKEN not in caplog.text


async def test_a_webhook_that_was_left_behind_is_taken_down(telegram: TelegramServer, shop: Shop) -> None:
    telegram.webhook = {"url": "https://old.example/telegram/webhook"}
    async with open_bot(telegram, shop) as bot:
        await bot.start()
        telegram.say(await bot.member("Anna"), "status")
        await bot.settle()
        assert len(await bot.events()) == 1
    assert telegram.webhook == {}


async def test_of_two_processes_one_polls_and_the_other_takes_over(telegram: TelegramServer, shop: Shop) -> None:
    lock = Lock()
    async with open_bot(telegram, shop, lock=lock) as first, open_bot(telegram, shop, lock=lock) as second:
        await first.start()
        await telegram.until(lambda: telegram._poll is not None)
        await second.start()
        anna = await first.member("Anna")
        telegram.say(anna, "status")
        await first.taken()
        assert [call.answer for call in telegram.calls_of("getUpdates") if call.answer != "ok"] == []
        await first.stop()
        telegram.say(anna, "stores")
        await second.taken()
        assert [event.text for event in await second.events()] == ["status", "stores"]
        assert [call.answer for call in telegram.calls_of("getUpdates") if "Conflict" in call.answer] == []


async def test_a_viewer_may_look_and_not_touch(bot: TelegramBot, telegram: TelegramServer) -> None:
    vera = await bot.member("Vera", Role.VIEWER)
    telegram.send_photo(vera, PHOTO, "MUG-01")
    await bot.settle()
    assert "needs the role" in telegram.shown(vera)[0].text
    assert await bot.shop.enhancements() == []
