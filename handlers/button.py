"""What a button is; which ones a reply has stands in `handlers/buttons.py` and beside the subjects' faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Style = Literal["primary", "danger", "plain"]
Asks = Literal["", "confirm", "reason", "recipe", "part"]


@dataclass(frozen=True, slots=True)
class Button:
    """`asks` is what a page should ask for before the press: a yes, a reason (text), a recipe (options).

    `part`: the press itself is answered with the parts to choose from.
    """

    label: str
    token: str
    style: Style = "plain"
    asks: Asks = ""
