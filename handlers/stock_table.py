"""The table that goes with a digest: every product that is not well, as a CSV that any spreadsheet opens."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from domain.alerts import Level
from domain.forecast_words import plain_rate
from handlers.alert_faces import LEVEL_WORDS
from handlers.outlook import Prospect
from handlers.words import Words, text

HEADINGS = (
    text("SKU"), text("Product"), text("Variant"), text("Supplier"), text("Level"), text("On hand"),
    text("Sold a day"), text("Runs out from"), text("Runs out by"), text("Reorder point"), text("Order"), text("Pack"),
    text("Days of delivery"), text("Costs a day"), text("Currency"), text("Quiet until"),
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate: people's words never do (OWASP, CSV injection)."""


def stock_table(prospects: Sequence[Prospect], today: date, now: datetime, words: Words) -> bytes:
    """Return the rows as they are given, UTF-8 with a mark, since Excel guesses otherwise."""
    written = io.StringIO(newline="")
    rows = csv.writer(written)
    rows.writerow([words(heading) for heading in HEADINGS])
    for one in prospects:
        rows.writerow(_row(one, today, now, words))
    return written.getvalue().encode("utf-8-sig")


def is_worth_a_row(one: Prospect) -> bool:
    """Whether it belongs in the table: what nobody ever buys is out without hurting anybody."""
    return one.level is not Level.OK and (one.forecast.units > 0 or one.is_recent)


def _row(one: Prospect, today: date, now: datetime, words: Words) -> list[str]:
    told = one.forecast
    return [
        *map(_said, (one.sku.value, one.title, one.variant, one.supplier)),
        words(LEVEL_WORDS[one.level]),
        str(told.on_hand),
        plain_rate(told.rate),
        _day(told.out_early, today),
        _day(told.out_late, today),
        str(told.reorder_point),
        str(told.order),
        str(told.pack),
        str(told.lead_days),
        str(one.lost_per_day),
        one.currency,
        _quiet(one, now, words),
    ]


def _said(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _day(days: int | None, today: date) -> str:
    return "" if days is None else (today + timedelta(days=days)).isoformat()


def _quiet(one: Prospect, now: datetime, words: Words) -> str:
    if not one.is_quiet(now) or one.was is None or one.was.snooze is None:
        return ""
    until = one.was.snooze.until
    return words("restock") if until is None else until.date().isoformat()
