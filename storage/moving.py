"""The rows that a job must be working on right now, for the sweep that looks for rows nobody moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from domain.enhancement import MOVING_ENHANCEMENTS, MOVING_PLACEMENTS, Placement, PlacementState
from domain.jobs import Job, enhance_job, look_job, publish_job, restore_job
from storage.database import Database
from storage.enhancements import SqlEnhancements
from storage.placements import SqlPlacements
from storage.tables import EnhancementRow, PlacementRow

MOST = 1000
"""A sweep comes again in seconds; more stranded rows than this wait for it."""


async def moving_rows(database: Database) -> Sequence[tuple[Job, datetime]]:
    """Return the job that must be alive for every row in a moving state, and since when its photo is known."""
    jobs: list[tuple[Job, datetime]] = []
    async with database.read() as db_session:
        enhancements, placements = SqlEnhancements(db_session), SqlPlacements(db_session)
        in_work = select(col(EnhancementRow.enhancement_id)).where(
            col(EnhancementRow.state).in_([state.value for state in MOVING_ENHANCEMENTS])
        )
        for enhancement_id in (await db_session.execute(in_work.limit(MOST))).scalars():
            enhancement = await enhancements.load(enhancement_id)
            jobs.append((enhance_job(enhancement), enhancement.created_at))
        under_way = (
            select(col(PlacementRow.placement_id), col(EnhancementRow.created_at))
            .join(EnhancementRow, col(EnhancementRow.enhancement_id) == col(PlacementRow.enhancement_id))
            .where(col(PlacementRow.state).in_([state.value for state in MOVING_PLACEMENTS]))
        )
        for placement_id, created_at in await db_session.execute(under_way.limit(MOST)):
            placement = await placements.load(placement_id)
            jobs.append((_job_of(placement), created_at))
    return jobs


def _job_of(placement: Placement) -> Job:
    match placement.state:
        case PlacementState.RESTORING:
            return restore_job(placement)
        case PlacementState.ACCEPTED:
            return look_job(placement)
        case _:
            return publish_job(placement)
