"""Once a minute, in one process at a time: asks stores how they are, tells admins what is new, deletes forgotten teams.

Nothing is said twice after a restart: what was said is a row. A store is asked by itself twice a day; all other
times its answers to our work say how it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.forgetting import forget_team
from domain.catalog import Store
from domain.errors import PackshotError, StoreError
from domain.ports import Clock, Stores
from handlers.desk import Desk
from handlers.health import tell_of_stores
from storage.catalog import StoreRows
from storage.connections import SqlConnections
from storage.database import Database
from storage.own_data import SqlData, forget_files

if TYPE_CHECKING:
    from bot.app import App

log = logging.getLogger("packshot.watch")

EVERY_S: Final = 60.0
LOCK: Final = "watch"
ASKED_EVERY: Final = timedelta(hours=12)
CHECK_S: Final = 30.0
LAST_WORDS: Final = timedelta(minutes=2)
"""How long a team that asked to be deleted is kept, so that it hears that it will be."""
FILES_KEPT: Final = timedelta(days=7)


async def watch(app: App) -> None:
    """Do it for ever; cancel to stop. A failure is logged and tried again a minute later."""
    while True:
        held = await asyncio.to_thread(app.locks.try_hold, LOCK)
        if held is not None:
            try:
                await watch_once(app)
            except PackshotError:
                log.exception("could not look after health and data")
            finally:
                await asyncio.to_thread(held.release)
        await asyncio.sleep(EVERY_S)


async def watch_once(app: App) -> None:
    """Look once."""
    stores = await StoreRows(app.database).everywhere()
    connections = SqlConnections(app.database, app.stores.vault, app.desk.clock)
    await ask_stores(stores, app.desk.stores, connections, app.database, app.desk.clock)
    await tell_teams(app.desk, stores)
    now = app.desk.clock()
    async with app.database.read() as db_session:
        going = await SqlData(db_session, now).going_teams()
    for team_id, asked_at in going:
        if asked_at <= now - LAST_WORDS:
            await forget_team(app.database, app.media, team_id, now=now)
            log.warning("forgot a team; where it was the only one, a restart makes a new one", extra={"team": team_id})
    if names := await forget_files(app.database, now - FILES_KEPT):
        await app.media.forget(names, now - FILES_KEPT)


async def tell_teams(desk: Desk, stores: Sequence[Store]) -> int:
    """Tell every team's admins what is new about its stores; return how many notices that made."""
    told = 0
    for team_id in dict.fromkeys(store.team_id for store in stores):
        told += await tell_of_stores(desk, team_id)
    return told


async def ask_stores(
    stores: Sequence[Store], opened: Stores, connections: SqlConnections, database: Database, clock: Clock
) -> int:
    """Ask the stores nobody asked for half a day how they are; return how many were. Their failures are kept as rows."""
    due = await connections.unchecked_since(clock() - ASKED_EVERY)
    asked = 0
    for store in stores:
        if store.store_id not in due:
            continue
        asked += 1
        ends = None
        try:
            async with asyncio.timeout(CHECK_S):
                ends = (await (await opened.open(store.store_id)).check()).key_expires_at
        except (StoreError, TimeoutError) as error:
            # The transport has counted it; that it was tried is kept below, so that the next try is due later.
            log.info("a store did not say how it is", extra={"store": store.store_id, "error": str(error)})
            ends = await connections.key_end(store.store_id)
        await connections.checked(store.store_id, key_expires_at=ends)
    return asked
