"""Several shops on one deployment: which one a place belongs to, and how a workspace of Slack comes in."""

from __future__ import annotations

from datetime import timedelta

from domain.errors import BadInput, NotPossible
from domain.people import ChatName, Place
from domain.rows import AuditEntry
from domain.team_intents import InviteWorkspace, ShowTeam
from domain.team_replies import TeamShown, WorkspaceInvited
from handlers.desk import Asked, Desk

WORKSPACE_LINK_LIFE = timedelta(days=1)


async def show_team(asked: Asked, intent: ShowTeam, desk: Desk) -> None:
    """Answer with the shop this place belongs to, after switching a private talk to the named one.

    Raises BadInput for a shop the person is not of, NotPossible where a place is not one person's to switch.
    """
    incoming, member, now = asked.incoming, asked.member, desk.clock()
    async with desk.work(incoming) as work:
        mine = await work.teams.teams_of(incoming.actor)
        here = await work.people.team(member.team_id)
        if intent.name:
            wanted = intent.name.casefold()
            found = [team for team in mine if team.name.casefold() == wanted]
            if not found:
                raise BadInput("You belong to no shop called {name}: `team` lists yours.", name=intent.name[:80])
            if found[0].team_id != here.team_id:
                if not is_private(incoming.place):
                    raise NotPossible(
                        "This place belongs to {team}, and stays there: ask about {other} in a private talk with me.",
                        team=here.name,
                        other=found[0].name,
                    )
                await work.teams.settle(incoming.place, found[0].team_id, now=now, moves=True)
                member = await work.people.find_member(found[0].team_id, incoming.actor) or member
                here = found[0]
        others = tuple(team.name for team in mine if team.team_id != here.team_id) if is_private(incoming.place) else ()
        await work.answer(TeamShown(here.name, member.role, others))


async def invite_workspace(asked: Asked, intent: InviteWorkspace, desk: Desk) -> None:
    """Answer with a one-time address that installs us in a Slack workspace. Raises NotPossible where that is not set up."""
    member, now = asked.member, desk.clock()
    async with desk.work(asked.incoming) as work:
        if not desk.doors.slack():
            raise NotPossible(
                "Adding workspaces is not set up here: whoever runs me sets SLACK_CLIENT_ID, SLACK_CLIENT_SECRET and PUBLIC_URL."
            )
        if (tied := await work.workspaces.find(member.team_id)) is not None:
            raise NotPossible(
                "This shop has its Slack workspace, {name}: remove the app there first, then ask again.", name=tied.name
            )
        expires_at = now + WORKSPACE_LINK_LIFE
        code = await work.workspaces.offer(member.team_id, by=member.name, expires_at=expires_at)
        await work.answer(WorkspaceInvited(desk.doors.slack() + code, expires_at))
        await work.audit(AuditEntry(member.team_id, now, member.name, "workspace_invited", "", "", ""))


def is_private(place: Place) -> bool:
    """Whether a place is one person's talk with us that they may switch to another shop of theirs.

    A Slack workspace and a console's login are of one shop; Telegram's groups have ids below zero.
    """
    return place.chat is ChatName.TELEGRAM and not place.place_id.startswith("-")
