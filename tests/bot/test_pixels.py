"""Pictures in their own processes: what crosses, who dies, and who is left."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.pixels import PIXELS_NICE, PixelProcesses, PixelSettings
from domain.errors import BadPhoto
from domain.recipe import Recipe
from imaging.engine import LocalEnhancer
from platforms.shelf.picture import RULES
from platforms.shelf.samples.catalogue import demo_photo

BUILTIN = PixelSettings("builtin", None, 1, 60, False)


@pytest.fixture
async def pixels() -> AsyncIterator[PixelProcesses]:
    pixels = PixelProcesses(BUILTIN)
    yield pixels
    await asyncio.to_thread(pixels.close)


async def test_a_child_makes_the_very_picture_we_would_make(pixels: PixelProcesses) -> None:
    ours = LocalEnhancer(engine="builtin", threads=1).enhance_photo(demo_photo(), Recipe(), [RULES])
    theirs = await pixels.enhance(demo_photo(), Recipe(), [RULES])
    assert theirs.pictures[0].content == ours.pictures[0].content
    assert theirs.findings == ours.findings
    assert pixels.engine_name() == "builtin"


async def test_children_stand_back_and_are_not_us(pixels: PixelProcesses) -> None:
    pid, nice = await asyncio.gather(pixels._in_child(os.getpid), pixels._in_child(os.nice, 0))
    assert pid != os.getpid()
    assert nice == min(19, os.nice(0) + PIXELS_NICE)


async def test_a_refusal_crosses_with_its_reason_and_its_template(pixels: PixelProcesses) -> None:
    with pytest.raises(BadPhoto) as here:
        LocalEnhancer().enhance_photo(b"no photo", Recipe(), [RULES])
    with pytest.raises(BadPhoto) as there:
        await pixels.enhance(b"no photo", Recipe(), [RULES])
    assert there.value.reason == here.value.reason
    assert there.value.sentence.template == here.value.sentence.template


async def test_a_photo_that_kills_its_child_is_refused_and_the_one_beside_it_is_made(pixels: PixelProcesses) -> None:
    beside = asyncio.create_task(pixels.enhance(demo_photo(), Recipe(), [RULES]))
    # What a decoder that crashes does to its process.
    with pytest.raises(BadPhoto, match="stops my picture engine") as refused:
        await pixels._in_child(os._exit, 139)
    assert refused.value.reason == "fatal"
    assert (await beside).pictures
    assert (await pixels.enhance(demo_photo(), Recipe(), [RULES])).pictures, "the next one finds new children"


HEADLESS = """
import asyncio, os
from bot.pixels import PixelProcesses
from tests.bot.test_pixels import BUILTIN

async def main():
    print(await PixelProcesses(BUILTIN)._in_child(os.getpid), flush=True)
    await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_children_leave_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(HEADLESS)
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    parent = await asyncio.create_subprocess_exec(sys.executable, script, stdout=asyncio.subprocess.PIPE, env=here)
    assert parent.stdout is not None
    assert int(await parent.stdout.readline()) != parent.pid
    parent.kill()
    # All of the family write there, so it ends when the last of them has left.
    assert await asyncio.wait_for(parent.stdout.read(), 60) == b""
    await parent.wait()
