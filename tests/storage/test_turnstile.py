"""One at a time, people first, and nobody waits for somebody who left."""

from __future__ import annotations

import asyncio

from storage.turnstile import URGENT_IN_A_ROW, Turnstile


async def queue_up(turnstile: Turnstile, names: list[str], passed: list[str]) -> list[asyncio.Task[None]]:
    """Start one task a name, in that order; those in capitals are urgent."""

    async def pass_through(name: str) -> None:
        async with turnstile.turn(urgent=name.isupper()):
            passed.append(name)
            await asyncio.sleep(0)

    tasks = []
    for name in names:
        tasks.append(asyncio.create_task(pass_through(name)))
        await asyncio.sleep(0)
    return tasks


async def test_the_urgent_go_first_and_each_kind_keeps_its_order() -> None:
    turnstile, passed = Turnstile(), list[str]()
    async with turnstile.turn(urgent=False):
        tasks = await queue_up(turnstile, ["a", "b", "A", "c", "B"], passed)
    await asyncio.gather(*tasks)
    assert passed == ["A", "B", "a", "b", "c"]


async def test_a_flood_of_urgent_ones_lets_the_patient_have_turns() -> None:
    turnstile, passed = Turnstile(), list[str]()
    async with turnstile.turn(urgent=False):
        tasks = await queue_up(turnstile, ["a", "b", *"ABCDEFGHIJ"], passed)
    await asyncio.gather(*tasks)
    assert passed[: URGENT_IN_A_ROW + 1] == [*"ABCD", "a"]
    assert passed.index("b") == 2 * URGENT_IN_A_ROW + 1
    assert sorted(passed) == sorted([*"ABCDEFGHIJ", "a", "b"])


async def test_only_one_is_inside() -> None:
    turnstile, inside, most = Turnstile(), 0, 0

    async def pass_through(number: int) -> None:
        nonlocal inside, most
        async with turnstile.turn(urgent=number % 3 == 0):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(pass_through(number) for number in range(50)))
    assert (inside, most) == (0, 1)


async def test_who_is_cancelled_while_waiting_holds_nobody_up() -> None:
    turnstile, passed = Turnstile(), list[str]()
    async with turnstile.turn(urgent=False):
        tasks = await queue_up(turnstile, ["a", "b", "c"], passed)
        tasks[0].cancel()
        await asyncio.sleep(0)
    tasks[1].cancel()  # its turn has come, but it has not run yet
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(5), turnstile.turn(urgent=False):
        passed.append("d")
    assert passed == ["c", "d"]
