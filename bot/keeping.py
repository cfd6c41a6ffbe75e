"""Keeping a store's keys: only where they work, never half, and what was there comes back where they do not."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.stores import ConnectedStores
from domain.catalog import Store, StoreId
from domain.connection import StoreHealth, Tokens
from domain.errors import NotPossible, RateLimited, StoreDown, StoreError
from handlers.connect_page_words import NAME_TAKEN
from handlers.failures import sentence_for
from platforms.descriptor import Descriptor

SHOP_CHARS_MOST: Final = 120
"""A shop's account stands in its store's name where several have the same platform."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A store whose keys were kept. `health` is None where it could not be asked yet, for the reason in `trouble`."""

    store: Store
    health: StoreHealth | None
    is_again: bool
    trouble: str = ""


async def keep(
    stores: ConnectedStores,
    store: Store,
    own: Mapping[str, str],
    *,
    is_new: bool,
    tokens: Tokens | None = None,
    even_silent: bool = True,
) -> Kept:
    """Keep the store's own settings, and `tokens` that came with them, where the store takes them.

    Raises the StoreError of a store that says no, with everything as it was before. A store that does not answer is
    kept (`even_silent`) where a code or token may be used up by now, so that what is kept is newer than what was typed.
    """
    sealed = stores.vault.encrypt(json.dumps(dict(own)))
    before = await stores.rows.credentials(store.store_id)
    kept_tokens = stores.supplies.transports.tokens
    old = (await kept_tokens.load(store.store_id)).tokens
    if is_new and not await stores.rows.add(store, sealed):
        raise NotPossible(NAME_TAKEN, name=store.name)
    if not is_new:
        await stores.rows.reconnect(store.store_id, sealed)
    stores.supplies.transports.forget(store.store_id)
    if tokens is not None:
        await _save(stores, store.store_id, tokens)
    try:
        health = await (await stores.open(store.store_id)).check()
    except StoreError as error:
        if even_silent and isinstance(error, StoreDown | RateLimited):
            return Kept(store, None, not is_new, sentence_for(error))
        stores.supplies.transports.forget(store.store_id)
        if is_new:
            await stores.rows.remove(store.store_id)
        elif before is not None:
            await stores.rows.reconnect(store.store_id, before)
            if old is not None:
                await _save(stores, store.store_id, old)
        raise
    return Kept(store, health, not is_new)


async def _save(stores: ConnectedStores, store_id: StoreId, tokens: Tokens) -> None:
    kept = stores.supplies.transports.tokens
    await kept.save(store_id, tokens, was_version=(await kept.load(store_id)).version)


async def store_called(stores: ConnectedStores, team_id: str, descriptor: Descriptor, name: str) -> tuple[Store, bool]:
    """Return the team's store of that name, or a new one, and whether it is new. Raises NotPossible for a taken name."""
    for store in await stores.rows.list(team_id):
        if store.name.casefold() == name.casefold():
            if store.platform is not descriptor.platform:
                raise NotPossible(
                    "Another store is called {name} already: give this one a --name of its own.", name=store.name
                )
            return store, False
    return Store(new_id(descriptor), team_id, descriptor.platform, name), True


async def store_for(
    stores: ConnectedStores, team_id: str, descriptor: Descriptor, own: Mapping[str, str]
) -> tuple[Store, bool]:
    """Return the store that these settings mean, and whether it is new.

    A shop that is connected already, or was, is that very store: what was published there can still be undone.
    """
    shop = shop_in(descriptor, own)
    connected = await stores.rows.list(team_id)
    for store in connected:
        is_alike = bool(shop) and store.platform is descriptor.platform
        if is_alike and shop_in(descriptor, await stores.settings_of(store)) == shop:
            return store, False
    names = [descriptor.label, f"{descriptor.label} {shop or len(connected) + 1}"]
    taken = {store.name.casefold() for store in connected}
    for name in names:
        if name.casefold() in taken:
            continue
        gone = await stores.rows.find_disconnected(team_id, name, shop)
        if gone is not None and gone.platform is descriptor.platform:
            return gone, False
        if not await stores.rows.was_called(team_id, name):
            return Store(new_id(descriptor), team_id, descriptor.platform, name), True
    store_id = new_id(descriptor)
    return Store(store_id, team_id, descriptor.platform, f"{descriptor.label} {store_id[-4:]}"), True


def shop_in(descriptor: Descriptor, settings: Mapping[str, str]) -> str:
    """Return which account of the platform these settings mean, empty where they do not say."""
    words = [settings.get(name, "") for name in (descriptor.shop_setting, "shop_id", "seller_id") if name]
    return "".join(char for char in " ".join(word for word in words if word)[:SHOP_CHARS_MOST] if char.isprintable())


def new_id(descriptor: Descriptor) -> StoreId:
    """Return an id no store has."""
    return StoreId(f"{descriptor.platform.value}-{secrets.token_hex(6)}")
