"""A worker process that kills itself, with SIGKILL, at chosen moments; otherwise the real thing.

`python -m tests.crash.worker PLAN.json`: the plan names the database, the folder and the kills.
A kill is `step:before`, `step:after` (its effect is done, the engine does not know yet), or one of
`store:publish`, `store:restore` (the shop has it, our row does not) and `deliver:before|after`. Each
is taken off the list in the file before it happens, so that every boot dies at most once.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.app import App, open_app, steps_of, working
from bot.jobs import Pace
from bot.settings import Settings
from bot.steps import Patience, Steps
from domain.catalog import ListingId, ListingImage, Store, StoreId
from domain.picture import Enhanced, Picture
from domain.ports import PublishRequest, RestoreRequest, StorePlatform
from domain.recipe import PictureRules, Recipe
from domain.replies import Outgoing

KILLABLE_STEPS = ("intake", "fetch", "improve", "offer", "keep", "publish", "confirm", "look", "put_back")


class Kills:
    """The kills still to come; with `for_ever` they come again at every boot."""

    def __init__(self, path: Path, *, for_ever: bool) -> None:
        self._path = path
        self._for_ever = for_ever

    def here(self, moment: str) -> None:
        """Die, if it is this moment's turn."""
        left: list[str] = json.loads(self._path.read_text())
        if moment not in left:
            return
        if not self._for_ever:
            left.remove(moment)
            fresh = self._path.with_suffix(".fresh")
            fresh.write_text(json.dumps(left))
            fresh.replace(self._path)
        os.kill(os.getpid(), signal.SIGKILL)

    def count_look(self) -> int:
        """Note one look of all the boots', and return which it is."""
        looks = self._path.with_name("looks.txt")
        with looks.open("a") as file:
            file.write("look\n")
        return len(looks.read_text().splitlines())


class TinyEnhancer:
    """Stands in for the pixels, which are not what is killed here: bytes in, bytes out, at once."""

    async def enhance(self, photo: bytes, recipe: Recipe, rules: Sequence[PictureRules]) -> Enhanced:
        pictures = tuple(Picture(each.name, b"\xff\xd8\xff made of " + photo, "image/jpeg", 1, 1, ()) for each in rules)
        return Enhanced(pictures, b"before " + photo, b"after " + photo, b"preview " + photo, "builtin", 1.0, ())

    async def check(self, photo: bytes) -> None:
        """Every photo will do."""

    def engine_name(self) -> str:
        return "builtin"


class KillingStore:
    """A store that is there, and takes the process along once it has done what was asked."""

    def __init__(self, inner: Any, kills: Kills) -> None:
        self._inner = inner
        self._kills = kills
        self.store: Store = inner.store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def publish_image(self, request: PublishRequest) -> ListingImage:
        image: ListingImage = await self._inner.publish_image(request)
        self._kills.here("store:publish")
        return image

    async def restore_image(self, request: RestoreRequest) -> ListingImage | None:
        image: ListingImage | None = await self._inner.restore_image(request)
        self._kills.here("store:restore")
        return image


class LateStore(KillingStore):
    """One that shows a picture only at the third look, whoever looks."""

    async def find_live(self, key: str, listing_id: ListingId) -> ListingImage | None:
        looks = self._kills.count_look()
        found: ListingImage | None = await self._inner.find_published(key, listing_id)
        return found if looks > 2 else None


class KillingStores:
    """Opens the real stores, each inside a KillingStore."""

    def __init__(self, inner: Any, kills: Kills, *, is_late: bool) -> None:
        self._inner = inner
        self._kills = kills
        self._kind = LateStore if is_late else KillingStore

    async def of_team(self, team_id: str) -> Sequence[StorePlatform]:
        return [self._kind(store, self._kills) for store in await self._inner.of_team(team_id)]

    async def open(self, store_id: StoreId) -> StorePlatform:
        return self._kind(await self._inner.open(store_id), self._kills)

    def rules(self, store: Store) -> PictureRules:
        rules: PictureRules = self._inner.rules(store)
        return rules


class KillingLines:
    """The console's lines, which die around a delivery."""

    def __init__(self, inner: Any, kills: Kills) -> None:
        self._inner = inner
        self._kills = kills

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def append_reply(self, outgoing: Outgoing, *, now: datetime) -> str:
        self._kills.here("deliver:before")
        native_id: str = await self._inner.append_reply(outgoing, now=now)
        self._kills.here("deliver:after")
        return native_id


def killing(steps: Steps, kills: Kills) -> Steps:
    """Return the steps with a possible death before and after each."""

    def wrapped(name: str, step: Callable[[str], Awaitable[None]]) -> Callable[[str], Awaitable[None]]:
        async def run(subject_id: str) -> None:
            kills.here(f"{name}:before")
            await step(subject_id)
            kills.here(f"{name}:after")

        return run

    names = [field.name for field in fields(Steps) if field.name in KILLABLE_STEPS]
    return replace(steps, **{name: wrapped(name, getattr(steps, name)) for name in names})


PACE = Pace(look_every_s=0.2, sweep_every_s=0.5, stand_back_s=0.1, patience=Patience(first_pause_s=0.05))


def dying(app: App, kills: Kills, *, is_late: bool) -> App:
    """Return the app with everything that may die in it."""
    stores = KillingStores(app.desk.stores, kills, is_late=is_late)
    desk = replace(app.desk, enhancer=TinyEnhancer(), stores=stores, looks_after_s=(0.1,) * 9)
    return replace(app, desk=desk, lines=KillingLines(app.lines, kills))


async def work(plan: dict[str, Any]) -> None:
    """Work until SIGTERM, or until one of the kills."""
    settings = Settings(_env_file=None, DATA_DIR=Path(plan["folder"]), DATABASE_URL=plan["url"], SECRET_KEY=plan["key"])
    kills = Kills(Path(plan["kills"]), for_ever=plan["for_ever"])
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with open_app(settings, base_url="http://127.0.0.1") as opened:
        app = dying(opened, kills, is_late=plan["late"])
        pace = replace(PACE, max_recovery_attempts=plan.get("attempts", 50))
        async with working(app, steps=killing(steps_of(app.desk, app.events), kills), pace=pace):
            await stopped.wait()


def main() -> None:
    """Start a worker, and another whenever it was killed; a line in `deaths` for each.

    Every worker is a process of its own; forking one that has everything imported saves a second a boot.
    """
    plan = json.loads(Path(sys.argv[1]).read_text())
    child = 0
    # SIGUSR1 from the test kills whichever worker there is.
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(child, signal.SIGKILL))
    while True:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)
            asyncio.run(work(plan))
            os._exit(0)
        Path(plan["deaths"]).with_name(f"ready-{os.getpid()}").touch()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status != -signal.SIGKILL:
            sys.exit(status)
        with Path(plan["deaths"]).open("a") as deaths:
            deaths.write("killed\n")


if __name__ == "__main__":
    main()
