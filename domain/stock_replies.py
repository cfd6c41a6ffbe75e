"""What is answered about stock: how many are there, what was written, why, and what a CSV would change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class StockAnswer:
    """What all of them are, so that a chat hands them on in one line."""


@dataclass(frozen=True, slots=True)
class OutletLine:
    """What one store shows of a SKU. `quantity` None where it does not count or was silent.

    `notes` are sentences: it is kept by the platform, switched off, disagrees, or why the store was silent.
    """

    store: str
    quantity: int | None
    location: str = ""
    target: int | None = None
    """What it should show; None where nothing is kept in step."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StockOf:
    """One SKU: `on_hand` None until somebody counted it."""

    sku: str
    title: str
    on_hand: int | None
    outlets: tuple[OutletLine, ...]


@dataclass(frozen=True, slots=True)
class StockShown(StockAnswer):
    """How many are there, and what each store shows."""

    products: tuple[StockOf, ...]


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """One SKU that was counted or received: `was` None for the first count."""

    sku: str
    was: int | None
    now: int


@dataclass(frozen=True, slots=True)
class StockWritten(StockAnswer):
    """Somebody said what is there. `write_id` with `kind` and the number of lines takes it back.

    `is_sent`: the stores are being written; else the number stands here only, since sync is off.
    """

    write_id: str
    kind: str
    lines: tuple[WrittenLine, ...]
    by: str
    at: datetime
    is_sent: bool
    is_undone: bool = False


@dataclass(frozen=True, slots=True)
class StockDoubted(StockAnswer):
    """The number is so far from what is there that it may be a slip: nothing is written until somebody says yes."""

    question_id: str
    kind: str
    lines: tuple[WrittenLine, ...]


@dataclass(frozen=True, slots=True)
class MovedLine:
    """One movement in the ledger: `kind` is a MovementKind value, `left` what was on hand after it."""

    at: datetime
    kind: str
    quantity: int
    left: int
    source: str = ""
    actor: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class WhyShown(StockAnswer):
    """The ledger's last movements, the newest first; `reasons` are sentences about the forecast's numbers."""

    sku: str
    title: str
    on_hand: int
    moves: tuple[MovedLine, ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LowLine:
    """One SKU that runs out. Dates are between which it will, most likely; `order` what to order, in pieces."""

    sku: str
    title: str
    state: str
    on_hand: int
    supplier: str
    runs_out_from: date | None
    runs_out_to: date | None
    order: int


@dataclass(frozen=True, slots=True)
class LowShown(StockAnswer):
    """What runs out soonest, first; `total` counts those beyond the shown lines too."""

    lines: tuple[LowLine, ...]
    total: int
    days: int | None = None
    supplier: str = ""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a CSV that cannot be used: 1-based number, its column, and a sentence."""

    number: int
    column: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ImportPreview(StockAnswer):
    """What a CSV would change; nothing is changed until somebody says yes.

    `counts` are the SKUs whose number on hand would change, the largest change first, cut to what is shown.
    """

    question_id: str
    """Empty where no line can be used."""
    good_count: int
    new_count: int
    changed_count: int
    count_count: int
    counts: tuple[WrittenLine, ...]
    bad: tuple[BadLine, ...]
    bad_count: int
    columns: tuple[str, ...]
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported(StockAnswer):
    """A CSV was taken: how many lines, and how many of them were counts, which can be taken back."""

    write_id: str
    line_count: int
    count_count: int
    by: str
    at: datetime
    is_undone: bool = False


StockReply = StockShown | StockWritten | StockDoubted | WhyShown | LowShown | ImportPreview | Imported
