"""Locks that die with their process: whose id it is, on both databases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bot.slots import FileLocks, Held, Locks, open_locks
from domain.errors import NotPossible
from tests.jobs.house import ROOT

HOLD = """
import sys
from bot.slots import open_locks
held = open_locks(sys.argv[1]).try_hold(sys.argv[2])
print("held" if held else "refused", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locks(url: str) -> Locks:
    return open_locks(url)


@pytest.fixture
def holder(url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds `outbox`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, url, "outbox"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def take(locks: Locks, name: str) -> Held:
    held = locks.try_hold(name)
    assert held is not None
    return held


def test_a_held_lock_is_refused_to_everybody_until_released(locks: Locks) -> None:
    held = take(locks, "outbox")
    assert held.name == "outbox"
    assert held.is_still_mine()
    assert locks.try_hold("outbox") is None
    held.release()
    held.release()
    assert not held.is_still_mine()
    take(locks, "outbox").release()


def test_names_do_not_stand_in_each_others_way(locks: Locks) -> None:
    both = [take(locks, "outbox"), take(locks, "telegram poller")]
    for held in both:
        held.release()


def test_a_lock_dies_with_its_process(locks: Locks, holder: subprocess.Popen[str]) -> None:
    assert locks.try_hold("outbox") is None
    holder.kill()
    holder.wait()
    held = None
    for _ in range(200):  # the server notices the closed connection a moment later
        held = locks.try_hold("outbox")
        if held is not None:
            break
    assert held is not None
    held.release()


def test_two_databases_share_no_lock(tmp_path: Path) -> None:
    one, two = FileLocks(tmp_path / "one.db"), FileLocks(tmp_path / "two.db")
    both = [take(one, "outbox"), take(two, "outbox")]
    for held in both:
        held.release()


def test_sqlite_refuses_a_second_worker_and_names_postgres(tmp_path: Path) -> None:
    locks = open_locks(f"sqlite+aiosqlite:///{tmp_path}/packshot.db")
    slot = locks.take_slot()
    assert slot.name == "worker-1"
    with pytest.raises(NotPossible, match=r"Another worker is already running.*Postgres database"):
        locks.take_slot()
    slot.release()
    locks.take_slot().release()


def test_a_database_in_memory_has_no_workers() -> None:
    with pytest.raises(NotPossible, match="needs a database file"):
        open_locks("sqlite://")


def test_a_deleted_lock_file_is_a_lost_lock(tmp_path: Path) -> None:
    held = take(FileLocks(tmp_path / "packshot.db"), "worker-1")
    next((tmp_path / "locks").iterdir()).unlink()
    assert not held.is_still_mine()
    held.release()


@pytest.mark.postgres
def test_postgres_gives_every_worker_the_lowest_free_number(server_url: str) -> None:
    locks = open_locks(server_url)
    first, second, third = (locks.take_slot() for _ in range(3))
    assert [first.name, second.name, third.name] == ["worker-1", "worker-2", "worker-3"]
    second.release()
    again = locks.take_slot()
    assert again.name == "worker-2"
    for held in (first, again, third):
        held.release()


@pytest.mark.postgres
def test_a_lost_server_session_is_a_lost_lock(server_url: str) -> None:
    locks = open_locks(server_url.replace("postgresql://", "postgresql+psycopg://"))
    held = take(locks, "worker-1")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'packshot lock worker-1'"
        )
    assert not held.is_still_mine()
    held.release()
