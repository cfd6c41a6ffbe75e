"""The samples of replies about health and data: each once, with the same hostile words as all others."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.catalog import Sha256
from domain.data_replies import ExportOffered, FileReady, Forgotten, HealthNotice
from domain.health import HealthLine
from domain.replies import Reply
from domain.sentences import Sentence
from handlers.data_faces import as_word


def health_lines(title: str, store: str, now: datetime) -> tuple[HealthLine, ...]:
    """A store that works, one that does not, one whose key ends, and a chat."""
    why = Sentence("{store} no longer accepts my key: connect it again, then retry.", store=store)
    todo = Sentence("`reconnect {store}` gives me a new key.", store=as_word(store))
    ends = Sentence("Its key ends on {day}: `reconnect {store}` before then.", day="2026-03-10", store=as_word(store))
    return (
        HealthLine("store", store, "shopify", True, now - timedelta(minutes=2)),
        HealthLine("store", f"{store} 2", "etsy", False, now - timedelta(days=2), why, now - timedelta(hours=1), None, todo),
        HealthLine("store", "Amazon", "amazon", False, now, "", None, now + timedelta(days=6), ends),
        HealthLine("chat", "Slack", "slack", False, None, title, now, None, "Whoever runs me looks with `packshot doctor`."),
        HealthLine("chat", "Console", "console", True, now),
    )  # fmt: skip


def data_replies(title: str, *, person: str, store: str, now: datetime) -> tuple[Reply, ...]:
    """Every reply about health and data."""
    said = Sentence("{store} failed {number} times in a row: {why}", store=store, number=3, why=title)
    return (
        HealthNotice("bad", store, said, Sentence("`reconnect {store}` gives me a new key.", store=as_word(store))),
        FileReady("f" * 22, "history-all-2026-03-04.csv", Sha256("c" * 64), 4200, Sentence("{number} lines of the history", number=31)),
        ExportOffered("https://shop.example/console/export/" + "e" * 32, now + timedelta(hours=1)),
        Forgotten(
            Sentence("Of {name} I would delete:", name=person),
            (Sentence("the name in {number} lines of the history, which stay without it", number=3), title),
            Sentence("This cannot be undone. `forget {name} sure=yes` does it.", name=as_word(person, instead="NAME")),
            is_done=False,
        ),
    )  # fmt: skip
