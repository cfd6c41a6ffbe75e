"""`DATA_DIR/run.json`: where the living `run` of this machine answers.

The file alone proves nothing; the lock beside it does, since it dies with its process.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.settings import Settings
from domain.errors import NotPossible


@dataclass(frozen=True, slots=True)
class RunningAt:
    """The living process and its address on this machine."""

    pid: int
    host: str
    port: int

    @property
    def base_url(self) -> str:
        """Where its web pages are."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


@contextmanager
def announced(settings: Settings, running: RunningAt) -> Iterator[None]:
    """Hold the lock and keep the file as long as the block runs. Raises NotPossible for a second `run`."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with _lock_path(settings).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = living_run(settings)
            where = f" at {other.base_url}" if other else ""
            raise NotPossible(
                f"Packshot already runs on {settings.data_dir}{where}: stop it, or set DATA_DIR."
            ) from None
        path = _path(settings)
        fresh = path.with_suffix(".fresh")
        fresh.write_text(json.dumps(asdict(running)))
        fresh.replace(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def living_run(settings: Settings) -> RunningAt | None:
    """Return the `run` that is alive on this DATA_DIR, None when there is none."""
    try:
        descriptor = os.open(_lock_path(settings), os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    else:
        return None
    finally:
        os.close(descriptor)
    try:
        return RunningAt(**json.loads(_path(settings).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None  # it is just starting or stopping


def _path(settings: Settings) -> Path:
    return settings.data_dir / "run.json"


def _lock_path(settings: Settings) -> Path:
    return settings.data_dir / "run.lock"
