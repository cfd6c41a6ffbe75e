"""Slack workspaces that installed us, and the port `WorkspaceRows`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.people import Actor, Team


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace and the team it belongs to; `enterprise_id` is empty outside Enterprise Grid."""

    workspace_id: str
    team_id: str
    name: str
    enterprise_id: str = ""


@dataclass(frozen=True, slots=True)
class InstallGrant:
    """What an admin's link allows: a workspace for this team, or (None) one that becomes a team of its own."""

    team_id: str | None
    made_by: str


@dataclass(frozen=True, slots=True)
class InstalledBot:
    """A workspace that installed us, and the token it gave; the token is shown nowhere."""

    workspace: Workspace
    token: str = field(repr=False)


class Installations(Protocol):
    """The tokens of installed workspaces; `bot/slack_installs.py` keeps them sealed."""

    async def bot(self, key: str) -> InstalledBot | None:
        """Return the bot of a workspace, or of the team it belongs to; None where nobody installed us, or no longer."""
        ...

    async def all(self) -> Sequence[InstalledBot]:
        """Return every installed bot."""
        ...

    async def end(self, workspace_id: str) -> None:
        """Forget a workspace that uninstalled us or revoked our token. Ending it twice is fine."""
        ...


class InstallDesk(Protocol):
    """What an installation asks of the rest of the house."""

    async def begin(self, link: str) -> str | None:
        """Return a one-time state for a good link; None for one that is unknown, used or too old."""
        ...

    async def spend(self, state: str) -> InstallGrant | None:
        """Return what a state allows, once; None when it is unknown, used or too old."""
        ...

    async def tie(self, grant: InstallGrant, workspace: Workspace, installer: Actor) -> Team:
        """Tie the workspace to the grant's team, or to a new one with its installer as admin.

        `workspace.team_id` is not looked at. Raises NotPossible where the workspace or the team has another already.
        """
        ...


class WorkspaceRows(Protocol):
    """Workspaces, and the one-time links that bring them in."""

    async def offer(self, team_id: str | None, *, by: str, expires_at: datetime) -> str:
        """Return a one-time link's code; without a team the workspace becomes a team of its own."""
        ...

    async def begin(self, code: str, *, now: datetime) -> str | None:
        """Return the state of an installation that starts from a good link, for ten minutes; None for any other."""
        ...

    async def spend(self, state: str, *, now: datetime) -> InstallGrant | None:
        """Return what a state allows, once; None when it is unknown, used or too old."""
        ...

    async def tie(self, workspace: Workspace, *, now: datetime) -> bool:
        """Tie a workspace to a team; again to the same one is fine. False where either has another already."""
        ...

    async def untie(self, workspace_id: str) -> Workspace | None:
        """Forget a workspace; None where there was none."""
        ...

    async def find(self, key: str) -> Workspace | None:
        """Return a workspace by its own id or by its team's."""
        ...

    async def all(self) -> Sequence[Workspace]:
        """Return every workspace of the deployment, by id."""
        ...
