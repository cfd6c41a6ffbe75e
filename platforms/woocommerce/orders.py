"""Orders at WooCommerce: by the time they changed, without a word about the buyer; sent is `completed`.

Pages are not counted by number: an order that changes while they are read moves to the end, and another would
slip past. The cursor is the last moment seen and the orders of that very second, which are left out next time.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from domain.catalog import Sku
from domain.errors import Ambiguous, BadInput, RejectedByStore
from domain.trade import Order, OrderId, OrderLine, OrderPage, OrderState, Shipment
from platforms.woocommerce.api import WooApi
from platforms.woocommerce.payloads import OrderItem, PlacedOrder, plain

STATES: Final = {
    "pending": OrderState.UNPAID,
    "on-hold": OrderState.UNPAID,
    "processing": OrderState.OPEN,
    "completed": OrderState.SHIPPED,
    "cancelled": OrderState.CANCELLED,
    "refunded": OrderState.CANCELLED,
    "failed": OrderState.CANCELLED,
    "trash": OrderState.CANCELLED,
}
"""A plug-in's own state counts as open until the order has a date of completion."""
DRAFTS: Final = frozenset({"checkout-draft", "auto-draft"})
"""A basket at the till is no order."""
WITHOUT_STOCK: Final = frozenset({"pending", "failed"})
"""WooCommerce takes the stock of an order when it is paid or put on hold, and a payment that failed never had it."""
TRACKING: Final = "_wc_shipment_tracking_items"
"""Where the Shipment Tracking extension and those like it look; without one of them only the seller sees it."""


async def since(api: WooApi, moment: datetime, cursor: str | None) -> OrderPage:
    """Return a page of orders changed at or after the moment."""
    at, seen = _opened(cursor) if cursor else (moment.astimezone(UTC).replace(microsecond=0), [])
    # `modified_after` leaves out the very second it names.
    after = (at - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    page = await api.orders(after=after, exclude=seen)
    orders = tuple([await _order(api, one) for one in page.rows if one.status not in DRAFTS])
    if page.pages <= 1 or not page.rows:
        return OrderPage(orders, None)
    last = _time(page.rows[-1].date_modified_gmt)
    same_second = [one.id for one in page.rows if _time(one.date_modified_gmt) == last]
    return OrderPage(orders, json.dumps([last.isoformat(), (seen if last == at else []) + same_second]))


async def one(api: WooApi, order_id: int) -> Order:
    """Return one order, read now."""
    return await _order(api, await api.order(order_id))


async def ship(api: WooApi, order_id: int, shipment: Shipment) -> Order:
    """Complete an order that is open. Raises Ambiguous, RejectedByStore(field="state") for one that cannot be sent."""
    found = await one(api, order_id)
    if found.state is OrderState.SHIPPED:
        return found
    if found.state is not OrderState.OPEN:
        raise RejectedByStore(f"Order {found.number} is {found.state.value}.", store=api.store.name, field="state")
    meta = [{"key": TRACKING, "value": [_tracking(shipment)]}] if shipment.tracking_number else []
    try:
        return await _order(api, await api.complete_order(order_id, meta))
    except Ambiguous:
        found = await one(api, order_id)
        if found.state is OrderState.SHIPPED:
            return found
        raise


def _tracking(shipment: Shipment) -> dict[str, Any]:
    return {
        "custom_tracking_provider": shipment.carrier,
        "custom_tracking_link": shipment.tracking_url,
        "tracking_provider": "",
        "tracking_number": shipment.tracking_number,
        "tracking_id": hashlib.sha256(shipment.key.encode()).hexdigest()[:32],
    }


async def _order(api: WooApi, placed: PlacedOrder) -> Order:
    state = STATES.get(placed.status, OrderState.SHIPPED if placed.date_completed_gmt else OrderState.OPEN)
    refunded: dict[int, int] = {}
    for refund in await api.refunds(placed.id) if placed.refunds else ():
        for item in refund.line_items:
            if (line := item.of_line) is not None:
                refunded[line] = refunded.get(line, 0) + abs(int(item.quantity))
    return Order(
        store_id=api.store.store_id,
        order_id=OrderId(str(placed.id)),
        number=placed.number or str(placed.id),
        state=state,
        ordered_at=_time(placed.date_created_gmt),
        changed_at=_time(placed.date_modified_gmt),
        lines=tuple(_line(item, state, refunded.get(item.id, 0)) for item in placed.line_items),
        url=f"{api.site}/wp-admin/admin.php?page=wc-orders&action=edit&id={placed.id}",
        holds_stock=placed.status not in WITHOUT_STOCK,
    )


def _line(item: OrderItem, state: OrderState, refunded: int) -> OrderLine:
    ordered = int(item.quantity)
    cancelled = ordered if state is OrderState.CANCELLED else min(refunded, ordered)
    # WooCommerce says of no piece whether it was sent; what a completed order gives money back for had mostly left.
    shipped = ordered if state is OrderState.SHIPPED else 0
    return OrderLine(str(item.id), _sku(item), plain(item.name), ordered, cancelled=cancelled, shipped=shipped)


def _sku(item: OrderItem) -> Sku | None:
    try:
        return Sku(item.sku or "")
    except BadInput:
        return None


def _time(value: str) -> datetime:
    """Return a `…_gmt` time, which comes without a zone."""
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _opened(cursor: str) -> tuple[datetime, list[int]]:
    at, seen = json.loads(cursor)
    return datetime.fromisoformat(at), list(seen)
