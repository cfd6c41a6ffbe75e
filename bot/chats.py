"""Slack and Telegram, as far as their settings are there: opened once, with a way out and a way in each.

The libraries are imported only where a chat is really used: a deployment pays for what it has.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import stamina
from starlette.routing import BaseRoute

from bot.settings import Settings
from bot.slots import Locks
from domain.chat_ports import Chat, ChatFiles
from domain.errors import RateLimited, StoreDown
from domain.intents import Attachment
from domain.people import ChatName
from domain.picture_ports import MediaStorage
from handlers.arrive import ChatDesk

if TYPE_CHECKING:
    from bot.app import App
    from bot.slack_installs import SlackInstalls

log = logging.getLogger("packshot.chats")

RESTART_PAUSE_S = 5.0


class WayIn(Protocol):
    """One chat's listeners."""

    def routes(self) -> list[BaseRoute]:
        """Return what the web application answers for the chat."""
        ...

    async def run(self) -> None:
        """Keep the connection that the chat wants from us (a socket, a poll) until cancelled."""
        ...


class OpenChat(Chat, ChatFiles, Protocol):
    """One chat's way out, and its files."""

    async def whoami(self) -> str:
        """Return who we are there, in words. Raises Undeliverable, RateLimited, StoreDown."""
        ...

    async def close(self) -> None:
        """Drop its connections."""
        ...


@dataclass(frozen=True, slots=True)
class PatientFiles:
    """Fetches again what a busy or absent chat did not give at once; a photo must not be lost to a 429."""

    files: ChatFiles

    async def fetch(self, attachment: Attachment) -> bytes:
        """Return the bytes; raises what the last of five tries within two minutes raised."""

        def pause(error: Exception) -> bool | float:
            if isinstance(error, RateLimited):
                return error.retry_after_s
            return isinstance(error, StoreDown)

        async for attempt in stamina.retry_context(on=pause, attempts=5, timeout=120, wait_initial=0.5, wait_max=20):
            with attempt:
                return await self.files.fetch(attachment)
        raise AssertionError("stamina returns or raises")


@dataclass(slots=True)
class Chats:
    """The chats of this deployment, the console excepted, which is always there."""

    out: dict[ChatName, OpenChat] = field(default_factory=dict)
    make_ways_in: dict[ChatName, Callable[[ChatDesk], WayIn]] = field(default_factory=dict)
    telegram_name: Callable[[], Awaitable[str]] | None = None
    """Asks Telegram what our bot is called there; None without Telegram."""

    @property
    def files(self) -> dict[ChatName, ChatFiles]:
        """Where the files people sent are fetched."""
        return {name: PatientFiles(chat) for name, chat in self.out.items()}


@asynccontextmanager
async def open_chats(
    settings: Settings,
    media: MediaStorage,
    *,
    own_team: str = "",
    open_installs: Callable[[], SlackInstalls] | None = None,
) -> AsyncIterator[Chats]:
    """Open what has a token; nothing is asked of a chat before it is used.

    `open_installs` is called where workspaces may install us by themselves; without it there is at most one, that of
    SLACK_BOT_TOKEN, which is `own_team`'s.
    """
    chats = Chats()
    if settings.telegram_bot_token.get_secret_value():
        _open_telegram(settings, media, chats)
    installs = open_installs() if open_installs is not None and settings.has_slack_installs else None
    if settings.slack_bot_token.get_secret_value() or installs is not None:
        _open_slack(settings, media, chats, installs, own_team)
    try:
        yield chats
    finally:
        for chat in chats.out.values():
            await chat.close()


def _open_telegram(settings: Settings, media: MediaStorage, chats: Chats) -> None:
    from handlers.telegram.chat import TelegramChat
    from handlers.telegram.listeners import TelegramListeners

    token = settings.telegram_bot_token.get_secret_value()
    chat = chats.out[ChatName.TELEGRAM] = TelegramChat(token=token, api_url=settings.telegram_api_url, media=media)
    chats.telegram_name = chat.username
    chats.make_ways_in[ChatName.TELEGRAM] = lambda desk: TelegramListeners(
        desk,
        token=token,
        api_url=settings.telegram_api_url,
        webhook_secret=settings.telegram_webhook_secret.get_secret_value(),
        public_url=settings.public_url,
    )


def _open_slack(
    settings: Settings, media: MediaStorage, chats: Chats, installs: SlackInstalls | None, own_team: str
) -> None:
    from handlers.slack.chat import SCOPES, SlackChat
    from handlers.slack.chats import SlackChats
    from handlers.slack.install import Installer
    from handlers.slack.listeners import SlackListeners

    token, api_url = settings.slack_bot_token.get_secret_value(), settings.slack_api_url.rstrip("/") + "/"
    own = SlackChat(bot_token=token, api_url=api_url, media=media) if token else None
    installer = None
    if installs is not None:
        chats.out[ChatName.SLACK] = SlackChats(installs, api_url=api_url, media=media, own=own, own_team=own_team)
        installer = Installer(
            installs,
            installs.store,
            client_id=settings.slack_client_id,
            client_secret=settings.slack_client_secret.get_secret_value(),
            scopes=sorted(SCOPES),
            public_url=settings.public_url,
            api_url=api_url,
        )
    elif own is not None:
        chats.out[ChatName.SLACK] = own
    chats.make_ways_in[ChatName.SLACK] = lambda desk: SlackListeners(
        desk,
        bot_token=token,
        app_token=settings.slack_app_token.get_secret_value(),
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        api_url=api_url,
        default_role=settings.slack_default_role,
        pictures=own.pictures if own is not None else None,
        installations=installs,
        installer=installer,
    )


def ways_in(app: App) -> Sequence[WayIn]:
    """Return the listeners of every chat, on the app's desk."""
    desk = ChatDesk(app.desk, app.events, app.team.team_id, lambda name: holding(app.locks, name))
    return [make(desk) for make in app.chats.make_ways_in.values()]


@asynccontextmanager
async def holding(locks: Locks, name: str) -> AsyncIterator[bool]:
    """Hold a named lock while the block runs, if nobody else has it: True while it is ours."""
    held = await asyncio.to_thread(locks.try_hold, name)
    try:
        yield held is not None
    finally:
        if held is not None:
            await asyncio.to_thread(held.release)


@asynccontextmanager
async def listening(listeners: Sequence[WayIn]) -> AsyncIterator[None]:
    """Keep every chat's own connection while the block runs."""
    running = [asyncio.create_task(_keep(way_in.run)) for way_in in listeners]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _keep(run: Callable[[], Awaitable[None]]) -> None:
    """Start listening again whatever ended it: a bot that no longer hears must not look alive."""
    while True:
        try:
            await run()
        except Exception:  # what the listeners did not foresee; they handle their own network
            log.exception("a chat's listeners ended, starting them again")
        await asyncio.sleep(RESTART_PAUSE_S)
