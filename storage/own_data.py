"""A team's data as a whole: files to be fetched, what is exported, what is forgotten. The port `DataRows`.

Whatever must miss nothing walks every table there is (`storage/every_table.py`), those of tomorrow too.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, String, Table, delete, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import Sha256
from domain.data_rows import KeptFile, PersonTraces
from storage.alert_tables import AlertPlaceRow, AlertToldRow, DigestRow
from storage.audit import FORGOTTEN, PERSON, PLACE, forget_words, known_people
from storage.audit_tables import AuditHeadRow, AuditRow, ForgottenTeamRow
from storage.database import Database
from storage.every_table import every_table
from storage.health_tables import ExportTicketRow, HealthNoticeRow, KeptFileRow
from storage.people import hashed
from storage.rotation import is_sealed
from storage.sessions import end_logins
from storage.statements import change, find_all, find_one, insert, insert_once
from storage.tables import ConsoleLoginRow, IdentityRow, MemberRow, PlaceRow, TeamRow
from storage.team_tables import SlackWorkspaceRow

GOING = "forget"
"""A notice about a team itself: everything of it is to be deleted."""
CODE_BYTES = 24
_AUDIT = frozenset({"audit", "audit_head", "audit_word", "forgotten_team"})
_OF_WORKSPACE = frozenset({"slack_bot", "slack_installation"})
"""slack_sdk's tables: their `team_id` is Slack's word for a workspace."""
_SHORTEST_NAME = 3
"""A shorter name is replaced only where it stands alone: “Al” is in too many words."""
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


class SqlData:
    """What concerns a team's data as a whole, in one transaction."""

    def __init__(self, db_session: AsyncSession, now: datetime) -> None:
        self._db_session = db_session
        self._now = now

    async def keep_file(self, team_id: str, name: str, content_type: str, content: Sha256) -> str:
        """Let a team fetch stored bytes under a name for a week; return the file's id."""
        row = KeptFileRow(
            file_id=secrets.token_urlsafe(16),
            team_id=team_id,
            name=name,
            content_type=content_type,
            sha256=content,
            made_at=self._now,
        )
        await insert(self._db_session, row)
        return row.file_id

    async def find_file(self, team_id: str, file_id: str) -> KeptFile | None:
        """Return a file of this team, None for one of another or none."""
        mine = select(KeptFileRow).where(col(KeptFileRow.team_id) == team_id, col(KeptFileRow.file_id) == file_id)
        row = await find_one(self._db_session, mine)
        if row is None:
            return None
        return KeptFile(row.file_id, row.team_id, row.name, row.content_type, Sha256(row.sha256))

    async def offer_export(self, team_id: str, *, by: str, expires_at: datetime) -> str:
        """Return a one-time code for the team's export; only its hash is kept."""
        code = secrets.token_urlsafe(CODE_BYTES)
        await insert(
            self._db_session,
            ExportTicketRow(code_hash=hashed(code), team_id=team_id, asked_by=by, expires_at=expires_at),
        )
        return code

    async def is_export_offered(self, code: str) -> bool:
        """Whether a code would still give an export, without using it up."""
        return await find_one(self._db_session, select(ExportTicketRow).where(*_is_good(code, self._now))) is not None

    async def take_export(self, code: str) -> tuple[str, str] | None:
        """Use a code up; return the team's id and who asked, None for one that is unknown, used or too old."""
        row = await find_one(self._db_session, select(ExportTicketRow).where(*_is_good(code, self._now)))
        taken = update(ExportTicketRow).where(*_is_good(code, self._now)).values(used_at=self._now)
        if row is None or await change(self._db_session, taken) != 1:
            return None
        return row.team_id, row.asked_by

    async def team_facts(self, team_id: str) -> Mapping[str, int]:
        """Return how much of what a team has, by the name of its table; empty tables are left out."""
        facts = {}
        for table in every_table():
            if (mine := await self._of_team(table, team_id)) is not None:
                counted = select(func.count()).select_from(table).where(mine)
                facts[table.name] = int((await self._db_session.execute(counted)).scalar_one())
        return {name: count for name, count in facts.items() if count}

    async def traces_of(self, team_id: str, name: str) -> PersonTraces | None:
        """Return where somebody is known by this name, in any case; None for a name nobody has or had."""
        wanted = name.strip().casefold()
        members = await find_all(self._db_session, select(MemberRow).where(col(MemberRow.team_id) == team_id))
        member = next((one for one in members if one.name.casefold() == wanted), None)
        people = await known_people(self._db_session, team_id)
        spelled = {one for one in people if one.casefold() == wanted}
        if member is None and not spelled:
            return None
        keys = [key for one in spelled for key in people[one]]
        named = col(AuditRow.who_key).in_(keys) | col(AuditRow.about_key).in_(keys)
        lines = select(func.count()).select_from(AuditRow).where(col(AuditRow.team_id) == team_id, named)
        identities = [] if member is None else await self._identities(member.member_id)
        return PersonTraces(
            member.member_id if member else "",
            member.name if member else min(spelled),
            len(identities),
            int((await self._db_session.execute(lines)).scalar_one()),
        )

    async def forget_person(self, team_id: str, traces: PersonTraces, *, now: datetime) -> int:
        """Take the person's access, and put “(forgotten)” for their name and ids in every row; return how many rows."""
        identities = await self._identities(traces.member_id) if traces.member_id else []
        ids = sorted({row.actor_id for row in identities} - {traces.name})
        await forget_words(self._db_session, team_id, PERSON, [traces.name, *ids], now=now)
        await forget_words(self._db_session, team_id, PLACE, ids, now=now)
        await end_logins(self._db_session, col(ConsoleLoginRow.member_id) == traces.member_id)
        theirs = update(MemberRow).where(
            col(MemberRow.member_id) == traces.member_id, col(MemberRow.removed_at).is_(None)
        )
        await change(self._db_session, theirs.values(removed_at=now))
        for kind, mine in (
            (IdentityRow, col(IdentityRow.member_id) == traces.member_id),
            (PlaceRow, (col(PlaceRow.team_id) == team_id) & col(PlaceRow.place_id).in_(ids)),
            (AlertPlaceRow, (col(AlertPlaceRow.team_id) == team_id) & col(AlertPlaceRow.place_id).in_(ids)),
            (AlertToldRow, (col(AlertToldRow.team_id) == team_id) & col(AlertToldRow.place_id).in_(ids)),
            (DigestRow, (col(DigestRow.team_id) == team_id) & col(DigestRow.place_id).in_(ids)),
        ):
            await change(self._db_session, delete(kind).where(mine))
        changed = 0
        hide = _Hide(traces.name, ids)
        for table in every_table():
            if table.name not in _AUDIT | _OF_WORKSPACE and "team_id" in table.columns:
                changed += await self._hide_in(table, table.columns["team_id"] == team_id, hide)
        return changed

    async def ask_to_forget_team(self, team_id: str, *, now: datetime) -> None:
        """Note that everything of the team is to be deleted as soon as this transaction's messages are delivered."""
        await insert_once(self._db_session, HealthNoticeRow(team_id=team_id, subject=team_id, kind=GOING, said_at=now))

    async def going_teams(self) -> Sequence[tuple[str, datetime]]:
        """Return the teams that asked to be deleted, and when."""
        going = select(HealthNoticeRow).where(col(HealthNoticeRow.kind) == GOING)
        return [(row.team_id, row.said_at) for row in await find_all(self._db_session, going)]

    async def forget_team(self, team_id: str, *, now: datetime) -> set[str]:
        """Delete every row of a team; return the digests of photos that nobody else's row names any more."""
        head = await find_one(self._db_session, select(AuditHeadRow).where(col(AuditHeadRow.team_id) == team_id))
        tombstone = ForgottenTeamRow(
            team_id=team_id, forgotten_at=now, lines=head.number if head else 0, last_hash=head.hash if head else ""
        )
        await insert(self._db_session, tombstone)
        theirs = await self._digests(team_id)
        # Looked up first: the workspaces' own rows say which of slack_sdk's are the team's.
        deletions = [(table, await self._of_team(table, team_id)) for table in reversed(every_table())]
        for table, mine in deletions:
            if mine is not None and table.name != "forgotten_team":
                await self._db_session.execute(table.delete().where(mine))
        return theirs - await self._digests(None) if theirs else set()

    # ------------------------------------------------------------ walking every table

    async def rows(self, table: Table, team_id: str) -> AsyncIterator[Mapping[str, Any]]:
        """Yield a team's rows of a table, without what is sealed."""
        mine = await self._of_team(table, team_id)
        if mine is None:
            return
        columns = [column for column in table.columns if not is_sealed(column)]
        statement = select(*columns).where(mine).order_by(*table.primary_key)
        async for row in (await self._db_session.stream(statement.execution_options(yield_per=200))).mappings():
            yield dict(row)

    async def _of_team(self, table: Table, team_id: str | None) -> ColumnElement[bool] | None:
        if table.name in _OF_WORKSPACE:
            mine = select(col(SlackWorkspaceRow.workspace_id)).where(col(SlackWorkspaceRow.team_id) == team_id)
            ids = list((await self._db_session.execute(mine)).scalars())
            return table.columns["team_id"].in_(ids)
        return table.columns["team_id"] == team_id if "team_id" in table.columns else None

    async def _digests(self, team_id: str | None) -> set[str]:
        """Return every digest that a team's rows name; with None, those of every row there is."""
        found: set[str] = set()
        for table in every_table():
            columns = [column for column in table.columns if _holds_words(column) and column.name != "hash"]
            mine = literal(value=True) if team_id is None else await self._of_team(table, team_id)
            if not columns or mine is None or table.name in {*_AUDIT, "media"}:
                continue
            async for row in await self._db_session.stream(
                select(*columns).where(mine).execution_options(yield_per=500)
            ):
                found.update(*(_DIGEST.findall(str(value)) for value in row if value))
        return found

    async def _hide_in(self, table: Table, mine: ColumnElement[bool], hide: _Hide) -> int:
        key = list(table.primary_key)
        columns = [
            column
            for column in table.columns
            if _holds_words(column) and not column.primary_key and not column.foreign_keys and not is_sealed(column)
        ]
        if not columns:
            return 0
        rows = (await self._db_session.execute(select(*key, *columns).where(mine))).all()
        changed = 0
        for row in rows:
            before = dict(zip(columns, row[len(key) :], strict=True))
            after = {column: hide.value(value) for column, value in before.items()}
            if differing := {column: value for column, value in after.items() if value != before[column]}:
                same = [part == value for part, value in zip(key, row, strict=False)]
                await self._db_session.execute(table.update().where(*same).values(differing))
                changed += 1
        return changed

    async def _identities(self, member_id: str) -> Sequence[IdentityRow]:
        return await find_all(self._db_session, select(IdentityRow).where(col(IdentityRow.member_id) == member_id))


class _Hide:
    """Puts “(forgotten)” where a name or an id stands, alone or as a word among others."""

    def __init__(self, name: str, ids: Sequence[str]) -> None:
        self._alone = frozenset({name, *ids})
        words = [word for word in self._alone if len(word) >= _SHORTEST_NAME]
        among = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        self._among = re.compile(rf"(?<!\w)(?:{among})(?!\w)") if among else None

    def value(self, value: Any) -> Any:
        """Return a column's value without them."""
        match value:
            case str():
                if value in self._alone:
                    return FORGOTTEN
                return self._among.sub(FORGOTTEN, value) if self._among else value
            case list() | tuple():
                return [self.value(item) for item in value]
            case Mapping():
                return {key: self.value(item) for key, item in value.items()}
            case _:
                return value


def _holds_words(column: Column[Any]) -> bool:
    # SQLModel's strings are decorated ones.
    return isinstance(column.type, String | JSON) or isinstance(getattr(column.type, "impl", None), String)


def _is_good(code: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(ExportTicketRow.code_hash) == hashed(code),
        col(ExportTicketRow.used_at).is_(None),
        col(ExportTicketRow.expires_at) > now,
    )


async def team_named(database: Database, name: str) -> TeamRow | None:
    """Return the team of this name or id, None for no such one; the only one where no name is given."""
    async with database.read() as db_session:
        teams = await find_all(db_session, select(TeamRow))
    wanted = name.strip().casefold()
    found = [team for team in teams if wanted in {"", team.name.casefold(), team.team_id.casefold()}]
    return found[0] if len(found) == 1 else None


async def forget_files(database: Database, before: datetime) -> Sequence[Sha256]:
    """Delete the files made before then, and the used or ended rights to an export; return the files' digests."""
    old = col(KeptFileRow.made_at) < before
    async with database.begin() as db_session:
        names = [row.sha256 for row in await find_all(db_session, select(KeptFileRow).where(old))]
        if names:
            await change(db_session, delete(KeptFileRow).where(old))
        await change(db_session, delete(ExportTicketRow).where(col(ExportTicketRow.expires_at) < before))
    return [Sha256(name) for name in names]
