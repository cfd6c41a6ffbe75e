"""Which waiting messages are due, and which of them need not be sent any more.

Only the first waiting message of a place is due. One message is edited in place, so of its waiting
edits only the newest is worth a call; a post that has not been sent yet takes the newest edit's words
along. In the browser chat nothing takes over another event's words: whoever waits there for the
outcome of a press (the command line does) looks for the line of its own event.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from domain.people import ChatName, Place
from domain.replies import Outgoing
from storage.codec import INCOMING, clean_text, load_reply
from storage.places import PlaceDefaults
from storage.statements import change, find_all
from storage.tables import OutboxRow, PlaceRow, PostedMessageRow, SeenEventRow

log = logging.getLogger(__name__)

CONSOLE = ChatName.CONSOLE.value


_ANSWERED = aliased(PostedMessageRow)
"""The message that a new one answers."""


@dataclass(frozen=True, slots=True)
class Found:
    """A first message of its place as the rows have it.

    `asked` is the payload of the event it answers; language and zone are what was set in its place.
    """

    row: OutboxRow
    native_id: str
    gone_at: datetime | None
    asked: Any
    language: str | None
    timezone: str | None
    under: str | None


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """One due message; `attempts` counts the deliveries that did not work.

    `sending_since`: a delivery of it as a new message was begun, and may have arrived.
    """

    outbox_id: int
    outgoing: Outgoing
    attempts: int
    queued_at: datetime
    sending_since: datetime | None


@dataclass(frozen=True, slots=True)
class Look:
    """What a look is for; the rows in `skip` are being delivered or held back and are left alone."""

    now: datetime
    limit: int
    chat: ChatName | None
    skip: Collection[int]
    defaults: PlaceDefaults


def is_queued() -> ColumnElement[bool]:
    """Whether a row waits.

    Written into the statement: a parameter would make PostgreSQL's generic plan take the few waiting
    rows for a quarter of the table.
    """
    return col(OutboxRow.state) == literal("queued", literal_execute=True)


async def find_due(db_session: AsyncSession, look: Look) -> Sequence[Found]:
    """Return the first waiting message of every place whose time has come, the oldest first."""
    values = {"now": look.now, "limit": look.limit, "skip": list(look.skip)}
    if look.chat is not None:
        values["chat"] = look.chat.value
    found = await db_session.execute(
        _due(of_one_chat=look.chat is not None), values, execution_options={"populate_existing": True}
    )
    return [Found(*columns) for columns in found]


@cache
def _due(*, of_one_chat: bool) -> Select[Any]:
    # Made once: in a flood SQLAlchemy built statements for a tenth of the event loop's time.
    firsts = select(func.min(col(OutboxRow.outbox_id))).where(is_queued())
    if of_one_chat:
        firsts = firsts.where(col(OutboxRow.chat) == bindparam("chat"))
    firsts = firsts.group_by(
        col(OutboxRow.team_id), col(OutboxRow.chat), col(OutboxRow.place_id), col(OutboxRow.thread_id)
    )
    return (
        select(
            OutboxRow,
            col(PostedMessageRow.native_id),
            col(PostedMessageRow.gone_at),
            col(SeenEventRow.payload),
            col(PlaceRow.language),
            col(PlaceRow.timezone),
            col(_ANSWERED.native_id),
        )
        .join(PostedMessageRow, col(PostedMessageRow.message_key) == col(OutboxRow.message_key))
        .outerjoin(_ANSWERED, col(_ANSWERED.message_key) == col(PostedMessageRow.under))
        .outerjoin(SeenEventRow, col(SeenEventRow.event_key) == col(OutboxRow.cause))
        .outerjoin(
            PlaceRow,
            and_(
                col(PlaceRow.team_id) == col(OutboxRow.team_id),
                col(PlaceRow.chat) == col(OutboxRow.chat),
                col(PlaceRow.place_id) == col(OutboxRow.place_id),
            ),
        )
        .where(
            col(OutboxRow.outbox_id).in_(firsts),
            col(OutboxRow.due_at) <= bindparam("now"),
            col(OutboxRow.outbox_id).not_in(bindparam("skip", expanding=True)),
        )
        .order_by(col(OutboxRow.outbox_id))
        .limit(bindparam("limit"))
    )


def queued(found: Found, defaults: PlaceDefaults) -> QueuedMessage:
    """Return a row as the chat is told of it. Raises KeyError or ValueError for what cannot be read."""
    row = found.row
    asked = None if found.asked is None else INCOMING.validate_python(found.asked)
    if asked is not None and asked.place.chat.value != row.chat:
        asked = None  # a press in one chat edits the card in another, where nobody of that name can be told
    outgoing = Outgoing(
        message_key=row.message_key,
        team_id=row.team_id,
        place=Place(ChatName(row.chat), row.place_id, row.thread_id),
        native_id=found.native_id,
        reply=load_reply(row.reply),
        cause=row.cause,
        asked=asked,
        language=found.language or defaults.language,
        timezone=found.timezone or defaults.timezone,
        under=found.under or "",
    )
    return QueuedMessage(row.outbox_id or 0, outgoing, row.attempts, row.queued_at, row.sending_since)


def readable(found: Sequence[Found], defaults: PlaceDefaults) -> list[QueuedMessage] | None:
    """Return them all, None when one cannot be read."""
    try:
        return [queued(one, defaults) for one in found]
    except (KeyError, ValueError):
        return None


# ---------------------------------------------------------------- what need not be sent


async def needs_tidying(db_session: AsyncSession, found: Sequence[Found], look: Look) -> bool:
    """Whether one of these should not be sent as it is; asked without the write lock."""
    if any(one.gone_at is not None for one in found):
        return True
    keys = [one.row.message_key for one in found]
    posts = [one.row.message_key for one in found if _takes_over(one.row)]
    values = {"now": look.now, "skip": list(look.skip), "keys": keys, "posts": posts}
    return (await db_session.execute(_to_tidy(), values)).first() is not None


@cache
def _to_tidy() -> Select[Any]:
    outdated = and_(*_is_outdated(), col(OutboxRow.message_key).in_(bindparam("keys", expanding=True)))
    edit = and_(*_is_edit(), col(OutboxRow.message_key).in_(bindparam("posts", expanding=True)))
    return select(col(OutboxRow.outbox_id)).where(or_(outdated, edit)).limit(1)


async def tidy(db_session: AsyncSession, look: Look) -> Sequence[QueuedMessage]:
    """Drop what newer words replace and what can no longer be shown; return what is due then."""
    outdated = update(OutboxRow).where(*_is_outdated()).values(state="superseded")
    await change(db_session, outdated, {"now": look.now, "skip": list(look.skip)})
    await _fail_edits_of_gone(db_session, look)
    while True:
        found = await find_due(db_session, look)
        if await _take_over(db_session, [one.row for one in found if _takes_over(one.row)]):
            found = await find_due(db_session, look)
        if (messages := readable(found, look.defaults)) is not None:
            return messages
        for one in found:
            await _fail_unreadable(db_session, one, look.defaults)


def _is_outdated() -> tuple[ColumnElement[bool], ...]:
    # A post is never dropped: it gives the message its place in the talk. Nor is a row whose time has
    # not come, since its place was asked to pause and a newer edit must not end the pause; nor one
    # that may have arrived as a new message, which would be posted twice.
    newer = aliased(OutboxRow)
    return (
        is_queued(),
        col(OutboxRow.is_post).is_(False),
        col(OutboxRow.due_at) <= bindparam("now"),
        col(OutboxRow.sending_since).is_(None),
        col(OutboxRow.outbox_id).not_in(bindparam("skip", expanding=True)),
        exists().where(
            col(newer.message_key) == col(OutboxRow.message_key),
            col(newer.outbox_id) > col(OutboxRow.outbox_id),
            col(newer.state) == literal("queued", literal_execute=True),
            or_(col(OutboxRow.chat) != CONSOLE, col(newer.cause) == col(OutboxRow.cause)),
        ),
    )


def _takes_over(row: OutboxRow) -> bool:
    return row.is_post and row.sending_since is None and row.chat != CONSOLE


def _is_edit() -> tuple[ColumnElement[bool], ...]:
    return (is_queued(), col(OutboxRow.is_post).is_(False))


def _is_edit_of(message_keys: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    return (*_is_edit(), col(OutboxRow.message_key).in_(message_keys))


async def _take_over(db_session: AsyncSession, posts: Sequence[OutboxRow]) -> bool:
    """Give unsent posts the words of their newest edit; they keep their own cause, which they answer."""
    waiting = select(OutboxRow).where(*_is_edit_of([post.message_key for post in posts]))
    edits = await find_all(db_session, waiting.order_by(col(OutboxRow.outbox_id))) if posts else ()
    newest = {edit.message_key: edit for edit in edits}
    for post in posts:
        if (edit := newest.get(post.message_key)) is not None:
            mine = update(OutboxRow).where(is_queued(), col(OutboxRow.outbox_id) == post.outbox_id)
            await change(db_session, mine.values(reply=edit.reply))
            await change(
                db_session, update(OutboxRow).where(*_is_edit_of([post.message_key])).values(state="superseded")
            )
    return bool(newest)


async def _fail_edits_of_gone(db_session: AsyncSession, look: Look) -> None:
    statement = (
        update(OutboxRow)
        .where(
            is_queued(),
            col(OutboxRow.outbox_id).not_in(look.skip),
            exists().where(
                col(PostedMessageRow.message_key) == col(OutboxRow.message_key),
                col(PostedMessageRow.gone_at).is_not(None),
            ),
        )
        .values(state="failed", error="the message is gone")
    )
    await change(db_session, statement)


async def _fail_unreadable(db_session: AsyncSession, found: Found, defaults: PlaceDefaults) -> None:
    row = found.row
    try:
        queued(found, defaults)
    except (KeyError, ValueError) as error:
        # A reply of a newer version, seen during a rolling upgrade: it must not stop every other place.
        log.exception("outbox row %s cannot be read", row.outbox_id)
        unreadable = update(OutboxRow).where(is_queued(), col(OutboxRow.outbox_id) == row.outbox_id)
        await change(db_session, unreadable.values(state="failed", error=clean_text(f"unreadable: {error!r}")))
