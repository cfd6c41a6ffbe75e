"""Puts every sealed column under the newest key, row by row, while others go on working.

A row that changed meanwhile is left to whoever changed it: they sealed it anew. So the pass may be broken off at
any row and started again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, select, tuple_, update

from storage.database import Database
from storage.every_table import every_table
from storage.vault import Vault

_PAGE = 200


def sealed_columns() -> Sequence[Column[Any]]:
    """Return every column that holds what a vault made: they are the only ones of bytes."""
    columns = (column for table in every_table() for column in table.columns)
    return [column for column in columns if isinstance(column.type, LargeBinary)]


async def rotate_all(database: Database, vault: Vault) -> int:
    """Put what is under an old key under the first one; return how many were. Raises Fault("vault_key")."""
    done = 0
    for column in sealed_columns():
        async for row in _rows(database, column):
            sealed = bytes(row[-1])
            if vault.is_newest(sealed):
                continue
            changed = update(column.table).where(*_is(column, row), column == sealed)
            async with database.begin() as db_session:
                connection = await db_session.connection()
                done += (await connection.execute(changed.values({column: vault.rotate(sealed)}))).rowcount
    return done


async def count_old(database: Database, vault: Vault) -> int:
    """Return how many secrets are not under the first key."""
    old = 0
    for column in sealed_columns():
        async for row in _rows(database, column):
            old += not vault.is_newest(bytes(row[-1]))
    return old


async def _rows(database: Database, column: Column[Any]) -> AsyncIterator[tuple[Any, ...]]:
    """Yield the primary key and the sealed value of every row that has one."""
    key = _key(column)
    page = select(*key, column).where(column.is_not(None)).order_by(*key).limit(_PAGE)
    after: tuple[Any, ...] | None = None
    while True:
        statement = page if after is None else page.where(tuple_(*key) > tuple_(*after))
        async with database.read() as db_session:
            found = (await db_session.execute(statement)).all()
        for row in found:
            yield tuple(row)
        if len(found) < _PAGE:
            return
        after = tuple(found[-1])[:-1]


def _key(column: Column[Any]) -> list[Column[Any]]:
    assert isinstance(column.table, Table), "a sealed column is a table's"
    return list(column.table.primary_key)


def _is(column: Column[Any], row: tuple[Any, ...]) -> list[Any]:
    return [part == value for part, value in zip(_key(column), row, strict=False)]
