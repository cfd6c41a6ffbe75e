"""Which places and chats do not hear us, for `status`.

Two marks. *Closed* is a place or a whole chat that refuses us: it goes with the first message that
arrives there again, or when somebody speaks there. *Lost* counts messages that could not be shown
although their place can be reached: nothing mends those, so the mark is shown for a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.people import ChatName, Place
from domain.rows import Trouble
from storage.codec import clean_text
from storage.statements import change, find_all, insert_once, run_made, table_of
from storage.tables import ChatTroubleRow, OutboxRow

CLOSED, LOST = "closed", "lost"
WHOLE_CHAT = ""
LOST_SHOWN = timedelta(days=1)

_marks = table_of(ChatTroubleRow).columns
_CLEAR = delete(table_of(ChatTroubleRow)).where(
    *(_marks[name] == bindparam(name) for name in ("team_id", "chat", "place_id")), _marks["kind"] == CLOSED
)
"""Every event asks for it, and there is mostly nothing to clear."""


async def note_closed(
    db_session: AsyncSession,
    team_id: str,
    place: Place,
    sentence: str,
    *,
    now: datetime,
    since: datetime | None = None,
    lost: int = 0,
) -> None:
    """Mark a place (a whole chat when its id is empty) as refusing us; a mark that stands keeps its `since`."""
    await _note(db_session, team_id, place, CLOSED, sentence, now=now, since=since or now, lost=lost)


async def note_lost(db_session: AsyncSession, team_id: str, place: Place, sentence: str, *, now: datetime) -> None:
    """Count one more message that nobody will see; of several the newest sentence stands."""
    await _note(db_session, team_id, place, LOST, sentence, now=now, since=now, lost=1)


async def clear_trouble(db_session: AsyncSession, team_id: str, place: Place) -> None:
    """Somebody spoke here: the place is open to us again."""
    await _clear(db_session, team_id, place.chat.value, place.place_id)


async def heard_again(db_session: AsyncSession, team_id: str, place: Place) -> bool:
    """A message arrived here: clear the place's mark and the chat's; True when the whole chat had been closed."""
    await _clear(db_session, team_id, place.chat.value, place.place_id)
    return await _clear(db_session, team_id, place.chat.value, WHOLE_CHAT)


async def find_troubles(db_session: AsyncSession, team_id: str, *, now: datetime) -> Sequence[Trouble]:
    """Return the marks that stand, whole chats first, then the oldest first."""
    statement = (
        select(ChatTroubleRow)
        .where(
            col(ChatTroubleRow.team_id) == team_id,
            (col(ChatTroubleRow.kind) == CLOSED) | (col(ChatTroubleRow.last_at) > now - LOST_SHOWN),
        )
        .order_by(col(ChatTroubleRow.place_id) != WHOLE_CHAT, col(ChatTroubleRow.since), col(ChatTroubleRow.place_id))
    )
    waiting = await _waiting(db_session, team_id)
    return [
        Trouble(
            place=Place(ChatName(row.chat), row.place_id),
            sentence=row.sentence,
            since=row.since,
            lost=row.lost,
            waiting=waiting.get(ChatName(row.chat), 0) if row.place_id == WHOLE_CHAT else 0,
        )
        for row in await find_all(db_session, statement)
    ]


async def forget_lost(db_session: AsyncSession, *, now: datetime) -> None:
    """Delete the marks of lost messages that are no longer shown."""
    statement = delete(ChatTroubleRow).where(
        col(ChatTroubleRow.kind) == LOST, col(ChatTroubleRow.last_at) <= now - LOST_SHOWN
    )
    await change(db_session, statement)


async def _waiting(db_session: AsyncSession, team_id: str) -> dict[ChatName, int]:
    statement = (
        select(col(OutboxRow.chat), func.count())
        .where(col(OutboxRow.team_id) == team_id, col(OutboxRow.state) == "queued")
        .group_by(col(OutboxRow.chat))
    )
    return {ChatName(chat): count for chat, count in await db_session.execute(statement)}


async def _note(
    db_session: AsyncSession,
    team_id: str,
    place: Place,
    kind: str,
    sentence: str,
    *,
    now: datetime,
    since: datetime,
    lost: int,
) -> None:
    row = ChatTroubleRow(
        team_id=team_id,
        chat=place.chat.value,
        place_id=place.place_id,
        kind=kind,
        sentence=clean_text(sentence),
        since=since,
        last_at=now,
        lost=lost,
    )
    if await insert_once(db_session, row):
        return
    here = _is(team_id, row.chat, row.place_id, kind)
    if kind == LOST:
        # What was lost long ago is no part of what is being lost now.
        await change(
            db_session,
            update(ChatTroubleRow)
            .where(*here, col(ChatTroubleRow.last_at) <= now - LOST_SHOWN)
            .values(since=since, lost=0),
        )
    values = {"sentence": row.sentence, "last_at": now, "lost": col(ChatTroubleRow.lost) + lost}
    await change(db_session, update(ChatTroubleRow).where(*here).values(**values))


async def _clear(db_session: AsyncSession, team_id: str, chat: str, place_id: str) -> bool:
    where = {"team_id": team_id, "chat": chat, "place_id": place_id}
    return (await run_made(db_session, _CLEAR, where)).rowcount > 0


def _is(team_id: str, chat: str, place_id: str, kind: str) -> tuple[ColumnElement[bool], ...]:
    return (
        col(ChatTroubleRow.team_id) == team_id,
        col(ChatTroubleRow.chat) == chat,
        col(ChatTroubleRow.place_id) == place_id,
        col(ChatTroubleRow.kind) == kind,
    )
