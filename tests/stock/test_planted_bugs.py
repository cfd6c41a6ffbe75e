"""Each bug that a stock ledger can have is planted in the real code, and the machine of the proof must fail.

The walks are those of the machine, one act after the other, so that they are found at once; each goes well without
its bug. `make proof` finds the same bugs by itself.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from domain import stock_rules
from domain.stock import LineCounts, Pool, Push, Wish
from domain.trade import StockWrite
from handlers import stock_push
from storage import stock, stock_orders
from tests.stock.machine import Machine

Walk = Callable[[Machine], None]
Plant = Callable[[pytest.MonkeyPatch], None]


def hear_of_a_sale_twice(machine: Machine) -> None:
    machine.sell("shopify", 2)
    machine.deliver(0, 2, False)
    machine.holds()


def come_down_to_the_last(machine: Machine) -> None:
    machine.count(8)
    machine.holds()


def hear_of_a_sale(machine: Machine) -> None:
    """What came in is as much as what was sold: only the belief tells that the store shows one too few."""
    machine.receive(1)
    machine.sell("woo", 1)
    machine.poll("woo")
    machine.holds()


def die_before_the_answer(machine: Machine) -> None:
    machine.receive(2)
    machine.open()
    machine.write("shopify", None, True)
    machine.holds()


def find_too_few_and_receive_more(machine: Machine) -> None:
    """Etsy sold eight that nobody heard of, and says so when it is to be lowered."""
    machine.sell("etsy", 4)
    machine.sell("etsy", 4)
    machine.sell("shopify", 4)
    machine.deliver(2, 1, False)
    business = machine.business
    lowering = next(one for one in machine._run(business.pushes()) if one.store_id == "etsy-1")
    end = machine._run(business.send(lowering))
    assert end is not None
    machine._run(business.take(end))
    machine.receive(4)
    machine.open()
    machine.holds()


def raise_when_less_is_left(machine: Machine) -> None:
    """A raise waits while its store is away; elsewhere the last pieces go."""
    machine.sell("shopify", 4)
    machine.sell("shopify", 4)
    machine.poll("shopify")
    machine.write("shopify", None, False)
    machine.receive(3)
    machine.open()
    business = machine.business
    raising = next(one for one in machine._run(business.pushes()) if one.delta > 0)
    machine.sell("woo", 3)
    machine.poll("woo")
    machine._run(business.send(raising))
    machine.holds()


def no_dedupe(plant: pytest.MonkeyPatch) -> None:
    """Every delivery of an order counts."""
    numbers = itertools.count()
    key, join = stock_orders._key, stock_orders._join

    def as_new(orders: Sequence[Any], known: Any) -> Any:
        learned, after = join(orders, {})
        return learned, {**after, **known}

    plant.setattr(stock_orders, "_join", as_new)
    plant.setattr(stock_orders, "_key", lambda *told: f"{key(*told)}:{next(numbers)}")


def no_split(plant: pytest.MonkeyPatch) -> None:
    """Every store shows all there is, to the last piece."""

    def shared(pool: Pool) -> Sequence[Wish]:
        return stock_rules.plan(replace(pool, facts=replace(pool.facts, split_at=-1)))

    plant.setattr(stock, "plan", shared)


def shown_not_updated(plant: pytest.MonkeyPatch) -> None:
    """A sale changes what is on hand, and not what we believe its store shows."""
    plant.setattr(stock_orders._Booking, "follow", lambda *_: None)


def no_idempotency(plant: pytest.MonkeyPatch) -> None:
    """A write that is repeated is another write."""
    numbers = itertools.count()
    real = stock_push._write_of

    def with_a_new_key(push: Push) -> StockWrite:
        return replace(real(push), key=f"write {next(numbers)}")

    plant.setattr(stock_push, "_write_of", with_a_new_key)


def no_below_zero_rule(plant: pytest.MonkeyPatch) -> None:
    """Raises go on while a store has sold what we have no order of."""
    plant.setattr(stock_rules, "is_waiting_for_orders", lambda *_: False)


def counts_overwritten(plant: pytest.MonkeyPatch) -> None:
    """The last word about an order wins, even when it is old."""
    plant.setattr(LineCounts, "join", lambda _self, other: other)


def hear_an_old_word_last(machine: Machine) -> None:
    machine.sell("woo", 2)
    machine.ask_orders("woo")
    machine.cancel(0, True)
    machine.poll("woo")
    machine.holds()
    machine.finish_pull(0)
    machine.holds()


def nothing_withdrawn(plant: pytest.MonkeyPatch) -> None:
    """What was opened once is written, however long ago."""
    plant.setattr(stock, "outdated", lambda _pool: [])


BUGS: dict[str, tuple[Plant, Walk, str]] = {
    "no dedupe": (no_dedupe, hear_of_a_sale_twice, "on hand is what is on the shelf"),
    "no split": (no_split, come_down_to_the_last, "instead of"),
    "shown not updated": (shown_not_updated, hear_of_a_sale, "and we believe"),
    "no idempotency": (no_idempotency, die_before_the_answer, "nobody typed anything"),
    "no below-zero rule": (no_below_zero_rule, find_too_few_and_receive_more, "a raise while"),
    "nothing withdrawn": (nothing_withdrawn, raise_when_less_is_left, "promised more than there is"),
    "counts overwritten": (counts_overwritten, hear_an_old_word_last, "only grows"),
}
"""The bug, the walk on which it shows, and what is said of it."""


@pytest.fixture
def walked(sqlite_template: bytes) -> Iterator[Callable[[Walk], None]]:
    """Walk with a fresh business, and come to rest."""
    loop = asyncio.new_event_loop()
    kind = type("Machine", (Machine,), {"loop": loop, "template": sqlite_template})

    def walk(one: Walk) -> None:
        machine = kind()
        try:
            one(machine)
        except AssertionError:
            machine.give_up()
            raise
        machine.teardown()

    yield walk
    loop.close()


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(bug: str, walked: Callable[[Walk], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant, walk, said = BUGS[bug]
    walked(walk)
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=said):
        walked(walk)
