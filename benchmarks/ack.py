"""How quickly the console answers while ten photos are being enhanced: POST → 202, POST → first reply.

Starts a real `packshot run` in a temporary folder, keeps ten 12 MP photos in work by sending the next one
whenever one is done, and meanwhile posts requests and listens on the event stream, as a browser does. `idle` is the same in the same run before
the photos come, so that `busy ÷ idle` holds on a noisy machine. Prints JSON. Aim: busy photo p99 < 150 ms.
"""

from __future__ import annotations

import asyncio
import io
import json
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from bot.demo import running
from bot.settings import local_key

PHOTOS_IN_WORK = 10
POSTS = 60
PAUSE_S = 0.5
"""A person, not a flood: the question is how long one waits, not how many fit in a second."""


def big_photo(seed: int) -> bytes:
    """Return a 12 MP phone-like JPEG with a product in the middle."""
    rng = np.random.default_rng(seed)
    small = rng.normal(150, 12, (300, 400, 3)) + np.linspace(-30, 30, 400)[None, :, None]
    ys, xs = np.mgrid[:300, :400]
    disc = (xs - 200) ** 2 / 90**2 + (ys - 150) ** 2 / 110**2 < 1
    small[disc] = rng.normal([190, 40, 40], 10, (int(disc.sum()), 3))
    image = Image.fromarray(small.clip(0, 255).astype(np.uint8)).resize((4000, 3000), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


class Listener:
    """Follows the event stream and knows when the first reply to each event came."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.first_reply_at: dict[str, float] = {}
        self.arrived = asyncio.Event()

    async def follow(self) -> None:
        """Read lines for ever."""
        async with self._http.stream("GET", "/console/stream?after=0", timeout=None) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if not line.startswith("data: "):
                    continue
                shown = json.loads(line.removeprefix("data: "))
                if shown.get("is_reply"):
                    self.first_reply_at.setdefault(shown["cause"], time.perf_counter())
                    self.arrived.set()
                    self.arrived.clear()

    async def reply_to(self, event_key: str, *, timeout_s: float = 60) -> float:
        """Return when the first reply to an event came."""
        async with asyncio.timeout(timeout_s):
            while event_key not in self.first_reply_at:
                try:
                    await asyncio.wait_for(self.arrived.wait(), 0.02)
                except TimeoutError:
                    continue
        return self.first_reply_at[event_key]


async def post(http: httpx.AsyncClient, text: str, photo: bytes | None) -> tuple[str, float, float]:
    """Post one message; return its event, when it was sent and how long the 202 took (ms)."""
    files: list[tuple[str, Any]] = [("text", (None, text.encode(), "text/plain"))]
    if photo is not None:
        files.append(("photo", ("phone.jpg", photo, "image/jpeg")))
    start = time.perf_counter()
    response = await http.post("/console/say", files=files, headers={"X-Event-Id": uuid.uuid4().hex})
    taken_ms = (time.perf_counter() - start) * 1000
    assert response.status_code == httpx.codes.ACCEPTED, response.text
    return response.json()["event"], start, taken_ms


async def measure(
    http: httpx.AsyncClient, listener: Listener, text: str, photo: bytes | None, posts: int
) -> dict[str, Any]:
    """Return percentiles of POST → 202 and POST → first reply, in ms."""
    taken, replied = [], []
    for _ in range(posts):
        event_key, start, taken_ms = await post(http, text, photo)
        taken.append(taken_ms)
        replied.append((await listener.reply_to(event_key) - start) * 1000)
        await asyncio.sleep(PAUSE_S)
    return {"posts": posts, "taken_ms": percentiles(taken), "first_reply_ms": percentiles(replied)}


def percentiles(values: list[float]) -> dict[str, float]:
    """Return p50, p95, p99 and the worst."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {
        "p50": round(cuts[49], 1),
        "p95": round(cuts[94], 1),
        "p99": round(cuts[98], 1),
        "max": round(max(values), 1),
    }


async def main() -> None:
    """Run it and print JSON."""
    # What a person waits for is an unknown photo's Working line, so a tiny picture keeps the upload out of it;
    # its caption names no product, and it ends as a question instead of joining the queue.
    small = io.BytesIO()
    Image.new("RGB", (320, 240), (120, 130, 140)).save(small, "JPEG")
    large = [big_photo(seed) for seed in range(PHOTOS_IN_WORK)]
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as (run, settings):
            headers = {"Authorization": f"Bearer {local_key(settings)}", "X-Packshot-As": "owner"}
            async with httpx.AsyncClient(base_url=run.base_url, headers=headers, trust_env=False, timeout=60) as http:
                listener = Listener(http)
                following = asyncio.create_task(listener.follow())
                idle = await measure(http, listener, "what is this", small.getvalue(), POSTS)
                feeder = Feeder(http, large)
                feeding = asyncio.create_task(feeder.feed())
                busy_photo = await measure(http, listener, "what is this", small.getvalue(), POSTS)
                busy_text = await measure(http, listener, "help", None, POSTS // 2)
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
    ratio = busy_photo["first_reply_ms"]["p99"] / idle["first_reply_ms"]["p99"]
    print(
        json.dumps(
            {
                "photos_in_work": PHOTOS_IN_WORK,
                "in_work_least_and_most": [min(feeder.seen), max(feeder.seen)],
                "photos_sent_meanwhile": feeder.sent,
                "idle_photo": idle,
                "busy_photo": busy_photo,
                "busy_text": busy_text,
                "busy_over_idle_p99": round(ratio, 2),
                "aim_first_reply_p99_ms": 150,
            },
            indent=2,
        )
    )


class Feeder:
    """Keeps as many photos in work as it was given; `seen` is how many were, at every look once all were sent.

    A photo is in work from when it was sent: one whose event still waits for its turn has no row yet, and whoever
    counts rows alone sends more the further the bot is behind. `others` is how many rows are not the feeder's.
    """

    def __init__(self, http: httpx.AsyncClient, photos: list[bytes]) -> None:
        self._http = http
        self._photos = photos
        self.seen: list[int] = []
        self.sent = 0
        self.others = 0
        self.rests = False

    async def feed(self) -> None:
        """Send the next photo whenever one is done, for ever."""
        for photo in self._photos:
            await self._send(photo)
        while True:
            if not self.rests:
                rows, moving = await rows_and_moving(self._http)
                in_work = moving + max(0, self.sent + self.others - rows)
                self.seen.append(in_work)
                for _ in range(len(self._photos) - in_work):
                    await self._send(self._photos[self.sent % len(self._photos)])
            await asyncio.sleep(0.3)

    async def _send(self, photo: bytes) -> None:
        self.sent += 1
        await post(self._http, "MUG-01", photo)


async def rows_and_moving(http: httpx.AsyncClient) -> tuple[int, int]:
    """Return how many enhancements there are and how many of them are still moving, from the metrics."""
    lines = (await http.get("/metrics")).text.splitlines()
    by_state = {line: int(float(line.rsplit(" ", 1)[1])) for line in lines if line.startswith("packshot_enhancements{")}
    moving = sum(count for line, count in by_state.items() if "received" in line or "enhancing" in line)
    return sum(by_state.values()), moving


if __name__ == "__main__":
    asyncio.run(main())
