"""Corrections in Telegram: words under a card, the grid to tap, and the versions side by side."""

from __future__ import annotations

from domain.hint import FIELDS
from domain.people import Role
from tests.fakes.telegram import TelegramServer
from tests.fakes.telegram_chats import Message, Person
from tests.handlers.shop import PHOTO
from tests.handlers.test_corrections import LEFT, RIGHT, found, hints_of
from tests.telegram.bot import TelegramBot


async def _card(bot: TelegramBot, telegram: TelegramServer, *, finds: int = 2) -> tuple[Person, Message]:
    bot.shop.enhancer.findings = found(*(LEFT, RIGHT)[:finds])
    anna = await bot.member("Anna")
    return anna, await bot.card_for(anna)


async def _question(bot: TelegramBot, telegram: TelegramServer) -> tuple[Person, Message, Message]:
    anna, card = await _card(bot, telegram)
    telegram.press(anna, card, "Redo")
    await telegram.until(lambda: "➕ Keep a part…" in card.labels)
    telegram.press(anna, card, "Keep a part")
    await bot.settle()
    return anna, card, telegram.shown(anna)[-1]


async def test_words_under_a_card_bring_the_part_back(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna, card = await _card(bot, telegram, finds=1)
    telegram.say(anna, "keep the handle", reply_to=card)
    await bot.settle()
    assert hints_of(bot.shop) == [f"keep {LEFT}"]
    assert telegram.shown(anna) == [card], "the card itself shows the new version"
    assert "🖼 Compare versions" in card.labels


async def test_the_grid_lies_as_the_photo_does_and_a_tap_answers(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna, card, question = await _question(bot, telegram)
    assert question.photo is not None
    rows = question.keyboard
    assert [key["text"] for key in rows[0]] == ["Part 1", "Part 2"]
    assert [[key["text"] for key in row] for row in rows[1:5]] == [
        [f"{letter}{number}" for letter in "ABCD"] for number in range(1, 5)
    ]
    assert [key["text"] for key in rows[5]] == ["➖ Remove a part…"]
    press = telegram.press(anna, question, "B3")
    await bot.settle()
    await telegram.until(lambda: press.answer is not None)
    assert hints_of(bot.shop) == [f"keep {FIELDS['B3']}"]
    assert "Your decision" in card.text


async def test_the_other_question_is_one_tap_away(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna, _, question = await _question(bot, telegram)
    telegram.press(anna, question, "Remove a part")
    await bot.settle()
    other = telegram.shown(anna)[-1]
    assert "does not belong" in other.text
    telegram.press(anna, other, "A1")
    await bot.settle()
    assert hints_of(bot.shop) == [f"remove {FIELDS['A1']}"]


async def test_a_second_tap_on_an_old_grid_changes_nothing(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna, _, question = await _question(bot, telegram)
    for label in ("Part 1", "Part 2"):
        telegram.press(anna, question, label)
        await bot.settle()
    assert hints_of(bot.shop) == [f"keep {LEFT}"]
    assert "older card" in telegram.shown(anna)[-1].text


async def test_a_viewer_hears_at_the_press_that_they_may_not(bot: TelegramBot, telegram: TelegramServer) -> None:
    _anna, _, question = await _question(bot, telegram)
    vera = await bot.member("Vera", Role.VIEWER)
    press = telegram.press(vera, question, "Part 1")
    await telegram.until(lambda: press.answer is not None)
    await bot.settle()
    assert press.is_alert
    assert len(bot.shop.enhancer.made) == 1


async def test_the_versions_are_one_picture_side_by_side(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna, card, question = await _question(bot, telegram)
    telegram.press(anna, question, "Part 1")
    await bot.settle()
    telegram.press(anna, card, "Compare versions")
    await bot.settle()
    compared = telegram.shown(anna)[-1]
    assert "side by side" in compared.text
    assert compared.photo is not None
    assert "Version 2: 1 part kept" in compared.text


async def test_a_german_is_asked_in_german(bot: TelegramBot, telegram: TelegramServer) -> None:
    bot.shop.enhancer.findings = found(LEFT, RIGHT)
    anna = await bot.member("Anna", language="de")
    telegram.send_photo(anna, PHOTO, "MUG-01")
    await bot.settle()
    (card,) = telegram.shown(anna)
    telegram.say(anna, "Griff behalten", reply_to=card)
    await bot.settle()
    question = telegram.shown(anna)[-1]
    assert "Welchen Teil von" in question.text
    assert "Teil 1" in question.labels
