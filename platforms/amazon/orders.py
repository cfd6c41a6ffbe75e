"""Orders of the 2026-01-01 version, which names no buyer unless it is asked to; shipping is still the older one's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from domain.errors import Ambiguous, NotFound, RejectedByStore
from domain.trade import Order, OrderId, OrderLine, OrderPage, OrderState, Shipment
from platforms.amazon.api import AmazonApi, Json
from platforms.amazon.listings import sku_of

PAGE: Final = 100
STATES: Final = {
    "PENDING_AVAILABILITY": OrderState.UNPAID,
    "PENDING": OrderState.UNPAID,
    "UNSHIPPED": OrderState.OPEN,
    "PARTIALLY_SHIPPED": OrderState.PARTLY_SHIPPED,
    "SHIPPED": OrderState.SHIPPED,
    "CANCELLED": OrderState.CANCELLED,
    "UNFULFILLABLE": OrderState.OPEN,
}
CARRIERS: Final = (
    "DHL", "DPD", "GLS", "Hermes", "UPS", "FedEx", "USPS", "Deutsche Post", "Royal Mail", "Parcelforce", "Yodel",
    "Colissimo", "Chronopost", "La Poste", "Poste Italiane", "BRT", "SDA", "Correos", "SEUR", "MRW", "PostNL", "bpost",
    "InPost", "PostNord", "Canada Post", "OnTrac", "YAMATO", "SAGAWA", "Japan Post", "Australia Post",
)  # fmt: skip
"""Carrier codes Amazon knows; any other goes as `Other` with its name."""
BY_AMAZON: Final = "AMAZON"


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of one account at one marketplace."""

    api: AmazonApi

    async def since(self, since: datetime, *, cursor: str | None) -> OrderPage:
        """Return a page of up to 100. Amazon sorts none: within a page the longest unchanged comes first."""
        params: dict[str, str | int] = {"lastUpdatedAfter": _iso(since), "maxResultsPerPage": PAGE}
        if cursor:
            params["paginationToken"] = cursor
        page = await self.api.orders_page(params)
        orders = sorted((self._order(one) for one in page.get("orders") or ()), key=lambda one: one.changed_at)
        return OrderPage(tuple(orders), (page.get("pagination") or {}).get("nextToken") or None)

    async def one(self, order_id: OrderId) -> Order:
        """Return one. Raises NotFound, also for an id that is none of Amazon's."""
        return self._order(await self._load(order_id))

    async def ship(self, shipment: Shipment) -> Order:
        """Confirm every open line once; what cannot be told is looked up, and asked where it stays unclear."""
        body = await self._load(shipment.order_id, with_packages=True)
        order = self._order(body)
        if _is_sent(body, shipment):
            return order
        open_lines = [(line.line_id, line.ordered - line.cancelled - line.shipped) for line in order.lines]
        open_lines = [(line_id, count) for line_id, count in open_lines if count > 0]
        if order.state in {OrderState.SHIPPED, OrderState.CANCELLED} or not open_lines:
            return order
        if _fulfilment(body).get("fulfilledBy") == BY_AMAZON:
            raise RejectedByStore("Amazon sends this order itself", store=self.api.name, field="order")
        if not shipment.tracking_number:
            raise RejectedByStore("it wants a tracking number", store=self.api.name, field="tracking_number")
        package: Json = {
            "packageReferenceId": _next_reference(body),
            **_carrier(shipment.carrier),
            "trackingNumber": shipment.tracking_number,
            "shipDate": _iso(self.api.transports.clock()),
            "orderItems": [{"orderItemId": line_id, "quantity": count} for line_id, count in open_lines],
        }
        try:
            await self.api.confirm_shipment(order.order_id, package)
        except Ambiguous:
            again = await self._load(order.order_id, with_packages=True)
            if not _is_sent(again, shipment):
                raise
            return self._order(again)
        seen = await self.one(order.order_id)
        # Amazon took it; its own readers hear of it minutes later.
        return seen if seen.state is OrderState.SHIPPED else _as_shipped(seen)

    async def _load(self, order_id: OrderId, *, with_packages: bool = False) -> Json:
        try:
            return await self.api.order(order_id, with_packages=with_packages)
        except RejectedByStore as error:
            # What has not the shape of an order id is refused as input.
            raise NotFound(f"{self.api.name} has no order {order_id}.", store=self.api.name) from error

    def _order(self, body: Json) -> Order:
        fulfilment = _fulfilment(body)
        state = STATES.get(str(fulfilment.get("fulfillmentStatus")), OrderState.OPEN)
        number = str(body["orderId"])
        ship_by = (fulfilment.get("shipByWindow") or {}).get("latestDateTime")
        domain = self.api.marketplace.domain
        return Order(
            store_id=self.api.transport.account.store.store_id,
            order_id=OrderId(number),
            number=number,
            state=state,
            ordered_at=_moment(body["createdTime"]),
            changed_at=_moment(body["lastUpdatedTime"]),
            lines=tuple(_line(one, state) for one in body.get("orderItems") or ()),
            url=f"https://sellercentral.{domain}/orders-v3/order/{number}",
            ship_by=_moment(ship_by) if ship_by else None,
        )


def _line(body: Json, state: OrderState) -> OrderLine:
    product, fulfilment = body.get("product") or {}, body.get("fulfillment") or {}
    ordered, shipped = int(body.get("quantityOrdered") or 0), int(fulfilment.get("quantityFulfilled") or 0)
    still_open = 0 if state is OrderState.CANCELLED else int(fulfilment.get("quantityUnfulfilled", ordered - shipped))
    return OrderLine(
        line_id=str(body["orderItemId"]),
        sku=sku_of(product.get("sellerSku")),
        title=str(product.get("title") or ""),
        ordered=ordered,
        cancelled=max(0, ordered - shipped - still_open),
        shipped=shipped,
    )


def _is_sent(body: Json, shipment: Shipment) -> bool:
    """Whether a parcel with this tracking number is known already."""
    numbers = {str(one.get("trackingNumber")) for one in body.get("packages") or ()}
    return bool(shipment.tracking_number) and shipment.tracking_number in numbers


def _next_reference(body: Json) -> str:
    """Return a number no parcel of the order has: the same one again would correct that parcel."""
    known = [str(one.get("packageReferenceId")) for one in body.get("packages") or ()]
    return str(1 + max((int(one) for one in known if one.isdecimal()), default=0))


def _as_shipped(order: Order) -> Order:
    lines = tuple(replace(line, shipped=line.ordered - line.cancelled) for line in order.lines)
    return replace(order, state=OrderState.SHIPPED, lines=lines)


def _carrier(name: str) -> Mapping[str, str]:
    known = next((code for code in CARRIERS if code.casefold() == name.strip().casefold()), None)
    return {"carrierCode": known} if known else {"carrierCode": "Other", "carrierName": name.strip() or "Other"}


def _fulfilment(body: Json) -> Json:
    return body.get("fulfillment") or {}


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
