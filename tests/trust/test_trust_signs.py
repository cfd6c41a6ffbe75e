"""What the application says of itself: numbers to whoever has a key, and to nobody else more than a word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.app import migrate_all, open_app
from bot.settings import Settings, local_key
from bot.web import web_app

TOKEN = "a-token-for-the-scraper"


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A client of the real application, and its local key."""
    settings = Settings(_env_file=None, DATA_DIR=tmp_path, SHELF_SAMPLES=False, METRICS_TOKEN=TOKEN)  # type: ignore[call-arg]
    await migrate_all(settings)
    async with open_app(settings, base_url="http://127.0.0.1:8080") as app:
        transport = httpx.ASGITransport(web_app(app, port=8080), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            yield client, local_key(settings)


async def test_metrics_open_by_a_key_and_never_by_an_address(http: tuple[httpx.AsyncClient, str]) -> None:
    client, key = http
    for given in (TOKEN, key):
        answer = await client.get("/metrics", headers={"Authorization": f"Bearer {given}"})
        assert answer.status_code == 200
        assert answer.text.startswith("# HELP packshot_")
    for wrong in (
        "",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer ",
        "Bearer",
        f"Basic {TOKEN}",
        "Bearer é",
    ):
        answer = await client.get("/metrics", headers={"Authorization": wrong.encode("utf-8")})  # type: ignore[dict-item]
        assert (answer.status_code, answer.text) == (404, "not found\n"), wrong


async def test_signs_of_life_say_a_word(http: tuple[httpx.AsyncClient, str]) -> None:
    client, _ = http
    assert (await client.get("/healthz")).text == "ok\n"
    assert (await client.get("/readyz")).json() == {"ready": True}
    missing = await client.get("/no/such/page")
    assert (missing.status_code, missing.text) == (404, "There is nothing at that address.\n")
    assert (await client.post("/healthz", headers={"Origin": "http://127.0.0.1:8080"})).status_code == 405
