"""Stock and orders of a pretended Shopify shop: compare and set, idempotency keys, bulk files, fulfilments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.graphql_walk import Arguments, connection
from tests.fakes.shopify_shop import Goods, ShopProduct, ShopVariant


@dataclass(slots=True)
class SoldLine:
    """One line of an order."""

    number: int
    variant: ShopVariant
    title: str
    quantity: int
    removed: int = 0
    restocked: int = 0
    fulfilled: int = 0

    @property
    def gid(self) -> str:
        return f"gid://shopify/LineItem/{self.number}"


@dataclass(slots=True)
class Sold:
    """An order; it was paid."""

    number: int
    at: datetime
    changed_at: datetime
    lines: list[SoldLine]
    cancelled_at: datetime | None = None
    is_paid: bool = True

    @property
    def gid(self) -> str:
        return f"gid://shopify/Order/{self.number}"

    @property
    def is_fulfilled(self) -> bool:
        return all(line.fulfilled >= line.quantity - line.removed for line in self.lines)


@dataclass(slots=True)
class Trade:
    """Stock, orders and bulk operations on some goods."""

    goods: Goods
    locations: dict[int, str] = field(default_factory=lambda: {501: "Warehouse"})
    orders: dict[str, Sold] = field(default_factory=dict)
    writes: dict[str, tuple[Mapping[str, Any], dict[str, Any]]] = field(default_factory=dict)
    """By idempotency key: what was asked, and what was answered."""
    bulk: dict[str, list[Any]] = field(default_factory=dict)
    """By gid: the steps left, and the file."""
    bulk_steps: int = 2
    mails: int = 0
    now: datetime = datetime(2026, 11, 24, 9, tzinfo=UTC)

    def sell(self, sku: str, quantity: int) -> str:
        """A buyer orders and pays; the stock falls."""
        product, variant = self._by_sku(sku)
        location = next(iter(variant.levels))
        variant.levels[location] -= quantity
        self.now += timedelta(minutes=1)
        line = SoldLine(self.goods.numbers(), variant, product.title, quantity)
        order = Sold(self.goods.numbers(), self.now, self.now, [line])
        self.orders[order.gid] = order
        return order.gid

    def step(self) -> None:
        for operation in self.bulk.values():
            operation[0] = max(0, operation[0] - 1)

    # ------------------------------------------------------------ stock

    def items(self, a: Arguments) -> dict[str, Any]:
        found = [self.item_node(v, p) for p, v in self._variants() if matches(a.get("query"), v.sku)]
        return connection(found, a)

    def item(self, a: Arguments) -> dict[str, Any] | None:
        return next((self.item_node(v, p) for p, v in self._variants() if v.item_gid == a["id"]), None)

    def item_node(self, variant: ShopVariant, product: ShopProduct) -> dict[str, Any]:
        levels = {number: self._level_node(variant, number) for number in variant.levels}
        return {
            "id": variant.item_gid,
            "sku": variant.sku,
            "tracked": variant.tracked,
            "variants": lambda a: connection([self.goods.variant_node(variant, product)], a),
            "inventoryLevels": lambda a: connection(list(levels.values()), a),
            "inventoryLevel": lambda a: levels.get(int(a["locationId"].rsplit("/", 1)[-1])),
        }

    def set_quantities(self, a: Arguments, key: str) -> dict[str, Any]:
        """Compare and set. The same key answers as it did; with other arguments it is refused."""
        wanted = a["input"]
        if key in self.writes:
            before, answer = self.writes[key]
            return answer if before == wanted else _stock_error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
        assert wanted["name"] == "available"
        for one in wanted["quantities"]:
            assert "changeFromQuantity" in one, "must be given from 2026-04 on"
            variant, location = self._stocked(one)
            if one["quantity"] < 0:
                return _stock_error("INVALID_QUANTITY_NEGATIVE")
            if one["changeFromQuantity"] not in (None, variant.levels[location]):
                return _stock_error("CHANGE_FROM_QUANTITY_STALE")
        changes = []
        for one in wanted["quantities"]:
            variant, location = self._stocked(one)
            delta = one["quantity"] - variant.levels[location]
            variant.levels[location] = one["quantity"]
            changes.append({"name": "available", "delta": delta, "quantityAfterChange": one["quantity"]})
        group = {"id": f"gid://shopify/InventoryAdjustmentGroup/{self.goods.numbers()}", "changes": changes}
        answer = {"inventoryAdjustmentGroup": group, "userErrors": []}
        self.writes[key] = (wanted, answer)
        return answer

    def run_bulk(self, lines: list[dict[str, Any]]) -> dict[str, Any]:
        """Begin to write lines down, one object each, children naming their parent."""
        gid = f"gid://shopify/BulkOperation/{self.goods.numbers()}"
        # Shopify does not promise that children follow their parent at once.
        ordered = sorted(lines, key=lambda line: "__parentId" in line)
        self.bulk[gid] = [self.bulk_steps, "\n".join(json.dumps(line) for line in ordered).encode()]
        return {"bulkOperation": {"id": gid, "status": "CREATED"}, "userErrors": []}

    def bulk_operation(self, a: Arguments) -> dict[str, Any] | None:
        if a["id"] not in self.bulk:
            return None
        steps_left, content = self.bulk[a["id"]]
        url = f"{self.goods.url}/bulk/{a['id'].rsplit('/', 1)[-1]}"
        return {
            "id": a["id"],
            "status": "RUNNING" if steps_left else "COMPLETED",
            "errorCode": None,
            "objectCount": str(len(content.splitlines())),
            "url": None if steps_left else url,
        }

    # ------------------------------------------------------------ orders

    def order_list(self, a: Arguments) -> dict[str, Any]:
        begin = datetime.fromisoformat(a["query"].removeprefix("updated_at:>='").removesuffix("'"))
        found = [one for one in self.orders.values() if one.changed_at >= begin]
        return connection([self.order_node(one) for one in sorted(found, key=lambda one: one.changed_at)], a)

    def order(self, a: Arguments) -> dict[str, Any] | None:
        order = self.orders.get(a["id"])
        return None if order is None else self.order_node(order)

    def order_node(self, order: Sold) -> dict[str, Any]:
        lines = [self._line_node(line) for line in order.lines]
        taken_back = [
            {"quantity": line.removed, "restocked": line.restocked > 0, "lineItem": {"id": line.gid}}
            for line in order.lines
            if line.removed
        ]
        return {
            "id": order.gid,
            "legacyResourceId": str(order.number),
            "name": f"#{order.number}",
            "createdAt": _stamp(order.at),
            "updatedAt": _stamp(order.changed_at),
            "cancelledAt": _stamp(order.cancelled_at) if order.cancelled_at else None,
            "test": False,
            "displayFinancialStatus": "PAID" if order.is_paid else "PENDING",
            "displayFulfillmentStatus": "FULFILLED" if order.is_fulfilled else "UNFULFILLED",
            "lineItems": lambda a: connection(lines, a),
            "refunds": lambda a: [{"refundLineItems": lambda b: connection(taken_back, b)}] if taken_back else [],
            "fulfillmentOrders": lambda a: connection([self._fulfillment_order(order)], a),
        }

    def fulfil(self, a: Arguments) -> dict[str, Any]:
        """Ship, and write to the buyer, every time it is asked to and something is left."""
        wanted = a["fulfillment"]
        for one in wanted["lineItemsByFulfillmentOrder"]:
            order = next(o for o in self.orders.values() if _fulfillment_gid(o) == one["fulfillmentOrderId"])
            if order.is_fulfilled:
                message = "Fulfillment order has an unfulfillable status= closed."
                return {"fulfillment": None, "userErrors": [{"field": ["fulfillment"], "message": message}]}
            for line in order.lines:
                line.fulfilled = line.quantity - line.removed
            self.now += timedelta(minutes=1)
            order.changed_at = self.now
        self.mails += 1 if wanted["notifyCustomer"] else 0
        gid = f"gid://shopify/Fulfillment/{self.goods.numbers()}"
        return {"fulfillment": {"id": gid, "status": "SUCCESS"}, "userErrors": []}

    def _fulfillment_order(self, order: Sold) -> dict[str, Any]:
        number, name = next(iter(self.locations.items()))
        left = [{"remainingQuantity": line.quantity - line.removed - line.fulfilled} for line in order.lines]
        action = "CANCEL_FULFILLMENT_ORDER" if order.is_fulfilled else "CREATE_FULFILLMENT"
        return {
            "id": _fulfillment_gid(order),
            "status": "CLOSED" if order.is_fulfilled else "OPEN",
            "assignedLocation": {"name": name, "location": {"id": f"gid://shopify/Location/{number}"}},
            "supportedActions": [{"action": action}],
            "lineItems": lambda a: connection(left, a),
        }

    def _line_node(self, line: SoldLine) -> dict[str, Any]:
        current = line.quantity - line.removed
        return {
            "id": line.gid,
            "sku": line.variant.sku,
            "title": line.title,
            "quantity": line.quantity,
            "currentQuantity": current,
            "unfulfilledQuantity": current - line.fulfilled,
        }

    def _level_node(self, variant: ShopVariant, number: int) -> dict[str, Any]:
        def quantities(a: Arguments) -> list[dict[str, Any]]:
            assert a["names"] == ["available"]
            return [{"name": "available", "quantity": variant.levels[number]}]

        location = {"id": f"gid://shopify/Location/{number}", "name": self.locations[number]}
        return {
            "id": f"gid://shopify/InventoryLevel/{number}?inventory_item_id={variant.number}",
            "location": location,
            "quantities": quantities,
        }

    def _stocked(self, one: Mapping[str, Any]) -> tuple[ShopVariant, int]:
        variant = next(v for _, v in self._variants() if v.item_gid == one["inventoryItemId"])
        return variant, int(one["locationId"].rsplit("/", 1)[-1])

    def _by_sku(self, sku: str) -> tuple[ShopProduct, ShopVariant]:
        return next((p, v) for p, v in self._variants() if v.sku == sku)

    def _variants(self) -> list[tuple[ShopProduct, ShopVariant]]:
        return [(p, v) for p in self.goods.products.values() for v in p.variants]


def matches(query: str | None, sku: str) -> bool:
    """Shopify's search: words, in any case, the last one perhaps cut short; so MUG-01 finds MUG-01-RED as well."""
    if query is None:
        return True
    words = _words(sku)
    for part in query.split(" OR "):
        asked = _words(part.removeprefix("sku:"))
        if any(
            words[at : at + len(asked) - 1] == asked[:-1]
            and at + len(asked) <= len(words)
            and words[at + len(asked) - 1].startswith(asked[-1])
            for at in range(len(words))
        ):
            return True
    return False


def _words(text: str) -> list[str]:
    return "".join(char if char.isalnum() else " " for char in text.casefold()).split()


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _fulfillment_gid(order: Sold) -> str:
    return f"gid://shopify/FulfillmentOrder/{order.number}"


def _stock_error(code: str) -> dict[str, Any]:
    error = {"code": code, "field": ["input", "quantities", "0"], "message": code.replace("_", " ").lower()}
    return {"inventoryAdjustmentGroup": None, "userErrors": [error]}
