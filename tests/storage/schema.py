"""A database as an older version left it, and SQL of old on it."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from storage.database import Database
from storage.migrate import SCRIPTS


async def upgrade_to(database: Database, revision: str) -> None:
    """Bring an empty database to an old version of the schema."""
    async with database.begin() as db_session:
        await (await db_session.connection()).run_sync(_upgrade, revision)


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def run_sql(database: Database, *statements: str) -> None:
    """Run statements as they stand, in one transaction."""
    async with database.begin() as db_session:
        for statement in statements:
            await db_session.execute(text(statement))
