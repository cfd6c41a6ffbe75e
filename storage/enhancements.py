"""Enhancements: the port `EnhancementRows`. Their placements are in storage/placements.py.

Revisions and decisions are tables of their own, so that an old button, a history line or an undo
can still read what a former revision looked like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import Sha256, Sku
from domain.enhancement import (
    Decision,
    Enhancement,
    EnhancementEvent,
    EnhancementState,
    Revision,
)
from domain.errors import Fault, RowChanged
from domain.people import ChatName, Place
from storage.codec import FINDINGS, PICTURES, RECIPE, TARGETS, clean_text, dump, pack_sentence, read_failure
from storage.statements import change, find_all, find_one, insert, insert_once, lock_until_commit
from storage.tables import DecisionRow, EnhancementRow, RevisionRow
from storage.teams import SqlTeams, approvals_of

MOST_WAITING = 10
"""Enough to know that a word alone cannot mean one of them."""


class SqlEnhancements:
    """The enhancements seen by one transaction."""

    def __init__(self, db_session: AsyncSession) -> None:
        self._db_session = db_session

    async def get(self, team_id: str, enhancement_id: str) -> Enhancement | None:
        """Return it; None when it does not exist or belongs to another team."""
        return await self._find(
            select(EnhancementRow).where(
                col(EnhancementRow.enhancement_id) == enhancement_id, col(EnhancementRow.team_id) == team_id
            )
        )

    async def load(self, enhancement_id: str) -> Enhancement:
        """Return it. Raises Fault("row_missing")."""
        found = await self._find(select(EnhancementRow).where(col(EnhancementRow.enhancement_id) == enhancement_id))
        if found is None:
            raise Fault("row_missing", f"no enhancement {enhancement_id}")
        return found

    async def add(self, enhancement: Enhancement) -> bool:
        """Insert it with its revision; False when the id exists."""
        if not await insert_once(self._db_session, _enhancement_row(enhancement)):
            return False
        await insert(self._db_session, _revision_row(enhancement))
        if enhancement.decision is not None:
            await insert(self._db_session, _decision_row(enhancement, enhancement.decision))
        return True

    async def hold(self, enhancement_id: str) -> None:
        """Wait for whoever changes its card, and keep them waiting until this transaction ends."""
        await lock_card(self._db_session, enhancement_id)

    async def save(self, enhancement: Enhancement, *, was: Enhancement) -> None:
        """Write it where state, revision and attempt are those of `was`. Raises RowChanged."""
        await lock_card(self._db_session, was.enhancement_id)
        row = _enhancement_row(enhancement)
        # A reminder is a word about the preview and no move of it: it must not make a decision lose a race, nor be
        # undone by one that was read before it. Of two reminders the second finds that it was first.
        reminder: dict[str, object] = {}
        guard: tuple[ColumnElement[bool], ...] = ()
        if enhancement.reminded_at != was.reminded_at:
            reminder = {"reminded_at": row.reminded_at}
            guard = (col(EnhancementRow.reminded_at).is_not_distinct_from(was.reminded_at),)
        changed = await change(
            self._db_session,
            update(EnhancementRow)
            .where(
                col(EnhancementRow.enhancement_id) == was.enhancement_id,
                col(EnhancementRow.state) == was.state.value,
                col(EnhancementRow.revision) == was.revision.number,
                col(EnhancementRow.attempt) == was.attempt,
                *guard,
            )
            .values(
                title=row.title,
                photo=row.photo,
                state=row.state,
                revision=row.revision,
                attempt=row.attempt,
                targets=row.targets,
                failure=row.failure,
                failure_said=row.failure_said,
                offered_at=row.offered_at,
                **reminder,
            ),
        )
        if changed != 1:
            raise RowChanged(f"enhancement {was.enhancement_id}", was=was.state.value)
        if enhancement.revision != was.revision:
            await self._save_revision(enhancement, is_new=enhancement.revision.number != was.revision.number)
        if enhancement.decision is not None and enhancement.decision != was.decision:
            await insert(self._db_session, _decision_row(enhancement, enhancement.decision))

    async def latest_in(self, place: Place, team_id: str, *, sku: Sku | None = None) -> Enhancement | None:
        """Return the newest of the team in this place, of a SKU in any place."""
        return await self._find(_newest_first(place, team_id, sku))

    async def awaiting_in(self, place: Place, team_id: str, *, sku: Sku | None = None) -> Sequence[Enhancement]:
        """Return what waits for a decision in this place, of a SKU in any place, newest first."""
        waiting = _newest_first(place, team_id, sku).where(
            col(EnhancementRow.state) == EnhancementState.AWAITING_DECISION.value
        )
        return [
            await self.load(row.enhancement_id) for row in await find_all(self._db_session, waiting.limit(MOST_WAITING))
        ]

    async def of_sku(self, team_id: str, sku: Sku, *, limit: int) -> Sequence[Enhancement]:
        """Return the newest of a SKU, newest first, each with its present revision."""
        statement = (
            select(col(EnhancementRow.enhancement_id))
            .where(col(EnhancementRow.team_id) == team_id, col(EnhancementRow.sku_key) == sku.key)
            .order_by(col(EnhancementRow.created_at).desc(), col(EnhancementRow.enhancement_id).desc())
        )
        return [await self.load(each) for each in (await self._db_session.execute(statement.limit(limit))).scalars()]

    async def awaiting(self, team_id: str, *, limit: int) -> Sequence[Enhancement]:
        """Return what waits for a decision in any place, the oldest first."""
        statement = select(EnhancementRow).where(
            col(EnhancementRow.team_id) == team_id,
            col(EnhancementRow.state) == EnhancementState.AWAITING_DECISION.value,
        )
        oldest = statement.order_by(col(EnhancementRow.created_at), col(EnhancementRow.enhancement_id)).limit(limit)
        return [await self.load(row.enhancement_id) for row in await find_all(self._db_session, oldest)]

    async def revisions(self, enhancement_id: str) -> Sequence[Revision]:
        """Return every attempt at its picture, the oldest first."""
        statement = select(RevisionRow).where(col(RevisionRow.enhancement_id) == enhancement_id)
        return [_revision(row) for row in await find_all(self._db_session, statement.order_by(col(RevisionRow.number)))]

    async def count_by_state(self, team_id: str) -> dict[EnhancementState, int]:
        """Return how many stand where."""
        rows = await self._db_session.execute(
            select(col(EnhancementRow.state), func.count())
            .where(col(EnhancementRow.team_id) == team_id)
            .group_by(col(EnhancementRow.state))
        )
        return {EnhancementState(state): count for state, count in rows}

    async def oldest_awaiting(self, team_id: str) -> datetime | None:
        """Return when the longest waiting preview was asked for."""
        statement = select(func.min(col(EnhancementRow.created_at))).where(
            col(EnhancementRow.team_id) == team_id,
            col(EnhancementRow.state) == EnhancementState.AWAITING_DECISION.value,
        )
        return (await self._db_session.execute(statement)).scalar_one()

    async def _find(self, statement: Select[EnhancementRow]) -> Enhancement | None:
        row = await find_one(self._db_session, statement)
        if row is None:
            return None
        revision = await find_one(
            self._db_session,
            select(RevisionRow).where(
                col(RevisionRow.enhancement_id) == row.enhancement_id, col(RevisionRow.number) == row.revision
            ),
        )
        if revision is None:
            raise Fault("row_missing", f"enhancement {row.enhancement_id} has no revision {row.revision}")
        decision = await find_one(
            self._db_session,
            select(DecisionRow).where(
                col(DecisionRow.enhancement_id) == row.enhancement_id, col(DecisionRow.revision) == row.revision
            ),
        )
        enhancement = _enhancement(row, revision, decision)
        rules = await SqlTeams(self._db_session).rules(row.team_id)
        if rules == enhancement.rules:
            return enhancement
        yeses = await approvals_of(self._db_session, row.enhancement_id, row.revision) if rules.approvals > 1 else ()
        return replace(enhancement, rules=rules, approvals=tuple(yeses))

    async def _save_revision(self, enhancement: Enhancement, *, is_new: bool) -> None:
        row = _revision_row(enhancement)
        if is_new:
            await insert(self._db_session, row)
            return
        await change(
            self._db_session,
            update(RevisionRow)
            .where(
                col(RevisionRow.enhancement_id) == enhancement.enhancement_id,
                col(RevisionRow.number) == enhancement.revision.number,
            )
            .values(
                recipe=row.recipe,
                pictures=row.pictures,
                before=row.before,
                after=row.after,
                preview=row.preview,
                engine=row.engine,
                confidence=row.confidence,
                findings=row.findings,
            ),
        )


def _newest_first(place: Place, team_id: str, sku: Sku | None) -> Select[EnhancementRow]:
    statement = select(EnhancementRow).where(col(EnhancementRow.team_id) == team_id)
    if sku is not None:
        statement = statement.where(col(EnhancementRow.sku_key) == sku.key)
    else:
        statement = statement.where(
            col(EnhancementRow.chat) == place.chat.value,
            col(EnhancementRow.place_id) == place.place_id,
            col(EnhancementRow.thread_id) == place.thread_id,
        )
    return statement.order_by(col(EnhancementRow.created_at).desc(), col(EnhancementRow.enhancement_id).desc())


async def lock_card(db_session: AsyncSession, enhancement_id: str) -> None:
    """Wait for whoever changes the same card, so that what is read for it next is what they committed.

    Two stores that confirm at once would each draw the card with the other one still on its way.
    """
    await lock_until_commit(db_session, f"card:{enhancement_id}")


def _revision(row: RevisionRow) -> Revision:
    return Revision(
        number=row.number,
        recipe=RECIPE.validate_python(row.recipe),
        pictures=PICTURES.validate_python(row.pictures),
        before=digest_or_none(row.before),
        after=digest_or_none(row.after),
        preview=digest_or_none(row.preview),
        engine=row.engine,
        confidence=row.confidence,
        findings=FINDINGS.validate_python(row.findings),
    )


def _enhancement(row: EnhancementRow, revision: RevisionRow, decision: DecisionRow | None) -> Enhancement:
    return Enhancement(
        enhancement_id=row.enhancement_id,
        team_id=row.team_id,
        sku=Sku(row.sku),
        title=row.title,
        photo=digest_or_none(row.photo),
        state=EnhancementState(row.state),
        revision=_revision(revision),
        targets=TARGETS.validate_python(row.targets),
        place=Place(ChatName(row.chat), row.place_id, row.thread_id),
        requested_by=row.requested_by,
        requested_by_name=row.requested_by_name,
        created_at=row.created_at,
        attempt=row.attempt,
        decision=None
        if decision is None
        else Decision(
            verdict=EnhancementEvent(decision.verdict),
            revision=decision.revision,
            by_name=decision.by_name,
            by_member_id=decision.by_member_id,
            decided_at=decision.decided_at,
            reason=decision.reason,
        ),
        failure=read_failure(row.failure, row.failure_said),
        offered_at=row.offered_at,
        reminded_at=row.reminded_at,
    )


def _enhancement_row(enhancement: Enhancement) -> EnhancementRow:
    return EnhancementRow(
        enhancement_id=enhancement.enhancement_id,
        team_id=enhancement.team_id,
        sku=enhancement.sku.value,
        sku_key=enhancement.sku.key,
        title=clean_text(enhancement.title),
        photo=enhancement.photo,
        state=enhancement.state.value,
        revision=enhancement.revision.number,
        attempt=enhancement.attempt,
        targets=dump(TARGETS, enhancement.targets),
        chat=enhancement.place.chat.value,
        place_id=enhancement.place.place_id,
        thread_id=enhancement.place.thread_id,
        requested_by=enhancement.requested_by,
        requested_by_name=clean_text(enhancement.requested_by_name),
        created_at=enhancement.created_at,
        failure=clean_text(enhancement.failure),
        failure_said=pack_sentence(enhancement.failure),
        offered_at=enhancement.offered_at,
        reminded_at=enhancement.reminded_at,
    )


def _revision_row(enhancement: Enhancement) -> RevisionRow:
    revision = enhancement.revision
    return RevisionRow(
        enhancement_id=enhancement.enhancement_id,
        number=revision.number,
        team_id=enhancement.team_id,
        recipe=dump(RECIPE, revision.recipe),
        pictures=dump(PICTURES, revision.pictures),
        before=revision.before,
        after=revision.after,
        preview=revision.preview,
        engine=revision.engine,
        confidence=revision.confidence,
        findings=dump(FINDINGS, revision.findings),
    )


def _decision_row(enhancement: Enhancement, decision: Decision) -> DecisionRow:
    return DecisionRow(
        enhancement_id=enhancement.enhancement_id,
        revision=decision.revision,
        team_id=enhancement.team_id,
        verdict=decision.verdict.value,
        by_name=clean_text(decision.by_name),
        by_member_id=decision.by_member_id,
        decided_at=decision.decided_at,
        reason=clean_text(decision.reason),
    )


def digest_or_none(value: str | None) -> Sha256 | None:
    """Return a column's name of bytes as the domain's value."""
    return None if value is None else Sha256(value)
