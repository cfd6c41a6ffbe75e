"""Signed addresses of pictures: one picture each, for a week, and nothing else by them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from bot.media_links import LIFETIME, MediaLinks, link_keys
from bot.settings import Settings
from bot.stores import picture_links
from domain.catalog import Sha256
from domain.errors import NotPossible
from platforms.descriptor import NoLinks
from storage.database import open_database
from storage.media import ObstoreMedia, S3Access

JPEG = b"\xff\xd8\xff a mug"
PUBLIC = "https://shop.example"


@dataclass(slots=True)
class Door:
    links: MediaLinks
    now: datetime = datetime(2026, 11, 24, tzinfo=UTC)

    async def ask(self, url: str, method: str = "GET", links: MediaLinks | None = None) -> httpx.Response:
        app = Starlette(routes=(links or self.links).routes())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
            return await http.request(method, url)


@pytest.fixture
async def door(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Door]:
    database = open_database(sqlite_url)
    media = ObstoreMedia((tmp_path / "media").as_uri(), database=database, clock=lambda: opened.now)
    opened = Door(MediaLinks(media, link_keys(["first"]), PUBLIC, lambda: opened.now))
    yield opened
    await database.close()


async def test_an_address_serves_its_picture_by_get_and_head(door: Door) -> None:
    url = await door.links.link(await door.links.media.put(JPEG))
    assert url.startswith(f"{PUBLIC}/media/")
    assert url.endswith(".jpg")
    got = await door.ask(url)
    assert (got.status_code, got.content, got.headers["content-type"]) == (200, JPEG, "image/jpeg")
    assert got.headers["x-content-type-options"] == "nosniff"
    head = await door.ask(url, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(JPEG))
    assert (await door.ask(url, "POST")).status_code == 405


async def test_an_address_ends_after_a_week(door: Door) -> None:
    url = await door.links.link(await door.links.media.put(JPEG))
    door.now += LIFETIME
    assert (await door.ask(url)).status_code == 200
    door.now += timedelta(seconds=1)
    assert (await door.ask(url)).status_code == 410


async def test_no_other_picture_no_longer_life_and_no_other_spelling_by_changing_an_address(door: Door) -> None:
    one, other = await door.links.media.put(JPEG), await door.links.media.put(JPEG + b" too")
    url = await door.links.link(one)
    digest, ends, signature = url.rpartition("/")[2].removesuffix(".jpg").split(".")
    other_digest = (await door.links.link(other)).rpartition("/")[2].split(".")[0]
    later = f"{int(ends, 16) + 60:x}"
    changed = [
        f"{other_digest}.{ends}.{signature}",
        f"{digest}.{later}.{signature}",
        f"{digest}.{ends}.{'A' * len(signature)}",
        f"{digest}.0{ends}.{signature}",
        f"{digest}=.{ends}.{signature}",
        f"{digest}.{ends}.",
        f"{digest}.{ends}",
        "..%2f..%2fetc",
        "é.1.x",
    ]
    for signed in changed:
        assert (await door.ask(f"{PUBLIC}/media/{signed}.jpg")).status_code == 404, signed


async def test_a_rotated_key_still_opens_and_a_stranger_s_does_not(door: Door) -> None:
    url = await door.links.link(await door.links.media.put(JPEG))
    rotated = replace(door.links, keys=link_keys(["second", "first"]))
    assert (await door.ask(url, links=rotated)).status_code == 200
    assert (await door.ask(url, links=replace(door.links, keys=link_keys(["second"])))).status_code == 404


async def test_a_forgotten_picture_is_gone(door: Door) -> None:
    name = await door.links.media.put(JPEG)
    url = await door.links.link(name)
    await door.links.media.delete([name])
    assert (await door.ask(url)).status_code == 410


async def test_nobody_outside_is_sent_to_this_machine(door: Door, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, DATA_DIR=tmp_path)
    assert picture_links(settings, door.links.media) is None
    with pytest.raises(NotPossible, match=r"PUBLIC_URL.*MEDIA_URL=s3"):
        await NoLinks().link(Sha256("ab" * 32))
    with_url = Settings(_env_file=None, DATA_DIR=tmp_path, PUBLIC_URL=PUBLIC)
    assert picture_links(with_url, door.links.media) is not None


async def test_a_public_bucket_hands_its_pictures_out_itself(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    name = Sha256(hashlib.sha256(JPEG).hexdigest())
    keys = {"region": "eu-central-1", "access_key_id": "AKIAEXAMPLE", "secret_access_key": "not-a-real-secret"}

    def bucket(endpoint: str) -> ObstoreMedia:
        return ObstoreMedia(
            "s3://photos/here",
            database=database,
            clock=lambda: datetime.now(UTC),
            s3=S3Access(endpoint=endpoint, **keys),
        )

    url = await MediaLinks(bucket(""), link_keys(["k"]), "", lambda: datetime.now(UTC)).link(name)
    assert url.startswith("https://")
    assert f"{name[:2]}/{name}" in url
    assert f"X-Amz-Expires={int(LIFETIME.total_seconds())}" in url
    assert keys["secret_access_key"] not in url
    assert await bucket("http://127.0.0.1:9000").presigned(name, LIFETIME) is None
    await database.close()
