"""How one step runs: what is repeated, what fails the row, what ends quietly."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from bot.steps import Patience, run_step
from domain.enhancement import EnhancementEvent, EnhancementState, IllegalMove
from domain.errors import Fault, NeedsReconnect, RateLimited, RowChanged, StoreDown

QUICK = Patience(first_pause_s=0.001, longest_pause_s=0.002, step_limit_s=5.0)


class Script:
    """A step that raises what it is told, in order, and then works; remembers whom it failed, and why."""

    def __init__(self, *errors: Exception, failing: Exception | None = None) -> None:
        self._errors = list(errors)
        self._failing = failing
        self.calls = 0
        self.failures: list[BaseException] = []

    async def step(self, subject_id: str) -> None:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)

    async def failed(self, subject_id: str, error: BaseException) -> None:
        self.failures.append(error)
        if self._failing is not None:
            raise self._failing

    async def run(self, patience: Patience = QUICK) -> bool:
        return await run_step(self.step, self.failed, "e1", patience=patience)


def locked(code: int) -> OperationalError:
    reason = sqlite3.OperationalError("database is locked")
    reason.sqlite_errorcode = code
    return OperationalError("UPDATE …", {}, reason)


async def test_a_step_that_works_lets_the_job_go_on() -> None:
    script = Script()
    assert await script.run()
    assert (script.calls, script.failures) == (1, [])


async def test_a_store_that_is_down_for_a_moment_is_asked_again() -> None:
    script = Script(StoreDown("no answer", store="Shelf"), RateLimited(store="Shelf", retry_after_s=0.001))
    assert await script.run()
    assert (script.calls, script.failures) == (3, [])


async def test_a_store_that_stays_down_fails_the_row_after_four_tries() -> None:
    down = [StoreDown(f"no answer {n}", store="Shelf") for n in range(9)]
    script = Script(*down)
    assert not await script.run()
    assert (script.calls, script.failures) == (4, [down[3]])


async def test_a_long_retry_after_is_told_at_once_instead_of_holding_the_store() -> None:
    busy = RateLimited(store="Shelf", retry_after_s=600)
    script = Script(busy)
    assert not await script.run()
    assert (script.calls, script.failures) == (1, [busy])


@pytest.mark.parametrize("error", [NeedsReconnect("gone", store="Shelf"), ValueError("a bug"), Fault("x", "y")])
async def test_what_repeating_cannot_mend_fails_the_row_at_once(error: Exception) -> None:
    script = Script(error)
    assert not await script.run()
    assert (script.calls, script.failures) == (1, [error])


@pytest.mark.parametrize(
    "error",
    [RowChanged("placement p1", was="approved"), IllegalMove(EnhancementState.APPROVED, EnhancementEvent.OFFER)],
)
async def test_a_row_that_moved_on_ends_the_job_quietly(error: Exception) -> None:
    script = Script(error)
    assert not await script.run()
    assert (script.calls, script.failures) == (1, [])


async def test_a_row_that_moved_on_before_it_could_fail_is_no_error() -> None:
    script = Script(ValueError("a bug"), failing=RowChanged("placement p1", was="publishing"))
    assert not await script.run()
    assert len(script.failures) == 1


async def test_a_failed_step_that_fails_leaves_the_job_to_the_sweep() -> None:
    script = Script(ValueError("a bug"), failing=KeyError("another"))
    with pytest.raises(KeyError, match="another"):
        await script.run()


@pytest.mark.parametrize(
    "error", [locked(sqlite3.SQLITE_BUSY), Fault("database_down", "x"), Fault("database_busy", "x")]
)
async def test_a_database_that_is_away_is_waited_for(error: Exception) -> None:
    script = Script(*[error] * 11)
    assert await script.run()
    assert (script.calls, script.failures) == (12, [])


@pytest.mark.parametrize("error", [locked(sqlite3.SQLITE_ERROR), Fault("database_full", "x")])
async def test_what_waiting_does_not_mend_in_the_database_is_not_waited_for(error: Exception) -> None:
    script = Script(error)
    assert not await script.run()
    assert script.calls == 1


async def test_a_step_that_hangs_fails_the_row() -> None:
    failures: list[BaseException] = []

    async def hang(subject_id: str) -> None:
        await asyncio.Event().wait()

    async def failed(subject_id: str, error: BaseException) -> None:
        failures.append(error)

    assert not await run_step(hang, failed, "e1", patience=Patience(step_limit_s=0.01))
    assert [getattr(error, "code", "") for error in failures] == ["step_hung"]


async def test_a_step_that_raises_its_own_timeout_is_not_called_hung() -> None:
    own = TimeoutError("the socket")
    script = Script(own)
    assert not await script.run()
    assert script.failures == [own]
