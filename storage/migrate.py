"""Brings a database to the newest version of the schema.

The scripts are read from the package, so an installed wheel migrates like a checkout.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from storage.database import Database
from storage.statements import lock_until_commit

SCRIPTS = Path(__file__).parent / "migrations"


async def migrate(database: Database) -> None:
    """Apply what is missing, in one transaction; doing it again, or twice at once, changes nothing."""
    async with database.begin() as db_session:
        await lock_until_commit(db_session, "packshot:migrate")
        await (await db_session.connection()).run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
