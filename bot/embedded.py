"""The command line without a running `run`: open the app, take the worker's place, settle one request."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from bot.app import App, migrate_all, open_app, place_defaults, working
from bot.clock import utc_now
from bot.local import State, until_settled
from bot.run_file import living_run
from bot.settings import Settings
from bot.teams import invitation_lines
from domain.errors import NotPossible
from domain.intents import Incoming
from domain.people import Actor, ChatName, Member, Role
from domain.stripped import without_metadata
from handlers import dispatch
from handlers.console.chat import ROOM, actor_of, event_key
from handlers.console.lines import Reader
from handlers.team import INVITATION_LIFE
from handlers.words import Words
from storage.bootstrap import ensure_member
from storage.codec import dump_reply


async def take_embedded(
    settings: Settings,
    name: str,
    *,
    text: str = "",
    contents: Sequence[bytes] = (),
    token: str = "",
    options: Mapping[str, str] | None = None,
    timeout_s: float,
    team: str = "",
) -> list[State]:
    """Take one event and work until it has settled. Raises NotPossible for an unknown name or after the timeout."""
    await migrate_all(settings)
    async with open_app(settings, base_url=f"http://127.0.0.1:{settings.port}") as app, working(app):
        member = await _member(app, name, team)
        photos = tuple([await app.media.put(without_metadata(content)) for content in contents])
        key = event_key(member, uuid.uuid4().hex)
        incoming = Incoming(key, member.team_id, actor_of(member), ROOM, text, photos, token, dict(options or {}))
        await app.events.take(incoming, working=dispatch.provisional(incoming, member))
        reader = Reader(app.lines, member, frozenset())

        async def look() -> State:
            handled = await app.events.is_handled(key)
            return {"handled": handled, "lines": await reader.of_event(key, dump_reply)}

        return await until_settled(look, timeout_s)


async def _member(app: App, name: str, team: str) -> Member:
    member = await app.member_named(name, team)
    if member is None:
        raise NotPossible(f"Nobody is called {name} here: make them with `packshot invite ROLE --as {name}`.")
    return member


async def invite(settings: Settings, role_word: str, name: str, team_name: str = "") -> int:
    """Print a one-time code; with a name also make that console member. Returns the exit status."""
    role = Role.parse(role_word)
    await migrate_all(settings)
    async with open_app(settings, base_url=_address(settings)) as app:
        now = utc_now()
        team = await app.team_named(team_name)
        if name:
            member = await ensure_member(app.database, team.team_id, name, role, Actor(ChatName.CONSOLE, name, name))
            code = await app.logins.offer(member.member_id, now=now)
            print(f"{name} is {member.role.value} now. One-time console link: {_address(settings)}/console?code={code}")
            return 0
        async with app.desk.work() as work:
            invitation = await work.people.invite(
                team.team_id, role, by=app.owner.name, expires_at=now + INVITATION_LIFE
            )
        words = Words("en", place_defaults(settings).timezone)
        print(
            f"One-time code for a new {role.value} of {team.name}: {invitation.code}",
            *await invitation_lines(app, invitation.code),
            f"Good once, until {words.time(invitation.expires_at)} ({words.timezone}).",
            sep="\n",
        )
    return 0


def _address(settings: Settings) -> str:
    run = living_run(settings)
    return settings.public_url or (run.base_url if run else f"http://127.0.0.1:{settings.port}")
