"""WooCommerce's wire: wc/v3 and wp/v2/media, both with one application password.

What one would not guess: an unknown product is a 404 when read and a 400 when written; a picture WordPress does
not like is a 500; a product in the bin still answers 200; 403 comes as a web page when a firewall speaks.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote, urlsplit

from domain.catalog import Sku, Store
from domain.errors import MissingScope, NeedsReconnect, NotFound, RejectedByStore, StoreError
from platforms.buckets import WHOLE_ACCOUNT, Rate
from platforms.tokens import FixedKey
from platforms.transport import Transport, Transports
from platforms.wire import Account, Answer, Call, Manners, is_loopback, unsure
from platforms.woocommerce.payloads import (
    ApplicationPassword,
    Batch,
    Currency,
    Me,
    Media,
    PlacedOrder,
    Product,
    Refund,
    Site,
    Stocked,
    Variation,
    read,
    without_tags,
)

Row = TypeVar("Row")
Query = dict[str, str | int]

RATES: Final = {WHOLE_ACCOUNT: Rate(5.0, 10.0)}
"""WooCommerce has no limit of its own and its hosts tell none: a pace that shared hosting bears, and a 429 corrects it."""
PER_PAGE_MOST: Final = 100
SKU_CHARS_MOST: Final = 3_000
"""Of SKUs in one address: servers stop reading an address at about 8,000 characters, and escapes triple some."""
PICTURE_BYTES_MOST: Final = 100_000_000
UPLOAD_S: Final = 180.0
"""WordPress makes every thumbnail before it answers; a slow host takes a minute for it."""

STOCK_FIELDS: Final = "id,parent_id,type,status,sku,manage_stock,stock_quantity"
PRODUCT_FIELDS: Final = f"{STOCK_FIELDS},name,price,regular_price,on_sale,permalink,images"
VARIATION_FIELDS: Final = "id,parent_id,sku,manage_stock,stock_quantity,price,regular_price,on_sale,attributes"
MEDIA_FIELDS: Final = "id,source_url,alt_text,missing_image_sizes,media_details"
ORDER_FIELDS: Final = (
    "id,number,status,date_created_gmt,date_modified_gmt,date_completed_gmt,"
    "line_items.id,line_items.name,line_items.sku,line_items.quantity,refunds.id"
)
"""No buyer's name, address or mail is ever asked for."""

_UPLOAD_REFUSED = frozenset(
    {"rest_upload_sideload_error", "rest_upload_unknown_error", "rest_upload_image_type_not_supported",
     "rest_upload_file_too_big", "rest_upload_limited_space"}
)  # fmt: skip
_FIELDS = {
    "woocommerce_product_invalid_image_id": "images",
    "woocommerce_rest_invalid_image": "images",
    "product_invalid_sku": "sku",
}


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page and how many there are."""

    rows: tuple[Row, ...]
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class WooApi:
    """Each method is one call, unless it says otherwise; each raises what `Transport.send` does."""

    store: Store
    site: str
    transport: Transport

    # ------------------------------------------------------------ who and what

    async def index(self) -> Site:
        """Return what the site says of itself."""
        params = {"_fields": "name,home,namespaces"}
        return read(await self._get("index", "/wp-json/", params, scope="read"), Site)

    async def me(self) -> Me:
        """Return what the owner of our password may do."""
        params = {"context": "edit", "_fields": "capabilities"}
        return read(await self._get("me", "/wp-json/wp/v2/users/me", params, scope="read"), Me)

    async def delete_password(self) -> None:
        """Delete the application password that signs this very call; asking for its name is the other call."""
        mine = "/wp-json/wp/v2/users/me/application-passwords"
        answer = await self._get("introspect", f"{mine}/introspect", {"_fields": "uuid"}, scope="read")
        uuid = read(answer, ApplicationPassword).uuid
        call = Call("deletePassword", "DELETE", f"{mine}/{quote(uuid, safe='')}", is_repeatable=False, scope="read")
        await self.transport.send(call)

    async def currency(self) -> str:
        """Return the shop's currency."""
        answer = await self._get(
            "currentCurrency", "/wp-json/wc/v3/data/currencies/current", {"_fields": "code"}, scope="manage_woocommerce"
        )
        return read(answer, Currency).code

    # ------------------------------------------------------------ products

    async def product(self, product_id: int) -> Product:
        """Return a product. Raises NotFound, also for one that lies in the bin."""
        answer = await self._get("retrieveProduct", f"{_PRODUCTS}/{product_id}", {"_fields": PRODUCT_FIELDS})
        return self._alive(read(answer, Product))

    async def products(self, page: int, *, per_page: int, fields: str = PRODUCT_FIELDS) -> Page[Product]:
        """Return a page, the oldest product first."""
        params: Query = {"page": page, "per_page": per_page, "orderby": "id", "order": "asc", "_fields": fields}
        return self._page(await self._get("listProducts", _PRODUCTS, params), Product)

    async def products_by_id(self, ids: Sequence[int], *, fields: str = PRODUCT_FIELDS) -> tuple[Product, ...]:
        """Return those of up to 100 products that are there."""
        params: Query = {
            "include": ",".join(map(str, ids)), "per_page": PER_PAGE_MOST, "orderby": "id", "order": "asc",
            "_fields": fields,
        }  # fmt: skip
        return self._page(await self._get("listProducts", _PRODUCTS, params), Product).rows

    async def by_skus(self, skus: Sequence[Sku], *, fields: str = PRODUCT_FIELDS) -> AsyncIterator[Product]:
        """Yield products and variations whose SKU the store takes for one of these: compare them again.

        One call for every hundred found. A SKU with a comma is read by the store as several, and as itself.
        """
        page = 1
        while True:
            params: Query = {
                "sku": ",".join(sku.value for sku in skus), "page": page, "per_page": PER_PAGE_MOST,
                "orderby": "id", "order": "asc", "_fields": fields,
            }  # fmt: skip
            found = self._page(await self._get("listProducts", _PRODUCTS, params), Product)
            for one in found.rows:
                yield one
            if page >= found.pages:
                return
            page += 1

    async def variations(self, product_id: int) -> tuple[Variation, ...]:
        """Return every form of a variable product, a call for every hundred."""
        rows: tuple[Variation, ...] = ()
        page = 1
        while True:
            params: Query = {
                "page": page, "per_page": PER_PAGE_MOST, "orderby": "id", "order": "asc", "_fields": VARIATION_FIELDS,
            }  # fmt: skip
            path = f"{_PRODUCTS}/{product_id}/variations"
            found = self._page(await self._get("listProductVariations", path, params), Variation)
            rows += found.rows
            if page >= found.pages:
                return rows
            page += 1

    async def all_variations(self, page: int) -> Page[Variation]:
        """Return a page of the variations of all products. Raises NotFound before WooCommerce 10.3."""
        params: Query = {
            "page": page, "per_page": PER_PAGE_MOST, "orderby": "id", "order": "asc", "_fields": VARIATION_FIELDS,
        }  # fmt: skip
        return self._page(await self._get("listVariations", "/wp-json/wc/v3/variations", params), Variation)

    async def item(self, path: str) -> Stocked:
        """Return a product or a variation by its path under `products`."""
        fields = f"{STOCK_FIELDS},price,regular_price,on_sale"
        answer = await self._get("retrieveProduct", f"{_PRODUCTS}/{path}", {"_fields": fields})
        return self._alive(read(answer, Product))

    async def update(self, path: str, changes: Mapping[str, Any]) -> Product:
        """Set these fields of a product or variation, absolutely, and return it as the store then has it."""
        answer = await self.transport.send(
            Call(
                "updateProduct", "PUT", f"{_PRODUCTS}/{path}", is_repeatable=True,
                params={"_fields": f"{PRODUCT_FIELDS},description"}, json=dict(changes), scope="edit_products",
            )
        )  # fmt: skip
        return read(answer, Product)

    async def update_batch(self, parent: int, changes: Sequence[Mapping[str, Any]]) -> list[Stocked | None]:
        """Set fields of up to 100 products (`parent` 0), or of one product's variations; None for a row that is gone.

        The whole is a 200 even where every single one was refused: each says so for itself.
        """
        answer = await self.transport.send(
            Call(
                "batchProducts",
                "POST",
                f"{_PRODUCTS}/{parent}/variations/batch" if parent else f"{_PRODUCTS}/batch",
                is_repeatable=True,
                json={"update": [dict(one) for one in changes]},
                scope="edit_products",
            )
        )
        return [None if one.error else one for one in read(answer, Batch).update]

    async def set_gallery(self, product_id: int, ids: Sequence[int]) -> Product:
        """Replace the whole gallery by these attachments, the first being the main picture.

        Every picture is named by its id: one named by its address would be downloaded and added anew.
        """
        return await self.update(str(product_id), {"images": [{"id": one} for one in ids]})

    # ------------------------------------------------------------ media

    async def media_named(self, slug: str) -> Media | None:
        """Return the attachment of exactly this slug."""
        params = {"slug": slug, "context": "edit", "_fields": MEDIA_FIELDS}
        answer = await self._get("listMedia", _MEDIA, params, scope="upload_files")
        found = read(answer, tuple[Media, ...])
        return found[0] if found else None

    async def media(self, media_id: int) -> Media:
        """Return an attachment."""
        params = {"context": "edit", "_fields": MEDIA_FIELDS}
        return read(await self._get("retrieveMedia", f"{_MEDIA}/{media_id}", params, scope="upload_files"), Media)

    async def upload(
        self, content: bytes, content_type: str, *, slug: str, title: str, alt: str, product_id: int
    ) -> Media:
        """Put a picture into the library, attached to its product. Raises Ambiguous: then look for the slug."""
        ending = {"image/png": "png", "image/webp": "webp"}.get(content_type, "jpg")
        answer = await self.transport.send(
            Call(
                "createMedia", "POST", _MEDIA, is_repeatable=False, params={"_fields": MEDIA_FIELDS},
                form={"slug": slug, "title": title, "alt_text": alt, "post": str(product_id)},
                files={"file": (f"{slug}.{ending}", content, content_type)},
                scope="upload_files", total_s=UPLOAD_S,
            )
        )  # fmt: skip
        return read(answer, Media)

    async def finish_media(self, media_id: int) -> Media:
        """Make the thumbnails that an upload which died did not come to."""
        answer = await self.transport.send(
            Call(
                "postProcessMedia", "POST", f"{_MEDIA}/{media_id}/post-process", is_repeatable=True,
                params={"_fields": MEDIA_FIELDS}, json={"action": "create-image-subsizes"}, scope="upload_files",
                total_s=UPLOAD_S,
            )
        )  # fmt: skip
        return read(answer, Media)

    async def set_media_alt(self, media_id: int, alt: str) -> Media:
        """Set an attachment's alternative text, wherever it is shown."""
        answer = await self.transport.send(
            Call(
                "updateMedia", "POST", f"{_MEDIA}/{media_id}", is_repeatable=True, params={"_fields": MEDIA_FIELDS},
                json={"alt_text": alt}, scope="upload_files",
            )
        )  # fmt: skip
        return read(answer, Media)

    async def fetch(self, url: str) -> bytes:
        """Return a picture's bytes. Raises NotFound for another host's."""
        call = Call("fetchPicture", "GET", url, is_repeatable=True, max_bytes=PICTURE_BYTES_MOST, is_signed=False)
        answer = await self.transport.send(call)
        if not answer.content or answer.content.lstrip()[:1] == b"<":
            raise unsure(call, self.store.name, f"{self.store.name} sent no picture at {url}.")
        return answer.content

    # ------------------------------------------------------------ orders

    async def orders(self, *, after: str, exclude: Sequence[int]) -> Page[PlacedOrder]:
        """Return up to 100 orders changed after a moment (UTC), the longest unchanged first, without those excluded."""
        params: Query = {
            "modified_after": after, "dates_are_gmt": "true", "orderby": "modified", "order": "asc",
            "per_page": PER_PAGE_MOST, "_fields": ORDER_FIELDS,
        }  # fmt: skip
        if exclude:
            params["exclude"] = ",".join(map(str, exclude))
        return self._page(await self._get("listOrders", _ORDERS, params, scope="edit_shop_orders"), PlacedOrder)

    async def order(self, order_id: int) -> PlacedOrder:
        """Return one order. Raises NotFound."""
        path, params = f"{_ORDERS}/{order_id}", {"_fields": ORDER_FIELDS}
        return read(await self._get("retrieveOrder", path, params, scope="edit_shop_orders"), PlacedOrder)

    async def refunds(self, order_id: int) -> tuple[Refund, ...]:
        """Return the refunds of an order, without amounts."""
        params: Query = {"per_page": PER_PAGE_MOST, "_fields": "id,line_items"}
        answer = await self._get("listRefunds", f"{_ORDERS}/{order_id}/refunds", params, scope="edit_shop_orders")
        return self._page(answer, Refund).rows

    async def complete_order(self, order_id: int, meta: Sequence[Mapping[str, Any]]) -> PlacedOrder:
        """Mark an order as completed, which writes to the buyer. Raises Ambiguous: then read the order."""
        answer = await self.transport.send(
            Call(
                "updateOrder", "PUT", f"{_ORDERS}/{order_id}", is_repeatable=False, params={"_fields": ORDER_FIELDS},
                json={"status": "completed", "meta_data": list(meta)}, scope="edit_shop_orders",
            )
        )  # fmt: skip
        return read(answer, PlacedOrder)

    # ------------------------------------------------------------ inside

    async def _get(
        self, operation: str, path: str, params: Mapping[str, str | int], *, scope: str = "edit_products"
    ) -> Answer:
        return await self.transport.send(Call(operation, "GET", path, is_repeatable=True, params=params, scope=scope))

    def _page(self, answer: Answer, kind: type[Row]) -> Page[Row]:
        rows = read(answer, tuple[kind, ...])  # type: ignore[valid-type]
        pages, total = (answer.headers.get(name, "") for name in ("x-wp-totalpages", "x-wp-total"))
        return Page(rows, int(pages) if pages.isdecimal() else 1, int(total) if total.isdecimal() else len(rows))

    def _alive(self, product: Product) -> Product:
        if product.status == "trash":
            raise NotFound(f"The product {product.id} lies in the bin of {self.store.name}.", store=self.store.name)
        return product


_PRODUCTS: Final = "/wp-json/wc/v3/products"
_ORDERS: Final = "/wp-json/wc/v3/orders"
_MEDIA: Final = "/wp-json/wp/v2/media"


def open_api(store: Store, transports: Transports, settings: Mapping[str, str], secrets: tuple[str, ...]) -> WooApi:
    """Return the way to a shop. `settings` as in descriptor.py.

    Raises NeedsReconnect for plain http that the deployment does not allow.
    """
    site = settings["site"].rstrip("/")
    parts = urlsplit(site)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (is_loopback(host) and settings["allow_http"]):
        raise NeedsReconnect(
            f"{store.name} is at an address without https, where everybody on the way could read the password: "
            "connect its https:// address (a shop on this machine: set WOOCOMMERCE_ALLOW_HTTP=1).",
            store=store.name,
        )
    pair = f"{settings['user']}:{settings['password']}"
    basic = base64.b64encode(pair.encode()).decode()
    # A shop answers under its name with and without www, and shows pictures under either.
    other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    hosts = (other, *settings["image_hosts"].replace(",", " ").split())
    withheld = frozenset(part.strip() for part in settings["left_out"].split(",") if part.strip())
    account = Account(store, site, hosts=hosts, secrets=(*secrets, basic), withheld=withheld)
    manners = Manners(rates=RATES, refused=refused)
    return WooApi(store, site, transports.open(account, manners, FixedKey({"authorization": f"Basic {basic}"})))


def refused(answer: Answer) -> StoreError | None:
    """Return the error of an answer where WordPress names it; None for the plain meaning of the status."""
    if answer.status < 400:
        return None
    store, said = answer.store, _said(answer)
    code, message = str(said.get("code") or ""), without_tags(str(said.get("message") or ""))
    if code in _UPLOAD_REFUSED:
        return RejectedByStore(message, store=store, field="content")
    match answer.status:
        case 401:
            reason = f" It says: {message}" if message and code else ""
            return NeedsReconnect(
                f"{store} does not accept the application password.{reason} Make a new one under Users → Profile in "
                "WordPress, and connect again; if it is new, the host may cut off the Authorization header.",
                store=store,
            )
        case 403 if not said and answer.content.lstrip()[:1] == b"<":
            return StoreError(
                f"A firewall before {store} keeps me out: let requests to /wp-json through, then try again.",
                store=store,
            )
        case 403:
            return MissingScope(store=store, scope=answer.call.scope)
        case 404 if code == "rest_no_route":
            return NotFound(f"{store} has no such function: is WooCommerce active there?", store=store)
        case 413:
            return RejectedByStore("the picture is larger than the host lets through", store=store, field="content")
        case 400 if code.endswith("_invalid_id"):
            return NotFound(f"{store} has no such thing.", store=store)
        case 400 if code:
            return RejectedByStore(message or code, store=store, field=_FIELDS.get(code) or _first_param(said))
        case _:
            return None


def _said(answer: Answer) -> dict[str, Any]:
    try:
        value = json.loads(answer.content)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _first_param(said: Mapping[str, Any]) -> str:
    data = said.get("data")
    params = data.get("params") if isinstance(data, dict) else None
    return next(iter(params), "") if isinstance(params, dict) else ""
