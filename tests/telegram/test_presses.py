"""Buttons: a second press where buyers look, menus that come and go, and presses that are late, old or forged."""

from __future__ import annotations

import pytest

from tests.fakes.telegram import TelegramServer
from tests.telegram.bot import TelegramBot


async def test_a_live_store_wants_a_second_press(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    card = await bot.card_for(anna)
    token = card.key("Approve")["callback_data"]
    press = telegram.press(anna, card, data=f"{token}|aPen")
    await telegram.until(lambda: card.labels == ["✅ Yes, publish MUG-01 on Shelf", "◀️ Back"])
    assert press.answer == "Buyers see MUG-01 on Shelf at once."
    assert await bot.shop.placements() == []
    telegram.press(anna, card, "Yes, publish")
    await bot.settle()
    assert "Live" in card.text


async def test_a_link_under_a_card_outlives_its_menu(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    card = await bot.card_for(anna)
    telegram.press(anna, card, "Approve")
    await bot.settle()
    before = card.labels
    assert "🔗 Shelf" in before
    telegram.press(anna, card, "Redo")
    await telegram.until(lambda: "Light grey" in card.labels)
    assert "🔗 Shelf" in card.labels
    telegram.press(anna, card, "Back")
    await telegram.until(lambda: card.labels == before)


async def test_an_old_press_is_no_error(
    bot: TelegramBot, telegram: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await bot.member("Anna")
    card = await bot.card_for(anna)
    press = telegram.press(anna, card, "Approve")
    press.is_old = True
    await bot.settle()
    await telegram.until(lambda: telegram.calls_of("answerCallbackQuery"))
    assert "too old" in telegram.calls_of("answerCallbackQuery")[0].answer
    assert "Live" in card.text
    assert "not answered" not in caplog.text


async def test_a_press_on_a_message_telegram_no_longer_has_still_counts(
    bot: TelegramBot, telegram: TelegramServer
) -> None:
    anna = await bot.member("Anna")
    card = await bot.card_for(anna)
    gone = {"chat": {"id": anna.user_id, "type": "private"}, "message_id": card.message_id, "date": 0}
    data = card.key("Approve")["callback_data"]
    telegram.send_update(
        callback_query={"id": "1", "from": anna.json, "message": gone, "chat_instance": "1", "data": data}
    )
    await bot.settle()
    assert "Live" in card.text


async def test_a_press_from_nowhere_is_answered(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    press = telegram.press(anna, await bot.card_for(anna), "Approve")
    telegram.updates.clear()
    body = {"id": press.callback_id, "from": anna.json, "inline_message_id": "x", "chat_instance": "1", "data": "v1:approve:e1:1"}  # fmt: skip
    telegram.send_update(callback_query=body)
    await telegram.until(lambda: press.answer is not None)
    assert press.is_alert


@pytest.mark.parametrize("data", ["", "x", "v1:approve:e1", "v1:approve:e1:1|z", "v1:reject:e1:1|9pen", "v2:approve:e:1", "v1:fly:e:1"])  # fmt: skip
async def test_a_forged_button_is_one_sentence(bot: TelegramBot, telegram: TelegramServer, data: str) -> None:
    anna = await bot.member("Anna")
    card = await bot.card_for(anna)
    before = await bot.shop.everything()
    press = telegram.press(anna, card, data=data or " ")
    await telegram.until(lambda: press.answer is not None)
    await bot.settle()
    assert press.is_alert
    assert "I do not know that button" in (press.answer or "")
    assert await bot.shop.everything() == before
