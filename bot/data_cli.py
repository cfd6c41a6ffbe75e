"""`packshot export` and `packshot forget`: a team's data, by command; what they print is their purpose."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.app import open_media
from bot.clock import utc_now
from bot.export import write_export
from bot.forgetting import forget_team
from bot.run_file import living_run
from bot.settings import Settings
from domain.errors import BadInput, NotPossible
from domain.rows import AuditEntry
from handlers.own_data import fact_lines
from storage.audit import AuditTrail
from storage.database import Database, open_database
from storage.own_data import SqlData, team_named
from storage.tables import TeamRow


async def forget_by_command(settings: Settings, team: str, confirmed: str) -> None:
    """Delete a team after its name was typed once more. Raises BadInput, NotPossible."""
    if living_run(settings):
        raise NotPossible("The bot is running: stop it first, or send `forget team NAME` in a chat.")
    database = open_database(settings.database_url)
    try:
        row = await _team(database, team)
        now = utc_now()
        async with database.read() as db_session:
            facts = await SqlData(db_session, now).team_facts(row.team_id)
        print(f"Of {row.name} this deletes:")
        for line in fact_lines(facts):
            print(f"  {line}")
        typed = confirmed or await _typed(row.name)
        if typed.strip() != row.name:
            raise BadInput("That is not the name {name}, so nothing was deleted.", name=row.name)
        photos = await forget_team(database, open_media(settings, database), row.team_id, now=now)
        print(f"{row.name} is forgotten, and {photos} photos that nobody else used. At the stores nothing was changed.")
    finally:
        await database.close()


async def forget_person_by_command(settings: Settings, team: str, name: str, *, is_sure: bool) -> None:
    """Forget a person of a team. Raises BadInput for a name nobody has, NotPossible where it was not made sure of."""
    database = open_database(settings.database_url)
    try:
        row, now = await _team(database, team), utc_now()
        async with database.begin() as db_session:
            data, trail = SqlData(db_session, now), AuditTrail(db_session)
            traces = await data.traces_of(row.team_id, name)
            if traces is None:
                raise BadInput("I know nobody called {name} in {team}.", name=name, team=row.name)
            if not is_sure:
                raise NotPossible(
                    "{name} has {ids} ids in chats and stands in {lines} lines of the history: --sure deletes that for ever.",
                    name=traces.name,
                    ids=traces.identities,
                    lines=traces.lines,
                )
            trail.add(AuditEntry(row.team_id, now, "Packshot", "forgot_person", "", traces.member_id, ""))
            await trail.flush()
            changed = await data.forget_person(row.team_id, traces, now=now)
        print(
            f"That person is forgotten: {changed} rows were changed, and the history holds together without the name."
        )
    finally:
        await database.close()


async def export_by_command(settings: Settings, team: str, out: Path) -> None:
    """Write a team's zip. Raises BadInput for no such team."""
    database = open_database(settings.database_url)
    try:
        row = await _team(database, team)
        await write_export(out, database, open_media(settings, database), row.team_id, now=utc_now())
    finally:
        await database.close()
    print(f"Everything of {row.name} is in {out}. There is no key in it; keep it where nobody else looks.")


async def _team(database: Database, name: str) -> TeamRow:
    row = await team_named(database, name)
    if row is None:
        raise BadInput("There is no single team called so: say which with --team NAME.")
    return row


async def _typed(name: str) -> str:
    if not sys.stdin.isatty():
        raise NotPossible("Type its name to make sure: add --yes “{name}”.", name=name)
    print(f"Type {name} to go on: ", end="", flush=True)
    return await asyncio.to_thread(sys.stdin.readline)
