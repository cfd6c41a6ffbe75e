"""A pretended Shopify on a real socket: tokens, rights, points, GraphQL, uploads, pictures, bulk files.

What it answers is checked against Shopify's own schema in tests/platforms/test_shopify_schema.py, so that it cannot lie.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from platforms.buckets import Rate
from tests.fakes.graphql_walk import Walk, actual_cost, bulk_lines, connection, walk
from tests.fakes.limits import Limit
from tests.fakes.shopify_shop import CURRENCY, Goods, ShopProduct
from tests.fakes.shopify_trade import Trade, matches
from tests.fakes.store_server import Seen, StoreServer, Way, answer_json

SCOPES = (
    "read_inventory",
    "read_merchant_managed_fulfillment_orders",
    "read_orders",
    "read_products",
    "write_files",
    "write_inventory",
    "write_merchant_managed_fulfillment_orders",
    "write_products",
)
NEEDS: dict[str, tuple[str, ...]] = {
    "products": ("read_products",),
    "product": ("read_products",),
    "productsCount": ("read_products",),
    "inventoryItems": ("read_inventory", "read_products"),
    "inventoryItem": ("read_inventory", "read_products"),
    "orders": ("read_orders",),
    "order": ("read_orders",),
    "productUpdate": ("write_products",),
    "productReorderMedia": ("write_products",),
    "productVariantDetachMedia": ("write_products",),
    "productVariantAppendMedia": ("write_products",),
    "productVariantsBulkUpdate": ("write_products",),
    "fileUpdate": ("write_files", "write_themes"),
    "fileDelete": ("write_files",),
    "inventorySetQuantities": ("write_inventory",),
    "fulfillmentCreate": ("write_merchant_managed_fulfillment_orders",),
}
"""Any one of these rights lets a field through."""
IDEMPOTENT = frozenset({"inventorySetQuantities"})
"""Mutations that are refused without a key, since 2026-04."""
DEAREST = 1000.0


@dataclass(slots=True)
class Exchange:
    """One document and what was answered, for the schema to judge."""

    text: str
    variables: Mapping[str, Any]
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _PointsSpent:
    """See Limit."""

    server: ShopifyServer

    @property
    def refused(self) -> int:
        return self.server.throttled

    @property
    def shortest_s(self) -> float:
        return max(0.0, self.server.spent - self.server.points_most) / self.server.restore_rate


@dataclass(slots=True)
class ShopifyServer(StoreServer):
    """See the module. `client_secret` empty: nobody gets a token any more."""

    goods: Goods = field(default_factory=Goods)
    trade: Trade = field(init=False)
    client_id: str = "client-id-1"
    client_secret: str = "shopify-client-secret"
    tokens: set[str] = field(default_factory=set)
    refresh: str = ""
    """The refresh token of a shop that came over the consent page."""
    codes: set[str] = field(default_factory=set)
    grant_error: str = ""
    scopes: tuple[str, ...] = SCOPES
    exchanges: list[Exchange] = field(default_factory=list)
    points: float = 2000.0
    points_most: float = 2000.0
    restore_rate: float = 100.0
    throttled: int = 0
    spent: float = 0.0
    breaks_after: str = ""
    """The operation that is done next, and then answered with an error of Shopify's own, in a 200."""
    closed: int = 0
    """A status instead of every answer: 402 for a bill that is not paid, 423 for a shop that is locked."""
    monotonic: Callable[[], float] = time.monotonic
    _counted_at: float | None = None

    def __post_init__(self) -> None:
        self.trade = Trade(self.goods)

    def ways(self) -> Sequence[Way]:
        return [
            Way("GET", "/admin/oauth/authorize", "authorize", self._authorize),
            Way("POST", "/admin/oauth/access_token", "accessToken", self._grant),
            Way("POST", "/admin/api/{version}/graphql.json", "graphql", self._graphql),
            Way("POST", "/staged", "stagedUpload", self._upload),
            Way("GET", "/cdn/s/files/1/{name}", "cdn", self._picture),
            Way("GET", "/bulk/{number}", "bulkFile", self._bulk_file),
        ]

    def operation_of(self, way: Way, body: bytes) -> str:
        """The operation's name; one that asks again is called a poll."""
        if way.operation != "graphql":
            return way.operation
        name = str(json.loads(body)["operationName"])
        return f"{name.removesuffix('Poll')} poll" if name.endswith("Poll") else name

    def keep_limits(self, monotonic: Callable[[], float], rates: Mapping[str, Rate]) -> Limit:
        """Count afresh by this time. Points are counted, not calls, so that no other rates are needed."""
        self.monotonic, self._counted_at = monotonic, None
        self.points, self.spent, self.throttled = self.points_most, 0.0, 0
        return _PointsSpent(self)

    # ------------------------------------------------------------ keys

    async def _grant(self, seen: Seen) -> web.StreamResponse:
        form = seen.form()
        if self.grant_error:
            return answer_json({"error": self.grant_error}, status=400)
        if (form["client_id"], form["client_secret"]) != (self.client_id, self.client_secret):
            return answer_json({"error": "invalid_client"}, status=401)
        token = f"shpat_{self.goods.numbers()}"
        answer: dict[str, Any] = {"access_token": token, "scope": ",".join(self.scopes), "expires_in": 86399}
        if "code" in form or form.get("grant_type") == "refresh_token":
            if form.get("code") not in self.codes and (not self.refresh or form.get("refresh_token") != self.refresh):
                return answer_json({"error": "invalid_grant"}, status=400)
            self.codes.discard(form.get("code", ""))
            self.refresh = f"shprt_{self.goods.numbers()}"
            answer |= {"expires_in": 3600, "refresh_token": self.refresh, "refresh_token_expires_in": 7776000}
            self.tokens.clear()
        self.tokens.add(token)
        return answer_json(answer)

    async def _authorize(self, seen: Seen) -> web.StreamResponse:
        """A merchant installs the app that asks."""
        return web.Response(status=302, headers={"Location": self.say_yes(str(seen.request.url))})

    def say_yes(self, page: str) -> str:
        """A merchant installs the app that the page of consent asks for; returns the address where the browser lands."""
        asked = dict(parse_qsl(urlsplit(page).query))
        assert asked["client_id"] == self.client_id
        self.scopes = tuple(asked["scope"].split(","))
        code = f"code-{self.goods.numbers()}"
        self.codes.add(code)
        given = {
            "code": code, "host": "YWRtaW4=", "shop": "kiln.myshopify.com", "state": asked["state"], "timestamp": "1",
        }  # fmt: skip
        return f"{asked['redirect_uri']}?{urlencode(self.signed(given))}"

    def say_no(self, page: str) -> str:
        """A merchant does not."""
        asked = dict(parse_qsl(urlsplit(page).query))
        given = {"error": "access_denied", "shop": "kiln.myshopify.com", "state": asked["state"], "timestamp": "1"}
        return f"{asked['redirect_uri']}?{urlencode(self.signed(given))}"

    def signed(self, given: Mapping[str, str]) -> dict[str, str]:
        """Sign a query as Shopify does."""
        message = "&".join(f"{name}={given[name]}" for name in sorted(given))
        return {**given, "hmac": hmac.new(self.client_secret.encode(), message.encode(), sha256).hexdigest()}

    def _uninstall(self) -> dict[str, Any]:
        self.tokens.clear()
        self.refresh = ""
        return {"app": {"id": "gid://shopify/App/1"}, "userErrors": []}

    # ------------------------------------------------------------ GraphQL

    async def _graphql(self, seen: Seen) -> web.StreamResponse:
        if seen.headers.get("x-shopify-access-token", "") not in self.tokens:
            return answer_json({"errors": "[API] Invalid API key or access token"}, status=401)
        if self.closed:
            return answer_json({"errors": "Unavailable Shop"}, status=self.closed)
        asked = seen.json()
        query = walk(asked["query"], asked["variables"])
        requested = query.requested_cost()
        if requested > DEAREST:
            return self._refusal("MAX_COST_EXCEEDED", f"Query cost is {requested}", requested)
        self._refill()
        if requested > self.points:
            self.throttled += 1
            return self._refusal("THROTTLED", "Throttled", requested)
        for field_node in query.root_fields:
            name = field_node.name.value
            if not self._may(name):
                return self._refusal("ACCESS_DENIED", f"Access denied for {name} field.", requested, name)
            if name in IDEMPOTENT and query.directive(field_node, "idempotent") is None:
                return self._refusal("BAD_REQUEST", "The @idempotent directive is required", requested)
        self.goods.step()
        self.trade.step()
        data = self._answers(query)
        cost = actual_cost(data) + (10 * len(query.root_fields) if query.is_mutation else 0)
        self.points -= min(cost, requested)
        self.spent += min(cost, requested)
        self.exchanges.append(Exchange(asked["query"], asked["variables"], data))
        if self.breaks_after == asked["operationName"]:
            self.breaks_after = ""
            return self._refusal("INTERNAL_SERVER_ERROR", "Internal error. Request ID 1", requested)
        return answer_json({"data": data, "extensions": {"cost": self._cost(requested, cost)}})

    def _answers(self, query: Walk) -> dict[str, Any]:
        data = {}
        for one in query.root_fields:
            arguments = query.arguments(one)
            directive = query.directive(one, "idempotent")
            if directive is not None:
                value: Any = self.trade.set_quantities(arguments, directive["key"])
            else:
                value = self._roots()[one.name.value](arguments)
            data[(one.alias or one.name).value] = query.pick(value, one.selection_set)
        return data

    def _roots(self) -> dict[str, Callable[[Mapping[str, Any]], Any]]:
        goods, trade = self.goods, self.trade
        return {
            "shop": lambda a: self._shop(),
            "currentAppInstallation": lambda a: {"accessScopes": [{"handle": one} for one in self.scopes]},
            "productsCount": lambda a: {"count": len(goods.products)},
            "products": self._products,
            "product": lambda a: goods.product_node(goods.products.get(a["id"])),
            "nodes": lambda a: [goods.medium_node(goods.files[i]) if i in goods.files else None for i in a["ids"]],
            "job": self._job,
            "stagedUploadsCreate": goods.stage,
            "productUpdate": goods.update_product,
            "productReorderMedia": goods.reorder,
            "productVariantDetachMedia": goods.detach_from_variants,
            "productVariantAppendMedia": goods.append_to_variants,
            "productVariantsBulkUpdate": goods.set_prices,
            "fileUpdate": goods.update_files,
            "fileDelete": goods.delete_files,
            "appUninstall": lambda a: self._uninstall(),
            "inventoryItems": trade.items,
            "inventoryItem": trade.item,
            "bulkOperationRunQuery": self._run_bulk,
            "bulkOperation": trade.bulk_operation,
            "orders": trade.order_list,
            "order": trade.order,
            "fulfillmentCreate": trade.fulfil,
        }

    def _run_bulk(self, a: Mapping[str, Any]) -> dict[str, Any]:
        inner = walk(a["query"], {})
        return self.trade.run_bulk(bulk_lines(self._answers(inner)))

    def _shop(self) -> dict[str, Any]:
        return {
            "name": "Kiln & Co",
            "myshopifyDomain": "kiln.myshopify.com",
            "currencyCode": CURRENCY,
            "primaryDomain": {"url": "https://shop.example"},
        }

    def _products(self, a: Mapping[str, Any]) -> dict[str, Any]:
        def is_meant(product: ShopProduct) -> bool:
            return a.get("query") is None or any(matches(a["query"], one.sku) for one in product.variants)

        return connection([self.goods.product_node(one) for one in self.goods.products.values() if is_meant(one)], a)

    def _job(self, a: Mapping[str, Any]) -> dict[str, Any] | None:
        job = self.goods.jobs.get(a["id"])
        return None if job is None else {"id": job.gid, "done": job.steps_left == 0}

    def _may(self, name: str) -> bool:
        needs = NEEDS.get(name, ())
        held = {*self.scopes, *(one.replace("write_", "read_", 1) for one in self.scopes)}
        return not needs or any(one in held for one in needs)

    def _refusal(self, code: str, message: str, requested: float, name: str = "") -> web.Response:
        extensions: dict[str, Any] = {"code": code}
        if name:
            extensions["requiredAccess"] = " or ".join(f"`{one}` access scope" for one in NEEDS[name])
        errors = [{"message": message, "extensions": extensions}]
        return answer_json({"errors": errors, "extensions": {"cost": self._cost(requested, None)}})

    def _cost(self, requested: float, actual: float | None) -> dict[str, Any]:
        status = {
            "maximumAvailable": self.points_most, "currentlyAvailable": int(self.points), "restoreRate": self.restore_rate,
        }  # fmt: skip
        return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}

    def _refill(self) -> None:
        now = self.monotonic()
        passed_s = now - (now if self._counted_at is None else self._counted_at)
        self.points = min(self.points_most, self.points + passed_s * self.restore_rate)
        self._counted_at = now

    # ------------------------------------------------------------ bytes

    async def _upload(self, seen: Seen) -> web.StreamResponse:
        """A form: every parameter as it was named, the file last."""
        header = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
        form = message_from_bytes(header + seen.body)
        parts = [one for one in form.get_payload() if isinstance(one, Message)]
        names = [str(one.get_param("name", header="content-disposition")) for one in parts]
        assert names[-1] == "file", "the file comes last"
        assert "x-shopify-access-token" not in seen.headers, "the storage is not the API"
        key = bytes(parts[names.index("key")].get_payload(decode=True)).decode()
        filename, _ = self.goods.staged[key]
        self.goods.staged[key] = (filename, bytes(parts[-1].get_payload(decode=True)))
        return web.Response(text="<PostResponse/>", status=201, content_type="application/xml")

    async def _picture(self, seen: Seen) -> web.StreamResponse:
        file = next((one for one in self.goods.files.values() if one.filename == seen.match["name"]), None)
        return web.Response(status=404) if file is None else web.Response(body=file.content, content_type="image/jpeg")

    async def _bulk_file(self, seen: Seen) -> web.StreamResponse:
        return web.Response(body=self.trade.bulk[f"gid://shopify/BulkOperation/{seen.match['number']}"][1])
