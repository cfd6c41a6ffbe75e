"""The browsers that are signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "browser_session",
        sa.Column("login_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("began_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["login_id"], ["console_login.login_id"], name=op.f("fk_browser_session_login_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name=op.f("fk_browser_session_team_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.member_id"], name=op.f("fk_browser_session_member_id")),
        sa.PrimaryKeyConstraint("login_id", name=op.f("pk_browser_session")),
    )
    op.create_index(op.f("ix_browser_session_member_id"), "browser_session", ["member_id"])
    # Browsers that are signed in already: from where is not known, and since when only nearly: the code was good for 15 minutes.
    op.execute(
        "INSERT INTO browser_session (login_id, team_id, member_id, browser, address, began_at, used_at)"
        " SELECT login_id, team_id, member_id, '', '', code_expires_at, code_expires_at FROM console_login"
        " WHERE cookie_hash IS NOT NULL"
    )
