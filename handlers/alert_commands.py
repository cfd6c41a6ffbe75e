"""The rows of the command table about alerts: when they come, and to be quiet about a product."""

from __future__ import annotations

import re
from datetime import time
from typing import Final

from domain.alert_intents import DigestNow, SetAlerts, SnoozeSku
from domain.catalog import Sku
from domain.errors import BadInput
from domain.intents import Intent
from domain.people import Role
from handlers.command import Command, Words

_TIME: Final = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm|uhr)?", re.IGNORECASE)
_DAYS: Final = re.compile(r"(\d{1,3})\s*(?:d|days?|tage?)?", re.IGNORECASE)
MOST_DAYS: Final = 90


def read_time(text: str) -> time:
    """Read `8`, `8:00`, `08.30`, `7pm`. Raises BadInput."""
    match = _TIME.fullmatch(text.strip())
    if match is not None:
        hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").lower()
        if half in {"am", "pm"}:
            hour = hour % 12 + (12 if half == "pm" else 0) if 1 <= hour <= 12 else 24
        if hour < 24 and minute < 60:
            return time(hour, minute)
    raise BadInput("I do not know the time “{word}”: write it like `alerts at 8:00`.", word=text[:20])


def _read_alerts(words: Words) -> Intent:
    # `on` with something before it begins a list of stores for the parser: `alerts at 8:00 on`.
    rest = [*words.plain, *(("on", *words.stores) if words.stores else ())]
    is_on: bool | None = None
    wall_time: time | None = None
    timezone = words.options.get("tz", words.options.get("timezone", ""))
    if "at" in words.options:
        wall_time = read_time(words.options["at"])
    if [word.lower() for word in rest] == ["now"]:
        return DigestNow()
    while rest:
        word = rest.pop(0)
        match word.lower():
            case "on" | "off":
                is_on = word.lower() == "on"
            case "at" if rest:
                wall_time = read_time(rest.pop(0))
            case "tz" | "timezone" | "zone" if rest:
                timezone = rest.pop(0)
            case _:
                raise BadInput(
                    "I do not know “{word}” here: it is `alerts on`, `alerts off`, `alerts at 8:00`, "
                    "`alerts tz Europe/Berlin` or `alerts now`.",
                    word=word[:40],
                )
    return SetAlerts(is_on, wall_time, timezone)


def _read_snooze(words: Words) -> Intent:
    sku = words.first_sku()
    if sku is None:
        raise BadInput("Which product? Write its SKU: `snooze MUG-01 7d`, or `snooze MUG-01 restock`.")
    said = " ".join(words.plain[1:]).lower()
    if said in {"restock", "until restock"}:
        return SnoozeSku(sku, "restock")
    if said == "off":
        return SnoozeSku(sku, "off")
    match = _DAYS.fullmatch(said or "1d")
    if match is None or not 1 <= int(match[1]) <= MOST_DAYS:
        raise BadInput(
            "Quiet for how long? `snooze {sku} 1d`, `snooze {sku} 7d` (up to {most}), `snooze {sku} restock` or "
            "`snooze {sku} off`.",
            sku=sku.value,
            most=MOST_DAYS,
        )
    return SnoozeSku(sku, "days", int(match[1]))


def _read_ordered(words: Words) -> Intent:
    if not words.plain:
        raise BadInput("Which product? Write its SKU, and when it comes: `ordered MUG-01 2026-12-03`.")
    day = words.options.get("eta", " ".join(words.plain[1:]))
    return SnoozeSku(Sku(words.plain[0]), "ordered", day=day.strip())


ALERT_COMMANDS: tuple[Command, ...] = (
    Command(
        "alerts",
        Role.VIEWER,
        "alerts [on|off|now] [at 8:00] [tz Europe/Berlin]",
        "A message each morning with what sold, what runs out and what waits; `alerts now` shows it at once",
        "alerts now",
        _read_alerts,
    ),
    Command(
        "snooze",
        Role.EDITOR,
        "snooze SKU 1d|7d|restock|off",
        "Say nothing of a product for some days, or until it is there again",
        "snooze MUG-01 7d",
        _read_snooze,
    ),
    Command(
        "ordered",
        Role.EDITOR,
        "ordered SKU [day]",
        "Say nothing of a product until its delivery should be there",
        "ordered MUG-01 2026-12-03",
        _read_ordered,
    ),
)
