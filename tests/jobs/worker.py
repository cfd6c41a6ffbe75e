"""A worker process for the tests to kill: real slots, real engine, and steps that only write down that they ran.

    python -m tests.jobs.worker '{"url": …, "folder": …, "pace": {…}}'

What a step does is the first word of its subject: `quick-…`, `hold-…` (until the file `open` is in the
folder), `poison-…` (kills the process), `bad-…` (cannot work). Prints the slot's name once it is working.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.jobs import Jobs, Pace
from bot.slots import Held, Locks, open_locks
from bot.steps import Chain, FailedStep, Patience, Step, Steps
from domain.catalog import PlatformName
from domain.errors import BadPhoto, NotPossible
from domain.jobs import Job, JobName
from domain.sync import SyncJob
from tests.jobs.book import Book


def steps(book: Book, folder: Path) -> Steps:
    """Return steps that write `begin` and `end` into the book."""

    def step(name: str) -> Step:
        async def run(subject: str) -> None:
            book.write(f"{name} begin", subject)
            match subject.split("-")[0]:
                case "hold":
                    while not (folder / "open").exists():  # noqa: ASYNC110 - another process opens it
                        await asyncio.sleep(0.02)
                case "poison":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "bad":
                    raise BadPhoto("That is no photo: send another one.", reason="truncated")
            if name in {"confirm", "look"}:  # the row has come to rest
                book.settle(subject)
            book.write(f"{name} end", subject)

        return run

    def failed(name: str) -> FailedStep:
        async def run(subject: str, error: BaseException) -> None:
            book.write(f"{name}: {getattr(error, 'code', type(error).__name__)}", subject)
            book.settle(subject)

        return run

    return Steps(
        intake=step("intake"),
        intake_failed=failed("intake_failed"),
        fetch=step("fetch"),
        improve=step("improve"),
        offer=step("offer"),
        enhance_failed=failed("enhance_failed"),
        keep=step("keep"),
        publish=step("publish"),
        confirm=step("confirm"),
        publish_failed=failed("publish_failed"),
        put_back=step("put_back"),
        restore_failed=failed("restore_failed"),
        look=step("look"),
        stock={job: Chain(((job.value, step(job.value)),), failed("stock_failed")) for job in SyncJob},
    )


class BlindLocks:
    """Locks through which nobody ever looks dead."""

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    def try_hold(self, name: str) -> Held | None:
        return None if name.startswith("worker-") else self._locks.try_hold(name)

    def take_slot(self) -> Held:
        return self._locks.take_slot()


def pace(chosen: dict[str, float]) -> Pace:
    """Return a pace for tests: no grace, quick looks, impatient. `keep_finished_s` stands for `keep_finished`."""
    usual = Pace(look_every_s=0.2, sweep_every_s=0.2, grace=timedelta(0), patience=Patience(store_attempts=2))
    if "keep_finished_s" in chosen:
        usual = replace(usual, keep_finished=timedelta(seconds=chosen.pop("keep_finished_s")))
    return replace(usual, **chosen)  # type: ignore[arg-type]


async def work(url: str, folder: Path, chosen: dict[str, float]) -> None:
    """Work until SIGTERM."""
    locks = open_locks(url)
    if chosen.pop("is_blind", False):
        locks = BlindLocks(locks)
    slot = locks.take_slot()
    book = Book(url, who=slot.name)

    async def moving() -> Sequence[tuple[Job, datetime]]:
        since = datetime.now(UTC) - timedelta(hours=1)
        return [(Job(JobName.PUBLISH, key, subject, "publish-shelf", "s1"), since) for key, subject in book.moving()]

    jobs = Jobs(
        url,
        slot=slot,
        locks=locks,
        steps=steps(book, folder),
        moving=moving,
        clock=lambda: datetime.now(UTC),
        platforms=[PlatformName.SHELF],
        pace=pace(chosen),
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await jobs.launch()
    print(slot.name, flush=True)
    await stop.wait()
    await jobs.close()
    slot.release()
    book.close()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    try:
        asyncio.run(work(given["url"], Path(given["folder"]), given["pace"]))
    except NotPossible as refused:
        print(refused.sentence, file=sys.stderr)
        sys.exit(1)
