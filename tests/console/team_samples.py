"""One of every reply about teams; `person` and `team` stand where people's words go."""

from __future__ import annotations

from datetime import timedelta

from domain.people import Role
from domain.team_replies import (
    InvitationLine,
    InvitationList,
    InvitationRevoked,
    MemberChanged,
    RemovalAsked,
    RulesShown,
    TeamReply,
    TeamShown,
    WorkspaceInvited,
)
from tests.console.fakes import NOW


def team_replies(person: str, team: str) -> tuple[TeamReply, ...]:
    """Return one of every type, in the union's order."""
    expires_at = NOW + timedelta(days=7)
    return (
        InvitationList((InvitationLine("3fa9c1", Role.APPROVER, person, expires_at),)),
        InvitationRevoked("3fa9c1", Role.EDITOR),
        MemberChanged(person, Role.APPROVER, person, team, is_you=True),
        RemovalAsked("m" * 16, person, Role.EDITOR, ("slack", "telegram")),
        RulesShown(own=False, approvals=2),
        TeamShown(team, Role.ADMIN, (f"{team} 2",)),
        WorkspaceInvited("https://shop.example/slack/install?link=abc", expires_at),
    )
