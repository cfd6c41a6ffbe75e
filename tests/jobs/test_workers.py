"""Real worker processes, killed for real: nothing is lost, nothing runs under two hands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.jobs.house import DEADLINE_S, ROOT, House, enhance, intake, look, publish
from tests.jobs.server import PostgresServer

ENHANCE_STEPS = ["fetch", "improve", "offer"]
NEVER_S = 1000.0


def ends(house: House, subject: str) -> list[str]:
    """Return the names of the finished steps of a subject, in order."""
    return [effect.what.removesuffix(" end") for effect in house.effects(subject) if effect.what.endswith(" end")]


def test_a_killed_worker_goes_on_at_the_step_it_was_in(house: House) -> None:
    job = enhance("hold-1")
    house.enqueue(job)
    first = house.spawn()
    house.wait(lambda: house.count("fetch begin")["hold-1"] == 1, "the first step begins")
    first.kill()
    house.open_gate()
    house.spawn()
    house.wait_done(job)
    assert ends(house, "hold-1") == ENHANCE_STEPS
    assert house.count("fetch begin")["hold-1"] == 2


def test_a_stopped_worker_leaves_its_jobs_to_the_next_launch(house: House) -> None:
    job = enhance("hold-1")
    house.enqueue(job)
    first = house.spawn()
    house.wait(lambda: house.count("fetch begin")["hold-1"] == 1, "the first step begins")
    assert first.stop() == 0
    assert house.status(job) == "PENDING"
    house.open_gate()
    house.spawn()
    house.wait_done(job)
    assert ends(house, "hold-1") == ENHANCE_STEPS


def test_an_upgrade_finishes_the_jobs_in_flight(house: House, tmp_path: Path) -> None:
    running, waiting = enhance("hold-1"), enhance("hold-2", attempt=7)
    house.enqueue(running, waiting)
    old = house.spawn()
    house.wait(lambda: house.count("fetch begin").total() == 2, "both are in flight")
    old.kill()
    new_code = tmp_path / "new"
    for package in ("bot", "domain", "tests/jobs"):
        shutil.copytree(ROOT / package, new_code / package, ignore=shutil.ignore_patterns("__pycache__"))
    (new_code / "tests/__init__.py").touch()
    jobs = new_code / "bot/jobs.py"
    before = "            for name, step in chain.steps:\n"
    assert before in jobs.read_text(), "the workflow's source, which the engine would hash into its version"
    jobs.write_text(jobs.read_text().replace(before, f"            log.info('the new code')\n{before}"))
    house.open_gate()
    house.spawn(code=new_code)
    house.wait_done(running, waiting)


def test_a_failed_job_is_told_once_and_ends(house: House) -> None:
    job = enhance("bad-1")
    house.enqueue(job)
    house.spawn()
    house.wait_done(job)
    assert [effect.what for effect in house.effects("bad-1")] == ["fetch begin", "enhance_failed: bad_photo"]


def test_a_poison_photo_ends_in_the_dead_letters_and_the_person_hears_of_it(house: House) -> None:
    job = enhance("poison-1")
    house.enqueue(job)
    for _ in range(3):
        worker = house.spawn(max_recovery_attempts=2)
        worker.process.wait(DEADLINE_S)
    house.spawn(max_recovery_attempts=2)
    house.wait(lambda: house.count("enhance_failed: dead_letter")["poison-1"] == 1, "the person is told")
    assert house.status(job) == "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
    assert house.count("fetch begin")["poison-1"] == 3
    after = enhance("quick-1")
    house.enqueue(after)
    house.wait_done(after)
    assert house.count("enhance_failed: dead_letter")["poison-1"] == 1


def test_a_photo_beside_the_poison_gets_through(sqlite_house: House) -> None:
    """At the fourth start the draw of these two keys is 4.0 s for the poison and 0.1 s for its neighbour."""
    house = sqlite_house
    house.enqueue(enhance("poison-14"), enhance("quick-0"))
    for _ in range(3):
        worker = house.spawn(stand_back_s=4.0)
        worker.process.wait(DEADLINE_S)
        assert house.status(enhance("quick-0")) == "PENDING"
    house.spawn(stand_back_s=4.0)
    house.wait_done(enhance("quick-0"))


def test_a_row_without_a_living_job_is_failed_once(house: House) -> None:
    lost, alive, finished = publish("quick-lost"), publish("hold-alive"), publish("quick-done")
    house.enqueue(alive, finished)
    house.spawn(sweep_every_s=NEVER_S)
    house.wait(lambda: house.count("keep begin")["hold-alive"] == 1, "it works")
    house.workers[0].kill()
    for job in (lost, alive, finished):
        house.book.add_moving(job.key, job.subject_id)
    house.spawn()
    house.wait(lambda: house.count("publish_failed: job_lost")["quick-lost"] == 1, "the lost row is failed")
    house.open_gate()
    house.wait_done(alive, finished)
    assert house.count("publish_failed: job_lost") == {"quick-lost": 1}


def test_finished_jobs_are_forgotten_after_their_time(house: House) -> None:
    job, running = intake("quick-1"), enhance("hold-1")
    house.enqueue(job, running)
    house.spawn(forget_every_s=0.2, keep_finished_s=0)
    house.wait(lambda: house.count("intake end")["quick-1"] == 1, "it ran")
    house.wait(lambda: house.status(job) == "none", "it is forgotten")
    house.wait(lambda: house.status(running) == "PENDING", "the running one is not")


def test_sqlite_refuses_a_second_worker_process(sqlite_house: House) -> None:
    house = sqlite_house
    assert house.spawn().slot() == "worker-1"
    second = house.spawn()
    assert second.process.wait(DEADLINE_S) == 1
    refusal = second.log.read_text()
    assert refusal.startswith("Another worker is already running on")
    assert "set DATABASE_URL to a Postgres database" in refusal
    assert len(refusal.splitlines()) == 1


@pytest.mark.postgres
def test_a_dead_workers_jobs_are_taken_over(postgres_house: House) -> None:
    house = postgres_house
    job = enhance("hold-1")
    house.enqueue(job)
    dying = house.spawn()
    dying.slot()
    house.wait(lambda: house.count("fetch begin")["hold-1"] == 1, "the first step begins")
    assert house.spawn().slot() == "worker-2"
    dying.kill()
    house.open_gate()
    house.wait_done(job)
    assert [(effect.what, effect.who) for effect in house.effects("hold-1")[:2]] == [
        ("fetch begin", "worker-1"),
        ("fetch begin", "worker-2"),
    ]
    assert ends(house, "hold-1") == ENHANCE_STEPS


@pytest.mark.postgres
def test_without_a_look_at_the_others_a_dead_workers_job_stays_pending(postgres_house: House) -> None:
    """Should upstream ever take over by itself, this says so and `take_over` may go."""
    house = postgres_house
    job = enhance("hold-1")
    house.enqueue(job)
    dying = house.spawn()
    house.wait(lambda: house.count("fetch begin")["hold-1"] == 1, "the first step begins")
    assert house.spawn(is_blind=True).slot() == "worker-2"
    dying.kill()
    house.open_gate()
    others = [enhance(f"quick-{n}") for n in range(6)]
    house.enqueue(*others)
    house.wait_done(*others)
    assert house.status(job) == "PENDING"


@pytest.mark.postgres
def test_no_two_living_processes_share_an_id_in_a_rolling_restart(postgres_house: House) -> None:
    house = postgres_house
    jobs = [enhance(f"quick-{n}") for n in range(24)]
    house.enqueue(*jobs[:8])
    old = [house.spawn(), house.spawn()]
    assert sorted(worker.slot() for worker in old) == ["worker-1", "worker-2"]
    house.enqueue(*jobs[8:16])
    newcomers = [house.spawn()]
    assert newcomers[0].slot() == "worker-3"
    assert old[0].stop() == 0
    newcomers.append(house.spawn())
    freed = newcomers[1].slot()
    assert freed in {"worker-1", "worker-2"}
    assert old[1].stop() == 0
    house.enqueue(*jobs[16:])
    house.wait_done(*jobs)
    assert house.count("offer end") == {job.subject_id: 1 for job in jobs}


@pytest.mark.postgres
def test_a_worker_that_lost_its_lock_leaves_at_once_with_75(postgres_house: House) -> None:
    house = postgres_house
    worker = house.spawn()
    worker.slot()
    with house.book.engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'packshot lock worker-1'"
            " AND datname = current_database()"
        )
    assert worker.process.wait(DEADLINE_S) == 75
    assert "lost the lock of worker-1" in worker.log.read_text()


@pytest.mark.postgres
def test_limits_hold_with_two_workers(postgres_house: House) -> None:
    house = postgres_house
    pixels = [enhance(f"hold-p{n}") for n in range(6)]
    one_store = [publish(f"hold-s1-{n}", store="s1") for n in range(3)]
    other_store = [publish(f"hold-s2-{n}", store="s2") for n in range(3)]
    house.enqueue(*pixels, *one_store, *other_store)
    for worker in (house.spawn(), house.spawn()):
        worker.slot()
    house.wait(lambda: house.count("fetch begin").total() == 4, "two photos a worker")
    house.wait(lambda: house.count("keep begin").total() == 2, "one placement a store")
    other = [intake(f"quick-{n}") for n in range(20)]
    house.enqueue(*other)
    house.wait_done(*other)
    assert house.count("fetch begin").total() == 4
    assert sorted(subject[:7] for subject in house.count("keep begin")) == ["hold-s1", "hold-s2"]
    house.open_gate()
    house.wait_done(*pixels, *one_store, *other_store)
    for store in ("hold-s1", "hold-s2"):
        lines = [effect for effect in house.book.effects() if effect.subject.startswith(store)]
        order = list(dict.fromkeys(effect.subject for effect in lines))
        assert [effect.subject for effect in lines] == [subject for subject in order for _ in range(6)]


@pytest.mark.postgres
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_postgres_restart_loses_no_job(server: PostgresServer, postgres_house: House, mode: str) -> None:
    house = postgres_house
    jobs = [enhance(f"quick-{n}") for n in range(12)] + [publish(f"quick-p{n}", store=f"s{n}") for n in range(8)]
    house.enqueue(*jobs)
    for worker in (house.spawn(), house.spawn()):
        worker.slot()
    house.wait(lambda: house.count("fetch end").total() >= 3, "some are on their way")
    server.stop(mode)
    server.start()

    def all_done() -> bool:
        house.keep_alive()
        return all(house.status(job) == "SUCCESS" for job in jobs)

    house.wait(all_done, "every job ends well after the restart")
    assert set(house.count("offer end")) == {f"quick-{n}" for n in range(12)}
    assert set(house.count("confirm end")) == {f"quick-p{n}" for n in range(8)}
    assert house.count("enhance_failed: job_lost").total() == 0


def test_a_job_that_waits_for_its_time_is_alive_and_runs_then(house: House) -> None:
    job = look("quick-later", delay_s=2.0)
    house.enqueue(job)
    assert house.status(job) == "DELAYED"
    house.book.add_moving(job.key, job.subject_id)
    house.spawn(sweep_every_s=0.1)
    house.wait_done(job)
    assert ends(house, "quick-later") == ["look"]
    assert not house.count("publish_failed: job_lost")
