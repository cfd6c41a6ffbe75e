"""What happened in a team: the part `TeamReply` of the union `Reply`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.people import Role


@dataclass(frozen=True, slots=True)
class InvitationLine:
    """An open invitation. `invitation_id` names it and is not its code."""

    invitation_id: str
    role: Role
    invited_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class InvitationList:
    """The codes that may still be redeemed. Private."""

    lines: tuple[InvitationLine, ...]


@dataclass(frozen=True, slots=True)
class InvitationRevoked:
    """A code that will never be redeemed."""

    invitation_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """Somebody has another role, or none any more (`role` None). `is_you`: said to the person themselves."""

    name: str
    role: Role | None
    by: str
    team: str
    is_you: bool = False


@dataclass(frozen=True, slots=True)
class RemovalAsked:
    """Shall this person's access really go? A press answers. Private."""

    member_id: str
    name: str
    role: Role
    chats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RulesShown:
    """What holds for approving in this team. `own`: one may approve what one asked for oneself."""

    own: bool
    approvals: int


@dataclass(frozen=True, slots=True)
class TeamShown:
    """Which shop this place belongs to, and the others this person may switch to here."""

    name: str
    role: Role
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkspaceInvited:
    """A one-time address that installs us in a Slack workspace, for this team. Private."""

    url: str
    expires_at: datetime


TeamReply = (
    InvitationList | InvitationRevoked | MemberChanged | RemovalAsked | RulesShown | TeamShown | WorkspaceInvited
)
