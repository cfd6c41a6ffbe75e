"""The ports `PeopleRows` and `TeamRows`: who belongs to a team, and what else there is to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.people import Actor, Invitation, Member, Place, Role, Team
from domain.rules import Approval, DecisionRules


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """A code that may still be redeemed. `invitation_id` names it without being it."""

    invitation_id: str
    role: Role
    invited_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Home:
    """Where an event belongs: its place's team, the team of the message it is about, and the actor's teams."""

    place_team: str
    message_team: str
    teams: tuple[str, ...]


class PeopleRows(Protocol):
    """Members, identities, invitations."""

    async def team(self, team_id: str) -> Team:
        """Return it. Raises Fault("row_missing")."""
        ...

    async def find_member(self, team_id: str, actor: Actor) -> Member | None:
        """Return the member this actor is in this team, None for strangers."""
        ...

    async def members(self, team_id: str) -> Sequence[Member]:
        """Return all of a team, by name."""
        ...

    async def invite(self, team_id: str, role: Role, *, by: str, expires_at: datetime) -> Invitation:
        """Make a one-time code; only its hash is kept."""
        ...

    async def admit(self, team_id: str, actor: Actor, role: Role, *, now: datetime) -> Member | None:
        """Make an actor a member whom their workspace vouches for; one who is a member already keeps the higher role.

        Somebody suspended gets back the role they had; somebody whom an admin removed does not: None.
        """
        ...

    async def is_vouched_for(self, team_id: str, actor: Actor) -> bool:
        """Whether somebody is a member because their workspace says so, and not only by a code."""
        ...

    async def suspend(self, team_id: str, actor: Actor, *, even_invited: bool) -> bool:
        """Take the membership of somebody whom their workspace vouched for; `even_invited`: of whoever it is.

        They are strangers from now on, until they are admitted or join again. False when nothing changed.
        """
        ...

    async def join(self, code: str, actor: Actor, *, now: datetime) -> Member | None:
        """Redeem a code once; None when it is unknown, used, revoked or expired."""
        ...


class TeamRows(Protocol):
    """Teams, rules, places' homes, invitations, roles."""

    async def all(self) -> Sequence[Team]:
        """Return every team of the deployment, the oldest first."""
        ...

    async def teams_of(self, actor: Actor) -> Sequence[Team]:
        """Return the teams this actor is a member of, by name."""
        ...

    async def home(self, place: Place, actor: Actor, message_id: str) -> Home:
        """Return whose a place and a message in it are (empty for nobody's), and where the actor is a member."""
        ...

    async def settle(self, place: Place, team_id: str, *, now: datetime, moves: bool) -> bool:
        """Give a place to a team; `moves`: also where it has another. False when nothing changed."""
        ...

    async def rules(self, team_id: str) -> DecisionRules:
        """Return what holds for approving."""
        ...

    async def set_rules(self, team_id: str, rules: DecisionRules) -> None:
        """Set it."""
        ...

    async def approve(self, enhancement_id: str, revision: int, team_id: str, approval: Approval) -> bool:
        """Keep one person's yes; False when they had said it."""
        ...

    async def approvals(self, enhancement_id: str, revision: int) -> Sequence[Approval]:
        """Return who has said yes to a revision, the first one first."""
        ...

    async def take_back(self, enhancement_id: str, revision: int, member_id: str) -> bool:
        """Forget one person's yes; False when there was none."""
        ...

    async def invitations(self, team_id: str, *, now: datetime) -> Sequence[OpenInvitation]:
        """Return the codes that may still be redeemed, the next to expire first."""
        ...

    async def revoke(self, team_id: str, invitation_id: str, *, now: datetime) -> OpenInvitation | None:
        """End an open invitation; None when there is none of that id (any more)."""
        ...

    async def invited_to(self, code: str, *, now: datetime) -> Team | None:
        """Return the team a good code is for, without redeeming it."""
        ...

    async def is_taken(self, team_id: str, name: str) -> bool:
        """Whether a member is called so in the console, in any spelling of case: there a name is all there is to them."""
        ...

    async def chats_of(self, member_id: str) -> Sequence[Actor]:
        """Return who a member is in each chat."""
        ...

    async def has_admin_besides(self, member: Member) -> bool:
        """Whether somebody else in reach, not the local owner, is an admin. Waits for whoever changes one now."""
        ...

    async def set_role(self, member: Member, role: Role) -> bool:
        """Change a role; False when it was no longer what `member` says, or they are gone."""
        ...

    async def remove(self, member: Member, *, now: datetime) -> bool:
        """Take somebody's access in every chat and browser, and the open invitations they made; False when it was gone.

        Their workspace's vouching does not bring them back; an admin's new invitation does.
        """
        ...
