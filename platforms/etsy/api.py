"""Etsy Open API v3 on the wire: one method an operation, named as Etsy names it.

Lists in a query are never sent with more than one value: the definition repeats the name, Etsy's servers want
commas, and one value reads the same to both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal
from urllib.parse import urlencode, urlsplit

from domain.catalog import ListingId, Store
from domain.connection import StoreNotes, Tokens
from domain.errors import NotFound
from domain.trade import OrderId
from platforms.etsy.features import ORDERS_READ, ORDERS_WRITE, READ, SHOP_READ, WRITE
from platforms.etsy.keys import manners, renewing
from platforms.etsy.payloads import (
    Image,
    Images,
    Inventory,
    Me,
    Receipt,
    Receipts,
    Scopes,
    Shop,
    ShopListing,
    ShopListings,
    VariationImage,
    VariationImages,
    read,
)
from platforms.tokens import RenewedKey, TokenKeeper
from platforms.transport import Transport, Transports
from platforms.wire import Account, Answer, Call

BASE_URL: Final = "https://openapi.etsy.com"
IMAGE_HOSTS: Final = (".etsystatic.com",)
PAGE: Final = 100
"""The most listings or receipts Etsy gives at once."""
UPLOAD_S: Final = 120.0
IMAGE_MOST_BYTES: Final = 40_000_000
State = Literal["active", "sold_out", "inactive", "draft", "expired"]
_WHOLE_SHOP: Final = ListingId("")
"""Where notes about the shop itself are kept."""


class EtsyApi:
    """One shop's wire."""

    def __init__(
        self, store: Store, transport: Transport, keeper: TokenKeeper, notes: StoreNotes, *, shop_id: str
    ) -> None:
        """`shop_id` may be empty: then Etsy is asked once, and the answer noted."""
        self.store = store
        self.notes = notes
        self.clock = transport.shared.clock
        self._transport = transport
        self._keeper = keeper
        self._shop_id = shop_id

    def turn(self, what: str) -> asyncio.Lock:
        """One at a time for what is read, changed and sent whole (Transport.turn)."""
        return self._transport.turn(what)

    # ------------------------------------------------------------ who we are

    async def get_me(self) -> Me:
        """Ask which shop our token belongs to, and note it."""
        me = read(await self._get("getMe", "/users/me", scope=SHOP_READ), Me)
        self._shop_id = str(me.shop_id)
        await self.notes.keep(self.store.store_id, _WHOLE_SHOP, "shop_id", self._shop_id)
        return me

    async def get_shop(self) -> Shop:
        """Return the shop's own page."""
        return read(await self._get("getShop", await self._shop()), Shop)

    async def token_scopes(self) -> tuple[str, ...]:
        """Return what our token may do."""
        form = {"token": (await self._keeper.current()).access}
        call = Call("tokenScopes", "POST", "/v3/application/scopes", is_repeatable=True, form=form)
        return read(await self._transport.send(call), Scopes).scopes

    # ------------------------------------------------------------ listings

    async def get_listings_by_shop(
        self, state: State, *, offset: int, limit: int, includes: Literal["Inventory", "Images"]
    ) -> ShopListings:
        """Return a page of listings in one state, the newest first."""
        params = {"state": state, "limit": limit, "offset": offset, "includes": includes}
        path = f"{await self._shop()}/listings"
        return read(await self._get("getListingsByShop", path, params=params, scope=READ), ShopListings)

    async def get_listing(self, listing_id: ListingId) -> ShopListing:
        """Return one listing with its pictures. Raises NotFound."""
        path = f"/listings/{self._id(listing_id)}"
        return read(await self._get("getListing", path, params={"includes": "Images"}), ShopListing)

    async def update_listing(self, listing_id: ListingId, fields: Sequence[tuple[str, str | int]]) -> ShopListing:
        """Change fields of a listing; a list is its name with [] repeated. Saying the same twice changes nothing."""
        call = Call(
            "updateListing",
            "PATCH",
            f"/v3/application{await self._shop()}/listings/{self._id(listing_id)}",
            is_repeatable=True,
            headers={"content-type": "application/x-www-form-urlencoded"},
            content=urlencode(fields).encode(),
            scope=WRITE,
        )
        return read(await self._transport.send(call), ShopListing)

    # ------------------------------------------------------------ pictures

    async def get_listing_images(self, listing_id: ListingId) -> tuple[Image, ...]:
        """Return the pictures in order. Raises NotFound."""
        return read(await self._get("getListingImages", f"/listings/{self._id(listing_id)}/images"), Images).ordered

    async def upload_listing_image(
        self, listing_id: ListingId, content: bytes, content_type: str, *, rank: int, alt: str
    ) -> Image:
        """Add a new picture. Raises Ambiguous where nobody can tell whether it was added."""
        ending = "png" if content_type == "image/png" else "jpg"
        return await self._post_image(
            listing_id,
            {"rank": str(rank), "alt_text": alt},
            files={"image": (f"packshot.{ending}", content, content_type)},
            is_repeatable=False,
        )

    async def assign_listing_image(self, listing_id: ListingId, image_id: int, *, rank: int, alt: str) -> Image:
        """Put back a picture that was on the listing before, or change its text; twice is once, an id being unique."""
        form = {"listing_image_id": str(image_id), "rank": str(rank), "alt_text": alt}
        return await self._post_image(listing_id, form, files=None, is_repeatable=True)

    async def delete_listing_image(self, listing_id: ListingId, image_id: int) -> None:
        """Take a picture off the listing; Etsy keeps a copy, which its id puts back. Raises NotFound."""
        path = f"/v3/application{await self._shop()}/listings/{self._id(listing_id)}/images/{image_id}"
        await self._transport.send(Call("deleteListingImage", "DELETE", path, is_repeatable=True, scope=WRITE))

    async def _post_image(
        self,
        listing_id: ListingId,
        form: Mapping[str, str],
        *,
        files: Mapping[str, tuple[str, bytes, str]] | None,
        is_repeatable: bool,
    ) -> Image:
        # The definition knows this call as multipart only, with a file or without.
        parts: dict[str, Any] = {name: (None, value) for name, value in form.items()}
        call = Call(
            "uploadListingImage",
            "POST",
            f"/v3/application{await self._shop()}/listings/{self._id(listing_id)}/images",
            is_repeatable=is_repeatable,
            files={**parts, **(files or {})},
            scope=WRITE,
            total_s=UPLOAD_S,
        )
        return read(await self._transport.send(call), Image)

    async def get_listing_variation_images(self, listing_id: ListingId) -> tuple[VariationImage, ...]:
        """Return which picture each variation shows."""
        path = f"{await self._shop()}/listings/{self._id(listing_id)}/variation-images"
        return read(await self._get("getListingVariationImages", path), VariationImages).results

    async def update_variation_images(self, listing_id: ListingId, links: Sequence[VariationImage]) -> None:
        """Make these all the links of a listing; saying the same twice changes nothing."""
        path = f"/v3/application{await self._shop()}/listings/{self._id(listing_id)}/variation-images"
        body = {"variation_images": [link.model_dump() for link in links]}
        await self._transport.send(
            Call("updateVariationImages", "POST", path, is_repeatable=True, json=body, scope=WRITE)
        )

    async def fetch(self, url: str) -> bytes:
        """Return a picture's bytes from Etsy's own picture hosts."""
        call = Call(
            "picture", "GET", url, is_repeatable=True, is_signed=False, max_bytes=IMAGE_MOST_BYTES, total_s=UPLOAD_S
        )
        return (await self._transport.send(call)).content

    # ------------------------------------------------------------ inventory

    async def get_listing_inventory(self, listing_id: ListingId) -> Inventory:
        """Return every product of a listing. Raises NotFound."""
        path = f"/listings/{self._id(listing_id)}/inventory"
        return read(await self._get("getListingInventory", path, scope=READ), Inventory)

    async def update_listing_inventory(
        self, listing_id: ListingId, body: Mapping[str, Any], *, variations: int
    ) -> Inventory:
        """Replace the whole inventory. Raises Ambiguous: a blind repeat would bring back what was sold meanwhile."""
        call = Call(
            "updateListingInventory",
            "PUT",
            f"/v3/application/listings/{self._id(listing_id)}/inventory",
            is_repeatable=False,
            # Without it Etsy drops the third property of a listing that has three.
            params={"max_variations_supported": "3"} if variations > 2 else {},
            json=body,
            scope=WRITE,
        )
        return read(await self._transport.send(call), Inventory)

    # ------------------------------------------------------------ orders

    async def get_shop_receipts(self, *, min_last_modified: int, offset: int, limit: int = PAGE) -> Receipts:
        """Return the receipts changed since (epoch seconds), the longest unchanged first."""
        params: dict[str, str | int] = {
            "min_last_modified": min_last_modified,
            "sort_on": "updated",
            "sort_order": "asc",
            "limit": limit,
            "offset": offset,
        }
        path = f"{await self._shop()}/receipts"
        return read(await self._get("getShopReceipts", path, params=params, scope=ORDERS_READ), Receipts)

    async def get_shop_receipt(self, order_id: OrderId) -> Receipt:
        """Return one receipt. Raises NotFound."""
        path = f"{await self._shop()}/receipts/{self._id(order_id)}"
        return read(await self._get("getShopReceipt", path, scope=ORDERS_READ), Receipt)

    async def create_receipt_shipment(self, order_id: OrderId, body: Mapping[str, str]) -> Receipt:
        """Mark a receipt as shipped: each call writes to the buyer. Raises Ambiguous."""
        path = f"/v3/application{await self._shop()}/receipts/{self._id(order_id)}/tracking"
        call = Call("createReceiptShipment", "POST", path, is_repeatable=False, json=body, scope=ORDERS_WRITE)
        return read(await self._transport.send(call), Receipt)

    # ------------------------------------------------------------

    async def _get(
        self, operation: str, path: str, *, params: Mapping[str, str | int] | None = None, scope: str = ""
    ) -> Answer:
        return await self._transport.send(
            Call(operation, "GET", f"/v3/application{path}", is_repeatable=True, params=params or {}, scope=scope)
        )

    def _id(self, value: str) -> int:
        """Return an id as Etsy writes it. Raises NotFound for what Etsy never gave."""
        if not (value.isascii() and value.isdigit() and int(value)):
            raise NotFound(f"{self.store.name} has no {value}.", store=self.store.name)
        return int(value)

    async def _shop(self) -> str:
        if not self._shop_id:
            kept = await self.notes.of_listing(self.store.store_id, _WHOLE_SHOP)
            self._shop_id = kept.get("shop_id", "")
        if not self._shop_id:
            await self.get_me()
        return f"/shops/{self._shop_id}"


def open_api(
    store: Store,
    transports: Transports,
    notes: StoreNotes,
    settings: Mapping[str, str],
    secrets: tuple[str, ...],
) -> EtsyApi:
    """Open one shop's wire; touches no network. `settings` are the descriptor's."""
    base_url, auth_url = settings["api_url"], settings["auth_url"] or settings["api_url"]
    hosts = (*IMAGE_HOSTS, urlsplit(auth_url).hostname or "")
    account = Account(store, base_url, hosts=hosts, secrets=secrets)
    how = manners(store)
    keystring, app_key = settings["keystring"], f"{settings['keystring']}:{settings['shared_secret']}"
    asking = transports.open(Account(store, auth_url, secrets=secrets), how)
    keeper = transports.keeper(account, renewing(asking, keystring, settings["refresh_token"], transports.clock))

    def headers_for(tokens: Tokens) -> Mapping[str, str]:
        return {"x-api-key": app_key, "authorization": f"Bearer {tokens.access}"}

    transport = transports.open(account, how, RenewedKey(keeper, headers_for))
    return EtsyApi(store, transport, keeper, notes, shop_id=settings["shop_id"])
