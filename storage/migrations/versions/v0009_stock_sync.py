"""How far each store was read, what is being written to it, and what does not agree."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shelf_variant", sa.Column("written_as", sa.String(), nullable=False, server_default=""))
    op.add_column("posted_message", sa.Column("topic", sa.String(), nullable=True))
    op.create_index(op.f("ix_posted_message_topic"), "posted_message", ["topic"])
