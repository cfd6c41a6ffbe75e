"""Connecting a store: what it may be used for, the one-time link that asks, and which rights were given and used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from domain.catalog import PlatformName, Store, StoreId
from domain.connection import Scope
from domain.errors import NotPossible
from domain.people import Place

LINK_LIFE: Final = timedelta(minutes=15)
"""How long a link waits to be opened, and then for the vendor's own page to be answered."""
USED_EVERY: Final = timedelta(hours=1)
"""A right's last use is written down at most so often."""
UNUSED_AFTER: Final = timedelta(days=90)
"""From here on a right that nothing has used is one to give back."""


def hashed(code: str) -> str:
    """Return what we keep of a random code, state or browser's name: too long to be guessed back from this."""
    return hashlib.sha256(code.encode()).hexdigest()


class FeatureName(StrEnum):
    """What a store may be used for, as people choose it; spelled as it is typed after `reconnect STORE`."""

    PICTURES = "pictures"
    STOCK = "stock"
    STOCK_WRITING = "stock-writing"
    ORDERS = "orders"
    SHIPPING = "shipping"


@dataclass(frozen=True, slots=True)
class Feature:
    """One use of a store and the rights it takes there.

    `is_needed`: without it nothing works. `is_on`: chosen before anybody chooses; what shows buyers' data never is.
    """

    name: FeatureName
    scopes: tuple[Scope, ...]
    is_needed: bool = False
    is_on: bool = True


@dataclass(frozen=True, slots=True)
class ConnectLink:
    """A link that was handed out. `link_hash` is all we keep of its code; it is good for `member_id` and `team_id` only.

    `store_id` is empty for a new store; `given` what the chat said of it (never a secret); `wanted` the features to
    ask for, empty for the usual ones. `browser_hash` is whose browser has begun with it, `ended` how it ended.
    """

    link_hash: str
    team_id: str
    member_id: str
    place: Place
    platform: PlatformName
    expires_at: datetime
    store_id: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    wanted: tuple[str, ...] = ()
    browser_hash: str = ""
    sealed: bytes | None = field(default=None, repr=False)
    """What must be kept, encrypted, until the vendor's page was answered."""
    ended: str = ""


@dataclass(frozen=True, slots=True)
class GivenScope:
    """A right a store has given us: since when, and when something last used it."""

    name: str
    given_at: datetime
    used_at: datetime | None = None

    def is_unused(self, now: datetime) -> bool:
        """Whether nothing has used it for so long that it should be given back."""
        return now - (self.used_at or self.given_at) >= UNUSED_AFTER


class ConnectRows(Protocol):
    """Links, rights, and what goes when a store is disconnected, in one transaction."""

    async def add_link(self, link: ConnectLink) -> None:
        """Keep a new link."""
        ...

    async def find_link(self, link_hash: str) -> ConnectLink | None:
        """Return it, whatever has become of it."""
        ...

    async def find_asked(self, state_hash: str) -> ConnectLink | None:
        """Return the link whose question a state belongs to, None for a state that is unknown or was used."""
        ...

    async def begin(self, link_hash: str, *, browser_hash: str, now: datetime) -> bool:
        """Reserve a link for one browser; False where it is another's, has ended or is too old."""
        ...

    async def ask(
        self, link_hash: str, *, browser_hash: str, state_hash: str, sealed: bytes, expires_at: datetime
    ) -> None:
        """Keep the question that was put to a vendor; an older one of the same link is forgotten."""
        ...

    async def take_answer(self, state_hash: str, *, now: datetime) -> bool:
        """Use a state up; False when it was used before or came too late."""
        ...

    async def end_link(self, link_hash: str, outcome: str) -> bool:
        """Use a link up; False where it has ended before. What was kept for it goes."""
        ...

    async def give_scopes(self, store: Store, scopes: Sequence[str], *, now: datetime) -> tuple[str, ...]:
        """Keep which rights a store gives now, and return the ones that are new."""
        ...

    async def scopes_of(self, store_id: StoreId) -> Sequence[GivenScope]:
        """Return them by name."""
        ...

    async def moving_at(self, store_id: StoreId) -> Sequence[str]:
        """Return the ids of the placements at a store that a job works on."""
        ...

    async def disconnect(self, store_id: StoreId, *, shop: str, now: datetime) -> bool:
        """Delete a store's keys, tokens and rights; False where that was done before.

        Its row stays for the history, with which `shop` it was: connecting that one again revives it.
        """
        ...


class ScopeUses(Protocol):
    """Remembers that a right was used."""

    async def used(self, store_id: StoreId, scope: str) -> None:
        """Note it; callers tell at most once an hour, and a repeat within the hour writes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """A link as it is sent. `is_local`: only a browser on the machine the bot runs on can open it."""

    url: str
    is_local: bool


class Connecting(Protocol):
    """What the roof knows of the platforms and of our own pages."""

    def platforms(self) -> Mapping[str, PlatformName]:
        """Return those that can be connected, by the words people may use for each; the platform's own word first."""
        ...

    def label(self, platform: PlatformName) -> str:
        """Return how its maker spells it."""
        ...

    def features(self, platform: PlatformName) -> Sequence[Feature]:
        """Return what such a store may be used for."""
        ...

    def given(self, platform: PlatformName, shop: str) -> Mapping[str, str]:
        """Return the settings that a word behind `connect PLATFORM` stands for; none where it takes no word.

        Raises BadInput.
        """
        ...

    def address(self, platform: PlatformName, code: str) -> Address:
        """Return where a link's page is."""
        ...

    def taken_away_at(self, platform: PlatformName) -> str:
        """Return where, at the vendor, a person ends our access, as its menus call it."""
        ...

    async def shop_of(self, store: Store) -> str:
        """Return which account of its platform a store is, empty where its settings do not say."""
        ...

    def forget(self, store_id: StoreId) -> None:
        """Remember nothing of a store's old keys in this process."""
        ...


class NoConnecting:
    """A bot without pages: stores are connected on its command line."""

    def platforms(self) -> Mapping[str, PlatformName]:
        """Return all of them: which is meant is no question of pages."""
        return {platform.value: platform for platform in PlatformName}

    def label(self, platform: PlatformName) -> str:
        """Return the plain name."""
        return platform.value

    def features(self, platform: PlatformName) -> Sequence[Feature]:
        """Return none."""
        return ()

    def given(self, platform: PlatformName, shop: str) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    def address(self, platform: PlatformName, code: str) -> Address:
        """Raise NotPossible."""
        raise NotPossible("Stores are connected on my command line here: `packshot store add {word}`.", word=platform)

    def taken_away_at(self, platform: PlatformName) -> str:
        """Return nothing."""
        return ""

    async def shop_of(self, store: Store) -> str:
        """Return nothing."""
        return ""

    def forget(self, store_id: StoreId) -> None:
        """Do nothing."""


NO_CONNECTING = NoConnecting()
