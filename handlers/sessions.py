"""The browsers a member is signed in with: shown to nobody else, ended from any chat."""

from __future__ import annotations

from typing import assert_never

from domain.errors import BadInput
from domain.people import Role
from domain.sessions import EndSessions, ListSessions, SessionIntent, SessionsShown
from handlers.desk import Asked, Desk

ROLES: dict[type, Role] = {ListSessions: Role.VIEWER, EndSessions: Role.VIEWER}


async def answer(asked: Asked, intent: SessionIntent, desk: Desk) -> None:
    """Show what is left, after ending what was asked to be. Raises BadInput for a mark that none of theirs has."""
    mine = asked.member.member_id
    async with desk.work(asked.incoming) as work:
        match intent:
            case ListSessions():
                ended = 0
            case EndSessions(mark=""):
                ended = await work.sessions.end_all(mine)
            case EndSessions(mark=mark):
                if not await work.sessions.end(mine, mark):
                    raise BadInput("No browser of yours is called {mark}: `sessions` lists them.", mark=mark)
                ended = 1
            case _:
                assert_never(intent)
        left = await work.sessions.of_member(mine, now=desk.clock())
        await work.answer(SessionsShown(tuple(left), ended))
