"""The fault run counts what it says it counts."""

from __future__ import annotations

from tests.platforms.contract_faults import Tally
from tests.platforms.fault_run import Row, run, table
from tests.platforms.shelf_harness import SHELF


async def test_every_fault_the_store_can_play_comes_at_every_call() -> None:
    rows = await run([SHELF], times=2)
    assert {(row.doing, row.fault) for row in rows} == {
        (doing, fault) for doing in ("publish", "undo") for fault in ("connection cut", "acted, then cut")
    }
    assert all(row.tally.runs == 2 * row.calls > 0 for row in rows)
    assert all(row.is_clean for row in rows)
    assert table(rows).splitlines()[-1].split()[2] == str(sum(row.tally.runs for row in rows))


def test_a_picture_doubled_lost_or_moved_and_a_thing_left_undone_are_not_clean() -> None:
    for tally in (
        Tally(runs=1, doubled=1),
        Tally(runs=1, lost=1),
        Tally(runs=1, errors=["the order changed"]),
        Tally(runs=1, errors=["never done: StoreDown: x"]),
    ):
        assert not Row("shelf", "publish", "500", 3, tally).is_clean
    assert Row("shelf", "publish", "500", 3, Tally(runs=1, asked=1, errors=["Ambiguous: x"])).is_clean
