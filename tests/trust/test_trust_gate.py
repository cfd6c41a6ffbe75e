"""The gate: what is refused before any route sees it, and the headers of every answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.gate import HEADER_BYTES_MOST, HEADERS, HEADERS_MOST, HSTS, PATH_BYTES_MOST, QUERY_BYTES_MOST, Doorplate, Gate
from bot.gate_rules import HOOK, Rule, rules
from bot.rates import Rate, Rates
from bot.settings import networks_in

HOST = "shop.example"
OWN_POLICY = "default-src 'self'"
UPLOAD = 200_000


@dataclass(slots=True)
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class House:
    """An application of two routes behind the gate. `bodies` is what its route read whole."""

    clock: Clock = field(default_factory=Clock)
    bodies: list[int] = field(default_factory=list)
    forever: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: Request) -> Response:
        self.bodies.append(len(await request.body()))
        return PlainTextResponse("taken")

    async def page(self, request: Request) -> Response:
        return HTMLResponse("<p>here</p>", headers={"Content-Security-Policy": OWN_POLICY})

    async def slow_answer(self, request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"first"
            await asyncio.sleep(0.03)
            yield b", last"

        return StreamingResponse(parts())

    async def hang(self, request: Request) -> Response:
        await request.body()
        await self.forever.wait()
        return PlainTextResponse("never")

    def app(self, *, trusted: str = "", https: bool = False, table: tuple[Rule, ...] = ()) -> Starlette:
        paths = ("/slack/events", "/console/say", "/connect/etsy", "/shelf", "/new")
        gate = Middleware(
            Gate,
            rules=(*table, *rules(upload_bytes=UPLOAD)),
            plate=Doorplate(frozenset({HOST}), https, networks_in(trusted)),
            rates=Rates(),
            monotonic=self.clock,
        )
        routes = [Route(path, self.take, methods=["GET", "POST", "PUT"]) for path in paths]
        return Starlette(
            middleware=[gate],
            routes=[*routes, Route("/console", self.page), Route("/slow", self.hang), Route("/big", self.slow_answer)],
        )


@pytest.fixture
def house() -> House:
    return House()


def at(app: Starlette, *, peer: str = "203.0.113.9") -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=(peer, 40_000)),
        base_url=f"https://{HOST}",
        headers={"Origin": f"https://{HOST}"},
    )


async def chunks(total: int, size: int = 10_000) -> AsyncIterator[bytes]:
    for start in range(0, total, size):
        yield b"x" * min(size, total - start)


async def test_every_answer_has_the_headers_and_a_page_keeps_its_own_policy(house: House) -> None:
    async with at(house.app()) as http:
        shelf, page, refused, missing = [
            await http.get(path) for path in ("/shelf", "/console", "/console?" + "x" * 9_000, "/no/such/thing")
        ]
        for answer in (shelf, page, refused, missing):
            for name, value in HEADERS.items():
                if answer is not page or name != "Content-Security-Policy":
                    assert answer.headers[name] == value, (answer.url, name)
            assert "strict-transport-security" not in answer.headers
    assert page.headers.get_list("content-security-policy") == [OWN_POLICY]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"]


async def test_browsers_are_held_to_https_where_the_public_address_is_https(house: House) -> None:
    async with at(house.app(https=True)) as http:
        assert (await http.get("/shelf")).headers["strict-transport-security"] == HSTS


@pytest.mark.parametrize("path", ["/console", "/console/say", "/connect/etsy", "/new"])
async def test_a_page_is_not_there_for_a_foreign_host(house: House, path: str) -> None:
    async with at(house.app()) as http:
        for host in ("evil.example", "shop.example.evil.example", "shop.example:81", "", "127.0.0.1"):
            answer = await http.get(path, headers={"Host": host})
            assert answer.status_code == 421, host
        assert (await http.get(path, headers={"Host": HOST.upper()})).status_code == 200


async def test_what_a_machine_asks_needs_no_host(house: House) -> None:
    async with at(house.app()) as http:
        assert (await http.post("/slack/events", headers={"Host": "10.0.0.7", "Origin": ""})).status_code == 200
        assert (await http.get("/shelf", headers={"Host": "10.0.0.7"})).status_code == 200


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", f"ftp://{HOST}", f"https://{HOST}.evil.example", "https://[", f"https://{HOST}@evil.example"])  # fmt: skip
async def test_a_form_of_another_site_changes_nothing(house: House, origin: str) -> None:
    async with at(house.app()) as http:
        for path in ("/console/say", "/connect/etsy", "/new"):
            answer = await http.post(path, headers={"Origin": origin})
            assert (answer.status_code, house.bodies) == (403, [])
            assert answer.json()["error"].count(".") == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "BREW"])
async def test_no_other_method(house: House, method: str) -> None:
    async with at(house.app()) as http:
        assert (await http.request(method, "/new")).status_code == 405
    assert house.bodies == []


async def test_long_addresses_and_many_headers_are_not_read(house: House) -> None:
    async with at(house.app()) as http:
        assert (await http.get("/shelf/" + "x" * PATH_BYTES_MOST)).status_code == 414
        assert (await http.get("/shelf?" + "x" * (QUERY_BYTES_MOST + 1))).status_code == 414
        assert (await http.get("/shelf", headers={"X-A": "x" * HEADER_BYTES_MOST})).status_code == 431
        many = {f"X-{number}": "x" for number in range(HEADERS_MOST + 1)}
        assert (await http.get("/shelf", headers=many)).status_code == 431


@pytest.mark.parametrize(
    ("path", "most"), [("/slack/events", 1_000_000), ("/console/say", UPLOAD), ("/connect/etsy", 65_536), ("/shelf", 0)]
)
async def test_a_body_is_counted_whether_or_not_its_length_is_told(house: House, path: str, most: int) -> None:
    async with at(house.app()) as http:
        assert (await http.post(path, content=b"x" * most)).status_code == 200
        assert (await http.post(path, content=chunks(most))).status_code == 200
        assert house.bodies == [most, most]
        for content in (b"x" * (most + 1), chunks(most + 1)):
            answer = await http.post(path, content=content)
            assert answer.status_code == 413
            assert "larger than" in answer.json()["error"]
        # The length that was told is not believed.
        lying = await http.post(path, content=chunks(most + 1), headers={"Content-Length": "1"})
        assert lying.status_code == 413
        for told in ("-1", "1e3", "x", "9" * 20, "²"):
            raw = [(b"content-length", told.encode())]
            assert (await http.request("POST", path, content=chunks(1), headers=raw)).status_code in {400, 413}
    assert house.bodies == [most, most]


async def test_what_takes_too_long_is_ended_and_says_whose_fault_it_was(house: House) -> None:
    never = asyncio.Event()

    async def dripping() -> AsyncIterator[bytes]:
        yield b"x"
        await never.wait()

    table = (
        Rule("/slow", seconds=0.01),
        Rule("/big", seconds=0.02),
        Rule("/connect", body_bytes=9, seconds=0.01, is_page=True),
    )
    async with at(house.app(table=table)) as http:
        assert (await http.get("/slow")).status_code == 503
        # What has begun to answer is only slow to be fetched.
        assert (await http.get("/big")).text == "first, last"
    sent: list[str] = []
    messages = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> dict[str, object]:
        if messages:
            return messages.pop()
        await never.wait()
        raise AssertionError

    async def send(message: dict[str, object]) -> None:
        sent.append(str(message.get("status", "")))

    scope = {
        "type": "http", "method": "POST", "path": "/connect/etsy", "raw_path": b"/connect/etsy", "query_string": b"",
        "headers": [(b"host", HOST.encode()), (b"origin", f"https://{HOST}".encode())], "client": ("::1", 1),
    }  # fmt: skip
    await house.app(table=table)(scope, receive, send)  # type: ignore[arg-type]
    assert sent[0] == "408"


async def test_an_address_that_comes_too_often_waits_and_no_other(house: House) -> None:
    app = house.app(table=(Rule("/console", Rate(1, 3), is_page=True),))
    async with at(app) as http, at(app, peer="203.0.113.10") as other:
        for _ in range(3):
            assert (await http.get("/console")).status_code == 200
        answer = await http.get("/console")
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        assert answer.text == "That is too often: wait a moment, then try again.\n"
        assert (await other.get("/console")).status_code == 200
        assert (await http.get("/shelf")).status_code == 200
        house.clock.now += int(answer.headers["retry-after"])
        assert (await http.get("/console")).status_code == 200


def test_a_chat_s_fifty_events_a_second_never_meet_their_limit() -> None:
    rates = Rates()
    table = rules(upload_bytes=UPLOAD)
    for path in ("/slack/events", "/telegram/webhook", "/webhooks/woocommerce/a-store"):
        rule = next(rule for rule in table if rule.holds_for(path))
        waits = [rates.take(path, rule.rate, second) for second in range(600) for _ in range(50)]
        assert max(waits) == 0
        # A crowd after an outage: what the platform kept for ten minutes, at once.
        assert max(rates.take(path, HOOK, 1_000) for _ in range(5_000)) == 0


async def test_a_told_address_is_believed_of_trusted_proxies_only(house: House) -> None:
    table = (Rule("/shelf", Rate(0.001, 1)),)

    async def asks(app: Starlette, peer: str, forwarded: str) -> int:
        async with at(app, peer=peer) as http:
            return (await http.get("/shelf", headers={"X-Forwarded-For": forwarded})).status_code

    stranger = house.app(table=table)
    assert await asks(stranger, "203.0.113.9", "198.51.100.1") == 200
    assert await asks(stranger, "203.0.113.9", "198.51.100.2") == 429
    proxied = house.app(table=table, trusted="127.0.0.1,10.0.0.0/8")
    assert await asks(proxied, "127.0.0.1", "198.51.100.1") == 200
    assert await asks(proxied, "127.0.0.1", "198.51.100.2, 10.1.2.3") == 200
    # What a client wrote itself stands left of what the proxy added.
    assert await asks(proxied, "127.0.0.1", "198.51.100.3, 198.51.100.1") == 429
    assert await asks(proxied, "127.0.0.1", "nonsense") == 200
    assert await asks(proxied, "127.0.0.1", "nonsense") == 429
    # One person has a whole /64.
    assert await asks(proxied, "2001:db8::1", "") == 200
    assert await asks(proxied, "2001:db8::2", "") == 429
    assert await asks(proxied, "2001:db8:0:1::1", "") == 200
    assert await asks(proxied, "::ffff:198.51.100.1", "") == 429


async def test_a_refusal_is_one_line_in_the_log_and_a_flood_is_no_flood_there(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "packshot.web"):
        async with at(house.app()) as http:
            await http.post("/console/say", headers={"Origin": "https://evil.example"})
            assert [record.message for record in caplog.records] == ["refused"]
            line = caplog.records[0].__dict__
            assert (line["status"], line["path"], line["address"]) == (403, "/console/say", "203.0.113.9")
            await http.get("/shelf/../secret-code-in-a-path/and/more?token=abc")
            assert "more" not in str(caplog.records[1].__dict__["path"])
            assert "abc" not in str(caplog.records[1].__dict__)
            for _ in range(300):
                await http.put("/new")
    assert len(caplog.records) < 100


def test_buckets_are_bounded() -> None:
    rates = Rates(keys_most=3)
    rate = Rate(1, 1)
    for number in range(10):
        assert rates.take(str(number), rate, 0) == 0
    assert len(rates) == 3
    assert rates.take("9", rate, 0) == 1
    assert rates.take("9", rate, 0.25) == 0.75
    assert rates.take("9", rate, 1.5) == 0
