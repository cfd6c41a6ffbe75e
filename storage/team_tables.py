"""Tables of teams: their rules, half-made decisions, whose a place is, and the Slack workspaces that installed us.

The last two tables are laid out as slack_sdk's SQLAlchemy installation store reads and writes them (its columns,
its naive UTC times); `bot/slack_installs.py` encrypts every token before it comes here. There `team_id` is Slack's
word for a workspace; which team of ours it belongs to stands in `slack_workspace`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from storage.tables import BIG_ID, Row, SealedText, UtcDateTime

_SEALED = SealedText(2000)
"""Of slack_sdk's 200 characters a sealed token would need more on PostgreSQL."""


class TeamRuleRow(Row, table=True):
    """What a team has agreed on about approving; without a row the defaults hold."""

    __tablename__ = "team_rule"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    own: bool = True
    approvals: int = 1


class ApprovalRow(Row, table=True):
    """One person's yes to a revision that needs more than one; once each."""

    __tablename__ = "approval"
    __table_args__ = (
        ForeignKeyConstraint(["enhancement_id", "revision"], ["revision.enhancement_id", "revision.number"]),
    )
    enhancement_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    member_id: str = Field(foreign_key="member.member_id", primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    by_name: str
    approved_at: datetime = Field(sa_type=UtcDateTime)


class PlaceHomeRow(Row, table=True):
    """Whose a place is where one bot serves several teams: a group's for good, a private talk's until it is switched."""

    __tablename__ = "place_home"
    chat: str = Field(primary_key=True)
    place_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    since: datetime = Field(sa_type=UtcDateTime)


class SlackLinkRow(Row, table=True):
    """An admin's one-time link to install us in a workspace, and the OAuth state that came of it; both as hashes.

    `team_id` None: the workspace becomes a team of its own, its installer the admin.
    """

    __tablename__ = "slack_link"
    link_hash: str = Field(primary_key=True)
    team_id: str | None = Field(default=None, foreign_key="team.team_id")
    made_by: str
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state_hash: str | None = Field(default=None, unique=True)
    state_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SlackWorkspaceRow(Row, table=True):
    """Which team a workspace belongs to; one each, so that a team's messages have one way out. Gone once uninstalled."""

    __tablename__ = "slack_workspace"
    __table_args__ = (UniqueConstraint("team_id"),)
    workspace_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    enterprise_id: str = ""
    name: str
    installed_at: datetime = Field(sa_type=UtcDateTime)


class SlackBotRow(Row, table=True):
    """slack_sdk's table of bot tokens."""

    __tablename__ = "slack_bot"
    __table_args__ = (Index("slack_bot_idx", "client_id", "enterprise_id", "team_id", "installed_at"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_ID)
    client_id: str
    app_id: str
    enterprise_id: str | None = None
    enterprise_name: str | None = None
    team_id: str | None = None
    team_name: str | None = None
    bot_token: str | None = Field(default=None, sa_type=_SEALED)
    bot_id: str | None = None
    bot_user_id: str | None = None
    bot_scopes: str | None = None
    bot_refresh_token: str | None = Field(default=None, sa_type=_SEALED)
    bot_token_expires_at: datetime | None = Field(default=None, sa_type=DateTime)
    is_enterprise_install: bool = False
    installed_at: datetime = Field(sa_type=DateTime)


class SlackInstallationRow(Row, table=True):
    """slack_sdk's table of installations."""

    __tablename__ = "slack_installation"
    __table_args__ = (
        Index("slack_installation_idx", "client_id", "enterprise_id", "team_id", "user_id", "installed_at"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_ID)
    client_id: str
    app_id: str
    enterprise_id: str | None = None
    enterprise_name: str | None = None
    enterprise_url: str | None = None
    team_id: str | None = None
    team_name: str | None = None
    bot_token: str | None = Field(default=None, sa_type=_SEALED)
    bot_id: str | None = None
    bot_user_id: str | None = None
    bot_scopes: str | None = None
    bot_refresh_token: str | None = Field(default=None, sa_type=_SEALED)
    bot_token_expires_at: datetime | None = Field(default=None, sa_type=DateTime)
    user_id: str
    user_token: str | None = Field(default=None, sa_type=_SEALED)
    user_scopes: str | None = None
    user_refresh_token: str | None = Field(default=None, sa_type=_SEALED)
    user_token_expires_at: datetime | None = Field(default=None, sa_type=DateTime)
    incoming_webhook_url: str | None = Field(default=None, sa_type=_SEALED)
    incoming_webhook_channel: str | None = None
    incoming_webhook_channel_id: str | None = None
    incoming_webhook_configuration_url: str | None = None
    is_enterprise_install: bool = False
    token_type: str | None = None
    installed_at: datetime = Field(sa_type=DateTime)
