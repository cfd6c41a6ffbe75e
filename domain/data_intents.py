"""What an admin can ask about the team's data: the part `DataIntent` of the union `Intent`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Export:
    """Everything of the team in one file."""


@dataclass(frozen=True, slots=True)
class Forget:
    """`forget NAME`: a person's name and ids; `forget team NAME`: everything of the team.

    `is_sure`: said a second time, with `sure=yes`. A team's own name is what makes sure of a team.
    """

    name: str = ""
    is_team: bool = False
    is_sure: bool = False


DataIntent = Export | Forget
