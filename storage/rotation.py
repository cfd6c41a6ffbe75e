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
from storage.tables import SealedText
from storage.vault import Vault

_PAGE = 200


def is_sealed(column: Column[Any]) -> bool:
    """Whether a column holds what a vault made: bytes are always that, text where its type says so."""
    return isinstance(column.type, LargeBinary | SealedText)


def sealed_columns() -> Sequence[Column[Any]]:
    """Return every column that holds what a vault made."""
    return [column for table in every_table() for column in table.columns if is_sealed(column)]


async def rotate_all(database: Database, vault: Vault) -> int:
    """Put what is under an old key under the first one; return how many were. Raises Fault("vault_key")."""
    done = 0
    for column in sealed_columns():
        async for *key, kept in _rows(database, column):
            if vault.is_newest(_bytes(kept)):
                continue
            sealed = vault.rotate(_bytes(kept))
            fresh = sealed.decode() if isinstance(kept, str) else sealed
            same = [part == value for part, value in zip(_key(column), key, strict=True)]
            changed = update(column.table).where(*same, column == kept).values({column: fresh})
            async with database.begin() as db_session:
                connection = await db_session.connection()
                done += (await connection.execute(changed)).rowcount
    return done


async def count_old(database: Database, vault: Vault) -> int:
    """Return how many secrets are not under the first key."""
    old = 0
    for column in sealed_columns():
        async for *_key_of_row, kept in _rows(database, column):
            old += not vault.is_newest(_bytes(kept))
    return old


async def _rows(database: Database, column: Column[Any]) -> AsyncIterator[tuple[Any, ...]]:
    """Yield the primary key and the sealed value of every row that has one."""
    key = _key(column)
    page = select(*key, column).where(column.is_not(None), column != _nothing(column)).order_by(*key).limit(_PAGE)
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


def _nothing(column: Column[Any]) -> str | bytes:
    return "" if isinstance(column.type, SealedText) else b""


def _bytes(kept: str | bytes) -> bytes:
    return kept.encode() if isinstance(kept, str) else bytes(kept)


def _key(column: Column[Any]) -> list[Column[Any]]:
    assert isinstance(column.table, Table), "a sealed column is a table's"
    return list(column.table.primary_key)
