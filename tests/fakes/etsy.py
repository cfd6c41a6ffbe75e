"""An Etsy of our own, as ../shared/specs/STORES.md and the complaints of Etsy's users describe it.

Its pitfalls are on by default: an uploaded picture lands in front whatever its `rank`, `overwrite` does nothing,
tokens rotate, a full listing refuses even a change of text, an inventory is replaced by what is sent, and every
tracking call writes to the buyer. tests/platforms/test_etsy_definition.py holds it to the official definition.
"""

from __future__ import annotations

import itertools
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from platforms.buckets import WHOLE_ACCOUNT, Rate
from tests.fakes.etsy_goods import Goods, GoodsError, Listing
from tests.fakes.limits import Limit
from tests.fakes.store_server import SECRET_MARK, Seen, StoreServer, Way, answer_json
from tests.fakes.store_side import HandTime

KEYSTRING, SHARED_SECRET = "keystring-1", "shared-secret-1"
FIRST_REFRESH = "12345.refresh-0"
SHOP_ID, USER_ID = 4321, 12345
ACCESS_S = 3600
SCOPES = ("listings_r", "listings_w", "shops_r", "transactions_r", "transactions_w")
_NEEDS = {
    "getMe": "shops_r",
    "getListingsByShop": "listings_r",
    "getListingInventory": "listings_r",
    "updateListing": "listings_w",
    "uploadListingImage": "listings_w",
    "deleteListingImage": "listings_w",
    "updateListingInventory": "listings_w",
    "updateVariationImages": "listings_w",
    "getShopReceipts": "transactions_r",
    "getShopReceipt": "transactions_r",
    "createReceiptShipment": "transactions_w",
}
API = "/v3/application"


@dataclass(slots=True)
class Window:
    """Etsy's limit of calls in any one second; a `Limit` (tests/fakes/limits.py)."""

    monotonic: Callable[[], float]
    per_second: int = 10
    refused: int = 0
    taken: int = 0
    moments: list[float] = field(default_factory=list)

    def admits(self) -> bool:
        """Take a call in, or refuse it."""
        now = self.monotonic()
        self.moments = [moment for moment in self.moments if now - moment < 1.0]
        if len(self.moments) >= self.per_second:
            self.refused += 1
            return False
        self.moments.append(now)
        self.taken += 1
        return True

    @property
    def shortest_s(self) -> float:
        """How long all that was taken in must take at least."""
        return max(0.0, (self.taken - self.per_second) / self.per_second)


@dataclass(slots=True)
class EtsyServer(StoreServer):
    """See the module."""

    time: HandTime = field(default_factory=HandTime)
    goods: Goods = field(default_factory=Goods)
    scopes: tuple[str, ...] = SCOPES
    per_day: int = 10_000
    today: int = 0
    """Calls used of the day's."""
    refresh_token: str = FIRST_REFRESH
    tokens: dict[str, float] = field(default_factory=dict)
    """Access tokens and when they end."""
    is_revoked: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """Codes given out, and what was asked on the page of consent."""
    refusal: str = ""
    throttled: int = 0
    """How often a limit of its own was met."""
    window: Window = field(init=False)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.window = Window(self.time.monotonic)

    def keep_limits(self, monotonic: Callable[[], float], rates: Mapping[str, Rate]) -> Limit:
        """Keep its own limit, which counts the calls of a second, in another time from now on."""
        self.window = Window(monotonic, per_second=round(rates[WHOLE_ACCOUNT].per_s))
        return self.window

    def ways(self) -> Sequence[Way]:
        listing, shop = API + "/listings/{listing_id}", API + "/shops/{shop_id}"
        mine = shop + "/listings/{listing_id}"
        return [
            Way("POST", "/v3/public/oauth/token", "refreshToken", self._refresh),
            self._way("GET", API + "/users/me", "getMe", self._me),
            self._way("POST", API + "/scopes", "tokenScopes", self._token_scopes),
            self._way("GET", shop, "getShop", self._shop),
            self._way("GET", shop + "/listings", "getListingsByShop", self._listings),
            self._way("GET", listing, "getListing", self._listing),
            self._way("PATCH", mine, "updateListing", self._update),
            self._way("GET", listing + "/images", "getListingImages", self._images),
            self._way("POST", mine + "/images", "uploadListingImage", self._upload),
            self._way("DELETE", mine + "/images/{image_id}", "deleteListingImage", self._delete_image),
            self._way("GET", mine + "/variation-images", "getListingVariationImages", self._links),
            self._way("POST", mine + "/variation-images", "updateVariationImages", self._link),
            self._way("GET", listing + "/inventory", "getListingInventory", self._inventory),
            self._way("PUT", listing + "/inventory", "updateListingInventory", self._put_inventory),
            self._way("GET", shop + "/receipts", "getShopReceipts", self._receipts),
            self._way("GET", shop + "/receipts/{receipt_id}", "getShopReceipt", self._receipt),
            self._way("POST", shop + "/receipts/{receipt_id}/tracking", "createReceiptShipment", self._track),
            Way("GET", "/r/il/{image_id}/il_fullxfull.jpg", "picture", self._picture),
        ]

    def _way(self, method: str, path: str, operation: str, handler: Any) -> Way:
        async def entry(seen: Seen) -> web.StreamResponse:
            refused = self._limited() or self._unauthorised(seen)
            if refused is not None:
                return refused
            try:
                answer: web.Response = await handler(seen)
            except GoodsError as error:
                answer = answer_json({"error": error.text}, status=error.status)
            answer.headers.update(self._limits())
            return answer

        return Way(method, path, operation, entry)

    # ------------------------------------------------------------ limits and keys

    def _limits(self) -> dict[str, str]:
        return {
            "x-limit-per-second": str(self.window.per_second),
            "x-remaining-this-second": str(max(0, self.window.per_second - len(self.window.moments))),
            "x-limit-per-day": str(self.per_day),
            "x-remaining-today": str(max(0, self.per_day - self.today)),
        }

    def _limited(self) -> web.Response | None:
        pause = 3600 if self.today >= self.per_day else 0 if self.window.admits() else 1
        if pause:
            self.throttled += 1
            headers = {"retry-after": str(pause), **self._limits()}
            return answer_json({"error": "You have exceeded your rate limit"}, status=429, headers=headers)
        self.today += 1
        return None

    def _unauthorised(self, seen: Seen) -> web.Response | None:
        if ":" not in seen.headers.get("x-api-key", ""):
            return answer_json({"error": "Shared secret is required in x-api-key header."}, status=403)
        if seen.headers["x-api-key"] != f"{KEYSTRING}:{SHARED_SECRET}":
            return answer_json({"error": "Invalid API key"}, status=403)
        access = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if self.is_revoked or self.tokens.get(access, 0.0) <= self.time.monotonic():
            body = {"error": "invalid_token", "error_description": f"access token {SECRET_MARK} is expired"}
            return answer_json(body, status=401)
        needed = _NEEDS.get(seen.operation)
        if needed and needed not in self.scopes:
            body = {"error": "insufficient_scope", "error_description": f"needs {needed}"}
            return answer_json(body, status=403)
        if seen.match.get("shop_id", str(SHOP_ID)) != str(SHOP_ID):
            return answer_json({"error": "User does not own Shop"}, status=403)
        return None

    async def _refresh(self, seen: Seen) -> web.Response:
        form = seen.form()
        if form.get("client_id") != KEYSTRING:
            return answer_json({"error": "invalid_client"}, status=401)
        if form.get("grant_type") == "authorization_code":
            asked = self.codes.pop(form.get("code", ""), {})
            challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
            if (asked.get("code_challenge"), asked.get("redirect_uri")) != (challenge, form.get("redirect_uri")):
                return answer_json({"error": "invalid_grant", "error_description": "bad verifier"}, status=400)
        elif self.is_revoked or form.get("refresh_token") != self.refresh_token:
            body = {"error": "invalid_grant", "error_description": f"refresh_token {SECRET_MARK} is invalid"}
            return answer_json(body, status=400)
        number = next(self._numbers)
        access = f"{USER_ID}.access-{number}"
        self.refresh_token = f"{USER_ID}.refresh-{number}"
        self.tokens[access] = self.time.monotonic() + ACCESS_S
        fresh: dict[str, str | int] = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": ACCESS_S,
            "refresh_token": self.refresh_token,
        }
        return answer_json(fresh)

    def say_yes(self, page: str) -> str:
        """A seller allows what a page of consent asks for; returns the address where the browser lands."""
        asked = dict(parse_qsl(urlsplit(page).query))
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == (
            "code",
            KEYSTRING,
            "S256",
        )
        self.scopes = tuple(asked["scope"].split())
        code = f"code-{next(self._numbers)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def say_no(self, page: str) -> str:
        """A seller does not; returns the address where the browser lands."""
        asked = dict(parse_qsl(urlsplit(page).query))
        no = {"error": "access_denied", "error_description": "The user denied consent", "state": asked["state"]}
        return f"{asked['redirect_uri']}?{urlencode(no)}"

    async def _me(self, seen: Seen) -> web.Response:
        return answer_json({"user_id": USER_ID, "shop_id": SHOP_ID})

    async def _token_scopes(self, seen: Seen) -> web.Response:
        return answer_json({"scopes": list(self.scopes)})

    async def _shop(self, seen: Seen) -> web.Response:
        active = sum(1 for one in self.goods.listings.values() if one.state == "active")
        return answer_json(
            {
                "shop_id": SHOP_ID,
                "user_id": USER_ID,
                "shop_name": "MugsAndBowls",
                "currency_code": "EUR",
                "is_vacation": False,
                "listing_active_count": active,
                "url": "https://www.etsy.com/shop/MugsAndBowls",
            }
        )

    # ------------------------------------------------------------ listings and pictures

    async def _listings(self, seen: Seen) -> web.Response:
        state, offset = seen.query.get("state", "active"), int(seen.query.get("offset", "0"))
        limit = min(int(seen.query.get("limit", "25")), 100)
        found = [one for one in self.goods.listings.values() if one.state == state]
        # The newest first, as Etsy sorts them.
        page = sorted(found, key=lambda one: -one.listing_id)[offset : offset + limit]
        included = seen.query.get("includes", "")
        return answer_json({"count": len(found), "results": [self._shown(one, included) for one in page]})

    async def _listing(self, seen: Seen) -> web.Response:
        return answer_json(self._shown(self._of(seen), seen.query.get("includes", "")))

    async def _update(self, seen: Seen) -> web.Response:
        listing, pairs = self._of(seen), parse_qsl(seen.body.decode(), keep_blank_values=True)
        if numbers := [int(value) for name, value in pairs if name == "image_ids[]"]:
            self.goods.order(listing, numbers)
        fields = {name: value for name, value in pairs if name != "image_ids[]"}
        self.goods.describe(listing, fields)
        # What updateListing answers has no associations, and so no SKUs.
        return answer_json({name: value for name, value in self._shown(listing, "").items() if name != "skus"})

    async def _images(self, seen: Seen) -> web.Response:
        listing = self._of(seen)
        return answer_json({"count": len(listing.images), "results": self._shown_images(listing)})

    async def _upload(self, seen: Seen) -> web.Response:
        listing, parts = self._of(seen), multipart(seen)
        alt = parts.get("alt_text", b"").decode()
        if "image" in parts:
            if self.refusal:
                reason, self.refusal = self.refusal, ""
                return answer_json({"error": reason}, status=400)
            number = self.goods.upload(listing, parts["image"], alt)
        elif "listing_image_id" in parts:
            number = self.goods.assign(listing, int(parts["listing_image_id"]), alt)
        else:
            text = "Either a valid image file or a listing_image_id must be provided."
            return answer_json({"error": text}, status=400)
        shown = next(one for one in self._shown_images(listing) if one["listing_image_id"] == number)
        return answer_json(shown, status=201)

    async def _delete_image(self, seen: Seen) -> web.Response:
        self.goods.delete_image(self._of(seen), int(seen.match["image_id"]))
        return web.Response(status=204)

    async def _links(self, seen: Seen) -> web.Response:
        links = self.goods.links_of(self._of(seen))
        return answer_json({"count": len(links), "results": links})

    async def _link(self, seen: Seen) -> web.Response:
        listing = self._of(seen)
        self.goods.link(listing, seen.json()["variation_images"])
        return await self._links(seen)

    async def _picture(self, seen: Seen) -> web.Response:
        content = self.goods.pictures.get(int(seen.match["image_id"]))
        if content is None:
            return web.Response(status=404)
        return web.Response(body=content, content_type="image/jpeg")

    # ------------------------------------------------------------ inventory and orders

    async def _inventory(self, seen: Seen) -> web.Response:
        return answer_json(self._of(seen).inventory)

    async def _put_inventory(self, seen: Seen) -> web.Response:
        listing = self._of(seen)
        most = int(seen.query.get("max_variations_supported", "2"))
        self.goods.replace_inventory(listing, json.loads(seen.body), variations_most=most)
        return answer_json(listing.inventory)

    async def _receipts(self, seen: Seen) -> web.Response:
        begin, offset = int(seen.query.get("min_last_modified", "0")), int(seen.query.get("offset", "0"))
        limit = min(int(seen.query.get("limit", "25")), 100)
        found = [one for one in self.goods.receipts.values() if one["updated_timestamp"] >= begin]
        assert (seen.query.get("sort_on"), seen.query.get("sort_order")) == ("updated", "asc")
        page = sorted(found, key=lambda one: (one["updated_timestamp"], one["receipt_id"]))[offset : offset + limit]
        return answer_json({"count": len(found), "results": page})

    async def _receipt(self, seen: Seen) -> web.Response:
        return answer_json(self.goods.receipt(int(seen.match["receipt_id"])))

    async def _track(self, seen: Seen) -> web.Response:
        now = int(self.time.now().timestamp())
        return answer_json(self.goods.ship(int(seen.match["receipt_id"]), seen.json(), now))

    # ------------------------------------------------------------

    def _of(self, seen: Seen) -> Listing:
        listing = self.goods.listings.get(int(seen.match["listing_id"]))
        if listing is None:
            raise GoodsError(404, "Could not find a Listing with that id")
        return listing

    def _shown(self, listing: Listing, included: str) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "listing_id": listing.listing_id,
            "user_id": USER_ID,
            "shop_id": SHOP_ID,
            "title": listing.title,
            "description": listing.description,
            "state": listing.state,
            "quantity": listing.quantity,
            "url": f"https://www.etsy.com/listing/{listing.listing_id}",
            "has_variations": len(listing.inventory["products"]) > 1,
            "skus": [one["sku"] for one in listing.inventory["products"]],
        }
        if "Images" in included:
            shown["images"] = self._shown_images(listing)
        if "Inventory" in included:
            shown["inventory"] = listing.inventory
        return shown

    def _shown_images(self, listing: Listing) -> list[Mapping[str, Any]]:
        return [
            {
                "listing_id": listing.listing_id,
                "listing_image_id": number,
                "rank": rank,
                "alt_text": self.goods.alts[number],
                "created_timestamp": 1_790_000_000 + number,
                # Null until Etsy has processed it.
                "hex_code": None,
                "full_width": None,
                "full_height": None,
                "url_75x75": f"{self.url}/r/il/{number}/il_75x75.jpg",
                "url_fullxfull": f"{self.url}/r/il/{number}/il_fullxfull.jpg",
            }
            for rank, number in enumerate(listing.images, start=1)
        ]


def multipart(seen: Seen) -> dict[str, bytes]:
    """Return the parts of a multipart body by name."""
    boundary = seen.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    parts = {}
    for part in seen.body.split(b"--" + boundary)[1:-1]:
        head, _, content = part[2:-2].partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        parts[name] = content
    return parts
