"""When a SKU is worth an alert, what of it was told where, and when a digest is due. Pure rules; rows: alert_rows.py.

A level goes up as soon as the stock says so and comes down only with some room, so that a single sale or return does
not flap. What was told in a place stays told for two days, unless it got worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from domain.catalog import Sku
from domain.forecast import LEAST_RATE, Forecast
from domain.people import Place

COOL_DOWN: Final = timedelta(hours=48)
"""What was told is told again only after so long, unless it is worse by now."""
ROOM: Final = 1.2
"""How far above a level's bound the stock must be before the level is left again."""
RECENT_DAYS: Final = 14
"""Sold within so many days: its running out is said at once."""
DEFAULT_TIME: Final = time(8, 0)


class Level(StrEnum):
    """How near a SKU is to running out; the spelling is in rows."""

    OK = "ok"
    WATCH = "watch"
    """Will be low before somebody looks again."""
    LOW = "low"
    """At or below the reorder point: order now."""
    CRITICAL = "critical"
    """More likely than not gone before a delivery ordered today is there."""
    OUT = "out"

    @property
    def rank(self) -> int:
        """Return how bad it is: 0 for OK."""
        return list(Level).index(self)


TOLD: Final = frozenset({Level.LOW, Level.CRITICAL, Level.OUT})
"""What a digest speaks of; WATCH is in the table only."""


def level_of(told: Forecast, was: Level) -> Level:
    """Return the level that follows `was`: worse at once, better only with room."""
    now = _plain_level(told, told.on_hand)
    if now.rank >= was.rank or was is Level.OUT:
        return now
    # Less than there is by the room that is asked for, and never rounded away.
    with_room = _plain_level(told, min(told.on_hand - 1, int(told.on_hand / ROOM)))
    return min(max(now, with_room, key=lambda level: level.rank), was, key=lambda level: level.rank)


def _plain_level(told: Forecast, on_hand: int) -> Level:
    if told.on_hand <= 0:
        return Level.OUT
    if told.rate <= LEAST_RATE or told.units == 0:
        return Level.OK  # what nobody buys is not low, however few there are
    if on_hand <= told.rate * told.lead_days:
        return Level.CRITICAL
    if on_hand <= told.reorder_point:
        return Level.LOW
    if on_hand <= told.reorder_point + told.rate * told.review_days:
        return Level.WATCH
    return Level.OK


# ---------------------------------------------------------------- quiet for a while


class Quiet(StrEnum):
    """How long a SKU is not spoken of."""

    UNTIL = "until"
    """To a moment."""
    RESTOCK = "restock"
    """Until some come in."""
    ORDERED = "ordered"
    """Until the delivery should be there, or comes in before."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Somebody knows. `on_hand` is what was there then, `until` is None for RESTOCK."""

    kind: Quiet
    until: datetime | None
    on_hand: int
    by: str

    def holds(self, on_hand: int, now: datetime) -> bool:
        """Whether it is still quiet: its time is not over, and nothing has come in where that ends it."""
        if self.until is not None and now >= self.until:
            return False
        return self.kind is Quiet.UNTIL or on_hand <= max(self.on_hand, 0)


@dataclass(frozen=True, slots=True)
class AlertState:
    """One SKU of a team: its level since when, and whether it is quiet. A SKU without a row is OK."""

    sku: Sku
    level: Level
    since: datetime
    snooze: Snooze | None = None

    def moved(self, level: Level, now: datetime) -> AlertState:
        """Return it at a level; `since` changes only with the level."""
        return self if level is self.level else replace(self, level=level, since=now)


@dataclass(frozen=True, slots=True)
class Told:
    """What a place last heard of a SKU, and when."""

    level: Level
    at: datetime


def is_news(level: Level, told: Told | None, now: datetime) -> bool:
    """Whether a place should hear of a level: it is bad or was, differs from what was told, and is not flapping."""
    was = told.level if told is not None else Level.OK
    if level is was or (level not in TOLD and was not in TOLD):
        return False
    if told is None or level.rank > was.rank:
        return True
    return now - told.at >= COOL_DOWN


# ---------------------------------------------------------------- the place and its time


@dataclass(frozen=True, slots=True)
class AlertPlace:
    """A place that wants the digest. `since`: when it was turned on, or its time last changed.

    `timezone` is an IANA name, what holds in the place; `wall_time` what its clock says when the digest is due.
    """

    team_id: str
    place: Place
    is_on: bool
    wall_time: time
    timezone: str
    since: datetime
    by: str = ""


def due_at(day: date, wall_time: time, timezone: str) -> datetime:
    """Return the moment at which the clock of a zone says this: of two in autumn the first, in a gap of spring just after it."""
    return datetime.combine(day, wall_time, tzinfo=ZoneInfo(timezone)).astimezone(ZoneInfo("UTC"))


def latest_due(place: AlertPlace, now: datetime) -> date | None:
    """Return the newest date whose digest should be there by `now`; of missed days only this one is sent.

    None where the place was turned on after it.
    """
    today = now.astimezone(ZoneInfo(place.timezone)).date()
    day = today if now >= due_at(today, place.wall_time, place.timezone) else today - timedelta(days=1)
    return day if due_at(day, place.wall_time, place.timezone) >= place.since else None


def next_due(place: AlertPlace, now: datetime) -> datetime:
    """Return when the next digest comes."""
    today = now.astimezone(ZoneInfo(place.timezone)).date()
    moment = due_at(today, place.wall_time, place.timezone)
    return moment if moment > now else due_at(today + timedelta(days=1), place.wall_time, place.timezone)


Levels = Mapping[str, AlertState]
"""By `Sku.key`."""
