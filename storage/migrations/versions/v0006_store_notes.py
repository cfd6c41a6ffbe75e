"""What a store shows later: how often we looked; and what an adapter remembers of a listing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("placement", sa.Column("looks", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "store_note",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_store_note_store_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_store_note_team_id")),
        sa.PrimaryKeyConstraint("store_id", "listing_id", "name", name=op.f("pk_store_note")),
    )
