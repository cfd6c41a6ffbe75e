"""How a connected store is doing, and the keys that open it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.catalog import ListingId, Store, StoreId
from domain.errors import StoreError


@dataclass(frozen=True, slots=True)
class Scope:
    """A right at the store in its own word, and what we need it for in ours."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """What a store says of itself and of us. `account` is the name the store goes by there.

    `listing_count` and `url` (where people see the shop) come from the same few calls, none of them a listing.
    `scopes` is what we hold, `missing` what a feature would need on top; `notes` are sentences that end in
    what to do (a secret that must be changed by a day, a shop that is closed). `key_expires_at` is when
    somebody has to connect again, None when never; a key that renews itself does not expire.
    """

    account: str
    listing_count: int
    url: str = ""
    scopes: tuple[str, ...] = ()
    missing: tuple[Scope, ...] = ()
    key_expires_at: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token and what renews it. Never in a `repr`, a log or an error."""

    access: str = field(repr=False)
    expires_at: datetime | None = None
    refresh: str = field(default="", repr=False)
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptTokens:
    """The tokens as they are kept: `version` rises by one a save, 0 when none was saved yet."""

    tokens: Tokens | None
    version: int


class TokenStore(Protocol):
    """Where the tokens of every store are kept, encrypted, for all processes."""

    async def load(self, store_id: StoreId) -> KeptTokens:
        """Return what is kept now."""
        ...

    async def claim(self, store_id: StoreId, *, version: int, seconds: float) -> bool:
        """Reserve the right to renew version `version` for so long; False when another one has it or was first.

        With a refresh token that dies on use, two that renew at once would lose the store.
        """
        ...

    async def save(self, store_id: StoreId, tokens: Tokens, *, was_version: int) -> int:
        """Keep them durably and return the new version; ends the claim. Raises RowChanged when another was first."""
        ...

    async def release(self, store_id: StoreId, *, version: int) -> None:
        """Give a claim back without new tokens."""
        ...


class StoreNotes(Protocol):
    """What an adapter must remember of a listing where the store has no place for it (a picture has no tag there)."""

    async def keep(self, store_id: StoreId, listing_id: ListingId, name: str, value: str) -> None:
        """Keep it durably before this returns; the same name again replaces it."""
        ...

    async def of_listing(self, store_id: StoreId, listing_id: ListingId) -> Mapping[str, str]:
        """Return a listing's notes by name."""
        ...


@dataclass(frozen=True, slots=True)
class Contact:
    """When a store last answered, and what went wrong since; `trouble` is empty when nothing did."""

    last_ok_at: datetime | None = None
    trouble: str = ""
    trouble_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoreHint:
    """That something changed at a store, told by the store itself. `key` is the same when it is told again.

    `topic` is the vendor's word (`product.updated`), `subject` the vendor's id of what changed. Never more: what it
    is now is read from the store.
    """

    key: str
    topic: str
    subject: str


class StoreHints(Protocol):
    """Keeps what stores tell of their own accord."""

    async def keep(self, store: Store, hint: StoreHint) -> bool:
        """Keep it durably; False when it was known before."""
        ...


class Contacts(Protocol):
    """Remembers how talking to each store went."""

    async def went_well(self, store_id: StoreId) -> None:
        """Note an answer; callers tell at most once a minute."""
        ...

    async def went_wrong(self, store_id: StoreId, sentence: str) -> None:
        """Note a failure that only a person can mend."""
        ...

    async def failed(self, store_id: StoreId, error: StoreError) -> None:
        """Count a call that came to nothing after every try; `went_well` begins anew."""
        ...

    async def of(self, store_id: StoreId) -> Contact:
        """Return what is known; nothing for a store nobody talked to."""
        ...
