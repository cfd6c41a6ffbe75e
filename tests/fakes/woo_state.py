"""What a WooCommerce shop keeps: products, variations, the media library, orders; and how WordPress cleans texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

Row = dict[str, Any]


@dataclass(slots=True)
class Attachment:
    """One file of the library. `original` is set where WordPress shows a `-scaled` copy of it."""

    media_id: int
    slug: str
    filename: str
    content: bytes
    title: str = ""
    alt: str = ""
    post: int = 0
    original: bytes | None = None
    missing_sizes: list[str] = field(default_factory=list)

    @property
    def original_name(self) -> str:
        return self.filename.replace("-scaled", "") if self.original is not None else ""


@dataclass(slots=True)
class WooState:
    """The shop. Products and variations are rows by id; a variation's `parent_id` is not 0."""

    rows: dict[int, Row] = field(default_factory=dict)
    media: dict[int, Attachment] = field(default_factory=dict)
    orders: dict[int, Row] = field(default_factory=dict)
    refunds: dict[int, list[Row]] = field(default_factory=dict)
    mails: list[str] = field(default_factory=list)
    now: datetime = datetime(2026, 11, 24, 8, tzinfo=UTC)
    _ids: Iterator[int] = field(default_factory=lambda: count(101))

    def tick(self) -> str:
        """Let a second pass and return the time as `…_gmt` fields have it."""
        self.now += timedelta(seconds=1)
        return self.now.strftime("%Y-%m-%dT%H:%M:%S")

    def add_product(self, **given: Any) -> int:
        """Add a product, and return its id."""
        number = next(self._ids)
        self.rows[number] = {
            "id": number, "parent_id": 0, "type": "simple", "status": "publish", "name": "Product", "sku": "",
            "description": "", "regular_price": "10.00", "sale_price": "", "manage_stock": False,
            "stock_quantity": None, "images": [], "attributes": [], **given,
        }  # fmt: skip
        return number

    def add_variation(self, product_id: int, **given: Any) -> int:
        """Add a form of a variable product."""
        return self.add_product(**{"parent_id": product_id, "type": "variation", **given})

    def add_media(self, content: bytes, *, slug: str, filename: str, **given: Any) -> Attachment:
        """Add a file: WordPress gives a slug or a file name that is taken a number."""
        slugs = {one.slug for one in self.media.values()}
        names = {one.filename for one in self.media.values()}
        stem, dot, ending = filename.rpartition(".")
        made = Attachment(
            next(self._ids),
            next(one for one in _numbered(slug, 2) if one not in slugs),
            next(one for one in (f"{part}{dot}{ending}" for part in _numbered(stem, 1)) if one not in names),
            content,
            **given,
        )
        self.media[made.media_id] = made
        return made

    def gallery(self, product_id: int) -> list[Attachment]:
        """Return what buyers see: an attachment that was deleted is shown nowhere."""
        return [self.media[one] for one in self.rows[product_id]["images"] if one in self.media]

    def set_gallery(self, product_id: int, ids: list[int]) -> None:
        """The first is the featured picture; the others lose their doubles."""
        self.rows[product_id]["images"] = [*ids[:1], *dict.fromkeys(ids[1:])]

    def stock_row(self, row: Row) -> Row:
        """Return the row that counts for this one: its product's, where the variation leaves it to that."""
        return self.rows[row["parent_id"]] if row["parent_id"] and not row["manage_stock"] else row

    def shown_row(self, row: Row, url: str) -> Row:
        """Return a row as it is sent."""
        counting = self.stock_row(row)
        counts = bool(counting["manage_stock"])
        manages: bool | str = counts if counting is row else ("parent" if counts else False)
        shown = {
            **row,
            "price": row["sale_price"] or row["regular_price"],
            "on_sale": bool(row["sale_price"]),
            "manage_stock": manages,
            "stock_quantity": counting["stock_quantity"] if counts else None,
            "permalink": f"{url}/product/{row['id']}/",
            "images": [self.shown_image(one, url) for one in self.gallery(row["id"])],
            "meta_data": [],
        }
        if row["type"] == "variable":
            shown["price"] = min((one["regular_price"] for one in self.variations(row["id"])), default="")
        return shown

    def variations(self, product_id: int) -> list[Row]:
        return [one for one in self.rows.values() if one["parent_id"] == product_id]

    def shown_image(self, one: Attachment, url: str) -> Row:
        return {"id": one.media_id, "src": file_url(one, url), "name": one.title, "alt": one.alt}

    def place_order(self, sku: str, quantity: int, *, status: str = "processing") -> int:
        """A buyer orders: a paid order takes its stock at once."""
        row = next(one for one in self.rows.values() if one["sku"] == sku)
        counting = self.stock_row(row)
        if counting["manage_stock"]:
            counting["stock_quantity"] -= quantity
        number, now = next(self._ids), self.tick()
        self.orders[number] = {
            "id": number, "number": str(number), "status": status, "date_created_gmt": now, "date_modified_gmt": now,
            "date_completed_gmt": None, "refunds": [], "meta_data": [],
            "line_items": [{"id": next(self._ids), "name": row["name"], "sku": sku, "quantity": quantity}],
            "billing": {"first_name": "Bea", "email": "bea@buyer.example"},
        }  # fmt: skip
        return number

    def refund(self, order_id: int, quantity: int) -> None:
        """The shop gives money back for some of the first line."""
        order, number = self.orders[order_id], next(self._ids)
        line = {
            "id": next(self._ids), "quantity": -quantity,
            "meta_data": [{"id": 1, "key": "_refunded_item_id", "value": str(order["line_items"][0]["id"])}],
        }  # fmt: skip
        order["refunds"].append({"id": number, "reason": "", "total": "-1.00"})
        order["date_modified_gmt"] = self.tick()
        self.refunds.setdefault(order_id, []).append({"id": number, "amount": "1.00", "line_items": [line]})


def file_url(one: Attachment, url: str) -> str:
    """Return where a file is served."""
    return f"{url}/wp-content/uploads/2026/11/{one.filename}"


def text_field(value: str) -> str:
    """Return what `sanitize_text_field` leaves: whatever looks like a tag is cut out, and line breaks are blanks."""
    return " ".join(re.sub(r"<[^>]*>", "", value).split())


def kses(value: str) -> str:
    """Return what `wp_filter_post_kses` leaves of plain text: unknown tags go, a bare `&` becomes `&amp;`."""
    return re.sub(r"&(?!#?\w+;)", "&amp;", re.sub(r"</?(?!(?:p|b|i|em|strong|br|a|ul|li)\b)[^>]*>", "", value))


def chosen(row: Row, fields: str) -> Row:
    """Return what `_fields` asks for, `line_items.id` and the like included."""
    if not fields:
        return row
    shown: Row = {}
    for name in fields.split(","):
        outer, _, inner = name.partition(".")
        if outer not in row:
            continue
        if not inner:
            shown[outer] = row[outer]
            continue
        parts = shown.setdefault(outer, [{} for _ in row[outer]])
        for part, whole in zip(parts, row[outer], strict=True):
            part |= _only(whole, inner)
    return shown


def _only(whole: Mapping[str, Any], name: str) -> Row:
    return {name: whole[name]} if name in whole else {}


def _numbered(name: str, first: int) -> Iterator[str]:
    yield name
    for number in count(first):
        yield f"{name}-{number}"
