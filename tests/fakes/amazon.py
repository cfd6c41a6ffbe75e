"""An Amazon of our own, as ../shared/specs/STORES.md and the complaints of its developers describe it.

Its pitfalls are on by default: ACCEPTED says nothing of what buyers see, a 403 does not say whether the token ended
or a role is missing, every operation has a bucket of its own, and 429 names no pause.
tests/platforms/test_amazon_definition.py holds it to the official models.
"""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from platforms.buckets import Rate
from tests.fakes.amazon_goods import MARKETPLACE, VARIANTS, Goods, Item
from tests.fakes.amazon_notices import Notices, errors
from tests.fakes.limits import Limits
from tests.fakes.store_server import Seen, StoreServer, Way, answer_json
from tests.fakes.store_side import HandTime

SELLER = "A2PACKSHOT01"
CLIENT_ID, REFRESH_TOKEN = "amzn1.application-oa2-client.1", "Atzr|refresh-token-1"
ACCESS_S = 3600
RATES: dict[str, tuple[float, float]] = {
    "getListingsItem": (5, 10), "patchListingsItem": (5, 5), "searchListingsItems": (5, 5), "getCatalogItem": (2, 2),
    "getInventorySummaries": (2, 2), "searchOrders": (0.0056, 20), "getOrder": (0.5, 30), "confirmShipment": (2, 10),
    "createReport": (0.0167, 15), "getReport": (2, 15), "getReportDocument": (0.0167, 15),
    "getMarketplaceParticipations": (0.016, 15), "createFeed": (0.0083, 15), "getFeed": (2, 15),
    "createFeedDocument": (0.5, 15), "getFeedDocument": (0.0222, 10),
    "getSubscription": (1, 5), "createSubscription": (1, 5), "getDestinations": (1, 5), "createDestination": (1, 5),
}  # fmt: skip
INCLUDED = {"summaries", "attributes", "issues", "offers", "fulfillmentAvailability", "productTypes"}
LISTING_ROLE, ORDER_ROLE = "Product Listing", "Inventory and Order Tracking"
_ORDERS = {"searchOrders", "getOrder", "confirmShipment"}
_GRANTLESS = {"getDestinations", "createDestination"}
_ANY_ROLE = {"getMarketplaceParticipations", "getSubscription", "createSubscription"}


@dataclass(slots=True)
class AmazonServer(StoreServer):
    """See the module."""

    client_secret: str = ""
    time: HandTime = field(default_factory=HandTime)
    goods: Goods = field(default_factory=Goods)
    roles: set[str] = field(default_factory=lambda: {LISTING_ROLE, ORDER_ROLE})
    is_revoked: bool = False
    tokens: dict[str, float] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    """Codes given out on the page of consent, and where each sent the seller on to."""
    refusal: str = ""
    order_page: int = 100
    search_most: int = 1000
    retry_after: str = ""
    """Amazon names no pause."""
    slower: float = 1.0
    reports: dict[str, int] = field(default_factory=dict)
    """Reads of a report that is not finished yet."""
    documents: dict[str, bytes] = field(default_factory=dict)
    notices: Notices = field(default_factory=Notices)
    limits: Limits = field(init=False)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def __aenter__(self) -> AmazonServer:
        await StoreServer.__aenter__(self)
        self.goods.url = self.url
        self.slow_down(1.0)
        return self

    def slow_down(self, times: float) -> None:
        """Give this account so many times the models' rates; the header says so."""
        self.slower = times
        rates = {name: Rate(per_s * times, burst) for name, (per_s, burst) in RATES.items()}
        self.limits = self.keep_limits(self.time.monotonic, rates)

    def ways(self) -> Sequence[Way]:
        items, feeds = "/listings/2021-08-01/items/{seller}", "/feeds/2021-06-30"
        reports = "/reports/2021-06-30"
        return [
            Way("POST", "/auth/o2/token", "getToken", self._token),
            self._way("GET", items + "/{sku}", "getListingsItem", self._listing),
            self._way("PATCH", items + "/{sku}", "patchListingsItem", self._patch),
            self._way("GET", items, "searchListingsItems", self._search),
            self._way("GET", "/catalog/2022-04-01/items/{asin}", "getCatalogItem", self._catalog),
            self._way("GET", "/sellers/v1/marketplaceParticipations", "getMarketplaceParticipations", self._sellers),
            self._way("GET", "/fba/inventory/v1/summaries", "getInventorySummaries", self._inventory),
            self._way("GET", "/orders/2026-01-01/orders", "searchOrders", self._orders),
            self._way("GET", "/orders/2026-01-01/orders/{order_id}", "getOrder", self._order),
            self._way("POST", "/orders/v0/orders/{order_id}/shipmentConfirmation", "confirmShipment", self._ship),
            self._way("POST", reports + "/reports", "createReport", self._make_report),
            self._way("GET", reports + "/reports/{report_id}", "getReport", self._report),
            self._way("GET", reports + "/documents/{document_id}", "getReportDocument", self._document),
            self._way("POST", feeds + "/documents", "createFeedDocument", self._make_document),
            self._way("POST", feeds + "/feeds", "createFeed", self._make_feed),
            self._way("GET", feeds + "/feeds/{feed_id}", "getFeed", self._feed),
            self._way("GET", feeds + "/documents/{document_id}", "getFeedDocument", self._document),
            self._way("GET", "/notifications/v1/subscriptions/{kind}", "getSubscription", self.notices.subscription),
            self._way("POST", "/notifications/v1/subscriptions/{kind}", "createSubscription", self.notices.subscribe),
            self._way("GET", "/notifications/v1/destinations", "getDestinations", self.notices.destinations),
            self._way("POST", "/notifications/v1/destinations", "createDestination", self.notices.add_destination),
            Way("GET", "/images/I/{name}", "download", self._file),
            Way("GET", "/files/{document_id}", "download", self._download),
            Way("PUT", "/files/{document_id}", "upload", self._upload),
        ]

    def _way(self, method: str, path: str, operation: str, handler: Any) -> Way:
        async def entry(seen: Seen) -> web.StreamResponse:
            refused = self._unauthorised(seen, operation)
            answer: web.StreamResponse = refused or await handler(seen)
            if answer.status < 405:
                answer.headers["x-amzn-RateLimit-Limit"] = str(RATES[operation][0] * self.slower)
            return answer

        return Way(method, path, operation, entry)

    def _unauthorised(self, seen: Seen, operation: str) -> web.Response | None:
        access = seen.headers.get("x-amz-access-token", "")
        ends = self.tokens.get(access, 0.0)
        role = ORDER_ROLE if operation in _ORDERS else LISTING_ROLE
        if (operation in _GRANTLESS) != access.startswith("Atc|"):
            return errors("Unauthorized", "Access to requested resource is denied.", status=403)
        is_free = operation in _ANY_ROLE | _GRANTLESS
        if self.is_revoked or ends <= self.time.monotonic() or (role not in self.roles and not is_free):
            return errors("Unauthorized", "Access to requested resource is denied.", status=403)
        return None

    async def _token(self, seen: Seen) -> web.StreamResponse:
        form = seen.form()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, self.client_secret):
            return answer_json({"error": "invalid_client", "error_description": "Client auth failed"}, status=401)
        if form.get("grant_type") == "client_credentials":
            if form.get("scope") != "sellingpartnerapi::notifications":
                return answer_json({"error": "invalid_scope", "error_description": "No such scope"}, status=400)
            access = f"Atc|{next(self._numbers)}"
            self.tokens[access] = self.time.monotonic() + ACCESS_S
            return answer_json({"access_token": access, "token_type": "bearer", "expires_in": ACCESS_S})
        if form.get("grant_type") == "authorization_code":
            if self.codes.pop(form.get("code", ""), None) != form.get("redirect_uri"):
                return answer_json({"error": "invalid_grant", "error_description": "The code is not valid"}, status=400)
        elif form.get("grant_type") != "refresh_token" or form.get("refresh_token") != REFRESH_TOKEN or self.is_revoked:
            return answer_json({"error": "invalid_grant", "error_description": "The token is not valid"}, status=400)
        access = f"Atza|{next(self._numbers)}"
        self.tokens[access] = self.time.monotonic() + ACCESS_S
        return answer_json(
            {"access_token": access, "refresh_token": REFRESH_TOKEN, "token_type": "bearer", "expires_in": ACCESS_S}
        )

    def say_yes(self, page: str) -> str:
        """A seller authorises our app on its page of consent; returns the address where the browser lands."""
        asked = dict(parse_qsl(urlsplit(page).query))
        code = f"code-{next(self._numbers)}"
        self.codes[code] = asked["redirect_uri"]
        given = {"state": asked["state"], "selling_partner_id": SELLER, "spapi_oauth_code": code}
        return f"{asked['redirect_uri']}?{urlencode(given)}"

    def say_no(self, page: str) -> str:
        """A seller does not: Amazon sends them back without a code."""
        asked = dict(parse_qsl(urlsplit(page).query))
        return f"{asked['redirect_uri']}?{urlencode({'state': asked['state']})}"

    # ------------------------------------------------------------ listings

    async def _listing(self, seen: Seen) -> web.StreamResponse:
        if refused := self._misasked(seen):
            return refused
        item = self.goods.items.get(seen.match["sku"])
        if item is None:
            return errors("NOT_FOUND", f"SKU '{seen.match['sku']}' not found", status=404)
        await self.goods.pass_time(item)
        return answer_json(self.goods.body(item, seen.query["includedData"].split(",")))

    async def _search(self, seen: Seen) -> web.StreamResponse:
        if refused := self._misasked(seen):
            return refused
        found = [self.goods.items[sku] for sku in sorted(self.goods.items)]
        if "identifiers" in seen.query:
            wanted = seen.query["identifiers"].split(",")
            if len(wanted) > 20 or seen.query.get("identifiersType") != "SKU":
                return errors("InvalidInput", "Invalid identifiers.", status=400)
            found = [item for item in found if item.sku in wanted]
        if seen.query.get("sortBy") == "createdDate":
            found.sort(key=lambda item: item.created_at, reverse=seen.query.get("sortOrder", "DESC") == "DESC")
        found = [item for item in found if item.created_at >= seen.query.get("createdAfter", "")][: self.search_most]
        size, start = int(seen.query.get("pageSize", 10)), int(seen.query.get("pageToken", 0))
        if not 1 <= size <= 20:
            return errors("InvalidInput", "Invalid pageSize.", status=400)
        included = seen.query["includedData"].split(",")
        more = {"pagination": {"nextToken": str(start + size)}} if start + size < len(found) else {}
        page = [self.goods.body(item, included) for item in found[start : start + size]]
        return answer_json({"numberOfResults": len(found), "items": page, **more})

    async def _patch(self, seen: Seen) -> web.StreamResponse:
        if refused := self._misasked(seen, {"identifiers", "issues"}):
            return refused
        item = self.goods.items.get(seen.match["sku"])
        if item is None:
            return errors("NOT_FOUND", f"SKU '{seen.match['sku']}' not found", status=404)
        body = seen.json()
        issues = self._against(item, body)
        is_preview = seen.query.get("mode") == "VALIDATION_PREVIEW"
        if not issues and not is_preview:
            await self.goods.take(item, body["patches"])
        status = "INVALID" if issues else "VALID" if is_preview else "ACCEPTED"
        submission = f"f1dc2914-75dd-11ea-bc55-{next(self._numbers):012d}"
        return answer_json({"sku": item.sku, "status": status, "submissionId": submission, "issues": issues})

    def _against(self, item: Item, body: dict[str, Any]) -> list[dict[str, Any]]:
        reason, self.refusal = self.refusal, ""
        if body["productType"] not in {item.product_type, "PRODUCT"}:
            reason = f"The product type {body['productType']} is not the listing's."
        for patch in body["patches"]:
            if patch["op"] not in {"add", "replace", "merge", "delete"} or not patch["path"].startswith("/attributes/"):
                reason = "The patch is not one."
            address = patch["value"][0].get("media_location", "https://")
            if not address.startswith(("https://", "http://", "s3://")):
                reason = f"'{address}' is no address of a picture."
        name = body["patches"][0]["path"].removeprefix("/attributes/")
        issue = {"code": "4000001", "message": reason, "severity": "ERROR", "attributeNames": [name]}
        return [{**issue, "categories": ["INVALID_ATTRIBUTE"]}] if reason else []

    def _misasked(self, seen: Seen, allowed: set[str] = INCLUDED) -> web.Response | None:
        if seen.match.get("seller") != SELLER or seen.query.get("marketplaceIds") != MARKETPLACE:
            return errors("InvalidInput", "Invalid seller or marketplace.", status=400)
        if set(seen.query.get("includedData", "summaries").split(",")) - allowed:
            return errors("InvalidInput", "Invalid includedData.", status=400)
        return None

    async def _catalog(self, seen: Seen) -> web.StreamResponse:
        item = next((one for one in self.goods.items.values() if one.asin == seen.match["asin"]), None)
        if item is None:
            return errors("NOT_FOUND", "Requested item not found.", status=404)
        await self.goods.pass_time(item)
        images = [
            {"variant": VARIANTS[position - 1], "link": link, "height": side, "width": side}
            for position, link in item.shown.items()
            for side in (500, 2000)
        ]
        return answer_json({"asin": item.asin, "images": [{"marketplaceId": MARKETPLACE, "images": images}]})

    async def _sellers(self, _seen: Seen) -> web.StreamResponse:
        marketplace = {
            "id": MARKETPLACE, "name": "Amazon.de", "countryCode": "DE", "defaultCurrencyCode": "EUR",
            "defaultLanguageCode": "de_DE", "domainName": "www.amazon.de",
        }  # fmt: skip
        standing = {"isParticipating": True, "hasSuspendedListings": False}
        return answer_json(
            {"payload": [{"marketplace": marketplace, "participation": standing, "storeName": "Mug Works"}]}
        )

    async def _file(self, seen: Seen) -> web.StreamResponse:
        content = self.goods.files.get(seen.path)
        return web.Response(status=404) if content is None else web.Response(body=content, content_type="image/jpeg")

    # ------------------------------------------------------------ stock

    async def _inventory(self, seen: Seen) -> web.StreamResponse:
        if seen.query.get("granularityType") != "Marketplace" or seen.query.get("granularityId") != MARKETPLACE:
            return errors("InvalidInput", "Invalid granularity.", status=400)
        found = [one for one in self.goods.items.values() if one.channel != "DEFAULT"]
        if skus := seen.query.get("sellerSkus"):
            found = [one for one in found if one.sku in skus.split(",")]
        start = int(seen.query.get("nextToken", 0))
        more = {"pagination": {"nextToken": str(start + 50)}} if start + 50 < len(found) else {}
        summaries = [
            {
                "asin": one.asin, "fnSku": "X" + one.asin, "sellerSku": one.sku, "condition": "NewItem",
                "totalQuantity": one.quantity + 3, "inventoryDetails": {"fulfillableQuantity": one.quantity},
            }
            for one in found[start : start + 50]
        ]  # fmt: skip
        granularity = {"granularityType": "Marketplace", "granularityId": MARKETPLACE}
        return answer_json({"payload": {"granularity": granularity, "inventorySummaries": summaries}, **more})

    # ------------------------------------------------------------ orders

    async def _orders(self, seen: Seen) -> web.StreamResponse:
        if ("createdAfter" in seen.query) == ("lastUpdatedAfter" in seen.query):
            return errors("InvalidInput", "Give one of createdAfter and lastUpdatedAfter.", status=400)
        since = seen.query["lastUpdatedAfter"]
        found = [one for one in self.goods.orders.values() if one["lastUpdatedTime"] >= since]
        start, size = (
            int(seen.query.get("paginationToken", 0)),
            min(int(seen.query["maxResultsPerPage"]), self.order_page),
        )
        more = {"pagination": {"nextToken": str(start + size)}} if start + size < len(found) else {}
        page = [{name: part for name, part in one.items() if name != "packages"} for one in found]
        return answer_json({"orders": page[start : start + size], **more})

    async def _order(self, seen: Seen) -> web.StreamResponse:
        if len(seen.match["order_id"]) != 19:
            return errors("InvalidInput", "Invalid order id.", status=400)
        order = self.goods.orders.get(seen.match["order_id"])
        if order is None:
            return errors("NotFound", "No such order.", status=404)
        hidden = set() if "PACKAGES" in seen.query["includedData"] else {"packages"}
        return answer_json({"order": {name: value for name, value in order.items() if name not in hidden}})

    async def _ship(self, seen: Seen) -> web.StreamResponse:
        package = seen.json()["packageDetail"]
        missing = {"packageReferenceId", "carrierCode", "trackingNumber", "shipDate", "orderItems"} - set(package)
        if missing or not package["packageReferenceId"].isdecimal():
            return errors("InvalidInput", f"Missing {sorted(missing)}.", status=400)
        self.goods.ship(self.goods.orders[seen.match["order_id"]], package, self.moment())
        return web.Response(status=204)

    def moment(self) -> str:
        """Now, as Amazon writes it."""
        return self.time.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    # ------------------------------------------------------------ reports and feeds

    async def _make_report(self, seen: Seen) -> web.StreamResponse:
        if seen.json()["reportType"] != "GET_MERCHANT_LISTINGS_ALL_DATA":
            return errors("InvalidInput", "Invalid reportType.", status=400)
        report_id = str(next(self._numbers))
        self.reports[report_id] = 2
        lines = ["\t".join(("item-name", "seller-sku", "price", "quantity", "fulfillment-channel"))]
        for item in self.goods.items.values():
            is_own = item.channel == "DEFAULT"
            title = str(item.attributes["item_name"]["value"])
            lines.append(
                "\t".join((title, item.sku, str(item.price), str(item.quantity) if is_own else "", item.channel))
            )
        self.documents[f"doc-{report_id}"] = gzip.compress("\n".join(lines).encode("cp1252"))
        return answer_json({"reportId": report_id}, status=202)

    async def _report(self, seen: Seen) -> web.StreamResponse:
        return answer_json(
            {**self._state(seen.match["report_id"], "report"), "reportType": "GET_MERCHANT_LISTINGS_ALL_DATA"}
        )

    def _state(self, number: str, what: str) -> dict[str, Any]:
        left = self.reports[number]
        self.reports[number] = left - 1
        state = {f"{what}Id": number, "createdTime": self.moment()}
        if left > 0:
            return {**state, "processingStatus": "IN_PROGRESS" if left == 1 else "IN_QUEUE"}
        key = "reportDocumentId" if what == "report" else "resultFeedDocumentId"
        return {**state, "processingStatus": "DONE", key: f"doc-{number}"}

    async def _document(self, seen: Seen) -> web.StreamResponse:
        number = seen.match["document_id"]
        key = "feedDocumentId" if "feeds" in seen.path else "reportDocumentId"
        return answer_json({key: number, "url": f"{self.url}/files/{number}", "compressionAlgorithm": "GZIP"})

    async def _make_document(self, _seen: Seen) -> web.StreamResponse:
        number = f"in-{next(self._numbers)}"
        return answer_json({"feedDocumentId": number, "url": f"{self.url}/files/{number}"}, status=201)

    async def _make_feed(self, seen: Seen) -> web.StreamResponse:
        feed = json.loads(self.documents[seen.json()["inputFeedDocumentId"]])
        issues = []
        for message in feed["messages"]:
            item = self.goods.items.get(message["sku"])
            if item is None or item.sku in self.goods.refused_in_feeds:
                said = {"messageId": message["messageId"], "code": "90000900", "severity": "ERROR"}
                issues.append({**said, "message": f"SKU '{message['sku']}' not found"})
            else:
                await self.goods.take(item, message["patches"])
        number = str(next(self._numbers))
        self.reports[number] = 1
        report = {"header": {"sellerId": SELLER, "version": "2.0", "feedId": number}, "issues": issues, "summary": {}}
        self.documents[f"doc-{number}"] = gzip.compress(json.dumps(report).encode())
        return answer_json({"feedId": number}, status=202)

    async def _feed(self, seen: Seen) -> web.StreamResponse:
        return answer_json({**self._state(seen.match["feed_id"], "feed"), "feedType": "JSON_LISTINGS_FEED"})

    async def _download(self, seen: Seen) -> web.StreamResponse:
        return web.Response(body=self.documents[seen.match["document_id"]])

    async def _upload(self, seen: Seen) -> web.StreamResponse:
        self.documents[seen.match["document_id"]] = seen.body
        return web.Response(status=200)
