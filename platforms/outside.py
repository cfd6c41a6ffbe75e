"""Connections that lead to the world outside and nowhere else, whatever a name resolves to.

A shop's name, a picture's address and a redirect are other people's words. A name is resolved once, every address it
has must be a public one, and the connection goes to the address that was looked at: a name that answers otherwise a
moment later leads nowhere. This machine itself is reached only where the deployment's own settings say so.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import urllib.request
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import httpcore
import httpx

from platforms.wire import is_loopback

FIRST_FREE_PORT: Final = 1024
"""Below it only 443 is asked for: nobody's mail or database server listens to us by a shop's address."""
ADDRESSES_MOST: Final = 3

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
Near = Callable[[str, int], bool]
"""Whether a host and port of this machine may be asked."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_CLOSED: Final = ipaddress.IPv4Network("192.0.0.0/24")
"""IETF's own, which Python 3.11 takes for public in parts; a cloud's metadata service stands at 192.0.0.192."""
_TRANSLATED: Final = tuple(ipaddress.IPv6Network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48"))


class NotOutside(httpcore.ConnectError):
    """The address leads into a private network, or onto a port that no shop uses. Nothing was sent."""


def nowhere_near(_host: str, _port: int) -> bool:
    """Let nobody reach this machine."""
    return False


def anywhere_near(_host: str, _port: int) -> bool:
    """Let every port of this machine be reached."""
    return True


def near_of(addresses: Iterable[str]) -> Near:
    """Let the hosts and ports of these addresses be reached, as far as they are on this machine."""
    parts = [httpx.URL(address) for address in addresses if address and "{" not in address]
    known = {(one.host, one.port or (443 if one.scheme == "https" else 80)) for one in parts if is_loopback(one.host)}
    return lambda host, port: (host, port) in known


def is_outside(text: str) -> bool:
    """Whether an IP address is a public one: not this machine, a private network, a metadata service or a multicast.

    Of an IPv6 address that carries an IPv4 one (mapped, 6to4, Teredo, NAT64) both must be.
    """
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = _carried(address)
    return _is_public(address) if inner is None else _is_public(inner)


def _is_public(address: Address) -> bool:
    if address in _CLOSED:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return a name's addresses in the order in which this machine would try them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


class OutsideBackend(httpcore.AsyncNetworkBackend):
    """Opens sockets for httpcore."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend, near: Near, lookup: Resolve = resolve) -> None:
        self._inner = inner
        self._near = near
        self._resolve = lookup

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # httpcore's own names
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open one. Raises NotOutside, and what httpcore raises for a host that cannot be reached."""
        if is_loopback(host) and self._near(host, port):
            return await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        addresses = await self._outside(host, port, timeout)
        share_s = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(addresses[-1], port, share_s, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Raise NotOutside: no store listens there."""
        raise NotOutside("a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait, for httpcore."""
        await self._inner.sleep(seconds)

    async def _outside(self, host: str, port: int, timeout_s: float | None) -> Sequence[str]:
        if port != 443 and port < FIRST_FREE_PORT:
            raise NotOutside(f"port {port}")
        try:
            async with asyncio.timeout(timeout_s):
                addresses = (await self._resolve(host, port))[:ADDRESSES_MOST]
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        # All of them: one private address among public ones is a trick, and which one is tried first is chance.
        if not addresses or not all(is_outside(address) for address in addresses):
            raise NotOutside("a private address")
        return addresses


class OutsideTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over our sockets."""

    def __init__(self, *, trusted: ssl.SSLContext, limits: httpx.Limits, backend: httpcore.AsyncNetworkBackend) -> None:
        super().__init__(verify=trusted, limits=limits)
        # httpx hands no network backend on; test_trust_outside.py shows that this one is asked.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=backend,
        )


def proxies(trusted: ssl.SSLContext, limits: httpx.Limits) -> Mapping[str, httpx.AsyncHTTPTransport | None]:
    """Return the ways through the environment's proxy, which then decides what may be reached; none without one.

    A transport of our own makes httpx forget the proxy it would have found by itself.
    """
    found = urllib.request.getproxies()
    proxy = found.get("https") or found.get("all")
    if not proxy:
        return {}
    around = [each.strip().lstrip(".") for each in found.get("no", "").split(",") if each.strip()]
    mounts: dict[str, httpx.AsyncHTTPTransport | None] = {
        "https://": httpx.AsyncHTTPTransport(verify=trusted, limits=limits, proxy=proxy)
    }
    # None: by our own transport.
    for host in ("127.0.0.1", "localhost", "[::1]", *around):
        mounts[f"all://{host}"] = mounts[f"all://*.{host}"] = None
    return mounts
