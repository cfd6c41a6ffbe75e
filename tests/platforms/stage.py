"""A photo's whole way at a real store's fake: `enhance SKU` → preview → approve → read back → undo → read back.

Everything between the person and the store is the real thing: what `packshot store add` does, a `packshot run` in
a process of its own, its database, its pictures, its queues. `python -m tests.platforms.stage [NAME…]` plays it and prints
the transcript: what the person wrote and pressed, what the bot said, and every call the store saw.

To bring a store on stage: an opener that seeds a listing of `sku` whose main picture is `PHOTO`, and a line in
tests/platforms/stages.py.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from bot.connect import add_store
from bot.demo import running
from bot.local import LocalClient, State
from bot.settings import Settings
from platforms.shelf.samples.catalogue import demo_photo
from tests.fakes.store_side import HandTime

PHOTO = demo_photo()
LONG_S = 120.0
"""Real pixels: a picture takes seconds on a busy machine."""


@dataclass(slots=True)
class WallTime(HandTime):
    """A fake's time where the bot is a process of its own."""

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Stage:
    """One store with the vendor's side. `given` is what `store add` is told, `env` the deployment's settings.

    `images` reads the seeded listing past the adapter, in order; it takes the bot's own http, which the shelf needs.
    """

    platform: str
    sku: str
    images: Callable[[httpx.AsyncClient], Awaitable[list[bytes]]]
    calls: Callable[[], list[str]]
    given: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    server: Any = None
    """The vendor's side itself, for who plays the seller there (connect_story.py)."""


OpenStage = Callable[[], AbstractAsyncContextManager[Stage]]


@dataclass(slots=True)
class Transcript:
    """What was said and done, a line each."""

    lines: list[str] = field(default_factory=list)

    def add(self, who: str, what: str) -> None:
        """Note a line, with who did it."""
        self.lines.append(f"{who:>7}  {what}")

    def __str__(self) -> str:
        return "\n".join(self.lines)


@dataclass(slots=True)
class Theatre:
    """One running bot with every store that was asked for connected to it."""

    stages: dict[str, Stage]
    client: LocalClient
    http: httpx.AsyncClient
    told: dict[str, Transcript]

    async def play(self, name: str) -> Transcript:
        """Play the whole way at one store and return what was said. Raises AssertionError where a step is not true."""
        await _photos_way(self.stages[name], self.client, self.http, self.told[name])
        return self.told[name]


@asynccontextmanager
async def open_theatre(openers: Mapping[str, OpenStage], folder: Path) -> AsyncIterator[Theatre]:
    """Connect the stores to a fresh shop in this folder, and run the bot."""
    async with AsyncExitStack() as stack:
        stages = {name: await stack.enter_async_context(opener()) for name, opener in openers.items()}
        told = {name: Transcript() for name in stages}
        env = {name: value for stage in stages.values() for name, value in stage.env.items()}
        for name, stage in stages.items():
            if stage.given:
                await _connect(stage, env, folder, told[name])
        run, settings = await stack.enter_async_context(running(folder, env))
        client = await stack.enter_async_context(LocalClient(run, settings, "owner"))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=run.base_url, trust_env=False))
        yield Theatre(stages, client, http, told)


async def _photos_way(stage: Stage, client: LocalClient, http: httpx.AsyncClient, told: Transcript) -> None:
    before = await stage.images(http)
    seen = len(stage.calls())

    def store_saw() -> None:
        nonlocal seen
        for call in stage.calls()[seen:]:
            told.add("store", call)
        seen = len(stage.calls())

    asked = f"enhance {stage.sku} on {stage.platform}"
    told.add("person", asked)
    card = _said(told, await client.say(asked, [], timeout_s=LONG_S), "PreviewReady")
    store_saw()
    assert await stage.images(http) == before, "nothing is published without a yes"

    told.add("person", "presses Approve")
    card = _said(told, await _press(client, card, "approve"), "Published")
    store_saw()
    after = await stage.images(http)
    assert len(after) == len(before)
    assert after[1:] == before[1:], "the others keep their places"
    assert after[0] != before[0]
    published = await client.photo(card["placed"][0]["photo"])
    assert after[0] == published, "what buyers see is what was approved"
    told.add("check", f"read back: the store shows the approved picture, {_measures(published)}")

    told.add("person", "presses Undo")
    _said(told, await _press(client, card, "undo"), "Restored")
    store_saw()
    assert await stage.images(http) == before
    told.add("check", "read back: the store shows the original pictures, byte for byte")


async def _connect(stage: Stage, env: Mapping[str, str], folder: Path, told: Transcript) -> None:
    """Connect the store as `packshot store add` does."""
    values: dict[str, Any] = {"DATA_DIR": folder, "SHELF_SAMPLES": "1", **env}
    settings = Settings(_env_file=None, **values)
    given = [f"{name}={value}" for name, value in stage.given.items()]
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert await add_store(settings, stage.platform, name="", given=given) == 0
    told.add("person", f"packshot store add {stage.platform} " + " ".join(f"--set {name}=…" for name in stage.given))
    for line in printed.getvalue().splitlines():
        told.add("bot", line.strip())


async def _press(client: LocalClient, card: State, action: str) -> list[State]:
    token = next(button["token"] for button in card["buttons"] if button["token"].split(":")[1] == action)
    return await client.press(token, "", {}, timeout_s=LONG_S)


def _said(told: Transcript, lines: list[State], kind: str) -> State:
    """Note what the bot says last, and return it with its buttons."""
    last: State = lines[-1] if lines else {"reply": {"type": "nothing"}, "buttons": []}
    reply: dict[str, Any] = last["reply"]
    labels = " · ".join(button["label"] for button in last["buttons"])
    told.add("bot", f"{reply['type']}{_detail(reply)}{f'   [{labels}]' if labels else ''}")
    assert reply["type"] == kind, reply
    return {**reply, "buttons": last["buttons"]}


def _detail(reply: Mapping[str, Any]) -> str:
    if reply.get("sentence"):
        return f": {reply['sentence']}"
    placed = ", ".join(one["store_name"] for one in reply.get("placed", ()) if "store_name" in one)
    title = reply.get("card", {}).get("title", "")
    return "".join(f": {part}" for part in (title, placed) if part)


def _measures(content: bytes) -> str:
    with Image.open(io.BytesIO(content)) as image:
        return f"{image.format} {image.width} × {image.height}, {len(content) // 1024} kB"


async def _main(names: list[str]) -> None:
    from tests.platforms.stages import STAGES  # they import this module

    chosen = {name: STAGES[name] for name in names or STAGES}
    with tempfile.TemporaryDirectory() as folder:
        async with open_theatre(chosen, Path(folder)) as theatre:
            for name in chosen:
                print(f"== {name}\n{await theatre.play(name)}\n", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
