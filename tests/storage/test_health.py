"""`status` takes as long with a year behind it as on the first day: what it asks is found, never searched for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, text

from domain.health import QueueCounts
from storage.database import Database, open_database
from storage.health import SqlHealth
from storage.migrate import migrate
from storage.statements import insert, insert_all
from storage.tables import OutboxRow, PostedMessageRow, SeenEventRow
from tests.storage.schema import run_sql, upgrade_to

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TEAM = "t"


async def add_team(database: Database, team_id: str = TEAM) -> None:
    await run_sql(database, f"INSERT INTO team (team_id, name, created_at) VALUES ('{team_id}', 'Shop', '2026-01-01')")


def event_row(number: int, chat: str, *, team_id: str = TEAM, is_open: bool = False) -> SeenEventRow:
    at = NOW + timedelta(minutes=number)
    return SeenEventRow(
        event_key=f"{chat}:{team_id}:{number}", team_id=team_id, chat=chat, payload={}, taken_at=at,
        concluded_at=None if is_open else at,
    )  # fmt: skip


def message_row(chat: str, state: str, at: datetime, *, team_id: str = TEAM) -> OutboxRow:
    return OutboxRow(
        team_id=team_id, message_key="m", chat=chat, place_id="p", thread_id="", reply={}, cause="", is_post=True,
        state=state, due_at=at, attempts=1, error="", queued_at=at,
    )  # fmt: skip


async def fill(database: Database) -> None:
    await add_team(database)
    await add_team(database, "other")
    posted = PostedMessageRow(
        message_key="m", team_id=TEAM, event_key=None, enhancement_id=None, is_provisional=False, chat="slack",
        place_id="p", thread_id="", native_id="", posted_at=NOW,
    )  # fmt: skip
    async with database.begin() as db_session:
        await insert(db_session, posted)
        await insert_all(db_session, [event_row(number, "telegram") for number in range(20)])
        await insert_all(db_session, [event_row(30, "slack", is_open=True), event_row(90, "slack", team_id="other")])
        sent = [message_row("slack", "sent", NOW + timedelta(minutes=number)) for number in (1, 45, 40)]
        later = [
            message_row("slack", "queued", NOW + timedelta(hours=5)),
            message_row("slack", "failed", NOW - timedelta(hours=1)),
            message_row("slack", "failed", NOW - timedelta(days=2)),
            message_row("telegram", "sent", NOW + timedelta(hours=9), team_id="other"),
        ]
        await insert_all(db_session, sent + later)


async def test_a_chat_was_last_heard_of_by_what_it_brought_or_took(database: Database) -> None:
    await fill(database)
    async with database.read() as db_session:
        health = SqlHealth(db_session)
        # The message that was queued last and has arrived counts, and none of another team.
        assert await health.chats(TEAM) == {
            "slack": NOW + timedelta(minutes=40),
            "telegram": NOW + timedelta(minutes=19),
        }
        counts = await health.queue(TEAM, now=NOW)
    assert counts == QueueCounts(events=1, messages_waiting=1, messages_lost=1)


async def test_no_statement_reads_through_what_lies_behind(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/shop.db")
    await migrate(database)
    await fill(database)
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    async with database.read() as db_session:
        connection = (await db_session.connection()).sync_connection
        assert connection is not None
        event.listen(connection, "before_cursor_execute", note)
        health = SqlHealth(db_session)
        await health.chats(TEAM)
        await health.queue(TEAM, now=NOW)
        event.remove(connection, "before_cursor_execute", note)
        steps = [
            row[3]
            for statement in said
            for row in await db_session.execute(text("EXPLAIN QUERY PLAN " + re.sub(r"\?", "'x'", statement)))
        ]
    await database.close()
    assert len(said) == 2
    assert [step for step in steps if re.match(r"SCAN (outbox|seen_event)", step)] == []
    # A team alone would be all it ever sent: what waits is found by its state.
    assert [step for step in steps if step.startswith("SEARCH outbox") and step.endswith("(team_id=?)")] == []


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_the_migration_tells_old_events_their_chat(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    if kind == "postgres":
        server: str = request.getfixturevalue("postgres_server")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE events_of_old")
        url = f"{server.rsplit('/', 1)[0]}/events_of_old"
    database = open_database(url)
    await upgrade_to(database, "0015")
    await add_team(database)
    payload = '{"place": {"chat": "telegram", "place_id": "7"}}'
    columns = "event_key, team_id, payload, taken_at, message_id, is_spare"
    await run_sql(
        database,
        f"INSERT INTO seen_event ({columns}) VALUES ('telegram:1', 't', '{payload}', '2026-01-01 00:00:00+00', '', false)",
    )
    await migrate(database)
    async with database.read() as db_session:
        assert (await db_session.execute(text("SELECT chat FROM seen_event"))).scalars().all() == ["telegram"]
    await database.close()
