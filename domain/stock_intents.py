"""What a person can ask about stock: to see it, to say what is there, to take that back, to know why."""

from __future__ import annotations

from dataclasses import dataclass

from domain.catalog import Sha256, Sku
from domain.stock import MovementKind


@dataclass(frozen=True, slots=True)
class StockAsked:
    """What all of them are, so that the door hands them on in one line."""


@dataclass(frozen=True, slots=True)
class ShowStock(StockAsked):
    """`stock SKU…`: how many are there, and what each store shows."""

    skus: tuple[Sku, ...]


@dataclass(frozen=True, slots=True)
class CountedLine:
    """So many of one SKU; for COUNTED what is there (≥ 0), for ADDED and RECEIVED what came (ADDED may be below 0)."""

    sku: Sku
    number: int


@dataclass(frozen=True, slots=True)
class WriteStock(StockAsked):
    """`stock count|set|add …`, `received …`: `kind` is COUNTED, ADDED or RECEIVED; a SKU is named once."""

    kind: MovementKind
    lines: tuple[CountedLine, ...]


@dataclass(frozen=True, slots=True)
class UndoStock(StockAsked):
    """`stock undo SKU`: take back the last thing a person said of it."""

    sku: Sku


@dataclass(frozen=True, slots=True)
class ShowLow(StockAsked):
    """`low`: what runs out within `days` (None: before the next delivery can be there), perhaps of one supplier."""

    days: int | None = None
    supplier: str = ""


@dataclass(frozen=True, slots=True)
class WhyStock(StockAsked):
    """`why SKU`: the ledger's last movements in words, and where the numbers of its forecast come from."""

    sku: Sku


@dataclass(frozen=True, slots=True)
class ImportGoods(StockAsked):
    """A CSV of SKUs, suppliers, lead times, packs and first counts; `files` empty: what such a file looks like."""

    files: tuple[Sha256, ...] = ()


StockIntent = ShowStock | WriteStock | UndoStock | ShowLow | WhyStock | ImportGoods
