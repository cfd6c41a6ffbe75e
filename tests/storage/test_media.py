"""Photo bytes: durable, whole or not there at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from domain.catalog import Sha256
from domain.errors import Fault
from storage.database import Database, open_database
from storage.media import ObstoreMedia, S3Access, content_type_of
from tests.storage.conftest import TickingClock

JPEG = b"\xff\xd8\xff\xe0" + b"photo" * 1000
BUCKET = "photos"


@pytest.fixture
async def rows(sqlite_url: str) -> AsyncIterator[Database]:
    database = open_database(sqlite_url)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Access]:
    """A bucket of moto's on a free port."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    access = S3Access("us-east-1", f"http://{host}:{port}", "key", "secret")
    httpx.put(f"{access.endpoint}/{BUCKET}").raise_for_status()
    yield access
    server.stop()


@pytest.fixture(params=["file", "s3"])
def media(request: pytest.FixtureRequest, rows: Database, tmp_path: Path) -> ObstoreMedia:
    """Both kinds of storage."""
    if request.param == "file":
        return ObstoreMedia((tmp_path / "new" / "media").as_uri(), database=rows, clock=TickingClock())
    access: S3Access = request.getfixturevalue("s3")
    return ObstoreMedia(f"s3://{BUCKET}/{tmp_path.name}", database=rows, clock=TickingClock(), s3=access)


async def test_bytes_come_back_by_their_name(media: ObstoreMedia) -> None:
    name = await media.put(JPEG)
    assert name == hashlib.sha256(JPEG).hexdigest()
    assert await media.put(JPEG) == name
    assert await media.get(name) == JPEG
    assert await media.content_type(name) == "image/jpeg"
    big = os.urandom(6_000_000)
    assert await media.get(await media.put(big)) == big


async def test_forgotten_bytes_are_missing_and_forgetting_again_is_no_error(media: ObstoreMedia) -> None:
    name = await media.put(JPEG)
    await media.delete([name, Sha256("00" * 32)])
    await media.delete([name])
    for ask in (media.get, media.content_type):
        with pytest.raises(Fault) as caught:
            await ask(name)
        assert caught.value.code == "media_missing"


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "AB" * 32, "00" * 31])
async def test_only_a_digest_names_bytes(media: ObstoreMedia, name: str) -> None:
    with pytest.raises(Fault, match="no name"):
        await media.get(Sha256(name))


async def test_nothing_but_the_named_bytes_is_left_behind(rows: Database, tmp_path: Path) -> None:
    media = ObstoreMedia((tmp_path / "media").as_uri(), database=rows, clock=TickingClock())
    name = await media.put(JPEG)
    assert _files(tmp_path / "media") == [f"{name[:2]}/{name}"]


async def test_altered_bytes_are_not_served_and_are_mended_by_a_new_put(rows: Database, tmp_path: Path) -> None:
    media = ObstoreMedia((tmp_path / "media").as_uri(), database=rows, clock=TickingClock())
    name = await media.put(JPEG)
    (tmp_path / "media" / name[:2] / name).write_bytes(b"cut")
    with pytest.raises(Fault) as caught:
        await media.get(name)
    assert caught.value.code == "media_damaged"
    await media.put(JPEG)
    assert await media.get(name) == JPEG


@contextlib.contextmanager
def _file_size_limit(size_bytes: int) -> Iterator[None]:
    """Let no file grow further: the disk is full for whoever writes, and nobody must be root."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


async def test_no_room_is_one_fault_and_leaves_nothing(rows: Database, tmp_path: Path) -> None:
    media = ObstoreMedia((tmp_path / "media").as_uri(), database=rows, clock=TickingClock())
    small = await media.put(JPEG)
    big = os.urandom(2_000_000)
    with _file_size_limit(1_000_000), pytest.raises(Fault) as caught:
        await media.put(big)
    assert caught.value.code == "media_full"
    assert _files(tmp_path / "media") == [f"{small[:2]}/{small}"]
    with pytest.raises(Fault):
        await media.content_type(Sha256(hashlib.sha256(big).hexdigest()))
    assert await media.get(await media.put(big)) == big, "and with room again it works"


async def test_a_full_disk_is_one_fault_and_leaves_nothing(rows: Database, tmp_path: Path) -> None:
    with _full_disk(tmp_path / "disk") as disk:
        media = ObstoreMedia(disk.as_uri(), database=rows, clock=TickingClock())
        small = await media.put(JPEG)
        with pytest.raises(Fault) as caught:
            await media.put(os.urandom(2_000_000))
        assert caught.value.code == "media_full"
        assert _files(disk) == [f"{small[:2]}/{small}"]
        assert await media.get(small) == JPEG


async def test_a_bucket_that_is_not_there_is_a_fault(rows: Database, s3: S3Access) -> None:
    media = ObstoreMedia("s3://nowhere", database=rows, clock=TickingClock(), s3=s3)
    with pytest.raises(Fault, match=r"."):
        await media.put(JPEG)


async def test_photos_are_put_before_a_unit_of_work_is_opened(rows: Database, tmp_path: Path) -> None:
    media = ObstoreMedia((tmp_path / "media").as_uri(), database=rows, clock=TickingClock())
    with pytest.raises(RuntimeError, match="unit of work"):
        async with rows.begin():
            await media.put(JPEG)


@pytest.mark.parametrize(
    ("url", "s3_access"),
    [
        ("ftp://x/y", None),
        ("/folder", None),
        ("s3://photos", S3Access("us-east-1", "http://photos.example", "key", "secret")),
    ],
)
async def test_other_places_for_photos_are_refused(rows: Database, url: str, s3_access: S3Access | None) -> None:
    with pytest.raises(ValueError, match=r"MEDIA_URL|S3_ENDPOINT"):
        ObstoreMedia(url, database=rows, clock=TickingClock(), s3=s3_access)


def test_the_first_bytes_say_what_a_picture_is() -> None:
    assert content_type_of(b"\x89PNG\r\n\x1a\n...") == "image/png"
    assert content_type_of(b"RIFF....WEBPVP8 ") == "image/webp"
    assert content_type_of(b"\x00\x00\x00\x18ftypheic") == "image/heic"
    assert content_type_of(b"hello") == "application/octet-stream"


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@contextlib.contextmanager
def _full_disk(folder: Path) -> Iterator[Path]:
    """A disk of 1 MB where this machine lets us mount one, else a folder whose files cannot grow past 1 MB."""
    folder.mkdir()
    if os.geteuid() == 0 and _works("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)):
        try:
            yield folder
        finally:
            assert _works("umount", str(folder))
    else:
        with _file_size_limit(1_000_000):
            yield folder


def _works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0
