"""How alembic meets our tables: always on a connection that `migrate` hands in."""

from __future__ import annotations

from alembic import context

import storage.alert_tables
import storage.audit_tables
import storage.connect_tables
import storage.guard_tables
import storage.health_tables
import storage.stock_tables
import storage.sync_tables
import storage.team_tables  # noqa: F401 - each file of tables adds its own
from storage.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    # The transaction is the caller's, on SQLite too: begun with BEGIN IMMEDIATE, DDL rolls back with it.
    transactional_ddl=True,
    # SQLite changes a table by copying it.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
