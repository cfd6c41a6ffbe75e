"""What a team's stock looks like ahead: every SKU with its forecast and its level, from the ledger and the surveys.

Used by the digest, by `low` and by `why`. `look` reads (no store is asked), the arithmetic runs in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from domain.alert_rows import DayUnits, Goods
from domain.alerts import RECENT_DAYS, AlertState, Level, level_of
from domain.catalog import Sku
from domain.forecast import LEAD_DAYS, REVIEW_DAYS, WINDOW_DAYS, Demand, Forecast, Forecasts, forecast
from domain.ports import Reading
from domain.stock import DayOfSku, SkuFacts

Spells = Mapping[str, Sequence[tuple[date, date | None]]]
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Prospect:
    """One SKU. `was` is the state that is kept of it, None while it is OK and loud.

    `lost_per_day` is what a day costs: rate x price x the chance of running out before a delivery could be there.
    """

    sku: Sku
    product_key: str
    title: str
    variant: str
    supplier: str
    price: Decimal
    currency: str
    forecast: Forecast
    level: Level
    was: AlertState | None
    sold_lately: int
    """How many were sold within RECENT_DAYS, and today."""
    lost_per_day: Decimal

    @property
    def is_recent(self) -> bool:
        """Whether somebody has bought it lately."""
        return self.sold_lately > 0

    def state(self, now: datetime) -> AlertState:
        """Return its state as it is now; a snooze that is over is gone."""
        before = self.was or AlertState(self.sku, Level.OK, now)
        snooze = before.snooze
        if snooze is not None and not snooze.holds(self.forecast.on_hand, now):
            before = AlertState(before.sku, before.level, before.since)
        return before.moved(self.level, now)

    def is_quiet(self, now: datetime) -> bool:
        """Whether somebody wants to hear nothing of it."""
        return (
            self.was is not None and self.was.snooze is not None and self.was.snooze.holds(self.forecast.on_hand, now)
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What `look` read, before any arithmetic; SKUs are those somebody counts."""

    today: date
    goods: Mapping[str, Goods]
    on_hand: Mapping[str, int]
    known: Mapping[str, SkuFacts]
    sold: DayUnits
    out: Spells
    ledger_days: Mapping[str, Sequence[DayOfSku]] = field(default_factory=dict)
    states: Mapping[str, AlertState] = field(default_factory=dict)


async def look(rows: Reading, team_id: str, now: datetime) -> Sequence[Prospect]:
    """Return every SKU of which a store or the ledger says how many there are, by key."""
    facts = await read_facts(rows, team_id, now)
    return await asyncio.to_thread(prospects, facts)


async def read_facts(rows: Reading, team_id: str, now: datetime) -> Facts:
    """Read what the forecast rests on; the ledger's number goes before the stores' where somebody counted."""
    today = now.astimezone(UTC).date()
    since = today - timedelta(days=WINDOW_DAYS)
    goods = await rows.alerts.goods(team_id)
    known = await rows.stock.facts(team_id)
    counted = {key for key, facts in known.items() if facts.counted_at is not None}
    return Facts(
        today,
        goods,
        await _on_hand(rows, team_id, goods, counted),
        known,
        await rows.alerts.sold_days(team_id, since=since),
        await rows.alerts.out_days(team_id, since=since),
        await rows.stock.days(team_id, None, since=since) if counted else {},
        await rows.alerts.states(team_id),
    )


async def count_now(rows: Reading, team_id: str) -> Mapping[str, int]:
    """Return how many there are of every SKU that somebody counts, without looking ahead."""
    known = await rows.stock.facts(team_id)
    counted = {key for key, facts in known.items() if facts.counted_at is not None}
    return await _on_hand(rows, team_id, await rows.alerts.goods(team_id), counted)


async def _on_hand(
    rows: Reading, team_id: str, goods: Mapping[str, Goods], counted: Collection[str]
) -> Mapping[str, int]:
    """Return the ledger's numbers where it has counted, elsewhere the stores' less what was sold since they were read."""
    sold_since = await rows.alerts.sold_after_read(team_id)
    found = {key: one.quantity - sold_since.get(key, 0) for key, one in goods.items() if one.quantity is not None}
    if counted:
        found |= {key: left for key, left in (await rows.stock.on_hand(team_id)).items() if key in counted}
    return found


def prospects(facts: Facts) -> Sequence[Prospect]:
    """Return the SKUs of `facts.on_hand` with forecast and level, by key."""
    keys = sorted(facts.on_hand)
    if not keys:
        return ()
    demand = _demand(facts, keys)
    told = forecast(demand)
    today = np.array([facts.sold.get(key, {}).get(facts.today, 0) for key in keys])
    lately = demand.sold[:, -RECENT_DAYS:].sum(axis=1) + today
    return [_prospect(facts, key, row, told, sold_lately=int(lately[row])) for row, key in enumerate(keys)]


def _prospect(facts: Facts, key: str, row: int, told: Forecasts, *, sold_lately: int) -> Prospect:
    one, goods, known, was = told.of(row), facts.goods.get(key), facts.known.get(key), facts.states.get(key)
    level = level_of(one, was.level if was else Level.OK)
    price = goods.price if goods else Decimal(0)
    lost = (Decimal(str(round(one.rate * one.risk, 6))) * price).quantize(_CENT) if one.units else Decimal(0)
    sku = goods.sku if goods else known.sku if known else Sku(key)
    return Prospect(
        sku,
        goods.product_key if goods else key,
        goods.title if goods else sku.value,
        goods.variant if goods else "",
        known.supplier if known else "",
        price,
        goods.currency if goods else "",
        one,
        level,
        was,
        sold_lately,
        lost,
    )


def _demand(facts: Facts, keys: Sequence[str]) -> Demand:
    """Lay the days out as arrays, yesterday last."""
    first = (facts.today - timedelta(days=WINDOW_DAYS)).toordinal()
    sold = np.zeros((len(keys), WINDOW_DAYS))
    in_stock = np.ones(sold.shape, bool)
    on_hand = np.array([facts.on_hand[key] for key in keys], np.int64)
    for row, key in enumerate(keys):
        for day, units in facts.sold.get(key, {}).items():
            if 0 <= (column := day.toordinal() - first) < WINDOW_DAYS:
                sold[row, column] = units
        goods = facts.goods.get(key)
        if goods is not None and goods.new_since is not None:
            in_stock[row, : max(0, goods.new_since.toordinal() - first)] = False
        for start, end in facts.out.get(key, ()):
            last = WINDOW_DAYS if end is None else max(0, end.toordinal() - first)
            in_stock[row, max(0, start.toordinal() - first) : last] = False
    _lay_ledger(facts, keys, first, sold, in_stock)
    known = [facts.known.get(key) for key in keys]

    def said(name: str, default: int, least: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        values = [getattr(one, name) if one is not None else None for one in known]
        return np.array([default if value is None else max(least, value) for value in values], np.int64)

    return Demand(
        sold,
        in_stock,
        on_hand,
        said("lead_days", LEAD_DAYS, 0),
        said("review_days", REVIEW_DAYS, 0),
        said("pack", 1, 1),
    )


def _lay_ledger(
    facts: Facts,
    keys: Sequence[str],
    first: int,
    sold: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    in_stock: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
) -> None:
    """Put in what the ledger knows, which is exact: from the day of the first count on what was there at each day's end."""
    for row, key in enumerate(keys):
        known = facts.known.get(key)
        if known is None or known.counted_at is None:
            continue
        net = np.zeros(WINDOW_DAYS + 1)  # today's movements too: they stand between now and yesterday's end
        for one in facts.ledger_days.get(key, ()):
            if 0 <= (column := one.day.toordinal() - first) <= WINDOW_DAYS:
                net[column] = one.net
                if column < WINDOW_DAYS:
                    sold[row, column] = max(sold[row, column], one.sold)
        after = np.concatenate([np.cumsum(net[::-1])[::-1][1:], [0.0]])
        at_end = facts.on_hand[key] - after
        was_there = (at_end > 0) | (at_end - net > 0)
        start = max(0, known.counted_at.astimezone(UTC).date().toordinal() - first)
        in_stock[row, start:] = was_there[start:WINDOW_DAYS]
