"""Slack workspaces that installed us, and the port `WorkspaceRows`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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
