"""What Amazon tells by itself, for its fake: who asked to be told, and the queue in AWS where it is left.

The queue checks every signature (Signature Version 4) in its own way, and forgets what is deleted and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from tests.fakes.store_server import Seen, StoreServer, Way, answer_json

KEY_ID, KEY_SECRET = "AKIDPACKSHOT", "the-queue-key-of-the-tests"
QUEUE = "/444455556666/packshot"
MOST_AT_ONCE = 10


def order_change(order_id: str, *, seller: str, marketplace: str, notice_id: str) -> str:
    """Return a notification as Amazon documents it."""
    summary = {"MarketplaceId": marketplace, "OrderStatus": "Unshipped", "FulfillmentType": "MFN"}
    order = {
        "NotificationLevel": "OrderLevel", "SellerId": seller, "AmazonOrderId": order_id,
        "OrderChangeType": "OrderStatusChange", "Summary": summary,
    }  # fmt: skip
    return json.dumps(
        {
            "NotificationVersion": "1.0",
            "NotificationType": "ORDER_CHANGE",
            "PayloadVersion": "1.0",
            "EventTime": "2026-11-24T08:00:00.000Z",
            "Payload": {"OrderChangeNotification": order},
            "NotificationMetadata": {"ApplicationId": "app", "SubscriptionId": "sub", "NotificationId": notice_id},
        }
    )


def errors(code: str, message: str, *, status: int) -> web.Response:
    """Return a refusal in the shape of the Selling Partner API."""
    return answer_json({"errors": [{"code": code, "message": message, "details": ""}]}, status=status)


@dataclass(slots=True)
class Notices:
    """Destinations and subscriptions of the one seller and the one app."""

    destinations_made: list[dict[str, Any]] = field(default_factory=list)
    subscriptions: dict[str, dict[str, str]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def subscription(self, seen: Seen) -> web.StreamResponse:
        found = self.subscriptions.get(seen.match["kind"])
        return answer_json({"payload": found}) if found else errors("NotFound", "No subscription.", status=404)

    async def subscribe(self, seen: Seen) -> web.StreamResponse:
        body = seen.json()
        if body["destinationId"] not in {one["destinationId"] for one in self.destinations_made}:
            return errors("InvalidInput", "No such destination.", status=400)
        if seen.match["kind"] in self.subscriptions:
            return errors("InvalidInput", "There is a subscription already.", status=409)
        found = {"subscriptionId": f"sub-{next(self._numbers)}", **body}
        self.subscriptions[seen.match["kind"]] = found
        return answer_json({"payload": found})

    async def destinations(self, _seen: Seen) -> web.StreamResponse:
        return answer_json({"payload": self.destinations_made})

    async def add_destination(self, seen: Seen) -> web.StreamResponse:
        body = seen.json()
        found = {
            "name": body["name"], "destinationId": f"dest-{next(self._numbers)}", "resource": body["resourceSpecification"],
        }  # fmt: skip
        self.destinations_made.append(found)
        return answer_json({"payload": found})


@dataclass(slots=True)
class QueueServer(StoreServer):
    """One queue: what was put in is given out until it is deleted."""

    messages: dict[str, str] = field(default_factory=dict)
    """Texts by their receipt."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, body: str) -> None:
        """Leave a message."""
        self.messages[f"receipt-{next(self._numbers)}"] = body

    @property
    def queue_url(self) -> str:
        """What AMAZON_SQS_URL is set to."""
        return self.url + QUEUE

    def ways(self) -> Sequence[Way]:
        return [Way("POST", "/", "sqs", self._call)]

    async def _call(self, seen: Seen) -> web.StreamResponse:
        if not self._is_signed(seen):
            return answer_json({"__type": "com.amazon.coral.service#InvalidSignatureException"}, status=403)
        body = seen.json()
        self.asked.append(body)
        if urlsplit(body["QueueUrl"]).path != QUEUE:
            return answer_json({"__type": "com.amazonaws.sqs#QueueDoesNotExist"}, status=400)
        match seen.headers["x-amz-target"]:
            case "AmazonSQS.ReceiveMessage":
                assert 1 <= body["MaxNumberOfMessages"] <= MOST_AT_ONCE
                assert 0 <= body["WaitTimeSeconds"] <= 20
                some = list(self.messages.items())[: body["MaxNumberOfMessages"]]
                found = [{"MessageId": at, "ReceiptHandle": at, "Body": text} for at, text in some]
                return answer_json({"Messages": found} if found else {})
            case "AmazonSQS.DeleteMessageBatch":
                for entry in body["Entries"]:
                    self.messages.pop(entry["ReceiptHandle"], None)
                return answer_json({"Successful": [{"Id": one["Id"]} for one in body["Entries"]], "Failed": []})
        return answer_json({"__type": "UnknownOperationException"}, status=400)

    def _is_signed(self, seen: Seen) -> bool:
        kind, _, rest = seen.headers.get("authorization", "").partition(" ")
        given = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        key_id, *scope = given.get("Credential", "").split("/")
        if kind != "AWS4-HMAC-SHA256" or key_id != KEY_ID or scope[1:] != ["us-east-1", "sqs", "aws4_request"]:
            return False
        names = given["SignedHeaders"].split(";")
        told = "".join(f"{name}:{seen.headers[name]}\n" for name in names)
        digest = hashlib.sha256(seen.body).hexdigest()
        canonical = f"POST\n{seen.path}\n\n{told}\n{given['SignedHeaders']}\n{digest}"
        text = (
            f"{kind}\n{seen.headers['x-amz-date']}\n{'/'.join(scope)}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        )
        key = ("AWS4" + KEY_SECRET).encode()
        for part in scope:
            key = hmac.digest(key, part.encode(), "sha256")
        is_whole = {"host", "x-amz-date", "x-amz-target"} <= set(names)
        return is_whole and hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), given["Signature"])
