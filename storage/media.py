"""Photo bytes named by their sha256, in a folder (`file://`) or a bucket (`s3://`).

obstore's local store writes aside and renames, but never calls fsync (seen with strace, 0.12.1): a
power cut could leave an empty file under a name we promised. So bytes go to `incoming/`, are
synced, and only then get their name.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from obstore import sign_async
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import Sha256
from domain.errors import Fault
from domain.ports import Clock
from storage.database import Database
from storage.statements import change, find_one, insert_once, lock_until_commit
from storage.tables import MediaRow

if TYPE_CHECKING:
    from obstore.store import S3Config  # obstore's types do not exist at run time

_MAGIC = (
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"ftyp", 4, "image/heic"),
    (b"BM", 0, "image/bmp"),
    (b"II*\x00", 0, "image/tiff"),
    (b"MM\x00*", 0, "image/tiff"),
)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FULL = ("no space left", "quota exceeded", "os error 28", "file too large")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class S3Access:
    """How to reach a bucket. An empty endpoint means AWS itself, empty keys the machine's own role."""

    region: str
    endpoint: str = ""
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)


class ObstoreMedia:
    """The port `MediaStorage`. `put` writes a row of its own: call it before opening a unit of work."""

    def __init__(self, url: str, *, database: Database, clock: Clock, s3: S3Access | None = None) -> None:
        """Open `file:///folder` (made when missing) or `s3://bucket/prefix`. Raises ValueError otherwise."""
        parts = urlsplit(url)
        self._database = database
        self._clock = clock
        self._folder: Path | None = None
        self._store: LocalStore | S3Store
        self._s3 = s3
        if parts.scheme == "file":
            self._folder = Path(url2pathname(parts.netloc + parts.path)).absolute()
            self._store = LocalStore(self._folder, mkdir=True)
        elif parts.scheme == "s3":
            self._store = _bucket(url, s3 or S3Access(region="us-east-1"))
        else:
            raise ValueError(f"MEDIA_URL must start with file:// or s3://, not {parts.scheme}://")

    async def put(self, content: bytes) -> Sha256:
        """Keep bytes and return their name, once they are durable.

        Raises Fault("media_full") when there is no room, Fault("media_down") when the storage fails;
        nothing half-written is visible then.
        """
        (name,) = await self.put_all([content])
        return name

    async def put_all(self, contents: Sequence[bytes]) -> tuple[Sha256, ...]:
        """Keep several in one transaction, in the order of their names so that two callers cannot wait in a circle.

        Raises as `put` does, and may then have written some.
        """
        names = [await self.write(content) for content in contents]
        async with self._database.begin() as db_session:
            for name, content in sorted(dict(zip(names, contents, strict=True)).items()):
                await self.record(db_session, name, content)
        return tuple(names)

    async def write(self, content: bytes) -> Sha256:
        """Make bytes durable and return their name. Whoever calls it owes a `record` in a transaction of theirs.

        Raises as `put` does.
        """
        name = Sha256(hashlib.sha256(content).hexdigest())
        await self._write(name, content)
        return name

    async def record(self, db_session: AsyncSession, name: Sha256, content: bytes) -> None:
        """Record written bytes in the caller's transaction; from its commit on they are kept."""
        row = MediaRow(
            sha256=name, content_type=content_type_of(content), size_bytes=len(content), stored_at=self._clock()
        )
        await lock_until_commit(db_session, f"media:{name}")
        if not await insert_once(db_session, row):
            # Sent again: whoever forgets old photos must count from now.
            newer = update(MediaRow).where(col(MediaRow.sha256) == name).values(stored_at=row.stored_at)
            await change(db_session, newer)
        # Under the lock nobody forgets them any more, but somebody may just have done so.
        await self._write(name, content)

    async def get(self, name: Sha256) -> bytes:
        """Return the bytes. Raises Fault("media_missing"), Fault("media_damaged"), Fault("media_down")."""
        with _faults(name):
            content = bytes(await (await self._store.get_async(_path(name))).bytes_async())
        if hashlib.sha256(content).hexdigest() != name:
            raise Fault("media_damaged", f"{name} has other bytes than its name says")
        return content

    async def content_type(self, name: Sha256) -> str:
        """Return what kind of picture the bytes are. Raises Fault("media_missing")."""
        async with self._database.read() as db_session:
            row = await find_one(db_session, select(MediaRow).where(col(MediaRow.sha256) == name))
        if row is None:
            raise Fault("media_missing", f"{name} was never stored, or is forgotten")
        return row.content_type

    @property
    def is_public(self) -> bool:
        """Whether the photos lie in a bucket that the world reaches, so that it can hand them out by itself."""
        is_near = self._s3 is not None and urlsplit(self._s3.endpoint).hostname in _LOOPBACK
        return isinstance(self._store, S3Store) and not is_near

    async def presigned(self, name: Sha256, lifetime: timedelta) -> str | None:
        """Return an address of the bucket's own for one picture; None for a folder, and for a bucket on this machine."""
        if not isinstance(self._store, S3Store) or not self.is_public:
            return None
        with _faults(name):
            return await sign_async(self._store, "GET", _path(name), lifetime)

    async def delete(self, names: Sequence[Sha256]) -> None:
        """Forget them; missing ones are no error."""
        for name in names:
            with _faults(name), contextlib.suppress(FileNotFoundError):
                await self._store.delete_async(_path(name))
        async with self._database.begin() as db_session:
            await change(db_session, delete(MediaRow).where(col(MediaRow.sha256).in_(names)))

    async def forget(self, names: Sequence[Sha256], before: datetime) -> int:
        """Forget those of them that were not sent again since `before`; return how many went.

        One transaction each, so that a failing storage keeps the row, and with it the next try.
        """
        forgotten = 0
        for name in names:
            async with self._database.begin() as db_session:
                await lock_until_commit(db_session, f"media:{name}")
                old = (col(MediaRow.sha256) == name) & (col(MediaRow.stored_at) < before)
                if await change(db_session, delete(MediaRow).where(old)) == 0:
                    continue
                with _faults(name), contextlib.suppress(FileNotFoundError):
                    await self._store.delete_async(_path(name))
            forgotten += 1
        return forgotten

    async def _write(self, name: Sha256, content: bytes) -> None:
        """Make sure that all bytes are there."""
        with _faults(name):
            if self._folder is not None:
                # One hop to a thread: a browser waits for this, and each hop waits for its turn.
                await asyncio.to_thread(self._write_file, self._folder, name, content)
            elif await self._size(name) != len(content):
                attributes = {"Content-Type": content_type_of(content)}
                # One request: a multipart upload that dies half-way leaves hidden parts that cost money.
                await self._store.put_async(_path(name), content, attributes=attributes, use_multipart=False)

    async def _size(self, name: Sha256) -> int | None:
        try:
            return (await self._store.head_async(_path(name)))["size"]
        except FileNotFoundError:
            return None

    def _write_file(self, folder: Path, name: Sha256, content: bytes) -> None:
        """Write aside, sync, rename, sync the folders: after a power cut the name has all bytes or is not there."""
        with contextlib.suppress(FileNotFoundError):
            if self._store.head(_path(name))["size"] == len(content):
                return
        aside = f"incoming/{secrets.token_hex(8)}"
        self._store.put(aside, content, use_multipart=False)
        try:
            _sync(folder / aside)
            self._store.rename(aside, _path(name))
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                self._store.delete(aside)
            raise
        for changed in ((folder / _path(name)).parent, folder):
            _sync(changed)


def content_type_of(content: bytes) -> str:
    """Return what the first bytes claim; `application/octet-stream` where they claim nothing we know."""
    for magic, offset, content_type in _MAGIC:
        if content[offset : offset + len(magic)] == magic:
            return content_type
    return "application/octet-stream"


def _bucket(url: str, s3: S3Access) -> S3Store:
    endpoint = urlsplit(s3.endpoint)
    is_plain = endpoint.scheme == "http"
    if is_plain and endpoint.hostname not in _LOOPBACK:
        raise ValueError("S3_ENDPOINT must be https:// anywhere but on this machine")
    config: S3Config = {"region": s3.region}
    if s3.endpoint:
        config["endpoint"] = s3.endpoint
    if s3.access_key_id:
        config["access_key_id"] = s3.access_key_id
        config["secret_access_key"] = s3.secret_access_key
    return S3Store.from_url(
        url,
        config=config,
        client_options={"allow_http": is_plain, "connect_timeout": "5s", "timeout": "60s"},
        # obstore's own three minutes would keep a person waiting for an answer that is no.
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
    )


def _path(name: Sha256) -> str:
    # Names come back from browsers and addresses: nothing but a digest may become a path.
    if not _DIGEST.fullmatch(name):
        raise Fault("media_missing", "that is no name of a photo")
    return f"{name[:2]}/{name}"


def _sync(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _faults(name: Sha256) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise Fault("media_missing", f"{name} is gone") from error
    except (BaseError, OSError) as error:
        is_full = any(word in str(error).lower() for word in _FULL)
        raise Fault("media_full" if is_full else "media_down", str(error).splitlines()[0]) from error
