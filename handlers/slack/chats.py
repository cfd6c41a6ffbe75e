"""Slack's way out where there are several workspaces: each team's messages go by its own workspace's token."""

from __future__ import annotations

from collections.abc import Sequence

from domain.chat_ports import Limit
from domain.errors import Undeliverable
from domain.intents import Attachment
from domain.picture_ports import MediaStorage
from domain.replies import Outgoing
from domain.workspaces import Installations
from handlers.slack.chat import SlackChat


class SlackChats:
    """The ports `Chat` and `ChatFiles` over every workspace; `own` is the one of SLACK_BOT_TOKEN, of `own_team`."""

    def __init__(
        self, installations: Installations, *, api_url: str, media: MediaStorage, own: SlackChat | None, own_team: str
    ) -> None:
        self._installations = installations
        self._api_url = api_url
        self._media = media
        self._own = own
        self._own_team = own_team
        self._chats: dict[str, tuple[str, SlackChat]] = {}

    async def close(self) -> None:
        """Forget what was remembered."""
        for _, chat in self._chats.values():
            await chat.close()
        if self._own is not None:
            await self._own.close()

    async def whoami(self) -> str:
        """Return who we are in every workspace. Raises Undeliverable, RateLimited, StoreDown."""
        names = [await self._own.whoami()] if self._own is not None else []
        names += [
            await self._chat_of(found.workspace.workspace_id, found.token).whoami()
            for found in await self._installations.all()
        ]
        return ", ".join(names) or "no workspace yet"

    async def deliver(self, outgoing: Outgoing) -> str:
        """Post or edit in the team's own workspace. Raises Undeliverable where it has none (any more)."""
        return await (await self._of_team(outgoing.team_id)).deliver(outgoing)

    def limits(self, outgoing: Outgoing) -> Sequence[Limit]:
        """Return what Slack allows; it counts each workspace by itself."""
        limits = SlackChat.limits_of(outgoing)
        return [Limit(f"{limit.key}:{outgoing.team_id}", limit.count, limit.per_s) for limit in limits]

    async def find_posted(self, outgoing: Outgoing) -> str | None:
        """Look for our message in the team's own workspace."""
        return await (await self._of_team(outgoing.team_id)).find_posted(outgoing)

    async def fetch(self, attachment: Attachment) -> bytes:
        """Return the bytes of a file, with the token of the workspace that keeps it."""
        if not attachment.account:
            if self._own is None:
                raise _gone()
            return await self._own.fetch(attachment)
        found = await self._installations.bot(attachment.account)
        if found is None:
            raise _gone()
        return await self._chat_of(attachment.account, found.token).fetch(attachment)

    async def _of_team(self, team_id: str) -> SlackChat:
        found = await self._installations.bot(team_id)
        if found is not None:
            return self._chat_of(found.workspace.workspace_id, found.token)
        if self._own is not None and team_id == self._own_team:
            return self._own
        raise _gone()

    def _chat_of(self, workspace_id: str, token: str) -> SlackChat:
        known = self._chats.get(workspace_id)
        if known is None or known[0] != token:
            known = token, SlackChat(bot_token=token, api_url=self._api_url, media=self._media)
            self._chats[workspace_id] = known
        return known[1]


def _gone() -> Undeliverable:
    return Undeliverable(
        "That shop's Slack workspace has removed me: an admin adds it again with `workspace`.", scope="chat"
    )
