"""The rows of the command table about stock that people write themselves: what is there, what came, and why."""

from __future__ import annotations

import re
from typing import Final, TypeVar

from domain.catalog import Sku
from domain.errors import BadInput
from domain.intents import Intent
from domain.people import Role
from domain.stock import MovementKind, Quantity
from domain.stock_intents import CountedLine, ImportGoods, ShowLow, ShowStock, UndoStock, WhyStock, WriteStock
from handlers.command import MAX_SKUS_AT_ONCE, Command, Words

_WRITES: Final = {"set": MovementKind.COUNTED, "count": MovementKind.COUNTED, "add": MovementKind.ADDED}
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
MOST_DAYS: Final = 365
T = TypeVar("T")


def _read_stock(words: Words) -> Intent:
    if not words.plain:
        raise BadInput("Which product? Write its SKU: `stock MUG-01`; `low` lists what runs out.")
    verb, rest = words.plain[0].lower(), words.plain[1:]
    if verb == "undo" and len(rest) == 1:
        return UndoStock(Sku(rest[0]))
    if verb in _WRITES and rest:
        return WriteStock(_WRITES[verb], _lines(rest, may_fall=verb == "add", usage=f"stock {verb} MUG-01 12"))
    return ShowStock(_few(tuple(dict.fromkeys(Sku(word) for word in words.plain))))


def _read_received(words: Words) -> Intent:
    return WriteStock(MovementKind.RECEIVED, _lines(words.plain, may_fall=False, usage="received 20 MUG-01"))


def _lines(words: tuple[str, ...], *, may_fall: bool, usage: str) -> tuple[CountedLine, ...]:
    """Read pairs of SKU and number, in either order: `20 MUG-01 5 TEE-02` as well as `MUG-01 20`."""
    if not words or len(words) % 2:
        raise BadInput("I need a SKU and a number: `{usage}`.", usage=usage)
    lines: dict[str, CountedLine] = {}
    for first, second in zip(words[::2], words[1::2], strict=True):
        # `2024 20` names the SKU first, as every other command does.
        number, sku = (first, second) if _NUMBER.fullmatch(first) and not _NUMBER.fullmatch(second) else (second, first)
        line = CountedLine(Sku(sku), _number(number, may_fall=may_fall))
        if line.sku.key in lines:
            raise BadInput("{sku} is there twice: which number is right?", sku=sku)
        lines[line.sku.key] = line
    return _few(tuple(lines.values()))


def _number(word: str, *, may_fall: bool) -> int:
    if may_fall and word.startswith("-"):
        return -Quantity.read(word[1:]).value
    return Quantity.read(word).value


def _few(items: tuple[T, ...]) -> tuple[T, ...]:
    if len(items) > MAX_SKUS_AT_ONCE:
        raise BadInput(
            "That is {number} products, and I take {most} at once: send them in parts, or a CSV with `import`.",
            number=len(items),
            most=MAX_SKUS_AT_ONCE,
        )
    return items


def _read_low(words: Words) -> Intent:
    days = words.options.get("days")
    if days is not None and (not days.isdecimal() or not 1 <= int(days) <= MOST_DAYS):
        raise BadInput("Days are a number from 1 to {most}: `low days=14`.", most=MOST_DAYS)
    return ShowLow(int(days) if days else None, words.options.get("supplier", words.text))


def _read_why(words: Words) -> Intent:
    sku = words.first_sku()
    if sku is None:
        raise BadInput("Which product? Write its SKU: `why MUG-01`.")
    return WhyStock(sku)


STOCK_COMMANDS: tuple[Command, ...] = (
    Command(
        "stock",
        Role.VIEWER,
        "stock SKU… · stock set|add|count SKU n · stock undo SKU",
        "How many are there on every store; or say it yourself",
        "stock MUG-01",
        _read_stock,
    ),
    Command("received", Role.APPROVER, "received n SKU…", "Goods came in", "received 20 MUG-01", _read_received),
    Command(
        "low", Role.VIEWER, "low [days=… supplier=…]", "What runs out next, and what to order", "low days=14", _read_low
    ),
    Command("why", Role.VIEWER, "why SKU", "Where a stock number comes from", "why MUG-01", _read_why),
    Command(
        "import",
        Role.ADMIN,
        "import (with a CSV file)",
        "Take suppliers, lead times, packs and first counts from a table",
        "import",
        lambda words: ImportGoods(),
    ),
)
