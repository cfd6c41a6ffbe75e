"""Everything of one team in a zip: its rows as JSON lines, its photos, its history as a CSV. No key, no code.

The file is written beside the data and deleted when it has been fetched, so that no copy of a shop lies about.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table

from domain.catalog import Sha256
from domain.errors import Fault
from domain.picture_ports import MediaStorage
from domain.replies import PRIVATE
from domain.rows import AuditQuery
from domain.stripped import without_metadata
from handlers.history import audit_csv
from handlers.words import ENGLISH
from storage.audit import find_history
from storage.database import Database
from storage.every_table import every_table
from storage.media import content_type_of
from storage.own_data import SqlData

_LEFT_OUT: Final = frozenset(
    [
        *("console_login", "browser_session", "export_ticket", "invitation", "connect_link"),
        *("slack_bot", "slack_installation", "slack_link", "outbox", "seen_event"),
    ]
)
"""Ways in, which are secrets of people, and what is only on its way."""
_SECRET: Final = re.compile(r"(?:^|_)(?:hash|csrf|code|token|tokens|secret|verifier|sealed|credentials|salt)$")
_CHAIN: Final = frozenset({"audit", "audit_head"})
_PRIVATE_TYPES: Final = frozenset(kind.__name__ for kind in PRIVATE)
_SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/heic": ".heic"}
_DIGEST: Final = re.compile(r"\b[0-9a-f]{64}\b")
_LINES_MOST: Final = 1_000_000
_CHUNK_BYTES: Final = 1 << 20
_README: Final = """Everything Packshot keeps of {team}, as of {at}.

history.csv  who did what
rows/        one file a table, one row a line, JSON
photos/      by the name that the rows give them; without what a camera writes into a file
Left out are keys, codes and passwords, and what was only on its way.
"""


async def write_export(path: Path, database: Database, media: MediaStorage, team_id: str, *, now: datetime) -> None:
    """Write a team's zip to a path; it is there whole or not at all."""
    aside = Path(tempfile.mkstemp(dir=path.parent, prefix=path.name)[1])  # 0600
    try:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            photos = await _write_rows(archive, database, team_id, now=now)
            for name in sorted(photos):
                try:
                    content = await media.get(Sha256(name))
                except Fault as fault:
                    if fault.code != "media_missing":
                        raise
                    continue  # past its keeping time: its row still names it
                stripped = await asyncio.to_thread(without_metadata, content)
                suffix = _SUFFIXES.get(content_type_of(content), "")
                archive.writestr(zipfile.ZipInfo(f"photos/{name}{suffix}", _zip_time(now)), stripped)
        await asyncio.to_thread(aside.replace, path)
    finally:
        await asyncio.to_thread(aside.unlink, missing_ok=True)


async def stream_export(
    folder: Path, database: Database, media: MediaStorage, team_id: str, *, now: datetime
) -> AsyncIterator[bytes]:
    """Yield a team's zip in parts; the file behind it is gone when the last one was taken, or the reader went away."""
    path = Path(tempfile.mkdtemp(dir=folder, prefix="export-")) / "export.zip"
    try:
        await write_export(path, database, media, team_id, now=now)
        with await asyncio.to_thread(path.open, "rb") as file:
            while part := await asyncio.to_thread(file.read, _CHUNK_BYTES):
                yield part
    finally:
        await asyncio.to_thread(shutil.rmtree, path.parent)


async def _write_rows(archive: zipfile.ZipFile, database: Database, team_id: str, *, now: datetime) -> set[str]:
    """Write every table and the history as one moment had them; return the photos they name."""
    photos: set[str] = set()
    async with database.read() as db_session:
        data = SqlData(db_session, now)
        name = "the shop"
        for table in every_table():
            if table.name in _LEFT_OUT:
                continue
            lines = []
            async for row in data.rows(table, team_id):
                shown = _shown(table, row)
                name = shown.get("name", name) if table.name == "team" else name
                line = json.dumps(shown, ensure_ascii=False, default=_plain)
                photos.update(_DIGEST.findall(line) if table.name not in _CHAIN else ())
                lines.append(line)
            if lines:
                archive.writestr(zipfile.ZipInfo(f"rows/{table.name}.jsonl", _zip_time(now)), "\n".join(lines) + "\n")
        entries = await find_history(db_session, AuditQuery(team_id, limit=_LINES_MOST))
    archive.writestr(zipfile.ZipInfo("history.csv", _zip_time(now)), audit_csv(entries, ENGLISH))
    readme = _README.format(team=name, at=f"{now:%Y-%m-%d %H:%M} UTC")
    archive.writestr(zipfile.ZipInfo("README.txt", _zip_time(now)), readme)
    return photos


def _shown(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without what opens something: hashes of codes, and the codes in private answers."""
    if table.name in _CHAIN:
        return dict(row)
    shown = {name: value for name, value in row.items() if not _SECRET.search(name)}
    reply = shown.get("reply")
    if isinstance(reply, Mapping) and reply.get("type") in _PRIVATE_TYPES:
        shown["reply"] = {"type": reply["type"]}
    return shown


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _zip_time(now: datetime) -> tuple[int, int, int, int, int, int]:
    return now.year, now.month, now.day, now.hour, now.minute, now.second
