"""The tables of how stores and chats are doing, and of files that people may fetch."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from storage.tables import Row, UtcDateTime


class StorePulseRow(Row, table=True):
    """How often in a row talking to a store failed, how the last failure is called, and when its key ends.

    `failure` is a `FailureKind` value, `scope` the right it lacked. Both stay after the store answered again: `failures`
    says whether it still fails.
    """

    __tablename__ = "store_pulse"
    store_id: str = Field(foreign_key="store.store_id", primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    failures: int = 0
    failure: str = ""
    scope: str = ""
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    key_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class HealthNoticeRow(Row, table=True):
    """That people were told of something about a store, so that they are told once; deleted when it is over."""

    __tablename__ = "health_notice"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    subject: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    said_at: datetime = Field(sa_type=UtcDateTime)


class KeptFileRow(Row, table=True):
    """A file made for a team, to be fetched for a while. Its bytes are in the media storage under `sha256`."""

    __tablename__ = "kept_file"
    file_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    name: str
    content_type: str
    sha256: str
    made_at: datetime = Field(sa_type=UtcDateTime, index=True)


class ExportTicketRow(Row, table=True):
    """The right to fetch a team's export once, by the hash of its code; the export itself is made when it is fetched."""

    __tablename__ = "export_ticket"
    code_hash: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    asked_by: str
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
