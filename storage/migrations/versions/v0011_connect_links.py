"""One-time links that connect a store, which rights were used, and which stores were taken away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "connect_link",
        sa.Column("link_hash", sa.String(), nullable=False),
        *_texts("team_id", "member_id", "chat", "place_id", "thread_id", "platform", "store_id"),
        sa.Column("given", sa.JSON(), nullable=False),
        *_texts("wanted", "browser_hash"),
        sa.Column("state_hash", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        *_texts("ended"),
        sa.Column("expires_at", _MOMENT, nullable=False),
        _key("connect_link", "team_id", "team"),
        _key("connect_link", "member_id", "member"),
        sa.PrimaryKeyConstraint("link_hash", name=op.f("pk_connect_link")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_connect_link_state_hash")),
    )
    op.create_index(op.f("ix_connect_link_team_id"), "connect_link", ["team_id"])
    op.create_index(op.f("ix_connect_link_member_id"), "connect_link", ["member_id"])
    op.create_table(
        "store_scope",
        *_texts("store_id", "scope", "team_id"),
        sa.Column("given_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        _key("store_scope", "store_id", "store"),
        _key("store_scope", "team_id", "team"),
        sa.PrimaryKeyConstraint("store_id", "scope", name=op.f("pk_store_scope")),
    )
    op.create_table(
        "disconnected_store",
        *_texts("store_id", "team_id", "shop"),
        sa.Column("disconnected_at", _MOMENT, nullable=False),
        _key("disconnected_store", "store_id", "store"),
        _key("disconnected_store", "team_id", "team"),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_disconnected_store")),
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _key(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.{column}"], name=op.f(f"fk_{table}_{column}"))
