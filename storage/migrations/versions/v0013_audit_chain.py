"""The audit as a chain of hashes, and how stores and chats are doing.

The hash's rule is written out here and not imported: this migration must chain old lines the same way for ever.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_GENESIS = "0" * 64
_BATCH = 1000
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_LOCKED = ("audit", "audit_head", "audit_word", "forgotten_team")


def upgrade() -> None:
    op.drop_index(op.f("ix_audit_team_id_sku_key_at"), table_name="audit")
    op.rename_table("audit", "audit_unchained")
    if op.get_bind().dialect.name == "postgresql":
        for kind, name in (("pk", "audit"), ("fk", "audit_team_id")):
            op.execute(f"ALTER TABLE audit_unchained RENAME CONSTRAINT {kind}_{name} TO {kind}_{name}_unchained")
        op.execute("ALTER SEQUENCE audit_audit_id_seq RENAME TO audit_unchained_audit_id_seq")
    _make_tables()
    _chain(op.get_bind())
    op.drop_table("audit_unchained")
    (_lock_postgres if op.get_bind().dialect.name == "postgresql" else _lock_sqlite)()


def _team(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f(f"fk_{table}_team_id"))


def _make_tables() -> None:
    op.create_table(
        "audit",
        sa.Column("audit_id", _ID, nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in (
                *("who_key", "about_key", "chat", "place_key"),
                *("action", "sku", "sku_key", "subject_id", "what"),
            )
        ),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        _team("audit"),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
        sa.UniqueConstraint("team_id", "number", name=op.f("uq_audit_team_id_number")),
    )
    op.create_index(op.f("ix_audit_team_id_sku_key_at"), "audit", ["team_id", "sku_key", "at"])
    op.create_table(
        "audit_head",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        _team("audit_head"),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_word",
        sa.Column("word_key", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("forgotten_at", _TIME, nullable=True),
        _team("audit_word"),
        sa.PrimaryKeyConstraint("word_key", name=op.f("pk_audit_word")),
    )
    op.create_index(op.f("ix_audit_word_team_id_kind_word"), "audit_word", ["team_id", "kind", "word"])
    op.create_table(
        "forgotten_team",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("forgotten_at", _TIME, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("last_hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_forgotten_team")),
    )
    op.create_table(
        "store_pulse",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("failed_at", _TIME, nullable=True),
        sa.Column("key_expires_at", _TIME, nullable=True),
        sa.Column("checked_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_store_pulse_store_id")),
        _team("store_pulse"),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_store_pulse")),
    )
    op.create_table(
        "health_notice",
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("said_at", _TIME, nullable=False),
        _team("health_notice"),
        sa.PrimaryKeyConstraint("team_id", "subject", "kind", name=op.f("pk_health_notice")),
    )
    op.create_table(
        "kept_file",
        sa.Column("file_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        _team("kept_file"),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_kept_file")),
    )
    op.create_index(op.f("ix_kept_file_team_id"), "kept_file", ["team_id"])
    op.create_index(op.f("ix_kept_file_made_at"), "kept_file", ["made_at"])
    op.create_table(
        "export_ticket",
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        _team("export_ticket"),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_export_ticket")),
    )
    op.create_index(op.f("ix_export_ticket_team_id"), "export_ticket", ["team_id"])


# ---------------------------------------------------------------- the lines that are there


def _chain(connection: sa.Connection) -> None:
    metadata = sa.MetaData()
    tables = {
        name: sa.Table(name, metadata, autoload_with=connection) for name in ("audit", "audit_head", "audit_word")
    }
    old = sa.Table("audit_unchained", metadata, autoload_with=connection)
    heads: dict[str, tuple[int, str]] = {}
    keys: dict[tuple[str, str], str] = {}
    after = 0
    while True:
        page = sa.select(old).where(old.c.audit_id > after).order_by(old.c.audit_id).limit(_BATCH)
        lines = connection.execute(page).mappings().all()
        for line in lines:
            team_id, who = line["team_id"], line["who"]
            if who and (team_id, who) not in keys:
                salt = secrets.token_hex(16)
                keys[team_id, who] = _sha256(f"{salt}\x1fperson\x1f{who}")
                word = {"word_key": keys[team_id, who], "team_id": team_id, "kind": "person", "salt": salt, "word": who}
                connection.execute(tables["audit_word"].insert(), word)
            number, previous = heads.get(team_id, (0, _GENESIS))
            chained = _chained(line, keys.get((team_id, who), ""), number + 1, previous)
            heads[team_id] = number + 1, chained["hash"]
            connection.execute(tables["audit"].insert(), {**chained, "audit_id": line["audit_id"], "at": line["at"]})
        if len(lines) < _BATCH:
            break
        after = lines[-1]["audit_id"]
    for team_id, (number, last) in heads.items():
        connection.execute(tables["audit_head"].insert(), {"team_id": team_id, "number": number, "hash": last})
    if connection.dialect.name == "postgresql":
        highest = "SELECT setval('audit_audit_id_seq', greatest((SELECT max(audit_id) FROM audit), 1))"
        connection.execute(sa.text(highest))


def _chained(line: sa.RowMapping, who_key: str, number: int, previous: str) -> dict[str, Any]:
    at: datetime = line["at"]
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    kept = {name: line[name] for name in ("team_id", "action", "sku", "sku_key", "subject_id", "what")}
    empty = {"about_key": "", "chat": "", "place_key": "", "before": {}, "after": {}}
    fields = {**kept, **empty, "number": number, "who_key": who_key, "previous_hash": previous}
    hashed = {**fields, "v": 1, "at": at.isoformat(timespec="microseconds")}
    canonical = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**fields, "hash": _sha256(canonical)}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# ---------------------------------------------------------------- what the database refuses

_GOING = "EXISTS (SELECT 1 FROM forgotten_team WHERE forgotten_team.team_id = OLD.team_id)"
_STEP = "NEW.team_id = OLD.team_id AND NEW.number = OLD.number + 1"
_FORGETS = (
    "OLD.forgotten_at IS NULL AND NEW.forgotten_at IS NOT NULL AND NEW.salt = '' AND NEW.word = ''"
    " AND NEW.word_key = OLD.word_key AND NEW.team_id = OLD.team_id AND NEW.kind = OLD.kind"
)
_ALLOWED = {
    ("audit", "UPDATE"): "",
    ("audit", "DELETE"): _GOING,
    ("audit_head", "UPDATE"): _STEP,
    ("audit_head", "DELETE"): _GOING,
    ("audit_word", "UPDATE"): _FORGETS,
    ("audit_word", "DELETE"): _GOING,
    ("forgotten_team", "UPDATE"): "",
    ("forgotten_team", "DELETE"): "",
}
"""The one thing that a change or a deletion may be, as SQL; nothing at all where it is empty."""
_SAYING = "the audit is append-only"


def _lock_sqlite() -> None:
    for (table, verb), allowed in _ALLOWED.items():
        when = f" WHEN NOT ({allowed})" if allowed else ""
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} FOR EACH ROW{when}"
            f" BEGIN SELECT RAISE(ABORT, '{_SAYING}'); END"
        )


def _lock_postgres() -> None:
    op.execute(
        "CREATE FUNCTION packshot_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_SAYING}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE FUNCTION packshot_is_going(team text) RETURNS boolean LANGUAGE sql STABLE AS "
        "$$ SELECT EXISTS (SELECT 1 FROM forgotten_team WHERE forgotten_team.team_id = team) $$"
    )
    for (table, verb), allowed in _ALLOWED.items():
        # A trigger's condition must have no subquery here, so that one stands in a function.
        condition = allowed.replace(_GOING, "packshot_is_going(OLD.team_id)")
        when = f" WHEN (NOT ({condition}))" if condition else ""
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} FOR EACH ROW{when}"
            " EXECUTE FUNCTION packshot_append_only()"
        )
    for table in _LOCKED:
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
            " EXECUTE FUNCTION packshot_append_only()"
        )
