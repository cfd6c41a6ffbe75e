"""What stores tell us of their own accord."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "store_hint",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("hint_key", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_store_hint_store_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_store_hint_team_id")),
        sa.PrimaryKeyConstraint("store_id", "hint_key", name=op.f("pk_store_hint")),
    )
    op.create_index(op.f("ix_store_hint_taken_at"), "store_hint", ["taken_at"])
