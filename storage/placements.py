"""Placements, one approved picture at one store each: the port `PlacementRows`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import ImageId, Sku
from domain.enhancement import Placement, PlacementState
from domain.errors import Fault, RowChanged
from storage.codec import PICTURE, REPLACED, TARGET, TARGETS, clean_text, dump, pack_sentence, read_failure
from storage.enhancements import lock_card
from storage.statements import change, find_all, find_one, insert_once
from storage.tables import EnhancementRow, PlacementRow


class SqlPlacements:
    """The placements seen by one transaction."""

    def __init__(self, db_session: AsyncSession) -> None:
        self._db_session = db_session

    async def load(self, placement_id: str) -> Placement:
        """Return it. Raises Fault("row_missing")."""
        row = await find_one(
            self._db_session, select(PlacementRow).where(col(PlacementRow.placement_id) == placement_id)
        )
        if row is None:
            raise Fault("row_missing", f"no placement {placement_id}")
        return _placement(row)

    async def of_enhancement(self, enhancement_id: str, *, revision: int | None = None) -> Sequence[Placement]:
        """Return them newest revision first, then in target order."""
        statement = select(PlacementRow).where(col(PlacementRow.enhancement_id) == enhancement_id)
        if revision is not None:
            statement = statement.where(col(PlacementRow.revision) == revision)
        rows = await find_all(self._db_session, statement.order_by(col(PlacementRow.placement_id)))
        stored = (
            await self._db_session.execute(
                select(col(EnhancementRow.targets)).where(col(EnhancementRow.enhancement_id) == enhancement_id)
            )
        ).scalar_one_or_none()
        targets = TARGETS.validate_python(stored or [])
        order = {(target.store_id, target.listing_id): index for index, target in enumerate(targets)}

        def rank(placement: Placement) -> tuple[int, int]:
            # A listing that is no longer a target stands last; its placement can still be undone.
            target = placement.target
            return -placement.revision, order.get((target.store_id, target.listing_id), len(order))

        return sorted((_placement(row) for row in rows), key=rank)

    async def add(self, placement: Placement) -> None:
        """Insert it. Raises RowChanged when (enhancement, revision, listing) has one already."""
        await lock_card(self._db_session, placement.enhancement_id)
        if not await insert_once(self._db_session, _placement_row(placement)):
            raise RowChanged(f"placement {placement.publish_key}", was="missing")

    async def save(self, placement: Placement, *, was: Placement) -> None:
        """Write it where state and attempt are those of `was`. Raises RowChanged."""
        await lock_card(self._db_session, was.enhancement_id)
        row = _placement_row(placement)
        changed = await change(
            self._db_session,
            update(PlacementRow)
            .where(
                col(PlacementRow.placement_id) == was.placement_id,
                col(PlacementRow.state) == was.state.value,
                col(PlacementRow.attempt) == was.attempt,
            )
            .values(
                target=row.target,
                picture=row.picture,
                state=row.state,
                attempt=row.attempt,
                replaced=row.replaced,
                image_id=row.image_id,
                url=row.url,
                failure=row.failure,
                failure_said=row.failure_said,
                looks=row.looks,
            ),
        )
        if changed != 1:
            raise RowChanged(f"placement {was.placement_id}", was=was.state.value)

    async def count_by_state(self, team_id: str) -> dict[PlacementState, int]:
        """Return how many stand where."""
        rows = await self._db_session.execute(
            select(col(PlacementRow.state), func.count())
            .where(col(PlacementRow.team_id) == team_id)
            .group_by(col(PlacementRow.state))
        )
        return {PlacementState(state): count for state, count in rows}


def _placement(row: PlacementRow) -> Placement:
    return Placement(
        placement_id=row.placement_id,
        enhancement_id=row.enhancement_id,
        team_id=row.team_id,
        sku=Sku(row.sku),
        revision=row.revision,
        target=TARGET.validate_python(row.target),
        picture=PICTURE.validate_python(row.picture),
        state=PlacementState(row.state),
        attempt=row.attempt,
        replaced=None if row.replaced is None else REPLACED.validate_python(row.replaced),
        image_id=None if row.image_id is None else ImageId(row.image_id),
        url=row.url,
        failure=read_failure(row.failure, row.failure_said),
        looks=row.looks,
    )


def _placement_row(placement: Placement) -> PlacementRow:
    return PlacementRow(
        placement_id=placement.placement_id,
        enhancement_id=placement.enhancement_id,
        team_id=placement.team_id,
        sku=placement.sku.value,
        revision=placement.revision,
        store_id=placement.target.store_id,
        listing_id=placement.target.listing_id,
        target=dump(TARGET, placement.target),
        picture=dump(PICTURE, placement.picture),
        state=placement.state.value,
        attempt=placement.attempt,
        replaced=None if placement.replaced is None else dump(REPLACED, placement.replaced),
        image_id=placement.image_id,
        url=placement.url,
        failure=clean_text(placement.failure),
        failure_said=pack_sentence(placement.failure),
        looks=placement.looks,
    )
