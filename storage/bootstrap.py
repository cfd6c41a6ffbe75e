"""The first rows of a new database: its team, and members made without an invitation."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from sqlalchemy import select
from sqlmodel import col

from domain.people import Actor, Member, Role, Team
from storage.codec import clean_text
from storage.database import Database
from storage.people import SqlPeople
from storage.statements import find_one, insert, lock_until_commit
from storage.tables import TeamRow


async def ensure_team(database: Database, name: str) -> Team:
    """Return the team of this name, made when it is missing; twice at once makes one."""
    async with database.begin() as db_session:
        await lock_until_commit(db_session, "packshot:team")
        row = await find_one(db_session, select(TeamRow).where(col(TeamRow.name) == clean_text(name)))
        if row is None:
            row = TeamRow(team_id=secrets.token_urlsafe(12), name=clean_text(name), created_at=datetime.now(UTC))
            await insert(db_session, row)
        return Team(row.team_id, row.name)


async def ensure_member(database: Database, team_id: str, name: str, role: Role, actor: Actor) -> Member:
    """Return the actor's member, made when missing; one who is a member already keeps the higher role."""
    async with database.begin() as db_session:
        return await SqlPeople(db_session).add_member(team_id, name, role, actor, now=datetime.now(UTC))
