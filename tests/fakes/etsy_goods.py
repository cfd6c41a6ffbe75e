"""What an Etsy shop holds: listings with pictures and inventories, and receipts; and Etsy's rules for changing them."""

from __future__ import annotations

import html
import itertools
from dataclasses import dataclass, field
from typing import Any

IMAGES_MOST = 20
_OFFERING = {"price", "quantity", "is_enabled", "readiness_state_id"}
_PRODUCT = {"sku", "property_values", "offerings"}
_VALUE = {"property_id", "property_name", "scale_id", "value_ids", "values"}
_ON = {
    "price_on_property": "price",
    "quantity_on_property": "quantity",
    "readiness_state_on_property": "readiness_state_id",
}


class GoodsError(Exception):
    """A refusal: the status and what `error` says."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(slots=True)
class Listing:
    """One listing; `images` are ids in order."""

    listing_id: int
    title: str
    inventory: dict[str, Any]
    images: list[int] = field(default_factory=list)
    state: str = "active"
    description: str = ""
    images_most: int = IMAGES_MOST
    links: list[dict[str, Any]] = field(default_factory=list)
    """Which picture each variation shows: property_id, value_id, image_id."""

    @property
    def quantity(self) -> int:
        """How many can be bought in all."""
        return sum(offering["quantity"] for one in self.inventory["products"] for offering in one["offerings"])


@dataclass(slots=True)
class Goods:
    """See the module. `pictures` and `alts` keep what was taken off: its id puts it back."""

    listings: dict[int, Listing] = field(default_factory=dict)
    pictures: dict[int, bytes] = field(default_factory=dict)
    alts: dict[int, str] = field(default_factory=dict)
    receipts: dict[int, dict[str, Any]] = field(default_factory=dict)
    mails: int = 0
    """How often a buyer was written to."""
    forgets_deleted: bool = False
    """Whether a picture that was taken off is gone for good."""
    ignores_order_times: int = 0
    """How many lists of ids are taken and not obeyed."""
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1001))

    def add_listing(self, title: str, products: list[dict[str, Any]], *, on: tuple[int, ...] = ()) -> Listing:
        """Open a listing whose price, quantity and SKU differ by the properties `on`."""
        inventory = {
            "products": [self._numbered(one) for one in products],
            "price_on_property": list(on),
            "quantity_on_property": list(on),
            "sku_on_property": list(on),
            "readiness_state_on_property": [],
        }
        listing = Listing(next(self._numbers), title, inventory)
        self.listings[listing.listing_id] = listing
        return listing

    def add_picture(self, content: bytes, alt: str = "") -> int:
        """Keep a picture that is on no listing yet, and return its id."""
        number = next(self._numbers)
        self.pictures[number], self.alts[number] = content, html.escape(alt)
        return number

    # ------------------------------------------------------------ pictures

    def upload(self, listing: Listing, content: bytes, alt: str) -> int:
        """Take a new picture: it lands in front, whatever rank was asked for."""
        self._has_room(listing)
        number = self.add_picture(content, alt)
        listing.images.insert(0, number)
        return number

    def assign(self, listing: Listing, number: int, alt: str) -> int:
        """Put a picture that was there before, or still is, in front; a full listing takes neither."""
        if number not in self.pictures or (self.forgets_deleted and number not in listing.images):
            raise GoodsError(404, "Could not find a ListingImage with that id")
        self._has_room(listing)
        if number in listing.images:
            listing.images.remove(number)
        listing.images.insert(0, number)
        self.alts[number] = html.escape(alt)
        return number

    def order(self, listing: Listing, numbers: list[int]) -> None:
        """Make these the listing's pictures, in this order."""
        if len(numbers) > IMAGES_MOST or len(set(numbers)) != len(numbers):
            raise GoodsError(400, "image_ids must name each image once")
        unknown = [number for number in numbers if number not in listing.images]
        if unknown:
            raise GoodsError(400, f"image id {unknown[0]} is invalid")
        if self.ignores_order_times:
            self.ignores_order_times -= 1
            return
        listing.images[:] = numbers
        self.links_of(listing)

    def delete_image(self, listing: Listing, number: int) -> None:
        """Take a picture off."""
        if number not in listing.images:
            raise GoodsError(404, "Could not find a ListingImage with that id")
        listing.images.remove(number)
        self.links_of(listing)

    def links_of(self, listing: Listing) -> list[dict[str, Any]]:
        """Return the links to pictures that are there: the others are forgotten for good."""
        listing.links = [one for one in listing.links if one["image_id"] in listing.images]
        return listing.links

    def link(self, listing: Listing, links: list[dict[str, Any]]) -> None:
        """Make these all the links."""
        if len({one["property_id"] for one in links}) > 1:
            raise GoodsError(400, "variation images contains multiple property_ids")
        if any(set(one) != {"property_id", "value_id", "image_id"} for one in links):
            raise GoodsError(400, "Missing input parameter: [variation_images]")
        if any(one["image_id"] not in listing.images for one in links):
            raise GoodsError(400, "variation images names an image that is not on the listing")
        listing.links = links

    def describe(self, listing: Listing, fields: dict[str, str]) -> None:
        """Change title and description."""
        if len(fields.get("title", "")) > 140:
            raise GoodsError(400, "The title must be at most 140 characters")
        listing.title = html.escape(fields.get("title", html.unescape(listing.title)))
        listing.description = html.escape(fields.get("description", html.unescape(listing.description)))

    def _has_room(self, listing: Listing) -> None:
        if len(listing.images) >= listing.images_most:
            raise GoodsError(
                400,
                f"Listings are only allowed {listing.images_most} images. "
                "Please delete a ListingImage before trying to upload another.",
            )

    # ------------------------------------------------------------ inventory

    def replace_inventory(self, listing: Listing, body: dict[str, Any], *, variations_most: int) -> None:
        """Make what was sent the whole inventory: what is left out is gone. Products get new ids."""
        self._checked(body, variations_most)
        products = [
            self._numbered(
                {
                    **one,
                    "offerings": [{**each, "price": money(each["price"])} for each in one["offerings"]],
                }
            )
            for one in body["products"]
        ]
        lists = {name: body.get(name, []) for name in (*_ON, "sku_on_property")}
        listing.inventory = {"products": products, **lists}
        listing.state = "active" if listing.quantity else "sold_out"

    def _checked(self, body: dict[str, Any], variations_most: int) -> None:
        for one in body["products"]:
            if unknown := set(one) - _PRODUCT:
                raise GoodsError(400, f"unknown field {min(unknown)} in products")
            if len(one.get("property_values", [])) > variations_most:
                raise GoodsError(400, "too many variations")
            for value in one.get("property_values", []):
                if unknown := set(value) - _VALUE:
                    raise GoodsError(400, f"unknown field {min(unknown)} in property_values")
            for offering in one["offerings"]:
                if set(offering) != _OFFERING:
                    raise GoodsError(400, "each offering needs price, quantity, is_enabled and readiness_state_id")
                if not isinstance(offering["price"], int | float) or not 0 <= offering["quantity"] <= 999:
                    raise GoodsError(400, "price or quantity is out of range")
        for name, what in _ON.items():
            self._consistent(body, name, lambda one, what=what: one["offerings"][0][what])
        self._consistent(body, "sku_on_property", lambda one: one["sku"])

    def _consistent(self, body: dict[str, Any], name: str, of: Any) -> None:
        """What does not differ by a property must be the same for all of its values."""
        seen: dict[Any, Any] = {}
        for one in body["products"]:
            values = one.get("property_values", [])
            group = tuple(
                (v["property_id"], tuple(v["value_ids"])) for v in values if v["property_id"] in body.get(name, [])
            )
            if seen.setdefault(group, of(one)) != of(one):
                raise GoodsError(400, f"the values are not consistent with {name}")

    def _numbered(self, product: dict[str, Any]) -> dict[str, Any]:
        return {
            "product_id": next(self._numbers),
            "is_deleted": False,
            **product,
            "property_values": [{"scale_name": None, **value} for value in product.get("property_values", [])],
            "offerings": [
                {"offering_id": next(self._numbers), "is_deleted": False, **each} for each in product["offerings"]
            ],
        }

    # ------------------------------------------------------------ orders

    def sell(self, sku: str, quantity: int, now: int) -> int:
        """A buyer orders and pays; returns the receipt's id."""
        listing, product = next(
            (one, each) for one in self.listings.values() for each in one.inventory["products"] if each["sku"] == sku
        )
        product["offerings"][0]["quantity"] -= quantity
        number = next(self._numbers)
        self.receipts[number] = {
            "receipt_id": number,
            "status": "paid",
            "is_paid": True,
            "is_shipped": False,
            "name": "A Buyer Nobody May See",
            "first_line": "1 Secret Street",
            "created_timestamp": now,
            "updated_timestamp": now,
            "shipments": [],
            "transactions": [
                {
                    "transaction_id": next(self._numbers),
                    "title": listing.title,
                    "sku": sku,
                    "quantity": quantity,
                    "listing_id": listing.listing_id,
                    "shipped_timestamp": None,
                    "expected_ship_date": now + 86_400,
                }
            ],
        }
        return number

    def receipt(self, number: int) -> dict[str, Any]:
        """Return one."""
        if number not in self.receipts:
            raise GoodsError(404, "Could not find a Receipt with that id")
        return self.receipts[number]

    def ship(self, number: int, body: dict[str, Any], now: int) -> dict[str, Any]:
        """Mark it shipped and write to the buyer, however often."""
        receipt = self.receipt(number)
        if body.get("carrier_name") == "nobody-knows":
            raise GoodsError(400, "Invalid carrier_name: nobody-knows")
        self.mails += 1
        receipt |= {"status": "completed", "is_shipped": True, "updated_timestamp": now}
        receipt["transactions"] = [{**one, "shipped_timestamp": now} for one in receipt["transactions"]]
        receipt["shipments"].append(
            {
                "receipt_shipping_id": next(self._numbers),
                "shipment_notification_timestamp": now,
                "carrier_name": body.get("carrier_name", ""),
                "tracking_code": body.get("tracking_code", ""),
            }
        )
        return receipt


def money(price: float) -> dict[str, Any]:
    """Return a price as Etsy writes it."""
    return {"amount": round(price * 100), "divisor": 100, "currency_code": "EUR"}


def product(sku: str, price: float, quantity: int, *values: tuple[int, str, int, str]) -> dict[str, Any]:
    """Return a product; each of `values` is a property's id and name, its value's id and name."""
    return {
        "sku": sku,
        "property_values": [
            {"property_id": number, "property_name": name, "scale_id": None, "value_ids": [value], "values": [text]}
            for number, name, value, text in values
        ],
        "offerings": [{"quantity": quantity, "is_enabled": True, "price": money(price), "readiness_state_id": 77}],
    }
