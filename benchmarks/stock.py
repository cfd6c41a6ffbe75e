"""How fast the stores are kept in step, at the fakes: `python benchmarks/stock.py`. Exit 1 where an aim is missed.

1. A full comparison of 10,000 SKUs on four stores with 1 % changes, in a time that only waiting moves, beside what
   the very same calls take the adapters alone under the stores' limits.
2. An order's webhook to the last store's write, on the wall's clock: signed, through the web application's own door,
   and the durable jobs of a real worker, all in the one process that `packshot run` is.
3. A hundred orders a second for a minute: none lost, and how long after the last one all are booked and told.
4. The morning's digest of 10,000 SKUs (benchmarks/digest.py), the slower of two mornings.
For 2 and 3 the stores and their buyers are a process of their own (benchmarks/stock_far.py), as the vendors stand
elsewhere: on two cores the fakes and the load cost as much as we do. Memory is the peak of 1's process, the fakes'
goods among it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import uvicorn

from benchmarks.digest import time_digests
from benchmarks.stock_far import SECRET, Far, far_corners
from benchmarks.stock_world import (
    TEAM,
    Corner,
    Corners,
    add_team,
    keep_limits,
    open_corners,
    sku_of,
    skus_up_to,
)
from bot.app import App, migrate_all, open_app, working
from bot.settings import Settings
from bot.steps import Patience, run_step
from bot.stock_steps import stock_steps
from bot.web import web_app
from domain.catalog import Sku
from domain.powers import ReadsOrders, ReadsStock
from domain.stock import Movement, MovementKind, Push
from domain.sync import Run, RunKind, RunState, SyncJob
from handlers.desk import Desk
from handlers.stock_push import write
from storage.database import Database, open_database
from storage.migrate import migrate
from storage.work import SqlWork
from tests.fakes.limits import CrowdTime

SKUS, CHANGED = 10_000, 100
RATIO_MOST = 1.5
MEMORY_MOST_MB = 400
PUSH_MOST_S = 5.0
DIGEST_MOST_S = 5.0
ORDERS_A_SECOND, FOR_S, LAG_MOST_S = 100, 60, 10.0
BUSY_SKUS = 20
"""What sells a hundred times a second is few products; a store's own limits bound how many can be told of at once."""
PIECES = 900
"""Etsy takes 999 of one product at most."""
ONCE = Patience(store_attempts=1, database_attempts=3)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: `most` is the aim."""

    what: str
    value: float
    unit: str
    most: float
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the aim is kept."""
        return self.value <= self.most


def peak_mb() -> float:
    """Return the most memory this process ever held, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("Linux tells VmHWM")


# ---------------------------------------------------------------- a full comparison


@dataclass(slots=True)
class Bench:
    """The ledger and the steps over the four stores, without the job engine: jobs are run as they are asked for."""

    database: Database
    corners: Corners
    clock: CrowdTime
    waiting: list[tuple[SyncJob, str]]

    @property
    def desk(self) -> Desk:
        """Everything a step needs."""
        work = SqlWork(self.database, self._enqueue, self.clock.now)
        return Desk(work, None, None, self.corners, self.clock.now)  # type: ignore[arg-type] # no pictures here

    def _enqueue(self, _connection: object, job: object) -> None:
        name, subject = str(getattr(job, "name", "")), str(getattr(job, "subject_id", ""))
        self.waiting.append((SyncJob(name), subject))

    async def run_all(self) -> None:
        """Run what was asked for, all stores at once, until nobody asks for anything."""
        steps = stock_steps(self.desk)
        while self.waiting:
            jobs, self.waiting = self.waiting, []
            chains = [(steps[job], subject) for job, subject in dict.fromkeys(jobs)]
            await asyncio.gather(
                *(run_step(chain.steps[0][1], chain.failed, subject, patience=ONCE) for chain, subject in chains)
            )


async def compare_all() -> list[Figure]:
    """Compare four stores with 1 % changes, beside the adapters alone."""
    progress: list[Corner] = []
    clock = CrowdTime(progress=lambda: sum(len(one.server.calls) for one in progress))
    async with open_corners(clock, skus=SKUS, pieces=20) as corners:
        progress += corners.all
        with tempfile.TemporaryDirectory() as folder:
            database = open_database(f"sqlite:///{folder}/bench.db")
            await migrate(database)
            await add_team(database, corners)
            bench = Bench(database, corners, clock, [])
            await _agree(bench)
            _rest(corners, clock)
            alone_s = await _adapters_alone(corners, clock)
            await _change(bench)
            _rest(corners, clock)
            began, cpu = clock.seconds, time.process_time()
            async with bench.desk.work() as work:
                for corner in corners.all:
                    await work.sync.was_read(corner.platform.store, began_at=None)
            bench.waiting += [(SyncJob.PLAN, TEAM)]
            bench.waiting += [(SyncJob.READ, corner.platform.store.store_id) for corner in corners.all]
            await bench.run_all()
            took_s, cpu_s = clock.seconds - began, time.process_time() - cpu
            wrong = sum(
                1 for corner in corners.all for number in range(SKUS)
                if corner.shows(sku_of(number)) != (19 if number < CHANGED else 20)
            )  # fmt: skip
            await database.close()
    note = f"{took_s:.0f} s, the adapters alone {alone_s:.0f} s (simulated); {cpu_s:.0f} s of processor, fakes included"
    return [
        Figure(f"{SKUS:,} SKUs × 4 stores, {CHANGED} changed", took_s / alone_s, "× the calls alone", RATIO_MOST, note),
        Figure("numbers that are not as they should be", wrong, "", 0),
        Figure("memory, peak of the process", peak_mb(), "MB", MEMORY_MOST_MB),
    ]


async def _agree(bench: Bench) -> None:
    """Count what the stores show, as somebody's yes does."""
    now = bench.clock.now()
    async with bench.desk.work() as work:
        await work.sync.turn(TEAM, is_on=True, by="bench", now=now)
        await work.sync.add_run(Run("first", TEAM, RunKind.FIRST, RunState.GOING, None, now, by="bench"))
    bench.waiting.append((SyncJob.FIRST, TEAM))
    await bench.run_all()


async def _change(bench: Bench) -> None:
    """Take one piece of 1 % of the SKUs, in the ledger only."""
    now = bench.clock.now()
    moved = [
        Movement(f"add:bench:{sku.key}", sku, -1, MovementKind.ADDED, now, actor="bench") for sku in skus_up_to(CHANGED)
    ]
    async with bench.desk.work() as work:
        await work.stock.add_movements(TEAM, moved)
        await work.sync.put_due(TEAM, None)


def _rest(corners: Corners, clock: CrowdTime) -> None:
    """Let every bucket fill up again, ours and the stores'."""
    clock.seconds += 100_000.0
    keep_limits(corners, clock)


async def _adapters_alone(corners: Corners, clock: CrowdTime) -> float:
    """Return how long the same calls take when nobody thinks in between: read all, the orders, 1 % writes, back again."""
    began = clock.seconds

    async def one(corner: Corner) -> None:
        platform = corner.platform
        assert isinstance(platform, ReadsStock)
        assert isinstance(platform, ReadsOrders)
        levels = {level.sku.value: level for level in await platform.read_all_stock()}
        await platform.orders_since(clock.now())
        some = [levels[sku.value] for sku in skus_up_to(CHANGED)]
        for before, after in ((20, 19), (19, 20)):
            pushes = [
                Push(f"alone {after} {level.sku}", level.sku, level.store_id, level.stock_id, before, after - before,
                     clock.now())
                for level in some
            ]  # fmt: skip
            written = await write(platform, pushes)
            assert len(written.ends) == len(pushes), written.trouble
            if after == 19:
                taken[corner.name] = clock.seconds - began

    taken: dict[str, float] = {}
    await asyncio.gather(*(one(corner) for corner in corners.all))
    return max(taken.values())


# ---------------------------------------------------------------- a sale, and many


@asynccontextmanager
async def running(far: Far, folder: str) -> AsyncIterator[App]:
    """Run what `packshot run` runs, web and worker in one process on SQLite, with these stores as the connected ones."""
    settings = Settings(
        _env_file=None, data_dir=Path(folder), database_url=f"sqlite:///{folder}/packshot.db", shelf_samples=False
    )
    await migrate_all(settings)
    async with open_app(settings, base_url="http://127.0.0.1:1") as opened:
        app = replace(opened, desk=replace(opened.desk, stores=far.corners))
        await add_team(app.database, far.corners)
        woo = far.corners.all[-1].platform.store
        given = {"site": "https://shop.example", "user": "u", "password": "p", "webhook_secret": SECRET}
        await app.stores.rows.reconnect(woo.store_id, app.stores.vault.encrypt(json.dumps(given)))
        async with app.desk.work() as work:
            await work.sync.turn(TEAM, is_on=True, by="bench", now=app.desk.clock())
            await work.sync.add_run(Run("first", TEAM, RunKind.FIRST, RunState.GOING, None, app.desk.clock(), by="b"))
        async with working(app), _door(app) as address:
            far.door = f"{address}/webhooks/{woo.platform.value}/{woo.store_id}"
            await until(lambda: _is_agreed(app), most_s=120)
            yield app


@asynccontextmanager
async def _door(app: App) -> AsyncIterator[str]:
    """Serve the web application, and yield its address."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            web_app(app, port=port), log_config=None, access_log=False, server_header=False, lifespan="off"
        )
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # Ctrl-C is ours
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        await serving


async def _is_agreed(app: App) -> bool:
    async with app.desk.work.reading() as rows:
        run = await rows.sync.run(TEAM, "first")
    return run is not None and run.state is RunState.DONE


async def until(is_so: Callable[[], Awaitable[bool]], *, most_s: float) -> float:
    """Wait until it is so, and return how long it took, in seconds; `most_s` where it never was."""
    began = time.monotonic()
    while time.monotonic() - began < most_s:
        if await is_so():
            return time.monotonic() - began
        await asyncio.sleep(0.05)
    return most_s


async def sales() -> list[Figure]:
    """Measure one sale, then a hundred a second."""
    figures: list[Figure] = []
    async with far_corners(skus=BUSY_SKUS, pieces=PIECES) as far:
        with tempfile.TemporaryDirectory() as folder:
            async with running(far, folder) as app:
                figures.append(await _one_sale(far))
                figures += await _many_sales(app, far)
    return figures


async def _one_sale(far: Far) -> Figure:
    worst = 0.0
    for number in range(5):
        before = max(shown[number] for shown in (await far.shows(BUSY_SKUS)).values())

        async def is_told(number: int = number, left: int = before - 1) -> bool:
            return all(shown[number] == left for shown in (await far.shows(BUSY_SKUS)).values())

        began = time.monotonic()
        await far.sell(number)
        await until(is_told, most_s=60)
        worst = max(worst, time.monotonic() - began)
    return Figure("an order's webhook to the last of 3 stores' writes, worst of 5", worst, "s", PUSH_MOST_S)


async def _many_sales(app: App, far: Far) -> list[Figure]:
    before, cpu = await _on_hand(app), time.process_time()
    rush = await far.rush(BUSY_SKUS, rate=ORDERS_A_SECOND, for_s=FOR_S)
    answered_s, sold = rush["took_s"] - rush["came_s"], rush["sold"]

    async def is_booked() -> bool:
        return bool(await _on_hand(app) == before - sold)

    booked_s = answered_s + await until(is_booked, most_s=120)
    lost = before - sold - await _on_hand(app)

    async def is_told() -> bool:
        return all(len(set(of_sku)) == 1 for of_sku in zip(*(await far.shows(BUSY_SKUS)).values(), strict=True))

    told_s = booked_s + await until(is_told, most_s=300)
    rate = sold / rush["came_s"]
    note = (
        f"{rate:.0f} orders a second came, their webhooks were answered within {rush['worst_s']:.2f} s"
        f" ({rush['again']:.0f} sent again); every store shows the same {told_s:.1f} s after the last one came;"
        f" {time.process_time() - cpu:.0f} s of processor here"
    )
    return [
        Figure("orders lost", abs(lost), f"of {sold:,}", 0),
        Figure(f"after {FOR_S} s of them, until the last is booked", booked_s, "s", LAG_MOST_S, note),
        Figure("orders a second short of what was meant", max(0.0, ORDERS_A_SECOND - rate), "", 2.0),
    ]


async def _on_hand(app: App) -> int:
    async with app.desk.work.reading() as rows:
        return sum((await rows.stock.on_hand(TEAM, [Sku(sku_of(one)) for one in range(BUSY_SKUS)])).values())


# ---------------------------------------------------------------- a morning


async def digest() -> list[Figure]:
    """Say the digest of a large shop on two mornings: the first, when everything is news, and the next."""
    with tempfile.TemporaryDirectory() as folder:
        timed = await time_digests(SKUS, Path(folder))
    note = (
        f"{timed.order_lines:,} order lines; the first {timed.first_s:.2f} s ({timed.first_cpu_s:.2f} s of processor),"
        f" the next morning's {timed.next_s:.2f} s ({timed.next_cpu_s:.2f} s)"
    )
    return [Figure(f"digest of {SKUS:,} SKUs", max(timed.first_s, timed.next_s), "s", DIGEST_MOST_S, note)]


PARTS: Final = {"compare": compare_all, "sales": sales, "digest": digest}


async def _main(*, as_json: bool, only: str) -> int:
    figures: list[Figure] = []
    for name, part in PARTS.items():
        if only in {"", name}:
            figures += await part()
    if as_json:
        print(json.dumps([asdict(one) for one in figures], indent=2))
    else:
        for one in figures:
            mark = "" if one.is_met else "  MISSED"
            print(f"{one.what:64} {one.value:9.2f} {one.unit:18} (aim ≤ {one.most:g}){mark}")
            if one.note:
                print(f"{'':6}{one.note}")
    return 0 if all(one.is_met for one in figures) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.add_argument("--only", choices=("", *PARTS), default="", help="one part of it")
    arguments = parser.parse_args()
    raise SystemExit(asyncio.run(_main(as_json=arguments.json, only=arguments.only)))
