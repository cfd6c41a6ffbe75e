"""What is known of the browsers that are signed in."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from storage.tables import Row, UtcDateTime


class BrowserSessionRow(Row, table=True):
    """Where and when a login's cookie was given, and when it was last shown; it goes with the login."""

    __tablename__ = "browser_session"
    login_id: str = Field(foreign_key="console_login.login_id", primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    member_id: str = Field(foreign_key="member.member_id", index=True)
    browser: str
    address: str
    began_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime = Field(sa_type=UtcDateTime)
