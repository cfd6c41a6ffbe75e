"""Amazon's wire: the Selling Partner API and Login with Amazon, as calls.

Everything an operation may be asked is said by Amazon's own models; its rates are theirs, corrected by the
`x-amzn-RateLimit-Limit` header, which speaks of one operation. A 403 means an ended access token or a missing
role, and nobody says which: so another token is tried once, and what stays refused is a missing role.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from domain.catalog import Store
from domain.connection import Tokens
from domain.errors import MissingScope, NeedsReconnect, NotFound, RejectedByStore, StoreError
from platforms.amazon.features import LISTING_ROLE, ORDER_ROLE
from platforms.amazon.marketplaces import Marketplace
from platforms.buckets import WHOLE_ACCOUNT, Buckets, Rate
from platforms.tokens import RenewedKey, TokenKeeper, tokens_in
from platforms.transport import Transport, Transports
from platforms.wire import Account, Answer, Call, Manners

AUTH_URL: Final = "https://api.amazon.com/auth/o2/token"
LWA: Final = "getToken"
NOTIFICATIONS_SCOPE: Final = "sellingpartnerapi::notifications"
MEDIA_HOSTS: Final = (".media-amazon.com", ".ssl-images-amazon.com", ".amazonaws.com")
"""Where Amazon keeps pictures, and where reports lie: S3, by an address Amazon has signed."""
IMAGE_MOST_BYTES: Final = 50_000_000
FILE_MOST_BYTES: Final = 500_000_000

RATES: Final[Mapping[str, Rate]] = {
    WHOLE_ACCOUNT: Rate(1.0, 5.0),
    LWA: Rate(1.0, 5.0),
    "getListingsItem": Rate(5.0, 10.0),
    "patchListingsItem": Rate(5.0, 5.0),
    "searchListingsItems": Rate(5.0, 5.0),
    "getCatalogItem": Rate(2.0, 2.0),
    "getInventorySummaries": Rate(2.0, 2.0),
    "searchOrders": Rate(0.0056, 20.0),
    "getOrder": Rate(0.5, 30.0),
    "confirmShipment": Rate(2.0, 10.0),
    "createReport": Rate(0.0167, 15.0),
    "getReport": Rate(2.0, 15.0),
    "getReportDocument": Rate(0.0167, 15.0),
    "createFeed": Rate(0.0083, 15.0),
    "getFeed": Rate(2.0, 15.0),
    "createFeedDocument": Rate(0.5, 15.0),
    "getFeedDocument": Rate(0.0222, 10.0),
    "getMarketplaceParticipations": Rate(0.016, 15.0),
    "getSubscription": Rate(1.0, 5.0),
    "createSubscription": Rate(1.0, 5.0),
    "getDestinations": Rate(1.0, 5.0),
    "createDestination": Rate(1.0, 5.0),
    "download": Rate(20.0, 20.0),
    "upload": Rate(5.0, 10.0),
}
"""Usage plans of the models in 2026; downloads are Amazon's CDN and S3, which name none."""

Json = dict[str, Any]


def errors_in(answer: Answer) -> list[Json]:
    """Return Amazon's own list of what is wrong, empty where the body is none."""
    try:
        body = answer.json()
    except StoreError:
        return []
    found = body.get("errors") if isinstance(body, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def refused(answer: Answer) -> StoreError | None:
    """Return what Amazon means by a refusal; None where the plain meaning of the status will do."""
    if 200 <= answer.status < 300 or answer.status == 429:
        return None
    if answer.call.operation == LWA:
        return _refused_token(answer)
    words = " ".join(
        f"{one.get('message') or ''} {one.get('details') or ''}".strip() for one in errors_in(answer)
    ).strip()
    if answer.status in {401, 403} and "token" in words.lower():
        return NeedsReconnect(f"{answer.store} does not accept the key.", store=answer.store)
    if answer.status == 403:
        return MissingScope(store=answer.store, scope=answer.call.scope)
    if answer.status in {400, 409, 413, 415, 422}:
        return RejectedByStore(words or answer.said() or f"status {answer.status}", store=answer.store, field="")
    return None


def _refused_token(answer: Answer) -> StoreError | None:
    if answer.status not in {400, 401, 403}:
        return None
    try:
        code = answer.json().get("error")
    except (StoreError, AttributeError):
        return None
    if code in {"invalid_client", "unauthorized_client"}:
        return NeedsReconnect(
            f"{answer.store} does not accept the app's client id and secret: a secret ends 180 days after it was made.",
            store=answer.store,
        )
    return NeedsReconnect(f"{answer.store} does not accept the refresh token any more.", store=answer.store)


def learn(answer: Answer, buckets: Buckets) -> None:
    """Correct one operation's rate by the header. Amazon sends it on most answers, and promises nothing."""
    operation = answer.call.operation
    if operation not in RATES:
        return
    try:
        per_s = float(answer.headers.get("x-amzn-ratelimit-limit", ""))
    except ValueError:
        return
    if 0 < per_s < 1000:
        buckets.learn(operation, per_s=per_s)


MANNERS: Final = Manners(
    rates=RATES, refused=refused, learn=learn, is_key_rejected=lambda answer: answer.status in {401, 403}
)


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens a seller's account: our app's pair and the seller's refresh token, which does not change."""

    client_id: str
    client_secret: str
    refresh_token: str
    auth_url: str
    withheld: frozenset[str] = frozenset()


def open_api(
    store: Store, transports: Transports, keys: Keys, *, base_url: str, seller_id: str, marketplace: Marketplace
) -> AmazonApi:
    """Return the way to one seller's account at one marketplace."""
    account = Account(
        store,
        base_url,
        hosts=("api.amazon.com", "api.amazon.co.uk", "api.amazon.co.jp", *MEDIA_HOSTS),
        secrets=(keys.client_secret, keys.refresh_token),
        withheld=keys.withheld,
    )
    unsigned = transports.open(account, MANNERS)

    async def renew(_old: Tokens | None) -> Tokens:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": keys.refresh_token,
            "client_id": keys.client_id,
            "client_secret": keys.client_secret,
        }
        # A refresh token of Amazon's survives its use, so asking twice gives two good tokens.
        call = Call(LWA, "POST", keys.auth_url, is_repeatable=True, form=form, is_signed=False)
        answer = await unsigned.send(call)
        return tokens_in(answer.json(), clock=transports.clock, store=store.name)

    async def of_app() -> Mapping[str, str]:
        form = {
            "grant_type": "client_credentials",
            "scope": NOTIFICATIONS_SCOPE,
            "client_id": keys.client_id,
            "client_secret": keys.client_secret,
        }
        call = Call(LWA, "POST", keys.auth_url, is_repeatable=True, form=form, is_signed=False)
        tokens = tokens_in((await unsigned.send(call)).json(), clock=transports.clock, store=store.name)
        return {"x-amz-access-token": tokens.access}

    keeper: TokenKeeper = transports.keeper(account, renew)
    key = RenewedKey(keeper, lambda tokens: {"x-amz-access-token": tokens.access})
    return AmazonApi(transports.open(account, MANNERS, key), transports, seller_id, marketplace, of_app)


@dataclass(frozen=True, slots=True)
class AmazonApi:
    """The operations we use, by Amazon's names."""

    transport: Transport
    transports: Transports
    seller_id: str
    marketplace: Marketplace
    of_app: Callable[[], Awaitable[Mapping[str, str]]]
    """What signs a call that is our app's and no seller's ("grantless")."""

    @property
    def name(self) -> str:
        """What people call the store."""
        return self.transport.account.store.name

    async def listing(self, sku: str, *included: str) -> Json:
        """One listing (getListingsItem). Raises NotFound for a SKU the seller does not have."""
        params = {"marketplaceIds": self.marketplace.marketplace_id, "includedData": ",".join(included)}
        return await self._json("getListingsItem", "GET", self._item(sku), params=params, scope=LISTING_ROLE)

    async def search(self, params: Mapping[str, str | int]) -> Json:
        """A page of listings (searchListingsItems), 20 at most."""
        asked = {"marketplaceIds": self.marketplace.marketplace_id, **params}
        path = f"/listings/2021-08-01/items/{quote(self.seller_id, safe='')}"
        return await self._json("searchListingsItems", "GET", path, params=asked, scope=LISTING_ROLE)

    async def patch(self, sku: str, product_type: str, patches: Sequence[Json], *, is_preview: bool = False) -> Json:
        """Write absolute values only (patchListingsItem), so that doing it twice is doing it once.

        Raises RejectedByStore with Amazon's own words where it is not VALID, or not ACCEPTED.
        """
        params = {"marketplaceIds": self.marketplace.marketplace_id, "includedData": "issues"}
        if is_preview:
            params["mode"] = "VALIDATION_PREVIEW"
        body = {"productType": product_type, "patches": list(patches)}
        said = await self._json(
            "patchListingsItem", "PATCH", self._item(sku), params=params, json=body, scope=LISTING_ROLE
        )
        if said.get("status") not in {"ACCEPTED", "VALID"}:
            errors = [one for one in said.get("issues") or () if one.get("severity") == "ERROR"]
            why = " ".join(str(one.get("message") or one.get("code")) for one in errors) or "it did not say why"
            names = [name for one in errors for name in one.get("attributeNames") or ()]
            raise RejectedByStore(why, store=self.name, field=names[0] if names else "")
        return said

    async def catalog_images(self, asin: str) -> list[Json]:
        """The pictures buyers see (getCatalogItem), whoever contributed them."""
        params = {"marketplaceIds": self.marketplace.marketplace_id, "includedData": "images"}
        path = f"/catalog/2022-04-01/items/{quote(asin, safe='')}"
        item = await self._json("getCatalogItem", "GET", path, params=params, scope=LISTING_ROLE)
        return [
            image
            for one in item.get("images") or ()
            if one.get("marketplaceId") == self.marketplace.marketplace_id
            for image in one.get("images") or ()
        ]

    async def participations(self) -> list[Json]:
        """Where the seller sells (getMarketplaceParticipations)."""
        path = "/sellers/v1/marketplaceParticipations"
        return list((await self._json("getMarketplaceParticipations", "GET", path)).get("payload") or ())

    async def inventory_page(self, *, skus: Sequence[str] = (), token: str = "") -> Json:
        """What lies in Amazon's warehouses (getInventorySummaries), 50 a page; a token is good for 30 s."""
        params: dict[str, str | int] = {
            "details": "true",
            "granularityType": "Marketplace",
            "granularityId": self.marketplace.marketplace_id,
            "marketplaceIds": self.marketplace.marketplace_id,
        }
        if skus:
            params["sellerSkus"] = ",".join(skus)
        if token:
            params["nextToken"] = token
        path = "/fba/inventory/v1/summaries"
        return await self._json("getInventorySummaries", "GET", path, params=params, scope=LISTING_ROLE)

    async def orders_page(self, params: Mapping[str, str | int]) -> Json:
        """A page of orders (searchOrders 2026-01-01)."""
        asked = {"marketplaceIds": self.marketplace.marketplace_id, "includedData": "FULFILLMENT", **params}
        return await self._json("searchOrders", "GET", "/orders/2026-01-01/orders", params=asked, scope=ORDER_ROLE)

    async def order(self, order_id: str, *, with_packages: bool = False) -> Json:
        """One order (getOrder 2026-01-01), with what was sent of it so far. Raises NotFound."""
        path = f"/orders/2026-01-01/orders/{quote(order_id, safe='')}"
        params = {"includedData": "FULFILLMENT,PACKAGES" if with_packages else "FULFILLMENT"}
        return dict((await self._json("getOrder", "GET", path, params=params, scope=ORDER_ROLE))["order"])

    async def confirm_shipment(self, order_id: str, package: Json) -> None:
        """Say that it was sent (confirmShipment), which writes to the buyer: never repeated. Raises Ambiguous."""
        path = f"/orders/v0/orders/{quote(order_id, safe='')}/shipmentConfirmation"
        body = {"marketplaceId": self.marketplace.marketplace_id, "packageDetail": package}
        call = Call("confirmShipment", "POST", path, is_repeatable=False, json=body, scope=ORDER_ROLE)
        await self.transport.send(call)

    async def is_subscribed(self, kind: str) -> bool:
        """Whether the seller's notifications of a kind are put anywhere (getSubscription)."""
        try:
            found = await self._json("getSubscription", "GET", f"/notifications/v1/subscriptions/{kind}")
        except NotFound:
            return False
        return bool(found.get("payload"))

    async def subscribe(self, kind: str, destination_id: str) -> None:
        """Have them put there (createSubscription). Raises RejectedByStore where there is a subscription already."""
        body = {"payloadVersion": "1.0", "destinationId": destination_id}
        await self._json("createSubscription", "POST", f"/notifications/v1/subscriptions/{kind}", json=body)

    async def destinations(self) -> list[Json]:
        """Where our app may have notifications put (getDestinations)."""
        said = await self._json("getDestinations", "GET", "/notifications/v1/destinations", headers=await self.of_app())
        return list(said.get("payload") or ())

    async def add_destination(self, name: str, arn: str) -> str:
        """Name a queue as such a place, and return its id (createDestination)."""
        body = {"name": name, "resourceSpecification": {"sqs": {"arn": arn}}}
        path = "/notifications/v1/destinations"
        said = await self._json("createDestination", "POST", path, json=body, headers=await self.of_app())
        made = (said.get("payload") or {}).get("destinationId")
        if not made:
            raise StoreError("Amazon named no destination.", store=self.name)
        return str(made)

    async def fetch(self, url: str, *, max_bytes: int = IMAGE_MOST_BYTES) -> bytes:
        """Return what lies at one of Amazon's own addresses. Raises NotFound for any other host."""
        call = Call("download", "GET", url, is_repeatable=True, is_signed=False, max_bytes=max_bytes, total_s=300.0)
        return (await self.transport.send(call)).content

    async def put_document(self, url: str, content: bytes, content_type: str) -> None:
        """Upload a feed's document to the address Amazon gave for it."""
        headers = {"content-type": content_type}
        call = Call("upload", "PUT", url, is_repeatable=True, is_signed=False, headers=headers, content=content)
        await self.transport.send(call)

    async def report_call(self, operation: str, method: str, path: str, json: Json | None = None) -> Json:
        """One call of the Reports or the Feeds API. Making either twice costs a turn and changes nothing."""
        return await self._json(operation, method, path, json=json, scope=LISTING_ROLE)

    def _item(self, sku: str) -> str:
        return f"/listings/2021-08-01/items/{quote(self.seller_id, safe='')}/{quote(sku, safe='')}"

    async def _json(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Json | None = None,
        scope: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """Make a call that may be repeated; `headers` sign one that is not the seller's."""
        call = Call(
            operation, method, path, is_repeatable=True, params=params or (), json=json, scope=scope,
            is_signed=headers is None, headers=headers or {},
        )  # fmt: skip
        body = (await self.transport.send(call)).json()
        return body if isinstance(body, dict) else {}
