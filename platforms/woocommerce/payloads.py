"""What WooCommerce and WordPress send, as far as we read it; the field names are theirs (wc/v3, wp/v2)."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from html import unescape
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from domain.catalog import Sku
from domain.errors import BadInput
from platforms.wire import Answer, unsure

Model = TypeVar("Model")
_TAGS = re.compile(r"<[^>]*>")


class Payload(BaseModel):
    """Unknown fields are none of our business: every plug-in adds some, and some send null or a number for a text."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        return {name: one for name, one in value.items() if one is not None} if isinstance(value, dict) else value


class ApplicationPassword(Payload):
    """A password of one of the shop's people for one app; `uuid` is its name."""

    uuid: str


class Image(Payload):
    """One picture of a product; `id` is an attachment of the media library, `src` may be on another host."""

    id: int
    src: str
    alt: str = ""


class Stocked(Payload):
    """What products and variations have in common. `manage_stock` is `"parent"` where the product counts for all."""

    id: int
    parent_id: int = 0
    sku: str = ""
    price: str = ""
    regular_price: str = ""
    on_sale: bool = False
    manage_stock: bool | Literal["parent"] = False
    stock_quantity: float | None = None

    @property
    def sku_read(self) -> Sku | None:
        """The SKU, None where the seller gave none or one that we cannot carry."""
        try:
            return Sku(self.sku)
        except BadInput:
            return None

    @property
    def price_read(self) -> Decimal:
        """What a buyer pays now; 0 where no price is set."""
        try:
            return Decimal(self.price)
        except InvalidOperation:
            return Decimal(0)

    @property
    def quantity(self) -> int | None:
        """How many are left, None where the store does not count."""
        return int(self.stock_quantity) if self.manage_stock and self.stock_quantity is not None else None


class Attribute(Payload):
    """One choice of a variation: `Colour` / `Red`."""

    name: str = ""
    option: str = ""


class Variation(Stocked):
    """One form of a variable product."""

    attributes: tuple[Attribute, ...] = ()

    @property
    def title(self) -> str:
        """How people tell it from the others."""
        return " / ".join(plain(one.option) for one in self.attributes if one.option)


class Product(Stocked):
    """A product; asked for by SKU, a variation comes in this shape too, with its product's `parent_id`."""

    type: str = "simple"
    status: str = "publish"
    name: str = ""
    description: str = ""
    permalink: str = ""
    images: tuple[Image, ...] = ()


class BatchRow(Stocked):
    """One row of a batch's answer: the product as it is then, or why it was refused."""

    error: dict[str, object] | None = None


class Batch(Payload):
    """The answer to a batch, in the order that was asked."""

    update: tuple[BatchRow, ...]


class MediaSize(Payload):
    """What WordPress keeps of an upload; an empty PHP array comes as `[]` instead."""

    original_image: str = ""


class Media(Payload):
    """One attachment. `missing_image_sizes` is not empty where the upload died while thumbnails were made."""

    id: int
    source_url: str = ""
    alt_text: str = ""
    missing_image_sizes: tuple[str, ...] = ()
    media_details: MediaSize | tuple[()] = ()


class OrderItem(Payload):
    """One line of an order."""

    id: int
    name: str = ""
    sku: str | None = None
    quantity: float = 0


class RefundRef(Payload):
    """That there is a refund."""

    id: int


class PlacedOrder(Payload):
    """One order; nothing of the buyer is among the fields we ask for."""

    id: int
    number: str = ""
    status: str
    date_created_gmt: str
    date_modified_gmt: str
    date_completed_gmt: str | None = None
    line_items: tuple[OrderItem, ...] = ()
    refunds: tuple[RefundRef, ...] = ()


class MetaEntry(Payload):
    """One hidden value; `_refunded_item_id` names the order line that a refund's line belongs to."""

    key: str
    value: object = None


class RefundItem(Payload):
    """One line of a refund; the quantity is negative."""

    quantity: float = 0
    meta_data: tuple[MetaEntry, ...] = ()

    @property
    def of_line(self) -> int | None:
        """The order line it takes back."""
        value = next((str(one.value) for one in self.meta_data if one.key == "_refunded_item_id"), "")
        return int(value) if value.isdecimal() else None


class Refund(Payload):
    """One refund of an order."""

    id: int
    line_items: tuple[RefundItem, ...] = ()


class Site(Payload):
    """What the site's REST index says of itself, also to strangers."""

    name: str = ""
    home: str = ""
    namespaces: tuple[str, ...] = ()


class Me(Payload):
    """Whose application password ours is, and what that person may do."""

    capabilities: dict[str, bool] | tuple[()] = ()


class Currency(Payload):
    """The shop's currency."""

    code: str


def read(answer: Answer, kind: type[Model]) -> Model:
    """Return an answer's body as a model. Raises StoreDown, or Ambiguous after a write, for any other shape."""
    value = answer.json()
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise unsure(answer.call, answer.store, f"{answer.store} answered in a way I do not know.") from error


def plain(text: str) -> str:
    """Return a text of theirs as people read it: WordPress keeps `&` as `&amp;`."""
    return unescape(text)


def without_tags(text: str) -> str:
    """Return the text of a little HTML."""
    return " ".join(plain(_TAGS.sub(" ", text)).split())


SCALED: Final = re.compile(r"-(?:scaled|rotated)(\.\w+)$")
"""WordPress shows uploads over 2,560 px, and those it turned upright, from such a copy and keeps the original beside it."""
