"""A shop with two teams, and work on it with a job engine that is one table."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from domain.catalog import ListingId, PlatformName, Sha256, Sku, Store, StoreId
from domain.enhancement import (
    Enhancement,
    EnhancementState,
    Placement,
    PlacementState,
    Revision,
    StoredPicture,
    Target,
)
from domain.intents import Incoming
from domain.jobs import Job
from domain.people import Actor, ChatName, Member, Place, Role, Team
from domain.picture import Finding, FindingCode, FindingLevel
from domain.recipe import Recipe
from storage.bootstrap import ensure_member, ensure_team
from storage.catalog import StoreRows
from storage.database import Database
from storage.events import SqlEvents
from storage.outbox import OutboxRows
from storage.work import SqlWork

ROOM = Place(ChatName.SLACK, "C0ROOM")
"""A chat that is delivered to; the console shows its first word within the transaction."""
CONSOLE = Place(ChatName.CONSOLE, "room")
OTHER_ROOM = Place(ChatName.TELEGRAM, "-100", "7")
ANNA = Actor(ChatName.CONSOLE, "anna", "Anna")
SHELF = StoreId("shelf")


class TickingClock:
    """Aware UTC that moves one second a look."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


def enqueue(connection: Connection, job: Job) -> None:
    """Like the engine: the job is a row on our connection, and its key makes it happen once."""
    connection.execute(text("INSERT INTO job (job_key) VALUES (:job_key) ON CONFLICT DO NOTHING"), {"job_key": job.key})


@dataclass(slots=True)
class Shop:
    """Everything a storage test starts from."""

    database: Database
    team: Team
    stranger_team: Team
    anna: Member
    clock: TickingClock = field(default_factory=TickingClock)
    enqueue: Callable[[Connection, Job], None] = enqueue
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def work(self) -> SqlWork:
        return SqlWork(self.database, self.enqueue, self.clock)

    @property
    def events(self) -> SqlEvents:
        return SqlEvents(self.database, self.enqueue, self.clock)

    @property
    def outbox(self) -> OutboxRows:
        return OutboxRows(self.database)

    def incoming(
        self, event_key: str, *, place: Place = ROOM, text: str = "enhance MUG-01", team: str | None = None
    ) -> Incoming:
        return Incoming(event_key, team or self.team.team_id, ANNA, place, text, options={"shadow": "soft"})

    def enhancement(self, *, place: Place = ROOM, sku: str = "MUG-01", team_id: str = "") -> Enhancement:
        return Enhancement(
            enhancement_id=f"enhancement{next(self._numbers):011}",
            team_id=team_id or self.team.team_id,
            sku=Sku(sku),
            title="Blue mug",
            photo=Sha256("ab" * 32),
            state=EnhancementState.RECEIVED,
            revision=Revision(1, Recipe()),
            targets=(Target(SHELF, "Shelf", PlatformName.SHELF, ListingId("l1")),),
            place=place,
            requested_by=self.anna.member_id,
            requested_by_name="Anna",
            created_at=self.clock(),
        )

    def placement(self, enhancement: Enhancement) -> Placement:
        return Placement(
            placement_id=f"placement{next(self._numbers)}",
            enhancement_id=enhancement.enhancement_id,
            team_id=enhancement.team_id,
            sku=enhancement.sku,
            revision=enhancement.revision.number,
            target=enhancement.targets[0],
            picture=picture(),
            state=PlacementState.APPROVED,
        )

    async def added(self, enhancement: Enhancement) -> Enhancement:
        async with self.work() as work:
            assert await work.enhancements.add(enhancement)
        return enhancement

    async def jobs(self) -> list[str]:
        async with self.database.read() as db_session:
            return list((await db_session.execute(text("SELECT job_key FROM job ORDER BY job_key"))).scalars())

    async def count(self, table: str) -> int:
        async with self.database.read() as db_session:
            return int((await db_session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())

    async def deliver_all(self) -> list[tuple[str, str, str]]:
        """Play the outbox until nothing is due: (native id before, type of the reply, cause) each."""
        heard = []
        while due := await self.outbox.due(self.clock(), 50):
            for message in due:
                outgoing = message.outgoing
                heard.append((outgoing.native_id, type(outgoing.reply).__name__, outgoing.cause))
                await self.outbox.sent(message.outbox_id, outgoing.native_id or f"native-{message.outbox_id}")
        return heard


def picture() -> StoredPicture:
    finding = Finding(FindingCode.FILL, FindingLevel.OK, measured=0.87, wanted=0.85)
    return StoredPicture("shelf", Sha256("cd" * 32), "image/jpeg", 2000, 2000, (finding,))


@pytest.fixture
async def shop(database: Database) -> Shop:
    """Two teams, a member and a shelf."""
    async with database.begin() as db_session:
        await db_session.execute(text("CREATE TABLE job (job_key VARCHAR PRIMARY KEY)"))
    team = await ensure_team(database, "My shop")
    stranger_team = await ensure_team(database, "Another shop")
    anna = await ensure_member(database, team.team_id, "Anna", Role.APPROVER, ANNA)
    for owner, store_id in ((team, SHELF), (stranger_team, StoreId("their-shelf"))):
        await StoreRows(database).add(Store(store_id, owner.team_id, PlatformName.SHELF, "Shelf"), None)
    return Shop(database, team, stranger_team, anna)
