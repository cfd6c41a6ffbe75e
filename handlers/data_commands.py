"""The rows of the command table about health, history and data."""

from __future__ import annotations

from domain.data_intents import Export, Forget
from domain.errors import BadInput
from domain.intents import Intent, ShowHistory, ShowStatus
from domain.people import Role
from handlers.command import Command, Words

PAGES_MOST = 100_000


def _read_history(words: Words) -> Intent:
    page = words.options.get("page", "1")
    if not page.isdecimal() or not 1 <= int(page) <= PAGES_MOST:
        raise BadInput("The page is a number: `history page=2`.")
    plain = [*words.plain, *words.stores]
    as_file = bool(plain) and plain[-1].lower() == "csv"
    plain = plain[: len(plain) - as_file]
    today = bool(plain) and plain[-1].lower() == "today"
    plain = plain[: len(plain) - today]
    about = " ".join(plain)
    return ShowHistory("" if about.lower() == "all" else about, today, int(page), as_file)


def _read_forget(words: Words) -> Intent:
    plain = [*words.plain, *words.stores]
    is_team = bool(plain) and plain[0].lower() == "team"
    return Forget(" ".join(plain[is_team:]), is_team, words.options.get("sure", "").lower() == "yes")


DATA_COMMANDS: tuple[Command, ...] = (
    Command(
        "history",
        Role.VIEWER,
        "history [SKU|NAME|all] [today] [csv] [page=…]",
        "Who did what, newest first; `csv` gives a file",
        "history MUG-01",
        _read_history,
    ),
    Command(
        "status",
        Role.VIEWER,
        "status",
        "Stores, chats and what waits: what works, what failed, and what to do",
        "status",
        lambda words: ShowStatus(),
    ),
    Command(
        "export",
        Role.ADMIN,
        "export",
        "A link to everything of the shop in one file, good once",
        "export",
        lambda words: Export(),
    ),
    Command(
        "forget",
        Role.ADMIN,
        "forget NAME | forget team SHOP",
        "Delete a person's name and ids, or everything of the shop; asks before it does",
        "forget Nina",
        _read_forget,
    ),
)
