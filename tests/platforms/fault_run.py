"""The fault run: trouble at every call of publish and undo, several times, at every store; prints the table.

`python -m tests.platforms.fault_run [--times N] [STORE…]` exits 1 where a picture was doubled or lost, or a thing
was never done. What the bot does after a fault (try again, ask a person) is played by contract_faults.py.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stamina.instrumentation import set_on_retry_hooks

from tests.fakes.store_server import Fault
from tests.platforms.contract_faults import Doing, Tally, calls_needed, with_fault
from tests.platforms.harness import Kind
from tests.platforms.harnesses import KINDS

FAULTS: Final = {
    Fault.TOO_MANY: "429",
    Fault.BROKEN: "500",
    Fault.CUT: "connection cut",
    Fault.LOST: "acted, then cut",
    Fault.LOST_HANG: "acted, then time-out",
}
DOINGS: Final[tuple[Doing, ...]] = ("publish", "undo")
TIMES: Final = 5


@dataclass(slots=True)
class Row:
    """What one fault at every call of one thing at one store came to."""

    store: str
    doing: Doing
    fault: str
    calls: int
    tally: Tally

    @property
    def never_done(self) -> int:
        """How often it could not be done even once the trouble was over."""
        return sum(1 for error in self.tally.errors if error.startswith("never done"))

    @property
    def disordered(self) -> int:
        """How often the pictures were all there, and in another order."""
        return self.tally.errors.count("the order changed")

    @property
    def is_clean(self) -> bool:
        """Whether nothing was doubled, lost, disordered or left undone."""
        return not (self.tally.doubled or self.tally.lost or self.never_done or self.disordered)


async def run(kinds: Sequence[Kind], *, times: int = TIMES) -> list[Row]:
    """Run every fault that each store can play at every call, so many times."""
    rows = []
    for kind in kinds:
        for doing in DOINGS:
            needed = await calls_needed(kind.open, doing)
            for fault, name in FAULTS.items():
                if fault not in kind.faults:
                    continue
                tally = Tally()
                for _ in range(times):
                    for at in range(needed):
                        tally.add(await with_fault(kind.open, doing, fault, at))
                rows.append(Row(kind.name, doing, name, needed, tally))
    return rows


def table(rows: Sequence[Row]) -> str:
    """Return the table, with a line of sums."""
    lines = [
        f"{'store':12} {'doing':8} {'fault':21} {'calls':>5} {'runs':>5} {'doubled':>8} {'lost':>5}"
        f" {'disordered':>11} {'never done':>11} {'put to a person':>16}"
    ]
    for row in rows:
        lines.append(_line(row.store, row.doing, row.fault, row.calls, [row]))
    lines.append(_line("all", "", "", sum(row.calls for row in rows), rows))
    return "\n".join(lines)


def _line(store: str, doing: str, fault: str, calls: int, rows: Sequence[Row]) -> str:
    return (
        f"{store:12} {doing:8} {fault:21} {calls:5} {sum(row.tally.runs for row in rows):5}"
        f" {sum(row.tally.doubled for row in rows):8} {sum(row.tally.lost for row in rows):5}"
        f" {sum(row.disordered for row in rows):11} {sum(row.never_done for row in rows):11}"
        f" {sum(row.tally.asked for row in rows):16}"
    )


def main() -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", nargs="*", help="all where none is named")
    parser.add_argument("--times", type=int, default=TIMES)
    asked = parser.parse_args()
    set_on_retry_hooks([])  # a line a retry would drown the table
    kinds = [kind for kind in KINDS if not asked.stores or kind.name in asked.stores]
    began = time.monotonic()
    rows = asyncio.run(run(kinds, times=asked.times))
    print(f"{table(rows)}\n{time.monotonic() - began:.0f} s, each fault at every call, {asked.times} times")
    return 0 if all(row.is_clean for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
