"""How a picture shall look: what a person asks for (Recipe) and what a platform wants (PictureRules)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from domain.catalog import PlatformName, Sha256
from domain.errors import BadInput

_HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
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
    """The shadow under the product."""

    NONE = "none"
    CONTACT = "contact"
    SOFT = "soft"


@dataclass(frozen=True, slots=True)
class Background:
    """A plain colour, nothing at all, or a backdrop picture from the media storage."""

    kind: Literal["colour", "transparent", "photo"]
    rgb: tuple[int, int, int] = (255, 255, 255)
    photo: Sha256 | None = None

    @classmethod
    def parse(cls, word: str) -> Background:
        """Read `white`, `transparent`, `#eee`, `#RRGGBB` or a colour word. Raises BadInput."""
        text = word.strip().lower()
        if text == "white":
            return WHITE
        if text == "transparent":
            return TRANSPARENT
        if text in _NAMED_COLOURS:
            return cls("colour", _NAMED_COLOURS[text])
        if match := _HEX.fullmatch(text):
            digits = match[1] if len(match[1]) == 6 else "".join(char * 2 for char in match[1])
            return cls("colour", (int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)))
        words = ", ".join(sorted(_NAMED_COLOURS))
        raise BadInput(
            f"I do not know the background “{word}”: use white, transparent, {words} or a colour like #eeeeee."
        )

    def __str__(self) -> str:
        if self.kind == "colour":
            return "white" if self == WHITE else "#{:02x}{:02x}{:02x}".format(*self.rgb)
        return self.kind


WHITE = Background("colour")
TRANSPARENT = Background("transparent")


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


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a person asked for. None means: as the platform wants it."""

    background: Background | None = None
    shadow: Shadow | None = None
    engine: str = "auto"

    def changed(self, options: Mapping[str, str]) -> Recipe:
        """Return this recipe with `background=`, `shadow=` or `engine=` changed. Raises BadInput."""
        recipe = self
        for name, word in options.items():
            if name == "background":
                recipe = replace(recipe, background=Background.parse(word))
            elif name == "shadow":
                recipe = replace(recipe, shadow=parse_shadow(word))
            elif name == "engine":
                recipe = replace(recipe, engine=parse_engine(word))
            else:
                raise BadInput(f"I do not know the option “{name}”: use background=, shadow= or engine=.")
        return recipe


def parse_shadow(word: str) -> Shadow:
    """Read `none`, `contact` or `soft`. Raises BadInput."""
    try:
        return Shadow(word.strip().lower())
    except ValueError:
        raise BadInput(f"I do not know the shadow “{word}”: use none, contact or soft.") from None


def parse_engine(word: str) -> str:
    """Read `auto`, `builtin` or `rembg:MODEL`. Raises BadInput; whether a model is there shows later."""
    text = word.strip().lower()
    if text in {"auto", "builtin"} or re.fullmatch(r"rembg:[a-z0-9][a-z0-9-]{0,40}", text):
        return text
    raise BadInput(f"I do not know the engine “{word}”: use auto, builtin or rembg:MODEL, for example rembg:u2netp.")


RulesByPlatform = Mapping[PlatformName, PictureRules]
