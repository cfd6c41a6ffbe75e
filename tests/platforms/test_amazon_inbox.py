"""Amazon's queue: signed as AWS signs, read as Amazon writes, and nothing that is unreadable stops it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from domain.errors import NeedsReconnect, StoreDown
from platforms.amazon.inbox import AmazonInbox, notice_in, open_inbox
from platforms.amazon.sqs import Key, Message, Queue, signed_headers
from platforms.transport import Transports
from tests.fakes.amazon_notices import KEY_ID, KEY_SECRET, QueueServer, order_change
from tests.fakes.store_server import Fault
from tests.fakes.store_side import HandTime, make_transports
from tests.platforms.amazon_harness import open_amazon

AWS_KEY = Key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
AWS_NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
GET_VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
POST_VANILLA = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
"""From AWS's own suite of signing examples, aws-sig-v4-test-suite."""


@pytest.fixture
async def server() -> AsyncIterator[QueueServer]:
    async with QueueServer() as server:
        yield server


@pytest.fixture
async def transports() -> AsyncIterator[Transports]:
    async with make_transports(HandTime()) as transports:
        yield transports


def queue_of(server: QueueServer, transports: Transports, *, secret: str = KEY_SECRET) -> Queue:
    return Queue(server.queue_url, Key(KEY_ID, secret), transports)


@pytest.mark.parametrize(("method", "signature"), [("GET", GET_VANILLA), ("POST", POST_VANILLA)])
def test_calls_are_signed_as_in_awss_own_examples(method: str, signature: str) -> None:
    signed = signed_headers(
        method,
        "https://example.amazonaws.com/",
        {},
        b"",
        key=AWS_KEY,
        region="us-east-1",
        service="service",
        now=AWS_NOW,
    )
    assert signed["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={signature}"
    )


async def test_a_queue_tells_its_region_and_its_name(transports: Transports) -> None:
    queue = Queue("https://sqs.eu-west-1.amazonaws.com/444455556666/packshot", AWS_KEY, transports)
    assert (queue.region, queue.arn) == ("eu-west-1", "arn:aws:sqs:eu-west-1:444455556666:packshot")


async def test_a_message_comes_again_until_it_is_forgotten(server: QueueServer, transports: Transports) -> None:
    inbox = AmazonInbox(queue_of(server, transports))
    server.put(order_change("903-1", seller="A2", marketplace="DE1", notice_id="n1"))
    (first,), (again,) = await inbox.read(), await inbox.read()
    assert first == again
    assert (first.mine, first.hint and (first.hint.key, first.hint.subject)) == (
        {"seller_id": "A2", "marketplace": "DE1"},
        ("sqs:n1", "903-1"),
    )
    await inbox.forget([first])
    assert await inbox.read() == []
    await inbox.forget([])  # nothing to forget is no call
    assert [sorted(one) for one in server.asked].count(["Entries", "QueueUrl"]) == 1


async def test_looking_takes_nothing_and_hides_nothing(server: QueueServer, transports: Transports) -> None:
    inbox = AmazonInbox(queue_of(server, transports))
    assert not await inbox.look()
    server.put(order_change("903-1", seller="A2", marketplace="DE1", notice_id="n1"))
    assert await inbox.look()
    assert {(asked["WaitTimeSeconds"], asked["VisibilityTimeout"]) for asked in server.asked} == {(0, 0)}
    assert len(await inbox.read()) == 1


async def test_a_wrong_key_and_a_silent_queue_are_told_apart(server: QueueServer, transports: Transports) -> None:
    with pytest.raises(NeedsReconnect, match="AMAZON_SQS_KEY_ID"):
        await queue_of(server, transports, secret="another").receive()
    for fault in (Fault.BROKEN, Fault.CUT):
        server.fail(fault)
        with pytest.raises(StoreDown):
            await queue_of(server, transports).receive()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        "null",
        json.dumps({"NotificationType": "FEED_PROCESSING_FINISHED"}),
        json.dumps({"NotificationType": "ORDER_CHANGE", "Payload": []}),
        json.dumps({"NotificationType": "ORDER_CHANGE", "Payload": {"OrderChangeNotification": {"SellerId": "A2"}}}),
    ],
)
def test_what_is_no_order_change_says_nothing_and_can_be_forgotten(body: str) -> None:
    notice = notice_in(Message(body, "r"))
    assert (notice.receipt, notice.mine, notice.hint) == ("r", {}, None)


async def test_without_an_address_there_is_no_inbox(transports: Transports) -> None:
    assert open_inbox({"AMAZON_SQS_URL": "", "AMAZON_SQS_KEY_ID": "k"}, transports) is None


async def test_a_seller_is_subscribed_once(server: QueueServer, transports: Transports) -> None:
    inbox = AmazonInbox(queue_of(server, transports))
    async with open_amazon() as shop:
        for _ in range(2):
            await inbox.subscribe(shop.platform)
        notices = shop.server.notices
        assert [one["resource"]["sqs"]["arn"] for one in notices.destinations_made] == [inbox.queue.arn]
        assert list(notices.subscriptions) == ["ORDER_CHANGE"]
