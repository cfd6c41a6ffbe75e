"""What a person says of the cut-out: this belongs to the product, that does not.

A hint is a place in the upright photo, a box or a single point, in ratios of its width and height. Typed, it is
in percent from the left and from the top: `10x20x30x40` is a box, `55x60` a point, `10x20x30x40+55x60` both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domain.errors import BadInput

MOST_HINTS = 16
"""More than that is a drawing, not a correction: the photo is better taken again."""

HintKind = Literal["keep", "remove"]
_NUMBER = r"\d{1,3}(?:\.\d{1,4})?\s*%?"
_PLACE = re.compile(rf"\s*({_NUMBER})\s*[,;x]\s*({_NUMBER})(?:\s*[,;x]\s*({_NUMBER})\s*[,;x]\s*({_NUMBER}))?\s*")
_DIGITS = 4
"""Of a ratio: a hundredth of a percent, less than a pixel of what people draw on."""


@dataclass(frozen=True, slots=True)
class Area:
    """A box in a photo, or a point where it has no extent: 0..1 from the left and from the top, upright."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def is_point(self) -> bool:
        """Whether it has no extent in either direction."""
        return self.left == self.right and self.top == self.bottom

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle, x and y."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @classmethod
    def parse(cls, word: str) -> Area:
        """Read `10x20x30x40` or `55x60`, in percent; the corners of a box in any order. Raises BadInput."""
        match = _PLACE.fullmatch(word.lower())
        if match is not None:
            corners = [_percent(part) for part in match.groups() if part is not None]
            x, y = corners[0::2], corners[1::2]
            if max(corners) <= 1:
                return cls(min(x), min(y), max(x), max(y))
        raise BadInput(
            "I do not know where “{word}” is: give a box in percent of the photo as left, top, right and bottom, "
            "like keep=10x20x30x40, or a point, like keep=55x60.",
            word=word,
        )

    def __str__(self) -> str:
        corners = (self.left, self.top) if self.is_point else (self.left, self.top, self.right, self.bottom)
        return "x".join(f"{corner * 100:.{_DIGITS - 2}f}".rstrip("0").rstrip(".") for corner in corners)


def _field(letter: int, row: int) -> Area:
    step = 1 / len(_LETTERS)
    return Area(letter * step, row * step, (letter + 1) * step, (row + 1) * step)


_LETTERS = "ABCD"
FIELDS: dict[str, Area] = {
    f"{name}{row + 1}": _field(letter, row) for row in range(len(_LETTERS)) for letter, name in enumerate(_LETTERS)
}
"""A photo in sixteen fields, for who cannot draw: the column's letter and the row, from the top left."""


@dataclass(frozen=True, slots=True)
class Hint:
    """One correction of the cut-out."""

    kind: HintKind
    area: Area


def hinted(hints: Sequence[Hint], kind: HintKind, word: str) -> tuple[Hint, ...]:
    """Return the hints with those of a word added last, since the last word counts; `none` drops this kind.

    Raises BadInput for what is no place, and for more than MOST_HINTS in all.
    """
    if word.strip().lower() == "none":
        return tuple(hint for hint in hints if hint.kind != kind)
    added = [Hint(kind, Area.parse(part)) for part in word.split("+")]
    result = tuple(dict.fromkeys([*(hint for hint in hints if hint not in added), *added]))
    if len(result) > MOST_HINTS:
        raise BadInput(
            "That makes {number} corrections of one cut-out, and {most} is the most: start over with "
            "`redo keep=none remove=none`, or retake the photo on a plainer background.",
            number=len(result),
            most=MOST_HINTS,
        )
    return result


def _percent(part: str) -> float:
    return round(float(part.rstrip("% ")) / 100, _DIGITS)
