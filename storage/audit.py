"""The audit's chain: each line carries the hash of the one before, over a canonical JSON of all its fields.

Whoever appends holds the team's `audit_head` until the commit, so that two never follow the same line. Lines are
written last but for the messages, in `flush`: a transaction that changes rows after its audit line must not hold
the head while it waits for a row, or two could wait for each other in a circle.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.errors import Fault
from domain.people import ChatName, Place
from domain.rows import AuditEntry, AuditQuery
from storage.audit_tables import AuditHeadRow, AuditRow, AuditWordRow
from storage.codec import clean_json, clean_text
from storage.database import Database
from storage.statements import change, find_all, find_one, insert, insert_once
from storage.tables import TeamRow

GENESIS = "0" * 64
"""What the first line of a team names as the one before."""
PERSON, PLACE = "person", "place"
FORGOTTEN = "(forgotten)"
_PAGE = 1000


class AuditTrail:
    """The lines that one transaction adds."""

    def __init__(self, db_session: AsyncSession) -> None:
        self._db_session = db_session
        self._waiting: list[AuditEntry] = []

    def add(self, entry: AuditEntry) -> None:
        """Append a line when `flush` is called."""
        self._waiting.append(entry)

    async def flush(self) -> None:
        """Write the lines, in the order they came."""
        waiting, self._waiting = self._waiting, []
        for entry in sorted(waiting, key=lambda one: one.team_id):  # of several teams always in one order
            await self._append(entry)

    async def _append(self, entry: AuditEntry) -> None:
        head = await _locked_head(self._db_session, entry.team_id)
        place = entry.place
        row = AuditRow(
            team_id=entry.team_id,
            number=head.number + 1,
            at=entry.at.astimezone(UTC),
            who_key=await self._key(entry.team_id, PERSON, entry.who),
            about_key=await self._key(entry.team_id, PERSON, entry.about),
            chat=place.chat.value if place else "",
            place_key=await self._key(entry.team_id, PLACE, _place_word(place)),
            action=entry.action,
            sku=clean_text(entry.sku),
            sku_key=clean_text(entry.sku).casefold(),
            subject_id=entry.subject_id,
            what=clean_text(entry.what),
            before=clean_json(dict(entry.before)),
            after=clean_json(dict(entry.after)),
            previous_hash=head.hash,
            hash="",
        )
        row.hash = line_hash(row)
        await insert(self._db_session, row)
        mine = col(AuditHeadRow.team_id) == entry.team_id, col(AuditHeadRow.number) == head.number
        moved = update(AuditHeadRow).where(*mine).values(number=row.number, hash=row.hash)
        if await change(self._db_session, moved) != 1:
            raise Fault("audit_raced", f"two lines of team {entry.team_id} wanted to be number {row.number}")

    async def _key(self, team_id: str, kind: str, word: str) -> str:
        """Return the key under which a word is known in a team, made where it is new; under the head's lock."""
        if not (word := clean_text(word)):
            return ""
        known = select(AuditWordRow).where(
            col(AuditWordRow.team_id) == team_id, col(AuditWordRow.kind) == kind, col(AuditWordRow.word) == word
        )
        if (row := await find_one(self._db_session, known)) is not None:
            return row.word_key
        salt = secrets.token_hex(16)
        row = AuditWordRow(word_key=word_key(salt, kind, word), team_id=team_id, kind=kind, salt=salt, word=word)
        await insert(self._db_session, row)
        return row.word_key


async def _locked_head(db_session: AsyncSession, team_id: str) -> AuditHeadRow:
    mine = select(AuditHeadRow).where(col(AuditHeadRow.team_id) == team_id).with_for_update()
    head = await find_one(db_session, mine)
    if head is None:
        await insert_once(db_session, AuditHeadRow(team_id=team_id, number=0, hash=GENESIS))
        head = await find_one(db_session, mine)
        assert head is not None, "it was inserted by us or by whom we waited for"
    return head


def line_hash(row: AuditRow) -> str:
    """Return the sha256 of a line's canonical JSON: keys sorted, no spaces, times in UTC to the microsecond."""
    fields = {
        "v": 1,
        "team_id": row.team_id,
        "number": row.number,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "who_key": row.who_key,
        "about_key": row.about_key,
        "chat": row.chat,
        "place_key": row.place_key,
        "action": row.action,
        "sku": row.sku,
        "sku_key": row.sku_key,
        "subject_id": row.subject_id,
        "what": row.what,
        "before": row.before,
        "after": row.after,
        "previous_hash": row.previous_hash,
    }
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def word_key(salt: str, kind: str, word: str) -> str:
    """Return the key that commits to a word without telling it."""
    return hashlib.sha256(f"{salt}\x1f{kind}\x1f{word}".encode()).hexdigest()


def _place_word(place: Place | None) -> str:
    if place is None:
        return ""
    return f"{place.place_id}#{place.thread_id}" if place.thread_id else place.place_id


# ---------------------------------------------------------------- reading


async def find_history(db_session: AsyncSession, query: AuditQuery) -> Sequence[AuditEntry]:
    """Return the lines a question is about, the newest first."""
    newest_first = (await _asked(db_session, query)).order_by(col(AuditRow.number).desc())
    rows = await find_all(db_session, newest_first.offset(query.skip).limit(query.limit))
    return await _entries(db_session, query.team_id, rows)


async def count_history(db_session: AsyncSession, query: AuditQuery) -> int:
    """Return how many lines a question is about, whatever its limit."""
    asked = await _asked(db_session, query)
    return int((await db_session.execute(select(func.count()).select_from(asked.subquery()))).scalar_one())


async def known_people(db_session: AsyncSession, team_id: str) -> Mapping[str, Sequence[str]]:
    """Return the names that lines of a team name, each with its keys."""
    keys: dict[str, list[str]] = {}
    for word in await _words(db_session, team_id, col(AuditWordRow.kind) == PERSON):
        if word.forgotten_at is None:
            keys.setdefault(word.word, []).append(word.word_key)
    return keys


async def subject_place(db_session: AsyncSession, team_id: str, subject_id: str) -> Place | None:
    """Return where the newest line about something was said, None where none says it."""
    mine = col(AuditRow.team_id) == team_id, col(AuditRow.subject_id) == subject_id, col(AuditRow.chat) != ""
    newest = select(AuditRow).where(*mine).order_by(col(AuditRow.number).desc())
    row = await find_one(db_session, newest)
    if row is None:
        return None
    place = (await _entries(db_session, team_id, [row]))[0].place
    return place if place and place.place_id not in {"", FORGOTTEN} else None


async def _asked(db_session: AsyncSession, query: AuditQuery) -> Select[AuditRow]:
    asked = select(AuditRow).where(col(AuditRow.team_id) == query.team_id)
    if query.sku is not None:
        asked = asked.where(col(AuditRow.sku_key) == query.sku.key)
    if query.since is not None:
        asked = asked.where(col(AuditRow.at) >= query.since)
    if query.person:
        wanted = query.person.casefold()
        people = await known_people(db_session, query.team_id)
        keys = [key for name, all_keys in people.items() if name.casefold() == wanted for key in all_keys]
        asked = asked.where(col(AuditRow.who_key).in_(keys) | col(AuditRow.about_key).in_(keys))
    return asked


async def _entries(db_session: AsyncSession, team_id: str, rows: Sequence[AuditRow]) -> Sequence[AuditEntry]:
    keys = {key for row in rows for key in (row.who_key, row.about_key, row.place_key) if key}
    found = await _words(db_session, team_id, col(AuditWordRow.word_key).in_(keys)) if keys else []
    words = {word.word_key: FORGOTTEN if word.forgotten_at else word.word for word in found}
    return [
        AuditEntry(
            row.team_id,
            row.at,
            words.get(row.who_key, ""),
            row.action,
            row.sku,
            row.subject_id,
            row.what,
            about=words.get(row.about_key, ""),
            place=_place(row.chat, words.get(row.place_key, "")),
            before=row.before,
            after=row.after,
            number=row.number,
        )
        for row in rows
    ]


def _place(chat: str, word: str) -> Place | None:
    if not chat:
        return None
    place_id, _, thread_id = word.partition("#")
    return Place(ChatName(chat), place_id, thread_id)


async def _words(db_session: AsyncSession, team_id: str, which: ColumnElement[bool]) -> Sequence[AuditWordRow]:
    return await find_all(db_session, select(AuditWordRow).where(col(AuditWordRow.team_id) == team_id, which))


# ---------------------------------------------------------------- verifying


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at one team's chain found. `broken_at` is the number of the first wrong line, None when intact."""

    team_id: str
    team: str
    lines: int
    last_hash: str
    forgotten: int = 0
    """Names and places that were forgotten on purpose: their keys stand, and nothing tells them."""
    broken_at: int | None = None
    why: str = ""


async def verify_audit(database: Database, team_id: str = "") -> Sequence[Verdict]:
    """Walk every chain (or one team's) from its first line; reads in one transaction."""
    async with database.read() as db_session:
        teams = await find_all(db_session, select(TeamRow).order_by(col(TeamRow.created_at), col(TeamRow.team_id)))
        return [await _verify(db_session, team) for team in teams if team_id in {"", team.team_id}]


async def _verify(db_session: AsyncSession, team: TeamRow) -> Verdict:
    previous, number, forgotten = GENESIS, 0, 0

    def broken(at: int, why: str) -> Verdict:
        return Verdict(team.team_id, team.name, number, previous, forgotten, at, why)

    words: dict[str, AuditWordRow] = {}
    for word in await _words(db_session, team.team_id, col(AuditWordRow.team_id) == team.team_id):
        words[word.word_key] = word
        forgotten += word.forgotten_at is not None
    async for row in _lines(db_session, team.team_id):
        if row.number != number + 1:
            return broken(number + 1, f"line {number + 1} is missing")
        if row.previous_hash != previous:
            return broken(row.number, "it does not follow the line before it")
        if row.hash != line_hash(row):
            return broken(row.number, "its words are not those that were written")
        for key in filter(None, (row.who_key, row.about_key, row.place_key)):
            word_row = words.get(key)
            if word_row is None:
                return broken(row.number, "a name in it was deleted")
            if word_row.forgotten_at is None and word_key(word_row.salt, word_row.kind, word_row.word) != key:
                return broken(row.number, "a name in it is not the one that was written")
        previous, number = row.hash, row.number
    head = await find_one(db_session, select(AuditHeadRow).where(col(AuditHeadRow.team_id) == team.team_id))
    if (head.number, head.hash) != (number, previous) if head else number > 0:
        return broken(number + 1, "lines are missing at the end")
    return Verdict(team.team_id, team.name, number, previous, forgotten)


async def _lines(db_session: AsyncSession, team_id: str) -> AsyncIterator[AuditRow]:
    after = 0
    while True:
        # By the number and not by an offset: a chain of a year has a hundred thousand lines.
        page = select(AuditRow).where(col(AuditRow.team_id) == team_id, col(AuditRow.number) > after)
        rows = await find_all(db_session, page.order_by(col(AuditRow.number)).limit(_PAGE))
        for row in rows:
            yield row
        db_session.expunge_all()
        if len(rows) < _PAGE:
            return
        after = rows[-1].number


# ---------------------------------------------------------------- forgetting


async def forget_words(
    db_session: AsyncSession, team_id: str, kind: str, words: Sequence[str], *, now: datetime
) -> int:
    """Forget names or places of a team in every line, and return how many keys no longer tell anything."""
    mine = (
        col(AuditWordRow.team_id) == team_id,
        col(AuditWordRow.kind) == kind,
        col(AuditWordRow.word).in_(words),
        col(AuditWordRow.forgotten_at).is_(None),
    )
    return await change(db_session, update(AuditWordRow).where(*mine).values(salt="", word="", forgotten_at=now))
