"""A small shop to talk to: real rows, the real shelf, instant pictures, and jobs that run when told.

`send` is the front door: it takes an event as a chat does, runs the jobs it led to, and returns what
was said because of it, read from the outbox.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text
from sqlmodel import col, select

from bot.app import steps_of
from bot.steps import Patience, run_step
from domain.catalog import ImageId, ListingId, PlatformName, Sha256, Sku, Store, StoreId
from domain.enhancement import Enhancement, Placement
from domain.intents import Incoming
from domain.jobs import Job, JobName
from domain.people import Actor, ChatName, Member, Place, Role, Team
from domain.replies import Card, Reply
from domain.rows import AuditEntry, ShelfImage, ShelfListing, ShelfVariant
from domain.tokens import Action, Token
from handlers import dispatch
from handlers.desk import Desk
from platforms.shelf.adapter import ShelfStore
from storage.bootstrap import ensure_member, ensure_team
from storage.catalog import StoreRows
from storage.codec import load_reply
from storage.database import Database
from storage.events import SqlEvents
from storage.shelf import SqlShelfRows
from storage.tables import EnhancementRow, OutboxRow
from storage.work import SqlWork
from tests.fakes import FakeClock, FakeEnhancer, FakeFiles, FakeMedia, FakePlatform, FakeStores

ROOM = Place(ChatName.CONSOLE, "room")
PEOPLE = {
    "vera": Role.VIEWER,
    "edith": Role.EDITOR,
    "egon": Role.EDITOR,
    "april": Role.APPROVER,
    "abel": Role.APPROVER,
    "ada": Role.ADMIN,
}
STRANGER, OTHER_ADMIN = "sam", "olga"
PHOTO = b"a phone photo of a mug"
AT_ONCE = Patience(store_attempts=1, database_attempts=1, first_pause_s=0.0, longest_pause_s=0.0)
"""Trouble is final at once, so that no test waits."""


def enqueue(connection: Connection, job: Job) -> None:
    """Like the engine: the job is a row on our connection, and its key makes it happen once."""
    connection.execute(
        text(
            "INSERT INTO job (job_key, name, subject_id, number, is_done)"
            " VALUES (:key, :name, :subject_id, (SELECT count(*) FROM job), 0) ON CONFLICT DO NOTHING"
        ),
        {"key": job.key, "name": job.name.value, "subject_id": job.subject_id},
    )


@dataclass(slots=True)
class Shop:
    """Everything a subject's test starts from."""

    database: Database
    team: Team
    other_team: Team
    members: dict[str, Member]
    clock: FakeClock
    media: FakeMedia
    enhancer: FakeEnhancer
    stores: FakeStores
    shelf_rows: SqlShelfRows
    files: FakeFiles = field(default_factory=FakeFiles)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def desk(self) -> Desk:
        return Desk(
            SqlWork(self.database, enqueue, self.clock),
            self.media,
            self.enhancer,
            self.stores,
            self.clock,
            dict.fromkeys(ChatName, self.files),
        )

    @property
    def events(self) -> SqlEvents:
        return SqlEvents(self.database, enqueue, self.clock)

    @property
    def shelf(self) -> FakePlatform:
        return self.stores.opened[0]

    @property
    def outlet(self) -> FakePlatform:
        return self.stores.opened[1]

    # ------------------------------------------------------------ talking

    async def take(
        self,
        words: str = "",
        *,
        by: str = "edith",
        photos: Sequence[bytes] = (),
        token: str = "",
        options: Mapping[str, str] | None = None,
        event_key: str = "",
        place: Place = ROOM,
    ) -> Incoming:
        """Make an event durable as a chat does, and do nothing else yet."""
        stored = tuple([await self.media.put(photo) for photo in photos])
        incoming = Incoming(
            event_key=event_key or f"console:{by}:{next(self._numbers)}",
            team_id=(self.other_team if by == OTHER_ADMIN else self.team).team_id,
            actor=Actor(ChatName.CONSOLE, by, by),
            place=place,
            text=words,
            photos=stored,
            token=token,
            options=dict(options or {}),
        )
        await self.take_event(incoming)
        return incoming

    async def take_event(self, incoming: Incoming) -> bool:
        """Make any event durable; False when it was known before."""
        member = self.members.get(incoming.actor.actor_id)
        working = dispatch.provisional(incoming, member) if member else None
        return await self.events.take(incoming, working=working)

    async def answer(self, *events: Incoming) -> list[Reply]:
        """Take events as a chat does, run every job they led to, and return what was said since."""
        mark = await self.mark()
        for incoming in events:
            await self.take_event(incoming)
        await self.run_jobs()
        return await self.said(mark)

    async def send(
        self,
        words: str = "",
        *,
        by: str = "edith",
        photos: Sequence[bytes] = (),
        token: str = "",
        options: Mapping[str, str] | None = None,
        event_key: str = "",
        place: Place = ROOM,
    ) -> list[Reply]:
        """Take an event, run every job it led to, and return what was said since."""
        mark = await self.mark()
        await self.take(words, by=by, photos=photos, token=token, options=options, event_key=event_key, place=place)
        await self.run_jobs()
        return await self.said(mark)

    async def press(
        self, action: Action, card: Card, *, by: str = "april", text: str = "", options: Mapping[str, str] | None = None
    ) -> list[Reply]:
        """Press a button of a card."""
        return await self.send(text, by=by, token=button(action, card), options=options)

    async def run_jobs(self, *, before: Mapping[str, Callable[[], Awaitable[None]]] | None = None) -> None:
        """Run the jobs in order until none is left, as a worker does; `before` runs ahead of the named steps."""
        steps = steps_of(self.desk, self.events)
        while (job := await self._next_job()) is not None:
            name, subject_id = job
            chain = steps.of(name)
            for step_name, step in chain.steps:
                if before and step_name in before:
                    await before[step_name]()
                if not await run_step(step, chain.failed, subject_id, patience=AT_ONCE):
                    break

    async def run_intake(self, incoming: Incoming) -> None:
        """Handle one event now, whatever else is waiting."""
        await dispatch.handle(incoming, self.desk)

    async def _next_job(self) -> tuple[JobName, str] | None:
        async with self.database.begin() as db_session:
            waiting = "SELECT job_key, name, subject_id FROM job WHERE is_done = 0 ORDER BY number, job_key LIMIT 1"
            row = (await db_session.execute(text(waiting))).one_or_none()
            if row is None:
                return None
            await db_session.execute(text("UPDATE job SET is_done = 1 WHERE job_key = :key"), {"key": row[0]})
            return JobName(row[1]), row[2]

    async def mark(self) -> int:
        """Where the talk is now, for `said`."""
        async with self.database.read() as db_session:
            return int((await db_session.execute(text("SELECT coalesce(max(outbox_id), 0) FROM outbox"))).scalar_one())

    async def said(self, mark: int = 0) -> list[Reply]:
        """What was said since, in order."""
        statement = select(OutboxRow).where(col(OutboxRow.outbox_id) > mark).order_by(col(OutboxRow.outbox_id))
        async with self.database.read() as db_session:
            return [load_reply(row.reply) for row in (await db_session.execute(statement)).scalars()]

    async def message_keys(self) -> set[str]:
        """Every message that was ever posted."""
        async with self.database.read() as db_session:
            return set((await db_session.execute(select(col(OutboxRow.message_key)))).scalars())

    # ------------------------------------------------------------ looking

    async def enhancements(self) -> list[Enhancement]:
        """All of them, the oldest first."""
        statement = select(col(EnhancementRow.enhancement_id)).order_by(col(EnhancementRow.created_at))
        async with self.database.read() as db_session:
            ids = list((await db_session.execute(statement)).scalars())
        async with self.desk.work() as work:
            return [await work.enhancements.load(enhancement_id) for enhancement_id in ids]

    async def placements(self) -> list[Placement]:
        """All of them, by enhancement, the newest revision first."""
        found: list[Placement] = []
        for enhancement in await self.enhancements():
            async with self.desk.work() as work:
                found += await work.placements.of_enhancement(enhancement.enhancement_id)
        return found

    async def audit(self) -> list[AuditEntry]:
        """The team's audit, the oldest first."""
        async with self.desk.work() as work:
            return list(reversed(await work.history(self.team.team_id, sku=None, limit=1000)))

    async def audit_actions(self) -> list[str]:
        """What was done, in order."""
        return [entry.action for entry in await self.audit()]

    async def everything(self) -> tuple[object, ...]:
        """All that a refused request must leave alone."""
        listings = [await self.shelf_rows.listings(each.store.store_id) for each in self.stores.opened]
        jobs = text("SELECT job_key FROM job WHERE name <> 'intake' ORDER BY job_key")
        async with self.database.read() as db_session:
            keys = list((await db_session.execute(jobs)).scalars())
        return await self.enhancements(), await self.placements(), await self.audit(), listings, keys

    async def listing(self, sku: str, *, at: FakePlatform | None = None) -> ShelfListing:
        """The first listing of a SKU as the shelf's rows have it."""
        store = at or self.shelf
        return (await self.shelf_rows.by_sku(store.store.store_id, Sku(sku)))[0]

    async def shown(self, sku: str, *, at: FakePlatform | None = None) -> list[bytes]:
        """The bytes a buyer sees, in order."""
        return [self.media.kept[image.photo] for image in (await self.listing(sku, at=at)).images]

    async def change_by_hand(self, sku: str, content: bytes, *, position: int = 1) -> None:
        """Somebody replaces a picture in the shop, behind our back."""
        listing = await self.listing(sku)
        images = list(listing.images)
        photo = await self.media.put(content)
        images[position - 1] = ShelfImage(ImageId(f"hand-{photo[:8]}"), photo, "image/jpeg", "By hand", "")
        store_id = self.shelf.store.store_id
        await self.shelf_rows.set_images(store_id, listing.listing_id, images, was_version=listing.version)


def button(action: Action, card: Card) -> str:
    """What the button of a card carries."""
    return str(Token(action, card.enhancement_id, card.revision))


async def open_shop(database: Database) -> Shop:
    """Two stores of one team, and another team that must never see them."""
    async with database.begin() as db_session:
        columns = "job_key VARCHAR PRIMARY KEY, name VARCHAR, subject_id VARCHAR, number INTEGER, is_done INTEGER"
        await db_session.execute(text(f"CREATE TABLE job ({columns})"))
    team, other_team = await ensure_team(database, "My shop"), await ensure_team(database, "Another shop")
    members = {
        name: await ensure_member(database, team.team_id, name, role, Actor(ChatName.CONSOLE, name, name))
        for name, role in PEOPLE.items()
    }
    actor = Actor(ChatName.CONSOLE, OTHER_ADMIN, OTHER_ADMIN)
    members[OTHER_ADMIN] = await ensure_member(database, other_team.team_id, OTHER_ADMIN, Role.ADMIN, actor)
    shop = assemble(database, team=team, other_team=other_team, members=members, photos={})
    for opened in shop.stores.opened:
        assert await StoreRows(database).add(opened.store)
    for store_id, sku, title, images in GOODS:
        await _put_on_shelf(shop, StoreId(store_id), sku, title, images)
    return shop


def assemble(
    database: Database, *, team: Team, other_team: Team, members: dict[str, Member], photos: dict[Sha256, bytes]
) -> Shop:
    """Put the ports together around rows that are there already."""
    media, shelf_rows, stores = FakeMedia(), SqlShelfRows(database), FakeStores()
    media.kept.update(photos)
    for store_id, name, owner in (
        ("shelf", "Shelf", team),
        ("outlet", "Outlet", team),
        ("theirs", "Theirs", other_team),
    ):
        store = Store(StoreId(store_id), owner.team_id, PlatformName.SHELF, name)
        shelf = ShelfStore(store, shelf_rows, media, public_url=lambda path: f"https://shop.example{path}")
        stores.opened.append(FakePlatform(shelf))
    return Shop(database, team, other_team, members, FakeClock(), media, FakeEnhancer(), stores, shelf_rows)


GOODS = (
    ("shelf", "MUG-01", "Blue mug", 3),
    ("shelf", "MUG-02", "Green mug", 1),
    ("shelf", "BOWL-2", "Oak bowl", 1),
    ("shelf", "VASE-7", "Tall vase", 0),
    ("shelf", "PLATE-3", "Dinner plate", 2),
    ("outlet", "PLATE-3", "Dinner plate, seconds", 1),
    ("theirs", "SECRET-9", "Their secret lamp", 1),
)


async def _put_on_shelf(shop: Shop, store_id: StoreId, sku: str, title: str, images: int) -> None:
    photos = [await shop.media.put(f"{store_id} {sku} {number}".encode()) for number in range(1, images + 1)]
    listing = ShelfListing(
        listing_id=ListingId(f"listing-{sku.lower()}"),
        title=title,
        handle=sku.lower(),
        description="",
        variants=(ShelfVariant(Sku(sku), "", 2400, 5),),
        images=tuple(_image(number, photo, title) for number, photo in enumerate(photos, start=1)),
        version=1,
    )
    assert await shop.shelf_rows.add_listing(store_id, listing)


def _image(number: int, photo: Sha256, title: str) -> ShelfImage:
    return ShelfImage(ImageId(f"image-{number}"), photo, "image/jpeg", f"{title} {number}", "")
