"""A web process that dies around taking one event: before its transaction, or after it and before answering."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from bot.app import open_app
from bot.settings import Settings
from domain.catalog import Sha256
from domain.intents import Incoming
from handlers.console.chat import ROOM, actor_of
from handlers.dispatch import provisional
from tests.crash.shop import KEY


async def take_and_die(url: str, folder: str, side: str, event_key: str, photo: str) -> None:
    """Do it."""
    settings = Settings(_env_file=None, DATA_DIR=Path(folder), DATABASE_URL=url, SECRET_KEY=KEY)
    async with open_app(settings, base_url="http://127.0.0.1") as app:
        owner = app.owner
        incoming = Incoming(event_key, owner.team_id, actor_of(owner), ROOM, "MUG-01", (Sha256(photo),))
        if side == "after":
            await app.events.take(incoming, working=provisional(incoming, owner))
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(take_and_die(*sys.argv[1:]))
