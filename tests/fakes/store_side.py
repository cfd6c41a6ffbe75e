"""What the roof hands to adapters, for tests: a clock that sleeping moves, tokens and contacts in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.catalog import ListingId, StoreId
from domain.connection import Contact, KeptTokens, Tokens
from domain.errors import RowChanged, StoreError
from platforms.outside import anywhere_near
from platforms.transport import Patience, Transports

QUICK = Patience(
    connect_s=2.0, read_s=0.25, total_s=3.0, pause_most_s=30.0, attempts=4, backoff_s=0.0, backoff_most_s=0.0
)
"""Real sockets on loopback: a server that says nothing is given up after a quarter of a second, and nothing waits between tries."""


@dataclass(slots=True)
class HandTime:
    """One time for everybody: `sleep` moves it, and lets others run."""

    seconds: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)

    def now(self) -> datetime:
        return datetime(2026, 11, 24, 12, tzinfo=UTC) + timedelta(seconds=self.seconds)


@dataclass(slots=True)
class MemoryTokens:
    """TokenStore in a dict, for any number of pretended processes."""

    time: HandTime
    kept: dict[StoreId, KeptTokens] = field(default_factory=dict)
    claims: dict[StoreId, float] = field(default_factory=dict)

    async def load(self, store_id: StoreId) -> KeptTokens:
        return self.kept.get(store_id, KeptTokens(None, 0))

    async def claim(self, store_id: StoreId, *, version: int, seconds: float) -> bool:
        await asyncio.sleep(0)
        is_held = self.claims.get(store_id, 0.0) > self.time.monotonic()
        if is_held or (await self.load(store_id)).version != version:
            return False
        self.claims[store_id] = self.time.monotonic() + seconds
        return True

    async def save(self, store_id: StoreId, tokens: Tokens, *, was_version: int) -> int:
        if (await self.load(store_id)).version != was_version:
            raise RowChanged(f"tokens of {store_id}", was=f"version {was_version}")
        self.kept[store_id] = KeptTokens(tokens, was_version + 1)
        self.claims.pop(store_id, None)
        return was_version + 1

    async def release(self, store_id: StoreId, *, version: int) -> None:
        if (await self.load(store_id)).version == version:
            self.claims.pop(store_id, None)


@dataclass(slots=True)
class MemoryNotes:
    """StoreNotes in a dict; like a database, it outlives an adapter."""

    kept: dict[tuple[StoreId, ListingId], dict[str, str]] = field(default_factory=dict)

    async def keep(self, store_id: StoreId, listing_id: ListingId, name: str, value: str) -> None:
        self.kept.setdefault((store_id, listing_id), {})[name] = value

    async def of_listing(self, store_id: StoreId, listing_id: ListingId) -> Mapping[str, str]:
        return dict(self.kept.get((store_id, listing_id), {}))


@dataclass(slots=True)
class MemoryContacts:
    """Contacts in a dict."""

    time: HandTime
    known: dict[StoreId, Contact] = field(default_factory=dict)
    failures: dict[StoreId, int] = field(default_factory=dict)

    async def went_well(self, store_id: StoreId) -> None:
        self.known[store_id] = Contact(last_ok_at=self.time.now())
        self.failures[store_id] = 0

    async def failed(self, store_id: StoreId, error: StoreError) -> None:
        self.failures[store_id] = self.failures.get(store_id, 0) + 1

    async def went_wrong(self, store_id: StoreId, sentence: str) -> None:
        before = self.known.get(store_id, Contact())
        self.known[store_id] = Contact(before.last_ok_at, sentence, self.time.now())

    async def of(self, store_id: StoreId) -> Contact:
        return self.known.get(store_id, Contact())


def make_transports(time: HandTime, *, tokens: MemoryTokens | None = None, patience: Patience = QUICK) -> Transports:
    """Return transports on a test's time; close them."""
    return Transports(
        tokens=tokens or MemoryTokens(time),
        contacts=MemoryContacts(time),
        clock=time.now,
        monotonic=time.monotonic,
        sleep=time.sleep,
        patience=patience,
        near=anywhere_near,
    )
