"""What an Amazon of our own keeps: listings with the seller's contributions, and what buyers see of them.

The two are apart, as on the real one: a contribution is accepted at once, fetched by an address, copied to Amazon's
own host, and shown when Amazon likes, or never, because another seller's picture is preferred.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

MARKETPLACE = "A1PA6795UKMFR9"
SLOTS = ["main_product_image_locator", *[f"other_product_image_locator_{n}" for n in range(1, 9)]]
VARIANTS = ["MAIN", *[f"PT{n:02d}" for n in range(1, 9)]]
IMAGES_MOST = 9
NOW = "2026-11-24T12:00:00Z"
Fetch = Callable[[str], Awaitable[bytes | None]]


async def _nobody(_address: str) -> bytes | None:
    return None


@dataclass(slots=True)
class Item:
    """One SKU. `attributes` are the seller's contributions, by name, each one value; `shown` what buyers see."""

    sku: str
    asin: str
    product_type: str = "DRINKING_CUP"
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)
    rivals: dict[int, str] = field(default_factory=dict)
    """Pictures of other sellers that win whatever we send, by position."""
    issues: list[dict[str, Any]] = field(default_factory=list)
    channel: str = "DEFAULT"
    quantity: int = 0
    price: float = 18.5
    created_at: str = NOW
    coming: list[tuple[int, list[dict[str, Any]]]] = field(default_factory=list)
    """Accepted patches that the listing does not name yet: reads still to come."""
    due: list[tuple[int, int, str]] = field(default_factory=list)
    """Copies on their way to the buyers: reads still to come, position, link."""


@dataclass(slots=True)
class Goods:
    """Everything of one seller. `named_after` reads a listing names what it was sent, `live_after` more a picture is
    shown; `rewrites`: its address becomes Amazon's own.
    """

    items: dict[str, Item] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    """Amazon's own host, by path."""
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    mails: int = 0
    fetch: Fetch = _nobody
    live_after: int = 0
    named_after: int = 0
    rewrites: bool = False
    refused_in_feeds: set[str] = field(default_factory=set)
    copies: Callable[[bytes], bytes] = bytes
    """What Amazon's compression makes of a picture."""
    url: str = ""
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def add_item(self, sku: str, title: str, *, quantity: int, pictures: list[bytes]) -> Item:
        """List a product with its own pictures."""
        item = Item(sku, f"B0PACK{next(self._numbers):04d}", quantity=quantity)
        item.attributes["item_name"] = {"value": title, "language_tag": "de_DE"}
        item.attributes["bullet_point"] = {"value": "Dishwasher safe", "language_tag": "de_DE"}
        self.items[sku] = item
        for position, content in enumerate(pictures, start=1):
            self.put_by_hand(item, position, content)
        return item

    def keep_file(self, content: bytes) -> str:
        """Copy a picture to Amazon's own host and return its address."""
        path = f"/images/I/71pack{next(self._numbers)}.jpg"
        self.files[path] = content
        return self.url + path

    def put_by_hand(self, item: Item, position: int, content: bytes) -> None:
        """Somebody sets a picture in Seller Central: at once, and for buyers too."""
        link = self.keep_file(content)
        item.attributes[SLOTS[position - 1]] = {"media_location": link}
        item.shown[position] = link
        item.due = [one for one in item.due if one[1] != position]

    def seen_by_buyers(self, sku: str) -> list[bytes]:
        """What buyers see, in order."""
        item = self.items[sku]
        return [self.files[item.shown[position].removeprefix(self.url)] for position in sorted(item.shown)]

    async def take(self, item: Item, patches: list[dict[str, Any]]) -> None:
        """Accept valid patches, to apply them when it is time."""
        item.coming.append((self.named_after, patches))
        await self.pass_time(item, reads=0)

    async def apply(self, item: Item, patches: list[dict[str, Any]]) -> None:
        """The attributes change at once, what follows from them when it is due."""
        for patch in patches:
            name = patch["path"].removeprefix("/attributes/")
            value = {key: one for key, one in patch["value"][0].items() if key != "marketplace_id"}
            if patch["op"] == "delete":
                item.attributes.pop(name, None)
            elif patch["op"] == "merge":
                item.attributes[name] = {**item.attributes.get(name, {}), **value}
            else:
                item.attributes[name] = value
            await self._follow(item, name, patch["op"])

    async def _follow(self, item: Item, name: str, op: str) -> None:
        value = item.attributes.get(name, {})
        if name == "fulfillment_availability":
            item.quantity = int(value.get("quantity", item.quantity))
        if name == "purchasable_offer":
            item.price = float(value["our_price"][0]["schedule"][0]["value_with_tax"])
        if name not in SLOTS:
            return
        position = SLOTS.index(name) + 1
        item.due = [one for one in item.due if one[1] != position]
        item.issues = [one for one in item.issues if name not in one["attributeNames"]]
        if op == "delete":
            item.shown.pop(position, None)
            if position in item.rivals:
                item.shown[position] = item.rivals[position]
            return
        address = value["media_location"]
        if address.startswith(self.url):
            link = address
        else:
            content = await self.fetch(address)
            if content is None:
                item.issues.append(an_issue("8541", "The image could not be retrieved.", name, "INVALID_IMAGE"))
                return
            link = self.keep_file(self.copies(content))
        item.due.append((self.live_after, position, item.rivals.get(position, link)))
        self.show(item, reads=0)

    async def pass_time(self, item: Item, *, reads: int = 1) -> None:
        """Apply what was accepted, show what is due; a read of the listing is what time is counted by."""
        self.show(item, reads=reads)
        coming = [(left - reads, patches) for left, patches in item.coming]
        item.coming = [one for one in coming if one[0] > 0]
        for left, patches in coming:
            if left <= 0:
                await self.apply(item, patches)

    def show(self, item: Item, *, reads: int) -> None:
        """Bring what is due before the buyers."""
        waiting = [(left - reads, position, link) for left, position, link in item.due]
        for left, position, link in waiting:
            if left <= 0:
                item.shown[position] = link
                if self.rewrites and position not in item.rivals:
                    item.attributes[SLOTS[position - 1]] = {"media_location": link}
        item.due = [one for one in waiting if one[0] > 0]

    def sell(self, sku: str, quantity: int, moment: str) -> str:
        """A buyer orders and pays."""
        self.items[sku].quantity -= quantity
        number = f"302-{next(self._numbers):07d}-{next(self._numbers):07d}"
        self.orders[number] = {
            "orderId": number,
            "createdTime": moment,
            "lastUpdatedTime": moment,
            "salesChannel": {"channelName": "AMAZON", "marketplaceId": MARKETPLACE, "marketplaceName": "Amazon.de"},
            "fulfillment": {
                "fulfillmentStatus": "UNSHIPPED",
                "fulfilledBy": "MERCHANT",
                "shipByWindow": {"earliestDateTime": moment, "latestDateTime": moment},
            },
            "orderItems": [
                {
                    "orderItemId": f"{next(self._numbers):014d}",
                    "quantityOrdered": quantity,
                    "product": {"asin": self.items[sku].asin, "title": "Mug", "sellerSku": sku},
                    "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": quantity},
                }
            ],
        }
        return number

    def ship(self, order: dict[str, Any], package: dict[str, Any], moment: str) -> None:
        """Note a shipment; the buyer is written to."""
        self.mails += 1
        sent_so_far = order.setdefault("packages", [])
        sent_so_far[:] = [one for one in sent_so_far if one["packageReferenceId"] != package["packageReferenceId"]]
        names = ("packageReferenceId", "trackingNumber")
        sent_so_far.append({name: package[name] for name in names} | {"packageItems": package["orderItems"]})
        sent = {one["orderItemId"]: one["quantity"] for one in package["orderItems"]}
        for line in order["orderItems"]:
            count = line["fulfillment"]
            count["quantityFulfilled"] += sent.get(line["orderItemId"], 0)
            count["quantityUnfulfilled"] -= sent.get(line["orderItemId"], 0)
        is_done = all(line["fulfillment"]["quantityUnfulfilled"] == 0 for line in order["orderItems"])
        order["fulfillment"]["fulfillmentStatus"] = "SHIPPED" if is_done else "PARTIALLY_SHIPPED"
        order["lastUpdatedTime"] = moment

    def body(self, item: Item, included: list[str]) -> dict[str, Any]:
        """A listing as Amazon tells it."""
        here = {"marketplaceId": MARKETPLACE}
        main = {"mainImage": {"link": item.shown[1], "height": 2000, "width": 2000}} if 1 in item.shown else {}
        parts = {
            "summaries": [
                {
                    **here,
                    "asin": item.asin,
                    "productType": item.product_type,
                    "conditionType": "new_new",
                    "status": ["BUYABLE", "DISCOVERABLE"],
                    "itemName": item.attributes["item_name"]["value"],
                    "createdDate": item.created_at,
                    "lastUpdatedDate": NOW,
                    **main,
                }
            ],
            "attributes": {name: [{**value, "marketplace_id": MARKETPLACE}] for name, value in item.attributes.items()},
            "issues": item.issues,
            "offers": [{**here, "offerType": "B2C", "price": {"currencyCode": "EUR", "amount": f"{item.price:.2f}"}}],
            "fulfillmentAvailability": [
                {"fulfillmentChannelCode": item.channel}
                | ({"quantity": item.quantity} if item.channel == "DEFAULT" else {})
            ],
            "productTypes": [{**here, "productType": item.product_type}],
        }
        return {"sku": item.sku, **{name: parts[name] for name in included}}


def an_issue(code: str, message: str, attribute: str, category: str) -> dict[str, Any]:
    """Something Amazon has against a listing."""
    return {
        "code": code,
        "message": message,
        "severity": "ERROR",
        "attributeNames": [attribute],
        "categories": [category],
        "enforcements": {"actions": [{"action": "SEARCH_SUPPRESSED"}], "exemption": {"status": "NOT_EXEMPT"}},
    }
