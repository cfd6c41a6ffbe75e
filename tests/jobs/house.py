"""A database with the engine in it, workers to spawn and kill on it, and what can be seen from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbos import DBOSClient

from bot.engine_database import engine_url
from bot.jobs import APP_NAME, Enqueuer, migrate_engine
from domain.jobs import Job, JobName
from tests.jobs.book import Book, Effect

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60.0


def enhance(subject: str, attempt: int = 1) -> Job:
    return Job(JobName.ENHANCE, f"enhance:{subject}:1:{attempt}", subject, "pixels")


def publish(subject: str, store: str = "s1", attempt: int = 1) -> Job:
    return Job(JobName.PUBLISH, f"publish:{subject}:1:{store}:{attempt}", subject, "publish-shelf", store)


def look(subject: str, *, delay_s: float) -> Job:
    return Job(JobName.LOOK, f"look:{subject}:1:s1:1", subject, "publish-shelf", "s1", delay_s)


def intake(subject: str) -> Job:
    return Job(JobName.INTAKE, f"intake:{subject}", subject, "intake")


class Worker:
    """A living worker process."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log

    def slot(self) -> str:
        """Wait until it works and return its slot's name; fails with its log when it died instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line, f"the worker never worked: {self.log.read_text()}"
        return line

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(DEADLINE_S)

    def stop(self) -> int:
        """Ask it to end and return its exit status."""
        self.process.terminate()
        return self.process.wait(DEADLINE_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()


class House:
    """What a test needs of one database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        migrate_engine(url)
        self.book = Book(url)
        self.book.create()
        self.enqueuer = Enqueuer(url)
        self.client = DBOSClient(system_database_url=engine_url(url), application_name=APP_NAME)
        self.workers: list[Worker] = []
        self._spawned = 0

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        self.client.destroy()
        self.enqueuer.close()
        self.book.close()

    def enqueue(self, *jobs: Job) -> None:
        with self.book.engine.begin() as connection:
            for job in jobs:
                self.enqueuer(connection, job)

    def spawn(self, *, code: Path = ROOT, **pace: Any) -> Worker:
        """Start a worker on the code in `code`; `slot()` waits until it works."""
        self._spawned += 1
        log = self.folder / f"worker-{self._spawned}.log"
        given = json.dumps({"url": self.url, "folder": str(self.folder), "pace": pace})
        environment = {**os.environ, "PYTHONPATH": str(code)}
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.jobs.worker", given],
                cwd=code,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        return worker

    def open_gate(self) -> None:
        """Let every `hold-…` step go on."""
        (self.folder / "open").touch()

    def status(self, job: Job) -> str:
        """Return the engine's word for it, `none` when it does not know it."""
        found = self.client.list_workflows(workflow_ids=[job.key], load_input=False, load_output=False)
        return found[0].status if found else "none"

    def count(self, what: str) -> Counter[str]:
        """Return how often this happened, by subject."""
        return Counter(effect.subject for effect in self.book.effects() if effect.what == what)

    def effects(self, subject: str) -> list[Effect]:
        return [effect for effect in self.book.effects() if effect.subject == subject]

    def wait(self, until: Callable[[], bool], why: str) -> None:
        """Poll until it is true; the deadline is generous, since the machine is shared."""
        deadline = time.monotonic() + DEADLINE_S
        while not until():
            if time.monotonic() > deadline:
                logs = "\n".join(worker.log.read_text()[-3000:] for worker in self.workers)
                raise AssertionError(f"never happened: {why}\n{self.book.effects()[-40:]}\n{logs}")
            time.sleep(0.03)

    def keep_alive(self) -> None:
        """Start a worker again for each that left, as a supervisor would."""
        for worker in [worker for worker in self.workers if worker.process.poll() is not None]:
            worker.close()
            self.workers.remove(worker)
            self.spawn()

    def wait_done(self, *jobs: Job) -> None:
        self.wait(lambda: all(self.status(job) == "SUCCESS" for job in jobs), "every job ends well")
