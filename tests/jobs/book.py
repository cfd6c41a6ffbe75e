"""The tests' own rows beside the engine's: what ran where, and which rows should be moving."""

from __future__ import annotations

import os
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from bot.engine_database import engine_url

metadata = sa.MetaData()
effects = sa.Table(
    "effect",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("what", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
)
rows = sa.Table(
    "moving_row",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("subject", sa.String, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of the book."""

    what: str
    subject: str
    who: str
    pid: int


class Book:
    """A plain synchronous engine; a test's writes are tiny."""

    def __init__(self, url: str, *, who: str = "") -> None:
        self._who = who
        sqlite = make_url(url).get_backend_name() == "sqlite"
        arguments = {"timeout": 30} if sqlite else {"connect_timeout": 5}
        self.engine = sa.create_engine(engine_url(url), connect_args=arguments, poolclass=sa.NullPool)

    def create(self) -> None:
        metadata.create_all(self.engine)

    def close(self) -> None:
        self.engine.dispose()

    def write(self, what: str, subject: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(effects.insert().values(what=what, subject=subject, who=self._who, pid=os.getpid()))

    def effects(self) -> list[Effect]:
        """Return all lines in the order they were written."""
        with self.engine.connect() as connection:
            found = connection.execute(
                sa.select(effects.c.what, effects.c.subject, effects.c.who, effects.c.pid).order_by(effects.c.number)
            )
            return [Effect(*line) for line in found]

    def moving(self) -> list[tuple[str, str]]:
        """Return (key, subject) of the rows that should have a living job."""
        with self.engine.connect() as connection:
            return [(line.key, line.subject) for line in connection.execute(sa.select(rows))]

    def add_moving(self, key: str, subject: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(rows.insert().values(key=key, subject=subject))

    def settle(self, subject: str) -> None:
        """The row has reached its failed state."""
        with self.engine.begin() as connection:
            connection.execute(rows.delete().where(rows.c.subject == subject))
