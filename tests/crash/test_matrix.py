"""The crash matrix of the plan: every step × {before, after its effect}, on SQLite and PostgreSQL.

`make test` kills once in every cell, one boot a death, in one photo's way. `make crash` gives every cell
a shop of its own and kills there `--kills` times in a row.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from domain.intents import Incoming
from handlers.console.chat import ROOM, actor_of
from handlers.dispatch import provisional
from tests.crash.conftest import Cell
from tests.crash.shop import PHOTO, ROOT, CrashingShop, crashing_shop

ENHANCING = [f"{step}:{side}" for step in ("intake", "fetch", "improve", "offer") for side in ("before", "after")]
PUBLISHING = [
    "keep:before",
    "keep:after",
    "publish:before",
    "store:publish",
    "publish:after",
    "confirm:before",
    "confirm:after",
]
LOOKING = ["confirm:after", "look:before", "look:after"]
"""At a store that shows a picture later; its looks are jobs of their own."""
RESTORING = ["put_back:before", "store:restore", "put_back:after"]
DELIVERING = ["deliver:before", "deliver:after"]
PHOTOS = 12
RANDOM_KILLS = 10
CELLS = [*ENHANCING, *PUBLISHING, *RESTORING, *DELIVERING]


@pytest.fixture
async def shop(database_url: str, tmp_path: Path):
    async with crashing_shop(database_url, tmp_path) as opened:
        yield opened


async def killed_all_the_way(shop: CrashingShop, moments: list[str], *, late: bool = False) -> tuple[int, int]:
    shop.plan_kills(moments, late=late)
    shop.keeper = asyncio.create_task(shop.keep_working())
    lost_and_twice = await shop.the_whole_way()
    assert shop.deaths == len(moments), "the worker did not die everywhere"
    return lost_and_twice


async def test_one_kill_in_every_cell_loses_nothing_and_publishes_once(shop: CrashingShop) -> None:
    assert await killed_all_the_way(shop, [*DELIVERING, *ENHANCING, *PUBLISHING, *RESTORING]) == (0, 0)


async def test_a_kill_around_every_look_at_an_accepted_picture_loses_nothing(
    shop: CrashingShop, matrix: list[Cell]
) -> None:
    lost, twice = await killed_all_the_way(shop, LOOKING, late=True)
    matrix.append(Cell(database_of(shop), "accepted, looks", shop.deaths, lost, twice, told=True))
    assert (lost, twice) == (0, 0)


@pytest.mark.soak
@pytest.mark.parametrize("cell", CELLS)
async def test_a_cell_killed_again_and_again(shop: CrashingShop, cell: str, kills: int, matrix: list[Cell]) -> None:
    lost, twice = await killed_all_the_way(shop, [cell] * kills)
    matrix.append(Cell(database_of(shop), cell, kills, lost, twice, told=True))
    assert (lost, twice) == (0, 0)


def database_of(shop: CrashingShop) -> str:
    return "sqlite" if shop.settings.is_sqlite else "postgres"


@pytest.mark.soak
@pytest.mark.postgres
async def test_two_workers_killed_at_random_publish_everything_once(
    postgres_url: str, tmp_path: Path, matrix: list[Cell]
) -> None:
    rng = random.Random(20261123)
    async with crashing_shop(postgres_url, tmp_path) as shop:
        shop.plan_kills([])
        keepers = [asyncio.create_task(shop.keep_working()) for _ in range(2)]
        await shop.ready(2)
        asked = [await shop.say("MUG-01", photo=PHOTO + bytes([number])) for number in range(PHOTOS)]

        async def kill_now_and_then() -> None:
            for _ in range(RANDOM_KILLS):
                await asyncio.sleep(rng.uniform(0.5, 2.5))
                os.kill(rng.choice(shop.workers).pid, signal.SIGUSR1)

        killer = asyncio.create_task(kill_now_and_then())
        for incoming in asked:
            card = (await shop.outcome(incoming, "PreviewReady")).card
            yes = await shop.say(token=f"v1:approve:{card.enhancement_id}:{card.revision}")
            await shop.outcome(yes, "Published")
        await killer
        for keeper in keepers:
            keeper.cancel()
        lost = PHOTOS - await shop.count("placement WHERE state = 'live'")
        twice = await shop.count("shelf_image WHERE made_for <> ''") - PHOTOS
        matrix.append(Cell("postgres", "random, 2 workers", shop.deaths, lost, twice, told=True))
        assert (lost, twice) == (0, 0)
        assert shop.deaths > 0


@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_listener_killed_around_its_acknowledgement_takes_the_event_once(shop: CrashingShop, side: str) -> None:
    """The platform heard nothing, so it sends the event again."""
    incoming = await an_event(shop)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.listener", shop.settings.database_url, str(shop.settings.data_dir), side,
        incoming.event_key, incoming.photos[0], cwd=ROOT,
    )  # fmt: skip
    assert await child.wait() == -signal.SIGKILL
    assert await shop.count("seen_event") == (1 if side == "after" else 0)
    assert await shop.app.events.take(incoming, working=provisional(incoming, shop.app.owner)) is (side == "before")
    assert await shop.count("seen_event") == 1
    shop.plan_kills([])
    shop.keeper = asyncio.create_task(shop.keep_working())
    await shop.outcome(incoming, "PreviewReady")
    assert await shop.count("enhancement") == 1
    assert await shop.count("posted_message") == 1


async def an_event(shop: CrashingShop) -> Incoming:
    photo = await shop.app.media.put(PHOTO)
    owner = shop.app.owner
    return Incoming("console:test:acknowledged", owner.team_id, actor_of(owner), ROOM, "MUG-01", (photo,))


async def test_a_photo_that_kills_every_worker_becomes_a_dead_letter_and_the_person_hears_of_it(
    shop: CrashingShop, matrix: list[Cell]
) -> None:
    shop.plan_kills(["improve:before"], for_ever=True, attempts=2)
    shop.keeper = asyncio.create_task(shop.keep_working())
    asked = await shop.say("MUG-01", photo=PHOTO)
    failed = await shop.outcome(asked, "EnhanceFailed")
    assert "gave up" in failed.sentence
    matrix.append(Cell(database_of(shop), "poison photo", shop.deaths, 0, 0, told=bool(failed.sentence)))
    assert shop.deaths >= 2
    assert await shop.count("enhancement WHERE state = 'enhance_failed'") == 1


async def test_an_undo_that_kills_every_worker_leaves_the_picture_live_and_says_so(
    shop: CrashingShop, matrix: list[Cell]
) -> None:
    shop.plan_kills(["put_back:before"], for_ever=True, attempts=2)
    shop.keeper = asyncio.create_task(shop.keep_working())
    asked = await shop.say("MUG-01", photo=PHOTO)
    card = (await shop.outcome(asked, "PreviewReady")).card
    yes = await shop.say(token=f"v1:approve:{card.enhancement_id}:{card.revision}")
    published = await shop.outcome(yes, "Published")
    undo = await shop.say(token=f"v1:undo:{card.enhancement_id}:{card.revision}")
    failed = await shop.outcome(undo, "RestoreFailed")
    assert failed.placed[0].failure
    matrix.append(Cell(database_of(shop), "poison undo", shop.deaths, 0, 0, told=bool(failed.placed[0].failure)))
    assert await shop.main_image() == published.placed[0].photo
