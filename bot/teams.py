"""`packshot team add`, `team list`, `team link`: several shops on one deployment, from the machine it runs on."""

from __future__ import annotations

import unicodedata

from bot.app import App, migrate_all, open_app
from bot.clock import utc_now
from bot.settings import Settings
from domain.errors import BadInput, NotPossible
from domain.people import LOCAL_OWNER, Actor, ChatName, Role
from handlers.team import INVITATION_LIFE
from handlers.teams import WORKSPACE_LINK_LIFE
from storage.bootstrap import ensure_member, ensure_team
from storage.teams import SqlTeams
from storage.workspaces import SqlWorkspaces

MAX_NAME_CHARS = 60


async def add_team(settings: Settings, name: str) -> int:
    """Make a shop with its local owner, and print its admin's one-time code. Raises BadInput for a name that is taken."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_CHARS or any(unicodedata.category(char).startswith("C") for char in name):
        raise BadInput("A shop's name has 1 to {most} plain characters.", most=MAX_NAME_CHARS)
    await migrate_all(settings)
    async with open_app(settings, base_url="") as app:
        async with app.database.read() as db_session:
            if any(team.name.casefold() == name.casefold() for team in await SqlTeams(db_session).all()):
                raise BadInput("There is a shop called {name} already: take another name.", name=name)
        team = await ensure_team(app.database, name)
        owner = Actor(ChatName.CONSOLE, LOCAL_OWNER, LOCAL_OWNER)
        await ensure_member(app.database, team.team_id, LOCAL_OWNER, Role.ADMIN, owner)
        async with app.desk.work() as work:
            invitation = await work.people.invite(
                team.team_id, Role.ADMIN, by=LOCAL_OWNER, expires_at=utc_now() + INVITATION_LIFE
            )
    print(
        f"{team.name} is there. One-time code for its admin: join {invitation.code}\n"
        f"On this machine, name it: packshot say status --team {_quoted(team.name)}"
    )
    return 0


async def list_teams(settings: Settings) -> int:
    """Print every shop, how many belong to it, and its Slack workspace."""
    await migrate_all(settings)
    async with open_app(settings, base_url="") as app, app.desk.work.reading() as rows:
        for team in await rows.teams.all():
            members = await rows.people.members(team.team_id)
            tied = await rows.workspaces.find(team.team_id)
            print(f"{team.name} · {len(members)} members" + (f" · Slack: {tied.name}" if tied else ""))
    return 0


async def link_workspace(settings: Settings, team_name: str, *, makes_team: bool) -> int:
    """Print a one-time address that installs us in a Slack workspace. Raises BadInput, NotPossible."""
    await migrate_all(settings)
    async with open_app(settings, base_url="") as app:
        if not app.desk.doors.slack():
            raise NotPossible("Adding workspaces takes SLACK_CLIENT_ID, SLACK_CLIENT_SECRET and PUBLIC_URL: set them.")
        team = None if makes_team else await app.team_named(team_name)
        expires_at = utc_now() + WORKSPACE_LINK_LIFE
        async with app.database.begin() as db_session:
            code = await SqlWorkspaces(db_session).offer(
                team.team_id if team else None, by=LOCAL_OWNER, expires_at=expires_at
            )
        what = f"the workspace becomes {team.name}'s" if team else "the workspace becomes a shop of its own"
        print(
            f"{app.desk.doors.slack()}{code}\nGood once, within a day; {what}, and whoever opens it must be allowed to add apps in Slack."
        )
    return 0


async def invitation_lines(app: App, code: str) -> list[str]:
    """Return where a code is taken, a line each: what an admin passes on."""
    telegram = await app.desk.doors.telegram()
    return [
        f"Telegram: {telegram}{code}" if telegram else f"Telegram: /start {code}",
        f"Slack:    join {code}",
        f"Browser:  {app.desk.doors.console_here()}{code}",
    ]


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
