"""Trouble at every single call of publish and undo: nothing doubled, nothing lost, and it can always be tried again.

After a fault the suite does what the bot does: StoreDown and RateLimited are tried again by the job,
in a process of their own; after Ambiguous a person presses "Look again"; every other refusal ends the job, and
the person presses Retry once the cause is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from domain.catalog import ImageId
from domain.errors import Ambiguous, StoreError, UserError
from tests.fakes.store_server import SECRET_MARK, Fault
from tests.platforms.contract import Open, ids, publish, restore
from tests.platforms.harness import StoreHarness

Doing = Literal["publish", "undo"]
KEY = "e1:1:s"
TRIES = 3


@dataclass(slots=True)
class Tally:
    """What a run of faults came to."""

    runs: int = 0
    doubled: int = 0
    lost: int = 0
    asked: int = 0
    """Unclear outcomes, each put to a person."""
    errors: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take another run's figures in."""
        self.runs += other.runs
        self.doubled += other.doubled
        self.lost += other.lost
        self.asked += other.asked
        self.errors += other.errors


async def calls_needed(open_shop: Open, doing: Doing) -> int:
    """Return how many calls a publish, or an undo, takes when all goes well."""
    async with open_shop() as shop:
        act, _ = await _prepared(shop, doing)
        begin = len(shop.calls)
        await act()
        return len(shop.calls) - begin


async def with_fault(open_shop: Open, doing: Doing, fault: Fault, at: int) -> Tally:
    """Do it with a fault at one call, then as the bot goes on; return what came of it."""
    tally = Tally(runs=1)
    async with open_shop() as shop:
        act, expected = await _prepared(shop, doing)
        shop.fail(fault, at=at)
        try:
            await act()
        except (StoreError, UserError) as error:
            tally.errors.append(f"{type(error).__name__}: {error}")
            shop.forget_faults()
            shop.reopen()
            await _go_on(shop, act, error, tally)
        await _compare(shop, expected, tally, doing)
    return tally


async def with_a_crash(open_shop: Open, doing: Doing, at: int) -> Tally:
    """Let the process die after the store did call number `at` and before it answered; then start over."""
    tally = Tally(runs=1)
    async with open_shop() as shop:
        act, expected = await _prepared(shop, doing)
        begin = len(shop.calls)
        shop.fail(Fault.LOST_HANG, at=at)
        dying = asyncio.ensure_future(act())
        while len(shop.calls) <= begin + at and not dying.done():  # noqa: ASYNC110 - a log rings no bell
            await asyncio.sleep(0.002)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        shop.forget_faults()
        shop.reopen()
        try:
            await act()
        except (StoreError, UserError) as error:
            await _go_on(shop, act, error, tally)
        await _compare(shop, expected, tally, doing)
    return tally


async def _prepared(shop: StoreHarness, doing: Doing) -> tuple[Callable[[], Awaitable[object]], list[bytes]]:
    """Return what is to be done and what buyers must see afterwards."""
    seen, main = await shop.images_at_store(), (await ids(shop))[0]
    if doing == "publish":
        return lambda: publish(shop, KEY, replaces=main), [shop.content(KEY), *seen[1:]]
    ours: ImageId = (await publish(shop, KEY, replaces=main)).image_id
    return lambda: restore(shop, KEY, ours=ours, original=main, content=seen[0]), seen


async def _go_on(
    shop: StoreHarness, act: Callable[[], Awaitable[object]], error: StoreError | UserError, tally: Tally
) -> None:
    for _ in range(TRIES):
        if isinstance(error, Ambiguous):
            tally.asked += 1
            await shop.platform.find_published(KEY, shop.listing_id)
        try:
            await act()
        except (StoreError, UserError) as again:
            error = again
        else:
            return
    tally.errors.append(f"never done: {type(error).__name__}: {error}")
    tally.lost += 1


async def _compare(shop: StoreHarness, expected: list[bytes], tally: Tally, doing: Doing) -> None:
    standing = await shop.images_at_store()
    tally.doubled += max(0, len(standing) - len(expected))
    tally.lost += sum(1 for one in expected if one not in standing)
    if standing != expected and not (tally.doubled or tally.lost):
        tally.errors.append("the order changed")
    assert all(SECRET_MARK not in error for error in tally.errors)
    found = await shop.platform.find_published(KEY, shop.listing_id)
    assert (found is not None) == (doing == "publish")
