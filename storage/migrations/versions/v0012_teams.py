"""Several teams, their rules, and the Slack workspaces that installed us."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("member", sa.Column("removed_at", _MOMENT, nullable=True))
    op.add_column("invitation", sa.Column("revoked_at", _MOMENT, nullable=True))
    op.create_table(
        "team_rule",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("approvals", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_team_rule_team_id")),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_team_rule")),
    )
    op.create_table(
        "approval",
        sa.Column("enhancement_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("approved_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["enhancement_id", "revision"],
            ["revision.enhancement_id", "revision.number"],
            name=op.f("fk_approval_enhancement_id_revision"),
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.member_id"], name=op.f("fk_approval_member_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_approval_team_id")),
        sa.PrimaryKeyConstraint("enhancement_id", "revision", "member_id", name=op.f("pk_approval")),
    )
    op.create_table(
        "place_home",
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_place_home_team_id")),
        sa.PrimaryKeyConstraint("chat", "place_id", name=op.f("pk_place_home")),
    )
    op.create_index(op.f("ix_place_home_team_id"), "place_home", ["team_id"])
    # Groups that talk to us already belong to the team they talked to, which until now was the only one.
    op.execute(
        "INSERT INTO place_home (chat, place_id, team_id, since)"
        " SELECT chat, place_id, min(team_id), min(first_seen_at) FROM place"
        " WHERE chat = 'telegram' AND place_id LIKE '-%' GROUP BY chat, place_id"
    )
    op.create_table(
        "slack_link",
        sa.Column("link_hash", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.Column("state_hash", sa.String(), nullable=True),
        sa.Column("state_expires_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_slack_link_team_id")),
        sa.PrimaryKeyConstraint("link_hash", name=op.f("pk_slack_link")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_slack_link_state_hash")),
    )
    op.create_table(
        "slack_workspace",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("enterprise_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("installed_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_slack_workspace_team_id")),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_slack_workspace")),
        sa.UniqueConstraint("team_id", name=op.f("uq_slack_workspace_team_id")),
    )
    _slack_bots()
    _slack_installations()


def _slack_bots() -> None:
    op.create_table(
        "slack_bot",
        sa.Column("id", _BIG_ID, nullable=False),
        *_texts("client_id", "app_id", nullable=False),
        *_texts("enterprise_id", "enterprise_name", "team_id", "team_name"),
        *_sealed("bot_token", "bot_refresh_token"),
        *_texts("bot_id", "bot_user_id", "bot_scopes"),
        sa.Column("bot_token_expires_at", sa.DateTime(), nullable=True),
        sa.Column("is_enterprise_install", sa.Boolean(), nullable=False),
        sa.Column("installed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slack_bot")),
    )
    op.create_index("slack_bot_idx", "slack_bot", ["client_id", "enterprise_id", "team_id", "installed_at"])


def _slack_installations() -> None:
    op.create_table(
        "slack_installation",
        sa.Column("id", _BIG_ID, nullable=False),
        *_texts("client_id", "app_id", "user_id", nullable=False),
        *_texts("enterprise_id", "enterprise_name", "enterprise_url", "team_id", "team_name"),
        *_sealed("bot_token", "bot_refresh_token", "user_token", "user_refresh_token", "incoming_webhook_url"),
        *_texts("bot_id", "bot_user_id", "bot_scopes", "user_scopes", "token_type"),
        *_texts("incoming_webhook_channel", "incoming_webhook_channel_id", "incoming_webhook_configuration_url"),
        sa.Column("bot_token_expires_at", sa.DateTime(), nullable=True),
        sa.Column("user_token_expires_at", sa.DateTime(), nullable=True),
        sa.Column("is_enterprise_install", sa.Boolean(), nullable=False),
        sa.Column("installed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slack_installation")),
    )
    op.create_index(
        "slack_installation_idx",
        "slack_installation",
        ["client_id", "enterprise_id", "team_id", "user_id", "installed_at"],
    )


def _texts(*names: str, nullable: bool = True) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=nullable) for name in names]


def _sealed(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(2000), nullable=True) for name in names]
