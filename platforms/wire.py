"""One call to a store and its answer, as plain values; where calls may go, and what no text may carry."""

from __future__ import annotations

import ipaddress
import json
import math
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlsplit

from domain.catalog import Store
from domain.errors import Ambiguous, NotFound, StoreDown, StoreError
from platforms.buckets import WHOLE_ACCOUNT, Buckets, Rate

MAX_ANSWER_BYTES: Final = 20_000_000
"""No page of any store's API comes near it; pictures and bulk files say their own."""
SHORTEST_SECRET: Final = 6
"""Shorter ones would cut holes into ordinary words."""
SAID_MOST_CHARS: Final = 300

UploadedFile = tuple[str, bytes, str]
"""Name, bytes, content type."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `operation` names it in buckets, logs and counts, spelled as the vendor does.

    `url` is a path under the account's `base_url`, or an address on one of its hosts. `is_repeatable`: doing it
    twice leaves the store as doing it once does (every read, an absolute write); only such a call is tried again
    after it may have been heard. `scope` is the right it needs. `cost` is in the bucket's points.
    """

    operation: str
    method: str
    url: str
    is_repeatable: bool
    params: Mapping[str, str | int] | Sequence[tuple[str, str | int]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    files: Mapping[str, UploadedFile] | None = None
    content: bytes | None = None
    scope: str = ""
    is_signed: bool = True
    cost: float = 1.0
    max_bytes: int = MAX_ANSWER_BYTES
    total_s: float | None = None
    """The longest it may take in all, None for the transport's own patience."""


@dataclass(frozen=True, slots=True)
class Account:
    """A store's addresses. `hosts` beside `base_url`'s own: exact names, or `.suffix` for all under it.

    `secrets` are cut out of every text that leaves platforms/. `withheld` are rights that the seller left out where the
    vendor gives all or nothing: no call that needs one is made.
    """

    store: Store
    base_url: str
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    withheld: frozenset[str] = frozenset()

    @property
    def own_host(self) -> str:
        """The host whose calls are signed."""
        return (urlsplit(self.base_url).hostname or "").lower()

    def address(self, url: str) -> str:
        """Return the whole address. Raises NotFound for one that is not this store's, or not https.

        Loopback, plain http included, is a store's only where its own address is on loopback: tests, tunnels.
        """
        full = url if "://" in url else f"{self.base_url.rstrip('/')}/{url.lstrip('/')}"
        if not self.has(full):
            raise NotFound(f"An address of {self.store.name} leads to another host.", store=self.store.name)
        return full

    def has(self, url: str) -> bool:
        """Whether an address belongs to this store."""
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").lower()
            is_plain = parts.username is None and parts.password is None
        except ValueError:
            return False
        if not host or not is_plain:
            return False
        if is_loopback(self.own_host) and is_loopback(host):
            return parts.scheme in {"http", "https"}
        if parts.scheme != "https" or is_loopback(host):
            return False
        return host == self.own_host or any(
            host.endswith(known) if known.startswith(".") else host == known for known in self.hosts
        )

    def is_own(self, url: str) -> bool:
        """Whether calls to this address may carry the key: the API's very host and port."""
        here, there = urlsplit(self.base_url), urlsplit(url)
        return (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, read whole. Header names are lower case."""

    call: Call
    store: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the body as JSON. Where it is none, raises StoreDown, or Ambiguous after a write that cannot be repeated."""
        problem = ""
        if not self.content.strip():
            problem = "answered with nothing"
        elif self.content.lstrip()[:1] == b"<":
            problem = "answered with a web page instead of data"
        else:
            try:
                return json.loads(self.content)
            except (ValueError, RecursionError):
                problem = "gave an answer that breaks off or cannot be read"
        raise unsure(self.call, self.store, f"{self.store} {problem}.")

    def said(self) -> str:
        """Return the start of the body for a person, nothing of a web page."""
        text = " ".join(self.content[: 4 * SAID_MOST_CHARS].decode("utf-8", "replace").split())
        return "" if text.startswith("<") else text[:SAID_MOST_CHARS]


def unsure(call: Call, store: str, message: str) -> StoreError:
    """Return what it means that a call may or may not have been done: StoreDown where a repeat settles it."""
    return StoreDown(message, store=store) if call.is_repeatable else Ambiguous(message, store=store)


def _not_refused(_answer: Answer) -> StoreError | None:
    return None


def _no_lesson(_answer: Answer, _buckets: Buckets) -> None:
    return None


def _is_unauthorised(answer: Answer) -> bool:
    return answer.status == 401


@dataclass(frozen=True, slots=True)
class Manners:
    """How a vendor talks. `refused` reads any answer, a 200 too, and returns its error, None for the plain
    meaning of its status; `learn` corrects the buckets; `is_key_rejected` says when a renewed key may help.
    """

    rates: Mapping[str, Rate] = field(default_factory=lambda: {WHOLE_ACCOUNT: Rate(4.0, 8.0)})
    refused: Callable[[Answer], StoreError | None] = _not_refused
    learn: Callable[[Answer, Buckets], None] = _no_lesson
    is_key_rejected: Callable[[Answer], bool] = _is_unauthorised


def retry_after_s(value: str | None, *, now: datetime) -> float | None:
    """Return a Retry-After in seconds from now, 0 for a date that has passed; None where it says nothing usable."""
    if value is None or not value.strip():
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (aware - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return the text without any of these secrets, the longest first, in whatever spelling a store gives them back."""
    long_enough = {one for one in secrets if len(one) >= SHORTEST_SECRET}
    ways = {
        way for secret in long_enough for way in (secret, quote(secret, safe=""), quote_plus(secret), _encoded(secret))
    }
    for way in sorted(ways, key=len, reverse=True):
        text = text.replace(way, "•••")
    return text


def _encoded(secret: str) -> str:
    return b64encode(secret.encode(errors="replace")).decode().rstrip("=")
