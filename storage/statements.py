"""The four things this room does with a row: find, find all, insert (once), change by compare-and-set.

Reads always take the database's word (`populate_existing`), never an object a session remembers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import CursorResult, Delete, Executable, Insert, Select, Table, Update, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, make_transient_to_detached

from storage.tables import Row

T = TypeVar("T")
_FRESH = {"populate_existing": True}


async def find_one(db_session: AsyncSession, statement: Select[T]) -> T | None:
    """Return the first match, None when there is none."""
    return (await db_session.execute(statement.limit(1), execution_options=_FRESH)).scalar_one_or_none()


async def find_all(db_session: AsyncSession, statement: Select[T]) -> Sequence[T]:
    """Return every match in the statement's order."""
    return (await db_session.execute(statement, execution_options=_FRESH)).scalars().all()


async def insert(db_session: AsyncSession, row: Row) -> None:
    """Insert a row, and watch it for changes. Raises IntegrityError when a constraint forbids it."""
    await db_session.run_sync(_insert_watched, row)


async def insert_all(db_session: AsyncSession, rows: Sequence[Row]) -> None:
    """Insert rows of one table in their order, with one statement; none of them is watched."""
    if rows:
        await db_session.run_sync(_insert_all, rows)


async def insert_once(db_session: AsyncSession, row: Row) -> bool:
    """Insert a row unless one with the same key is there; False when it was.

    A transaction of somebody else that has inserted the same key is waited for.
    """
    return await db_session.run_sync(_insert_once, row)


async def insert_new(
    db_session: AsyncSession, kind: type[Row], rows: Sequence[Mapping[str, Any]]
) -> Sequence[tuple[Any, ...]]:
    """Insert rows of one table, given by the same columns each, with one statement; none of them is watched.

    Return the primary keys of those that are new; of two with the same key, one is. A transaction of somebody else
    that has inserted the same key is waited for.
    """
    return await db_session.run_sync(_insert_new, kind, rows)


async def change(db_session: AsyncSession, statement: Update | Delete, values: Mapping[str, Any] | None = None) -> int:
    """Run a conditional change and return how many rows it hit: 0 means the condition was lost.

    `values` are those of its `bindparam`s.
    """
    result = await db_session.execute(statement, values, execution_options={"synchronize_session": False})
    return result.rowcount if isinstance(result, CursorResult) else 0


async def run_made(db_session: AsyncSession, statement: Executable, values: Mapping[str, Any]) -> CursorResult[Any]:
    """Run a statement on tables that was made once, with its `bindparam`s' values."""
    return await db_session.run_sync(lambda session: session.connection().execute(statement, values))


async def lock_until_commit(db_session: AsyncSession, name: str) -> None:
    """Hold a named lock until the transaction ends, so that rows under it commit in id order.

    SQLite has one writer at a time and needs none.
    """
    if _is_postgres(db_session):
        await db_session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def _is_postgres(db_session: AsyncSession) -> bool:
    return db_session.get_bind().dialect.name == "postgresql"


# ---------------------------------------------------------------- inserts
# Straight on the connection with statements made once: the session's own way takes SQLAlchemy a
# millisecond to think about for 50 µs of SQLite (measured), and every event brings four of them.


def _insert_watched(session: Session, row: Row) -> None:
    key = inspect(type(row)).primary_key
    inserted = session.connection().execute(_insert(type(row)), _values(row)).inserted_primary_key
    for column, value in zip(key, inserted or (), strict=True):
        setattr(row, column.key, value)
    make_transient_to_detached(row)
    session.add(row)


def _insert_all(session: Session, rows: Sequence[Row]) -> None:
    session.connection().execute(_insert(type(rows[0])), [_values(row) for row in rows])


def _insert_once(session: Session, row: Row) -> bool:
    connection = session.connection()
    statement = _insert_unless_there(type(row), connection.dialect.name)
    # Asked for by RETURNING: psycopg's row count of such an insert is -1.
    return connection.execute(statement, _values(row)).first() is not None


def _insert_new(session: Session, kind: type[Row], rows: Sequence[Mapping[str, Any]]) -> Sequence[tuple[Any, ...]]:
    connection = session.connection()
    statement = _insert_unless_there(kind, connection.dialect.name)
    return [tuple(row) for row in connection.execute(statement, [dict(one) for one in rows])] if rows else []


@cache
def _insert(kind: type[Row]) -> Insert:
    return table_of(kind).insert()


@cache
def _insert_unless_there(kind: type[Row], dialect_name: str) -> Executable:
    table = table_of(kind)
    if dialect_name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing().returning(*table.primary_key)
    return sqlite.insert(table).on_conflict_do_nothing().returning(*table.primary_key)


def table_of(kind: type[Row]) -> Table:
    """Return the table behind a row, for statements that are made once."""
    table = inspect(kind).local_table
    assert isinstance(table, Table), f"{kind.__name__} is no table"
    return table


def _values(row: Row) -> dict[str, Any]:
    # A number that the database counts up must not be named.
    counted = inspect(type(row)).local_table.autoincrement_column
    return {
        name: value
        for name in type(row).model_fields
        if (value := getattr(row, name)) is not None or counted is None or name != counted.key
    }
