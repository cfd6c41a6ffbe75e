"""The menu of ways to make a picture again, and the question before buyers see it."""

from __future__ import annotations

import pytest

from domain.picture import Finding, FindingCode, FindingLevel
from domain.recipe import Recipe
from domain.replies import Card
from domain.tokens import ENHANCEMENT_ID_CHARS, TOKEN_MAX_BYTES, Action, Token
from handlers.telegram.keyboards import (
    LABEL_MAX_CHARS,
    RECIPES,
    RECIPES_SHOWN,
    Kind,
    Pressed,
    Verb,
    chosen,
    menu_rows,
    read_data,
)
from handlers.words import LANGUAGES, Words
from tests.fakes.telegram import TelegramServer
from tests.telegram.bot import TelegramBot

SEVERAL = Finding(FindingCode.SEVERAL_OBJECTS, FindingLevel.WARNING, measured=2.0)
REDO = Token(Action.REDO, "e" * ENHANCEMENT_ID_CHARS, 999_999)


def menu(language: str = "en") -> list[tuple[str, str]]:
    rows = menu_rows(Pressed(str(REDO), Verb.MENU, Kind.LIVE_PREVIEW, Words(language)), REDO)
    return [(key.text, str(key.callback_data)) for row in rows for key in row]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_way_is_in_the_menu_and_every_press_means_its_own(language: str) -> None:
    assert sorted(RECIPES_SHOWN) == list(range(len(RECIPES)))
    by_label = dict(menu(language))
    for label, options in RECIPES:
        data = by_label[Words(language)(label)]
        assert len(data.encode()) <= TOKEN_MAX_BYTES
        assert chosen(read_data(data), REDO) == ("", options)
        assert Recipe().changed(options) is not None


def test_the_first_five_buttons_mean_what_they_meant() -> None:
    """Buttons live for months in a chat."""
    first = [chosen(read_data(f"{REDO}|{index}pen"), REDO)[1] for index in range(5)]
    assert first == [{"background": "white"}, {"background": "#eeeeee"}, {"shadow": "soft"}, {"shadow": "none"}, {}]


def test_everything_a_recipe_has_can_be_asked_for() -> None:
    named = {name for _, options in RECIPES for name in options}
    assert named == {"background", "shadow", "margin", "brightness", "white", "aspect", "scale", "thing"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("shops", [("Shelf",), ("A rather long shop name", "Another long shop name", "A third one")])
def test_a_yes_names_the_product_and_the_shops(language: str, shops: tuple[str, ...]) -> None:
    card = Card("e", 1, "MUG-01", "Blue mug", shops, "Anna")
    ((yes,), _) = menu_rows(Pressed(str(REDO), Verb.ASK, Kind.LIVE_PREVIEW, Words(language)), REDO, card=card)
    assert "MUG-01" in yes.text
    assert ("Shelf" if len(shops) == 1 else "3") in yes.text
    assert len(yes.text) <= LABEL_MAX_CHARS


@pytest.mark.parametrize(
    ("card", "are_offered"),
    [
        (Card("e", 1, "MUG-01", "Blue mug", (), "Anna"), False),
        (Card("e", 1, "MUG-01", "Blue mug", (), "Anna", findings=(SEVERAL,)), True),
        (Card("e", 2, "MUG-01", "Blue mug", (), "Anna"), True),
    ],
)
def test_which_of_several_things_is_asked_only_where_there_may_be_several(card: Card, *, are_offered: bool) -> None:
    rows = menu_rows(Pressed(str(REDO), Verb.MENU, Kind.LIVE_PREVIEW, Words("en")), REDO, card=card)
    labels = {key.text for row in rows for key in row}
    assert ({"Only the left thing", "Only the second thing", "All things"} <= labels) is are_offered
    assert {"White", "Original colours", "As it was"} <= labels


async def test_a_gradient_is_two_presses_away_and_words_say_the_rest(
    bot: TelegramBot, telegram: TelegramServer
) -> None:
    anna = await bot.member("Anna")
    card = await bot.card_for(anna)
    press = telegram.press(anna, card, "Redo")
    await telegram.until(lambda: "Gradient" in card.labels)
    assert press.answer == "Or answer this card in words: redo margin=8 brightness=+0.5 white=80x15"
    telegram.press(anna, card, "Gradient")
    await bot.settle()
    assert str(bot.shop.enhancer.made[-1][1].background) == "gradient"
