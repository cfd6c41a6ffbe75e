"""What was said reaches its place: in order, after the pause a chat asked for, and never for nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.outbox import RETRY_AFTER_S, Outbox
from domain.errors import Fault, RateLimited, StoreDown
from domain.intents import Incoming
from domain.people import Actor, ChatName, Place
from domain.replies import Refused
from storage.bootstrap import ensure_team
from storage.database import Database, open_database
from storage.events import SqlEvents
from storage.outbox import OutboxRows
from tests.fakes import FakeChat

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROOM, OTHER_ROOM, NOWHERE = (
    Place(ChatName.TELEGRAM, "1"),
    Place(ChatName.TELEGRAM, "2"),
    Place(ChatName.SLACK, "C1"),
)


class Office:
    """An outbox with one chat, and a way to say something."""

    def __init__(self, database: Database, team_id: str) -> None:
        self.now = NOON
        self.chat = FakeChat()
        self.rows = OutboxRows(database)
        self.outbox = Outbox(self.rows, {ChatName.TELEGRAM: self.chat}, lambda: self.now, database.messages_queued)
        self._events = SqlEvents(database, lambda _connection, _job: None, lambda: self.now)
        self._team_id = team_id
        self._said = 0

    async def say(self, sentence: str, place: Place = ROOM) -> None:
        self._said += 1
        incoming = Incoming(f"test:{self._said}", self._team_id, Actor(place.chat, "anna", "Anna"), place)
        assert await self._events.take(incoming, working=Refused("test", sentence))

    async def deliver_all(self) -> None:
        while await self.outbox.deliver_due():
            pass

    @property
    def heard(self) -> list[str]:
        return [item.reply.sentence for item in self.chat.delivered if isinstance(item.reply, Refused)]


@pytest.fixture
async def office(sqlite_url: str) -> AsyncIterator[Office]:
    database = open_database(sqlite_url)
    team = await ensure_team(database, "My shop")
    yield Office(database, team.team_id)
    await database.close()


async def test_a_place_hears_things_in_the_order_they_were_said(office: Office) -> None:
    for number in range(5):
        await office.say(f"{number}")
    await office.deliver_all()
    assert office.heard == ["0", "1", "2", "3", "4"]
    await office.deliver_all()
    assert len(office.heard) == 5


async def test_a_rate_limit_pauses_its_place_as_long_as_asked_and_no_other(office: Office) -> None:
    office.chat.trouble = [RateLimited(store="Telegram", retry_after_s=30)]
    await office.say("first")
    await office.deliver_all()
    await office.say("second")
    await office.say("elsewhere", OTHER_ROOM)
    await office.deliver_all()
    assert office.heard == ["elsewhere"]
    office.now = NOON + timedelta(seconds=29)
    await office.deliver_all()
    assert office.heard == ["elsewhere"]
    office.now = NOON + timedelta(seconds=31)
    await office.deliver_all()
    assert office.heard == ["elsewhere", "first", "second"]


async def test_a_chat_that_is_down_is_tried_again(office: Office) -> None:
    office.chat.trouble = [StoreDown("503", store="Telegram"), StoreDown("503", store="Telegram")]
    await office.say("first")
    for tries in range(3):
        await office.deliver_all()
        office.now += timedelta(seconds=RETRY_AFTER_S + 1)
        assert office.heard == (["first"] if tries == 2 else [])


async def test_a_message_that_can_never_be_shown_does_not_hold_up_the_next(office: Office) -> None:
    office.chat.trouble = [Fault("message_too_long", "4096 characters")]
    await office.say("impossible")
    await office.say("next")
    await office.say("to a chat that is not connected", NOWHERE)
    await office.deliver_all()
    assert office.heard == ["next"]
    assert list(await office.rows.due(office.now + timedelta(days=1), 10)) == []


async def test_a_message_is_not_lost_to_a_database_that_was_busy(office: Office) -> None:
    office.chat.trouble = [Fault("database_busy", "database is locked")]
    await office.say("first")
    await office.deliver_all()
    assert office.heard == []
    office.now += timedelta(seconds=RETRY_AFTER_S)
    await office.deliver_all()
    assert office.heard == ["first"]


async def test_a_reply_of_a_newer_version_stops_nobody_else(office: Office, sqlite_url: str) -> None:
    await office.say("unreadable")
    await office.say("elsewhere", OTHER_ROOM)
    database = open_database(sqlite_url)
    async with database.begin() as db_session:
        await db_session.execute(text("""UPDATE outbox SET reply = '{"type": "FromTheFuture"}' WHERE outbox_id = 1"""))
    await database.close()
    await office.say("afterwards")
    await office.deliver_all()
    assert sorted(office.heard) == ["afterwards", "elsewhere"]
