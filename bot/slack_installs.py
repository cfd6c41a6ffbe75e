"""Workspaces that installed us: slack_sdk's installation store on our database, every token sealed by our vault.

The ports `Installations` and `InstallDesk`. Tokens are opened for the call that needs them and kept nowhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import TypeVar

from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import NotPossible
from domain.people import LOCAL_OWNER, Actor, ChatName, Role, Team
from domain.ports import Clock, Work
from domain.rows import AuditEntry
from domain.workspaces import InstalledBot, InstallGrant, Workspace
from storage.bootstrap import ensure_member, ensure_team
from storage.database import Database
from storage.people import SqlPeople
from storage.team_tables import SlackBotRow, SlackInstallationRow
from storage.teams import SqlTeams
from storage.vault import Vault
from storage.workspaces import SqlWorkspaces

log = logging.getLogger("packshot.slack")

SEALED = ("bot_token", "bot_refresh_token", "user_token", "user_refresh_token", "incoming_webhook_url")
"""Whoever has one of these can act in the workspace; the address of an incoming webhook is one, too."""
_FERNET = "gAAAAA"
"""How every sealed text begins; no token of Slack's does. Saving an installation saves its bot, sealed by then."""
_Kept = TypeVar("_Kept", Installation, Bot)


class SealedInstallationStore(AsyncSQLAlchemyInstallationStore):
    """slack_sdk's store, which sees only sealed tokens."""

    def __init__(self, client_id: str, engine: AsyncEngine, vault: Vault) -> None:
        super().__init__(
            client_id,
            engine,
            bots_table_name=str(SlackBotRow.__tablename__),
            installations_table_name=str(SlackInstallationRow.__tablename__),
            logger=log,
        )
        self._vault = vault

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation and its bot, sealed; the object that was given stays as it is."""
        await super().async_save(self._sealed(Installation(**installation.to_dict_for_copying())))

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep a bot, sealed; the object that was given stays as it is."""
        await super().async_save_bot(self._sealed(Bot(**bot.to_dict_for_copying())))

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """Return a bot with its token opened. Raises Fault("vault_key")."""
        found = await super().async_find_bot(
            enterprise_id=enterprise_id, team_id=team_id, is_enterprise_install=is_enterprise_install
        )
        return None if found is None else self._opened(found)

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        """Return an installation with its tokens opened. Raises Fault("vault_key")."""
        found = await super().async_find_installation(
            enterprise_id=enterprise_id, team_id=team_id, user_id=user_id, is_enterprise_install=is_enterprise_install
        )
        return None if found is None else self._opened(found)

    def _sealed(self, kept: _Kept) -> _Kept:
        for name in SEALED:
            token = getattr(kept, name, None)
            if token and not token.startswith(_FERNET):
                setattr(kept, name, self._vault.encrypt(token).decode())
        return kept

    def _opened(self, kept: _Kept) -> _Kept:
        for name in SEALED:
            if token := getattr(kept, name, None):
                setattr(kept, name, self._vault.decrypt(token.encode()))
        return kept


class SlackInstalls:
    """The ports `Installations` and `InstallDesk`: what is installed, and what a new installation becomes."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, work: Work, *, client_id: str) -> None:
        writing, reading = database.engines
        self.store = SealedInstallationStore(client_id, writing, vault)
        # Looking a token up happens with every event, and must not take the write lock.
        self._reading = SealedInstallationStore(client_id, reading, vault)
        self._database = database
        self._clock = clock
        self._work = work

    async def bot(self, key: str) -> InstalledBot | None:
        """Return the bot of a workspace, or of the team it belongs to; None where nobody installed us, or no longer."""
        async with self._database.read() as db_session:
            workspace = await SqlWorkspaces(db_session).find(key)
        return None if workspace is None else await self._with_token(workspace)

    async def all(self) -> Sequence[InstalledBot]:
        """Return every installed bot."""
        async with self._database.read() as db_session:
            workspaces = await SqlWorkspaces(db_session).all()
        return [found for workspace in workspaces if (found := await self._with_token(workspace)) is not None]

    async def end(self, workspace_id: str) -> None:
        """Forget a workspace that uninstalled us or revoked our token. Ending it twice is fine."""
        async with self._work() as work:
            workspace = await work.workspaces.untie(workspace_id)
            if workspace is not None:
                entry = AuditEntry(
                    workspace.team_id, self._clock(), "Slack", "workspace_gone", "", workspace_id, workspace.name
                )
                await work.audit(entry)
        if workspace is not None:
            enterprise_id = workspace.enterprise_id or None
            await self.store.async_delete_all(enterprise_id=enterprise_id, team_id=workspace_id)
            log.info("slack workspace ended", extra={"workspace": workspace_id})

    # ------------------------------------------------------------ installing

    async def begin(self, link: str) -> str | None:
        """Return a one-time state for a good link; None for one that is unknown, used or too old."""
        async with self._database.begin() as db_session:
            return await SqlWorkspaces(db_session).begin(link, now=self._clock())

    async def spend(self, state: str) -> InstallGrant | None:
        """Return what a state allows, once; None when it is unknown, used or too old."""
        async with self._database.begin() as db_session:
            return await SqlWorkspaces(db_session).spend(state, now=self._clock())

    async def tie(self, grant: InstallGrant, workspace: Workspace, installer: Actor) -> Team:
        """Tie the workspace to the grant's team, or to a new one with its installer as admin. Raises NotPossible."""
        team = await self._team_of(grant, workspace)
        tied = replace(workspace, team_id=team.team_id)
        async with self._work() as work:
            if not await work.workspaces.tie(tied, now=self._clock()):
                raise NotPossible(
                    "{workspace} or {team} is tied to another one already: remove the app there first.",
                    workspace=workspace.name,
                    team=team.name,
                )
            entry = AuditEntry(
                team.team_id,
                self._clock(),
                installer.name,
                "workspace_added",
                "",
                workspace.workspace_id,
                workspace.name,
            )
            await work.audit(entry)
        if grant.team_id is None:
            await ensure_member(self._database, team.team_id, installer.name, Role.ADMIN, installer)
        return team

    async def _team_of(self, grant: InstallGrant, workspace: Workspace) -> Team:
        async with self._database.read() as db_session:
            known = await SqlWorkspaces(db_session).find(workspace.workspace_id)
            if grant.team_id is not None:
                return await SqlPeople(db_session).team(grant.team_id)
            if known is not None:
                raise NotPossible(
                    "{workspace} belongs to a shop here already: its admin makes links with `workspace`.",
                    workspace=workspace.name,
                )
            names = {team.name.casefold() for team in await SqlTeams(db_session).all()}
        free = (name for number in count(1) if (name := _numbered(workspace.name, number)).casefold() not in names)
        team = await ensure_team(self._database, next(free))
        owner = Actor(ChatName.CONSOLE, LOCAL_OWNER, LOCAL_OWNER)
        await ensure_member(self._database, team.team_id, LOCAL_OWNER, Role.ADMIN, owner)
        return team

    async def _with_token(self, workspace: Workspace) -> InstalledBot | None:
        found = await self._reading.async_find_bot(
            enterprise_id=workspace.enterprise_id or None, team_id=workspace.workspace_id
        )
        return InstalledBot(workspace, found.bot_token) if found is not None and found.bot_token else None


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name} {number}"
