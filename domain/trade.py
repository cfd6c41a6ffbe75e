"""What a store counts and sells: stock levels and orders. Nothing here says who a buyer is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from domain.catalog import ListingId, Sku, StoreId

StockId = NewType("StockId", str)
"""A store's own handle of one counted quantity: whatever its adapter needs to write it, and means to nobody else."""

OrderId = NewType("OrderId", str)


@dataclass(frozen=True, slots=True)
class StockLevel:
    """How many can be bought of one SKU, at one place of the store's where it has several.

    `quantity` is None where the store does not count. `is_writable` is False for what the platform itself
    keeps (Amazon's own warehouses). `location` is the place's name, empty where the store has only one.
    """

    store_id: StoreId
    stock_id: StockId
    sku: Sku
    listing_id: ListingId
    quantity: int | None
    location: str = ""
    is_writable: bool = True


@dataclass(frozen=True, slots=True)
class StockWrite:
    """Set one level to `quantity` (≥ 0), based on `was`; `key` names this write: the same key is the same write."""

    key: str
    stock_id: StockId
    sku: Sku
    was: int | None
    quantity: int


class OrderState(StrEnum):
    """How far an order is; the same in every store."""

    UNPAID = "unpaid"
    OPEN = "open"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line; the counts only ever grow. `sku` is None where the seller gave the product none."""

    line_id: str
    sku: Sku | None
    title: str
    ordered: int
    cancelled: int = 0
    restocked: int = 0
    shipped: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """One order as the store knows it now. `number` is what people call it; times are aware UTC.

    `holds_stock`: whether the store has taken what was ordered off its own stock, or had and put it back.
    """

    store_id: StoreId
    order_id: OrderId
    number: str
    state: OrderState
    ordered_at: datetime
    changed_at: datetime
    lines: tuple[OrderLine, ...]
    url: str = ""
    ship_by: datetime | None = None
    is_test: bool = False
    holds_stock: bool = True


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of orders, the longest unchanged first; `next_cursor` is None on the last."""

    orders: tuple[Order, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Shipment:
    """What was sent: every open line of the order. `carrier` as people write it; both may be empty."""

    key: str
    order_id: OrderId
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""


@dataclass(frozen=True, slots=True)
class PriceWrite:
    """Set the price of a SKU of one listing, in the store's currency; `was` None where it is not compared."""

    listing_id: ListingId
    sku: Sku
    price: Decimal
    currency: str
    was: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TextWrite:
    """Set what buyers read, plain text; None leaves a field as it is."""

    listing_id: ListingId
    title: str | None = None
    description: str | None = None
