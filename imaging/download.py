"""Fetch a model's weights ahead of the first photo: resumed, checked byte for byte, and there whole or not at all.

What has come so far lies beside the target as `MODEL.onnx.part`; a later run goes on from there. A lock
beside it lets one process fetch while others wait for its result.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from domain.errors import NotPossible
from imaging.weights import WEIGHTS_URL, OpenModel, is_whole, megabytes, weights_path

if TYPE_CHECKING:
    import httpx

GITHUB_ASSET_HOSTS: Final = frozenset({"objects.githubusercontent.com", "release-assets.githubusercontent.com"})
"""Where github.com sends a release's download; anything else is refused."""
PAUSES_S: Final = (1.0, 3.0, 6.0)
"""Before the second try and those after it; each goes on where the last one stopped."""
SPARE_BYTES: Final = 50_000_000
"""What must be left on the disk beside the weights: a database and photos live there too."""
_MOST_REDIRECTS = 5
_SILENT_S = 30

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes that there will be, many times a second."""


class _Interrupted(Exception):
    """The line broke or the server is out of breath: worth another try."""


@dataclass(frozen=True, slots=True)
class _Order:
    """What is fetched, from where and to where."""

    name: str
    model: OpenModel
    target: Path
    base_url: str
    on_progress: Progress

    @property
    def part(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def url(self) -> str:
        return f"{self.base_url.rstrip('/')}/{self.model.file}"

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or self.base_url

    def here_bytes(self) -> int:
        with contextlib.suppress(FileNotFoundError):
            return self.part.stat().st_size
        return 0

    def no_room(self, wanted_bytes: int) -> NotPossible:
        return NotPossible(
            "There is no room for {model} on the disk of {folder}: make {megabytes} MB free, or set MODEL_DIR to "
            "another disk.",
            model=self.name,
            folder=str(self.target.parent),
            megabytes=megabytes(wanted_bytes + SPARE_BYTES),
        )


def fetch_weights(
    name: str,
    model: OpenModel,
    into: Path,
    *,
    base_url: str = WEIGHTS_URL,
    on_progress: Progress = lambda _here, _all: None,
    on_wait: Callable[[], None] = lambda: None,
    pauses_s: Sequence[float] = PAUSES_S,
) -> Path:
    """Return the path of the whole file in `into`, having fetched what was missing of it.

    `on_wait` is called once where another process is fetching the same file; then this one waits for it.
    Raises NotPossible with the way out: no line, a wrong checksum, a redirect to a foreign host, a full disk,
    another file of that name in the way. Safe to repeat and to run twice at once.
    """
    order = _Order(name, model, weights_path(name, into), base_url, on_progress)
    try:
        if _is_there(order):  # before the lock: MODEL_DIR may be a folder that nobody here may write to
            return order.target
        into.mkdir(parents=True, exist_ok=True)
        with _alone(order.target, on_wait):
            if not _is_there(order):
                _fetch(order, pauses_s)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            order.part.unlink(missing_ok=True)  # what fills the disk would keep the shop's database from writing
            raise order.no_room(model.size_bytes) from error
        raise NotPossible(
            "I cannot write {path} ({why}): set MODEL_DIR to a folder I may write to.",
            path=str(order.target),
            why=error.strerror or str(error),
        ) from error
    return order.target


@contextmanager
def _alone(target: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    # The lock's file stays: removing it would let a third process lock a new file beside a waiting second.
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_there(order: _Order) -> bool:
    if not order.target.exists():
        return False
    if not is_whole(order.target, order.model):
        raise NotPossible(
            "{path} is there already and is not the file that is published: move it away, then run this again.",
            path=str(order.target),
        )
    return True


def _fetch(order: _Order, pauses_s: Sequence[float]) -> None:
    import httpx

    began_with = order.here_bytes()
    wanted_bytes = order.model.size_bytes - began_with
    if shutil.disk_usage(order.target.parent).free < wanted_bytes + SPARE_BYTES:
        raise order.no_room(wanted_bytes)
    with httpx.Client(timeout=httpx.Timeout(_SILENT_S, connect=15), headers={"User-Agent": "packshot"}) as client:
        _fill(client, order, pauses_s)
        if began_with and not is_whole(order.part, order.model):
            order.part.unlink()  # what an earlier run left was of another file: once more, from the first byte
            _fill(client, order, pauses_s)
    if not is_whole(order.part, order.model):
        order.part.unlink()
        raise NotPossible(
            "What {host} sent is not {model}: its checksum is wrong, so I kept nothing. Try again later, or put "
            "the right file at {path} by hand.",
            host=order.host,
            model=order.name,
            path=str(order.target),
        )
    order.part.replace(order.target)


def _fill(client: httpx.Client, order: _Order, pauses_s: Sequence[float]) -> None:
    """Bring the part to its full size, in as many tries as there are pauses and one more."""
    for pause_s in (*pauses_s, None):
        try:
            with order.part.open("ab") as file:
                _receive(client, order, file.fileno())
                os.fsync(file.fileno())
        except _Interrupted as error:
            if pause_s is None and not order.here_bytes():
                raise NotPossible(
                    "I cannot fetch {model} from {host} ({why}): check the network, or fetch {url} elsewhere and put "
                    "it here as {path}.",
                    model=order.name,
                    host=order.host,
                    why=str(error),
                    url=order.url,
                    path=str(order.target),
                ) from error
            if pause_s is None:
                raise NotPossible(
                    "{host} stopped at {here} of {all} MB ({why}): run `packshot engines get {model}` again, and it "
                    "goes on from there.",
                    host=order.host,
                    here=megabytes(order.here_bytes()),
                    all=megabytes(order.model.size_bytes),
                    why=str(error),
                    model=order.name,
                ) from error
            time.sleep(pause_s)
        else:
            return


def _receive(client: httpx.Client, order: _Order, descriptor: int) -> None:
    """Append what is missing to an open file. Raises _Interrupted, NotPossible, OSError."""
    size_bytes = order.model.size_bytes
    here = os.fstat(descriptor).st_size
    if here >= size_bytes:
        return  # an earlier run got this far; the checksum tells whether it is any good
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={here}-"} if here else {})}
    with _response(client, order, headers) as response:
        if here and not _goes_on_at(response, here):
            os.ftruncate(descriptor, 0)
            here = 0
        if response.status_code == 416 or (response.status_code == 206 and not here):
            raise _Interrupted("it does not go on from the middle")
        promised = response.headers.get("content-length", "")
        if promised.isdecimal() and here + int(promised) != size_bytes:
            raise _other_size(order)
        order.on_progress(here, size_bytes)
        for chunk in _chunks(response):
            if here + len(chunk) > size_bytes:
                os.ftruncate(descriptor, 0)
                raise _other_size(order)
            _write(descriptor, chunk)
            here += len(chunk)
            order.on_progress(here, size_bytes)
    if here < size_bytes:
        raise _Interrupted("the line broke")


def _other_size(order: _Order) -> NotPossible:
    return NotPossible(
        "{host} sends another file than the {megabytes} MB of {file}, so I stopped: check WEIGHTS_URL.",
        host=order.host,
        megabytes=megabytes(order.model.size_bytes),
        file=order.model.file,
    )


@contextmanager
def _response(client: httpx.Client, order: _Order, headers: dict[str, str]) -> Iterator[httpx.Response]:
    """Follow redirects to pinned hosts only; yields a 200, 206 or 416."""
    url = order.url
    for _ in range(_MOST_REDIRECTS):
        with _translated(), client.stream("GET", url, headers=headers) as response:
            if response.has_redirect_location:
                url = _redirected(url, response.headers["location"], order)
                continue
            if response.status_code == 429 or response.status_code >= 500:
                raise _Interrupted(f"it answered {response.status_code}")
            if response.status_code not in {200, 206, 416}:
                raise NotPossible(
                    "{host} answered {status} for {file}: check WEIGHTS_URL, or try again later.",
                    host=order.host,
                    status=response.status_code,
                    file=order.model.file,
                )
            yield response
            return
    raise NotPossible("{host} sends me in circles: check WEIGHTS_URL, or try again later.", host=order.host)


@contextmanager
def _translated() -> Iterator[None]:
    import httpx

    try:
        yield
    except httpx.HTTPError as error:
        raise _Interrupted(str(error) or type(error).__name__) from error


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    with _translated():
        yield from response.iter_raw()  # as it comes: gathered into larger pieces, a broken line would lose the last


def _redirected(url: str, location: str, order: _Order) -> str:
    """Return where the redirect leads. Raises NotPossible where it leaves the pinned hosts, or https."""
    base = urlsplit(order.base_url)
    try:
        to = urljoin(url, location)
        scheme, netloc = urlsplit(to)[:2]
    except ValueError:
        to, scheme, netloc = "", "", "an address that is none"
    is_home = (scheme, netloc) == (base.scheme, base.netloc)
    is_asset = base.netloc == "github.com" and scheme == "https" and netloc in GITHUB_ASSET_HOSTS
    if not (is_home or is_asset):
        raise NotPossible(
            "{host} sends me on to {other}, where weights do not come from, so I did not follow: check WEIGHTS_URL.",
            host=order.host,
            other=netloc.rpartition("@")[2],
        )
    return to


def _goes_on_at(response: httpx.Response, here: int) -> bool:
    return response.status_code == 206 and response.headers.get("content-range", "").startswith(f"bytes {here}-")


def _write(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
