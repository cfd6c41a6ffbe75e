"""The way in by webhook: who may speak, how much, and what is answered before and after the row is there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from domain.errors import Fault
from tests.fakes.telegram import TelegramServer, Trouble
from tests.handlers.shop import PHOTO, Shop
from tests.telegram.bot import SECRET, TelegramBot, open_bot

HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture
async def bot(telegram: TelegramServer, shop: Shop) -> AsyncIterator[TelegramBot]:
    """The bot behind a public address."""
    async with open_bot(telegram, shop, webhook=True) as opened:
        await opened.start()
        yield opened


async def _post(bot: TelegramBot, content: bytes, *, secret: str | None = SECRET) -> httpx.Response:
    headers = {"content-type": "application/json"} | ({HEADER: secret} if secret is not None else {})
    async with httpx.AsyncClient() as client:
        return await client.post(f"{bot.web_url}/telegram/webhook", content=content, headers=headers)


async def test_the_webhook_is_set_with_its_secret(bot: TelegramBot, telegram: TelegramServer) -> None:
    assert telegram.webhook["url"] == "https://shop.example/telegram/webhook"
    assert telegram.webhook["secret_token"] == SECRET
    assert telegram.webhook["allowed_updates"] == ["message", "callback_query"]
    assert telegram.calls_of("getUpdates") == []


async def test_photo_to_live(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    telegram.send_photo(anna, PHOTO, "MUG-01")
    await bot.settle()
    (card,) = telegram.shown(anna)
    press = telegram.press(anna, card, "Approve")
    await bot.settle()
    await telegram.until(lambda: press.answer is not None)
    assert "Live" in card.text
    assert telegram.deliveries == [200, 200]


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", "sécret"])
async def test_without_the_secret_nothing_is_read(bot: TelegramBot, secret: str | None) -> None:
    headers = [(HEADER.encode(), secret.encode())] if secret is not None else []
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{bot.web_url}/telegram/webhook", content=b'{"update_id": 1}', headers=headers)
    assert answer.status_code == 403
    assert len(answer.text.splitlines()) == 1
    assert SECRET not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b"{}", b'{"update_id": "x"}', b"\xff\xfe", b'{"update_id": {}}'])  # fmt: skip
async def test_what_is_no_update_is_one_sentence(bot: TelegramBot, body: bytes) -> None:
    answer = await _post(bot, body)
    assert answer.status_code == 400
    assert answer.text.startswith("That is no update")


async def test_too_much_is_refused_while_it_is_read(bot: TelegramBot) -> None:
    assert (await _post(bot, b" " * 1_000_001)).status_code == 413


async def test_other_methods_are_not_answered(bot: TelegramBot) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{bot.web_url}/telegram/webhook")).status_code == 405


async def test_an_update_we_do_not_know_is_acknowledged(bot: TelegramBot) -> None:
    assert (await _post(bot, b'{"update_id": 5, "something_new": {}}')).status_code == 200
    assert (await _post(bot, b'{"update_id": 6, "message": {"message_id": 1}}')).status_code == 200
    assert await bot.events() == []


async def test_an_event_that_was_not_kept_is_asked_for_again(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    bot.trouble.append(Fault("database_away", "the database is away"))
    telegram.say(anna, "status")
    await bot.settle()
    assert telegram.deliveries == [503, 200]
    assert len(await bot.events()) == 1
    assert len(telegram.shown(anna)) == 1


async def test_a_delivery_whose_200_got_lost_is_one_event(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    telegram.is_holding = True
    telegram.say(anna, "status")
    telegram.send_again(telegram.updates[0])
    telegram.release()
    await bot.settle()
    assert telegram.deliveries == [200, 200]
    assert len(await bot.events()) == 1


async def test_a_slow_answer_to_a_press_holds_up_nobody(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    telegram.send_photo(anna, PHOTO, "MUG-01")
    await bot.settle()
    (card,) = telegram.shown(anna)
    telegram.fail("answerCallbackQuery", Trouble("hang"))
    telegram.press(anna, card, "Approve")
    telegram.say(anna, "status")
    await bot.taken()
    assert telegram.deliveries == [200, 200, 200]


async def test_without_a_secret_there_is_no_webhook(telegram: TelegramServer, shop: Shop) -> None:
    async with open_bot(telegram, shop) as bot:
        assert not bot.listeners.has_webhook
