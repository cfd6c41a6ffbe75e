"""Sentences in the reader's language, reminders, answers under a card, members whose workspace vouches for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("enhancement", "placement"):
        op.add_column(table, sa.Column("failure_said", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("enhancement", sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("enhancement", sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("posted_message", sa.Column("under", sa.String(), nullable=True))
    op.add_column("seen_event", sa.Column("is_spare", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("identity", sa.Column("standing", sa.String(), nullable=False, server_default=""))
    # Until now nobody wrote down who came by a code: whoever used none was vouched for by their workspace.
    op.execute(
        "UPDATE identity SET standing = 'vouched' WHERE chat = 'slack' AND member_id NOT IN"
        " (SELECT used_by FROM invitation WHERE used_by IS NOT NULL)"
    )
