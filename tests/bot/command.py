"""`packshot` as a process of its own, on a data folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.run_file import RunningAt, living_run
from bot.settings import Settings

LIMIT_S = 90
_KEPT = ("PATH", "HOME", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def replies(self) -> list[dict[str, Any]]:
        """The objects that `--json` printed."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def reply(self) -> dict[str, Any]:
        """The last of them."""
        return self.replies[-1]

    def token(self, action: str) -> str:
        """What the last reply's button of this action carries."""
        tokens: list[str] = [each["token"] for each in self.reply["buttons"]]
        return next(token for token in tokens if token.split(":")[1] == action)


@dataclass(frozen=True, slots=True)
class Command:
    """`packshot` with its DATA_DIR; settings of the machine that runs the tests do not reach it."""

    folder: Path

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def environment(self, **settings: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        ours = {"DATA_DIR": str(self.data_dir), "PORT": "0", "IMAGING_ENGINE": "builtin", "LOG_LEVEL": "WARNING"}
        return {**kept, **ours, **settings}

    def __call__(self, *words: str, **settings: str) -> Ended:
        """Run it to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words],
            cwd=self.folder,
            env=self.environment(**settings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def running(self, kind: str = "run") -> Iterator[subprocess.Popen[str]]:
        """Keep `packshot run` or `worker` alive for the block; yields once it has printed that it works."""
        with (self.folder / f"{kind}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", kind],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("Packshot"), (self.folder / f"{kind}.log").read_text()[-2000:]
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()

    def alive(self) -> RunningAt | None:
        """The `run` that lives on this folder."""
        return living_run(Settings(DATA_DIR=self.data_dir))
