"""The outbox: what waits to be shown, in order per place, and what became of it.

Which messages are due is in `storage/waiting.py`. A pause a chat asked for holds back everything of
its place behind it. One loop at a time delivers (the roof holds a lock for it). A crash between
delivering and `sent` repeats an edit; of a new message `sending` has left word, so that the chat is
asked whether it arrived.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Update, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.errors import Fault
from domain.people import ChatName, Place
from storage.codec import clean_text
from storage.database import Database
from storage.places import PlaceDefaults
from storage.statements import change, find_one
from storage.tables import OutboxRow, PostedMessageRow
from storage.trouble import WHOLE_CHAT, forget_lost, heard_again, note_closed, note_lost
from storage.waiting import Look, QueuedMessage, find_due, is_queued, needs_tidying, readable, tidy

PRUNED_AT_ONCE = 500

_WAITING_CHATS = select(col(OutboxRow.chat)).where(is_queued(), col(OutboxRow.due_at) <= bindparam("now")).distinct()


class OutboxRows:
    """The waiting messages of every place."""

    def __init__(self, database: Database, defaults: PlaceDefaults | None = None) -> None:
        self._database = database
        self._defaults = defaults or PlaceDefaults()

    async def waiting_chats(self, now: datetime) -> Collection[ChatName]:
        """Return the chats for which something may be due."""
        async with self._database.read() as db_session:
            found = set((await db_session.execute(_WAITING_CHATS, {"now": now})).scalars())
        return [chat for chat in ChatName if chat.value in found]

    async def due(
        self, now: datetime, limit: int, *, chat: ChatName | None = None, skip: Collection[int] = ()
    ) -> Sequence[QueuedMessage]:
        """Return the first waiting message of every place (of one chat) whose time has come, the oldest first.

        Rows in `skip` are being delivered or held back: neither they nor what waits behind them is due.
        """
        look = Look(now, limit, chat, skip, self._defaults)
        async with self._database.read() as db_session:
            found = await find_due(db_session, look)
            # Most looks find nothing or nothing to change, and those must not take the write lock.
            if not found:
                return ()
            messages = readable(found, self._defaults)
            if messages is not None and not await needs_tidying(db_session, found, look):
                return messages
        async with self._database.begin() as db_session:
            return await tidy(db_session, look)

    async def sending(self, outbox_id: int, now: datetime) -> bool:
        """Leave word that a new message is on its way; False when it need not be sent any more."""
        async with self._database.begin() as db_session:
            return await change(db_session, _one(outbox_id).values(sending_since=now)) == 1

    async def sent(self, outbox_id: int, native_id: str) -> None:
        """Delivered; the chat calls the message `native_id`. The place and its chat are open to us."""
        async with self._database.begin() as db_session:
            row = await _row(db_session, outbox_id)
            await change(db_session, _one(outbox_id).values(state="sent", sending_since=None))
            await change(db_session, _message(row).values(native_id=native_id))
            if await heard_again(db_session, row.team_id, _place(row)):
                # The others of this chat have waited for just this. A pause that one of them was
                # asked for is kept by the pacer.
                await change(db_session, _of_chat(row).values(due_at=col(OutboxRow.queued_at)))

    async def retry(self, outbox_id: int, at: datetime, error: str, *, is_refused: bool = False) -> None:
        """Not now: the place waits until `at`. `is_refused`: the chat said no, so it has certainly not arrived."""
        async with self._database.begin() as db_session:
            again = _one(outbox_id).values(due_at=at, attempts=col(OutboxRow.attempts) + 1, error=clean_text(error))
            await change(db_session, again.values(sending_since=None) if is_refused else again)

    async def lost(self, outbox_id: int, error: str, *, sentence: str, now: datetime) -> None:
        """Never: the place goes on without it, and `status` shows the sentence for a day."""
        async with self._database.begin() as db_session:
            row = await _row(db_session, outbox_id)
            if await change(db_session, _failed(_one(outbox_id), error)):
                await note_lost(db_session, row.team_id, _place(row), sentence, now=now)

    async def message_gone(self, outbox_id: int, sentence: str, *, now: datetime) -> None:
        """The message is no longer there: it is lost, and edits of it are not tried any more.

        A new message that was refused can still come back as its next edit.
        """
        async with self._database.begin() as db_session:
            row = await _row(db_session, outbox_id)
            gone = _message(row).where(col(PostedMessageRow.native_id) != "").values(gone_at=now)
            await change(db_session, gone)
            if await change(db_session, _failed(_one(outbox_id), sentence)):
                await note_lost(db_session, row.team_id, _place(row), sentence, now=now)

    async def place_closed(self, outbox_id: int, sentence: str, *, now: datetime) -> None:
        """Nothing can be said there: all that waits for the place is lost, until it is open to us again."""
        async with self._database.begin() as db_session:
            row = await _row(db_session, outbox_id)
            waiting = _of_chat(row).where(col(OutboxRow.place_id) == row.place_id)
            lost = await change(db_session, _failed(waiting, sentence))
            await note_closed(db_session, row.team_id, _place(row), sentence, now=now, lost=lost)

    async def chat_closed(self, outbox_id: int, sentence: str, *, now: datetime, until: datetime) -> None:
        """The whole chat refuses us, which an admin can mend: nothing is lost, all of it waits until `until`."""
        async with self._database.begin() as db_session:
            row = await _row(db_session, outbox_id)
            await change(
                db_session,
                _one(outbox_id).values(
                    attempts=col(OutboxRow.attempts) + 1, error=clean_text(sentence), sending_since=None
                ),
            )
            await change(db_session, _of_chat(row).where(col(OutboxRow.due_at) < until).values(due_at=until))
            await note_closed(db_session, row.team_id, _whole_chat(row), sentence, now=now)

    async def chat_silent(self, outbox_id: int, sentence: str, *, now: datetime, since: datetime) -> None:
        """The chat has not answered for a while; the message waits on."""
        async with self._database.begin() as db_session:
            row = await _row(db_session, outbox_id)
            await note_closed(db_session, row.team_id, _whole_chat(row), sentence, now=now, since=since)


async def forget_messages(database: Database, before: datetime, *, now: datetime) -> int:
    """Delete what was queued before `before` and waits no longer; return how many rows went."""
    forgotten, after = 0, 0
    while True:
        page = (
            select(col(OutboxRow.outbox_id), col(OutboxRow.queued_at), col(OutboxRow.state))
            .where(col(OutboxRow.outbox_id) > after)
            .order_by(col(OutboxRow.outbox_id))
            .limit(PRUNED_AT_ONCE)
        )
        async with database.read() as db_session:
            rows = (await db_session.execute(page)).all()
        old = [(outbox_id, state) for outbox_id, queued_at, state in rows if queued_at < before]
        if ended := [outbox_id for outbox_id, state in old if state != "queued"]:
            async with database.begin() as db_session:
                forgotten += await change(db_session, delete(OutboxRow).where(col(OutboxRow.outbox_id).in_(ended)))
        if len(old) < PRUNED_AT_ONCE:
            break
        after = old[-1][0] or 0
    async with database.begin() as db_session:
        await forget_lost(db_session, now=now)
    return forgotten


async def _row(db_session: AsyncSession, outbox_id: int) -> OutboxRow:
    row = await find_one(db_session, select(OutboxRow).where(col(OutboxRow.outbox_id) == outbox_id))
    if row is None:
        raise Fault("row_missing", f"no outbox row {outbox_id}")
    return row


def _one(outbox_id: int) -> Update:
    return update(OutboxRow).where(col(OutboxRow.outbox_id) == outbox_id, is_queued())


def _of_chat(row: OutboxRow) -> Update:
    return update(OutboxRow).where(is_queued(), col(OutboxRow.chat) == row.chat, col(OutboxRow.team_id) == row.team_id)


def _failed(rows: Update, error: str) -> Update:
    return rows.values(
        state="failed", attempts=col(OutboxRow.attempts) + 1, error=clean_text(error), sending_since=None
    )


def _message(row: OutboxRow) -> Update:
    return update(PostedMessageRow).where(col(PostedMessageRow.message_key) == row.message_key)


def _place(row: OutboxRow) -> Place:
    return Place(ChatName(row.chat), row.place_id)


def _whole_chat(row: OutboxRow) -> Place:
    return Place(ChatName(row.chat), WHOLE_CHAT)
