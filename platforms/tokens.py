"""The access token of one store: renewed once, whoever asks, and kept before it is used.

A rotating refresh token dies on use. So a renewal is claimed in the database first (one process), done
under a lock (one task), saved, and only then used; who comes second reads what the first one saved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from domain.catalog import StoreId
from domain.connection import KeptTokens, Tokens, TokenStore
from domain.errors import Ambiguous, NeedsReconnect, RowChanged, StoreDown
from domain.ports import Clock
from platforms.buckets import Sleep

EARLY: Final = timedelta(seconds=60)
"""Renew so long before the end: a call that starts now must still be valid when it arrives."""
CLAIM_S: Final = 60.0
"""Longer than a renewal's own time-out; whoever died in between holds up the others no longer than this."""
LOOK_AGAIN_S: Final = 0.25

Renew = Callable[[Tokens | None], Awaitable[Tokens]]
"""Asks the vendor for new tokens; raises NeedsReconnect when it takes the old ones no more."""


@dataclass(slots=True)
class TokenMemory:
    """What the tasks of this process share about one store's tokens."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    kept: KeptTokens | None = None


@dataclass(frozen=True, slots=True)
class TokenKeeper:
    """Hands out the access token of one store."""

    store_id: StoreId
    store_name: str
    renew: Renew
    tokens: TokenStore
    clock: Clock
    sleep: Sleep
    memory: TokenMemory = field(default_factory=TokenMemory)

    async def current(self) -> Tokens:
        """Return tokens that are good for a minute more. Raises NeedsReconnect, StoreDown."""
        kept = self.memory.kept
        if kept is not None and (fresh := self._fresh(kept)):
            return fresh
        async with self.memory.lock:
            kept = await self.tokens.load(self.store_id)
            if fresh := self._fresh(kept):
                self.memory.kept = kept
                return fresh
            return await self._renewed(kept)

    async def after_rejection(self, access: str) -> Tokens:
        """Return other tokens than the ones the store has just refused. Raises NeedsReconnect, StoreDown."""
        async with self.memory.lock:
            kept = await self.tokens.load(self.store_id)
            if kept.tokens is not None and kept.tokens.access != access and (fresh := self._fresh(kept)):
                self.memory.kept = kept
                return fresh
            return await self._renewed(kept)

    def _fresh(self, kept: KeptTokens) -> Tokens | None:
        tokens = kept.tokens
        if tokens is None or not tokens.access:
            return None
        is_good = tokens.expires_at is None or tokens.expires_at - EARLY > self.clock()
        return tokens if is_good else None

    async def _renewed(self, kept: KeptTokens) -> Tokens:
        """Renew under a claim; where another process has it, wait for what it saves."""
        waited_s = 0.0
        while not await self.tokens.claim(self.store_id, version=kept.version, seconds=CLAIM_S):
            latest = await self.tokens.load(self.store_id)
            if latest.version != kept.version:
                if fresh := self._fresh(latest):
                    self.memory.kept = latest
                    return fresh
                kept = latest
                continue
            if waited_s > CLAIM_S:
                raise StoreDown(f"The key of {self.store_name} is being renewed elsewhere.", store=self.store_name)
            await self.sleep(LOOK_AGAIN_S)
            waited_s += LOOK_AGAIN_S
        try:
            fresh_tokens = await self.renew(kept.tokens)
            version = await self.tokens.save(self.store_id, fresh_tokens, was_version=kept.version)
        except (NeedsReconnect, RowChanged):
            # Somebody connected the store again, or renewed after our claim ran out: theirs is the truth.
            latest = await self.tokens.load(self.store_id)
            if latest.version != kept.version and (fresh := self._fresh(latest)):
                self.memory.kept = latest
                return fresh
            await self.tokens.release(self.store_id, version=kept.version)
            raise
        except Ambiguous as error:
            # Nobody can be asked whether a token was made; the next try finds out.
            await self.tokens.release(self.store_id, version=kept.version)
            raise StoreDown(str(error), store=self.store_name) from error
        except BaseException:
            await self.tokens.release(self.store_id, version=kept.version)
            raise
        self.memory.kept = KeptTokens(fresh_tokens, version)
        return fresh_tokens


@dataclass(frozen=True, slots=True)
class FixedKey:
    """A key that never changes: the same headers on every call."""

    fixed: Mapping[str, str] = field(repr=False)

    async def headers(self) -> Mapping[str, str]:
        """Return them."""
        return self.fixed

    async def renewed(self, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        """Return None: there is no other key."""
        return None


@dataclass(frozen=True, slots=True)
class RenewedKey:
    """Signs with the keeper's token; `headers_for` puts it where the vendor wants it."""

    keeper: TokenKeeper
    headers_for: Callable[[Tokens], Mapping[str, str]]

    async def headers(self) -> Mapping[str, str]:
        """Return the headers of a good token. Raises NeedsReconnect, StoreDown."""
        return self.headers_for(await self.keeper.current())

    async def renewed(self, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        """Return the headers of another token than the refused one, None where there is only the same."""
        kept = self.keeper.memory.kept
        known = kept.tokens if kept else None
        if known is not None and dict(self.headers_for(known)) != dict(rejected):
            return self.headers_for(known)
        fresh = self.headers_for(await self.keeper.after_rejection(known.access if known else ""))
        return None if dict(fresh) == dict(rejected) else fresh


def tokens_in(answer: Any, *, clock: Clock, store: str, refresh: str = "") -> Tokens:
    """Return the tokens of an OAuth token answer (RFC 6749 §5.1); `refresh` stays where it names no new one.

    Raises StoreDown when it has no access token. Times are reckoned from our own clock, so that a wrong clock
    at the store does no harm.
    """
    access = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(access, str) or not access:
        raise StoreDown(f"{store} gave no access token.", store=store)
    now = clock()
    return Tokens(
        access=access,
        expires_at=_after(now, answer.get("expires_in")),
        refresh=str(answer.get("refresh_token") or refresh),
        refresh_expires_at=_after(now, answer.get("refresh_token_expires_in")),
        scopes=tuple(str(answer.get("scope") or "").replace(",", " ").split()),
    )


def _after(now: datetime, seconds: object) -> datetime | None:
    return now + timedelta(seconds=float(seconds)) if isinstance(seconds, int | float) and seconds > 0 else None
