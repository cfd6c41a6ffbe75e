"""Socket Mode, watched: a line that went quiet is replaced, whatever the library believes of it.

A socket may stay open and carry nothing more (bolt-python#1529), and the library reconnects at once and for
ever, without a pause that grows. So its own reconnecting is off, but for Slack's notice that it is about to
close a line, and the rule is here: a closed line, or no message and no answered ping for `silence_s`, and a
new one takes over. The old one is closed after the new one stands, since Slack allows ten.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from aiohttp import WSMessage
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from handlers.slack.api import open_client, translated

log = logging.getLogger(__name__)

SILENCE_S = 60.0
PING_S = 10.0
CONNECT_S = 20.0
LOOK_S = 1.0
"""How often a line is looked at: the library tells nobody of an answered ping, nor of a line that broke."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
ENOUGH = 10
"""Trouble in a row after which it is an error and no more a warning: Slack has been away for minutes."""


class Line:
    """One connection and when it was last heard."""

    def __init__(self, handler: AsyncSocketModeHandler) -> None:
        self.client = handler.client
        # The library leaves these without types.
        self.connect: Callable[[], Awaitable[None]] = handler.client.connect
        self.close: Callable[[], Awaitable[None]] = handler.client.close
        # Two who reconnect would each close what the other has just opened.
        self.client.default_auto_reconnect_enabled = self.client.auto_reconnect_enabled = False
        self._heard_at = time.time()
        self.client.on_message_listeners.append(self._heard)

    @property
    def quiet_s(self) -> float:
        """Seconds since the last message or answered ping; the library keeps the latter in wall time."""
        return time.time() - max(self._heard_at, self.client.last_ping_pong_time or 0.0)

    async def _heard(self, message: WSMessage) -> None:
        self._heard_at = time.time()


class SocketLine:
    """Keeps one line open for ever. `silence_s`, `ping_s` and the first pause are for a test to shorten."""

    def __init__(
        self,
        app: AsyncApp,
        *,
        app_token: str,
        api_url: str,
        silence_s: float = SILENCE_S,
        ping_s: float = PING_S,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._api_url = api_url
        self._silence_s = silence_s
        self._ping_s = ping_s
        self._first_pause_s = first_pause_s

    async def run(self) -> None:
        """Stay connected until cancelled; trouble is logged and tried again, ever more slowly."""
        line: Line | None = None
        failed = 0
        try:
            while True:
                try:
                    fresh = await self._connect()
                except Exception as error:  # noqa: BLE001 - whatever it was, a bot that stopped listening helps nobody
                    failed += 1
                    pause_s = self._pause_s(failed)
                    level = logging.ERROR if failed >= ENOUGH else logging.WARNING
                    log.log(level, "slack_socket_not_connected", extra={"error": str(error), "retry_in_s": pause_s})
                    await asyncio.sleep(pause_s)
                    continue
                failed = 0
                if line is not None:
                    await self._close(line)
                line = fresh
                await self._watch(line)
                log.warning("slack_socket_replaced", extra={"quiet_s": round(line.quiet_s, 1)})
        finally:
            if line is not None:
                await self._close(line)

    async def _connect(self) -> Line:
        # Its own client: opening a connection takes the app token, and Bolt's client holds the bot's.
        client = open_client(token=self._app_token, api_url=self._api_url)
        handler = AsyncSocketModeHandler(
            self._app, self._app_token, web_client=client, ping_interval=self._ping_s, logger=log
        )
        line = Line(handler)
        try:
            async with translated():
                opened = await client.apps_connections_open(app_token=self._app_token)
            handler.client.wss_uri = str(opened["url"])
            async with asyncio.timeout(CONNECT_S):
                await line.connect()
        except BaseException:
            await line.close()
            raise
        return line

    async def _watch(self, line: Line) -> None:
        """Return when the line is silent, or closed at two looks in a row: at one it may be following a notice."""
        closed = 0
        while line.quiet_s < self._silence_s and closed < 2:
            await asyncio.sleep(min(self._silence_s / 4, LOOK_S))
            closed = 0 if await line.client.is_connected() else closed + 1

    async def _close(self, line: Line) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await line.close()
        except (OSError, TimeoutError, RuntimeError) as error:
            log.info("slack_socket_not_closed", extra={"error": str(error)})

    def _pause_s(self, failed: int) -> float:
        # The exponent is capped, or a bot that waits for weeks would overflow a float.
        longest = min(LONGEST_PAUSE_S, self._first_pause_s * 2.0 ** min(failed - 1, 10))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
