"""What may come in by which path: how large, how long, how often, and whether a browser's page stands behind it.

The first rule whose path is the request's, or a folder above it, holds. Every path has one: the last is for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.rates import Rate

HOOK: Final = Rate(per_s=500, burst=5_000)
"""Chats and stores deliver from few addresses, up to 50 signed events a second: a limit they never meet. What they
deliver is lost, or late, when it is refused, and an unsigned one costs us one HMAC."""
PAGE: Final = Rate(per_s=20, burst=400)
"""A browser that opens the console asks for a dozen files and some 200 pictures."""
ENTRY: Final = Rate(per_s=0.5, burst=30)
"""Where codes are tried."""
MEMBER: Final = Rate(per_s=10, burst=200)
"""Of what one member does in the console or by the command line, whatever addresses they come from."""

SMALL: Final = 64 * 1024
"""A form of a page."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One path and everything under it. `rate` is per address.

    `seconds` is how long it may take until it answers; None for what never ends by itself.
    `is_page`: a browser's cookie opens it, so that the Host must be ours, and the Origin of what changes something.
    """

    path: str
    rate: Rate = PAGE
    body_bytes: int = 0
    seconds: float | None = 30.0
    is_page: bool = False

    def holds_for(self, path: str) -> bool:
        """Whether a path is this one or lies under it."""
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")


def rules(*, upload_bytes: int) -> tuple[Rule, ...]:
    """Return every rule; `upload_bytes` is the most one message to the console may bring."""
    return (
        Rule("/slack/events", HOOK, body_bytes=1_000_000),
        Rule("/telegram/webhook", HOOK, body_bytes=1_000_000),
        Rule("/webhooks", HOOK, body_bytes=2_000_000),
        Rule("/console/join", ENTRY, body_bytes=SMALL, is_page=True),
        # A camera roll over a phone's line takes minutes.
        Rule("/console/say", body_bytes=upload_bytes, seconds=600, is_page=True),
        Rule("/console/stream", seconds=None, is_page=True),
        # Everything of a team, packed while it is fetched.
        Rule("/console/export", ENTRY, body_bytes=SMALL, seconds=None, is_page=True),
        # A shop's photos over a slow line.
        Rule("/console/export", ENTRY, body_bytes=SMALL, seconds=3600, is_page=True),
        Rule("/console", body_bytes=SMALL * 16, is_page=True),
        Rule("/connect", ENTRY, body_bytes=SMALL, seconds=120, is_page=True),
        Rule("/slack", ENTRY, body_bytes=SMALL, is_page=True),
        Rule("/status", body_bytes=SMALL, is_page=True),
        Rule("/media", HOOK, seconds=120),
        Rule("/shelf", HOOK),
        Rule("/healthz", HOOK),
        Rule("/readyz", HOOK),
        Rule("/metrics", HOOK),
        # What nobody thought of is a page: the strictest there is.
        Rule("/", body_bytes=SMALL, is_page=True),
    )
