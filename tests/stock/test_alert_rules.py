"""The rules of alerts, without a database: levels and their room, what is news, quiet, and when a digest is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from domain.alerts import (
    COOL_DOWN,
    AlertPlace,
    AlertState,
    Level,
    Quiet,
    Snooze,
    Told,
    due_at,
    is_news,
    latest_due,
    level_of,
    next_due,
)
from domain.catalog import Sku
from domain.errors import BadInput
from domain.forecast import WINDOW_DAYS, Demand, Forecast, Forecasts, forecast
from domain.people import ChatName, Place
from handlers.alert_commands import read_time
from handlers.alerts import read_day

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@cache
def shop(a_day: float) -> Forecasts:
    """Steady products with a lead time of 14 days, looked at weekly: of row N there are N."""
    rows = 201
    one = np.ones(rows, np.int64)
    sold = np.full((rows, WINDOW_DAYS), a_day)
    return forecast(Demand(sold, np.ones(sold.shape, bool), np.arange(rows), one * 14, one * 7, one))


def selling(on_hand: int, *, a_day: float = 2.0) -> Forecast:
    return shop(a_day).of(on_hand)


def levels_down_and_up() -> tuple[list[Level], list[Level]]:
    most = 120
    level, down, up = Level.OK, [], []
    for on_hand in range(most, -1, -1):
        level = level_of(selling(on_hand), level)
        down.append(level)
    for on_hand in range(most + 1):
        level = level_of(selling(on_hand), level)
        up.append(level)
    return down, up


def test_levels_come_one_after_the_other_and_go_the_same_way() -> None:
    down, up = levels_down_and_up()
    assert list(dict.fromkeys(down)) == list(Level)
    assert [level.rank for level in down] == sorted(level.rank for level in down)
    assert [level.rank for level in up] == sorted((level.rank for level in up), reverse=True)
    assert up[-1] is Level.OK


def test_a_level_is_left_with_room_only() -> None:
    """Between the bound and the room above it, what comes from below stays and what comes from above never was there."""
    down, up = levels_down_and_up()
    falling, rising = down[::-1], up  # both by on hand, 0 first
    slower = [on_hand for on_hand, level in enumerate(rising) if level.rank > falling[on_hand].rank]
    for bound in (Level.CRITICAL, Level.LOW, Level.WATCH):
        last = max(on_hand for on_hand, level in enumerate(falling) if level is bound)
        assert last + 1 in slower, bound
        assert level_of(selling(last + 1), bound) is bound
        assert level_of(selling(round(last * 1.3) + 2), bound).rank < bound.rank


def test_one_sale_and_one_return_do_not_flap() -> None:
    edge = max(on_hand for on_hand in range(200) if level_of(selling(on_hand), Level.OK) is Level.LOW)
    seen = []
    level = Level.OK
    for on_hand in [edge + 1, edge, edge + 1, edge, edge + 2, edge]:
        level = level_of(selling(on_hand), level)
        seen.append(level)
    assert seen[1:] == [Level.LOW] * 5


def test_what_nobody_buys_is_never_low() -> None:
    assert level_of(selling(1, a_day=0.0), Level.OK) is Level.OK
    assert level_of(selling(0, a_day=0.0), Level.OK) is Level.OUT


@pytest.mark.parametrize("was", list(Level))
@pytest.mark.parametrize("level", list(Level))
def test_news_is_worse_at_once_and_better_after_two_days(was: Level, level: Level) -> None:
    told = {Level.LOW, Level.CRITICAL, Level.OUT}
    speaks = level is not was and bool({level, was} & told)
    fresh, old = Told(was, NOW - timedelta(hours=47)), Told(was, NOW - COOL_DOWN)
    assert is_news(level, fresh, NOW) is (speaks and level.rank > was.rank)
    assert is_news(level, old, NOW) is speaks


def test_what_was_never_told_is_news_when_it_is_bad() -> None:
    assert [level for level in Level if is_news(level, None, NOW)] == [Level.LOW, Level.CRITICAL, Level.OUT]


def test_quiet_ends_with_its_time_or_with_what_comes_in() -> None:
    week = Snooze(Quiet.UNTIL, NOW + timedelta(days=7), 3, "edith")
    assert week.holds(3, NOW)
    assert week.holds(50, NOW)
    assert not week.holds(3, NOW + timedelta(days=7))
    restock = Snooze(Quiet.RESTOCK, None, 3, "edith")
    assert restock.holds(0, NOW + timedelta(days=300))
    assert not restock.holds(4, NOW)
    ordered = Snooze(Quiet.ORDERED, NOW + timedelta(days=9), -2, "edith")
    assert ordered.holds(0, NOW)
    assert not ordered.holds(24, NOW)
    assert not ordered.holds(0, NOW + timedelta(days=9))


def test_a_state_keeps_the_moment_at_which_its_level_began() -> None:
    state = AlertState(Sku("MUG-01"), Level.LOW, NOW)
    later = NOW + timedelta(days=1)
    assert state.moved(Level.LOW, later) is state
    assert state.moved(Level.OUT, later).since == later


# ---------------------------------------------------------------- when


def place(
    wall_time: time = time(8), zone: str = BERLIN, *, since: datetime = datetime(2026, 1, 1, tzinfo=UTC)
) -> AlertPlace:
    return AlertPlace(
        "team", Place(ChatName.CONSOLE, "room"), is_on=True, wall_time=wall_time, timezone=zone, since=since
    )


def test_a_digest_comes_at_eight_on_the_walls_clock_in_summer_and_winter() -> None:
    assert due_at(date(2026, 7, 1), time(8), BERLIN) == datetime(2026, 7, 1, 6, tzinfo=UTC)
    assert due_at(date(2026, 12, 1), time(8), BERLIN) == datetime(2026, 12, 1, 7, tzinfo=UTC)


def test_a_time_that_spring_leaves_out_is_kept_just_after_it() -> None:
    """On 29 March 2026 Berlin's clocks go from 2:00 to 3:00."""
    moment = due_at(date(2026, 3, 29), time(2, 30), BERLIN)
    assert moment.astimezone(ZoneInfo(BERLIN)).strftime("%H:%M") == "03:30"


def test_a_time_that_autumn_has_twice_counts_the_first_time() -> None:
    """On 25 October 2026 Berlin has 2:30 at 0:30 and at 1:30 UTC."""
    twice = place(time(2, 30))
    assert due_at(date(2026, 10, 25), time(2, 30), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    for minutes in (0, 60, 61):
        moment = datetime(2026, 10, 25, 0, 30, tzinfo=UTC) + timedelta(minutes=minutes)
        assert latest_due(twice, moment) == date(2026, 10, 25)


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"])
def test_every_minute_of_a_year_leads_to_one_digest_a_local_date(zone: str) -> None:
    """Walked in half hours over both changes of the clocks: dates come in order, none twice, none left out."""
    there = place(time(2, 30), zone, since=datetime(2025, 12, 1, tzinfo=UTC))
    said: list[date] = []
    for half_hours in range(48 * 365):
        day = latest_due(there, datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=30 * half_hours))
        if day is not None and (not said or day != said[-1]):
            said.append(day)
    first = said[0].toordinal()
    assert [day.toordinal() for day in said] == list(range(first, first + len(said)))
    assert len(said) in {365, 366}


def test_of_missed_days_only_the_latest_is_due() -> None:
    after_a_week = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
    assert latest_due(place(), after_a_week) == date(2026, 11, 24)
    early = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
    assert latest_due(place(), early) == date(2026, 11, 23)


def test_a_place_turned_on_at_noon_waits_for_the_next_morning() -> None:
    noon = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    fresh = place(since=noon)
    assert latest_due(fresh, noon) is None
    assert latest_due(fresh, noon + timedelta(hours=19, minutes=59)) is None
    assert latest_due(fresh, noon + timedelta(hours=20)) == date(2026, 11, 25)
    assert next_due(fresh, noon) == datetime(2026, 11, 25, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("8", time(8)),
        ("8:00", time(8)),
        ("08.30", time(8, 30)),
        ("7pm", time(19)),
        ("12am", time(0)),
        ("8 Uhr", time(8)),
    ],
)
def test_times_are_read_as_people_type_them(typed: str, meant: time) -> None:
    assert read_time(typed) == meant


@pytest.mark.parametrize("typed", ["", "25:00", "8:61", "13pm", "noon", "8:0"])
def test_what_is_no_time_is_refused_with_how_to_write_it(typed: str) -> None:
    with pytest.raises(BadInput, match="alerts at 8:00"):
        read_time(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-12-03", date(2026, 12, 3)),
        ("3 Dec", date(2026, 12, 3)),
        ("3.12.", date(2026, 12, 3)),
        ("3. Dezember", date(2026, 12, 3)),
        ("3 march", date(2027, 3, 3)),
        ("ETA 24 Nov", date(2026, 11, 24)),
    ],
)
def test_days_are_read_as_people_type_them(typed: str, meant: date) -> None:
    assert read_day(typed, date(2026, 11, 24)) == meant


@pytest.mark.parametrize("typed", ["soon", "31 Feb", "2026-11-23", "2029-01-01", "12/3"])
def test_what_is_no_day_to_come_is_refused(typed: str) -> None:
    with pytest.raises(BadInput, match=r"2026-12-03"):
        read_day(typed, date(2026, 11, 24))
