"""`history`: who did what, newest first, in the reader's words; a page in the chat, or all of it as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from domain.catalog import Sku
from domain.data_replies import FileReady
from domain.errors import BadInput
from domain.intents import ShowHistory
from domain.ports import Reading
from domain.replies import HistoryLine, HistoryShown
from domain.rows import AuditEntry, AuditQuery
from domain.sentences import Sentence
from handlers.desk import Asked, Desk
from handlers.history_words import history_sentence
from handlers.words import Words

PAGE_LINES = 15
FILE_LINES = 50_000
"""About 10 MB, which every chat takes."""
_FORMULA = frozenset("=+-@|%\uff1d\uff0b\uff0d\uff20")
_BLANKS = frozenset("\t\r\n")
CSV_TYPE = "text/csv; charset=utf-8"


async def show_history(asked: Asked, intent: ShowHistory, desk: Desk) -> None:
    """Answer with a page of the audit, or with a file. Raises BadInput for a page that is not there."""
    async with desk.work.reading() as rows:
        here = await rows.places.settings(asked.member.team_id, asked.incoming.place)
        query = await _query(rows, asked.member.team_id, intent, now=desk.clock(), timezone=here.timezone)
        total = await rows.count_audit_lines(query)
    if intent.as_file:
        await _as_file(asked, query, desk, Words(here.language, here.timezone))
        return
    pages = max(1, -(-total // PAGE_LINES))
    if intent.page > pages:
        raise BadInput("The history has {number} pages: `history page={number}` is the last.", number=pages)
    async with desk.work(asked.incoming) as work:
        entries = await work.audit_lines(replace(query, limit=PAGE_LINES, skip=(intent.page - 1) * PAGE_LINES))
        lines = tuple(HistoryLine(item.at, item.who, history_sentence(item), item.sku) for item in entries)
        sku = query.sku.value if query.sku else ""
        await work.answer(
            HistoryShown(
                sku,
                lines,
                person=query.person,
                today=intent.today,
                page=intent.page,
                pages=pages,
                total=total,
            )
        )


async def _query(rows: Reading, team_id: str, intent: ShowHistory, *, now: datetime, timezone: str) -> AuditQuery:
    """Return what the words mean: a SKU that lines name, else a person, else a SKU of which nothing is known."""
    query = AuditQuery(team_id)
    if intent.today:
        query = replace(query, since=_midnight(now, timezone))
    if not intent.about:
        return query
    by_sku = replace(query, sku=Sku(intent.about))
    if await rows.count_audit_lines(replace(by_sku, since=None)):
        return by_sku
    wanted = intent.about.casefold()
    people = await rows.people_of_audit(team_id)
    found = [name for name in people if name.casefold() == wanted]
    found = found or [name for name in people if name.casefold().split()[:1] == [wanted]]
    if len({name.casefold() for name in found}) > 1:
        names = ", ".join(found)
        raise BadInput("Several people are called so ({names}): write the whole name.", names=names)
    return replace(query, person=found[0]) if found else by_sku


def _midnight(now: datetime, timezone: str) -> datetime:
    return now.astimezone(ZoneInfo(timezone)).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


# ---------------------------------------------------------------- the file


async def _as_file(asked: Asked, query: AuditQuery, desk: Desk, words: Words) -> None:
    async with desk.work.reading() as rows:
        entries = await rows.audit_lines(replace(query, limit=FILE_LINES))
    content = audit_csv(entries, words)
    kept = await desk.media.put(content)
    subject = query.sku.value if query.sku else query.person or "all"
    name = f"history-{_plain(subject)}-{desk.clock():%Y-%m-%d}.csv"
    said = Sentence("{number} lines of the history", number=len(entries))
    async with desk.work(asked.incoming) as work:
        file_id = await work.data.keep_file(asked.member.team_id, name, CSV_TYPE, kept)
        await work.answer(FileReady(file_id, name, kept, len(content), said))


def audit_csv(entries: Sequence[AuditEntry], words: Words) -> bytes:
    """Return lines as a CSV in UTF-8 with a mark, as every spreadsheet reads it; the columns' names stay English."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(("number", "time_utc", "who", "action", "what", "sku", "about", "where", "before", "after"))
    for entry in entries:
        where = f"{entry.place.chat.value} {entry.place.place_id}" if entry.place else ""
        cells = (
            *(str(entry.number), entry.at.astimezone(UTC).isoformat(timespec="seconds"), entry.who, entry.action),
            *(words.sentence(history_sentence(entry)), entry.sku, entry.about, where),
            *(json.dumps(change, ensure_ascii=False) if change else "" for change in (entry.before, entry.after)),
        )
        writer.writerow([harmless(cell) for cell in cells])
    return b"\xef\xbb\xbf" + table.getvalue().encode()


def harmless(cell: str) -> str:
    """Return a cell that a spreadsheet shows and never computes, in whatever width the sign of a formula is written."""
    return f"'{cell}" if cell[:1] in _BLANKS or cell.lstrip()[:1] in _FORMULA else cell


def _plain(word: str) -> str:
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in word)
    return kept.strip("-")[:40] or "all"
