"""The addresses by which somebody comes in: the port `Doors`, from the settings and the chats that are open."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from domain.errors import Fault, PackshotError

log = logging.getLogger("packshot.doors")

INSTALL_PATH = "/slack/install"


@dataclass(slots=True)
class DeploymentDoors:
    """`public_url` is empty where nobody outside can reach us, `base_url` never; `bot_name` asks Telegram who we are."""

    public_url: str
    base_url: str
    bot_name: Callable[[], Awaitable[str]] | None
    has_installs: bool
    _bot_name: str = field(default="", init=False)

    async def telegram(self) -> str:
        """Return the deep link that opens our bot with an invitation; empty where Telegram is not set up or silent."""
        if self.bot_name is None:
            return ""
        if not self._bot_name:
            try:
                self._bot_name = await self.bot_name()
            except (PackshotError, Fault) as error:
                log.warning("telegram did not say our name, so the invitation has no link: %s", error)
                return ""
        return f"https://t.me/{self._bot_name}?start="

    def console(self) -> str:
        """Return the console's page that takes an invitation; empty where nobody outside can reach it."""
        return f"{self.public_url}/console?join=" if self.public_url else ""

    def console_here(self) -> str:
        """Return the same for somebody who is in the console already, by whatever address they came."""
        return f"{self.public_url or self.base_url}/console?join="

    def export(self) -> str:
        """Return the page that gives a team's data away, by whatever address there is."""
        return f"{self.public_url or self.base_url}/console/export/"

    def slack(self) -> str:
        """Return the page that installs us in a workspace; empty where several workspaces are not set up."""
        return f"{self.public_url}{INSTALL_PATH}?link=" if self.has_installs and self.public_url else ""
