"""Reminds of old previews, forgets old photos and delivered messages, once an hour, in one process at a time (PHOTO_RETENTION_DAYS)."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.errors import PackshotError
from handlers.desk import Desk
from handlers.expiry import expire, notice_of, remind
from storage.database import Database
from storage.outbox import forget_messages
from storage.retention import forget_spare_photos, forgettable_photos, overdue_previews, unreminded_previews
from storage.store_hints import forget_hints
from storage.surveys import forget_sales

if TYPE_CHECKING:
    from bot.app import App

log = logging.getLogger("packshot.retention")

EVERY_S = 3600.0
LOCK = "retention"
SPARE_KEPT = timedelta(hours=1)
"""How long a photo of a group's album waits for the part that speaks to us; Telegram sends all within a second."""
HINTS_KEPT = timedelta(days=7)
"""What a store told of a change; whoever acts on it has long read the store by then."""
SALES_KEPT = timedelta(days=120)
"""What was sold longer ago is no longer looked at: a forecast sees 56 days."""
MESSAGES_KEPT = timedelta(days=30)
"""How long a delivered message's row may answer the question what was said when."""


async def forget_old_photos(app: App) -> None:
    """Do it for ever; cancel to stop. A failure is logged and tried again an hour later."""
    while True:
        held = await asyncio.to_thread(app.locks.try_hold, LOCK)
        if held is not None:
            try:
                await forget_once(app)
            except PackshotError:
                log.exception("could not forget what is old")
            finally:
                await asyncio.to_thread(held.release)
        await asyncio.sleep(EVERY_S)


async def look_after_previews(database: Database, desk: Desk, *, kept: timedelta) -> None:
    """Remind of previews that will soon have been `kept` long enough, and close those that waited on even so."""
    now, notice = desk.clock(), notice_of(kept)
    for enhancement_id in await unreminded_previews(database, now - kept + notice):
        await remind(enhancement_id, desk, notice=notice)
    for enhancement_id in await overdue_previews(database, now - notice):
        await expire(enhancement_id, desk)


async def forget_once(app: App) -> int:
    """Remind of what waits, expire what nobody decided on even so, then delete what nothing needs.

    Return how many photos went.
    """
    kept = timedelta(days=app.settings.photo_retention_days)
    before = app.desk.clock() - kept
    await look_after_previews(app.database, app.desk, kept=kept)
    forgotten = 0
    while names := await forgettable_photos(app.database, before):
        forgotten += await app.media.forget(names, before)
    if forgotten:
        log.info("forgot old photos", extra={"photos": forgotten})
    now = app.desk.clock()
    await forget_spare_photos(app.database, now - SPARE_KEPT)
    await forget_hints(app.database, now - HINTS_KEPT)
    await forget_sales(app.database, now - SALES_KEPT)
    if messages := await forget_messages(app.database, now - MESSAGES_KEPT, now=now):
        log.info("forgot old messages", extra={"messages": messages})
    return forgotten
