"""How often the forecast was right, on demand whose truth is known: `python -m benchmarks.forecast [--skus N]`.

Every SKU lives its own life of a known kind; on its last day the forecast is asked, and then the life goes on, so
that the day on which the stock really runs out, and what is really sold until a delivery is there, are known.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

from domain.forecast import HORIZON_DAYS, WINDOW_DAYS, Demand, Floats, Forecasts, Ints, forecast

KINDS = ("steady", "fast", "seasonal", "intermittent", "dead", "new")


@dataclass(frozen=True, slots=True)
class Shop:
    """Generated demand: `future` is (skus, days), the first day today; `kind` an index into KINDS."""

    demand: Demand
    future: Floats
    kind: Ints


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares of SKUs: run out by the first date, by the second, between both; and served from the reorder point.

    `promised` is what the forecast itself gives the first three: more than one half, nine tenths and what is between,
    since a date is a whole day, and whatever runs out on it has run out by it.
    """

    kind: str
    skus: int
    by_early: float
    by_late: float
    between: float
    served: float
    promised: tuple[float, float, float]


def generate(skus: int, seed: int) -> Shop:
    """Make a shop in which every kind has its share, some days out of stock, and stocks from none to months."""
    rng = np.random.default_rng(seed)
    past, ahead = WINDOW_DAYS, HORIZON_DAYS
    days = np.arange(-past, ahead)
    kind = np.arange(skus) % len(KINDS)
    base = np.where(kind == 1, rng.lognormal(1.8, 0.7, skus), rng.lognormal(-0.7, 0.8, skus))
    week = 1.0 + 0.35 * np.sin(2 * np.pi * (days[None, :] + rng.integers(0, 7, skus)[:, None]) / 7)
    level = base[:, None] * week
    swing = 0.6 * np.sin(2 * np.pi * (days[None, :] / 182.0 + rng.random(skus)[:, None]))
    level = np.where((kind == 2)[:, None], level * (1.0 + swing), level)
    size = rng.uniform(1.5, 6.0, skus)[:, None]
    bursts = rng.random((skus, days.size)) < level / size * 0.5
    lumps = np.where(bursts, rng.poisson(size, (skus, days.size)), 0)
    # Day-to-day scatter beyond a Poisson's, as real shops have it: a Gamma of mean 1 on the rate of each day.
    scatter = rng.gamma(2.0, 0.5, (skus, days.size))
    units = np.where((kind == 3)[:, None], lumps, rng.poisson(level * scatter)).astype(np.float64)
    units[kind == 4] = 0.0
    in_stock = rng.random((skus, past)) > 0.03
    age = np.where(kind == 5, rng.integers(3, 15, skus), past)
    in_stock &= np.arange(past)[None, :] >= (past - age)[:, None]
    cover = rng.uniform(0.0, 60.0, skus)
    on_hand = np.ceil(np.maximum(base, 0.05) * cover + rng.integers(0, 3, skus)).astype(np.int64)
    lead = rng.integers(3, 22, skus)
    demand = Demand(units[:, :past] * in_stock, in_stock, on_hand, lead, np.full(skus, 7), rng.choice([1, 6, 12], skus))
    return Shop(demand, units[:, past:], kind)


def coverage(shop: Shop, told: Forecasts) -> list[Coverage]:
    """Return one line a kind, and one of all that sell."""
    total = np.cumsum(shop.future, axis=1)
    gone = total >= shop.demand.on_hand[:, None]
    ran_out = np.where(shop.demand.on_hand <= 0, 0, np.where(gone.any(axis=1), gone.argmax(axis=1) + 1, 10**6))
    never = 10**6 - 1
    early = np.where(told.out_early < 0, never, told.out_early)
    late = np.where(told.out_late < 0, never, told.out_late)
    until = shop.demand.lead_days + shop.demand.review_days
    asked = np.take_along_axis(total, until[:, None] - 1, axis=1)[:, 0]
    is_there = shop.demand.on_hand > 0
    chance_early, chance_late = (
        np.where(found < 0, np.nan, told.chance_gone(np.maximum(found, 0))) for found in (told.out_early, told.out_late)
    )
    before_early = told.chance_gone(np.maximum(told.out_early - 1, 0))
    lines = []
    for name, mask in [(name, shop.kind == number) for number, name in enumerate(KINDS)] + [
        ("all that sell", shop.kind != KINDS.index("dead"))
    ]:
        some = mask & is_there
        lines.append(
            Coverage(
                name,
                int(some.sum()),
                float((ran_out <= early)[some].mean()),
                float((ran_out <= late)[some].mean()),
                float(((ran_out >= early) & (ran_out <= late))[some].mean()),
                float((asked <= told.reorder_point)[mask].mean()),
                (_mean(chance_early[some]), _mean(chance_late[some]), _mean((chance_late - before_early)[some])),
            )
        )
    return lines


def _mean(shares: Floats) -> float:
    known = shares[~np.isnan(shares)]
    return float(known.mean()) if known.size else float("nan")


def main() -> None:
    """Print the table, and how long 10,000 SKUs take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skus", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    shop = generate(asked.skus, asked.seed)
    began = time.perf_counter()
    told = forecast(shop.demand)
    took_s = time.perf_counter() - began
    print(f"{asked.skus} SKUs, 56 days behind, 365 ahead, seed {asked.seed}; forecast took {took_s:.2f} s")
    print("Shares that ran out by the first date, by the second, and between them: as promised > as it was;")
    print("and served: the reorder point lasted until the delivery and the next look (wanted 0.95)")
    print(f"{'':14}{'SKUs':>6}{'by p50':>16}{'by p90':>16}{'p50-p90':>16}{'served':>9}")
    for line in coverage(shop, told):
        was = (line.by_early, line.by_late, line.between)
        pairs = "".join(f"{promised:>8.3f} > {real:.3f}" for promised, real in zip(line.promised, was, strict=True))
        print(f"{line.kind:14}{line.skus:>6}{pairs}{line.served:>9.3f}")


if __name__ == "__main__":
    main()
