"""How a picture shall look: what a person asks for (Recipe) and what a platform wants (PictureRules)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from domain.catalog import PlatformName, Sha256
from domain.errors import BadInput
from domain.hint import Hint, hinted

_HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_SPOT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%?\s*[,;x]\s*(\d{1,3}(?:\.\d+)?)\s*%?")
_STOPS = re.compile(r"([+-]?\d(?:[.,]\d+)?)(?:\s*(?:stops?|ev))?")
_PERCENT = re.compile(r"(\d{1,2}(?:[.,]\d+)?)\s*%?")
MOST_MARGIN_PERCENT = 40.0
MOST_BRIGHTNESS_STOPS = 2.0
LEAST_SCALE_PERCENT, MOST_SCALE_PERCENT = 5.0, 5000.0
_SCALE = re.compile(r"(\d{1,4}(?:[.,]\d+)?)\s*%?")
_NAMED_COLOURS = {
    "black": (0, 0, 0),
    "grey": (238, 238, 238),
    "gray": (238, 238, 238),
    "cream": (250, 245, 235),
    "beige": (240, 230, 215),
    "blue": (225, 235, 245),
    "pink": (250, 230, 235),
    "green": (230, 242, 232),
}
"""Words a seller types; pale on purpose, since they stand behind a product."""


class Shadow(StrEnum):
    """What the ground under the product shows."""

    NONE = "none"
    CONTACT = "contact"
    SOFT = "soft"
    REFLECTION = "reflection"


@dataclass(frozen=True, slots=True)
class Background:
    """A plain colour, nothing at all, a backdrop picture from the media storage, or a studio's soft sweep."""

    kind: Literal["colour", "transparent", "photo", "gradient"]
    rgb: tuple[int, int, int] = (255, 255, 255)
    photo: Sha256 | None = None

    @classmethod
    def parse(cls, word: str) -> Background:
        """Read `white`, `transparent`, `gradient`, `#eee`, `#RRGGBB` or a colour word. Raises BadInput."""
        text = word.strip().lower()
        if text == "white":
            return WHITE
        if text == "transparent":
            return TRANSPARENT
        if text == "gradient":
            return GRADIENT
        if text in _NAMED_COLOURS:
            return cls("colour", _NAMED_COLOURS[text])
        if match := _HEX.fullmatch(text):
            digits = match[1] if len(match[1]) == 6 else "".join(char * 2 for char in match[1])
            return cls("colour", (int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)))
        words = ", ".join(sorted(_NAMED_COLOURS))
        raise BadInput(
            "I do not know the background “{word}”: use white, transparent, gradient, {colours} or a colour "
            "like #eeeeee.",
            word=word,
            colours=words,
        )

    def __str__(self) -> str:
        if self.kind == "colour":
            return "white" if self == WHITE else "#{:02x}{:02x}{:02x}".format(*self.rgb)
        return self.kind


WHITE = Background("colour")
TRANSPARENT = Background("transparent")
GRADIENT = Background("gradient")


@dataclass(frozen=True, slots=True)
class WhiteFrom:
    """Where the light's colour is judged: by what is there (auto), nowhere (off), or at a spot a person names.

    `x_ratio` and `y_ratio` (0..1, from the left and the top of the upright photo) belong to a spot.
    """

    kind: Literal["auto", "off", "spot"] = "auto"
    x_ratio: float = 0.0
    y_ratio: float = 0.0

    @classmethod
    def parse(cls, word: str) -> WhiteFrom:
        """Read `auto`, `off` or `XxY` in percent of the photo: `80x15` is near the top right. Raises BadInput."""
        text = word.strip().lower()
        if text == "auto":
            return cls()
        if text == "off":
            return cls("off")
        if match := _SPOT.fullmatch(text):
            x_percent, y_percent = float(match[1]), float(match[2])
            if max(x_percent, y_percent) <= 100:
                return cls("spot", x_percent / 100, y_percent / 100)
        raise BadInput(
            "I do not know what “white={word}” means: use auto, off, or where the photo shows something white or "
            "grey, in percent from the left and from the top, like white=80x15.",
            word=word,
        )

    def __str__(self) -> str:
        return f"{self.x_ratio * 100:g}x{self.y_ratio * 100:g}" if self.kind == "spot" else self.kind


@dataclass(frozen=True, slots=True)
class PictureRules:
    """What one platform wants of its main picture; the constants live in `platforms/*/picture.py`.

    `fill` is the long side of the product's box ÷ the canvas; `fill_least` the least that passes.
    `shadow_allowed` False drops a shadow that was asked for, with a finding.
    """

    name: str
    size_px: tuple[int, int]
    background: Background
    fill: float
    fill_least: float
    shadow: Shadow
    shadow_allowed: bool = True
    format: Literal["jpeg", "png"] = "jpeg"
    max_bytes: int = 20_000_000
    keep_frame: bool = False
    """Keep the photo's own frame and size (`--for original`); `size_px` and `fill` are then unused."""
    only_white: bool = False
    """The platform refuses any background but pure white (Amazon's main image)."""
    scale_percent: float | None = None
    """For one photo: the scale at which another picture of its product stands there; None says nothing."""


Aspect = Literal["1:1", "4:3", "3:4"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a person asked for. None means: as the platform wants it, or as the photo needs it.

    Every field has a default, so that rows written before it was there still read.
    """

    background: Background | None = None
    shadow: Shadow | None = None
    engine: str = "auto"
    margin_percent: float | None = None
    """Room on each side of the product's longer side ÷ the canvas; 8 means that it fills 84 %."""
    brightness_stops: float | None = None
    """How much brighter than photographed, in stops; 0 leaves the light alone, None lets it be judged."""
    white: WhiteFrom = WhiteFrom()
    aspect: Aspect | None = None
    """The picture's shape, its longer side as the platform wants it; None is the platform's own."""
    scale_percent: float | None = None
    """The whole photo's longer side ÷ the picture's shorter one: the same for photos from one distance, None fills the frame."""
    scale_as_sku: bool | None = None
    """Drawn at the scale of the product's first picture; None was not asked, and follows the pictures before it."""
    thing: int | None = None
    """Which of several separate things is the product, 1 the leftmost; None keeps them together."""
    hints: tuple[Hint, ...] = ()
    """Corrections of the cut-out, in the order they were said; each redo adds its own."""

    def changed(self, options: Mapping[str, str]) -> Recipe:
        """Return this recipe with the options of `_READERS` changed. Raises BadInput."""
        recipe = self
        for name, word in options.items():
            if name not in _READERS:
                known = ", ".join(f"{each}=" for each in _READERS)
                raise BadInput("I do not know the option “{name}”: I know {known}.", name=name, known=known)
            recipe = _READERS[name](recipe, word)
        return recipe


def parse_shadow(word: str) -> Shadow:
    """Read `none`, `contact`, `soft` or `reflection`. Raises BadInput."""
    try:
        return Shadow(word.strip().lower())
    except ValueError:
        raise BadInput("I do not know the shadow “{word}”: use none, contact, soft or reflection.", word=word) from None


def parse_engine(word: str) -> str:
    """Read `auto`, `builtin` or `rembg:MODEL`. Raises BadInput; whether a model is there shows later."""
    text = word.strip().lower()
    if text in {"auto", "builtin"} or re.fullmatch(r"rembg:[a-z0-9][a-z0-9-]{0,40}", text):
        return text
    raise BadInput(
        "I do not know the engine “{word}”: use auto, builtin or rembg:MODEL, for example rembg:u2netp.", word=word
    )


def parse_margin(word: str) -> float | None:
    """Read `auto` (None) or a percentage from 0 to 40: `8`, `7.5%`. Raises BadInput."""
    text = word.strip().lower()
    if text == "auto":
        return None
    if (match := _PERCENT.fullmatch(text)) and (percent := _number(match[1])) <= MOST_MARGIN_PERCENT:
        return percent
    raise BadInput(
        "I do not know the margin “{word}”: use auto or the percentage on each side, from 0 to {most}, like margin=8.",
        word=word,
        most=round(MOST_MARGIN_PERCENT),
    )


def parse_brightness(word: str) -> float | None:
    """Read `auto` (None) or stops from −2 to +2: `+0.5`, `-1`. Raises BadInput."""
    text = word.strip().lower().replace("−", "-")
    if text == "auto":
        return None
    if (match := _STOPS.fullmatch(text)) and abs(stops := _number(match[1])) <= MOST_BRIGHTNESS_STOPS:
        return stops
    raise BadInput(
        "I do not know the brightness “{word}”: use auto, 0 to leave the light as photographed, or stops from "
        "-{most} to +{most}, like brightness=+0.5.",
        word=word,
        most=round(MOST_BRIGHTNESS_STOPS),
    )


def parse_aspect(word: str) -> Aspect | None:
    """Read `auto` (None), `1:1`, `4:3` or `3:4`. Raises BadInput."""
    shapes: dict[str, Aspect | None] = {"auto": None, "1:1": "1:1", "square": "1:1", "4:3": "4:3", "3:4": "3:4"}
    text = word.strip().lower()
    if text not in shapes:
        raise BadInput("I do not know the shape “{word}”: use aspect=auto, 1:1, 4:3 or 3:4.", word=word)
    return shapes[text]


def scaled_as(recipe: Recipe, word: str) -> Recipe:
    """Read `auto`, `sku`, or a percentage as the finding of an earlier picture says it. Raises BadInput."""
    text = word.strip().lower()
    if text in {"auto", "sku"}:
        return replace(recipe, scale_percent=None, scale_as_sku=text == "sku")
    match = _SCALE.fullmatch(text)
    if match and LEAST_SCALE_PERCENT <= (percent := _number(match[1])) <= MOST_SCALE_PERCENT:
        return replace(recipe, scale_percent=percent, scale_as_sku=False)
    raise BadInput(
        "I do not know the scale “{word}”: use auto, sku for the scale of the product's first picture, or the "
        "percentage that I said of an earlier picture, like scale=140.",
        word=word,
    )


def parse_thing(word: str) -> int | None:
    """Read `all` (None) or the number of a thing from the left. Raises BadInput; whether it is there shows later."""
    text = word.strip().lower()
    if text in {"all", "auto"}:
        return None
    if text in set("123456789"):
        return int(text)
    raise BadInput(
        "I do not know the thing “{word}”: use all, or its number from the left in the photo, like thing=2.", word=word
    )


def _number(text: str) -> float:
    return float(text.replace(",", "."))


_READERS: dict[str, Callable[[Recipe, str], Recipe]] = {
    "background": lambda recipe, word: replace(recipe, background=Background.parse(word)),
    "shadow": lambda recipe, word: replace(recipe, shadow=parse_shadow(word)),
    "margin": lambda recipe, word: replace(recipe, margin_percent=parse_margin(word)),
    "brightness": lambda recipe, word: replace(recipe, brightness_stops=parse_brightness(word)),
    "white": lambda recipe, word: replace(recipe, white=WhiteFrom.parse(word)),
    "aspect": lambda recipe, word: replace(recipe, aspect=parse_aspect(word)),
    "scale": scaled_as,
    "thing": lambda recipe, word: replace(recipe, thing=parse_thing(word)),
    "keep": lambda recipe, word: replace(recipe, hints=hinted(recipe.hints, "keep", word)),
    "remove": lambda recipe, word: replace(recipe, hints=hinted(recipe.hints, "remove", word)),
    "engine": lambda recipe, word: replace(recipe, engine=parse_engine(word)),
}
"""Every option a person may type, by its name."""


RulesByPlatform = Mapping[PlatformName, PictureRules]
