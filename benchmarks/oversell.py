"""28 simulated days of three stores whose webhooks come late, twice or never: `python benchmarks/oversell.py`.

Ours is the real ledger on SQLite with its real rules, driven as the sync drives it; beside it, on the same days, what
is mostly done. Prints per strategy how much was sold that was not there, how far the numbers are off once all is
quiet, and how many of a thousand SKU-days ended with a store offering more than there was. Exit 1 where an aim is
missed: drift 0, at most 0.2 oversold of 1,000 in a shared pool, none with a buffer or a split, and naive ones drift.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Protocol

from benchmarks.oversell_ledger import LedgerSync
from benchmarks.oversell_naive import Naive
from benchmarks.oversell_world import Scale, World
from storage.database import open_database
from storage.migrate import migrate

AIM_SHARED = 0.2


class Strategy(Protocol):
    """Something that keeps stores in step."""

    async def begin(self) -> None:
        """Begin, at the first moment."""
        ...

    async def rest(self) -> None:
        """Come to rest after the last buyer."""
        ...

    async def known(self) -> Sequence[int]:
        """Return what it believes to be on hand of each SKU."""
        ...


@dataclass(frozen=True, slots=True)
class Result:
    """How a strategy did, in units."""

    strategy: str
    sold: int
    oversold: int
    drift: int
    bad_days: int
    sku_days: int
    calls: int
    seconds: float

    @property
    def oversold_per_1000(self) -> float:
        """Return how many of 1,000 sold units were not there."""
        return 1_000 * self.oversold / max(1, self.sold)

    @property
    def bad_per_1000(self) -> float:
        """Return how many of 1,000 SKU-days ended with a store offering more than there was."""
        return 1_000 * self.bad_days / max(1, self.sku_days)


async def measure(name: str, world: World, strategy: Strategy) -> Result:
    """Live through the days, come to rest, and compare what is believed with what is true."""
    began = time.monotonic()
    await strategy.begin()
    await world.run(world.end_s + 1.0)
    # A webhook may be six hours late.
    await world.run(world.end_s + 8 * 3_600)
    await strategy.rest()
    known = await strategy.known()
    drift = sum(abs(believed - true) for believed, true in zip(known, world.shelves.on_hand, strict=True))
    shelves = world.shelves
    return Result(
        name,
        shelves.sold,
        shelves.oversold,
        drift,
        shelves.bad_days,
        shelves.sku_days,
        world.calls.total(),
        time.monotonic() - began,
    )


NAIVE = {
    "poll every 15 min, absolute writes": (False, True, False),
    "naive ±1 here, absolute there": (True, False, True),
    "dedupe, absolute to all": (True, True, False),
}
OURS = {
    "ledger, shared pool": (0, 0, AIM_SHARED),
    "ledger + buffer 1": (1, 0, 0.0),
    "ledger + split the last 3": (0, 3, 0.0),
}
"""Pieces kept back where a store only sets, from how many on the last are split, and how many of 1,000 may be oversold."""


def live(name: str, scale: Scale, seed: int) -> Result:
    """Live through the days with one strategy, in a process of its own."""
    world = World(scale, seed)
    if name in NAIVE:
        return asyncio.run(measure(name, world, Naive(world, *NAIVE[name])))
    return asyncio.run(_live_with_ledger(name, world))


async def _live_with_ledger(name: str, world: World) -> Result:
    buffer, split_at, _ = OURS[name]
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/oversell.db")
        try:
            await migrate(database)
            return await measure(name, world, LedgerSync(world, database, buffer, split_at))
        finally:
            await database.close()


def compare(scale: Scale, seed: int, only: str) -> Iterator[Result]:
    """Live through the same days with every strategy whose name has `only` in it, as many at once as there are cores."""
    names = [name for name in (*NAIVE, *OURS) if only in name]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield from pool.map(live, names, [scale] * len(names), [seed] * len(names))


def missed(results: Sequence[Result]) -> list[str]:
    """Return the aims that were missed, in words."""
    found = []
    for one in results:
        if one.strategy not in OURS:
            continue
        aim = OURS[one.strategy][2]
        if one.drift:
            found.append(f"{one.strategy}: {one.drift} units of drift")
        if one.oversold_per_1000 > aim:
            found.append(f"{one.strategy}: {one.oversold_per_1000:.2f} of 1,000 oversold, the aim is {aim}")
    naive = [one for one in results if one.strategy in NAIVE]
    if len(naive) == len(NAIVE) and not any(one.drift for one in naive):
        found.append("no naive strategy drifts: these days prove nothing")
    return found


def show(scale: Scale, seed: int, *, only: str, as_json: bool) -> list[Result]:
    """Print a line a strategy, as soon as its days are over."""
    if not as_json:
        print(f"{'strategy':<38}{'sold':>7}{'oversold/1000':>15}{'drift':>7}{'bad days/1000':>15}{'calls':>8}{'s':>6}")
    results = []
    for one in compare(scale, seed, only):
        results.append(one)
        line = (
            f"{one.strategy:<38}{one.sold:>7}{one.oversold_per_1000:>15.2f}{one.drift:>7}"
            f"{one.bad_per_1000:>15.2f}{one.calls:>8}{one.seconds:>6.0f}"
        )
        print(json.dumps(asdict(one)) if as_json else line, flush=True)
    return results


def main() -> int:
    """Run, print, and say what was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=Scale().days)
    parser.add_argument("--skus", type=int, default=Scale().skus)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default="", help="strategies with this in their name")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = show(Scale(days=given.days, skus=given.skus), given.seed, only=given.only, as_json=given.json)
    found = missed(results)
    for line in found:
        print(f"missed: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
