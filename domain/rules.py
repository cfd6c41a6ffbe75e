"""What a team has agreed on about approving, and the yeses a revision has so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

MOST_APPROVALS = 2
"""One, or two different people: four eyes are what shops ask for."""


@dataclass(frozen=True, slots=True)
class DecisionRules:
    """`own`: one may approve what one asked for oneself. `approvals`: how many different people must say yes, 1 or 2."""

    own: bool = True
    approvals: int = 1


NO_RULES = DecisionRules()
"""What holds in a team that has agreed on nothing."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes to the current revision, while another one is still needed."""

    member_id: str
    by_name: str
    approved_at: datetime
