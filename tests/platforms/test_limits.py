"""The simulated limits and time of benchmarks/calls.py: they refuse, and they move only when all wait."""

from __future__ import annotations

import asyncio

from platforms.buckets import WHOLE_ACCOUNT, Buckets, Rate
from tests.fakes.limits import CrowdTime, Limits

RATE = Rate(per_s=5.0, burst=10.0)


def test_what_comes_faster_than_the_limit_is_refused_and_counted() -> None:
    time = CrowdTime()
    limits = Limits({WHOLE_ACCOUNT: RATE, "slow": Rate(1.0, 1.0)}, time.monotonic)
    assert [limits.admits("any") for _ in range(11)] == [True] * 10 + [False]
    assert [limits.admits("slow") for _ in range(2)] == [True, False]
    assert limits.refused == 2
    time.seconds += 1.0
    assert [limits.admits("any") for _ in range(6)] == [True] * 5 + [False]
    assert limits.shortest_s == 1.0, "fifteen calls, ten at once and five a second"


async def test_a_hundred_who_keep_the_limit_are_never_refused_and_lose_no_time() -> None:
    done = 0
    time = CrowdTime(progress=lambda: done)
    buckets = Buckets({WHOLE_ACCOUNT: RATE}, time.monotonic, time.sleep)
    limits = Limits({WHOLE_ACCOUNT: RATE}, time.monotonic)
    began = time.monotonic()

    async def call() -> None:
        nonlocal done
        await buckets.take("any")
        assert limits.admits("any")
        buckets.settle("any")
        done += 1

    await asyncio.gather(*(call() for _ in range(100)))
    assert limits.refused == 0
    assert time.monotonic() - began == limits.shortest_s == 18.0


async def test_time_stands_still_while_somebody_works() -> None:
    steps = 0
    time = CrowdTime(progress=lambda: steps)
    began = time.monotonic()
    sleeper = asyncio.ensure_future(time.sleep(60.0))
    for _ in range(50):
        steps += 1
        await asyncio.sleep(0)
        assert time.monotonic() == began
    await sleeper
    assert time.monotonic() == began + 60.0
