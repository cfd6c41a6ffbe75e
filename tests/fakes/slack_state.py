"""What the fake Slack keeps: people, conversations, files, sockets, the calls it had."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

BOT_TOKEN = "xoxb-1-fake"
APP_TOKEN = "xapp-1-fake"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TEAM, APP, BOT_USER, BOT_ID = "T0SHOP", "A0PACK", "U0BOT", "B0BOT"
OTHER_TEAM = "T0OTHER"
EVERY_SCOPE = (
    "app_mentions:read",
    "channels:history",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "im:history",
    "im:write",
    "users:read",
)
LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in to Slack</title></head><body>Sign in</body></html>"


@dataclass
class Person:
    """Somebody Slack knows."""

    id: str
    name: str
    team: str = TEAM
    locale: str = "en-US"
    timezone: str = "Europe/Berlin"
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    deleted: bool = False

    def as_user(self, *, with_locale: bool) -> dict[str, Any]:
        """Return the user object as users.info does."""
        user = {
            "id": self.id,
            "team_id": self.team,
            "name": self.name.lower(),
            "deleted": self.deleted,
            "tz": self.timezone,
            "real_name": self.name,
            "profile": {"real_name": self.name, "display_name": self.name},
            "is_bot": self.is_bot,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_stranger": self.is_stranger,
        }
        return user | ({"locale": self.locale} if with_locale else {})


@dataclass
class Conversation:
    """`kind` is im, channels (public) or groups (private), as the scopes call them."""

    id: str
    kind: str
    members: set[str]
    is_archived: bool = False


@dataclass
class KeptFile:
    """A file; one of a person's is ready at once, an upload of ours after `polls_left` looks."""

    id: str
    name: str
    user: str
    content: bytes = b""
    type: str = "image/jpeg"
    alt: str = ""
    length: int = 0
    polls_left: int = 0
    is_complete: bool = True
    is_deleted: bool = False
    is_lost: bool = False
    is_unshowable: bool = False
    mode: str = "hosted"
    redirect: str = ""
    url: str = ""

    @property
    def mimetype(self) -> str:
        """Empty until Slack has looked at it."""
        return self.type if self.is_complete and self.polls_left <= 0 else ""

    def as_file(self, base: str, *, looked: bool = False) -> dict[str, Any]:
        """Return the file object; a look brings an upload nearer to being ready."""
        if looked and self.is_complete:
            self.polls_left -= 1
        url = self.url or f"{base}/files-pri/{self.id}"
        file = {
            "id": self.id,
            "name": self.name,
            "user": self.user,
            "size": self.length or len(self.content),
            "mode": self.mode,
            "is_external": self.mode == "external",
            "url_private": url,
            "url_private_download": url,
        }
        return file | ({"mimetype": self.mimetype} if self.mimetype else {})


@dataclass
class Call:
    """One call of the Web API and its answer."""

    method: str
    arguments: dict[str, Any]
    answer: dict[str, Any]


@dataclass
class Failure:
    """How the next `left` calls of a method fail."""

    method: str
    how: str
    left: int
    retry_after: int


@dataclass(eq=False)
class Socket:
    """One open websocket; `acked` holds envelope_id → answer."""

    ws: web.WebSocketResponse
    acked: dict[str, Any] = field(default_factory=dict)
    is_dead: bool = False
    pings: int = 0


@dataclass
class Delivered:
    """How an event was taken: an HTTP status, or 200 for an acknowledged envelope and 0 for none."""

    status: int
    answer: Any = None

    @property
    def is_taken(self) -> bool:
        """Whether Slack would leave it at that."""
        return 200 <= self.status < 300


@dataclass
class Workspace:
    """What is kept, what is noted, and what shall fail."""

    scopes: set[str] = field(default_factory=lambda: set(EVERY_SCOPE))
    people: dict[str, Person] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    messages: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    ephemerals: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, KeptFile] = field(default_factory=dict)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    sockets: list[Socket] = field(default_factory=list)
    triggers: dict[str, str] = field(default_factory=dict)
    """trigger_id → open, used or expired."""
    log: list[str] = field(default_factory=list)
    is_token_revoked: bool = False
    polls_until_ready: int = 1
    """How often files.info answers without a mimetype after an upload."""
    uploads_are_unshowable: bool = False
    socket_is_dead: bool = False
    """New and old sockets say nothing and answer no ping."""
    refuses_sockets: bool = False
    base: str = ""

    def __post_init__(self) -> None:
        self.failures: list[Failure] = []
        self.changed = asyncio.Event()
        self.numbers = itertools.count(1)

    # ------------------------------------------------------------ looking and failing

    def fail(self, method: str, how: str, *, times: int = 1, retry_after: int = 7) -> None:
        """Have the next calls of a method (`*`: any, `download`, `upload`) fail.

        `how`: 429, 500, hang, cut (before anything happened), cut_after (it happened), or Slack's own error word.
        """
        self.failures.append(Failure(method, how, times, retry_after))

    def called(self, method: str) -> list[Call]:
        """Return what was asked of one method."""
        return [call for call in self.calls if call.method == method]

    def posted(self, channel: str) -> list[dict[str, Any]]:
        """Return a place's messages that are ours, the oldest first, threads included."""
        return [
            message
            for (place, _), message in sorted(self.messages.items())
            if place == channel and message["user"] == BOT_USER
        ]

    async def until(self, holds: Callable[[], Any], *, timeout_s: float = 10) -> None:
        """Wait until something became true through a call, a message or an acknowledgement."""
        async with asyncio.timeout(timeout_s):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    def note(self, line: str) -> None:
        """Write a line of the transcript and wake whoever waits."""
        self.log.append(line)
        self.changed.set()

    def transcript(self) -> str:
        """Return what people did and what was called, in order."""
        return "\n".join(self.log)

    def trigger(self) -> str:
        """Return a fresh trigger id; good for one modal."""
        trigger_id = f"{next(self.numbers)}.1337.abcdef"
        self.triggers[trigger_id] = "open"
        return trigger_id
