"""What can be enqueued: a name, the ids it works on, and the key that makes it happen once.

The key is the engine's workflow id: enqueueing the same key twice does nothing. It carries the
row's `attempt`, since a key that once ended in an error would stand still for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.enhancement import Enhancement, Placement
from domain.sync import SyncJob


class JobName(StrEnum):
    """The jobs; the names are rows in the engine, so they are a promise across versions."""

    INTAKE = "intake"
    ENHANCE = "enhance"
    PUBLISH = "publish"
    RESTORE = "restore"
    LOOK = "look"
    STOCK_HEAR = SyncJob.HEAR.value
    STOCK_PLAN = SyncJob.PLAN.value
    STOCK_PUSH = SyncJob.PUSH.value
    STOCK_READ = SyncJob.READ.value
    STOCK_FIRST = SyncJob.FIRST.value


@dataclass(frozen=True, slots=True)
class Job:
    """`subject_id` is the only argument; `queue` where it waits; `partition` what it must not overtake.

    It starts `delay_s` seconds after it was enqueued, no sooner.
    """

    name: JobName
    key: str
    subject_id: str
    queue: str
    partition: str | None = None
    delay_s: float = 0.0


def intake_job(event_key: str) -> Job:
    """Handle one event."""
    return Job(JobName.INTAKE, f"intake:{event_key}", event_key, "intake")


def enhance_job(enhancement: Enhancement) -> Job:
    """Make the current revision's pictures."""
    key = f"enhance:{enhancement.enhancement_id}:{enhancement.revision.number}:{enhancement.attempt}"
    return Job(JobName.ENHANCE, key, enhancement.enhancement_id, "pixels")


def publish_job(placement: Placement) -> Job:
    """Bring one approved picture to one store."""
    key = f"publish:{placement.publish_key}:{placement.attempt}"
    return _store_job(JobName.PUBLISH, key, placement)


def restore_job(placement: Placement) -> Job:
    """Put back what stood there before."""
    key = f"restore:{placement.publish_key}:{placement.attempt}"
    return _store_job(JobName.RESTORE, key, placement)


def look_job(placement: Placement, *, delay_s: float = 0.0) -> Job:
    """Look whether an accepted picture is live by now; every look raises the attempt."""
    key = f"look:{placement.publish_key}:{placement.attempt}"
    return _store_job(JobName.LOOK, key, placement, delay_s=delay_s)


STOCK_QUEUE, SLOW_STOCK_QUEUE = "stock", "stock-slow"
"""What answers a sale, and what reads a whole store, which may take Amazon minutes."""
_SLOW = frozenset({SyncJob.READ, SyncJob.FIRST})


def sync_job(job: SyncJob, subject_id: str, number: int, *, delay_s: float = 0.0) -> Job:
    """Keep one store or team in step; of a kind, one runs at a time on a subject."""
    key = f"{job.value}:{subject_id}:{number}"
    queue = SLOW_STOCK_QUEUE if job in _SLOW else STOCK_QUEUE
    return Job(JobName(job.value), key, subject_id, queue, partition=f"{job.value}:{subject_id}", delay_s=delay_s)


def _store_job(name: JobName, key: str, placement: Placement, *, delay_s: float = 0.0) -> Job:
    queue = f"publish-{placement.target.platform.value}"
    return Job(name, key, placement.placement_id, queue, partition=placement.target.store_id, delay_s=delay_s)
