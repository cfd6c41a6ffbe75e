"""One contract for every store: `pytest -k contract`."""

from __future__ import annotations

import asyncio
import inspect
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import powers
from domain.catalog import PlatformName
from domain.ports import RestoresImages
from platforms.registry import PLATFORMS
from tests.fakes.store_server import Fault
from tests.platforms.contract import CONTRACT, CONTRACT_OF_KEYS, Rule
from tests.platforms.contract_faults import Doing, Tally, calls_needed, with_a_crash, with_fault
from tests.platforms.contract_trade import TRADE_CONTRACT, TradeRule
from tests.platforms.contract_walk import Step, any_walk_keeps_the_other_pictures
from tests.platforms.harness import Kind, TradingHarness
from tests.platforms.harnesses import KINDS

POWERS: set[type[object]] = {
    RestoresImages,
    *(kind for kind in vars(powers).values() if inspect.isclass(kind) and kind.__module__ == powers.__name__),
}
by_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def rules_of(kind: Kind) -> list[Rule | TradeRule]:
    """The rules an adapter must keep: everybody's, those of its key, and those of the powers it claims."""
    descriptor = PLATFORMS[PlatformName(kind.name)]
    of_powers = [rule for power in TRADE_CONTRACT if power in kind.powers for rule in TRADE_CONTRACT[power]]
    return [*CONTRACT, *(CONTRACT_OF_KEYS if descriptor.settings else ()), *of_powers]


@pytest.mark.parametrize(
    ("kind", "rule"),
    [pytest.param(kind, rule, id=f"{kind.name}-{rule.__name__}") for kind in KINDS for rule in rules_of(kind)],
)
async def test_contract(kind: Kind, rule: Rule | TradeRule) -> None:
    async with kind.open() as shop:
        await rule(cast(TradingHarness, shop))


@by_kind
async def test_contract_powers_are_the_ones_claimed(kind: Kind) -> None:
    async with kind.open() as shop:
        assert {power for power in POWERS if isinstance(shop.platform, power)} == kind.powers


@by_kind
@pytest.mark.parametrize("doing", ["publish", "undo"])
async def test_contract_any_single_fault_doubles_and_loses_nothing(kind: Kind, doing: Doing) -> None:
    tally, needed = Tally(), await calls_needed(kind.open, doing)
    assert needed > 0
    for fault in sorted(kind.faults):
        for at in range(needed):
            run = await with_fault(kind.open, doing, fault, at)
            assert (run.doubled, run.lost) == (0, 0), (fault, at, run)
            assert "the order changed" not in run.errors, (fault, at, run)
            tally.add(run)
    crashes = range(needed) if Fault.LOST_HANG in kind.faults else range(0)
    for at in crashes:
        run = await with_a_crash(kind.open, doing, at)
        assert (run.doubled, run.lost) == (0, 0), ("crash", at, run)
        assert "the order changed" not in run.errors, ("crash", at, run)
        tally.add(run)
    assert tally.runs == needed * len(kind.faults) + len(crashes)


steps = st.builds(
    Step,
    position=st.one_of(st.none(), st.integers(min_value=1, max_value=4)),
    times=st.integers(min_value=1, max_value=3),
)


@by_kind
def test_contract_any_walk_of_publish_and_undo_keeps_the_other_pictures(kind: Kind) -> None:
    # In memory a walk takes a millisecond, over a socket a hundred.
    walks = 60 if Fault.LOST_HANG not in kind.faults else 8

    @settings(max_examples=walks, deadline=None)
    @given(st.lists(steps, max_size=10))
    def walk(moves: list[Step]) -> None:
        asyncio.run(any_walk_keeps_the_other_pictures(kind.open, moves))

    walk()
