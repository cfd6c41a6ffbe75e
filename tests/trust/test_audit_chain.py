"""The audit is a chain that the database keeps append-only, and that a look finds broken wherever it is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from domain.people import ChatName, Place
from domain.rows import AuditEntry, AuditQuery
from storage.audit import forget_words, verify_audit
from storage.bootstrap import ensure_team
from storage.database import Database, open_database
from storage.migrate import migrate
from storage.work import SqlWork
from tests.fakes import FakeClock
from tests.storage.schema import run_sql, upgrade_to

PLACE = Place(ChatName.TELEGRAM, "774411", "9")
WHO = "Anna Weiß"


def work_on(database: Database) -> SqlWork:
    return SqlWork(database, lambda _connection, _job: None, FakeClock())


async def fill(database: Database, *, lines: int) -> str:
    team = await ensure_team(database, "Chained shop")
    for number in range(1, lines + 1):
        async with work_on(database)() as work:
            entry = AuditEntry(
                team.team_id, datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=number), WHO, "priced", "MUG-01", "x",
                f"line {number} “ü”", about="Bea", place=PLACE, before={"price": 24.5}, after={"price": None, "n": number},
            )  # fmt: skip
            await work.audit(entry)
    return team.team_id


async def unlock(database: Database) -> None:
    """Whoever may change the schema may take the triggers away: the chain is what shows it then."""
    names = [f"{table}_no_{verb}" for table in ("audit", "audit_head", "audit_word") for verb in ("update", "delete")]
    if database.is_sqlite:
        await run_sql(database, *(f"DROP TRIGGER {name}" for name in names))
    else:
        await run_sql(database, *(f"DROP TRIGGER {name} ON {name.rpartition('_no_')[0]}" for name in names))


async def test_a_line_says_who_where_before_and_after(database: Database) -> None:
    team_id = await fill(database, lines=2)
    async with work_on(database).reading() as rows:
        newest = (await rows.audit_lines(AuditQuery(team_id)))[0]
    assert (newest.who, newest.about, newest.place, newest.number) == (WHO, "Bea", PLACE, 2)
    assert (newest.before, newest.after) == ({"price": 24.5}, {"price": None, "n": 2})


async def test_an_untouched_chain_is_intact(database: Database) -> None:
    await fill(database, lines=5)
    verdicts = await verify_audit(database)
    assert [(one.lines, one.broken_at) for one in verdicts if one.team == "Chained shop"] == [(5, None)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET what = 'nothing'",
        "DELETE FROM audit",
        "UPDATE audit_head SET number = 0",
        "DELETE FROM audit_head",
        "UPDATE audit_word SET word = 'Bob'",
        "DELETE FROM audit_word",
    ],
)
async def test_the_database_refuses_to_change_or_delete(database: Database, statement: str) -> None:
    await fill(database, lines=1)
    with pytest.raises(DBAPIError, match="append-only"):
        await run_sql(database, statement)
    assert all(one.broken_at is None for one in await verify_audit(database))


@pytest.mark.parametrize(
    ("statement", "broken_at", "why"),
    [
        ("UPDATE audit SET what = 'forged' WHERE number = 3", 3, "not those that were written"),
        ("UPDATE audit SET \"after\" = '{}' WHERE number = 2", 2, "not those that were written"),
        ("DELETE FROM audit WHERE number = 4", 4, "is missing"),
        ("DELETE FROM audit WHERE number = 5", 5, "missing at the end"),
        ("UPDATE audit_word SET word = 'Bob' WHERE word = 'Bea'", 1, "not the one that was written"),
        ("DELETE FROM audit_word WHERE kind = 'place'", 1, "was deleted"),
        ("UPDATE audit SET previous_hash = hash WHERE number = 2", 2, "does not follow"),
    ],
)
async def test_a_broken_chain_names_its_first_wrong_line(
    database: Database, statement: str, broken_at: int, why: str
) -> None:
    await fill(database, lines=5)
    await unlock(database)
    await run_sql(database, statement)
    broken = [one for one in await verify_audit(database) if one.broken_at is not None]
    assert [one.broken_at for one in broken] == [broken_at]
    assert why in broken[0].why


async def test_writers_at_once_make_one_chain(database: Database) -> None:
    team = await ensure_team(database, "Busy shop")

    async def write(name: str) -> None:
        for number in range(10):
            async with work_on(database)() as work:
                await work.audit(AuditEntry(team.team_id, datetime.now(UTC), name, "said", "", "", str(number)))

    await asyncio.gather(*(write(f"person {index}") for index in range(4)))
    assert [(one.lines, one.broken_at) for one in await verify_audit(database, team.team_id)] == [(40, None)]


async def test_forgetting_a_name_leaves_the_chain_intact(database: Database) -> None:
    team_id = await fill(database, lines=3)
    async with database.begin() as db_session:
        assert await forget_words(db_session, team_id, "person", [WHO], now=datetime.now(UTC)) == 1
    verdict = (await verify_audit(database, team_id))[0]
    assert (verdict.broken_at, verdict.lines, verdict.forgotten) == (None, 3, 1)
    async with work_on(database).reading() as rows:
        lines = await rows.audit_lines(AuditQuery(team_id))
    assert {(line.who, line.about) for line in lines} == {("(forgotten)", "Bea")}


async def test_a_line_that_was_rolled_back_leaves_no_gap(database: Database) -> None:
    team_id = await fill(database, lines=1)

    async def lose() -> None:
        async with work_on(database)() as work:
            await work.audit(AuditEntry(team_id, datetime.now(UTC), WHO, "said", "", "", "lost"))
            raise KeyError

    with pytest.raises(KeyError):
        await lose()
    async with work_on(database)() as work:
        await work.audit(AuditEntry(team_id, datetime.now(UTC), WHO, "said", "", "", "kept"))
    assert [(one.lines, one.broken_at) for one in await verify_audit(database, team_id)] == [(2, None)]


async def test_the_migration_chains_the_lines_that_were_there(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/old.db")
    await upgrade_to(database, "0012")
    await run_sql(database, "INSERT INTO team (team_id, name, created_at) VALUES ('t', 'Old shop', '2026-01-01')")
    line = "INSERT INTO audit (team_id, at, who, action, sku, sku_key, subject_id, what) VALUES ('t', '{}', '{}', 'approved', 'Ä-1', 'ä-1', '', 'revision 1')"
    await run_sql(
        database, line.format("2026-02-01 10:00:00", "Anna"), line.format("2026-02-01 10:00:00.123456", "Bob")
    )
    await migrate(database)
    assert [(one.lines, one.broken_at) for one in await verify_audit(database)] == [(2, None)]
    async with work_on(database)() as work:
        await work.audit(AuditEntry("t", datetime.now(UTC), "Anna", "undid", "Ä-1", "", "revision 1"))
    async with work_on(database).reading() as rows:
        assert [item.who for item in await rows.audit_lines(AuditQuery("t"))] == ["Anna", "Bob", "Anna"]
    assert [(one.lines, one.broken_at) for one in await verify_audit(database)] == [(3, None)]
    await database.close()
