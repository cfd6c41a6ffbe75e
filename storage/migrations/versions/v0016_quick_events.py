"""Events and `status` in the same time whatever lies behind; and when a write to a store's stock was taken up.

An event names its chat, and what is asked is indexed. Writes that are open now may have been sent.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("seen_event", sa.Column("chat", sa.String(), nullable=False, server_default=""))
    payload = sa.column("payload", sa.JSON())
    seen_event = sa.table("seen_event", sa.column("chat"), payload)
    op.execute(seen_event.update().values(chat=payload["place"]["chat"].as_string()))
    op.drop_index(op.f("ix_seen_event_team_id"), table_name="seen_event")
    op.create_index(op.f("ix_seen_event_team_id_chat_taken_at"), "seen_event", ["team_id", "chat", "taken_at"])
    open_ones = sa.text("concluded_at IS NULL")
    # Some databases were given it with 0009, which is as it was again.
    op.create_index(
        "ix_store_hint_open", "store_hint", ["store_id", "taken_at"], if_not_exists=True,
        sqlite_where=open_ones, postgresql_where=open_ones,
    )  # fmt: skip
    op.create_index("ix_seen_event_open", "seen_event", ["team_id"], sqlite_where=open_ones, postgresql_where=open_ones)
    op.create_index(op.f("ix_outbox_chat_team_id_outbox_id"), "outbox", ["chat", "team_id", "outbox_id"])
    op.drop_index(op.f("ix_enhancement_team_id_state"), table_name="enhancement")
    op.create_index(op.f("ix_enhancement_team_id_state_created_at"), "enhancement", ["team_id", "state", "created_at"])
    op.create_index(op.f("ix_identity_chat_actor_id"), "identity", ["chat", "actor_id"])
    op.add_column("stock_push", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE stock_push SET sent_at = opened_at")
