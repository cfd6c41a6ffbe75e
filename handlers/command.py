"""What a row of the command table is, and what it reads. The rows stand in `handlers/commands.py` and beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.catalog import Sku
from domain.intents import Intent
from domain.people import Role

MAX_SKUS_AT_ONCE = 20
"""One message may start twenty pictures or counts; more is a slip of the paste buffer."""


@dataclass(frozen=True, slots=True)
class Words:
    """What followed the command's name, sorted: plain words, `on STORE…`, `name=value`."""

    plain: tuple[str, ...]
    stores: tuple[str, ...]
    options: Mapping[str, str]

    @property
    def text(self) -> str:
        """The plain words as one text."""
        return " ".join(self.plain)

    def first_sku(self) -> Sku | None:
        """Return the first word as a SKU, None when there is none. Raises BadInput."""
        return Sku(self.plain[0]) if self.plain else None


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table."""

    name: str
    needs: Role
    usage: str
    meaning: str
    example: str
    read: Callable[[Words], Intent]
