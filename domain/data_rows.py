"""The rows of a team's data as a whole: files to be fetched, what is exported, what is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.catalog import Sha256


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file made for a team; its bytes are in the media storage."""

    file_id: str
    team_id: str
    name: str
    content_type: str
    content: Sha256


@dataclass(frozen=True, slots=True)
class PersonTraces:
    """Where a person is known: `member_id` is empty for a name that only old lines carry."""

    member_id: str
    name: str
    identities: int
    lines: int
    """How many lines of the audit name them."""


class DataRows(Protocol):
    """Files, export and forgetting, inside one transaction."""

    async def keep_file(self, team_id: str, name: str, content_type: str, content: Sha256) -> str:
        """Let a team fetch stored bytes under a name for a week; return the file's id."""
        ...

    async def find_file(self, team_id: str, file_id: str) -> KeptFile | None:
        """Return a file of this team, None for one of another or none."""
        ...

    async def offer_export(self, team_id: str, *, by: str, expires_at: datetime) -> str:
        """Return a one-time code for the team's export; only its hash is kept."""
        ...

    async def is_export_offered(self, code: str) -> bool:
        """Whether a code would still give an export, without using it up."""
        ...

    async def take_export(self, code: str) -> tuple[str, str] | None:
        """Use a code up; return the team's id and who asked, None for one that is unknown, used or too old."""
        ...

    async def team_facts(self, team_id: str) -> Mapping[str, int]:
        """Return how much of what a team has, by the name of its table; empty tables are left out."""
        ...

    async def traces_of(self, team_id: str, name: str) -> PersonTraces | None:
        """Return where somebody is known by this name, in any case; None for a name nobody has or had."""
        ...

    async def forget_person(self, team_id: str, traces: PersonTraces, *, now: datetime) -> int:
        """Take the person's access, and put “(forgotten)” for their name and ids in every row; return how many rows."""
        ...

    async def ask_to_forget_team(self, team_id: str, *, now: datetime) -> None:
        """Note that everything of the team is to be deleted as soon as this transaction's messages are delivered."""
        ...
