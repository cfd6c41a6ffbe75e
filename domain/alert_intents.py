"""What a person can ask about alerts: when they come, and to be quiet about a product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from domain.catalog import Sku


@dataclass(frozen=True, slots=True)
class AlertAsked:
    """What all of them are, so that the door hands them on in one line."""


@dataclass(frozen=True, slots=True)
class SetAlerts(AlertAsked):
    """`alerts`, `alerts on|off|at 8:00|tz Europe/Berlin`: what is None stays as it is, all None only shows it."""

    is_on: bool | None = None
    wall_time: time | None = None
    timezone: str = ""
    """As it was typed."""


@dataclass(frozen=True, slots=True)
class DigestNow(AlertAsked):
    """`alerts now`: the digest as it would be this minute."""


@dataclass(frozen=True, slots=True)
class SnoozeSku(AlertAsked):
    """`snooze SKU 1d|7d|restock|off`, `ordered SKU [day]`: `how` is `days`, `restock`, `ordered` or `off`.

    `day` is how the delivery's day was typed, empty for the usual one.
    """

    sku: Sku
    how: str
    days: int = 0
    day: str = ""


AlertIntent = SetAlerts | DigestNow | SnoozeSku
