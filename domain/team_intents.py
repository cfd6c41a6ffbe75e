"""What can be asked about teams: the part `TeamIntent` of the union `Intent`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.people import Role


@dataclass(frozen=True, slots=True)
class ListInvitations:
    """The codes that may still be redeemed."""


@dataclass(frozen=True, slots=True)
class RevokeInvitation:
    """End one of them, by its id."""

    invitation_id: str


@dataclass(frozen=True, slots=True)
class ChangeRole:
    """`role NAME ROLE`."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class DismissMember:
    """Take somebody's access away: asked once more before it counts."""

    name: str


@dataclass(frozen=True, slots=True)
class AgreeRules:
    """`rules`: show what holds for approving, and change what `options` names."""

    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShowTeam:
    """`team`: which shop this is, and which others the person belongs to; a name switches a private talk to it."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class InviteWorkspace:
    """A one-time link that installs us in a Slack workspace, for this team."""


TeamIntent = ListInvitations | RevokeInvitation | ChangeRole | DismissMember | AgreeRules | ShowTeam | InviteWorkspace
