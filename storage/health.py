"""How stores and chats of a team are doing, and what was said of it: read and changed in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.enhancement import EnhancementState, PlacementState
from domain.health import ChatContacts, FailureKind, Pulse, QueueCounts
from domain.people import ChatName, Place, Role
from storage.audit import subject_place
from storage.health_tables import HealthNoticeRow, StorePulseRow
from storage.people import SUSPENDED
from storage.statements import change, find_all, find_one, insert_once
from storage.tables import (
    EnhancementRow,
    IdentityRow,
    MemberRow,
    OutboxRow,
    PlacementRow,
    PlaceRow,
    SeenEventRow,
    StoreStateRow,
)

LOST_SHOWN = timedelta(days=1)
_NOT_BEGUN = (EnhancementState.RECEIVED.value,), (PlacementState.APPROVED.value,)
_BEGUN = (
    (EnhancementState.ENHANCING.value,),
    (PlacementState.PUBLISHING.value, PlacementState.ACCEPTED.value, PlacementState.RESTORING.value),
)
_DEAD = (
    (EnhancementState.ENHANCE_FAILED.value,),
    (PlacementState.PUBLISH_FAILED.value, PlacementState.RESTORE_FAILED.value, PlacementState.UNCLEAR.value),
)


class SqlHealth:
    """The port `HealthRows`."""

    def __init__(self, db_session: AsyncSession) -> None:
        self._db_session = db_session

    async def pulses(self, team_id: str) -> Mapping[str, Pulse]:
        """Return every store's pulse by its id; one nobody talked to has none."""
        mine = col(StoreStateRow.team_id) == team_id
        heard = {row.store_id: row for row in await find_all(self._db_session, select(StoreStateRow).where(mine))}
        beats = {
            row.store_id: row
            for row in await find_all(
                self._db_session, select(StorePulseRow).where(col(StorePulseRow.team_id) == team_id)
            )
        }
        return {store_id: _pulse(beats.get(store_id), heard.get(store_id)) for store_id in {**heard, **beats}}

    async def chats(self, team_id: str) -> ChatContacts:
        """Return when each chat last took a message of ours, or brought one of theirs."""
        sent = (
            select(col(OutboxRow.chat), func.max(col(OutboxRow.queued_at)))
            .where(col(OutboxRow.team_id) == team_id, col(OutboxRow.state) == "sent")
            .group_by(col(OutboxRow.chat))
        )
        found: dict[str, datetime] = dict(list(await self._db_session.execute(sent)))
        for chat in ChatName:
            mine = col(SeenEventRow.team_id) == team_id, col(SeenEventRow.event_key).startswith(f"{chat.value}:")
            newest = select(func.max(col(SeenEventRow.taken_at))).where(*mine)
            heard: datetime | None = (await self._db_session.execute(newest)).scalar_one()
            if heard is not None:
                found[chat.value] = max(heard, found.get(chat.value, heard))
        return found

    async def queue(self, team_id: str, *, now: datetime) -> QueueCounts:
        """Return what waits for a team."""
        unhandled = (
            col(SeenEventRow.concluded_at).is_(None),
            ~col(SeenEventRow.is_spare),
            col(SeenEventRow.album).is_(None),
        )
        events = await self._count(
            select(col(SeenEventRow.event_key)).where(col(SeenEventRow.team_id) == team_id, *unhandled)
        )
        messages = select(col(OutboxRow.outbox_id)).where(col(OutboxRow.team_id) == team_id)
        lost = col(OutboxRow.state) == "failed", col(OutboxRow.queued_at) > now - LOST_SHOWN
        return QueueCounts(
            events=events,
            jobs_waiting=await self._in(team_id, *_NOT_BEGUN),
            jobs_running=await self._in(team_id, *_BEGUN),
            dead_letters=await self._in(team_id, *_DEAD),
            messages_waiting=await self._count(messages.where(col(OutboxRow.state) == "queued")),
            messages_lost=await self._count(messages.where(*lost)),
        )

    async def tell_once(self, team_id: str, subject: str, kind: str, *, now: datetime) -> bool:
        """Note that people are told of something; False when they were told before."""
        return await insert_once(
            self._db_session, HealthNoticeRow(team_id=team_id, subject=subject, kind=kind, said_at=now)
        )

    async def over(self, team_id: str, subject: str, *kinds: str) -> bool:
        """Note that something is over; True when people had been told of it."""
        mine = (
            col(HealthNoticeRow.team_id) == team_id,
            col(HealthNoticeRow.subject) == subject,
            col(HealthNoticeRow.kind).in_(kinds),
        )
        return await change(self._db_session, delete(HealthNoticeRow).where(*mine)) > 0

    async def admin_places(self, team_id: str, *, subject: str = "") -> list[Place]:
        """Return where the team's admins hear a notice: privately, else where `subject` was last spoken of, else
        where somebody spoke last, else nowhere.

        A Slack person's id is a place that Slack opens by itself; in Telegram a bot may only write to whom has
        written to it.
        """
        admins = (
            select(IdentityRow)
            .join(MemberRow, col(MemberRow.member_id) == col(IdentityRow.member_id))
            .where(
                col(IdentityRow.team_id) == team_id,
                col(MemberRow.role) == Role.ADMIN.value,
                col(IdentityRow.standing) != SUSPENDED,
                col(IdentityRow.chat) != ChatName.CONSOLE.value,
            )
            .order_by(col(IdentityRow.member_id), col(IdentityRow.chat), col(IdentityRow.actor_id))
        )
        places = [Place(ChatName(row.chat), row.actor_id) for row in await find_all(self._db_session, admins)]
        private = [place for place in places if place.chat is ChatName.SLACK or await self._has_spoken(team_id, place)]
        if private:
            return private
        if subject and (place := await subject_place(self._db_session, team_id, subject)):
            return [place]
        last = select(PlaceRow).where(col(PlaceRow.team_id) == team_id).order_by(col(PlaceRow.first_seen_at).desc())
        row = await find_one(self._db_session, last)
        return [Place(ChatName(row.chat), row.place_id)] if row else []

    async def _has_spoken(self, team_id: str, place: Place) -> bool:
        mine = (
            col(PlaceRow.team_id) == team_id,
            col(PlaceRow.chat) == place.chat.value,
            col(PlaceRow.place_id) == place.place_id,
        )
        return await find_one(self._db_session, select(PlaceRow).where(*mine)) is not None

    async def _in(self, team_id: str, enhancements: tuple[str, ...], placements: tuple[str, ...]) -> int:
        return await self._count(
            select(col(EnhancementRow.enhancement_id)).where(
                col(EnhancementRow.team_id) == team_id, col(EnhancementRow.state).in_(enhancements)
            )
        ) + await self._count(
            select(col(PlacementRow.placement_id)).where(
                col(PlacementRow.team_id) == team_id, col(PlacementRow.state).in_(placements)
            )
        )

    async def _count(self, rows: Select[Any]) -> int:
        return int((await self._db_session.execute(select(func.count()).select_from(rows.subquery()))).scalar_one())


def _pulse(beat: StorePulseRow | None, heard: StoreStateRow | None) -> Pulse:
    last_ok_at = heard.last_ok_at if heard else None
    if beat is None:
        return Pulse(last_ok_at=last_ok_at)
    return Pulse(
        failures=beat.failures,
        failure=FailureKind(beat.failure) if beat.failure else None,
        scope=beat.scope,
        failed_at=beat.failed_at,
        last_ok_at=last_ok_at,
        key_expires_at=beat.key_expires_at,
        checked_at=beat.checked_at,
    )
