"""One of each answer about keeping stores in step, to be drawn by every chat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.sync_replies import (
    DryRunLine,
    MismatchAsked,
    OversoldAsked,
    RunAsked,
    SoldLine,
    SyncBegun,
    SyncReply,
    SyncShown,
    SyncStoreLine,
    SyncTurned,
)

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
ID = "r" * 22


def sync_replies(title: str, *, sku: str, person: str, store: str) -> tuple[SyncReply, ...]:
    """Return them with these words in every place that people's or stores' words can reach."""
    lines = (
        DryRunLine(sku, ((store, 12), ("Etsy", 9)), 9, is_disputed=True),
        DryRunLine("BOWL-2", ((store, 4), ("Etsy", None)), 4),
        DryRunLine("VASE-7", ((store, 3),), None),
    )
    orders = (
        SoldLine(store, "#1042", 1, NOW, "https://shop.example/orders/1042"),
        SoldLine("Etsy", "3551", 1, NOW + timedelta(minutes=2)),
    )
    return (
        SyncShown(
            True,
            person,
            NOW,
            (
                SyncStoreLine(
                    store, "shopify", "in_step", True, 900, NOW, NOW, linked=412, open_pushes=2, oldest_push_at=NOW
                ),
                SyncStoreLine(
                    "Etsy", "etsy", "trouble", False, 90, NOW, linked=398, trouble=f"{store} does not answer."
                ),
                SyncStoreLine("Amazon", "amazon", "waiting", False, 200),
                SyncStoreLine("Shelf", "shelf", "lacking", False, 5),
            ),
            mismatches=2,
            oversold=1,
            stopped=31,
            notes=(f"No longer at the store, so nothing is written there: {sku} ({store}).",),
        ),
        SyncShown(False, "", None, (SyncStoreLine(store, "shelf", "off", False, 5),)),
        SyncTurned(True, person, is_first=True),
        SyncTurned(False, person, is_news=False),
        SyncTurned(False, person, sku=sku),
        SyncBegun((store, "Etsy")),
        MismatchAsked(ID, sku, title, store, 12, 9, ("Etsy",), "open"),
        MismatchAsked(ID, sku, title, store, 12, 9, ("Etsy", "Amazon"), "open", counting=person),
        MismatchAsked(ID, sku, title, store, 12, 9, ("Etsy",), "trusted", person, NOW),
        MismatchAsked(ID, sku, title, store, 12, 9, (), "passed"),
        OversoldAsked(ID, sku, title, 1, orders),
        OversoldAsked(ID, sku, title, 1, orders, is_open=False, by=person),
        RunAsked(ID, "first", "asked", "", "", lines, 412, disputed=1, of=815),
        RunAsked(ID, "first", "done", "", "", lines, 412, disputed=1, by=person, at=NOW),
        RunAsked(ID, "write", "asked", "", "zeroed", lines, 31, zeroed=31, of=412),
        RunAsked(ID, "write", "left", "", "zeroed", lines, 31, zeroed=31, of=412, by=person, at=NOW),
        RunAsked(ID, "read", "asked", store, "emptied", lines, 412, zeroed=412, of=412),
        RunAsked(ID, "read", "going", store, "emptied", lines, 412, zeroed=412, of=412, by=person, at=NOW),
    )
