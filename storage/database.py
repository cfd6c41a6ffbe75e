"""The database: one async engine, and what a transaction means on SQLite and on PostgreSQL.

On SQLite every unit of work begins with BEGIN IMMEDIATE: with pysqlite's own late BEGIN, 4 × 100
read-then-write transactions lost 300 of 400 (measured). Writers of this process queue in
Python first, since SQLite's busy handler is no queue: it sleeps and leaves the order to luck.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path

from psycopg.errors import UndefinedTable
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from domain.errors import Fault
from storage.bell import Bell
from storage.quick_sqlite import opener
from storage.turnstile import Turnstile

BUSY_TIMEOUT_MS = 15_000
"""How long a SQLite writer waits for the job engine's connections on the same file."""

LATE_CHECKPOINT_PAGES = 10_000
"""40 MB of log. Ten times SQLite's default, since a checkpoint of ours would stop the event loop."""

POSTGRES_POOL_SIZE = 10

_my_writer: ContextVar[object | None] = ContextVar("packshot_my_writer", default=None)
"""The SQLite writer this task, or the one that started it, opened last; it may long be closed."""


class Database:
    """Transactions on one database; opened by `open_database`, closed by `close`."""

    def __init__(self, engine: AsyncEngine, url: URL) -> None:
        self._engine = engine
        self._url = url
        self._reading = engine.execution_options(
            **({"sqlite_begin": "DEFERRED"} if self.is_sqlite else {"postgresql_readonly": True})
        )
        self._promising = engine.execution_options(sqlite_synchronous="FULL") if self.is_sqlite else engine
        self._writing = Turnstile()
        self._writer: object | None = None
        self.messages_queued = Bell()
        """Rings when a message was committed to the outbox."""
        self.lines_added = Bell()
        """Rings when a line was committed to a browser chat."""

    @property
    def engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """The writing and the reading engine, for a library that brings statements of its own."""
        return self._engine, self._reading

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the one-file default, which allows a single worker process."""
        return self._url.get_backend_name() == "sqlite"

    @property
    def sync_url(self) -> str:
        """The same database as `sqlite:///…` or `postgresql://…`, password included, for the job engine."""
        drivername = "sqlite" if self.is_sqlite else "postgresql"
        return self._url.set(drivername=drivername).render_as_string(hide_password=False)

    @asynccontextmanager
    async def begin(self, *, urgent: bool = False) -> AsyncIterator[AsyncSession]:
        """One writing transaction: commits when left normally, rolls back on any exception.

        `urgent`: somebody's chat waits for this very transaction and is told that we have it. On SQLite it goes
        before the workers' and is on the disk when it has committed, with everything before it; another one
        may be undone by a power cut together with all that came after (docs/decisions/0008).

        Raises Fault("database_down" | "database_busy" | "database_full" | "database_not_migrated"). On SQLite a task that has
        one open must not open another, nor may tasks it waits for: that would never end, so it is a
        RuntimeError at once.
        """
        async with self._one_writer(urgent=urgent):
            with _faults():
                async with (
                    AsyncSession(
                        self._promising if urgent else self._engine, autoflush=False, expire_on_commit=False
                    ) as db_session,
                    db_session.begin(),
                ):
                    yield db_session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """One reading transaction; takes no write lock and sees one state of the data on SQLite."""
        with _faults():
            async with (
                AsyncSession(self._reading, autoflush=False, expire_on_commit=False) as db_session,
                db_session.begin(),
            ):
                yield db_session

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _one_writer(self, *, urgent: bool) -> AsyncIterator[None]:
        if not self.is_sqlite:
            yield
            return
        if self._writer is not None and _my_writer.get() is self._writer:
            raise RuntimeError("a unit of work is open here already: do other writes before opening it")
        async with self._writing.turn(urgent=urgent):
            self._writer = object()
            _my_writer.set(self._writer)
            try:
                yield
            finally:
                self._writer = None


def open_database(url: str) -> Database:
    """Open a database by its `DATABASE_URL`; connects at first use.

    Raises ValueError for anything but a SQLite file or PostgreSQL.
    """
    parsed = _normalised(url)
    if parsed.get_backend_name() == "sqlite":
        Path(parsed.database or "").parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = create_async_engine(parsed, hide_parameters=True, async_creator=opener(parsed))
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    else:
        # A restarted server must not cost a person their press: a dead connection is replaced unseen.
        engine = create_async_engine(
            parsed, hide_parameters=True, pool_pre_ping=True, pool_size=POSTGRES_POOL_SIZE, max_overflow=10
        )
    return Database(engine, parsed)


def _normalised(url: str) -> URL:
    parsed = make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ValueError(f"DATABASE_URL must start with sqlite:/// or postgresql://, not {parsed.drivername}://")
    if not parsed.database or parsed.database == ":memory:":
        raise ValueError("DATABASE_URL must name a file: sqlite:///data/packshot.db")
    return parsed.set(drivername="sqlite+aiosqlite")


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # None switches off pysqlite's own BEGIN, which comes too late for a read-then-write.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    for is_last in (*[False] * 100, True):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            # Two first starts at once: here SQLite does not wait for the other, whatever busy_timeout says.
            if is_last:
                raise
            time.sleep(0.05)
    # The job engine's connections, in threads of their own, move the log into the file long before this.
    cursor.execute(f"PRAGMA wal_autocheckpoint = {LATE_CHECKPOINT_PAGES}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA synchronous = {options.get('sqlite_synchronous', 'NORMAL')}")
    connection.exec_driver_sql(f"BEGIN {options.get('sqlite_begin', 'IMMEDIATE')}")


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise Fault("database_busy", str(error)) from error
    except ProgrammingError as error:
        # Any other is a statement of ours that is wrong, and must be seen as that.
        if not isinstance(error.orig, UndefinedTable):
            raise
        raise Fault("database_not_migrated", f"UndefinedTable: {error.orig}") from error
    except (OperationalError, InterfaceError) as error:
        words = str(error.orig).lower()
        if "no such table" in words:
            code = "database_not_migrated"
        elif "locked" in words or "deadlock" in words:
            code = "database_busy"
        elif "disk is full" in words or "no space" in words:
            code = "database_full"
        else:
            code = "database_down"
        raise Fault(code, f"{type(error.orig).__name__}: {error.orig}") from error
