"""The console's way out: a message is a line, and the browsers read the lines by cursor.

All of a team's people share one room, as they would share one place in a team chat: whoever may
approve sees every card. What is meant for one person only is kept from the others where the lines
are read (`lines.py`), since it depends on who reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.chat_ports import Limit
from domain.people import Actor, ChatName, Member, Place
from domain.ports import Clock
from domain.replies import Outgoing
from domain.rows import ConsoleLines

SOURCE = "console"
"""The console's part of an event key."""

ROOM = Place(ChatName.CONSOLE, "room")
"""The one place of this chat."""


def actor_of(member: Member) -> Actor:
    """Return who a member is in this chat. People are known here by their name, as in `--as NAME`."""
    return Actor(ChatName.CONSOLE, member.name, member.name)


def event_key(member: Member, event_id: str) -> str:
    """Name an event. The member is part of it, so that nobody can take an id somebody else will use."""
    return f"{own_events(member)}{event_id}"


def own_events(member: Member) -> str:
    """Return how the keys of this member's events begin."""
    return f"{SOURCE}:{member.member_id}:"


@dataclass(frozen=True, slots=True)
class ConsoleChat:
    """The port `Chat`, on the console's own rows."""

    lines: ConsoleLines
    clock: Clock

    async def deliver(self, outgoing: Outgoing) -> str:
        """Append the line and return its message key; a repeat after a crash is one message to a reader."""
        return await self.lines.append_reply(outgoing, now=self.clock())

    def limits(self, outgoing: Outgoing) -> Sequence[Limit]:
        """Return none: the lines are rows of our own."""
        return ()

    async def find_posted(self, outgoing: Outgoing) -> str | None:
        """Return None: a repeated line is one message to every reader anyway."""
        return None
