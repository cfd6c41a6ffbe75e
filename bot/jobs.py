"""Durable jobs: the only module that knows the engine (DBOS, pinned; docs/decisions/0002).

A job is a row beside our rows, enqueued in the same transaction, and run by a worker at least once.
Our table is the business truth, the engine is the means: a job that cannot end, and a row that should
be moving but has no living job, both end in the row's failed state, and the person is told.

What the engine's defaults get wrong is set right here: it leaves a dead worker's jobs where they are
(`take_over`), ties jobs in flight to a hash of the code (`VERSION`), and keeps every finished job for
ever (`forget_finished`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from sqlalchemy import Connection

from bot.engine_database import POOL_SIZE, engine_url, open_engine, write_ahead
from bot.slots import LOCK_LOST_EXIT_STATUS, Held, Locks
from bot.steps import Chain, FailedStep, Patience, Step, Steps, run_step, tell_failure
from domain.catalog import PlatformName
from domain.errors import Fault
from domain.jobs import SLOW_STOCK_QUEUE, STOCK_QUEUE, Job, JobName
from domain.ports import Clock

log = logging.getLogger(__name__)

APP_NAME = "packshot"
VERSION = "1"
"""Raise it only when the names or the order of a job's steps change: jobs in flight wait for a worker of theirs."""

MovingRows = Callable[[], Awaitable[Sequence[tuple[Job, datetime]]]]
"""Every row in a moving state: the job that must be alive for it, and since when (aware UTC)."""

_LIVING = frozenset({"ENQUEUED", "DELAYED", "PENDING"})
_DEAD = ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_FINISHED = ["SUCCESS", "CANCELLED", *_DEAD]
_TOLD = {"told": True}
_DELETE_BATCH = 500


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker looks after the others' jobs, and when it gives up."""

    look_every_s: float = 2.0
    sweep_every_s: float = 15.0
    grace: timedelta = timedelta(seconds=60)
    """A row's job may be this much younger or older than the row before anybody worries."""
    keep_finished: timedelta = timedelta(days=30)
    forget_every_s: float = 3600.0
    max_recovery_attempts: int = 20
    stand_back_s: float = 8.0
    """How long a job that died with its process twice waits at most, before it may take the next one along."""
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job the engine gave up on, of which nobody has been told yet."""

    key: str
    name: JobName
    subject_id: str
    why: str


def publish_queue(platform: PlatformName) -> str:
    """Return where a platform's jobs wait; the spelling is that of domain/jobs.py."""
    return f"publish-{platform.value}"


def migrate_engine(database_url: str) -> None:
    """Make or upgrade the engine's tables and queues in our database; repeating it changes nothing.

    Blocks; belongs to `packshot migrate`, since neither `web` nor a worker makes tables.
    """
    url = engine_url(database_url)
    _quiet_engine_log()
    write_ahead(url)
    DBOS.migrate(url)
    client = DBOSClient(system_database_url=url, application_name=APP_NAME)
    try:
        # An idle poll cost 4 to 7 ms of processor time (SQLite, two busy cores): 36 polls a second were a fifth
        # of what the interpreter could do. Publishing is polled for the least, since it talks to a store next
        # anyway; only our own shelf answers at once.
        client.register_queue("intake", worker_concurrency=16, polling_interval_sec=0.1)
        client.register_queue("pixels", worker_concurrency=2, polling_interval_sec=0.1)
        # A store's jobs wait for one another, and nobody's for another store's. A sale is told within seconds.
        client.register_queue(STOCK_QUEUE, worker_concurrency=16, partition_concurrency=1, polling_interval_sec=0.25)
        client.register_queue(SLOW_STOCK_QUEUE, worker_concurrency=4, partition_concurrency=1, polling_interval_sec=1.0)
        for platform in PlatformName:
            client.register_queue(
                publish_queue(platform),
                worker_concurrency=8,
                partition_concurrency=1,
                polling_interval_sec=0.25 if platform is PlatformName.SHELF else 1.0,
            )
    finally:
        client.destroy()


class Enqueuer:
    """Puts a job beside the rows it belongs to. Every process has one, `web` included."""

    def __init__(self, database_url: str) -> None:
        _quiet_engine_log()
        self._client = DBOSClient(system_database_url=engine_url(database_url), application_name=APP_NAME, lazy=True)

    def __call__(self, connection: Connection, job: Job) -> None:
        """Enqueue it in the caller's transaction; a key that was ever enqueued does nothing.

        Async code bridges with `run_sync`. `connection` must be on the database of the constructor.
        """
        options = EnqueueOptions(workflow_name=job.name.value, queue_name=job.queue, workflow_id=job.key)
        if job.partition is not None:
            options["queue_partition_key"] = job.partition
        if job.delay_s > 0:
            options["delay_seconds"] = job.delay_s
        self._client.enqueue_in_transaction(connection, options, job.subject_id)

    def close(self) -> None:
        """Drop its connections, if it ever had any."""
        self._client.destroy()


class Jobs:
    """A worker's side: runs the jobs, takes over those of dead workers, tells of what nobody will finish.

    The engine is one per process. `platforms` are those we can publish to: every queue listened to costs
    polls. `slot` must be held before and released after; whoever loses it
    while this runs loses the process, at once and with status 75.
    """

    def __init__(
        self,
        database_url: str,
        *,
        slot: Held,
        locks: Locks,
        steps: Steps,
        moving: MovingRows,
        clock: Clock,
        platforms: Collection[PlatformName] = tuple(PlatformName),
        pace: Pace | None = None,
    ) -> None:
        self._url = engine_url(database_url)
        self._connections = open_engine(database_url)
        self._slot = slot
        self._locks = locks
        self._steps = steps
        self._moving = moving
        self._clock = clock
        self._platforms = platforms
        self._pace = pace or Pace()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = threading.Event()
        self._guard: threading.Thread | None = None
        self._carer: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[bool]] = set()

    async def launch(self) -> None:
        """Start working; own jobs that a crash interrupted start over first. Steps run on this event loop."""
        self._loop = asyncio.get_running_loop()
        # In a thread: the engine adopts the loop it is launched on, and blocks it on its own database calls.
        await asyncio.to_thread(self._launch_engine)
        self._guard = threading.Thread(target=self._guard_slot, name="slot-guard", daemon=True)
        self._guard.start()
        self._carer = self._loop.create_task(self._care())

    async def close(self, *, drain_s: int = 0) -> None:
        """Stop, giving running jobs up to `drain_s` whole seconds; the rest starts over at the next launch."""
        self._closing.set()
        if self._carer is not None:
            self._carer.cancel()
            await asyncio.gather(self._carer, return_exceptions=True)
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True, workflow_completion_timeout_sec=drain_s)
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._guard is not None:
            await asyncio.to_thread(self._guard.join)
        if self._connections is not None:
            self._connections.dispose()

    async def sweep(self) -> None:
        """Bring every row that no job will finish into its failed state, once. One process at a time does it."""
        held = await asyncio.to_thread(self._locks.try_hold, "sweep")
        if held is None:
            return
        try:
            await self._bury_dead_letters()
            await self._fail_stranded_rows()
        finally:
            await asyncio.to_thread(held.release)

    def dead_letters(self) -> Sequence[DeadLetter]:
        """Return what the engine gave up on and nobody was told of, oldest first. Blocks."""
        dead = DBOS.list_workflows(status=_DEAD, name=[name.value for name in JobName], load_output=False)
        return [
            DeadLetter(found.workflow_id, JobName(found.name), str(found.input["args"][0]), found.status.lower())
            for found in dead
            if found.input is not None and not (found.attributes or {}).get("told")
        ]

    def take_over(self) -> Sequence[str]:
        """Enqueue again what dead workers left running, and return their ids. Blocks.

        Dead is who does not hold the lock of its id; we hold it meanwhile, so nobody starts under that id.
        """
        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        owners = {found.executor_id for found in pending if found.executor_id} - {self._slot.name}
        taken = []
        for owner in sorted(owners):
            held = self._locks.try_hold(owner)
            if held is None:
                continue
            try:
                # Private, hence pinned; tests/jobs holds it to its contract. Upstream leaves this to a paid service.
                DBOS._recover_pending_workflows([owner])
            finally:
                held.release()
            log.warning("took over the jobs of %s, which is gone", owner)
            taken.append(owner)
        return taken

    def forget_finished(self) -> int:
        """Delete jobs that finished longer ago than `keep_finished`, and return how many. Blocks."""
        before = (self._clock() - self._pace.keep_finished).isoformat()
        forgotten = 0
        while finished := DBOS.list_workflows(
            status=_FINISHED, completed_before=before, limit=_DELETE_BATCH, load_input=False, load_output=False
        ):
            DBOS.delete_workflows([found.workflow_id for found in finished])
            forgotten += len(finished)
        return forgotten

    # ------------------------------------------------------------ running

    def _launch_engine(self) -> None:
        _quiet_engine_log()
        config = DBOSConfig(
            name=APP_NAME,
            system_database_url=self._url,
            system_database_engine=self._connections,
            application_version=VERSION,
            executor_id=self._slot.name,
            run_migrations=False,
            sys_db_pool_size=POOL_SIZE,
            max_executor_threads=32,
            log_level="WARNING",
        )
        DBOS(config=config)
        for name in JobName:
            decorate = DBOS.workflow(name=name.value, max_recovery_attempts=self._pace.max_recovery_attempts)
            decorate(self._workflow(self._steps.of(name)))
        DBOS.listen_queues(["intake", "pixels", STOCK_QUEUE, SLOW_STOCK_QUEUE, *map(publish_queue, self._platforms)])
        try:
            DBOS.launch()
        except BaseException:
            DBOS.destroy(destroy_registry=True)
            raise

    def _workflow(self, chain: Chain) -> Callable[[str], Coroutine[Any, Any, None]]:
        async def workflow(subject_id: str) -> None:
            await self._stand_back(str(DBOS.workflow_id))
            for name, step in chain.steps:
                if not await DBOS.run_step_async({"name": name}, self._on_our_loop, step, chain.failed, subject_id):
                    return

        return workflow

    async def _stand_back(self, key: str) -> None:
        """Let a job that died with its process twice or more wait a while, drawn anew for every start.

        A photo that crashes its decoder takes the jobs beside it down. Started together every time, they
        were dead-lettered together as well (tried); apart, the innocent ones end while the poison waits.
        """
        look = partial(DBOS.list_workflows, workflow_ids=[key], load_input=False, load_output=False)
        # Not to_thread: it carries the workflow's context along, and the engine would record the look as a step.
        (found,) = await asyncio.get_running_loop().run_in_executor(None, look)
        starts = found.recovery_attempts or 0
        if starts > 2:
            # Seeded by key and start, so that a test can know it beforehand.
            drawn = random.Random(f"{key} {starts}").random()  # noqa: S311 - spreads load, guards nothing
            await asyncio.sleep(min(2.0 ** (starts - 2), self._pace.stand_back_s) * drawn)

    async def _on_our_loop(self, step: Step, failed: FailedStep, subject_id: str) -> bool:
        """Run a step where our connections live; the engine's coroutines have a loop of their own.

        A cancelled step is not recorded, so that a shutdown leaves the job to the next launch.
        """
        loop = self._loop
        if loop is None or loop.is_closed():
            raise asyncio.CancelledError
        return await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(self._remembered(step, failed, subject_id), loop)
        )

    async def _remembered(self, step: Step, failed: FailedStep, subject_id: str) -> bool:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            return await run_step(step, failed, subject_id, patience=self._pace.patience)
        finally:
            self._running.discard(task)

    # ------------------------------------------------------------ looking after

    def _guard_slot(self) -> None:
        """Leave at once when the slot is lost. A thread of its own: neither a busy loop nor a stalled query delays it."""
        while not self._closing.wait(self._pace.look_every_s):
            if not self._slot.is_still_mine() and not self._closing.is_set():
                log.critical("lost the lock of %s: leaving at once, so that no job runs twice", self._slot.name)
                logging.shutdown()
                os._exit(LOCK_LOST_EXIT_STATUS)

    async def _care(self) -> None:
        """Take over, sweep and forget, for ever. One bad tick (the database is away) must not end it."""
        loop = asyncio.get_running_loop()
        next_sweep_s = loop.time()
        next_forget_s = loop.time() + self._pace.forget_every_s
        while True:
            try:
                await asyncio.to_thread(self.take_over)
                if loop.time() >= next_sweep_s:
                    next_sweep_s = loop.time() + self._pace.sweep_every_s
                    await self.sweep()
                if loop.time() >= next_forget_s:
                    next_forget_s = loop.time() + self._pace.forget_every_s
                    await asyncio.to_thread(self.forget_finished)
            except Exception:  # a worker that stopped looking would strand every dead one's jobs unseen
                log.exception("could not look after the jobs, trying again")
            await asyncio.sleep(self._pace.look_every_s)

    async def _bury_dead_letters(self) -> None:
        letters = await asyncio.to_thread(self.dead_letters)
        if not letters:
            return
        # A retry has a job of its own: a letter of the attempt before it must not fail the one that runs.
        alive = {(job.name, job.subject_id): job.key for job, _since in await self._moving()}
        for letter in letters:
            is_outdated = alive.get((letter.name, letter.subject_id), letter.key) != letter.key
            fault = Fault("dead_letter", f"{letter.key} ended as {letter.why}")
            if is_outdated or await self._fail(letter.name, letter.subject_id, fault):
                await asyncio.to_thread(DBOS.update_workflow_attributes, letter.key, _TOLD, merge=True)

    async def _fail_stranded_rows(self) -> None:
        suspects = await self._stranded()
        if not suspects:
            return
        # A second look: a job that ended between the two reads has moved its row, which is then not listed again.
        for key, job in (await self._stranded()).items():
            if key in suspects:
                await self._fail(job.name, job.subject_id, Fault("job_lost", f"no job is alive for {key}"))

    async def _stranded(self) -> dict[str, Job]:
        """Return moving rows whose grace is over and whose job is not alive, by key."""
        now = self._clock()
        moving = {job.key: job for job, since in await self._moving() if now - since >= self._pace.grace}
        if not moving:
            return {}
        found = await asyncio.to_thread(
            DBOS.list_workflows, workflow_ids=list(moving), load_input=False, load_output=False
        )
        living = {workflow.workflow_id for workflow in found if workflow.status in _LIVING}
        return {key: job for key, job in moving.items() if key not in living}

    async def _fail(self, name: JobName, subject_id: str, fault: Fault) -> bool:
        """Run the failed step; False when it could not, so that the next sweep tries again."""
        try:
            await tell_failure(self._steps.of(name).failed, subject_id, fault, patience=self._pace.patience)
        except Exception:  # one row that cannot be failed must not keep the sweep from the others
            log.exception("could not bring %s into its failed state", subject_id)
            return False
        return True


def _quiet_engine_log() -> None:
    """Let the engine's log go through ours: without a handler of its own it would add one and print to stderr."""
    engine_log = logging.getLogger("dbos")
    if not engine_log.handlers:
        engine_log.addHandler(logging.NullHandler())
