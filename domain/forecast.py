"""How fast things sell, when they run out, and how many to order: for all SKUs of a shop at once.

Demand is a count per day. Its rate is units sold over days in stock, newer days weighing more; what sells rarely is
pulled towards the shop's usual rate (Gamma-Poisson). What may come is a negative binomial around it, as wide as the
day-to-day scatter, the uncertainty of the rate, and its drift together make it. `benchmarks/forecast.py` prints how
often that was true on demand of a known kind; the sentences are in domain/forecast_words.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from domain.negative_binomial import Floats, Ints, cdf, quantile

WINDOW_DAYS: Final = 56
HALF_LIFE_DAYS: Final = 14.0
SERVICE: Final = 0.95
"""In so many of a hundred cases what is left at the reorder point lasts until the delivery and the next look."""
EARLY, LATE = 0.5, 0.9
"""The chances of having run out by the first and by the second date of the range."""
LEAD_DAYS: Final = 14
REVIEW_DAYS: Final = 7
"""Where nobody said how long a delivery takes, and how often somebody looks: two weeks, and every week."""
HORIZON_DAYS: Final = 365
"""What lasts a year has no date."""

SLOW_UNITS: Final = 10.0
"""What sold fewer in the window is mixed with the shop's usual rate, the less the more it sold."""
PRIOR_UNITS: Final = 0.5
"""How much the shop's usual rate weighs: as much as having seen half a unit sold at it."""
SPREAD_DAYS: Final = 3.0
"""How much the shop's usual scatter weighs against a SKU's own, in days with a sale."""
MOST_SPREAD: Final = 40.0
DRIFT_PER_DAY: Final = 0.03
"""How far a rate wanders: its standard deviation after one day, as a share of itself; it grows with the square root
of the days. Set so that seasonal demand keeps to its range (benchmarks/forecast.py)."""
LEAST_RATE: Final = 1e-4

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Demand:
    """What is known, a row a SKU: arrays of (skus, days) with yesterday last, and of (skus,).

    `sold` are units a day ≥ 0, `in_stock` whether any could be sold that day (a day before the product existed:
    False), `on_hand` what is there now, `lead_days`, `review_days` and `pack` are ≥ 0, ≥ 0 and ≥ 1.
    """

    sold: Floats
    in_stock: Bools
    on_hand: Ints
    lead_days: Ints
    review_days: Ints
    pack: Ints


@dataclass(frozen=True, slots=True)
class Forecast:
    """One SKU. Days are counted from today (0); None: not within a year. Units where nothing else is said."""

    rate: float
    """Units a day while in stock."""
    units: int
    days_in_stock: int
    window_days: int
    shop_rate: float
    is_slow: bool
    """Whether the shop's usual rate was mixed in."""
    on_hand: int
    lead_days: int
    review_days: int
    pack: int
    reorder_point: int
    order: int
    """How many to order now: 0 while more is there than the reorder point."""
    out_early: int | None
    """By this day it has run out with a chance of one half."""
    out_late: int | None
    """By this day with a chance of nine in ten."""
    risk: float
    """The chance of running out before a delivery ordered today is there, 0.0-1.0."""

    @property
    def cover_days(self) -> float | None:
        """Return how many days the stock lasts at this rate, None where nothing sells."""
        return max(0, self.on_hand) / self.rate if self.rate > LEAST_RATE else None


@dataclass(frozen=True, slots=True)
class Forecasts:
    """All SKUs, arrays of (skus,); days that are not within a year are -1. `spread` is variance over mean a day."""

    demand: Demand
    rate: Floats
    spread: Floats
    days_seen: Floats
    """How many days the rate rests on, once the older ones count less."""
    shop_rate: float
    units: Ints
    days_in_stock: Ints
    is_slow: Bools
    reorder_point: Ints
    order: Ints
    out_early: Ints
    out_late: Ints
    risk: Floats

    def chance_gone(self, days: Ints) -> Floats:
        """Return how likely each SKU's stock is gone by the end of that many days (≥ 0), 0.0-1.0."""
        least = np.maximum(self.demand.on_hand, 0) - 1
        return 1.0 - cdf(least, *_ahead(self.rate, self.spread, self.days_seen, np.asarray(days, np.float64)))

    def of(self, row: int) -> Forecast:
        """Return one SKU's."""
        demand = self.demand
        return Forecast(
            rate=float(self.rate[row]),
            units=int(self.units[row]),
            days_in_stock=int(self.days_in_stock[row]),
            window_days=int(demand.sold.shape[1]),
            shop_rate=self.shop_rate,
            is_slow=bool(self.is_slow[row]),
            on_hand=int(demand.on_hand[row]),
            lead_days=int(demand.lead_days[row]),
            review_days=int(demand.review_days[row]),
            pack=int(demand.pack[row]),
            reorder_point=int(self.reorder_point[row]),
            order=int(self.order[row]),
            out_early=_day(self.out_early[row]),
            out_late=_day(self.out_late[row]),
            risk=float(self.risk[row]),
        )


def _day(day: np.int64) -> int | None:
    return None if day < 0 else int(day)


def forecast(demand: Demand) -> Forecasts:
    """Return what to expect of every SKU; 10,000 take about a second."""
    rates = _rates(demand)
    rate, spread, days_seen = rates.rate, rates.spread, rates.days_seen

    def ahead(days: Ints | Floats) -> tuple[Floats, Floats]:
        return _ahead(rate, spread, days_seen, np.asarray(days, np.float64))

    until_look = demand.lead_days + demand.review_days
    reorder_point = np.where(rate > LEAST_RATE, quantile(SERVICE, *ahead(until_look)), 0)
    on_hand = np.maximum(demand.on_hand, 0)
    missing = reorder_point + np.ceil(rate * demand.review_days).astype(np.int64) - demand.on_hand
    packs = -(-np.maximum(missing, 0) // demand.pack)
    order = np.where((demand.on_hand <= reorder_point) & (reorder_point > 0), packs * demand.pack, 0)
    risk = np.where(on_hand > 0, 1.0 - cdf(on_hand - 1, *ahead(demand.lead_days)), 1.0)
    early, late = _runs_out((EARLY, LATE), on_hand, rate, spread, days_seen)
    return Forecasts(
        demand,
        rate,
        spread,
        days_seen,
        rates.shop_rate,
        rates.units,
        rates.days_in_stock,
        rates.is_slow,
        np.asarray(reorder_point, np.int64),
        np.asarray(order, np.int64),
        early,
        late,
        risk,
    )


@dataclass(frozen=True, slots=True)
class _Rates:
    rate: Floats
    spread: Floats
    days_seen: Floats
    shop_rate: float
    units: Ints
    days_in_stock: Ints
    is_slow: Bools


def _rates(demand: Demand) -> _Rates:
    """Weigh the window, newest day most; a day out of stock says nothing about demand."""
    sold = demand.sold
    counts = demand.in_stock | (sold > 0)
    age = np.arange(sold.shape[1] - 1, -1, -1)
    weight = 0.5 ** (age / HALF_LIFE_DAYS) * counts
    exposure = weight.sum(axis=1)
    units = (weight * sold).sum(axis=1)
    plain_units = (sold * counts).sum(axis=1)
    raw = units / np.maximum(exposure, 1e-9)

    seen = counts.any(axis=1)
    sells = plain_units > 0
    shop_rate = max(float(np.median(raw[sells])) if sells.any() else 0.0, LEAST_RATE * 10)
    pull = np.clip(1.0 - plain_units / SLOW_UNITS, 0.0, 1.0)
    prior_units, prior_days = PRIOR_UNITS * pull, PRIOR_UNITS * pull / shop_rate
    rate = (prior_units + units) / np.maximum(prior_days + exposure, 1e-9)

    scatter = (weight * (sold - raw[:, None]) ** 2).sum(axis=1) / np.maximum(exposure, 1e-9)
    own = np.where(raw > 0, scatter / np.maximum(raw, 1e-9), 1.0)
    busy = ((sold > 0) & counts).sum(axis=1)
    # A rate that differs from day to day scatters more the higher it is (a negative binomial's variance over mean is
    # 1 + rate / shape): so it is the shape that SKUs have in common, not the scatter.
    told = busy * (np.clip(own, 1.0, MOST_SPREAD) - 1.0) / np.maximum(raw, 1e-9)
    usual = 1.0 + rate * (float(told[busy > 0].sum() / busy.sum()) if busy.any() else 0.0)
    spread = np.clip((SPREAD_DAYS * usual + busy * own) / (SPREAD_DAYS + busy), 1.0, MOST_SPREAD)

    # As many equal days as would leave a mean equally uncertain (Kish), and what the prior adds.
    days_seen = exposure**2 / np.maximum((weight**2).sum(axis=1), 1e-9) + prior_days
    return _Rates(
        rate,
        spread,
        np.maximum(days_seen, 1.0),
        shop_rate,
        plain_units.astype(np.int64),
        counts.sum(axis=1).astype(np.int64),
        (pull > 0) & seen,
    )


def _ahead(rate: Floats, spread: Floats, days_seen: Floats, days: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of the units asked for in the next `days`.

    Scatter grows with the days, the uncertainty of the rate with their square, and its drift with their cube.
    """
    mean = rate * days
    variance = spread * mean * (1.0 + days / days_seen) + DRIFT_PER_DAY**2 * days * mean**2
    return mean, variance


def _runs_out(
    chances: Sequence[float], on_hand: Ints, rate: Floats, spread: Floats, days_seen: Floats
) -> Sequence[Ints]:
    """Return for each chance the first day by whose end the stock is gone with it, from today on; -1: not in a year."""
    times = len(chances)
    wanted = np.repeat(np.array(chances), on_hand.size)
    # All at once: a small shop's time is spent on calls, not on numbers.
    left, fast = np.tile(on_hand, times), np.tile(rate, times)
    wide, known = np.tile(spread, times), np.tile(days_seen, times)
    low, high = np.zeros(left.shape), np.full(left.shape, float(HORIZON_DAYS + 1))
    while np.any(high - low > 1.0):
        middle = np.floor((low + high) / 2.0)
        gone = 1.0 - cdf(left - 1, *_ahead(fast, wide, known, middle)) >= wanted
        high, low = np.where(gone, middle, high), np.where(gone, low, middle)
    days = np.where(left <= 0, 0.0, high)
    found = np.where((days > HORIZON_DAYS) | ((fast <= LEAST_RATE) & (left > 0)), -1, days).astype(np.int64)
    return np.split(found, times)
