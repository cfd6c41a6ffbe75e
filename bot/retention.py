"""Forgets old photos and delivered messages, once an hour, in one process at a time (PHOTO_RETENTION_DAYS)."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.errors import PackshotError
from handlers.enhance import expire
from storage.outbox import forget_messages
from storage.retention import forgettable_photos, overdue_enhancements

if TYPE_CHECKING:
    from bot.app import App

log = logging.getLogger("packshot.retention")

EVERY_S = 3600.0
LOCK = "retention"
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


async def forget_once(app: App) -> int:
    """Expire what nobody decided on, then delete what nothing needs; return how many photos went."""
    before = app.desk.clock() - timedelta(days=app.settings.photo_retention_days)
    for enhancement_id in await overdue_enhancements(app.database, before):
        await expire(enhancement_id, app.desk)
    forgotten = 0
    while names := await forgettable_photos(app.database, before):
        forgotten += await app.media.forget(names, before)
    if forgotten:
        log.info("forgot old photos", extra={"photos": forgotten})
    now = app.desk.clock()
    if messages := await forget_messages(app.database, now - MESSAGES_KEPT, now=now):
        log.info("forgot old messages", extra={"messages": messages})
    return forgotten
