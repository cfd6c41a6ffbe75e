"""“sending photo…” at the top of a chat while its picture is made: Telegram shows it for five seconds a call."""

from __future__ import annotations

import asyncio
import logging

from telegram import Bot
from telegram.constants import ChatAction
from telegram.error import TelegramError

from domain.people import Place
from handlers.telegram.api import without_token

LONGEST_S = 120.0
"""A picture that takes longer is in trouble, and its card will say so."""
_MOST = 200
"""Cards at once; beyond that, nobody is watching each of them."""

log = logging.getLogger("packshot.telegram")


class Actions:
    """One task a card that is being worked on; owned here, and ended by its next edit or by `close`."""

    def __init__(self, bot: Bot, *, every_s: float) -> None:
        self._bot = bot
        self._every_s = every_s
        self._tasks: dict[tuple[Place, str], asyncio.Task[None]] = {}

    def start(self, place: Place, native_id: str) -> None:
        """Keep the action alive until `stop`; starting twice is once."""
        key = (place, native_id)
        if key in self._tasks or len(self._tasks) >= _MOST:
            return
        task = asyncio.create_task(self._repeat(place), name=f"telegram action {place.place_id}")
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def stop(self, place: Place, native_id: str) -> None:
        """End it; the message itself says more now."""
        if task := self._tasks.get((place, native_id)):
            task.cancel()

    async def close(self) -> None:
        """End all of them, and wait until they have."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _repeat(self, place: Place) -> None:
        thread_id = int(place.thread_id) if place.thread_id else None
        try:
            async with asyncio.timeout(LONGEST_S):
                while True:
                    await self._bot.send_chat_action(
                        place.place_id, ChatAction.UPLOAD_PHOTO, message_thread_id=thread_id
                    )
                    await asyncio.sleep(self._every_s)
        except TimeoutError:
            return
        except TelegramError as error:
            # An ornament: the card itself goes through the outbox, where trouble is counted and told.
            log.debug("no chat action: %s", without_token(error.message))
