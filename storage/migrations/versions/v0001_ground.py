"""The ground: every table of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "media",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_media")),
    )
    op.create_index(op.f("ix_media_stored_at"), "media", ["stored_at"], unique=False)
    op.create_table(
        "team",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_team")),
    )
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_audit_team_id")),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_team_id_sku_key_at"), "audit", ["team_id", "sku_key", "at"], unique=False)
    op.create_table(
        "console_line",
        sa.Column("cursor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("message_key", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("photos", sa.JSON(), nullable=False),
        sa.Column("reply", sa.JSON(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_console_line_team_id")),
        sa.PrimaryKeyConstraint("cursor", name=op.f("pk_console_line")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_console_line_team_id_cause"), "console_line", ["team_id", "cause"], unique=False)
    op.create_index(
        op.f("ix_console_line_team_id_message_key"), "console_line", ["team_id", "message_key"], unique=False
    )
    op.create_index(
        op.f("ix_console_line_team_id_place_id_cursor"), "console_line", ["team_id", "place_id", "cursor"], unique=False
    )
    op.create_table(
        "enhancement",
        sa.Column("enhancement_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("photo", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("targets", sa.JSON(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_by_name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failure", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_enhancement_team_id")),
        sa.PrimaryKeyConstraint("enhancement_id", name=op.f("pk_enhancement")),
    )
    op.create_index(
        op.f("ix_enhancement_team_id_sku_key_created_at"),
        "enhancement",
        ["team_id", "sku_key", "created_at"],
        unique=False,
    )
    op.create_index(op.f("ix_enhancement_team_id_state"), "enhancement", ["team_id", "state"], unique=False)
    op.create_table(
        "member",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_member_team_id")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_member")),
    )
    op.create_index(op.f("ix_member_team_id"), "member", ["team_id"], unique=False)
    op.create_table(
        "place",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_place_team_id")),
        sa.PrimaryKeyConstraint("team_id", "chat", "place_id", name=op.f("pk_place")),
    )
    op.create_table(
        "question",
        sa.Column("question_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=False),
        sa.Column("asked_of", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("photos", sa.JSON(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("stores", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("event_key", sa.String(), nullable=False),
        sa.Column("is_answered", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_question_team_id")),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_question")),
    )
    op.create_index(
        op.f("ix_question_asked_of_chat_place_id_is_answered"),
        "question",
        ["asked_of", "chat", "place_id", "is_answered"],
        unique=False,
    )
    op.create_index(op.f("ix_question_team_id"), "question", ["team_id"], unique=False)
    op.create_table(
        "seen_event",
        sa.Column("event_key", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_seen_event_team_id")),
        sa.PrimaryKeyConstraint("event_key", name=op.f("pk_seen_event")),
    )
    op.create_index(op.f("ix_seen_event_team_id"), "seen_event", ["team_id"], unique=False)
    op.create_table(
        "store",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("credentials", sa.LargeBinary(), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_store_team_id")),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_store")),
        sa.UniqueConstraint("team_id", "name", name=op.f("uq_store_team_id_name")),
    )
    op.create_table(
        "console_login",
        sa.Column("login_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cookie_hash", sa.String(), nullable=True),
        sa.Column("cookie_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.member_id"], name=op.f("fk_console_login_member_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_console_login_team_id")),
        sa.PrimaryKeyConstraint("login_id", name=op.f("pk_console_login")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_console_login_code_hash")),
        sa.UniqueConstraint("cookie_hash", name=op.f("uq_console_login_cookie_hash")),
    )
    op.create_index(op.f("ix_console_login_member_id"), "console_login", ["member_id"], unique=False)
    op.create_index(op.f("ix_console_login_team_id"), "console_login", ["team_id"], unique=False)
    op.create_table(
        "identity",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.member_id"], name=op.f("fk_identity_member_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_identity_team_id")),
        sa.PrimaryKeyConstraint("team_id", "chat", "actor_id", name=op.f("pk_identity")),
    )
    op.create_index(op.f("ix_identity_member_id"), "identity", ["member_id"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("invited_by", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_invitation_team_id")),
        sa.ForeignKeyConstraint(["used_by"], ["member.member_id"], name=op.f("fk_invitation_used_by")),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_invitation")),
    )
    op.create_index(op.f("ix_invitation_team_id"), "invitation", ["team_id"], unique=False)
    op.create_table(
        "posted_message",
        sa.Column("message_key", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("event_key", sa.String(), nullable=True),
        sa.Column("enhancement_id", sa.String(), nullable=True),
        sa.Column("is_provisional", sa.Boolean(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=False),
        sa.Column("native_id", sa.String(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["enhancement_id"], ["enhancement.enhancement_id"], name=op.f("fk_posted_message_enhancement_id")
        ),
        sa.ForeignKeyConstraint(["event_key"], ["seen_event.event_key"], name=op.f("fk_posted_message_event_key")),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_posted_message_team_id")),
        sa.PrimaryKeyConstraint("message_key", name=op.f("pk_posted_message")),
    )
    op.create_index(op.f("ix_posted_message_enhancement_id"), "posted_message", ["enhancement_id"], unique=False)
    op.create_index(op.f("ix_posted_message_event_key"), "posted_message", ["event_key"], unique=False)
    op.create_index(op.f("ix_posted_message_team_id"), "posted_message", ["team_id"], unique=False)
    op.create_table(
        "revision",
        sa.Column("enhancement_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("pictures", sa.JSON(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("preview", sa.String(), nullable=True),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enhancement_id"], ["enhancement.enhancement_id"], name=op.f("fk_revision_enhancement_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_revision_team_id")),
        sa.PrimaryKeyConstraint("enhancement_id", "number", name=op.f("pk_revision")),
    )
    op.create_table(
        "shelf_listing",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("handle", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_shelf_listing_store_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_shelf_listing_team_id")),
        sa.PrimaryKeyConstraint("store_id", "listing_id", name=op.f("pk_shelf_listing")),
        sa.UniqueConstraint("store_id", "handle", name=op.f("uq_shelf_listing_store_id_handle")),
    )
    op.create_table(
        "shelf_order",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_shelf_order_store_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_shelf_order_team_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_shelf_order")),
    )
    op.create_index(op.f("ix_shelf_order_store_id_ordered_at"), "shelf_order", ["store_id", "ordered_at"], unique=False)
    op.create_table(
        "decision",
        sa.Column("enhancement_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("by_member_id", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enhancement_id", "revision"],
            ["revision.enhancement_id", "revision.number"],
            name=op.f("fk_decision_enhancement_id_revision"),
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_decision_team_id")),
        sa.PrimaryKeyConstraint("enhancement_id", "revision", name=op.f("pk_decision")),
    )
    op.create_table(
        "outbox",
        sa.Column("outbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("message_key", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=False),
        sa.Column("reply", sa.JSON(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("is_post", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_key"], ["posted_message.message_key"], name=op.f("fk_outbox_message_key")),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_outbox_team_id")),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_message_key"), "outbox", ["message_key"], unique=False)
    op.create_index(
        op.f("ix_outbox_state_chat_place_id_thread_id_outbox_id"),
        "outbox",
        ["state", "chat", "place_id", "thread_id", "outbox_id"],
        unique=False,
    )
    op.create_table(
        "placement",
        sa.Column("placement_id", sa.String(), nullable=False),
        sa.Column("enhancement_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("target", sa.JSON(), nullable=False),
        sa.Column("picture", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("replaced", sa.JSON(), nullable=True),
        sa.Column("image_id", sa.String(), nullable=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("failure", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enhancement_id", "revision"],
            ["revision.enhancement_id", "revision.number"],
            name=op.f("fk_placement_enhancement_id_revision"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_placement_store_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_placement_team_id")),
        sa.PrimaryKeyConstraint("placement_id", name=op.f("pk_placement")),
        sa.UniqueConstraint(
            "enhancement_id",
            "revision",
            "store_id",
            "listing_id",
            name=op.f("uq_placement_enhancement_id_revision_store_id_listing_id"),
        ),
    )
    op.create_index(op.f("ix_placement_team_id_state"), "placement", ["team_id", "state"], unique=False)
    op.create_table(
        "shelf_image",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("image_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("photo", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("alt", sa.String(), nullable=False),
        sa.Column("made_for", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id", "listing_id"],
            ["shelf_listing.store_id", "shelf_listing.listing_id"],
            name=op.f("fk_shelf_image_store_id_listing_id"),
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_shelf_image_team_id")),
        sa.PrimaryKeyConstraint("store_id", "listing_id", "image_id", name=op.f("pk_shelf_image")),
    )
    op.create_table(
        "shelf_variant",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("sku_key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_shelf_variant_stock")),
        sa.ForeignKeyConstraint(
            ["store_id", "listing_id"],
            ["shelf_listing.store_id", "shelf_listing.listing_id"],
            name=op.f("fk_shelf_variant_store_id_listing_id"),
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_shelf_variant_team_id")),
        sa.PrimaryKeyConstraint("store_id", "listing_id", "position", name=op.f("pk_shelf_variant")),
    )
    op.create_index(op.f("ix_shelf_variant_store_id_sku_key"), "shelf_variant", ["store_id", "sku_key"], unique=False)
