"""The workspaces we work in, each with its own token, people and team: one by SLACK_BOT_TOKEN, others by installing us.

Whether a workspace is one of ours is looked up with every event: one that uninstalled us in another process, or a
moment ago, is a stranger here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.people import Role
from domain.workspaces import Installations, InstalledBot
from handlers.arrive import ChatDesk
from handlers.slack.api import open_client
from handlers.slack.front import Front
from handlers.slack.people import People
from handlers.slack.pictures import Pictures


@dataclass(frozen=True, slots=True)
class Office:
    """One workspace as its events meet it."""

    token: str
    people: People
    front: Front


class Offices:
    """Finds the office of an event by its workspace."""

    def __init__(
        self,
        desk: ChatDesk,
        *,
        api_url: str,
        default_role: Role,
        bot_token: str = "",
        pictures: Pictures | None = None,
        installations: Installations | None = None,
    ) -> None:
        """`bot_token` and `pictures` are of the one workspace that needs no installing; without a token there is none."""
        self._desk = desk
        self._api_url = api_url
        self._default_role = default_role
        self._installations = installations
        self._installed: dict[str, Office] = {}
        self._own = self._opened(desk, bot_token, pictures=pictures) if bot_token else None

    async def of(self, workspace_id: str) -> Office | None:
        """Return the office of a workspace, without an id our own one; None for one that is not ours.

        Raises what asking Slack who we are raises (StoreDown, RateLimited, Undeliverable), and Fault.
        """
        if self._installations is not None and workspace_id:
            installed = await self._installations.bot(workspace_id)
            if installed is not None:
                return self._office_of(installed)
            self._installed.pop(workspace_id, None)
        if self._own is None:
            return None
        me = await self._own.people.identity()
        return self._own if workspace_id in {"", me.team_id} else None

    async def end(self, workspace_id: str) -> None:
        """Leave a workspace that uninstalled us."""
        self._installed.pop(workspace_id, None)
        if self._installations is not None:
            await self._installations.end(workspace_id)

    async def settle(self) -> None:
        """Wait for what was started after acknowledgements."""
        for office in self._all():
            await office.front.settle()

    def _all(self) -> Sequence[Office]:
        return [*self._installed.values(), *([self._own] if self._own else [])]

    def _office_of(self, installed: InstalledBot) -> Office:
        workspace = installed.workspace
        office = self._installed.get(workspace.workspace_id)
        if office is None or office.token != installed.token or office.front.desk.team_id != workspace.team_id:
            desk = replace(self._desk, team_id=workspace.team_id)
            office = self._opened(desk, installed.token, account=workspace.workspace_id)
            self._installed[workspace.workspace_id] = office
        return office

    def _opened(self, desk: ChatDesk, token: str, *, account: str = "", pictures: Pictures | None = None) -> Office:
        client = open_client(token=token, api_url=self._api_url)
        people = People(desk, client, self._default_role)
        shown = pictures or Pictures(client, desk.desk.media)
        return Office(token, people, Front(desk, client, people, shown, account=account))
