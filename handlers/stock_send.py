"""Ask for the jobs that keep stores in step, in the transaction of whatever makes them needed.

One that waits already will see the change by itself, so that a hundred changes make one job.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.catalog import Sku, StoreId
from domain.jobs import sync_job
from domain.ports import UnitOfWork
from domain.sync import SyncJob


async def ask_for(work: UnitOfWork, job: SyncJob, subject_id: str, team_id: str, *, delay_s: float = 0.0) -> None:
    """Start a job on a store or a team once this commits, where none waits already."""
    number = await work.sync.ask(job, subject_id, team_id)
    if number is not None:
        await work.enqueue(sync_job(job, subject_id, number, delay_s=delay_s))


async def send_soon(work: UnitOfWork, team_id: str, skus: Sequence[Sku] | None) -> bool:
    """Bring what changed in the ledger (None: all of it) to the stores; False where sync is off and nothing will.

    Call it in the transaction that changed the ledger. Too many at once are asked of a person first.
    """
    if not (await work.sync.switch(team_id)).is_on:
        return False
    await work.sync.put_due(team_id, skus)
    await ask_for(work, SyncJob.PLAN, team_id, team_id)
    return True


async def send_to(work: UnitOfWork, team_id: str, store_ids: Iterable[StoreId]) -> None:
    """Write what is open at these stores."""
    for store_id in sorted(set(store_ids)):
        await ask_for(work, SyncJob.PUSH, store_id, team_id)
