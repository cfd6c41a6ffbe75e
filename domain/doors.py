"""The port `Doors`: the addresses by which somebody comes in. `bot/doors.py` knows them."""

from __future__ import annotations

from typing import Protocol


class Doors(Protocol):
    """Addresses that a code is appended to. One that cannot be given is empty, never a guess."""

    async def telegram(self) -> str:
        """Return the deep link that opens our bot with an invitation; empty where Telegram is not set up or silent."""
        ...

    def console(self) -> str:
        """Return the console's page that takes an invitation; empty where nobody outside can reach it."""
        ...

    def console_here(self) -> str:
        """Return the same for somebody who is in the console already, by whatever address they came."""
        ...

    def export(self) -> str:
        """Return the page that gives a team's data away; empty where there is no page."""
        ...

    def slack(self) -> str:
        """Return the page that installs us in a workspace; empty where several workspaces are not set up."""
        ...


class NoDoors:
    """A deployment that is entered by codes alone."""

    async def telegram(self) -> str:
        """Return nothing."""
        return ""

    def console(self) -> str:
        """Return nothing."""
        return ""

    def console_here(self) -> str:
        """Return nothing."""
        return ""

    def export(self) -> str:
        """Return nothing."""
        return ""

    def slack(self) -> str:
        """Return nothing."""
        return ""


NO_DOORS = NoDoors()
