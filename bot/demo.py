"""`packshot demo`: a photo's whole way, through HTTP, against a real `packshot run` on a free port.

Nothing is faked: a fresh shop in a temporary folder, the embedded store, the same door the browser
uses. It prints what happens with times, and leaves three pictures to look at.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from bot.local import LocalClient, State
from bot.run_file import RunningAt, living_run
from bot.settings import Settings
from domain.errors import NotPossible
from platforms.shelf.samples.catalogue import demo_photo

SKU = "MUG-01"
OUT = Path("out") / "demo"
START_LIMIT_S = 60.0
SETTLE_LIMIT_S = 90.0


async def play() -> int:
    """Play it; returns the exit status. Raises NotPossible where a step does not come out as promised."""
    teller = Teller()
    with tempfile.TemporaryDirectory(prefix="packshot-demo-") as folder:
        teller.tell("A fresh shop opens (SQLite, local files, the built-in shelf) …")
        async with running(Path(folder)) as (run, settings):
            teller.tell(f"`packshot run` answers at {run.base_url}")
            async with (
                LocalClient(run, settings, "owner") as client,
                httpx.AsyncClient(base_url=run.base_url, trust_env=False) as shop,
            ):
                await _photos_way(teller, client, shop)
    teller.tell("Done: nothing was published without a yes, and undo put back the same bytes.")
    for name in ("before", "preview", "published"):
        print(f"  {name + ':':11}{(OUT / f'{name}.jpg').absolute()}")
    return 0


async def _photos_way(teller: Teller, client: LocalClient, shop: httpx.AsyncClient) -> None:
    old = await _main_image(shop)
    photo = demo_photo()
    teller.tell(f"The seller sends a phone photo ({len(photo) // 1024} kB) with the caption {SKU}")
    card = _expect(await client.say(SKU, [("phone.jpg", photo)], timeout_s=SETTLE_LIMIT_S), "PreviewReady")
    teller.tell(f"PreviewReady: {card['card']['title']}, cut out with {card['card']['engine']}")
    for finding in card["card"]["findings"]:
        if finding["level"] == "warning":
            teller.tell(f"  please look: {finding['code']} {finding.get('measured') or ''}")
    _write("before", photo)
    _write("preview", await client.photo(card["card"]["preview"]))

    teller.tell("A person presses Approve")
    card = _expect(await _press(client, card, "approve"), "Published")
    new = await _main_image(shop)
    if new == old or hashlib.sha256(new).hexdigest() != card["placed"][0]["photo"]:
        raise NotPossible("The shelf does not serve the published picture: that is a bug, please report it.")
    _write("published", new)
    teller.tell(f"Published: the shelf serves the new picture ({len(new) // 1024} kB) at {card['placed'][0]['url']}")

    teller.tell("Second thoughts: undo")
    _expect(await _press(client, card, "undo"), "Restored")
    if await _main_image(shop) != old:
        raise NotPossible("The shelf does not serve the old picture again: that is a bug, please report it.")
    teller.tell(f"Restored: the shelf serves the old bytes again ({len(old) // 1024} kB)")


async def _press(client: LocalClient, card: State, action: str) -> list[State]:
    token = next(button["token"] for button in card["buttons"] if button["token"].split(":")[1] == action)
    return await client.press(token, "", {}, timeout_s=SETTLE_LIMIT_S)


def _expect(lines: list[State], kind: str) -> dict[str, Any]:
    last: State = lines[-1] if lines else {"reply": {"type": "nothing"}, "buttons": []}
    if last["reply"]["type"] != kind:
        said = last["reply"].get("sentence") or last["reply"]
        raise NotPossible(
            f"I expected {kind} and got {last['reply']['type']} ({said}): that is a bug, please report it."
        )
    return {**last["reply"], "buttons": last["buttons"]}


async def _main_image(shop: httpx.AsyncClient) -> bytes:
    products = (await shop.get("/shelf/products.json")).raise_for_status().json()["products"]
    product = next(item for item in products if any(variant["sku"] == SKU for variant in item["variants"]))
    main = min(product["images"], key=lambda image: image["position"])
    return (await shop.get(main["src"])).raise_for_status().content


def _write(name: str, content: bytes) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.jpg").write_bytes(content)


class Teller:
    """Prints the transcript, each line with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def tell(self, line: str) -> None:
        """Print one line."""
        print(f"{time.monotonic() - self._start:6.2f} s  {line}", flush=True)


@asynccontextmanager
async def running(folder: Path, more: Mapping[str, str] | None = None) -> AsyncIterator[tuple[RunningAt, Settings]]:
    """Start `packshot run` as a process of its own, with `more` settings, and stop it again."""
    own = {"DATA_DIR": str(folder), "HOST": "127.0.0.1", "PORT": "0", "SHELF_SAMPLES": "1", "LOG_LEVEL": "WARNING"}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "MODEL_DIR", "IMAGING_ENGINE") if name in os.environ}
    # In its own folder, so that the shop's .env is not the demo's.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        cwd=folder,
        env={**kept, **own, **(more or {})},
        stdout=asyncio.subprocess.DEVNULL,
    )
    settings = Settings(_env_file=None, DATA_DIR=folder)
    try:
        yield await _answers(process, settings), settings
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _answers(process: asyncio.subprocess.Process, settings: Settings) -> RunningAt:
    deadline = time.monotonic() + START_LIMIT_S
    async with httpx.AsyncClient(trust_env=False) as http:
        while time.monotonic() < deadline:
            if process.returncode is not None:
                raise NotPossible("`packshot run` ended at once: its own message stands above.")
            run = living_run(settings)
            if run is not None:
                try:
                    if (await http.get(f"{run.base_url}/readyz")).is_success:
                        return run
                except httpx.TransportError:
                    pass  # bound, not yet serving
            await asyncio.sleep(0.1)
    raise NotPossible(f"`packshot run` does not answer within {START_LIMIT_S:.0f} s: try `packshot doctor`.")
