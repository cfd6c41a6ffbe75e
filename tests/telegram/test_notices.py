"""What is said under a card in Telegram, refusals in the reader's language, and files that hide what they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.retention import look_after_previews
from domain.people import Place
from tests.fakes.telegram import TelegramServer
from tests.handlers.shop import ROOM
from tests.telegram.bot import TelegramBot

KEPT = timedelta(days=90)


async def test_a_reminder_answers_the_card_and_comes_once(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    card = await bot.card_for(anna)
    for _ in range(2):
        bot.shop.clock.now += KEPT - timedelta(days=1)
        await look_after_previews(bot.shop.database, bot.shop.desk, kept=KEPT)
        await bot.deliver()
        bot.shop.clock.now -= KEPT - timedelta(days=3)
    (sent,) = [call for call in telegram.calls if "still waits for a decision" in str(call.params)]
    assert str(card.message_id) in str(sent.params["reply_parameters"])
    assert "true" in str(sent.params["reply_parameters"]).lower(), "it arrives where the card was deleted, too"


async def test_who_asked_in_telegram_hears_what_was_decided_in_another_chat(
    bot: TelegramBot, telegram: TelegramServer
) -> None:
    anna = await bot.member("Anna")
    card = await bot.card_for(anna)
    token = card.key("Reject")["callback_data"].partition("|")[0]
    await bot.shop.take("too <b>dark</b>", token=token, by="april", place=Place(ROOM.chat, ROOM.place_id))
    await bot.run_jobs()
    await bot.deliver()
    told = telegram.shown(anna)[-1]
    assert told.text == "ℹ️ april rejected your picture of Blue mug (MUG-01). “too <b>dark</b>”"


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("product NIX-99", "Kein Shop führt die SKU NIX-99."),
        ("settings language=tlh", "„tlh“ spreche ich noch nicht"),
        ("invite admin", "Einladen braucht die Rolle"),
    ],
)
async def test_a_german_is_refused_in_german(
    bot: TelegramBot, telegram: TelegramServer, words: str, refusal: str
) -> None:
    anna = await bot.member("Anna", language="de")
    telegram.say(anna, words)
    await bot.settle()
    assert refusal in telegram.shown(anna)[-1].text


async def test_an_alert_on_a_press_speaks_german_too(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna", language="de")
    card = await bot.card_for(anna)
    token = card.key("Freigeben")["callback_data"]
    telegram.press(anna, card, "Freigeben")
    await bot.settle()
    late = telegram.press(anna, card, data=token)
    await bot.settle()
    assert late.answer == "MUG-01 wurde bereits freigegeben (von Anna); die Karte ist jetzt aktuell."
