"""What Amazon tells by itself: orders that changed, by messages in a queue of the deployment's own.

Amazon has no webhooks. A notification is a hint like any other: it names an order, and what the order is now is read.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.connection import StoreHint
from domain.ports import StorePlatform
from platforms.amazon.sqs import Key, Message, Queue
from platforms.descriptor import Inbox, Notice
from platforms.transport import Transports

log = logging.getLogger("packshot.stores")

ORDER_CHANGE: Final = "ORDER_CHANGE"


def open_inbox(deployment: Mapping[str, str], transports: Transports) -> Inbox | None:
    """Return the deployment's queue; None where none is set."""
    url, key_id, secret = (deployment.get(f"AMAZON_SQS_{name}", "") for name in ("URL", "KEY_ID", "SECRET"))
    return AmazonInbox(Queue(url, Key(key_id, secret), transports)) if url else None


@dataclass(frozen=True, slots=True)
class AmazonInbox:
    """The port `Inbox` on SQS."""

    queue: Queue

    async def read(self) -> Sequence[Notice]:
        """Return what lies there, waiting some seconds for the first."""
        return [notice_in(message) for message in await self.queue.receive()]

    async def look(self) -> bool:
        """Return whether something lies there, and leave it."""
        return await self.queue.look()

    async def forget(self, notices: Sequence[Notice]) -> None:
        """Take them out of the queue."""
        await self.queue.forget([Message("", notice.receipt) for notice in notices])

    async def subscribe(self, platform: StorePlatform) -> None:
        """Have a seller's order changes put into the queue; done again it changes nothing.

        Raises what the store's calls raise.
        """
        from platforms.amazon.adapter import AmazonStore  # late: reading the descriptor must stay light

        if isinstance(platform, AmazonStore):
            await platform.leave_notices(ORDER_CHANGE, self.queue.arn)


def notice_in(message: Message) -> Notice:
    """Return what a message says; one that is nothing we know says nothing and is forgotten like the others."""
    try:
        told = json.loads(message.body)
        order = _order_in(told)
        key = str(told["NotificationMetadata"]["NotificationId"])
        hint = StoreHint(f"sqs:{key}", "order.change", str(order["AmazonOrderId"]))
        mine = {"seller_id": str(order["SellerId"])}
        summary = order.get("Summary") or {}
        if marketplace := summary.get("MarketplaceId") or summary.get("MarketplaceID"):
            mine["marketplace"] = str(marketplace)
    except (ValueError, LookupError, TypeError, AttributeError):
        log.warning("a message in Amazon's queue is no order change: left out")
        return Notice(message.receipt)
    return Notice(message.receipt, mine, hint)


def _order_in(told: Mapping[str, Any]) -> Mapping[str, Any]:
    if told["NotificationType"] != ORDER_CHANGE:
        raise LookupError(told["NotificationType"])
    found: Mapping[str, Any] = told["Payload"]["OrderChangeNotification"]
    return found
