"""Etsy's receipts as orders, and shipping them: once, since every call writes to the buyer."""

from __future__ import annotations

import html
import json
from datetime import UTC, datetime
from typing import Final

from domain.catalog import ListingId
from domain.errors import Ambiguous, RejectedByStore, StoreDown, StoreError
from domain.trade import Order, OrderId, OrderLine, OrderPage, OrderState, Shipment
from platforms.etsy.api import PAGE, EtsyApi
from platforms.etsy.listings import sku_of
from platforms.etsy.payloads import Receipt, Transaction

OLDEST: Final = 946_684_800
"""The earliest time Etsy takes: the year 2000, before there was an Etsy."""
_CANCELLED: Final = frozenset({"canceled", "fully refunded"})
_SHIPPING: Final = "sending"


async def since(api: EtsyApi, moment: datetime, *, cursor: str | None) -> OrderPage:
    """Return a page of the orders changed since, the longest unchanged first.

    The cursor is a time and what was seen of that second: an offset would lose one order for every order that
    changes, and so moves to the end, between two pages.
    """
    begin, seen = _place(cursor) if cursor else (max(OLDEST, int(moment.timestamp())), [])
    offset = len(seen) // PAGE * PAGE
    page = await api.get_shop_receipts(min_last_modified=begin, offset=offset)
    fresh = [one for one in page.results if one.receipt_id not in seen]
    orders = tuple(in_our_words(api, one) for one in fresh)
    if not page.results or offset + len(page.results) >= page.count:
        return OrderPage(orders, None)
    latest = page.results[-1].updated_timestamp
    of_latest = [one.receipt_id for one in page.results if one.updated_timestamp == latest]
    kept = sorted({*seen, *of_latest}) if latest == begin else of_latest
    return OrderPage(orders, json.dumps([latest, kept]))


async def one(api: EtsyApi, order_id: OrderId) -> Order:
    """Return one order. Raises NotFound."""
    return in_our_words(api, await api.get_shop_receipt(order_id))


async def ship(api: EtsyApi, shipment: Shipment) -> Order:
    """Mark an order as shipped. What is about to be sent is noted first; the same shipment is never sent twice.

    Raises Ambiguous where it was sent before and Etsy does not show it: a person looks, and asks anew.
    """
    receipt = await api.get_shop_receipt(shipment.order_id)
    if receipt.is_shipped:
        return in_our_words(api, receipt)
    place, name = ListingId(f"receipt:{shipment.order_id}"), f"ship:{shipment.key}"
    notes = await api.notes.of_listing(api.store.store_id, place)
    if notes.get(name) == _SHIPPING:
        raise _unclear(api, shipment)
    if receipt.status.lower() in _CANCELLED or not receipt.is_paid:
        raise RejectedByStore(f"the order is {receipt.status}", store=api.store.name, field="order")
    await api.notes.keep(api.store.store_id, place, name, _SHIPPING)
    try:
        shipped = await api.create_receipt_shipment(shipment.order_id, _body(shipment))
    except Ambiguous as error:
        try:
            shipped = await api.get_shop_receipt(shipment.order_id)
        except StoreDown:
            raise _unclear(api, shipment) from error
        if not shipped.is_shipped:
            raise _unclear(api, shipment) from error
    except StoreError:
        # Etsy said no, or was never reached: nothing went to the buyer.
        await api.notes.keep(api.store.store_id, place, name, "")
        raise
    return in_our_words(api, shipped)


def in_our_words(api: EtsyApi, receipt: Receipt) -> Order:
    """Return a receipt as an order, without a word about the buyer."""
    state = _state(receipt)
    days = [line.expected_ship_date for line in receipt.transactions if line.expected_ship_date]
    return Order(
        store_id=api.store.store_id,
        order_id=OrderId(str(receipt.receipt_id)),
        number=str(receipt.receipt_id),
        state=state,
        ordered_at=_moment(receipt.created_timestamp),
        changed_at=_moment(receipt.updated_timestamp),
        lines=tuple(_line(receipt, line, state) for line in receipt.transactions),
        ship_by=_moment(min(days)) if days else None,
    )


def _line(receipt: Receipt, line: Transaction, state: OrderState) -> OrderLine:
    is_shipped = receipt.is_shipped or line.shipped_timestamp is not None
    return OrderLine(
        line_id=str(line.transaction_id),
        sku=sku_of(line.sku),
        title=html.unescape(line.title or ""),
        ordered=line.quantity,
        cancelled=line.quantity if state is OrderState.CANCELLED else 0,
        shipped=line.quantity if is_shipped else 0,
    )


def _state(receipt: Receipt) -> OrderState:
    if receipt.status.lower() in _CANCELLED and not receipt.is_shipped:
        return OrderState.CANCELLED
    if receipt.is_shipped:
        return OrderState.SHIPPED
    if not receipt.is_paid:
        return OrderState.UNPAID
    if any(line.shipped_timestamp is not None for line in receipt.transactions):
        return OrderState.PARTLY_SHIPPED
    return OrderState.OPEN


def _body(shipment: Shipment) -> dict[str, str]:
    """Return what is sent. A number without a carrier goes as `other`, which is what Etsy asks for."""
    if not shipment.tracking_number:
        return {}
    return {"tracking_code": shipment.tracking_number, "carrier_name": shipment.carrier or "other"}


def _unclear(api: EtsyApi, shipment: Shipment) -> Ambiguous:
    store = api.store.name
    return Ambiguous(f"Nobody can tell whether {store} has order {shipment.order_id} as shipped.", store=store)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _place(cursor: str) -> tuple[int, list[int]]:
    begin, seen = json.loads(cursor)
    return int(begin), [int(number) for number in seen]
