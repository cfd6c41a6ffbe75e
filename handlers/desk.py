"""What every subject works with: the ports, in one hand."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.chat_ports import ChatFiles
from domain.connecting import NO_CONNECTING, Connecting
from domain.doors import NO_DOORS, Doors
from domain.intents import Incoming
from domain.people import ChatName, Member
from domain.picture_ports import Enhancer, MediaStorage
from domain.ports import Clock, Stores, Work
from domain.stock_chart import DrawsCharts

LOOKS_AFTER_S: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 28800.0)
"""The waits before each look at a picture that a store has accepted: a day in all. Amazon says minutes to a day."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The ports a handler or a step may use; `bot/app.py` fills it."""

    work: Work
    media: MediaStorage
    enhancer: Enhancer
    stores: Stores
    clock: Clock
    files: Mapping[ChatName, ChatFiles] = field(default_factory=dict)
    """Where the files people sent are fetched; a chat whose bytes come with the event has none."""
    looks_after_s: Sequence[float] = LOOKS_AFTER_S
    doors: Doors = NO_DOORS
    """The addresses by which an invited person comes in."""
    connecting: Connecting = NO_CONNECTING
    """What there is to connect, and by which pages."""
    charts: DrawsCharts | None = None
    """Who draws a digest's chart; without one it goes without."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One event of a known member."""

    incoming: Incoming
    member: Member


def id_from(*parts: str) -> str:
    """Return the 22 character id these parts always give: the same event makes the same rows."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
