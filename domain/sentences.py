"""Sentences for people that remember what they were made of, so that a chat can say them in its reader's language.

The ground knows no language but English. A `Sentence` is its English text, and a text wherever one is wanted; the
chats look its template up (`handlers/words.py`) and put the values in after translating.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

Value = str | int | float
"""What may stand in a sentence. One that is a Sentence itself (a role, "Approving") is translated too."""


class Sentence(str):
    """One English sentence, with its `template` and the `values` of the template's `{name}`s."""

    template: str
    values: Mapping[str, Value]

    def __new__(cls, template: str, /, **values: Value) -> Self:
        """Fill the template; without values it is said as it stands, braces and all."""
        sentence = super().__new__(cls, template.format(**values) if values else template)
        sentence.template = template
        sentence.values = values
        return sentence

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        """Copy as it was made; `str` alone would copy the English text for a template."""
        return (self.template,), dict(self.values)
