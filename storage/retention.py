"""Which photos nobody needs any more (PHOTO_RETENTION_DAYS).

Kept, however old: what a store of ours shows, what undo would put back (until it was undone, or
superseded twice), and everything of an enhancement that is moving, waiting or younger than the limit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from domain.catalog import Sha256
from domain.enhancement import MOVING_ENHANCEMENTS, MOVING_PLACEMENTS, EnhancementState, PlacementState
from storage.database import Database
from storage.statements import change, find_all
from storage.tables import EnhancementRow, MediaRow, PlacementRow, RevisionRow, SeenEventRow, ShelfImageRow, UtcDateTime

BATCH = 500
UNDO_STEPS = 2
"""A placement that two later ones have covered can no longer be undone to."""

_UNDOABLE = MOVING_PLACEMENTS | {
    PlacementState.LIVE,
    PlacementState.RESTORE_FAILED,
    PlacementState.UNCLEAR,
    PlacementState.PUBLISH_FAILED,
}


async def unreminded_previews(database: Database, before: datetime) -> Sequence[str]:
    """Return previews shown before `before` that still wait and that nobody was reminded of."""
    shown_at = func.coalesce(col(EnhancementRow.offered_at), col(EnhancementRow.created_at))
    return await _waiting(database, col(EnhancementRow.reminded_at).is_(None), shown_at < literal(before, UtcDateTime))


async def overdue_previews(database: Database, before: datetime) -> Sequence[str]:
    """Return previews that still wait although people were reminded of them before `before`."""
    return await _waiting(database, col(EnhancementRow.reminded_at) < before)


async def _waiting(database: Database, *which: ColumnElement[bool]) -> Sequence[str]:
    waits = col(EnhancementRow.state) == EnhancementState.AWAITING_DECISION.value
    statement = select(col(EnhancementRow.enhancement_id)).where(waits, *which)
    async with database.read() as db_session:
        return (await db_session.execute(statement.limit(BATCH))).scalars().all()


async def forgettable_photos(database: Database, before: datetime) -> Sequence[Sha256]:
    """Return some photos stored before `before` that nothing needs, the oldest first; none when there is none."""
    async with database.read() as db_session:
        needed: set[str] | None = None
        older = select(MediaRow).where(col(MediaRow.stored_at) < before)
        page = older
        while old := await find_all(
            db_session, page.order_by(col(MediaRow.stored_at), col(MediaRow.sha256)).limit(BATCH)
        ):
            if needed is None:
                needed = await _needed(db_session, before)
            if forgettable := [Sha256(row.sha256) for row in old if row.sha256 not in needed]:
                return forgettable
            # Whole pages can be needed for ever: what is behind them must still have its turn.
            place = tuple_(col(MediaRow.stored_at), col(MediaRow.sha256))
            page = older.where(place > tuple_(literal(old[-1].stored_at, UtcDateTime), literal(old[-1].sha256)))
    return ()


async def forget_spare_photos(database: Database, before: datetime) -> int:
    """Delete what was noted of groups' albums before `before` and never spoke to us; return how many rows went."""
    head = aliased(SeenEventRow)
    is_asked_for = exists().where(col(head.event_key) == col(SeenEventRow.album))
    spare = delete(SeenEventRow).where(col(SeenEventRow.is_spare), col(SeenEventRow.taken_at) < before, ~is_asked_for)
    async with database.begin() as db_session:
        return await change(db_session, spare)


async def _needed(db_session: AsyncSession, before: datetime) -> set[str]:
    needed: set[str] = set((await db_session.execute(select(col(ShelfImageRow.photo)))).scalars())
    busy = [state.value for state in (*MOVING_ENHANCEMENTS, EnhancementState.AWAITING_DECISION)]
    living = (col(EnhancementRow.state).in_(busy)) | (col(EnhancementRow.created_at) >= before)
    for row in await find_all(db_session, select(EnhancementRow).where(living)):
        needed.add(row.photo or "")
    revisions = select(RevisionRow).join(
        EnhancementRow, col(EnhancementRow.enhancement_id) == col(RevisionRow.enhancement_id)
    )
    for revision in await find_all(db_session, revisions.where(living)):
        needed |= {revision.before or "", revision.after or "", revision.preview or ""}
        needed |= {picture["photo"] for picture in revision.pictures}
    for event in await find_all(db_session, select(SeenEventRow).where(col(SeenEventRow.concluded_at).is_(None))):
        needed |= set(event.payload.get("photos", ()))
    return needed | await _for_undo(db_session)


async def _for_undo(db_session: AsyncSession) -> set[str]:
    """Return the bytes of every placement that may still be undone or retried."""
    oldest_first = (
        select(PlacementRow)
        .join(EnhancementRow, col(EnhancementRow.enhancement_id) == col(PlacementRow.enhancement_id))
        .where(col(PlacementRow.state).in_([state.value for state in _UNDOABLE]))
        .order_by(col(EnhancementRow.created_at), col(PlacementRow.revision))
    )
    by_spot: dict[tuple[str, str, int], list[PlacementRow]] = defaultdict(list)
    for row in await find_all(db_session, oldest_first):
        by_spot[row.store_id, row.listing_id, row.target["position"]].append(row)
    newest = [row for stack in by_spot.values() for row in stack[-UNDO_STEPS:]]
    return {row.picture["photo"] for row in newest} | {(row.replaced or {}).get("photo") or "" for row in newest}
