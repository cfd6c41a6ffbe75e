"""The port for the small picture of a digest: how many days each product still lasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CoverBar:
    """One product, by `label`, or by `sku` where nobody can draw that. `level` is a Level value; days are counted from today, None for longer than the chart is wide.

    `lead_days` is when a delivery ordered today would be there.
    """

    label: str
    sku: str
    level: str
    early_days: int | None
    late_days: int | None
    lead_days: int


@dataclass(frozen=True, slots=True)
class CoverChart:
    """Everything on the picture, its words in the reader's language. `levels` names each Level value in a bar."""

    title: str
    days: str
    """What the axis counts: “days”."""
    lead: str
    """What the mark of a delivery means."""
    out: str
    """What stands in place of a bar of no length."""
    bars: tuple[CoverBar, ...]


class DrawsCharts(Protocol):
    """Makes pictures of numbers, off the event loop."""

    async def cover(self, chart: CoverChart) -> bytes:
        """Return a PNG, legible on a phone and without colours; labels are cut to what fits."""
        ...


def axis_days(bars: Sequence[CoverBar]) -> int:
    """Return how many days the axis spans: all that is known, in whole weeks, two at least and ten at most."""
    known = [day for bar in bars for day in (bar.early_days, bar.late_days, bar.lead_days) if day is not None]
    weeks = -(-max([*known, 1]) // 7)
    return 7 * min(max(weeks, 2), 10)
