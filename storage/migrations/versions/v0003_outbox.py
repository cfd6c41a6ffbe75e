"""The outbox knows what was cut off, what is gone, and which places cannot be reached."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("sending_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("posted_message", sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "chat_trouble",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_chat_trouble_team_id")),
        sa.PrimaryKeyConstraint("team_id", "chat", "place_id", "kind", name=op.f("pk_chat_trouble")),
    )
