"""The four things this room does with a row: find, find all, insert (once), change by compare-and-set.

Reads always take the database's word (`populate_existing`), never an object a session remembers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import CursorResult, Delete, Select, Update, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

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
    """Insert a row. Raises IntegrityError when a constraint forbids it."""
    db_session.add(row)
    await db_session.flush()


async def insert_once(db_session: AsyncSession, row: Row) -> bool:
    """Insert a row unless one with the same key is there; False when it was.

    A transaction of somebody else that has inserted the same key is waited for.
    """
    values = {name: getattr(row, name) for name in type(row).model_fields}
    dialect = postgresql if _is_postgres(db_session) else sqlite
    statement = dialect.insert(type(row)).values(**values).on_conflict_do_nothing()
    # Asked for by RETURNING: psycopg's row count of such an insert is -1.
    inserted = await db_session.execute(statement.returning(*inspect(type(row)).primary_key))
    return inserted.first() is not None


async def change(db_session: AsyncSession, statement: Update | Delete) -> int:
    """Run a conditional change and return how many rows it hit: 0 means the condition was lost."""
    result = await db_session.execute(statement, execution_options={"synchronize_session": False})
    return result.rowcount if isinstance(result, CursorResult) else 0


async def lock_until_commit(db_session: AsyncSession, name: str) -> None:
    """Hold a named lock until the transaction ends, so that rows under it commit in id order.

    SQLite has one writer at a time and needs none.
    """
    if _is_postgres(db_session):
        await db_session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def _is_postgres(db_session: AsyncSession) -> bool:
    return db_session.get_bind().dialect.name == "postgresql"
