"""How one step of a job runs: repeated while the trouble passes by itself, ended in the row's failed state otherwise.

The subjects' steps come in as plain async functions, `bot/jobs.py` makes them durable. A step is run
at least once, so each is a compare-and-set on our own row; what it raises never reaches the engine,
because the engine would pickle it into its tables and raise it again after an upgrade.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.enhancement import IllegalMove
from domain.errors import Fault, RateLimited, RowChanged, StoreDown, UserError
from domain.jobs import JobName
from domain.sync import SyncJob

log = logging.getLogger(__name__)

Step = Callable[[str], Awaitable[None]]
FailedStep = Callable[[str, BaseException], Awaitable[None]]

MOVED_ON = (RowChanged, IllegalMove)
"""Somebody else moved the row (a person, or this step before a crash): nothing failed, nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The subjects' steps. The argument is the event's key, the enhancement's or the placement's id.

    A `*_failed` step brings the row into its failed state and tells the person; it is called again
    after a crash, and raises RowChanged or IllegalMove where the row is no longer in a moving state.
    """

    intake: Step
    intake_failed: FailedStep
    fetch: Step
    improve: Step
    offer: Step
    enhance_failed: FailedStep
    keep: Step
    publish: Step
    confirm: Step
    publish_failed: FailedStep
    put_back: Step
    restore_failed: FailedStep
    look: Step
    stock: Mapping[SyncJob, Chain]

    def of(self, job: JobName) -> Chain:
        """Return what a job consists of. The steps' names and order are rows in the engine: see jobs.VERSION."""
        match job:
            case JobName.INTAKE:
                return Chain((("intake", self.intake),), self.intake_failed)
            case JobName.ENHANCE:
                steps = (("fetch", self.fetch), ("improve", self.improve), ("offer", self.offer))
                return Chain(steps, self.enhance_failed)
            case JobName.PUBLISH:
                steps = (("keep", self.keep), ("publish", self.publish), ("confirm", self.confirm))
                return Chain(steps, self.publish_failed)
            case JobName.RESTORE:
                return Chain((("put_back", self.put_back),), self.restore_failed)
            case JobName.LOOK:
                return Chain((("look", self.look),), self.publish_failed)
            case _:
                return self.stock[SyncJob(job.value)]


@dataclass(frozen=True, slots=True)
class Chain:
    """A job's named steps in order, and what to call when one of them fails."""

    steps: tuple[tuple[str, Step], ...]
    failed: FailedStep


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a step is repeated. Short for a store, since the wait holds that store's queue partition.

    Our own database gets about a minute (a Postgres restart or fail-over): while it is away, nobody
    could be told of a failure anyway.
    """

    store_attempts: int = 4
    database_attempts: int = 12
    first_pause_s: float = 0.5
    longest_pause_s: float = 8.0
    step_limit_s: float = 900.0
    """A step that hangs is a failed step; the longest honest one loads a model and enhances a photo."""

    def pause_s(self, error: Exception, attempt: int) -> float | None:
        """Return how long to wait after the `attempt`-th failure (1-based), None when repeating is pointless."""
        pause_s = min(self.first_pause_s * 2 ** (attempt - 1), self.longest_pause_s)
        if isinstance(error, RateLimited):
            patient = attempt < self.store_attempts and error.retry_after_s <= self.longest_pause_s
            return max(pause_s, error.retry_after_s) if patient else None
        if isinstance(error, StoreDown):
            return pause_s if attempt < self.store_attempts else None
        if is_database_away(error):
            return pause_s if attempt < self.database_attempts else None
        return None


async def run_step(step: Step, failed: FailedStep, subject_id: str, *, patience: Patience) -> bool:
    """Run one step to an end and return whether the job goes on.

    False: the failed step has run, or the row had moved on. Raises only what the failed step raised,
    which leaves the job to the sweep.
    """
    error = await _attempt(partial(step, subject_id), patience)
    if error is None:
        return True
    if isinstance(error, MOVED_ON):
        log.info("%s ends early, the row has moved on: %s", subject_id, error)
        return False
    await tell_failure(failed, subject_id, error, patience=patience)
    return False


async def tell_failure(failed: FailedStep, subject_id: str, error: Exception, *, patience: Patience) -> None:
    """Bring the row into its failed state. Raises what the failed step raised, a row that moved on excepted."""
    if isinstance(error, UserError):
        log.info("%s: %s", subject_id, error)
    else:
        log.warning("%s failed", subject_id, exc_info=error)
    second = await _attempt(partial(failed, subject_id, error), patience)
    if isinstance(second, MOVED_ON):
        log.info("%s needs no failed state: %s", subject_id, second)
    elif second is not None:
        raise second


async def _attempt(act: Callable[[], Awaitable[None]], patience: Patience) -> Exception | None:
    """Call it until it succeeds or repeating is pointless; return the last error."""
    attempt = 0
    while True:
        attempt += 1
        limit = asyncio.timeout(patience.step_limit_s)
        try:
            async with limit:
                await act()
        except Exception as error:  # noqa: BLE001 - whatever it is, the row must reach its failed state
            if limit.expired():
                return Fault("step_hung", f"a step was still running after {patience.step_limit_s:.0f} s")
            pause_s = patience.pause_s(error, attempt)
            if pause_s is None:
                return error
            log.info("attempt %d failed, again in %.1f s: %r", attempt, pause_s, error)
            # Jitter only upwards: a Retry-After is a lower bound.
            await asyncio.sleep(pause_s * random.uniform(1.0, 1.2))  # noqa: S311 - spreads load, guards nothing
        else:
            return None


def is_database_away(error: Exception) -> bool:
    """Whether our own database was locked, restarting or unreachable, so that the same step may work later."""
    if isinstance(error, Fault):
        return error.code in {"database_down", "database_busy"}
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    # SQLite says OperationalError to a missing table as well; that is a bug, and waiting does not mend it.
    if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        return False
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
