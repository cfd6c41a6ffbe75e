"""Who talks to us, where, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.errors import BadInput

LOCAL_OWNER = "owner"
"""The console's name of the local admin of every team: whoever can read DATA_DIR on this machine."""


class ChatName(StrEnum):
    """The chats, spelled as in tables and tokens."""

    SLACK = "slack"
    TELEGRAM = "telegram"
    CONSOLE = "console"


class Role(StrEnum):
    """viewer < editor < approver < admin; each may do all that the one before may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"

    @classmethod
    def parse(cls, word: str) -> Role:
        """Return the role a person typed. Raises BadInput with the four that exist."""
        try:
            return cls(word.strip().lower())
        except ValueError:
            raise BadInput("There is no role “{word}”: use viewer, editor, approver or admin.", word=word) from None

    def covers(self, needed: Role) -> bool:
        """Whether a member with this role may do what `needed` allows."""
        ladder = list(Role)
        return ladder.index(self) >= ladder.index(needed)


@dataclass(frozen=True, slots=True)
class Team:
    """The business; everything belongs to one."""

    team_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who a chat says it is. Proves nothing about membership."""

    chat: ChatName
    actor_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a team."""

    member_id: str
    team_id: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Place:
    """Where a talk happens: a conversation in a chat, and a thread in it where there are threads."""

    chat: ChatName
    place_id: str
    thread_id: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time code for a role. Only its hash is stored; `code` is shown once."""

    code: str
    role: Role
    expires_at: datetime
