"""Slack workspaces, as far as they are ours: whose they are, and the one-time links that bring them in.

Of a link and of the state that OAuth carries only hashes are kept. A link opens one installation: the state is made
from it, once, for ten minutes, and both are spent together.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.workspaces import InstallGrant, Workspace
from storage.codec import clean_text
from storage.people import hashed
from storage.statements import change, find_all, find_one, insert, insert_once, lock_until_commit
from storage.team_tables import SlackLinkRow, SlackWorkspaceRow

SECRET_BYTES = 24
STATE_LIFE = timedelta(minutes=10)
"""Longer than anybody reads Slack's page; shorter than a copied address stays in anybody's mind."""


class SqlWorkspaces:
    """The workspaces seen by one transaction."""

    def __init__(self, db_session: AsyncSession) -> None:
        self._db_session = db_session

    async def offer(self, team_id: str | None, *, by: str, expires_at: datetime) -> str:
        """Return a one-time link's code; without a team the workspace becomes a team of its own."""
        code = secrets.token_urlsafe(SECRET_BYTES)
        row = SlackLinkRow(link_hash=hashed(code), team_id=team_id, made_by=clean_text(by), expires_at=expires_at)
        await insert(self._db_session, row)
        return code

    async def begin(self, code: str, *, now: datetime) -> str | None:
        """Return the state of an installation that starts from a good link; None for any other.

        Starting again with the same link is fine until it is used; the earlier state is then worth nothing.
        """
        state = secrets.token_urlsafe(SECRET_BYTES)
        good = update(SlackLinkRow).where(
            col(SlackLinkRow.link_hash) == hashed(code),
            col(SlackLinkRow.used_at).is_(None),
            col(SlackLinkRow.expires_at) > now,
        )
        begun = good.values(state_hash=hashed(state), state_expires_at=now + STATE_LIFE)
        return state if await change(self._db_session, begun) == 1 else None

    async def spend(self, state: str, *, now: datetime) -> InstallGrant | None:
        """Return what a state allows, once; None when it is unknown, used or too old."""
        mine = col(SlackLinkRow.state_hash) == hashed(state)
        spent = update(SlackLinkRow).where(
            mine, col(SlackLinkRow.used_at).is_(None), col(SlackLinkRow.state_expires_at) > now
        )
        if await change(self._db_session, spent.values(used_at=now)) != 1:
            return None
        row = await find_one(self._db_session, select(SlackLinkRow).where(mine))
        return None if row is None else InstallGrant(row.team_id, row.made_by)

    async def tie(self, workspace: Workspace, *, now: datetime) -> bool:
        """Tie a workspace to a team; again to the same one is fine. False where either has another already."""
        await lock_until_commit(self._db_session, f"slack_workspace:{workspace.workspace_id}")
        row = SlackWorkspaceRow(
            workspace_id=workspace.workspace_id,
            team_id=workspace.team_id,
            enterprise_id=workspace.enterprise_id,
            name=clean_text(workspace.name),
            installed_at=now,
        )
        if await insert_once(self._db_session, row):
            return True
        same = update(SlackWorkspaceRow).where(
            col(SlackWorkspaceRow.workspace_id) == workspace.workspace_id,
            col(SlackWorkspaceRow.team_id) == workspace.team_id,
        )
        return await change(self._db_session, same.values(name=row.name, installed_at=now)) == 1

    async def untie(self, workspace_id: str) -> Workspace | None:
        """Forget a workspace; None where there was none."""
        found = await self.find(workspace_id)
        gone = delete(SlackWorkspaceRow).where(col(SlackWorkspaceRow.workspace_id) == workspace_id)
        return found if await change(self._db_session, gone) else None

    async def find(self, key: str) -> Workspace | None:
        """Return a workspace by its own id or by its team's."""
        statement = select(SlackWorkspaceRow).where(
            or_(col(SlackWorkspaceRow.workspace_id) == key, col(SlackWorkspaceRow.team_id) == key)
        )
        row = await find_one(self._db_session, statement)
        return None if row is None else _workspace(row)

    async def all(self) -> Sequence[Workspace]:
        """Return every workspace of the deployment, by id."""
        statement = select(SlackWorkspaceRow).order_by(col(SlackWorkspaceRow.workspace_id))
        return [_workspace(row) for row in await find_all(self._db_session, statement)]


def _workspace(row: SlackWorkspaceRow) -> Workspace:
    return Workspace(row.workspace_id, row.team_id, row.name, row.enterprise_id)
