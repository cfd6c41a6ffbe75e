"""The proof of the ledger: whatever happens, in any order, nothing is counted twice, lost, or promised twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stock.machine import Machine


@pytest.fixture
def machine(sqlite_template: bytes) -> Iterator[type[Machine]]:
    """The machine on an event loop of its own."""
    Machine.template = sqlite_template
    Machine.loop = asyncio.new_event_loop()
    Machine.steps = Counter()
    yield Machine
    Machine.loop.close()


def test_whatever_happens_the_ledger_converges(machine: type[Machine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
            print_blob=False,
        ),
    )
    print(machine.steps)
