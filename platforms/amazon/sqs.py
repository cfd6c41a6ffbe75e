"""The wire of Amazon's Simple Queue Service: two calls, signed with Signature Version 4.

Notifications are put into a queue of the deployment's own; whoever may write there is told by the queue's policy, so a
message carries no signature of its own. Sources: "Amazon SQS API Reference" (JSON protocol) and "Signature Version 4
signing process" in AWS's General Reference; tests/platforms/test_amazon_inbox.py holds AWS's own example.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from domain.errors import NeedsReconnect, StoreDown, StoreError
from platforms.transport import Transports

MOST_AT_ONCE: Final = 10
WAIT_S: Final = 20
"""The longest SQS keeps a question open; an empty queue costs 4,320 calls a day."""
HIDDEN_S: Final = 60
"""Nobody else is given a message meanwhile; one that was not forgotten by then comes again."""
_CLOUD_HOST: Final = re.compile(r"^sqs\.([a-z0-9-]+)\.amazonaws\.com$")
_HERE: Final = "us-east-1"
"""The region of a queue on this machine, which has none."""


@dataclass(frozen=True, slots=True)
class Key:
    """An AWS access key that may read and delete the queue's messages, and nothing else."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its text, and the receipt it is forgotten with."""

    body: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue. Every call raises StoreDown where it does not answer, NeedsReconnect where it refuses the key."""

    url: str
    key: Key
    transports: Transports

    @property
    def region(self) -> str:
        """Where the queue is."""
        found = _CLOUD_HOST.match(urlsplit(self.url).hostname or "")
        return found[1] if found else _HERE

    @property
    def arn(self) -> str:
        """The queue's name within AWS."""
        account, _, name = urlsplit(self.url).path.strip("/").partition("/")
        return f"arn:aws:sqs:{self.region}:{account}:{name}"

    async def receive(self) -> Sequence[Message]:
        """Return what lies there, waiting WAIT_S for the first; each comes again unless it is forgotten."""
        asked = {"MaxNumberOfMessages": MOST_AT_ONCE, "WaitTimeSeconds": WAIT_S, "VisibilityTimeout": HIDDEN_S}
        said = await self._call("ReceiveMessage", asked)
        return [Message(str(one.get("Body", "")), str(one["ReceiptHandle"])) for one in said.get("Messages") or ()]

    async def look(self) -> bool:
        """Return whether something was seen there, at once; it stays for whoever reads.

        False is no proof of an empty queue: SQS asks only some of its servers when it need not wait.
        """
        asked = {"MaxNumberOfMessages": 1, "WaitTimeSeconds": 0, "VisibilityTimeout": 0}
        return bool((await self._call("ReceiveMessage", asked)).get("Messages"))

    async def forget(self, messages: Sequence[Message]) -> None:
        """Delete them, MOST_AT_ONCE at most. What could not be deleted comes again, and is known then."""
        if messages:
            entries = [{"Id": str(at), "ReceiptHandle": one.receipt} for at, one in enumerate(messages)]
            await self._call("DeleteMessageBatch", {"Entries": entries})

    async def _call(self, action: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        body = json.dumps({"QueueUrl": self.url, **asked}).encode()
        parts = urlsplit(self.url)
        address = f"{parts.scheme}://{parts.netloc}/"
        headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"AmazonSQS.{action}"}
        signed = signed_headers(
            "POST", address, headers, body, key=self.key, region=self.region, service="sqs", now=self.transports.clock()
        )
        try:
            answer = await self.transports.client.post(address, headers=signed, content=body, timeout=WAIT_S + 10.0)
        except httpx.HTTPError as error:
            raise StoreDown("Amazon's queue did not answer.", store="Amazon") from error
        if answer.status_code in {401, 403}:
            raise NeedsReconnect("Amazon's queue does not accept AMAZON_SQS_KEY_ID.", store="Amazon")
        if answer.status_code != httpx.codes.OK:
            raise StoreDown(f"Amazon's queue answered {answer.status_code}.", store="Amazon")
        try:
            said = answer.json()
        except ValueError as error:
            raise StoreError("Amazon's queue answered with something else than JSON.", store="Amazon") from error
        return said if isinstance(said, dict) else {}


def signed_headers(
    method: str,
    address: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    key: Key,
    region: str,
    service: str,
    now: datetime,
) -> dict[str, str]:
    """Return the headers with date and authorisation (AWS4-HMAC-SHA256). `address` has no query."""
    parts = urlsplit(address)
    moment, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    sent = {**{name.lower(): value.strip() for name, value in headers.items()}, "host": parts.netloc}
    sent["x-amz-date"] = moment
    names = ";".join(sorted(sent))
    lines = [method, parts.path or "/", "", *(f"{name}:{sent[name]}" for name in sorted(sent)), "", names]
    request = "\n".join([*lines, hashlib.sha256(body).hexdigest()])
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    signing = f"AWS4{key.secret}".encode()
    for part in (day, region, service, "aws4_request"):
        signing = _hmac(signing, part)
    signature = _hmac(signing, to_sign).hex()
    sent["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return sent


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
