"""Who may be which worker, and who alone runs the outbox or a poller: locks that die with their process.

The job engine trusts an executor id. Two living processes with the same one run a job twice; a dead
one's jobs wait for ever unless somebody may take its id over. Both questions have one answer here: the
id `worker-N` belongs to whoever holds its lock, and a lock that can be taken has no living owner.

SQLite: `flock` on files beside the database, and one worker only, since limits leak between two.
Postgres: a session advisory lock on a direct connection (a transaction pooler would lose it silently).
All calls block for at most a few seconds: from async code, use a thread.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy.engine import URL, make_url

from domain.errors import NotPossible

SLOT_PREFIX = "worker-"
MOST_WORKERS = 64
"""Far above the ~10 workers one Postgres feeds; it only bounds the search for a free number."""

LOCK_LOST_EXIT_STATUS = 75
"""EX_TEMPFAIL of sysexits.h: start me again."""

_CONNECT_TIMEOUT_S = 5
_SERVER_KEEPALIVE = "-c tcp_keepalives_idle=4 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"


class Held(Protocol):
    """A lock in our hands."""

    @property
    def name(self) -> str:
        """Which one: `worker-3`, `outbox`, …."""
        ...

    def is_still_mine(self) -> bool:
        """Ask the lock's keeper, not our memory. False is final: whoever hears it must stop the work."""
        ...

    def release(self) -> None:
        """Give it back; a second call does nothing."""
        ...


class Locks(Protocol):
    """The keeper of named locks that all processes on one database share."""

    def try_hold(self, name: str) -> Held | None:
        """Take the lock, or return None at once when a living process (this one included) holds it."""
        ...

    def take_slot(self) -> Held:
        """Take the lowest free `worker-N`. Raises NotPossible when there is none for us."""
        ...


def open_locks(database_url: str) -> Locks:
    """Return the locks of this database. Any SQLAlchemy spelling of a SQLite or Postgres URL will do."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise NotPossible("A worker needs a database file: set DATABASE_URL to sqlite:///PATH or to Postgres.")
        return FileLocks(Path(url.database))
    return PostgresLocks(url)


class FileLocks:
    """`flock`s in the folder `locks` beside the SQLite file: two settings of the same file still meet here."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._folder = database.parent / "locks"

    def try_hold(self, name: str) -> Held | None:
        """Take it; see Locks."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._database.name}.{name}"
        # Close-on-exec is Python's default, so a child never keeps a dead worker's lock alive.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return FileHeld(name, path, descriptor)

    def take_slot(self) -> Held:
        """Take worker-1, the only one there is."""
        held = self.try_hold(f"{SLOT_PREFIX}1")
        if held is None:
            raise NotPossible(
                f"Another worker is already running on {self._database}, and SQLite carries exactly one: "
                "stop it, or set DATABASE_URL to a Postgres database to run several."
            )
        return held


class FileHeld:
    """A held `flock`."""

    def __init__(self, name: str, path: Path, descriptor: int) -> None:
        self.name = name
        self._path = path
        self._descriptor: int | None = descriptor

    def is_still_mine(self) -> bool:
        """False when the file was deleted or replaced: the next process would lock another one."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Closing drops the lock; the file stays, or a waiting process would hold a nameless one."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


class PostgresLocks:
    """Advisory locks; every held one has a connection of its own, so that losing one loses no other."""

    def __init__(self, url: URL) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)

    def try_hold(self, name: str) -> Held | None:
        """Take it; see Locks. Raises psycopg.OperationalError when the database does not answer."""
        # Both ends give a silent partner up within about 10 s: a worker whose machine vanished frees
        # its id, and a worker cut off from its server notices. A unix socket ignores these.
        connection = psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=_CONNECT_TIMEOUT_S,
            application_name=f"packshot lock {name}",
            options=_SERVER_KEEPALIVE,
            keepalives_idle=4,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=10_000,
        )
        try:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (lock_number(name),)).fetchone()
        except psycopg.Error:
            connection.close()
            raise
        if row is None or not row[0]:
            connection.close()
            return None
        return PostgresHeld(name, connection)

    def take_slot(self) -> Held:
        """Take the lowest free number; a rolling restart's newcomer gets the next one."""
        for number in range(1, MOST_WORKERS + 1):
            held = self.try_hold(f"{SLOT_PREFIX}{number}")
            if held is not None:
                return held
        raise NotPossible(f"{MOST_WORKERS} workers are already running on this database: stop one first.")


class PostgresHeld:
    """A held advisory lock: it lives as long as its server session."""

    def __init__(self, name: str, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self.name = name
        self._connection = connection

    def is_still_mine(self) -> bool:
        """Whether this very server session still holds it; a pooler that swapped sessions shows here."""
        number = lock_number(self.name)
        try:
            row = self._connection.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
                " AND pid = pg_backend_pid() AND ((classid::bigint << 32) | objid::bigint) = %s",
                (number,),
            ).fetchone()
        except psycopg.Error:
            return False
        return row is not None and row[0] == 1

    def release(self) -> None:
        """End the session, which drops the lock."""
        self._connection.close()


def lock_number(name: str) -> int:
    """Return the advisory lock key of a name: 63 bits of its sha256, the same on every machine."""
    digest = hashlib.sha256(f"packshot:{name}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1
