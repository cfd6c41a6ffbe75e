"""Reads the inboxes of vendors that leave messages instead of calling: kept as hints, then forgotten there.

One process reads each. A message is taken out only after its hint is on the disk, so one that comes twice is known.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from domain.catalog import PlatformName, Store, StoreId
from domain.connection import StoreHints
from domain.errors import PackshotError, StoreError
from platforms.descriptor import Inbox, Notice
from platforms.registry import PLATFORMS
from storage.store_hints import SqlStoreHints

if TYPE_CHECKING:
    from bot.app import App
    from bot.stores import ConnectedStores

log = logging.getLogger("packshot.stores")

RETRY_S: Final = 30.0
"""So long is waited after a failure; the orders are pulled in turn meanwhile, as where there is no inbox."""

AGAIN_S: Final = 3600.0
"""So long until a store that could not be subscribed is tried again."""


def open_inboxes(stores: ConnectedStores) -> Mapping[PlatformName, Inbox]:
    """Return every inbox that the deployment's settings name."""
    return {
        platform: inbox
        for platform, one in PLATFORMS.items()
        if one.inbox is not None and (inbox := one.inbox(stores.deployment, stores.supplies.transports)) is not None
    }


async def read_inboxes(app: App) -> None:
    """Read every inbox that is set, for ever."""
    opened = open_inboxes(app.stores)
    if not opened:
        await asyncio.Event().wait()
    await asyncio.gather(*(_read(app, platform, inbox) for platform, inbox in opened.items()))


async def _read(app: App, platform: PlatformName, inbox: Inbox) -> None:
    reader = InboxReader(app.stores, SqlStoreHints(app.database, app.desk.clock, app.enqueuer), platform, inbox)
    while True:
        held = await asyncio.to_thread(app.locks.try_hold, f"inbox-{platform.value}")
        if held is None:
            await asyncio.sleep(RETRY_S)
            continue
        try:
            while await asyncio.to_thread(held.is_still_mine):
                try:
                    await reader.read_once()
                except PackshotError as error:
                    log.warning("the inbox of %s: %s", platform.value, error)
                    await asyncio.sleep(RETRY_S)
        finally:
            await asyncio.to_thread(held.release)


class InboxReader:
    """Turns what lies in one inbox into hints of the stores it is about."""

    def __init__(self, stores: ConnectedStores, hints: StoreHints, platform: PlatformName, inbox: Inbox) -> None:
        self._stores = stores
        self._hints = hints
        self._platform = platform
        self._inbox = inbox
        self._subscribed: set[StoreId] = set()
        self._rests: dict[StoreId, float] = {}

    async def read_once(self) -> int:
        """Subscribe the stores that are new, read what lies there, and return how many hints were new.

        Raises what the inbox's calls raise.
        """
        stores = await self._opened()
        await self._subscribe([store for store, _ in stores])
        notices = await self._inbox.read()
        told = [(store, notice.hint) for notice in notices if notice.hint for store in _about(notice, stores)]
        # At once, so that they share one transaction.
        new = await asyncio.gather(*(self._hints.keep(store, hint) for store, hint in told))
        await self._inbox.forget(notices)
        return sum(new)

    async def _opened(self) -> Sequence[tuple[Store, Mapping[str, str]]]:
        mine = [store for store in await self._stores.rows.everywhere() if store.platform is self._platform]
        return [(store, await self._stores.settings_of(store)) for store in mine]

    async def _subscribe(self, stores: Sequence[Store]) -> None:
        for store in stores:
            if store.store_id in self._subscribed or time.monotonic() < self._rests.get(store.store_id, 0.0):
                continue
            try:
                await self._inbox.subscribe(await self._stores.open(store.store_id))
            except StoreError as error:
                # Its orders are pulled in turn all the same.
                log.warning("%s does not leave messages: %s", store.store_id, error)
                self._rests[store.store_id] = time.monotonic() + AGAIN_S
                continue
            self._subscribed.add(store.store_id)


def _about(notice: Notice, stores: Sequence[tuple[Store, Mapping[str, str]]]) -> list[Store]:
    """Return the stores a notice is about: none, where it says nothing or somebody else's."""
    return [
        store
        for store, settings in stores
        if notice.mine and all(settings.get(name) == value for name, value in notice.mine.items())
    ]
