"""The one way to every store: what each kind of trouble becomes, and what is never repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from aiohttp import web

from domain.catalog import PlatformName, Store, StoreId
from domain.connection import Tokens
from domain.errors import (
    Ambiguous,
    MissingScope,
    NeedsReconnect,
    NotFound,
    RateLimited,
    RejectedByStore,
    StoreDown,
    StoreError,
)
from platforms.buckets import WHOLE_ACCOUNT, Rate
from platforms.tokens import FixedKey, RenewedKey, tokens_in
from platforms.transport import Transport, Transports
from platforms.wire import Account, Call, Manners, retry_after_s
from tests.fakes.store_server import SECRET_MARK, Fault, Seen, StoreServer, Way, answer_json
from tests.fakes.store_side import HandTime, MemoryContacts, MemoryTokens, make_transports

STORE = Store(StoreId("shop-1"), "team-1", PlatformName.WOOCOMMERCE, "Corner shop")
READ = Call("read", "GET", "/things", is_repeatable=True)
WRITE = Call("write", "POST", "/things", is_repeatable=False, json={"n": 1}, scope="write_things")
SET = Call("set", "PUT", "/things", is_repeatable=True, json={"n": 2})


@dataclass(slots=True)
class ThingServer(StoreServer):
    """Counts what was done; a good key is `key-N` with N = the newest renewal."""

    done: list[str] = field(default_factory=list)
    good_key: str = ""
    renewals: int = 0
    elsewhere: str = ""

    def ways(self) -> list[Way]:
        return [
            Way("GET", "/things", "read", self.act),
            Way("POST", "/things", "write", self.act),
            Way("PUT", "/things", "set", self.act),
            Way("POST", "/token", "token", self.renew),
            Way("GET", "/moved", "moved", self.moved),
            Way("GET", "/status/{status}", "status", self.status),
        ]

    async def act(self, seen: Seen) -> web.Response:
        if self.good_key and seen.headers.get("authorization") != f"Bearer {self.good_key}":
            return answer_json({"error": f"bad key {seen.headers.get('authorization')}"}, status=401)
        self.done.append(seen.operation)
        return answer_json({"done": len(self.done), "padding": "x" * 40})

    async def renew(self, seen: Seen) -> web.Response:
        if seen.form()["refresh_token"] != f"refresh-{self.renewals}":
            return answer_json({"error": "invalid_grant"}, status=400)
        self.renewals += 1
        self.good_key = f"access-{self.renewals}"
        return answer_json(
            {"access_token": self.good_key, "refresh_token": f"refresh-{self.renewals}", "expires_in": 3600}
        )

    async def moved(self, _seen: Seen) -> web.Response:
        return web.Response(status=302, headers={"Location": self.elsewhere or f"{self.url}/things"})

    async def status(self, seen: Seen) -> web.Response:
        return answer_json({"message": "as asked"}, status=int(seen.match["status"]))


@pytest.fixture
async def server() -> AsyncIterator[ThingServer]:
    async with ThingServer() as opened:
        yield opened


@pytest.fixture
def time() -> HandTime:
    return HandTime()


@pytest.fixture
async def transports(time: HandTime) -> AsyncIterator[Transports]:
    async with make_transports(time) as opened:
        yield opened


@pytest.fixture
def transport(server: ThingServer, transports: Transports) -> Transport:
    account = Account(STORE, server.url, secrets=(SECRET_MARK,))
    return transports.open(account, Manners(), FixedKey({"authorization": "Bearer key-of-the-shop"}))


async def test_a_good_answer_is_returned_and_noted(transport: Transport, server: ThingServer) -> None:
    answer = await transport.send(READ)
    assert answer.json()["done"] == 1
    assert server.calls[0].headers["authorization"] == "Bearer key-of-the-shop"
    contact = await transport.shared.contacts.of(STORE.store_id)
    assert contact.last_ok_at is not None


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.UNAVAILABLE, Fault.CUT, Fault.HANG, Fault.LOST, Fault.LOST_500])
@pytest.mark.parametrize("call", [READ, SET], ids=lambda call: call.operation)
async def test_what_may_be_repeated_is_tried_again(
    transport: Transport, server: ThingServer, fault: Fault, call: Call
) -> None:
    server.fail(fault)
    assert (await transport.send(call)).status == 200
    assert len(server.calls) == 2


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.CUT])
async def test_trouble_that_stays_ends_in_store_down(transport: Transport, server: ThingServer, fault: Fault) -> None:
    server.fail(fault, times=99)
    with pytest.raises(StoreDown):
        await transport.send(READ)
    assert len(server.calls) == transport.shared.patience.attempts


@pytest.mark.parametrize(
    "fault", [Fault.BROKEN, Fault.UNAVAILABLE, Fault.CUT, Fault.HANG, Fault.LOST, Fault.LOST_500, Fault.LOST_HANG]
)
async def test_a_write_that_may_have_been_heard_is_never_repeated(
    transport: Transport, server: ThingServer, fault: Fault
) -> None:
    server.fail(fault)
    with pytest.raises(Ambiguous):
        await transport.send(WRITE)
    assert len(server.calls) == 1


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.EMPTY, Fault.TRUNCATED])
async def test_an_answer_that_is_no_json_says_so(transport: Transport, server: ThingServer, fault: Fault) -> None:
    server.fail(fault)
    answer = await transport.send(READ)
    with pytest.raises(StoreDown, match=r"Corner shop (answered|gave)"):
        answer.json()
    server.fail(fault)
    answer = await transport.send(WRITE)
    with pytest.raises(Ambiguous):
        answer.json()


async def test_reading_stops_at_the_limit(transport: Transport, server: ThingServer) -> None:
    server.fail(Fault.HUGE)
    with pytest.raises(StoreDown, match="more than 20 MB"):
        await transport.send(READ)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("said", "waits_s"), [("7", 7.0), ("", 0.25), ("soon", 0.25), ("nan", 0.25), ("-3", 0.0), ("0", 0.0)]
)
async def test_a_pause_the_store_asks_for_is_kept(
    transport: Transport, server: ThingServer, time: HandTime, said: str, waits_s: float
) -> None:
    server.retry_after = said
    server.fail(Fault.TOO_MANY)
    begin = time.seconds
    await transport.send(WRITE)
    assert server.done == ["write"]
    # The pause, and one point flowing back at 4 a second.
    assert waits_s <= time.seconds - begin <= waits_s + 0.26


async def test_a_long_pause_is_told_and_not_sat_out(transport: Transport, server: ThingServer, time: HandTime) -> None:
    server.retry_after = "120"
    server.fail(Fault.TOO_MANY)
    begin = time.seconds
    with pytest.raises(RateLimited) as caught:
        await transport.send(READ)
    assert caught.value.retry_after_s == 120
    assert time.seconds == begin
    with pytest.raises(RateLimited):
        await transport.send(READ)
    assert len(server.calls) == 1, "the pause holds for the next caller too, who asks nothing"


def test_retry_after_may_be_a_date() -> None:
    now = HandTime().now()
    later = (now + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    earlier = (now - timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert retry_after_s(later, now=now) == pytest.approx(90, abs=1)
    assert retry_after_s(earlier, now=now) == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RejectedByStore),
        (401, NeedsReconnect),
        (402, StoreError),
        (403, MissingScope),
        (404, NotFound),
        (410, NotFound),
        (418, StoreError),
        (422, RejectedByStore),
        (304, StoreError),
    ],
)
async def test_every_status_but_2xx_is_an_error(transport: Transport, status: int, kind: type[StoreError]) -> None:
    with pytest.raises(StoreError) as caught:
        await transport.send(Call("status", "GET", f"/status/{status}", is_repeatable=True, scope="read_things"))
    assert type(caught.value) is kind
    assert caught.value.store == "Corner shop"
    if isinstance(caught.value, MissingScope):
        assert caught.value.scope == "read_things"


async def test_no_error_carries_a_secret(transport: Transport, server: ThingServer) -> None:
    server.fail(Fault.TEAPOT)
    with pytest.raises(StoreError) as caught:
        await transport.send(READ)
    assert SECRET_MARK not in str(caught.value)
    assert "refused, •••" in str(caught.value)


async def test_a_key_the_store_refuses_is_noted_for_the_person(transport: Transport, server: ThingServer) -> None:
    server.fail(Fault.UNAUTHORISED)
    with pytest.raises(NeedsReconnect):
        await transport.send(READ)
    assert "does not accept the key" in (await transport.shared.contacts.of(STORE.store_id)).trouble


async def test_a_key_no_header_can_carry_is_a_wrong_key(server: ThingServer, transports: Transports) -> None:
    transport = transports.open(Account(STORE, server.url), Manners(), FixedKey({"authorization": "abc\ndef"}))
    with pytest.raises(NeedsReconnect) as caught:
        await transport.send(READ)
    assert "abc" not in str(caught.value)
    assert server.calls == []


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/things",
        "http://shop.example/things",
        "https://shop.example.evil.example/x",
        "https://user@shop.example/x",
        "https://127.0.0.1/x",
        "ftp://shop.example/x",
        "https://[::1/x",
    ],
)
async def test_no_call_leaves_the_stores_hosts(transports: Transports, address: str) -> None:
    account = Account(STORE, "https://shop.example", hosts=("cdn.example", ".pictures.example"))
    with pytest.raises(NotFound):
        await transports.open(account, Manners()).send(Call("fetch", "GET", address, is_repeatable=True))
    assert account.has("https://cdn.example/a.jpg")
    assert account.has("https://eu.pictures.example/a.jpg")


async def test_redirects_are_followed_at_home_only(transport: Transport, server: ThingServer) -> None:
    assert (await transport.send(Call("moved", "GET", "/moved", is_repeatable=True))).json()["done"] == 1
    server.elsewhere = "https://elsewhere.example/steal"
    with pytest.raises(StoreDown, match="another address"):
        await transport.send(Call("moved", "GET", "/moved", is_repeatable=True))


async def test_a_store_that_is_not_there_is_down_even_for_a_write(transports: Transports) -> None:
    transport = transports.open(Account(STORE, "http://127.0.0.1:1"), Manners())
    with pytest.raises(StoreDown, match="cannot be reached"):
        await transport.send(WRITE)


async def test_a_hundred_calls_take_what_the_limit_takes(
    server: ThingServer, transports: Transports, time: HandTime
) -> None:
    manners = Manners(rates={WHOLE_ACCOUNT: Rate(per_s=5.0, burst=10.0)})
    transport = transports.open(Account(STORE, server.url), manners)
    begin = time.seconds
    for _ in range(100):
        await transport.send(READ)
    least_s = (100 - 10) / 5.0
    assert least_s <= time.seconds - begin <= least_s * 1.15


async def test_the_stores_own_word_corrects_the_bucket(
    server: ThingServer, transports: Transports, time: HandTime
) -> None:
    transport = transports.open(Account(STORE, server.url), Manners(rates={WHOLE_ACCOUNT: Rate(10.0, 10.0)}))
    transport.buckets.learn("read", per_s=2.0, burst=100.0, available=0.0)
    begin = time.seconds
    await transport.send(READ)
    assert time.seconds - begin == pytest.approx(0.5)


# ---------------------------------------------------------------- tokens


def keyed(server: ThingServer, transports: Transports, counter: list[int]) -> Transport:
    """One process's way to the shop, with rotating refresh tokens."""
    account = Account(STORE, server.url)
    plain = transports.open(account, Manners())

    async def renew(old: Tokens | None) -> Tokens:
        assert old is not None
        counter.append(1)
        call = Call("token", "POST", "/token", is_repeatable=False, form={"refresh_token": old.refresh})
        try:
            answer = await plain.send(call)
        except RejectedByStore as error:
            raise NeedsReconnect("the refresh token is used up", store=STORE.name) from error
        return tokens_in(answer.json(), clock=transports.clock, store=STORE.name, refresh=old.refresh)

    keeper = transports.keeper(account, renew)
    return transports.open(account, Manners(), RenewedKey(keeper, lambda t: {"authorization": f"Bearer {t.access}"}))


async def connected(time: HandTime) -> MemoryTokens:
    tokens = MemoryTokens(time)
    await tokens.save(STORE.store_id, Tokens("access-0", time.now(), refresh="refresh-0"), was_version=0)
    return tokens


async def test_many_tasks_renew_once(server: ThingServer, time: HandTime) -> None:
    renewals: list[int] = []
    async with make_transports(time, tokens=await connected(time)) as transports:
        transport = keyed(server, transports, renewals)
        await asyncio.gather(*(transport.send(READ) for _ in range(8)))
    assert len(renewals) == 1
    assert server.counted()["read"] == 8


async def test_two_processes_renew_once(server: ThingServer, time: HandTime) -> None:
    renewals: list[int] = []
    tokens = await connected(time)
    async with make_transports(time, tokens=tokens) as one, make_transports(time, tokens=tokens) as two:
        ways = [keyed(server, one, renewals), keyed(server, two, renewals)]
        await asyncio.gather(*(way.send(READ) for way in ways for _ in range(3)))
    assert len(renewals) == 1
    assert (await tokens.load(STORE.store_id)).version == 2


async def test_a_token_revoked_early_is_renewed_and_the_call_done_once(server: ThingServer, time: HandTime) -> None:
    renewals: list[int] = []
    tokens = await connected(time)
    async with make_transports(time, tokens=tokens) as transports:
        transport = keyed(server, transports, renewals)
        await transport.send(READ)
        server.good_key = "revoked"
        await transport.send(WRITE)
    assert len(renewals) == 2
    assert server.done.count("write") == 1


async def test_a_refresh_token_that_is_used_up_needs_a_person(server: ThingServer, time: HandTime) -> None:
    tokens = await connected(time)
    server.renewals = 5
    async with make_transports(time, tokens=tokens) as transports:
        transport = keyed(server, transports, [])
        with pytest.raises(NeedsReconnect):
            await transport.send(READ)
        assert isinstance(transports.contacts, MemoryContacts)
        assert transports.contacts.known[STORE.store_id].trouble
    assert STORE.store_id not in tokens.claims, "the claim is given back"


async def test_a_renewal_whose_answer_is_lost_is_down_and_not_a_question(server: ThingServer, time: HandTime) -> None:
    server.fail(Fault.CUT, operation="token")
    async with make_transports(time, tokens=await connected(time)) as transports:
        transport = keyed(server, transports, [])
        with pytest.raises(StoreDown):
            await transport.send(WRITE)
        await transport.send(WRITE)
    assert server.done == ["write"]


def test_tokens_say_nothing_in_a_repr() -> None:
    tokens = Tokens("secret-access", refresh="secret-refresh")
    assert "secret" not in repr(tokens)
    assert "secret" not in repr(FixedKey({"authorization": "secret"}))
