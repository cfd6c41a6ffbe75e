"""Deleting a team: its rows, then the photos that nobody else's row names."""

from __future__ import annotations

from datetime import datetime

from domain.catalog import Sha256
from domain.picture_ports import MediaStorage
from storage.database import Database
from storage.own_data import SqlData


async def forget_team(database: Database, media: MediaStorage, team_id: str, *, now: datetime) -> int:
    """Delete everything of a team, and return how many photos went with it.

    Rows first: what dies in between leaves photos that no row names, which retention takes later.
    """
    async with database.begin() as db_session:
        photos = await SqlData(db_session, now).forget_team(team_id, now=now)
    await media.delete([Sha256(name) for name in sorted(photos)])
    return len(photos)
