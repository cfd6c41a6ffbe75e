"""The proof of the ledger: whatever happens, in any order, nothing is counted twice, lost, or promised twice.

A few walks run with every suite. The whole proof, 500 runs of 60 steps, takes minutes:

    make proof        (pytest tests/stock/test_machine.py --hypothesis-profile=proof -s)

and prints what it did. With a bug planted in the real code the same machine fails: see test_planted_bugs.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.stock import SPLIT_AT
from tests.stock.machine import Machine

IS_PROOF = settings.get_current_profile_name() == "proof"
FEW = settings(max_examples=4, stateful_step_count=25, derandomize=True, database=None)
KINDS = {
    "the last are split": {"split_at": SPLIT_AT, "buffer": 0, "edits": False},
    "all is shared, with a buffer, and people type numbers": {"split_at": 0, "buffer": 1, "edits": True},
}


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A machine runs its acts one by one, on a loop of its own. What stores' faults would log is no news here."""
    was_configured, before = structlog.is_configured(), structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()
    structlog.reset_defaults()
    if was_configured:
        structlog.configure(**before)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_happens_the_ledger_converges(
    kind: str, loop: asyncio.AbstractEventLoop, sqlite_template: bytes
) -> None:
    steps: Counter[str] = Counter()
    given = {"loop": loop, "template": sqlite_template, "steps": steps}
    machine = type("Machine", (Machine,), {**given, **KINDS[kind]})
    how = settings(settings(), max_examples=settings().max_examples // len(KINDS)) if IS_PROOF else FEW
    how = settings(
        how,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if IS_PROOF else (Phase.generate,),
    )
    run_state_machine_as_test(machine, settings=how)
    told = ", ".join(f"{what} {number}" for what, number in steps.most_common())
    print(f"\n{kind}: {told}")
    assert steps["runs"] >= how.max_examples
