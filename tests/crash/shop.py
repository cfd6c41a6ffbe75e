"""The parent's side: a shop on a database, a worker that is started again whenever it dies, and a person."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bot.app import App, migrate_all, open_app
from bot.settings import Settings
from domain.catalog import Sku
from domain.intents import Incoming
from domain.replies import Reply
from domain.tokens import Token
from handlers.console.chat import ROOM, actor_of, event_key
from handlers.dispatch import provisional

PHOTO = b"\xff\xd8\xff a phone photo"
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
PATIENCE_S = 300.0
"""Two dozen deaths are two dozen boots, at a second each on an idle machine and five on a busy one."""
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class CrashingShop:
    """One shop; `kills` names the file of the deaths still to come."""

    app: App
    settings: Settings
    plan: Path
    kills: Path
    workers: list[asyncio.subprocess.Process] = field(default_factory=list)
    keeper: asyncio.Task[None] | None = field(default=None, repr=False)

    def plan_kills(
        self, moments: Sequence[str], *, for_ever: bool = False, attempts: int = 50, late: bool = False
    ) -> None:
        """Say where the worker shall die, one boot a death; a `late` store shows a picture only at the third look."""
        self.kills.write_text(json.dumps(list(moments)))
        self.plan.write_text(
            json.dumps(
                {
                    "url": self.settings.database_url,
                    "folder": str(self.settings.data_dir),
                    "key": KEY,
                    "kills": str(self.kills),
                    "for_ever": for_ever,
                    "attempts": attempts,
                    "late": late,
                    "deaths": str(self._deaths),
                }
            )
        )

    @property
    def _deaths(self) -> Path:
        return self.plan.with_name("deaths.txt")

    @property
    def _started(self) -> int:
        return len(list(self.plan.parent.glob("ready-*")))

    @property
    def deaths(self) -> int:
        """How many workers have been killed."""
        return len(self._deaths.read_text().splitlines()) if self._deaths.exists() else 0

    @property
    def kills_left(self) -> list[str]:
        left: list[str] = json.loads(self.kills.read_text())
        return left

    async def keep_working(self) -> None:
        """Keep a worker alive; ends only in an error."""
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.crash.worker", str(self.plan), cwd=ROOT, start_new_session=True
        )
        self.workers.append(worker)
        raise AssertionError(f"the worker ended with {await worker.wait()}")

    async def all_killed(self) -> None:
        """Wait for the deaths that come after the last effect: the person has her answer, the engine not yet."""
        async with asyncio.timeout(PATIENCE_S):
            while self.kills_left:  # noqa: ASYNC110 - another process dies
                await asyncio.sleep(0.05)

    async def ready(self, workers: int) -> None:
        """Wait until so many workers have been started."""
        async with asyncio.timeout(PATIENCE_S):
            while self._started < workers:  # noqa: ASYNC110 - another process starts them
                await asyncio.sleep(0.05)

    async def say(self, text: str = "", *, photo: bytes | None = None, token: str = "") -> Incoming:
        """Take an event as the console does."""
        photos = () if photo is None else (await self.app.media.put(photo),)
        incoming = Incoming(
            event_key(self.app.owner, uuid.uuid4().hex), self.app.team.team_id, actor_of(self.app.owner), ROOM, text, photos,
            token,
        )  # fmt: skip
        assert await self.app.events.take(incoming, working=provisional(incoming, self.app.owner))
        return incoming

    async def outcome(self, incoming: Incoming, *kinds: str) -> Reply:
        """Wait for a reply of one of these kinds to this event, and return it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if self.keeper is not None and self.keeper.done():
                    self.keeper.result()
                lines = await self.app.lines.of_cause(self.app.team.team_id, incoming.event_key)
                for line in reversed(lines):
                    if type(line.reply).__name__ in kinds:
                        assert line.reply is not None
                        return line.reply
                await asyncio.sleep(0.05)

    async def main_image(self) -> str:
        """Return the digest of what the shelf shows first for MUG-01."""
        listing = (await self.app.shelf_rows.by_sku(self.app.shelf.store_id, Sku("MUG-01")))[0]
        return str(listing.images[0].photo)

    async def count(self, what: str) -> int:
        """Return how many rows a table (with a condition) has."""
        async with self.app.database.read() as db_session:
            return int((await db_session.execute(text(f"SELECT count(*) FROM {what}"))).scalar_one())

    async def the_whole_way(self) -> tuple[int, int]:
        """Photo, preview, approve, published, undo, restored; return how much was lost and published twice."""
        before = await self.main_image()
        asked = await self.say("MUG-01", photo=PHOTO)
        preview: Any = await self.outcome(asked, "PreviewReady")
        card = preview.card
        yes = await self.say(token=str(Token.parse(f"v1:approve:{card.enhancement_id}:{card.revision}")))
        published: Any = await self.outcome(yes, "Published")
        assert await self.main_image() == published.placed[0].photo
        no = await self.say(token=str(Token.parse(f"v1:undo:{card.enhancement_id}:{card.revision}")))
        await self.outcome(no, "Restored")
        await self.all_killed()
        assert await self.main_image() == before
        assert await self.count("posted_message WHERE enhancement_id IS NOT NULL") == 1, "one card, edited in place"
        lost = await self.count("seen_event WHERE concluded_at IS NULL")
        lost += 1 - await self.count("placement WHERE state = 'restored'")
        twice = await self.count("shelf_image WHERE made_for <> ''") - 1
        return lost, twice


@asynccontextmanager
async def crashing_shop(database_url: str, folder: Path) -> AsyncIterator[CrashingShop]:
    """Open a seeded shop whose worker may die."""
    settings = Settings(_env_file=None, DATA_DIR=folder, DATABASE_URL=database_url, SECRET_KEY=KEY)
    await migrate_all(settings)
    async with open_app(settings, base_url="http://127.0.0.1") as app:
        shop = CrashingShop(app, settings, folder / "plan.json", folder / "kills.json")
        try:
            yield shop
        finally:
            if shop.keeper is not None:
                shop.keeper.cancel()
                await asyncio.gather(shop.keeper, return_exceptions=True)
            for worker in shop.workers:
                if worker.returncode is None:
                    os.killpg(worker.pid, signal.SIGKILL)
                    await worker.wait()
