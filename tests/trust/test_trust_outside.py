"""No address that other people wrote leads into a private network: by its number, its name, a redirect or a new answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpcore
import httpx
import pytest

from bot.settings import Settings
from bot.stores import reachable_here
from domain.catalog import PlatformName, Store, StoreId
from domain.errors import NotFound, StoreError
from platforms import transport as transport_module
from platforms.outside import NotOutside, OutsideBackend, anywhere_near, is_outside, near_of, nowhere_near
from platforms.transport import Patience, Transports
from platforms.wire import Account, Call, Manners
from tests.fakes.store_side import HandTime, MemoryContacts, MemoryTokens

PUBLIC, ALSO_PUBLIC = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.10", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "203.0.113.7", "224.0.0.1", "255.255.255.255",
    "240.0.0.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd00:ec2::254", "ff02::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1", "2001:0:7f00:1::", "2001:db8::1", "", "localhost", "2130706433", "0x7f.1", "127.1",
]  # fmt: skip


@dataclass
class Sockets(httpcore.AsyncNetworkBackend):
    """Remembers where it was told to connect; `dead` addresses do not answer."""

    dead: set[str] = field(default_factory=set)
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.asked.append((host, port))
        if host in self.dead:
            raise httpcore.ConnectError("nobody there")
        return httpcore.AsyncMockStream([])

    async def sleep(self, seconds: float) -> None:
        raise AssertionError


@dataclass
class Names:
    """Answers for every name in turn; the last answer stays."""

    answers: list[Sequence[str]]
    asked: int = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize("address", INSIDE)
def test_no_such_address_is_outside(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", [PUBLIC, ALSO_PUBLIC, "8.8.8.8", "2002:808:808::", "::ffff:8.8.8.8", "64:ff9b::808:808"])  # fmt: skip
def test_a_public_address_is(address: str) -> None:
    assert is_outside(address)


@pytest.mark.parametrize("address", [address for address in INSIDE if address])
async def test_a_name_that_leads_inside_is_not_connected_to(address: str) -> None:
    sockets = Sockets()
    for found in ([address], [PUBLIC, address], [address, PUBLIC]):
        with pytest.raises(NotOutside):
            await OutsideBackend(sockets, nowhere_near, Names([found])).connect_tcp("shop.example", 443)
    assert sockets.asked == []


async def test_the_connection_goes_to_the_address_that_was_looked_at() -> None:
    """A name that answers otherwise a moment later (DNS rebinding) is never asked again."""
    sockets, names = Sockets(dead={PUBLIC}), Names([[PUBLIC, ALSO_PUBLIC], ["127.0.0.1"]])
    await OutsideBackend(sockets, nowhere_near, names).connect_tcp("shop.example", 443, timeout=5)
    assert sockets.asked == [(PUBLIC, 443), (ALSO_PUBLIC, 443)]
    assert names.asked == 1


@pytest.mark.parametrize("port", [0, 21, 22, 23, 25, 53, 80, 110, 389, 445, 993])
async def test_no_shop_listens_on_such_a_port(port: int) -> None:
    with pytest.raises(NotOutside):
        await OutsideBackend(Sockets(), nowhere_near, Names([[PUBLIC]])).connect_tcp("shop.example", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
async def test_this_machine_is_reached_only_where_a_setting_points(host: str) -> None:
    sockets = Sockets()
    names = Names([["127.0.0.1"]])
    near = near_of([f"http://{f'[{host}]' if ':' in host else host}:8099/api", "https://{shop}", ""])
    await OutsideBackend(sockets, near, names).connect_tcp(host, 8099)
    assert sockets.asked == [(host, 8099)]
    for port in (8098, 443, 5432):
        with pytest.raises(NotOutside):
            await OutsideBackend(sockets, near, names).connect_tcp(host, port)
    with pytest.raises(NotOutside):
        await OutsideBackend(sockets, near_of(["https://10.0.0.1:8099"]), names).connect_tcp("10.0.0.1", 8099)


def test_only_the_deployment_says_what_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHOPIFY_API_URL", "ETSY_API_URL", "WOOCOMMERCE_ALLOW_HTTP"):
        monkeypatch.delenv(name, raising=False)
    closed = reachable_here(Settings(_env_file=None))
    pointed = reachable_here(Settings(_env_file=None, ETSY_API_URL="http://127.0.0.1:4010"))
    woo = reachable_here(Settings(_env_file=None, WOOCOMMERCE_ALLOW_HTTP=True))
    assert [near("127.0.0.1", 4010) for near in (closed, pointed, woo)] == [False, True, True]
    assert not pointed("127.0.0.1", 4011)


@dataclass
class Inside:
    """A server of this machine that nobody outside should reach. `heard` counts connections."""

    port: int
    heard: int = 0


@asynccontextmanager
async def inside() -> AsyncIterator[Inside]:
    there = Inside(0)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there.heard += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, family=socket.AF_INET)
    there.port = server.sockets[0].getsockname()[1]
    async with server:
        yield there


def calls(base_url: str, transports: Transports) -> transport_module.Transport:
    store = Store(StoreId("s1"), "team", PlatformName.WOOCOMMERCE, "Teeladen")
    return transports.open(Account(store, base_url), Manners())


async def test_a_shop_whose_name_leads_here_hears_one_sentence_and_this_machine_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Through the real client: httpx asks our backend, and a refused address is not tried again."""
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def lookup(host: str, *rest: Any, **more: Any) -> Any:
        looked_up.append(host)
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    time = HandTime()
    async with inside() as there:
        async with Transports(MemoryTokens(time), MemoryContacts(time), time.now, patience=Patience()) as transports:
            shop = calls(f"https://shop.example:{there.port}", transports)
            with pytest.raises(NotFound, match="leads into a private network") as refusal:
                await shop.send(Call("look", "GET", "/", is_repeatable=True))
            assert str(refusal.value).count(". ") == 0
            for url in (f"https://127.0.0.1:{there.port}", f"http://127.0.0.1:{there.port}"):
                with pytest.raises(StoreError):
                    await calls(url, transports).send(Call("look", "GET", "/", is_repeatable=True))
        assert (there.heard, looked_up) == (0, ["shop.example", "127.0.0.1", "127.0.0.1"])
        async with Transports(MemoryTokens(time), MemoryContacts(time), time.now, near=anywhere_near) as transports:
            answer = await calls(f"http://127.0.0.1:{there.port}", transports).send(
                Call("look", "GET", "/", is_repeatable=True)
            )
            assert (answer.content, there.heard) == (b"secret", 1)
    assert [record.message for record in caplog.records if record.name == "packshot.stores"] == ["address refused"] * 3


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data/", "https://169.254.169.254/", "https://[::1]/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_", "//10.0.0.1/", "https://shop.example.evil.example/", "https://shop.example@127.0.0.1/"])  # fmt: skip
async def test_a_redirect_leads_nowhere_else(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": target})

    time = HandTime()
    transports = Transports(MemoryTokens(time), MemoryContacts(time), time.now)
    transports._client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    async with transports:
        with pytest.raises(StoreError):
            await calls("https://shop.example", transports).send(Call("look", "GET", "/", is_repeatable=True))
    assert set(asked) == {"https://shop.example/"}


def test_a_proxy_of_the_environment_still_serves_the_world_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    from platforms.outside import proxies
    from platforms.transport import LIMITS, _trusted

    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "internal.example")
    found = proxies(_trusted(), LIMITS)
    assert found["https://"] is not None
    assert found["all://127.0.0.1"] is None
    assert found["all://internal.example"] is None
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.delenv("https_proxy", raising=False)
    assert proxies(_trusted(), LIMITS) == {}
