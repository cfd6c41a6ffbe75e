"""What is said about health and data: the part `DataReply` of the union `Reply`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.catalog import Sha256

Tone = Literal["good", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class HealthNotice:
    """Said once, to those who can mend it: a store stopped answering, answers again, or its key will end.

    `said` and `todo` are sentences; `todo` is empty where nothing is to be done.
    """

    tone: Tone
    store: str
    said: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class FileReady:
    """A file to be downloaded. `content` names its bytes for a chat to send; `file_id` is how the console fetches it."""

    file_id: str
    name: str
    content: Sha256
    size_bytes: int
    said: str


@dataclass(frozen=True, slots=True)
class ExportOffered:
    """An address that gives away everything of a team, once. Private."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted, or (`is_done` false) what will be, a sentence a line; `todo` is how to go on."""

    said: str
    lines: tuple[str, ...]
    todo: str = ""
    is_done: bool = True


DataReply = HealthNotice | FileReady | ExportOffered | Forgotten
