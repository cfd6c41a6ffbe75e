"""Every message to a chat is a row first; this loop brings the rows to the chats.

One holder at a time (a lock in `bot/slots.py`), so that a place hears things in order. A crash
between delivering and marking repeats an edit; the console makes even a repeated post one message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from domain.errors import Fault, RateLimited, StoreDown, StoreError
from domain.people import ChatName
from domain.ports import Chat, Clock
from storage.bell import Bell
from storage.outbox import OutboxRows, QueuedMessage

log = logging.getLogger("packshot.outbox")

POLL_S = 0.2
"""How long another process's message may lie unseen; our own ring the bell."""
BATCH = 50
RETRY_AFTER_S = 5.0
PASSING_FAULTS = ("database_", "media_down")
"""Ours, and over in a while: a message is not lost to a locked database."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Delivers what is due, place by place."""

    rows: OutboxRows
    chats: Mapping[ChatName, Chat]
    clock: Clock
    bell: Bell

    async def run(self) -> None:
        """Deliver for ever; cancel to stop."""
        while True:
            seen = self.bell.rung
            try:
                delivered = await self.deliver_due()
            except Fault as error:  # the database is away: its own message, not ours to lose
                log.warning("outbox waits", extra={"code": error.code})
                delivered = 0
                await asyncio.sleep(1.0)
            if not delivered:
                await self.bell.wait(after=seen, timeout_s=POLL_S)

    async def deliver_due(self) -> int:
        """Deliver the first waiting message of every place; return how many were tried."""
        due = await self.rows.due(self.clock(), BATCH)
        await asyncio.gather(*(self._deliver(message) for message in due))
        return len(due)

    async def _deliver(self, message: QueuedMessage) -> None:
        chat = self.chats.get(message.outgoing.place.chat)
        if chat is None:
            await self.rows.failed(message.outbox_id, f"no {message.outgoing.place.chat} in this deployment")
            return
        try:
            native_id = await chat.deliver(message.outgoing)
        except RateLimited as error:
            await self._later(message, error.retry_after_s, str(error))
        except StoreDown as error:
            await self._later(message, RETRY_AFTER_S, str(error))
        except Fault as error:
            if error.code.startswith(PASSING_FAULTS):
                await self._later(message, RETRY_AFTER_S, str(error))
            else:
                await self._never(message, error)
        except StoreError as error:
            await self._never(message, error)
        else:
            await self.rows.sent(message.outbox_id, native_id)

    async def _never(self, message: QueuedMessage, error: Exception) -> None:
        log.error("message undeliverable", extra={"why": str(error), "outbox_id": message.outbox_id})
        await self.rows.failed(message.outbox_id, str(error))

    async def _later(self, message: QueuedMessage, delay_s: float, why: str) -> None:
        await self.rows.retry(message.outbox_id, self.clock() + timedelta(seconds=delay_s), why)
