"""Slack and Telegram: what is set in a place, albums, and which message an event was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("place", sa.Column("language", sa.String(), nullable=False, server_default=""))
    op.add_column("place", sa.Column("timezone", sa.String(), nullable=False, server_default=""))
    op.add_column("place", sa.Column("previews", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("seen_event", sa.Column("message_id", sa.String(), nullable=False, server_default=""))
    op.add_column("seen_event", sa.Column("album", sa.String(), nullable=True))
    op.add_column("seen_event", sa.Column("gathered_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_seen_event_album"), "seen_event", ["album"], unique=False)
    op.create_index(op.f("ix_seen_event_team_id_message_id"), "seen_event", ["team_id", "message_id"], unique=False)
