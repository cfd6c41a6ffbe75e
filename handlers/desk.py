"""What every subject works with: the ports, in one hand."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.intents import Incoming
from domain.people import ChatName, Member
from domain.ports import ChatFiles, Clock, Enhancer, MediaStorage, Stores, Work


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


@dataclass(frozen=True, slots=True)
class Asked:
    """One event of a known member."""

    incoming: Incoming
    member: Member


def id_from(*parts: str) -> str:
    """Return the 22 character id these parts always give: the same event makes the same rows."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
