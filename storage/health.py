"""How stores and chats of a team are doing, and what was said of it: read and changed in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.health import ChatContacts, FailureKind, Pulse, QueueCounts
from domain.people import ChatName, Place, Role
from storage.audit import subject_place
from storage.health_tables import HealthNoticeRow, StorePulseRow
from storage.people import SUSPENDED
from storage.statements import change, find_all, find_one, insert_once, run_made, table_of
from storage.tables import IdentityRow, MemberRow, OutboxRow, PlaceRow, SeenEventRow, StoreStateRow

LOST_SHOWN = timedelta(days=1)

_events, _outbox = table_of(SeenEventRow).columns, table_of(OutboxRow).columns
_team: ColumnElement[str] = bindparam("team_id")


def _newest(chat: ChatName) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return when a chat took the newest message, and when it brought the newest event: a look at an index each."""
    sent = select(_outbox["queued_at"]).where(_outbox["team_id"] == _team, _outbox["chat"] == chat.value)
    newest_sent = sent.where(_outbox["state"] == "sent").order_by(_outbox["outbox_id"].desc()).limit(1)
    heard = select(func.max(_events["taken_at"])).where(_events["team_id"] == _team, _events["chat"] == chat.value)
    return newest_sent.scalar_subquery().label(f"{chat}_sent"), heard.scalar_subquery().label(f"{chat}_heard")


_CONTACTS = select(*(column for chat in ChatName for column in _newest(chat)))


def _count(name: str, table: FromClause, *wanted: ColumnElement[bool]) -> ColumnElement[int]:
    mine = table.columns["team_id"] == _team
    return select(func.count()).select_from(table).where(mine, *wanted).scalar_subquery().label(name)


_UNHANDLED = (
    table_of(SeenEventRow),
    _events["concluded_at"].is_(None),
    ~_events["is_spare"],
    _events["album"].is_(None),
)
_WAITING = select(
    _count("events", *_UNHANDLED),
    _count("messages_waiting", table_of(OutboxRow), _outbox["state"] == "queued"),
    _count(
        "messages_lost",
        table_of(OutboxRow),
        _outbox["state"] == "failed",
        _outbox["queued_at"] > bindparam("lost_after"),
    ),
)
"""Made once, as `_CONTACTS` is: people ask `status` when much is going on."""


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
        row = (await run_made(self._db_session, _CONTACTS, {"team_id": team_id})).mappings().one()
        newest = {chat.value: _latest(row[f"{chat}_sent"], row[f"{chat}_heard"]) for chat in ChatName}
        return {chat: at for chat, at in newest.items() if at is not None}

    async def queue(self, team_id: str, *, now: datetime) -> QueueCounts:
        """Return what waits for a team, apart from its pictures."""
        values = {"team_id": team_id, "lost_after": now - LOST_SHOWN}
        row = (await run_made(self._db_session, _WAITING, values)).mappings().one()
        return QueueCounts(**row)

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


def _latest(*moments: datetime | None) -> datetime | None:
    return max((at for at in moments if at is not None), default=None)
