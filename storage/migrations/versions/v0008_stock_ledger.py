"""What moved in and out of stock, and what each store shows of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stock_movement",
        sa.Column("movement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=True),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_stock_movement_team_id")),
        sa.PrimaryKeyConstraint("movement_id", name=op.f("pk_stock_movement")),
        sa.UniqueConstraint("team_id", "key", name=op.f("uq_stock_movement_team_id_key")),
    )
    op.create_index(op.f("ix_stock_movement_team_id_day"), "stock_movement", ["team_id", "day"], unique=False)
    op.create_index(
        op.f("ix_stock_movement_team_id_sku_key_movement_id"),
        "stock_movement",
        ["team_id", "sku_key", "movement_id"],
        unique=False,
    )
    op.create_table(
        "stock_order_line",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("ordered", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("restocked", sa.Integer(), nullable=False),
        sa.Column("shipped", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_stock_order_line_team_id")),
        sa.PrimaryKeyConstraint("store_id", "order_id", "line_id", name=op.f("pk_stock_order_line")),
    )
    op.create_table(
        "stock_sku",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("lead_days", sa.Integer(), nullable=True),
        sa.Column("review_days", sa.Integer(), nullable=True),
        sa.Column("pack", sa.Integer(), nullable=True),
        sa.Column("supplier", sa.String(), nullable=False),
        sa.Column("cost", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("split_at", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_stock_sku_team_id")),
        sa.PrimaryKeyConstraint("team_id", "sku_key", name=op.f("pk_stock_sku")),
    )
    op.create_table(
        "stock_mismatch",
        sa.Column("mismatch_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("stock_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("observed", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_stock_mismatch_store_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_stock_mismatch_team_id")),
        sa.PrimaryKeyConstraint("mismatch_id", name=op.f("pk_stock_mismatch")),
    )
    op.create_index(
        op.f("ix_stock_mismatch_team_id_state_opened_at"),
        "stock_mismatch",
        ["team_id", "state", "opened_at"],
        unique=False,
    )
    op.create_index(
        "uq_stock_mismatch_open",
        "stock_mismatch",
        ["store_id", "stock_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "stock_outlet",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("stock_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("buffer", sa.Integer(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("slack", sa.Integer(), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspected", sa.Integer(), nullable=True),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_stock_outlet_store_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_stock_outlet_team_id")),
        sa.PrimaryKeyConstraint("store_id", "stock_id", name=op.f("pk_stock_outlet")),
    )
    op.create_index(op.f("ix_stock_outlet_team_id_sku_key"), "stock_outlet", ["team_id", "sku_key"], unique=False)
    op.create_table(
        "stock_pull",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("cursor", sa.DateTime(timezone=True), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_stock_pull_store_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_stock_pull_team_id")),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_stock_pull")),
    )
    op.create_table(
        "stock_push",
        sa.Column("push_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("stock_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("from_quantity", sa.Integer(), nullable=False),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_stock_push_store_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_stock_push_team_id")),
        sa.PrimaryKeyConstraint("push_id", name=op.f("pk_stock_push")),
    )
    op.create_index(
        op.f("ix_stock_push_team_id_state_opened_at"), "stock_push", ["team_id", "state", "opened_at"], unique=False
    )
    op.create_index(
        "uq_stock_push_open",
        "stock_push",
        ["store_id", "stock_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
