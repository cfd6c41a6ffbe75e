"""One of each answer about stock, to be drawn by every chat."""

from __future__ import annotations

from datetime import UTC, date, datetime

from domain.sentences import Sentence
from domain.stock_replies import (
    BadLine,
    Imported,
    ImportPreview,
    LowLine,
    LowShown,
    MovedLine,
    OutletLine,
    StockDoubted,
    StockOf,
    StockReply,
    StockShown,
    StockWritten,
    WhyShown,
    WrittenLine,
)

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
WRITE_ID = "w" * 22


def stock_replies(title: str, *, sku: str, person: str, store: str) -> tuple[StockReply, ...]:
    """Return them with these words in every place that people's or stores' words can reach."""
    outlets = (
        OutletLine(store, 12, target=12),
        OutletLine(store, 9, title, target=12, notes=("It should show 12: that is on its way.",)),
        OutletLine(store, None, notes=(f"{store} does not answer.",)),
    )
    return (
        StockShown((StockOf(sku, title, 12, outlets),)),
        StockWritten(
            WRITE_ID, "received", (WrittenLine(sku, 12, 32), WrittenLine("BOWL-2", None, 4)), person, NOW, is_sent=True
        ),
        StockDoubted("q" * 22, "count", (WrittenLine(sku, 12, 1200),)),
        WhyShown(
            sku,
            title,
            15,
            (
                MovedLine(NOW, "sold", -2, 15, store),
                MovedLine(NOW, "received", 5, 17, "slack", person, title),
                MovedLine(NOW, "count", 12, 12, "slack", person),
            ),
            (Sentence("None was sold on the {days} days in stock of the last {window}.", days=12, window=56),),
        ),
        LowShown(
            (
                LowLine(sku, title, "out", 0, person, None, None, 24),
                LowLine("BOWL-2", "Oak bowl", "critical", 3, "", date(2026, 3, 6), date(2026, 3, 12), 12),
                LowLine("VASE-7", "Tall vase", "low", 6, person, date(2026, 3, 20), date(2026, 4, 2), 0),
            ),
            5,
        ),
        ImportPreview(
            "q" * 22,
            good_count=40,
            new_count=3,
            changed_count=21,
            count_count=2,
            counts=(WrittenLine(sku, 12, 40), WrittenLine("BOWL-2", None, 4)),
            bad=(
                BadLine(7, title, Sentence("{number} is no whole number of pieces: how many are there?", number="2.5")),
            ),
            bad_count=3,
            columns=("sku", "supplier", "count"),
            ignored=(title,),
        ),
        Imported(WRITE_ID, 40, 2, person, NOW),
    )
