"""A shop's own table of its goods: SKU, supplier, lead time, pack, cost, count; read line by line, each error with its place.

What spreadsheets make of CSV is taken as it comes: commas, semicolons or tabs, UTF-8 with and without its mark,
UTF-16 or Windows-1252, English or German headings, decimal commas.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from domain.catalog import Sku
from domain.errors import BadInput
from domain.sentences import Sentence
from domain.stock import Quantity, SkuFacts

if TYPE_CHECKING:
    import _csv  # the reader has no public name

MOST_BYTES: Final = 5_000_000
MOST_LINES: Final = 20_000
MOST_DAYS: Final = 730
"""A lead time of two years is a typing error."""
_COST: Final = re.compile(r"[0-9]{1,9}(?:[.,][0-9]{1,4})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")

_HEADINGS: Final[Mapping[str, str]] = {
    heading: column
    for column, headings in {
        "sku": "sku article articleno itemnumber item artikel artikelnummer artikelnr",
        "supplier": "supplier vendor lieferant hersteller",
        "lead": "lead leaddays leadtime leadtimedays lieferzeit lieferzeittage",
        "review": "review reviewdays bestellrhythmus",
        "pack": "pack packsize packof case verpackungseinheit ve gebinde",
        "cost": "cost unitcost purchaseprice einkaufspreis ek",
        "currency": "currency waehrung währung",
        "count": "count stock quantity qty onhand bestand menge anzahl",
    }.items()
    for heading in headings.split()
}
COLUMNS: Final = ("sku", "supplier", "lead", "review", "pack", "cost", "currency", "count")
EXAMPLE: Final = "sku,supplier,lead,pack,cost,count\nMUG-01,Clay & Co,14,12,3.50,40\n"


@dataclass(frozen=True, slots=True)
class GoodsLine:
    """One usable line: None where its cell was empty or its column absent. `number` is the line in the file, from 1."""

    number: int
    sku: Sku
    supplier: str | None = None
    lead_days: int | None = None
    review_days: int | None = None
    pack: int | None = None
    cost: Decimal | None = None
    currency: str | None = None
    count: int | None = None

    def over(self, known: SkuFacts) -> SkuFacts:
        """Return what is known with what the line says put over it; an empty cell changes nothing."""
        said = {
            "supplier": self.supplier,
            "lead_days": self.lead_days,
            "review_days": self.review_days,
            "pack": self.pack,
            "cost": self.cost,
            "currency": self.currency,
        }
        return replace(known, **{name: value for name, value in said.items() if value is not None})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class BadCell:
    """What cannot be used: the line in the file (from 1), the heading as it stands there, and why."""

    number: int
    column: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class GoodsTable:
    """What a file says. `columns` are the headings we read, `ignored` those we do not know."""

    lines: tuple[GoodsLine, ...]
    bad: tuple[BadCell, ...]
    columns: tuple[str, ...]
    ignored: tuple[str, ...] = field(default=())


def read_goods(content: bytes) -> GoodsTable:
    """Read a file. Raises BadInput for one that is no such table at all; single bad lines are told in `bad`."""
    if len(content) > MOST_BYTES:
        raise BadInput("That table is larger than {most} MB: send it in parts.", most=MOST_BYTES // 1_000_000)
    text = _text(content)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        headings = next(rows, [])
        at = _columns(headings)
        return _read(rows, at, headings)
    except csv.Error as error:
        raise BadInput(
            "Line {number} has a quote that does not end: save the table as CSV again.", number=rows.line_num
        ) from error


def _text(content: bytes) -> str:
    if b"\0" in content[:4] or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadInput("I cannot read that file: save the table as CSV (UTF-8) and send it again.")


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)


def _columns(headings: Sequence[str]) -> dict[str, int]:
    at: dict[str, int] = {}
    for index, heading in enumerate(headings):
        column = _HEADINGS.get(re.sub(r"[^\wäöüß]|_", "", heading.casefold()))
        if column is None:
            continue
        if column in at:
            raise BadInput("Two columns are both “{column}”: keep one of them.", column=heading.strip()[:40])
        at[column] = index
    if "sku" not in at:
        raise BadInput(
            "The first line must name the columns, one of them “sku”: `import` shows what such a table looks like."
        )
    if len(at) == 1:
        raise BadInput("There is only a column of SKUs: add supplier, lead, pack, cost or count.")
    return at


def _read(rows: _csv.Reader, at: Mapping[str, int], headings: Sequence[str]) -> GoodsTable:
    lines: list[GoodsLine] = []
    bad: list[BadCell] = []
    first_at: dict[str, int] = {}
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        number = rows.line_num
        if len(lines) + len(bad) >= MOST_LINES:
            raise BadInput("That table has more than {most} lines: send it in parts.", most=MOST_LINES)
        line, cells = _line(number, row, at, headings)
        if line is not None and not cells and (first := first_at.setdefault(line.sku.key, number)) != number:
            cells = [
                BadCell(
                    number,
                    headings[at["sku"]],
                    Sentence("{sku} is on line {number} already.", sku=line.sku.value, number=first),
                )
            ]
        bad += cells
        if line is not None and not cells:
            lines.append(line)
    return GoodsTable(
        tuple(lines),
        tuple(bad),
        tuple(headings[at[column]].strip() for column in COLUMNS if column in at),
        tuple(
            heading.strip()[:40]
            for index, heading in enumerate(headings)
            if index not in at.values() and heading.strip()
        ),
    )


def _line(
    number: int, row: Sequence[str], at: Mapping[str, int], headings: Sequence[str]
) -> tuple[GoodsLine | None, list[BadCell]]:
    bad: list[BadCell] = []

    def cell(column: str) -> str:
        index = at.get(column, len(row))
        return row[index].strip() if index < len(row) else ""

    def value(column: str, read: Callable[[str], object]) -> object:
        word = cell(column)
        if not word:
            return None
        try:
            return read(word)
        except BadInput as error:
            bad.append(BadCell(number, headings[at[column]].strip(), error.sentence))
            return None

    if not cell("sku"):
        return None, [BadCell(number, headings[at["sku"]].strip(), Sentence("The SKU is missing."))]
    sku = value("sku", Sku)
    said = {
        "supplier": value("supplier", _supplier),
        "lead_days": value("lead", _days),
        "review_days": value("review", _days),
        "pack": value("pack", _pack),
        "cost": value("cost", _cost),
        "currency": value("currency", _currency),
        "count": value("count", lambda word: Quantity.read(word).value),
    }
    return (GoodsLine(number, sku, **said) if isinstance(sku, Sku) else None), bad  # type: ignore[arg-type]


def _supplier(word: str) -> str:
    if len(word) > 80:
        raise BadInput("That supplier's name is longer than {most} characters.", most=80)
    return word


def _days(word: str) -> int:
    if not word.isdecimal() or int(word) > MOST_DAYS:
        raise BadInput("“{word}” is no number of days from 0 to {most}.", word=word[:20], most=MOST_DAYS)
    return int(word)


def _pack(word: str) -> int:
    if not word.isdecimal() or not 1 <= int(word) <= 100_000:
        raise BadInput("“{word}” is no number of pieces in a pack.", word=word[:20])
    return int(word)


def _cost(word: str) -> Decimal:
    if not _COST.fullmatch(word):
        raise BadInput("“{word}” is no price of one piece: write it like 3.50.", word=word[:20])
    return Decimal(word.replace(",", "."))


def _currency(word: str) -> str:
    if not _CURRENCY.fullmatch(word.upper()):
        raise BadInput("“{word}” is no currency: write it like EUR.", word=word[:20])
    return word.upper()
