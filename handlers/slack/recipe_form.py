"""The fields of a form that ask how a picture shall look, and what their answers mean as options."""

from __future__ import annotations

from domain.errors import BadInput
from domain.recipe import Recipe
from handlers.slack.blocks import Block, option, plain_text
from handlers.slack.fields import View, WrongAnswer, radio, text_input, value_of
from handlers.words import Words, text

OWN, SUITS = "own", "suits"
"""Choices that are no value of an option: the field below says it, and nobody says it."""

_BACKGROUNDS = (
    ("white", text("White")),
    ("#eeeeee", text("Light grey")),
    ("gradient", text("Gradient")),
    ("transparent", text("None")),
)
_SHADOWS = (
    ("none", text("None")),
    ("contact", text("Contact")),
    ("soft", text("Soft")),
    ("reflection", text("Reflection")),
)
_BRIGHTNESS = (
    ("0", text("Original light")),
    ("-0.5", text("Darker")),
    ("+0.5", text("Brighter")),
    ("+1", text("Much brighter")),
)
_ASPECTS = (
    ("auto", text("As the shop wants it")),
    ("1:1", text("Square")),
    ("4:3", text("Landscape, 4:3")),
    ("3:4", text("Portrait, 3:4")),
)
_WHITES = (("off", text("Original colours")), ("auto", text("As it suits the photo")))
_CHOSEN = ("background", "shadow", "brightness", "aspect")
_TYPED = ("margin", "white", "scale", "thing")
"""Options that are typed as in a command, and read by the same rules."""


def recipe_blocks(words: Words, *, unsaid: str) -> list[Block]:
    """Return the fields; `unsaid` is what leaving one alone means, in words."""
    nothing = option(unsaid, SUITS)

    def choice(name: str, label: str, choices: tuple[tuple[str, str], ...], *more: dict[str, object]) -> Block:
        said = [option(words(each), value) for value, each in choices]
        return radio(name, label, [nothing, *said, *more], SUITS)

    colour = text_input("colour", words("Own colour"), chars=32, is_optional=True)
    colour["element"]["placeholder"] = plain_text("#dfe7ee", 150)
    margin = text_input("margin", words("Room on each side, in percent"), chars=16, is_optional=True)
    margin["element"]["placeholder"] = plain_text("8", 150)
    white = text_input("white", words("Where the photo shows something white or grey"), chars=16, is_optional=True)
    white["element"]["placeholder"] = plain_text("80x15", 150)
    white["hint"] = plain_text(words("In percent from the left and from the top: 80x15 is near the top right."), 2000)
    scale = text_input("scale", words("Scale"), chars=16, is_optional=True)
    scale["element"]["placeholder"] = plain_text("sku", 150)
    scale["hint"] = plain_text(
        words("sku: as this product's first picture; auto: as it fills the frame; or the number I said of one."), 2000
    )
    thing = text_input("thing", words("Which of several things"), chars=16, is_optional=True)
    thing["element"]["placeholder"] = plain_text("1", 150)
    thing["hint"] = plain_text(words("1 is the leftmost; all keeps them together."), 2000)
    return [
        choice("background", words("Background"), _BACKGROUNDS, option(words("Own colour"), OWN)),
        colour,
        choice("shadow", words("Shadow"), _SHADOWS),
        margin,
        choice("aspect", words("Shape"), _ASPECTS),
        scale,
        thing,
        choice("brightness", words("Brightness"), _BRIGHTNESS),
        choice("colours", words("Colours"), _WHITES),
        white,
    ]


def read_recipe(view: View, words: Words) -> dict[str, str]:
    """Return the options as chosen. Raises WrongAnswer under the field whose words nobody understands."""
    chosen = {name: value_of(view, name) for name in _CHOSEN}
    options = {name: value for name, value in chosen.items() if value not in {"", SUITS, OWN}}
    own = value_of(view, "colour")
    if chosen["background"] == OWN and not own:
        raise WrongAnswer("colour", words("Write a colour, for example #dfe7ee."))
    if own:
        options["background"] = own
        _check(words, "colour", "background", own)
    if (colours := value_of(view, "colours")) not in {"", SUITS}:
        options["white"] = colours
    for name in _TYPED:
        if typed := value_of(view, name):
            options[name] = typed
            _check(words, name, name, typed)
    return options


def _check(words: Words, block_id: str, name: str, typed: str) -> None:
    try:
        Recipe().changed({name: typed})
    except BadInput as error:
        raise WrongAnswer(block_id, words.sentence(error.sentence)) from error
