"""The job engine's own connections to our database, and what they may leave to chance.

On SQLite the engine writes about six small transactions a job. Each waited for the disk, with the one
write lock in its hands, and everybody else waited behind it: at 50 events a second acknowledgements
took seconds (measured). Its connections therefore do not wait for the disk (`synchronous=NORMAL`): what
a power cut can take from them is the newest of the engine's own notes, and a step whose note is gone
runs again, which every step allows. A job that we enqueue is on our connection, which does wait, and
with it everything written before.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

POOL_SIZE = 10
BUSY_TIMEOUT_MS = 30_000
"""The engine's own default, longer than ours: a person's write gives up before a job's note does."""


def engine_url(database_url: str) -> str:
    """Return our database's URL the way the engine's synchronous driver wants it."""
    url = make_url(database_url)
    driver = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
    return url.set(drivername=driver).render_as_string(hide_password=False)


def open_engine(database_url: str) -> Engine | None:
    """Return connections for the job engine on SQLite; None on Postgres, where its own are right.

    Whoever opens them disposes of them.
    """
    url = engine_url(database_url)
    if not url.startswith("sqlite"):
        return None
    engine = create_engine(url, pool_size=POOL_SIZE, max_overflow=0, pool_timeout=30)
    event.listen(engine, "connect", _prepare)
    return engine


def write_ahead(database_url: str) -> None:
    """Set WAL, which stays with the file: the engine never does, and its readers would block our writers."""
    url = engine_url(database_url)
    path = make_url(url).database
    if not url.startswith("sqlite") or path is None:
        return
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # IMMEDIATE as the engine's own connections: a read that turns into a write would fail at once.
    connection.isolation_level = "IMMEDIATE"
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
