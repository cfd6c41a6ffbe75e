"""What a reader gets to see of the room's lines: as JSON, and as a stream that misses nothing.

A reply meant for one person (a refusal, a lost race, an invitation's code) reaches only the one who
asked; to the others its message is said to be gone, since it may replace a `Working` they saw.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.people import Member
from domain.replies import PRIVATE, Reply, waits
from domain.rows import ConsoleLine, ConsoleLines
from handlers.buttons import buttons
from handlers.console.chat import ROOM, own_events
from handlers.console.render import fragment

PAGE_LINES = 200
HEARTBEAT_S = 15.0
"""Proxies close a silent connection after 30 to 60 s."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One member's view of the room."""

    lines: ConsoleLines
    member: Member
    hosts: frozenset[str]
    """Where pictures of our own may come from; the page's policy shows no others."""
    session: str = ""
    """The mark of the browser that reads; empty for the command line."""

    async def page(self, cursor: int) -> dict[str, Any]:
        """Return up to PAGE_LINES lines after a cursor, each message once, as it stands at the end of the page."""
        lines = await self.lines.after(self.member.team_id, ROOM.place_id, cursor, limit=PAGE_LINES)
        return {
            "lines": [self.shown(line) for line in _latest(lines)],
            "cursor": lines[-1].cursor if lines else cursor,
            "more": len(lines) == PAGE_LINES,
        }

    async def stream(self, cursor: int, *, still_here: Callable[[], Any]) -> AsyncGenerator[str, None]:
        """Yield server-sent events for ever, the cursor as their id; a comment when nothing happens.

        `still_here` is awaited every HEARTBEAT_S, in a busy room too; once false (signed out elsewhere) the
        stream ends.
        """
        follower = self.lines.follow(self.member.team_id, ROOM.place_id, cursor)
        upcoming: asyncio.Task[Sequence[ConsoleLine]] | None = None
        # At once, so that the browser knows that it is connected.
        yield ": hello\n\n"
        asked_at = time.monotonic()
        try:
            while True:
                upcoming = asyncio.ensure_future(_next(follower))
                while True:
                    due_s = max(0.0, asked_at + HEARTBEAT_S - time.monotonic())
                    has_come = bool((await asyncio.wait({upcoming}, timeout=due_s))[0])
                    if time.monotonic() - asked_at >= HEARTBEAT_S:
                        if not await still_here():
                            yield "event: signed-out\ndata: {}\n\n"
                            return
                        asked_at = time.monotonic()
                        if not has_come:
                            yield ": still here\n\n"
                    if has_come:
                        break
                for line in _latest(upcoming.result()):
                    yield f"id: {line.cursor}\nevent: line\ndata: {json.dumps(self.shown(line))}\n\n"
        finally:
            if upcoming is not None:
                upcoming.cancel()

    async def of_event(self, event_key: str, dump_reply: Callable[[Reply], dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the latest reply of every message an event touched, for the command line."""
        lines = await self.lines.of_cause(self.member.team_id, event_key)
        return [
            {
                "message_key": line.message_key,
                "waits": waits(line.reply),
                "reply": dump_reply(line.reply),
                "buttons": [
                    {"label": button.label, "token": button.token, "style": button.style, "asks": button.asks}
                    for button in buttons(line.reply)
                ],
            }
            for line in _latest(lines)
            if line.reply is not None and not self._is_kept_from_me(line)
        ]

    def shown(self, line: ConsoleLine) -> dict[str, Any]:
        """Return a line as the page wants it; `gone` stands in for what is meant for somebody else."""
        is_gone = self._is_kept_from_me(line)
        reply = None if is_gone else line.reply
        return {
            "cursor": line.cursor,
            "message_key": line.message_key,
            "cause": line.cause,
            "author": line.author,
            "is_mine": line.reply is None and line.cause.startswith(own_events(self.member)),
            "is_reply": line.reply is not None,
            "gone": is_gone,
            "text": "" if is_gone else line.text,
            "photos": [] if is_gone else [f"/console/photos/{photo}" for photo in line.photos],
            "html": fragment(reply, hosts=self.hosts, here=self.session) if reply is not None else "",
            "waits": reply is not None and waits(reply),
            "at": line.at.isoformat(),
        }

    def _is_kept_from_me(self, line: ConsoleLine) -> bool:
        is_private = isinstance(line.reply, PRIVATE)
        return is_private and not line.cause.startswith(own_events(self.member))


def _latest(lines: Sequence[ConsoleLine]) -> Sequence[ConsoleLine]:
    """Keep the last line of every message, in the order of those last lines."""
    last = {line.message_key: line.cursor for line in lines}
    return [line for line in lines if last[line.message_key] == line.cursor]


async def _next(follower: Any) -> Sequence[ConsoleLine]:
    batch: Sequence[ConsoleLine] = await anext(follower)
    return batch
