"""A worker that waits for eight in the morning, and may die on the way: `python -m tests.stock.night PLAN.json`.

It runs the real loop (`bot/alert_clock.py`) on a real database, under the real lock; only its clock is the plan's: it
says `starts_at` when the plan's gate is opened, and runs on from there. `dies_at`: a moment of that clock at which the process
kills itself, or `inside`: in the middle of the transaction that says the digest.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.alert_clock import send_alerts
from bot.slots import open_locks
from handlers import alert_tick
from handlers.desk import Desk
from storage.database import open_database
from storage.work import SqlWork
from tests.fakes import FakeEnhancer, FakeMedia, FakeStores


async def work(plan: dict[str, str]) -> None:
    """Tick until killed."""
    starts_at = datetime.fromisoformat(plan["starts_at"])
    gate = await asyncio.to_thread(opened_gate, plan)

    def clock() -> datetime:
        return starts_at + timedelta(seconds=time.time() - gate)

    if plan["dies_at"] == "inside":
        alert_tick.say_digest = die
    elif plan["dies_at"]:
        last = datetime.fromisoformat(plan["dies_at"])
        asyncio.get_running_loop().call_later(max(0.0, (last - clock()).total_seconds()), die)
    database = open_database(plan["database_url"])
    desk = Desk(
        SqlWork(database, lambda connection, job: None, clock), FakeMedia(), FakeEnhancer(), FakeStores(), clock
    )
    await send_alerts(open_locks(database.sync_url), desk)


def opened_gate(plan: dict[str, str]) -> float:
    """Say that we are ready, wait for the gate, and return when it was opened: the workers' clocks agree."""
    Path(plan["ready"]).touch()
    gate = Path(plan["gate"])
    while not gate.exists():
        time.sleep(0.02)
    return gate.stat().st_mtime


def die(*_args: Any, **_named: Any) -> None:
    """As a power cut would: nothing is rolled back by us, nothing released."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(work(json.loads(Path(sys.argv[1]).read_text())))
