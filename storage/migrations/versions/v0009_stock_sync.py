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
    _switch()
    _stores_and_jobs()
    _questions()


def _team(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f(f"fk_{table}_team_id"))


def _switch() -> None:
    op.create_table(
        "sync_switch",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("turned_by", sa.String(), nullable=False),
        sa.Column("turned_at", sa.DateTime(timezone=True), nullable=False),
        _team("sync_switch"),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_sync_switch")),
    )
    op.create_table(
        "sync_place",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=False),
        _team("sync_place"),
        sa.PrimaryKeyConstraint("team_id", "chat", "place_id", name=op.f("pk_sync_place")),
    )


def _stores_and_jobs() -> None:
    op.create_table(
        "sync_store",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("pulled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hinted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recheck_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("trouble_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("is_linked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_sync_store_store_id"), ondelete="CASCADE"
        ),
        _team("sync_store"),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_sync_store")),
    )
    op.create_index(op.f("ix_sync_store_team_id"), "sync_store", ["team_id"])
    op.create_table(
        "sync_job",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        _team("sync_job"),
        sa.PrimaryKeyConstraint("job", "subject_id", name=op.f("pk_sync_job")),
    )
    op.create_index(op.f("ix_sync_job_opened_at"), "sync_job", ["opened_at"])
    op.create_table(
        "sync_due",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        _team("sync_due"),
        sa.PrimaryKeyConstraint("team_id", "sku_key", name=op.f("pk_sync_due")),
    )


def _questions() -> None:
    not_over = sa.text("state IN ('reading', 'asked', 'going')")
    op.create_table(
        "sync_run",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dry_run", sa.JSON(), nullable=False),
        _team("sync_run"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_sync_run")),
    )
    op.create_index(op.f("ix_sync_run_team_id"), "sync_run", ["team_id"])
    op.create_index(
        "uq_sync_run_waiting", "sync_run", ["kind", "subject_id"], unique=True,
        sqlite_where=not_over, postgresql_where=not_over,
    )  # fmt: skip
    op.create_table(
        "oversold",
        sa.Column("oversold_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("orders", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        _team("oversold"),
        sa.PrimaryKeyConstraint("oversold_id", name=op.f("pk_oversold")),
    )
    op.create_index(
        "uq_oversold_open", "oversold", ["team_id", "sku_key"], unique=True,
        sqlite_where=sa.text("is_open"), postgresql_where=sa.text("is_open"),
    )  # fmt: skip
