"""The jobs that keep stores in step, as the worker runs them: each is one step, safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping

from bot.steps import Chain
from domain.sync import SyncJob
from handlers import stock_first, stock_orders, stock_push, stock_read
from handlers.desk import Desk

_STEPS = {
    SyncJob.HEAR: stock_orders.hear,
    SyncJob.PLAN: stock_push.plan,
    SyncJob.PUSH: stock_push.push,
    SyncJob.READ: stock_read.read,
    SyncJob.FIRST: stock_first.first,
}


def stock_steps(desk: Desk) -> Mapping[SyncJob, Chain]:
    """Return what each kind of job consists of, and how its failure is told."""
    return {job: _chain(job, desk) for job in SyncJob}


def _chain(job: SyncJob, desk: Desk) -> Chain:
    async def step(subject_id: str) -> None:
        await _STEPS[job](subject_id, desk)

    async def failed(subject_id: str, error: BaseException) -> None:
        await stock_orders.sync_failed(job, subject_id, error, desk)

    return Chain(((job.value, step),), failed)
