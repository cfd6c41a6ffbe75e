"""One of each thing that is said of stock unasked, to be drawn by every chat."""

from __future__ import annotations

from datetime import UTC, date, datetime

from domain.catalog import Sha256
from domain.sentences import Sentence
from domain.stock_alert_replies import AlertLine, AlertReply, AlertsShown, DigestShown, OutNow, SnoozeAsked, Snoozed

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
TODAY = date(2026, 3, 4)
SUBJECT = "s" * 22


def alert_replies(title: str, *, sku: str, person: str, store: str, chart: Sha256) -> tuple[AlertReply, ...]:
    """Return them with these words in every place that people's or stores' words can reach."""
    out = AlertLine(SUBJECT, title, (sku,), 1, "out", "low", 0, store, TODAY, TODAY, 24, "31.50", "EUR")
    critical = AlertLine(
        "c" * 22, "Tea bowl", (sku, "BOWL-M"), 3, "critical", "low", 5, store, date(2026, 3, 7), date(2026, 3, 13), 12, "9.80", "EUR"
    )  # fmt: skip
    low = AlertLine("l" * 22, "Oak tray", ("TRAY-1",), 1, "low", "ok", 9, "", date(2026, 3, 30), date(2026, 4, 9), 6)
    again = AlertLine("b" * 22, "Vase", ("VASE-7",), 1, "ok", "out", 40)
    digest = DigestShown(
        TODAY,
        9,
        12,
        4,
        1,
        (out, critical, low, again),
        more=2,
        still=7,
        mismatches=1,
        failed_pushes=2,
        waiting_photos=3,
        notes=(
            Sentence(
                "{store} is silent: its numbers are from {time}. `status` says why.", store=store, time="3 Mar, 06:40"
            ),
            Sentence("The key of {store} ends on {day}: `reconnect` and its name renew it.", store=store, day="9 Mar"),
        ),
        chart=chart,
        table=chart,
        table_rows=16,
        table_bytes=2048,
    )
    return (
        digest,
        OutNow(out, 41),
        SnoozeAsked(SUBJECT, title, (sku,), date(2026, 3, 18)),
        Snoozed(SUBJECT, title, (sku,), "ordered", NOW, person),
        AlertsShown(True, "8:00", "Europe/Berlin", "team", NOW, datetime(2026, 3, 5, 7, 0, tzinfo=UTC)),
    )


def quiet_digest() -> DigestShown:
    """A morning on which nobody must do anything."""
    return DigestShown(TODAY, 2, 3, 0, 0, (), still=2)
