"""The tables around the ledger: the switch, how far each store is, jobs that wait, runs that ask, what was oversold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, text
from sqlmodel import Field

from storage.tables import Row, UtcDateTime


class SyncSwitchRow(Row, table=True):
    """Whether a team's stores are kept in step; no row means off."""

    __tablename__ = "sync_switch"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    is_on: bool
    turned_by: str
    turned_at: datetime = Field(sa_type=UtcDateTime)


class SyncPlaceRow(Row, table=True):
    """A place where a team's cards about stock are shown."""

    __tablename__ = "sync_place"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    chat: str = Field(primary_key=True)
    place_id: str = Field(primary_key=True)
    thread_id: str


class SyncStoreRow(Row, table=True):
    """How far one store is; see domain.sync.StoreSync."""

    __tablename__ = "sync_store"
    store_id: str = Field(foreign_key="store.store_id", ondelete="CASCADE", primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    pulled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    wanted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    hinted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    recheck_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    trouble: str = ""
    trouble_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failures: int = 0
    is_linked: bool = False


class SyncJobRow(Row, table=True):
    """A kind of job on one subject: `number` names the last one enqueued, `opened_at` is set until it begins."""

    __tablename__ = "sync_job"
    job: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    number: int
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)


class SyncDueRow(Row, table=True):
    """A SKU that may have something to write; an empty `sku_key` stands for all of the team."""

    __tablename__ = "sync_due"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    sku_key: str = Field(primary_key=True)
    sku: str


_NOT_OVER = text("state IN ('reading', 'asked', 'going')")


class SyncRunRow(Row, table=True):
    """A run that waits for a yes, or did; at most one of a kind and subject is not over. `dry_run` is its diff."""

    __tablename__ = "sync_run"
    __table_args__ = (
        Index(
            "uq_sync_run_waiting", "kind", "subject_id", unique=True,
            sqlite_where=_NOT_OVER, postgresql_where=_NOT_OVER,
        ),
    )  # fmt: skip
    run_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    kind: str
    subject_id: str
    state: str
    opened_at: datetime = Field(sa_type=UtcDateTime)
    dry_run: Any = Field(sa_type=JSON)


_OPEN = text("is_open")


class OversoldRow(Row, table=True):
    """More was ordered of a SKU than there is; at most one a SKU is open. `orders` are those that took the last."""

    __tablename__ = "oversold"
    __table_args__ = (
        Index(
            "uq_oversold_open", "team_id", "sku_key", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        ),
    )  # fmt: skip
    oversold_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    sku_key: str
    sku: str
    missing: int
    orders: Any = Field(sa_type=JSON)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    is_open: bool
    by: str = ""
