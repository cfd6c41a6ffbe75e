"""Calls to a store as the proof makes them: with an answer that waits, or a worker that dies before it hears it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.powers import SetsStock, SwapsStock
from domain.stock import OutletKey, Shown
from domain.trade import Order, StockLevel, StockWrite
from tests.stock.shops import Adapter


@dataclass(slots=True)
class HeldRead:
    """A read whose answer is there, and whose orders are not pulled yet."""

    levels: Sequence[StockLevel]
    believed: Mapping[OutletKey, Shown]
    asked_at: datetime


@dataclass(slots=True)
class HeldPull:
    """Orders as the store told them a while ago."""

    orders: Sequence[Order]
    began_at: datetime
    cursor: datetime | None


class Died(BaseException):
    """A worker's end, which no code of ours may catch."""


def then_die(call: Callable[[StockWrite], Awaitable[StockLevel]]) -> Callable[[StockWrite], Awaitable[StockLevel]]:
    """Let the store write, and the worker be gone before it hears so."""

    async def called(write: StockWrite) -> StockLevel:
        await call(write)
        raise Died

    return called


async def write_once(platform: Adapter, write: StockWrite) -> None:
    """Write as the store can. Raises what its adapter raises."""
    if isinstance(platform, SwapsStock):
        await platform.swap_stock(write)
    else:
        assert isinstance(platform, SetsStock)
        await platform.set_stock(write)
