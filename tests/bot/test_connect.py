"""Connecting a store from the command line: kept only where its key works, never half."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stamina

from domain.catalog import PlatformName, Store
from domain.connection import Scope, StoreHealth
from domain.ports import StorePlatform
from platforms.descriptor import Descriptor, Setting, Supplies
from platforms.registry import PLATFORMS
from platforms.tokens import FixedKey
from platforms.transport import Transport
from platforms.wire import Account, Call, Manners
from tests.bot.conftest import Invoke
from tests.fakes.amazon_notices import KEY_ID, KEY_SECRET, QueueServer

KEY = "the-key-of-the-shop"


@dataclass(frozen=True, slots=True)
class BareStore:
    """As much of an adapter as connecting asks for."""

    store: Store
    transport: Transport

    async def check(self) -> StoreHealth:
        said = (await self.transport.send(Call("whoami", "GET", "/whoami", is_repeatable=True))).json()
        return StoreHealth(said["name"], 12, scopes=("read",), missing=(Scope("write", "to publish"),))


def open_bare(store: Store, supplies: Supplies) -> StorePlatform:
    account = Account(store, supplies.settings["site"], secrets=(supplies.settings["key"],))
    key = FixedKey({"authorization": supplies.settings["key"]})
    return BareStore(store, supplies.transports.open(account, Manners(), key))  # type: ignore[return-value]


BARE = Descriptor(
    PlatformName.WOOCOMMERCE,
    "WooCommerce",
    (
        Setting("site", "The address of your shop"),
        Setting("key", "Its application password", is_secret=True, env="ETSY_KEYSTRING"),
    ),
    open_bare,
)


class _Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_known = self.headers.get("authorization") == KEY
        body = json.dumps({"name": "Tea & Co"} if is_known else {"error": "no"}).encode()
        self.send_response(200 if is_known else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("WOOCOMMERCE_ALLOW_HTTP", "1")  # a shop on this machine
    monkeypatch.setitem(PLATFORMS, PlatformName.WOOCOMMERCE, BARE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_store_is_connected_tested_and_shown(invoke: Invoke, shop: str) -> None:
    added = invoke("store", "add", "woocommerce", "--name", "Tea", "--set", f"site={shop}", "--set", f"key={KEY}")
    assert (added.status, added.err) == (0, "")
    assert "Tea is connected." in added.out
    assert "account: Tea & Co, 12 listings" in added.out
    assert "The right write is missing (to publish)" in added.out
    assert KEY not in added.out
    listed = invoke("stores")
    assert listed.status == 0
    assert "✓ Tea (WooCommerce)" in listed.out
    assert "✓ Shelf (Shelf)" in listed.out
    examined = invoke("doctor")
    assert "! Tea: account: Tea & Co, 12 listings, may: read" in examined.out
    again = invoke("store", "add", "woocommerce", "--name", "tea", "--set", f"site={shop}", "--set", f"key={KEY}")
    assert "Tea is connected again." in again.out


def test_where_a_store_may_tell_of_changes_is_shown_to_who_can_be_reached(
    invoke: Invoke, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        PLATFORMS, PlatformName.WOOCOMMERCE, replace(BARE, hear=lambda _headers, _body, _settings: None)
    )
    given = ("store", "add", "woocommerce", "--set", f"site={shop}", "--set", f"key={KEY}")
    assert "webhooks" not in invoke(*given).out
    public = "https://bot.example"
    assert f"webhooks may go to: {public}/webhooks/woocommerce/woocommerce-" in invoke(*given, PUBLIC_URL=public).out


def test_a_wrong_key_keeps_nothing_and_says_so(invoke: Invoke, shop: str) -> None:
    refused = invoke("store", "add", "woocommerce", "--set", f"site={shop}", "--set", "key=wrong-wrong")
    assert refused.status == 1
    assert refused.err.startswith("packshot: WooCommerce says no")
    assert "nothing was kept" in refused.err
    assert "wrong-wrong" not in refused.err
    assert refused.err.count("\n") == 1
    assert "WooCommerce" not in invoke("stores").out


def test_a_wrong_key_for_a_known_store_leaves_the_good_one(invoke: Invoke, shop: str) -> None:
    invoke("store", "add", "woocommerce", "--set", f"site={shop}", "--set", f"key={KEY}")
    refused = invoke("store", "add", "woocommerce", "--set", f"site={shop}", "--set", "key=wrong-wrong")
    assert "what was there is kept" in refused.err
    assert "✓ WooCommerce" in invoke("stores").out


def test_a_shop_that_is_down_is_kept_and_asked_again(invoke: Invoke, shop: str) -> None:
    with stamina.set_testing(testing=True, attempts=2):  # no back-off
        down = invoke("store", "add", "woocommerce", "--set", "site=http://127.0.0.1:1", "--set", f"key={KEY}")
        listed = invoke("stores")
    assert down.status == 1
    assert "is kept, but could not be asked yet" in down.err
    assert listed.status == 1
    assert "! WooCommerce" in listed.out


def test_the_deployments_setting_stands_in(invoke: Invoke, shop: str) -> None:
    added = invoke("store", "add", "woocommerce", "--set", f"site={shop}", ETSY_KEYSTRING=KEY)
    assert added.status == 0


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["store", "add", "ebay"], 2, "the stores I know are"),
        (["store", "add", "shelf"], 2, "the stores I know are"),
        (["store", "add", "woocommerce", "--set", "colour=red"], 2, "knows key, site"),
        (["store", "add", "woocommerce", "--set", "site"], 2, "NAME=VALUE"),
        (["store", "add", "woocommerce", "--set", "site=https://x.example"], 1, "--set key=… (or ETSY_KEYSTRING)"),
        (["store", "add"], 2, "'platform'"),
    ],
)
def test_what_is_missing_or_unknown_is_named_in_one_line(
    invoke: Invoke, shop: str, words: list[str], status: int, said: str
) -> None:
    ended = invoke(*words)
    assert ended.status == status
    assert said in ended.err
    assert ended.err.count("\n") == 1


async def test_doctor_looks_into_amazons_queue(invoke: Invoke) -> None:
    async with QueueServer() as queue:
        given = {"AMAZON_SQS_URL": queue.queue_url, "AMAZON_SQS_KEY_ID": KEY_ID}
        await asyncio.to_thread(invoke, "migrate")
        queue.put("{}")
        waiting = await asyncio.to_thread(invoke, "doctor", **given, AMAZON_SQS_SECRET=KEY_SECRET)
        assert "✓ Amazon's queue: messages wait" in waiting.out
        refused = await asyncio.to_thread(invoke, "doctor", **given, AMAZON_SQS_SECRET="wrong-wrong")
    assert (waiting.status, refused.status) == (0, 1)
    assert "! Amazon's queue: cannot be read\n    → Amazon's queue does not accept AMAZON_SQS_KEY_ID." in refused.out
    assert "wrong-wrong" not in refused.out
