"""A store without a power ends in what to do instead."""

from __future__ import annotations

import inspect

import pytest

from domain import powers
from domain.catalog import PlatformName, Store, StoreId
from domain.errors import NotPossible
from domain.ports import RestoresImages
from handlers.powers import lacking
from platforms.shelf.adapter import ShelfStore
from tests.platforms.fakes import FakeMedia, FakeShelfRows

STORE = Store(StoreId("s"), "t", PlatformName.SHELF, "Corner shop")
POWERS = [
    RestoresImages,
    *(kind for kind in vars(powers).values() if inspect.isclass(kind) and kind.__module__ == powers.__name__),
]


@pytest.mark.parametrize("power", POWERS, ids=lambda power: power.__name__)
def test_every_power_has_a_way_out_in_one_sentence(power: type[object]) -> None:
    store = ShelfStore(STORE, FakeShelfRows(), FakeMedia(), public_url=str)
    refusal = lacking(store, power)
    assert isinstance(refusal, NotPossible)
    assert refusal.sentence.startswith("Corner shop ")
    before, colon, way_out = refusal.sentence.partition(": ")
    assert before
    assert colon
    assert way_out.endswith(".")
