"""SQLite statements on the event loop itself, except those that may have to wait.

aiosqlite hands every statement, cursor and fetch to a thread and waits for it. A statement of ours takes
some 50 µs, the two hops 1 to 4 ms where pixels keep both cores busy; an event's transaction of six
statements held SQLite's one write lock for 40 ms (measured). What can wait for somebody else still goes
to the thread: BEGIN IMMEDIATE where there is another writer, a COMMIT that waits for the disk, PRAGMAs.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import aiosqlite
from sqlalchemy import URL

_BEGIN = "BEGIN IMMEDIATE"
_QUICK_PRAGMA = "PRAGMA synchronous = "
_MAY_WAIT = (_BEGIN, "COMMIT", "ROLLBACK", "PRAGMA", "VACUUM")
_ITER_CHUNK = 64
_SHORT_LOOKS, _SHORT_PAUSE_S = 25, 0.002


class QuickConnection(aiosqlite.Connection):
    """A connection whose quick statements run where they are asked for.

    Order is kept: while the thread has something of this connection (a BEGIN whose task was cancelled,
    say), everything queues behind it.
    """

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        """`connector` must allow use from several threads; never two use it at once."""
        super().__init__(connector, _ITER_CHUNK)
        self._thread.daemon = True
        # Two counters with one writer each, so that neither needs a lock.
        self._waits_for_disk = True
        self._handed_over = 0
        self._finished = 0

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._connection is not None and self._handed_over == self._finished:
            if not self._may_wait(fn, args):
                return fn(*args, **kwargs)
            if args[:1] == (_BEGIN,) and await self._begins_soon():
                return None
        self._handed_over += 1
        return await super()._execute(self._in_thread, fn, args, kwargs)  # type: ignore[no-untyped-call]

    def _in_thread(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return fn(*args, **kwargs)
        finally:
            self._finished += 1

    async def _begins_soon(self) -> bool:
        """Begin writing as soon as nobody else does; False when that takes longer than a short transaction.

        SQLite's own waiting sleeps up to 100 ms at a time, and the other writer is long done by then.
        """
        if self._begins_at_once():
            return True
        for _look in range(_SHORT_LOOKS):
            await asyncio.sleep(_SHORT_PAUSE_S)
            if self._begins_at_once():
                return True
        return False

    def _begins_at_once(self) -> bool:
        """Begin writing if nobody else writes just now."""
        (patience_ms,) = self._conn.execute("PRAGMA busy_timeout").fetchone()
        self._conn.execute("PRAGMA busy_timeout = 0")
        try:
            self._conn.execute(_BEGIN)
        except sqlite3.OperationalError:  # somebody does, or worse: the thread asks again and waits, or says so
            return False
        finally:
            self._conn.execute(f"PRAGMA busy_timeout = {patience_ms}")
        return True

    def _is_pragma_of_ours(self, statement: str) -> bool:
        """Whether it only says if the next commit waits for the disk, which is to be remembered."""
        if not statement.startswith(_QUICK_PRAGMA):
            return False
        self._waits_for_disk = not statement.endswith("NORMAL")
        return True

    def _may_wait(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
        name = getattr(fn, "__name__", "")
        if name == "execute":
            return str(args[0]).startswith(_MAY_WAIT) and not self._is_pragma_of_ours(args[0])
        if name == "commit":
            return self._waits_for_disk
        if name == "rollback":  # the pool asks for one at every return, mostly with nothing to roll back
            return self._conn.in_transaction
        return name not in {"cursor", "close", "fetchone", "fetchmany", "fetchall"}


def opener(url: URL) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    """Return what opens a connection to the file of a `sqlite+aiosqlite` URL, for `async_creator`."""
    (path,), named = url.get_dialect()().create_connect_args(url)
    arguments: dict[str, Any] = {**named, "check_same_thread": False}

    async def connect() -> aiosqlite.Connection:
        return await QuickConnection(lambda: sqlite3.connect(path, **arguments))

    return connect
