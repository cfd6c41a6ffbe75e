"""The tables of the audit: a chain of hashes per team, which the database itself keeps append-only.

Triggers (migration 0013) refuse every change and deletion; the one exception is a team that was forgotten as a
whole, which `forgotten_team` says for ever. What names a person or a place stands in `audit_word` and not in the
chain, so that it can be forgotten without breaking the chain (docs/decisions/0014).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field

from storage.tables import BIG_ID, Row, UtcDateTime


class AuditRow(Row, table=True):
    """Who did what. `number` counts up from 1 in a team, without gaps; `hash` covers every other field but `audit_id`.

    `who_key`, `about_key` and `place_key` are keys of `audit_word`, empty for none.
    """

    __tablename__ = "audit"
    __table_args__ = (Index(None, "team_id", "sku_key", "at"), UniqueConstraint("team_id", "number"))
    audit_id: int | None = Field(default=None, primary_key=True, sa_type=BIG_ID)
    team_id: str = Field(foreign_key="team.team_id")
    number: int
    at: datetime = Field(sa_type=UtcDateTime)
    who_key: str
    about_key: str
    chat: str
    place_key: str
    action: str
    sku: str
    sku_key: str
    subject_id: str
    what: str
    before: Any = Field(sa_type=JSON)
    after: Any = Field(sa_type=JSON)
    previous_hash: str
    hash: str


class AuditHeadRow(Row, table=True):
    """The newest line of a team's chain: whoever appends holds this row until the commit."""

    __tablename__ = "audit_head"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    number: int
    hash: str


class AuditWordRow(Row, table=True):
    """A person's name or a place's id, under the hash of it and a random salt. Forgotten: `salt` and `word` are empty."""

    __tablename__ = "audit_word"
    __table_args__ = (Index(None, "team_id", "kind", "word"),)
    word_key: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    kind: str
    salt: str
    word: str
    forgotten_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ForgottenTeamRow(Row, table=True):
    """That a team was here and was forgotten, with the end of its chain. It allows the deletion of its audit."""

    __tablename__ = "forgotten_team"
    team_id: str = Field(primary_key=True)
    forgotten_at: datetime = Field(sa_type=UtcDateTime)
    lines: int
    last_hash: str
