"""Shopify's orders: read by when they changed, shipped once. Nothing about the buyer is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from domain.catalog import Store
from domain.errors import Ambiguous, NotFound, RejectedByStore
from domain.trade import Order, OrderId, OrderLine, OrderPage, OrderState, Shipment
from platforms.shopify.api import ShopifyApi
from platforms.shopify.listings import sku_in
from platforms.shopify.media import as_gid

PAGE: Final = 20
PAGE_COST: Final = 5.0 + PAGE * 34
ORDER_COST: Final = 900.0
UNPAID: Final = frozenset({"PENDING", "EXPIRED", "VOIDED"})
SHIPPABLE: Final = frozenset({"OPEN", "IN_PROGRESS"})


async def since(api: ShopifyApi, store: Store, moment: datetime, *, cursor: str | None) -> OrderPage:
    """Return a page, the longest unchanged first."""
    query = f"updated_at:>='{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
    asked = {"first": PAGE, "after": cursor, "query": query}
    data = await api.ask("orders", asked, scope="read_orders", cost=PAGE_COST)
    orders = [
        # What was cancelled or sent back, and lines beyond the page, come with the whole order only.
        await read(api, store, OrderId(node["id"])) if _needs_more(node) else _order(node, store, api, {})
        for node in data["orders"]["nodes"]
    ]
    info = data["orders"]["pageInfo"]
    return OrderPage(tuple(orders), info["endCursor"] if info["hasNextPage"] else None)


async def read(api: ShopifyApi, store: Store, order_id: OrderId) -> Order:
    """Return one with all its lines. Raises NotFound."""
    whole: dict[str, Any] | None = None
    after: str | None = None
    while True:
        asked = {"id": as_gid("Order", order_id), "after": after}
        node = (await api.ask("order", asked, scope="read_orders", cost=ORDER_COST))["order"]
        if node is None:
            raise NotFound(f"{api.store_name} has no such order.", store=api.store_name)
        if whole is None:
            whole = node
        else:
            whole["lineItems"]["nodes"] += node["lineItems"]["nodes"]
        info = node["lineItems"]["pageInfo"]
        if not info["hasNextPage"]:
            return _order(whole, store, api, _restocked(whole))
        after = info["endCursor"]


async def ship(api: ShopifyApi, store: Store, shipment: Shipment) -> Order:
    """Mark every open line shipped, one fulfilment a location, and tell the buyer.

    Looks before each write and after a lost answer. Raises Ambiguous, or RejectedByStore where nothing can be shipped.
    """
    for location, ids in (await _to_ship(api, shipment.order_id)).items():
        tracking = {"company": shipment.carrier, "number": shipment.tracking_number, "url": shipment.tracking_url}
        fulfillment = {
            "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": one} for one in ids],
            "trackingInfo": {name: value for name, value in tracking.items() if value},
            "notifyCustomer": True,
        }
        try:
            await api.ask(
                "fulfillment_create",
                {"fulfillment": fulfillment},
                scope="write_merchant_managed_fulfillment_orders",
                cost=20,
            )
        except Ambiguous:
            if location in await _to_ship(api, shipment.order_id):
                raise
    order = await read(api, store, shipment.order_id)
    if order.state in {OrderState.OPEN, OrderState.UNPAID}:
        raise RejectedByStore("it lets nothing of this order be shipped", store=api.store_name, field="")
    return order


async def _to_ship(api: ShopifyApi, order_id: OrderId) -> dict[str, list[str]]:
    """Return the open fulfilment orders by location: one fulfilment takes those of one location only."""
    asked = {"id": as_gid("Order", order_id)}
    scope = "read_merchant_managed_fulfillment_orders"
    order = (await api.ask("order_to_ship", asked, scope=scope, cost=600))["order"]
    if order is None:
        raise NotFound(f"{api.store_name} has no such order.", store=api.store_name)
    found: dict[str, list[str]] = {}
    for node in order["fulfillmentOrders"]["nodes"]:
        is_open = node["status"] in SHIPPABLE and any(
            line["remainingQuantity"] > 0 for line in node["lineItems"]["nodes"]
        )
        may_ship = any(one["action"] == "CREATE_FULFILLMENT" for one in node["supportedActions"])
        if is_open and may_ship:
            location = (node["assignedLocation"]["location"] or {}).get("id", "")
            found.setdefault(location, []).append(node["id"])
    return found


def _needs_more(node: Mapping[str, Any]) -> bool:
    lines = node["lineItems"]
    was_taken_back = any(line["currentQuantity"] < line["quantity"] for line in lines["nodes"])
    return bool(node["cancelledAt"]) or was_taken_back or lines["pageInfo"]["hasNextPage"]


def _restocked(node: Mapping[str, Any]) -> dict[str, int]:
    """How many of each line went back on the shelf."""
    counts: dict[str, int] = {}
    for refund in node["refunds"]:
        for one in refund["refundLineItems"]["nodes"]:
            if one["restocked"]:
                line_id = one["lineItem"]["id"]
                counts[line_id] = counts.get(line_id, 0) + one["quantity"]
    return counts


def _order(node: Mapping[str, Any], store: Store, api: ShopifyApi, restocked: Mapping[str, int]) -> Order:
    return Order(
        store_id=store.store_id,
        order_id=OrderId(node["id"]),
        number=node["name"],
        state=_state(node),
        ordered_at=datetime.fromisoformat(node["createdAt"]),
        changed_at=datetime.fromisoformat(node["updatedAt"]),
        lines=tuple(
            OrderLine(
                line_id=line["id"],
                sku=sku_in(line["sku"]),
                title=line["title"],
                ordered=line["quantity"],
                cancelled=line["quantity"] - line["currentQuantity"],
                restocked=restocked.get(line["id"], 0),
                shipped=max(0, line["currentQuantity"] - line["unfulfilledQuantity"]),
            )
            for line in node["lineItems"]["nodes"]
        ),
        url=f"{api.transport.account.base_url}/admin/orders/{node['legacyResourceId']}",
        is_test=node["test"],
    )


def _state(node: Mapping[str, Any]) -> OrderState:
    if node["cancelledAt"]:
        return OrderState.CANCELLED
    match node["displayFulfillmentStatus"]:
        case "FULFILLED" | "FULFILLMENT_NOT_REQUIRED":
            return OrderState.SHIPPED
        case "PARTIALLY_FULFILLED":
            return OrderState.PARTLY_SHIPPED
    return OrderState.UNPAID if node["displayFinancialStatus"] in UNPAID else OrderState.OPEN
