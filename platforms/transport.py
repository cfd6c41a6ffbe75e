"""The one way to every store over http: patience, limits, keys, and errors that mean something.

What a call may have done decides everything. A read, or a write that may be repeated, is tried again with
jittered back-off and ends in StoreDown; any other call that may have been heard ends in Ambiguous at once,
and the adapter reads back. A call that was surely not done (no connection, 429) is always safe to repeat.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, Protocol, Self
from urllib.parse import urljoin
from weakref import WeakValueDictionary

import httpcore
import httpx
import stamina

from domain.catalog import StoreId
from domain.connecting import USED_EVERY, ScopeUses
from domain.connection import Contacts, TokenStore
from domain.errors import (
    Fault,
    MissingScope,
    NeedsReconnect,
    NotFound,
    RateLimited,
    RejectedByStore,
    StoreDown,
    StoreError,
)
from domain.ports import Clock
from platforms.buckets import Buckets, Monotonic, Sleep, WaitTooLong
from platforms.outside import Near, NotOutside, OutsideBackend, OutsideTransport, nowhere_near, proxies
from platforms.tokens import Renew, TokenKeeper, TokenMemory
from platforms.wire import Account, Answer, Call, Manners, redacted, retry_after_s, unsure

log = logging.getLogger("packshot.stores")

REDIRECTS_MOST: Final = 3
LIMITS: Final = httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=5.0)
"""An idle connection is dropped after 5 s: a store that closed it first would make a write Ambiguous for nothing."""
TELL_EVERY_S: Final = 60.0
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long we wait, in seconds. `pause_most_s` is the longest pause we sit out instead of RateLimited."""

    connect_s: float = 5.0
    read_s: float = 30.0
    total_s: float = 90.0
    pause_most_s: float = 30.0
    attempts: int = 4
    backoff_s: float = 0.5
    backoff_most_s: float = 8.0


class Key(Protocol):
    """What signs calls: FixedKey or RenewedKey in platforms/tokens.py."""

    async def headers(self) -> Mapping[str, str]:
        """Return the headers that prove who we are."""
        ...

    async def renewed(self, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        """Return other headers than the refused ones, None where there are none."""
        ...


class _Again(Exception):
    """Worth another try; `error` is what it ends in."""

    def __init__(self, error: StoreError) -> None:
        super().__init__(str(error))
        self.error = error


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates we trust, read once a process: it takes 70 ms."""
    return httpx.create_ssl_context()


@dataclass(slots=True)
class Transports:
    """What all stores of a process share: one client, and each account's buckets and tokens. Close it."""

    tokens: TokenStore
    contacts: Contacts
    clock: Clock
    monotonic: Monotonic = time.monotonic
    sleep: Sleep = asyncio.sleep
    patience: Patience = Patience()
    near: Near = nowhere_near
    uses: ScopeUses | None = None
    """Told which rights are used; None where nobody asks."""
    _client: httpx.AsyncClient | None = None
    _buckets: dict[StoreId, Buckets] = field(default_factory=dict)
    _memories: dict[StoreId, TokenMemory] = field(default_factory=dict)
    told_at: dict[StoreId, float] = field(default_factory=dict)
    used_at: dict[tuple[StoreId, str], float] = field(default_factory=dict)
    _turns: WeakValueDictionary[tuple[StoreId, str], asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    @property
    def client(self) -> httpx.AsyncClient:
        """The client, made at first use."""
        if self._client is None:
            patience, trusted = self.patience, _trusted()
            backend = OutsideBackend(httpcore.AnyIOBackend(), self.near)
            self._client = httpx.AsyncClient(
                transport=OutsideTransport(trusted=trusted, limits=LIMITS, backend=backend),
                timeout=httpx.Timeout(patience.read_s, connect=patience.connect_s, pool=patience.total_s),
                follow_redirects=False,
                # One store's cookies are nothing to another.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                # A proxy of the environment serves the world outside, never this machine.
                mounts=proxies(trusted, LIMITS),
                headers={"user-agent": "Packshot/1.0 (Language=Python)"},
            )
        return self._client

    def open(self, account: Account, manners: Manners, key: Key | None = None) -> Transport:
        """Return the way to one account; its buckets are the same for everybody who opens it."""
        store_id = account.store.store_id
        if store_id not in self._buckets:
            self._buckets[store_id] = Buckets(manners.rates, self.monotonic, self.sleep)
        return Transport(self, account, manners, key, self._buckets[store_id])

    def forget(self, store_id: StoreId) -> None:
        """Remember nothing of a store's old keys: it was connected anew, or taken away."""
        self._memories.pop(store_id, None)
        self.told_at.pop(store_id, None)
        for key in [key for key in self.used_at if key[0] == store_id]:
            del self.used_at[key]

    def keeper(self, account: Account, renew: Renew) -> TokenKeeper:
        """Return the keeper of an account's tokens; `renew` asks the vendor for new ones."""
        store_id = account.store.store_id
        memory = self._memories.setdefault(store_id, TokenMemory())
        return TokenKeeper(store_id, account.store.name, renew, self.tokens, self.clock, self.sleep, memory)


@dataclass(frozen=True, slots=True)
class Transport:
    """The way to one account."""

    shared: Transports
    account: Account
    manners: Manners
    key: Key | None
    buckets: Buckets

    def turn(self, what: str) -> asyncio.Lock:
        """Return the lock of one thing of this account, the same for all of this process who change it.

        Where a store replaces a list as a whole, two who read it first and then write lose one another's change.
        """
        return self.shared._turns.setdefault((self.account.store.store_id, what), asyncio.Lock())

    async def send(self, call: Call) -> Answer:
        """Do a call and return its 2xx answer.

        Raises RateLimited, NeedsReconnect, MissingScope, NotFound, RejectedByStore, StoreDown, Ambiguous, or
        StoreError for a status we do not know. No text of theirs carries a secret of the account.
        """
        patience = self.shared.patience
        address = self.account.address(call.url)
        if call.scope in self.account.withheld:
            raise MissingScope(store=self._name, scope=call.scope)
        try:
            async for attempt in stamina.retry_context(
                on=_Again,
                attempts=patience.attempts,
                timeout=None,
                wait_initial=patience.backoff_s,
                wait_max=patience.backoff_most_s,
                wait_jitter=patience.backoff_s,
            ):
                with attempt:
                    answer = await self._signed(call, address)
                    await self._went_well()
                    await self._used(call.scope)
                    return answer
        except _Again as last:
            if isinstance(last.error, StoreDown):
                await self._failed(last.error)
            raise last.error from last.__cause__
        except (NeedsReconnect, MissingScope) as error:
            await self._went_wrong(error)
            await self._failed(error)
            raise
        raise AssertionError("stamina returns or raises")

    async def _signed(self, call: Call, address: str) -> Answer:
        """Do it once, with another key where the store refuses the first."""
        if self.key is None or not call.is_signed or not self.account.is_own(address):
            return self._judged(await self._paced(call, address, {}))
        headers = await self.key.headers()
        answer = await self._paced(call, address, headers)
        if self.manners.is_key_rejected(answer) and (other := await self.key.renewed(headers)):
            headers = other
            answer = await self._paced(call, address, headers)
        return self._judged(answer, secrets=tuple(headers.values()))

    async def _paced(self, call: Call, address: str, signed: Mapping[str, str], *, hops: int = 0) -> Answer:
        try:
            await self.buckets.take(call.operation, cost=call.cost, patience_s=self.shared.patience.pause_most_s)
        except WaitTooLong as error:
            raise RateLimited(store=self._name, retry_after_s=error.seconds) from error
        started = self.shared.monotonic()
        try:
            answer = await self._once(call, address, signed)
        finally:
            self.buckets.settle(call.operation, cost=call.cost)
        took_ms = round((self.shared.monotonic() - started) * 1000)
        log.debug("store call", extra={"operation": call.operation, "status": answer.status, "ms": took_ms})
        self.manners.learn(answer, self.buckets)
        if answer.status not in {301, 302, 303, 307, 308}:
            return answer
        target = urljoin(address, answer.headers.get("location", ""))
        if call.method == "GET" and hops < REDIRECTS_MOST and self.account.has(target):
            kept = signed if self.account.is_own(target) else {}
            return await self._paced(call, target, kept, hops=hops + 1)
        raise unsure(call, self._name, f"{self._name} sent me on to another address.")

    async def _once(self, call: Call, address: str, signed: Mapping[str, str]) -> Answer:
        if not all(value.isascii() and value.isprintable() for value in signed.values()):
            raise NeedsReconnect("The key has a character in it that no key has.", store=self._name)
        params = call.params.items() if isinstance(call.params, Mapping) else call.params
        request = self.shared.client.build_request(
            call.method,
            address,
            params=list(params) or None,
            headers={**call.headers, **signed},
            json=call.json,
            data=call.form,
            files=call.files,
            content=call.content,
        )
        try:
            async with asyncio.timeout(call.total_s or self.shared.patience.total_s):
                response = await self.shared.client.send(request, stream=True)
                try:
                    return Answer(
                        call, self._name, response.status_code, dict(response.headers), await self._body(call, response)
                    )
                finally:
                    await response.aclose()
        except _NOT_SENT as error:
            if isinstance(error.__cause__, NotOutside):
                log.warning(
                    "address refused", extra={"store": self.account.store.store_id, "why": str(error.__cause__)}
                )
                raise NotFound(
                    f"An address of {self._name} leads into a private network or onto a closed port, and I do not go "
                    "there: check the shop's address.",
                    store=self._name,
                ) from error
            raise _Again(StoreDown(f"{self._name} cannot be reached.", store=self._name)) from error
        except (httpx.HTTPError, httpx.StreamError, TimeoutError) as error:
            lost = unsure(call, self._name, f"{self._name} broke off in the middle ({type(error).__name__}).")
            if call.is_repeatable:
                raise _Again(lost) from error
            raise lost from error

    async def _body(self, call: Call, response: httpx.Response) -> bytes:
        """Read the answer, never more than the call allows. Raises StoreDown, or Ambiguous after a write."""
        announced = response.headers.get("content-length", "")
        parts: list[bytes] = []
        size_bytes = int(announced) if announced.isdecimal() and "content-encoding" not in response.headers else 0
        if size_bytes <= call.max_bytes:
            size_bytes = 0
            async for part in response.aiter_bytes():
                size_bytes += len(part)
                if size_bytes > call.max_bytes:
                    break
                parts.append(part)
            else:
                return b"".join(parts)
        raise unsure(
            call, self._name, f"{self._name} sent more than {call.max_bytes / 1e6:.0f} MB, so I stopped reading."
        )

    def _judged(self, answer: Answer, *, secrets: tuple[str, ...] = ()) -> Answer:
        """Return a good answer, raise the error of any other."""
        error = self.manners.refused(answer)
        if error is None and 200 <= answer.status < 300:
            return answer
        error = error or self._plain_meaning(answer)
        words = tuple(word for secret in secrets for word in secret.split())
        error.args = tuple(
            redacted(part, (*self.account.secrets, *secrets, *words)) if isinstance(part, str) else part
            for part in error.args
        )
        if isinstance(error, RateLimited):
            self.buckets.pause(answer.call.operation, error.retry_after_s)
            if error.retry_after_s <= self.shared.patience.pause_most_s:
                raise _Again(error)
        elif answer.call.is_repeatable and isinstance(error, StoreDown):
            raise _Again(error)
        raise error

    def _plain_meaning(self, answer: Answer) -> StoreError:
        """Return what a status means where the vendor says nothing more precise."""
        status, said, store = answer.status, answer.said(), self._name
        match status:
            case 400 | 409 | 413 | 415 | 422:
                return RejectedByStore(said or f"status {status}", store=store, field="")
            case 401:
                return NeedsReconnect(f"{store} does not accept the key.", store=store)
            case 403:
                return MissingScope(store=store, scope=answer.call.scope)
            case 404 | 410:
                return NotFound(f"{store} has no such thing.", store=store)
            case 429:
                return RateLimited(store=store, retry_after_s=self._pause_s(answer))
            case _ if status >= 500 or status in {408, 425}:
                if "retry-after" in answer.headers:
                    self.buckets.pause(answer.call.operation, self._pause_s(answer))
                return unsure(answer.call, store, f"{store} has trouble of its own (status {status}).")
            case _:
                return StoreError(f"status {status} {said}".strip(), store=store)

    def _pause_s(self, answer: Answer) -> float:
        named = retry_after_s(answer.headers.get("retry-after"), now=self.shared.clock())
        return self.buckets.seconds_for_one(answer.call.operation) if named is None else named

    @property
    def _name(self) -> str:
        return self.account.store.name

    async def _went_well(self) -> None:
        store_id, now = self.account.store.store_id, self.shared.monotonic()
        if now - self.shared.told_at.get(store_id, float("-inf")) < TELL_EVERY_S:
            return
        self.shared.told_at[store_id] = now
        # Whether the note is kept must not decide over a call that was done.
        with suppress(Fault):
            await self.shared.contacts.went_well(store_id)

    async def _used(self, scope: str) -> None:
        """Tell that a right was used, at most once an hour."""
        key, now = (self.account.store.store_id, scope), self.shared.monotonic()
        uses = self.shared.uses
        if uses is None or not scope or now - self.shared.used_at.get(key, float("-inf")) < USED_EVERY.total_seconds():
            return
        self.shared.used_at[key] = now
        # As above: the call is done.
        with suppress(Fault):
            await uses.used(*key)

    async def _went_wrong(self, error: StoreError) -> None:
        self.shared.told_at.pop(self.account.store.store_id, None)
        with suppress(Fault):
            await self.shared.contacts.went_wrong(self.account.store.store_id, str(error))

    async def _failed(self, error: StoreError) -> None:
        self.shared.told_at.pop(self.account.store.store_id, None)
        with suppress(Fault):
            await self.shared.contacts.failed(self.account.store.store_id, error)
