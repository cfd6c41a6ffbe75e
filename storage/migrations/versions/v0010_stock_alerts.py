"""Who is told of low stock, when, and what was said; and what surveys of the stores found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _places()
    _surveys()


def _team(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f(f"fk_{table}_team_id"))


def _store(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_store_id")
    return sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=name, ondelete="CASCADE")


def _places() -> None:
    op.create_table(
        "alert_place",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("at_minute", sa.Integer(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        _team("alert_place"),
        sa.PrimaryKeyConstraint("team_id", "chat", "place_id", name=op.f("pk_alert_place")),
    )
    op.create_table(
        "digest",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        _team("digest"),
        sa.PrimaryKeyConstraint("team_id", "chat", "place_id", "local_date", name=op.f("pk_digest")),
    )
    op.create_table(
        "alert_state",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quiet", sa.String(), nullable=False),
        sa.Column("quiet_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quiet_on_hand", sa.BigInteger(), nullable=False),
        sa.Column("quiet_by", sa.String(), nullable=False),
        _team("alert_state"),
        sa.PrimaryKeyConstraint("team_id", "sku_key", name=op.f("pk_alert_state")),
    )
    op.create_table(
        "alert_told",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _team("alert_told"),
        sa.PrimaryKeyConstraint("team_id", "chat", "place_id", "sku_key", name=op.f("pk_alert_told")),
    )


def _surveys() -> None:
    op.create_table(
        "survey_store",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("orders_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("orders_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("goods_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("trouble_at", sa.DateTime(timezone=True), nullable=True),
        _store("survey_store"),
        _team("survey_store"),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_survey_store")),
    )
    op.create_index(op.f("ix_survey_store_team_id"), "survey_store", ["team_id"])
    op.create_table(
        "survey_goods",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("product_key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("variant", sa.String(), nullable=False),
        sa.Column("price", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=True),
        sa.Column("quantity_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("new_since", sa.Date(), nullable=True),
        _store("survey_goods"),
        _team("survey_goods"),
        sa.PrimaryKeyConstraint("store_id", "sku_key", name=op.f("pk_survey_goods")),
    )
    op.create_index(op.f("ix_survey_goods_team_id_sku_key"), "survey_goods", ["team_id", "sku_key"])
    op.create_table(
        "survey_order",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ship_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        _store("survey_order"),
        _team("survey_order"),
        sa.PrimaryKeyConstraint("store_id", "order_id", name=op.f("pk_survey_order")),
    )
    op.create_index(op.f("ix_survey_order_team_id_ordered_at"), "survey_order", ["team_id", "ordered_at"])
    op.create_index(op.f("ix_survey_order_team_id_state"), "survey_order", ["team_id", "state"])
    op.create_table(
        "survey_sale",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        _team("survey_sale"),
        sa.PrimaryKeyConstraint("store_id", "order_id", "line_id", name=op.f("pk_survey_sale")),
    )
    op.create_index(op.f("ix_survey_sale_team_id_day"), "survey_sale", ["team_id", "day"])
    op.create_index(
        op.f("ix_survey_sale_team_id_sku_key_ordered_at"), "survey_sale", ["team_id", "sku_key", "ordered_at"]
    )
    op.create_table(
        "survey_out",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=True),
        _team("survey_out"),
        sa.PrimaryKeyConstraint("team_id", "sku_key", "from_day", name=op.f("pk_survey_out")),
    )
