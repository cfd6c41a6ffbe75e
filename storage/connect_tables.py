"""The tables behind connecting a store: links that were handed out, the rights stores gave, and stores that went."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from storage.tables import Row, UtcDateTime


class ConnectLinkRow(Row, table=True):
    """A one-time link to connect a store; of its code, of the browser and of the state only hashes are kept.

    `sealed` is what must be remembered until the vendor's page was answered, encrypted by the vault; it goes when the
    link ends. A row is of no use after `expires_at`.
    """

    __tablename__ = "connect_link"
    link_hash: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    member_id: str = Field(foreign_key="member.member_id", index=True)
    chat: str
    place_id: str
    thread_id: str = ""
    platform: str
    store_id: str = ""
    given: Any = Field(sa_type=JSON)
    wanted: str = ""
    browser_hash: str = ""
    state_hash: str | None = Field(default=None, unique=True)
    sealed: bytes | None = None
    ended: str = ""
    expires_at: datetime = Field(sa_type=UtcDateTime)


class StoreScopeRow(Row, table=True):
    """A right that a store has given us, and when a call last needed it."""

    __tablename__ = "store_scope"
    store_id: str = Field(foreign_key="store.store_id", primary_key=True)
    scope: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    given_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DisconnectedStoreRow(Row, table=True):
    """A store that was taken away: its row stays, because the history speaks of it, and connecting it again revives it."""

    __tablename__ = "disconnected_store"
    store_id: str = Field(foreign_key="store.store_id", primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    shop: str = ""
    """Which account of the platform it was: another one must not take its place."""
    disconnected_at: datetime = Field(sa_type=UtcDateTime)
