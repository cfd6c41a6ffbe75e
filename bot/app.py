"""Wiring: one place that builds everything from the settings, and closes it again.

`open_app` is what every process shares; `working` adds the worker's side (jobs and outbox) to it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.alert_clock import send_alerts, survey_stores
from bot.chats import Chats, open_chats
from bot.clock import host_timezone, utc_now
from bot.connecting import Platforms
from bot.courtesy import Courtesy
from bot.doors import DeploymentDoors
from bot.jobs import Enqueuer, Jobs, Pace, migrate_engine
from bot.outbox import Outbox
from bot.pixels import PixelProcesses, PixelSettings
from bot.retention import forget_old_photos
from bot.settings import Settings, secret_key
from bot.slots import Locks, open_locks
from bot.steps import Steps
from bot.stock_clock import keep_in_step, waiting_sync_jobs
from bot.stock_steps import stock_steps
from bot.store_inbox import read_inboxes
from bot.stores import ConnectedStores, open_stores
from bot.watch import watch
from domain.catalog import PlatformName, Store, StoreId
from domain.chat_ports import Chat
from domain.errors import BadInput, Fault
from domain.jobs import Job
from domain.people import Actor, ChatName, Member, Role, Team
from handlers import dispatch, enhance, publish
from handlers.console.chat import ConsoleChat
from handlers.desk import Desk
from imaging.cover_chart import PillowCharts
from platforms.registry import PLATFORMS
from platforms.shelf.samples.catalogue import seed
from storage.bootstrap import ensure_member, ensure_team
from storage.catalog import StoreRows
from storage.console import SqlConsoleLines
from storage.database import Database, open_database
from storage.events import SqlEvents
from storage.logins import SqlConsoleLogins
from storage.media import ObstoreMedia, S3Access
from storage.migrate import migrate
from storage.moving import moving_rows
from storage.outbox import OutboxRows
from storage.people import SqlPeople
from storage.places import PlaceDefaults
from storage.shelf import SqlShelfRows
from storage.teams import SqlTeams
from storage.work import SqlWork

if TYPE_CHECKING:
    from bot.slack_installs import SlackInstalls

log = logging.getLogger("packshot.app")

OWNER = "owner"
"""The local admin: whoever can read DATA_DIR on this machine."""
TEAM_NAME = "My shop"
SHELF_NAME = "Shelf"
OUTBOX_LOCK = "outbox"
LOCK_RETRY_S = 2.0


@dataclass(frozen=True, slots=True)
class App:
    """Everything a process needs, built and open."""

    settings: Settings
    database: Database
    enqueuer: Enqueuer
    locks: Locks
    desk: Desk
    stores: ConnectedStores
    events: SqlEvents
    lines: SqlConsoleLines
    logins: SqlConsoleLogins
    shelf_rows: SqlShelfRows
    media: ObstoreMedia
    enhancer: PixelProcesses
    team: Team
    owner: Member
    shelf: Store
    base_url: str
    """Where others reach our own pages."""
    chats: Chats
    courtesy: Courtesy

    async def member_named(self, name: str, team_name: str = "") -> Member | None:
        """Return the member that `--as NAME --team TEAM` means. Raises BadInput as `team_named` does."""
        team = await self.team_named(team_name)
        async with self.database.read() as db_session:
            return await SqlPeople(db_session).find_member(team.team_id, Actor(ChatName.CONSOLE, name, name))

    async def team_named(self, name: str = "") -> Team:
        """Return the team that `--team NAME` means, without a name the only one.

        Raises BadInput for a name that is none, and where there are several and none was named.
        """
        async with self.database.read() as db_session:
            teams = await SqlTeams(db_session).all()
        wanted = name.strip().casefold()
        found = [team for team in teams if wanted in {"", team.name.casefold(), team.team_id.casefold()}]
        names = ", ".join(team.name for team in teams)
        if not found:
            raise BadInput("There is no shop called {name}: use --team with one of {names}.", name=name, names=names)
        if len(found) > 1:
            raise BadInput("There are several shops here: say which with --team, one of {names}.", names=names)
        return found[0]


async def migrate_all(settings: Settings) -> None:
    """Bring our tables and the engine's up to date, and make the first team, its owner and its shelf."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret_key(settings)
    database = open_database(settings.database_url)
    try:
        await migrate(database)
        await asyncio.to_thread(migrate_engine, database.sync_url)
        team, _, shelf = await _first_rows(database)
        if settings.shelf_samples:
            await seed(SqlShelfRows(database), open_media(settings, database), shelf.store_id, utc_now())
        log.info("migrated", extra={"team": team.team_id})
    finally:
        await database.close()


async def _first_rows(database: Database) -> tuple[Team, Member, Store]:
    team = await ensure_team(database, TEAM_NAME)
    owner = await ensure_member(database, team.team_id, OWNER, Role.ADMIN, Actor(ChatName.CONSOLE, OWNER, OWNER))
    shelf = Store(StoreId(f"shelf-{team.team_id}"), team.team_id, PlatformName.SHELF, SHELF_NAME)
    await StoreRows(database).add(shelf, credentials=None)
    return team, owner, shelf


@asynccontextmanager
async def open_app(settings: Settings, *, base_url: str) -> AsyncIterator[App]:
    """Build everything on a migrated database; `base_url` is where our own pages are reached."""
    secret_key(settings)
    database = open_database(settings.database_url)
    enqueuer = Enqueuer(database.sync_url)
    media = open_media(settings, database)
    enhancer = PixelProcesses(
        PixelSettings(
            engine=settings.imaging_engine,
            model_dir=settings.model_dir,
            threads=settings.imaging_threads,
            max_megapixels=settings.max_photo_megapixels,
            noncommercial=settings.allow_noncommercial_models,
        ),
        backdrop=media.get,
    )
    opened = AsyncExitStack()
    try:
        team, owner, shelf = await _first_rows(database)
        shelf_rows = SqlShelfRows(database)
        public = settings.public_url or base_url
        stores = await opened.enter_async_context(open_stores(settings, database, media, public_url=public))
        defaults, courtesy = place_defaults(settings), Courtesy()
        work = SqlWork(database, enqueuer, utc_now, defaults)

        def open_installs() -> SlackInstalls:
            from bot.slack_installs import SlackInstalls  # slack_sdk's store, only where workspaces install us

            return SlackInstalls(database, stores.vault, utc_now, work, client_id=settings.slack_client_id)

        chats = await opened.enter_async_context(
            open_chats(settings, media, own_team=team.team_id, open_installs=open_installs)
        )
        doors = DeploymentDoors(settings.public_url, public, chats.telegram_name, settings.has_slack_installs)
        yield App(
            settings=settings,
            database=database,
            enqueuer=enqueuer,
            locks=open_locks(database.sync_url),
            desk=Desk(
                work,
                media,
                enhancer,
                stores,
                utc_now,
                chats.files,
                doors=doors,
                connecting=Platforms(stores, public, bool(settings.public_url)),
                charts=PillowCharts(),
            ),
            stores=stores,
            events=SqlEvents(database, enqueuer, utc_now, media, heard=courtesy.heard),
            lines=SqlConsoleLines(database),
            logins=SqlConsoleLogins(database),
            shelf_rows=shelf_rows,
            media=media,
            enhancer=enhancer,
            team=team,
            owner=owner,
            shelf=shelf,
            base_url=public,
            chats=chats,
            courtesy=courtesy,
        )
    finally:
        await opened.aclose()
        enhancer.close()
        enqueuer.close()
        await database.close()


def place_defaults(settings: Settings) -> PlaceDefaults:
    """Return what holds in a place where nothing was set."""
    return PlaceDefaults(timezone=settings.timezone or host_timezone())


def open_media(settings: Settings, database: Database) -> ObstoreMedia:
    """Open the media storage of these settings."""
    s3 = S3Access(
        region=settings.aws_region or "us-east-1",
        endpoint=settings.s3_endpoint,
        access_key_id=settings.aws_access_key_id,
        secret_access_key=settings.aws_secret_access_key.get_secret_value(),
    )
    return ObstoreMedia(settings.media_url, database=database, clock=utc_now, s3=s3)


@asynccontextmanager
async def working(app: App, *, steps: Steps | None = None, pace: Pace | None = None) -> AsyncIterator[None]:
    """Run the jobs and the outbox while the block runs. Raises NotPossible when SQLite has a worker already.

    `steps` and `pace` are for whoever wants the same worker with other steps or another rhythm.
    """
    slot = await asyncio.to_thread(app.locks.take_slot)
    jobs = Jobs(
        app.database.sync_url,
        slot=slot,
        locks=app.locks,
        steps=steps or steps_of(app.desk, app.events, app.courtesy),
        moving=lambda: _moving(app.database),
        clock=utc_now,
        platforms=list(PLATFORMS),
        pace=pace,
    )
    try:
        await jobs.launch()
        loops = [
            asyncio.create_task(_for_ever("outbox", lambda: _run_outbox(app))),
            asyncio.create_task(_for_ever("retention", lambda: forget_old_photos(app))),
            asyncio.create_task(_for_ever("watch", lambda: watch(app))),
            asyncio.create_task(_for_ever("alerts", lambda: send_alerts(app.locks, app.desk))),
            asyncio.create_task(_for_ever("surveys", lambda: survey_stores(app.locks, app.desk))),
            asyncio.create_task(_for_ever("stock", lambda: keep_in_step(app))),
            asyncio.create_task(_for_ever("inboxes", lambda: read_inboxes(app))),
        ]
        try:
            yield
        finally:
            await _end(loops)
            await jobs.close(drain_s=5)
    finally:
        await asyncio.to_thread(slot.release)


async def _end(loops: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: one that was cancelled just as its wait was over may not have heard it."""
    running = set(loops)
    while running:
        for loop in running:
            loop.cancel()
        _, running = await asyncio.wait(running, timeout=1)


async def _moving(database: Database) -> Sequence[tuple[Job, datetime]]:
    return [*await moving_rows(database), *await waiting_sync_jobs(database)]


async def _for_ever(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Start a loop again whatever ended it: a worker that no longer delivers must not look alive."""
    while True:
        try:
            await run()
        except Exception:  # the loop's own errors are handled in it; this is the one that was not foreseen
            log.exception("the %s loop ended, starting it again", name)
        await asyncio.sleep(LOCK_RETRY_S)


async def _run_outbox(app: App) -> None:
    """Deliver messages whenever this process holds the outbox; one process does, so order is kept."""
    chats: dict[ChatName, Chat] = {ChatName.CONSOLE: ConsoleChat(app.lines, utc_now), **app.chats.out}
    outbox = Outbox(
        OutboxRows(app.database, place_defaults(app.settings)), chats, utc_now, app.database.messages_queued
    )
    while True:
        held = await asyncio.to_thread(app.locks.try_hold, OUTBOX_LOCK)
        if held is None:
            await asyncio.sleep(LOCK_RETRY_S)
            continue
        delivering = asyncio.create_task(outbox.run())
        try:
            while not delivering.done() and await asyncio.to_thread(held.is_still_mine):
                await asyncio.wait({delivering}, timeout=LOCK_RETRY_S)
            if delivering.done():
                delivering.result()
        except Fault as error:
            log.warning("outbox starts over", extra={"code": error.code})
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)
            await asyncio.to_thread(held.release)


def steps_of(desk: Desk, events: SqlEvents, courtesy: Courtesy | None = None) -> Steps:
    """Return the subjects' steps as the jobs want them: plain functions of an id."""
    courtesy = courtesy or Courtesy()

    async def intake(event_key: str) -> None:
        await courtesy.wait()
        await dispatch.handle(await events.load(event_key), desk)

    async def intake_failed(event_key: str, error: BaseException) -> None:
        await dispatch.refuse_event(await events.load(event_key), error, desk)

    return Steps(
        intake=intake,
        intake_failed=intake_failed,
        fetch=lambda key: enhance.fetch(key, desk),
        improve=lambda key: enhance.improve(key, desk),
        offer=lambda key: enhance.offer(key, desk),
        enhance_failed=lambda key, error: enhance.enhance_failed(key, error, desk),
        keep=lambda key: publish.keep(key, desk),
        publish=lambda key: publish.publish(key, desk),
        confirm=lambda key: publish.confirm(key, desk),
        publish_failed=lambda key, error: publish.publish_failed(key, error, desk),
        put_back=lambda key: publish.put_back(key, desk),
        restore_failed=lambda key, error: publish.restore_failed(key, error, desk),
        look=lambda key: publish.look(key, desk),
        stock=stock_steps(desk),
    )
