"""Which subject answers which question about teams, and the role each needs at the door."""

from __future__ import annotations

from domain.people import Role
from domain.team_intents import (
    AgreeRules,
    ChangeRole,
    DismissMember,
    InviteWorkspace,
    ListInvitations,
    RevokeInvitation,
    ShowTeam,
    TeamIntent,
)
from handlers import members, rules, teams
from handlers.desk import Asked, Desk

ROLES: dict[type, Role] = {
    ListInvitations: Role.ADMIN,
    RevokeInvitation: Role.ADMIN,
    ChangeRole: Role.ADMIN,
    DismissMember: Role.ADMIN,
    AgreeRules: Role.VIEWER,  # to see them; changing them takes an admin
    ShowTeam: Role.VIEWER,
    InviteWorkspace: Role.ADMIN,
}


async def answer(asked: Asked, intent: TeamIntent, desk: Desk) -> None:
    """Do what was asked about the team. Raises what its subject does."""
    match intent:
        case ListInvitations():
            await members.list_invitations(asked, desk)
        case RevokeInvitation():
            await members.revoke(asked, intent, desk)
        case ChangeRole():
            await members.change_role(asked, intent, desk)
        case DismissMember():
            await members.ask_dismissal(asked, intent, desk)
        case AgreeRules():
            await rules.agree(asked, intent, desk)
        case ShowTeam():
            await teams.show_team(asked, intent, desk)
        case InviteWorkspace():
            await teams.invite_workspace(asked, intent, desk)
