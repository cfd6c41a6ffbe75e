"""The shelf as buyers see it: a shop page, a page per product, its pictures, and `products.json`.

The JSON has the shape of a Shopify storefront's `/products.json`, so that what reads one reads the
other. Pages carry no script; an image's address never changes its bytes, so it is cached for ever.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from domain.catalog import ImageId, ListingId, Store
from domain.errors import Fault
from domain.picture_ports import MediaStorage
from domain.rows import ShelfListing, ShelfRows
from platforms.shelf.adapter import CONTENT_TYPES, image_path, product_path

_HERE: Final = Path(__file__).parent
_PAGE_PRODUCTS: Final = 24
_JSON_BATCH: Final = 100
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data:; style-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_FILE_HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}


def storefront_routes(
    *, store: Store, rows: ShelfRows, media: MediaStorage, public_url: Callable[[str], str]
) -> list[Route]:
    """Return the routes of one shelf. `public_url` makes the absolute addresses of `products.json`."""
    shop = _Storefront(store, rows, media, public_url, _pages())
    return [
        Route("/shelf", shop.front),
        Route("/shelf/products.json", shop.products_json),
        Route("/shelf/products/{handle}", shop.product),
        Route("/shelf/images/{listing_id}/{image_id}", shop.image),
        Route("/shelf/shelf.css", shop.style),
    ]


@dataclass(frozen=True, slots=True)
class _Storefront:
    store: Store
    rows: ShelfRows
    media: MediaStorage
    public_url: Callable[[str], str]
    pages: Environment

    async def front(self, request: Request) -> Response:
        """A grid of products, by handle; `?after=` turns the page."""
        after = request.query_params.get("after", "")
        found = await self.rows.listings(self.store.store_id, after=after, limit=_PAGE_PRODUCTS + 1)
        next_after = found[_PAGE_PRODUCTS - 1].handle if len(found) > _PAGE_PRODUCTS else ""
        return self._page("front.html", products=found[:_PAGE_PRODUCTS], next_after=next_after, is_first=not after)

    async def product(self, request: Request) -> Response:
        """One product with all its pictures."""
        listing = await self._by_handle(unquote(request.path_params["handle"]))
        if listing is None:
            return self._page("missing.html", status=404)
        return self._page("product.html", product=listing)

    async def products_json(self, request: Request) -> Response:
        """Every product, in the shape of a Shopify storefront."""
        products = [self._json(listing) async for listing in self._every_listing()]
        return JSONResponse({"products": products}, headers={"Cache-Control": "no-cache"})

    async def image(self, request: Request) -> Response:
        """The very bytes that were published."""
        listing_id = ListingId(unquote(request.path_params["listing_id"]))
        image_id = ImageId(unquote(request.path_params["image_id"]))
        image = await self.rows.detached(self.store.store_id, listing_id, image_id)
        if image is None:
            return Response("No such picture.", status_code=404, media_type="text/plain")
        headers = {**_FILE_HEADERS, "Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{image.photo}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        try:
            content = await self.media.get(image.photo)
        except Fault as fault:
            if fault.code != "media_missing":
                raise
            return Response("This picture is gone.", status_code=410, media_type="text/plain")
        media_type = image.content_type if image.content_type in CONTENT_TYPES else "application/octet-stream"
        return Response(content, media_type=media_type, headers=headers)

    async def style(self, request: Request) -> Response:
        """The one style sheet."""
        css = (_HERE / "static" / "shelf.css").read_text("utf-8")
        return Response(css, media_type="text/css", headers={**_FILE_HEADERS, "Cache-Control": "max-age=300"})

    async def _by_handle(self, handle: str) -> ShelfListing | None:
        """Find one: its own handle without the last character sorts before it in every collation."""
        after = handle[:-1]
        while found := await self.rows.listings(self.store.store_id, after=after, limit=_JSON_BATCH):
            for listing in found:
                if listing.handle == handle:
                    return listing
            after = found[-1].handle
        return None

    async def _every_listing(self) -> AsyncIterator[ShelfListing]:
        after = ""
        while found := await self.rows.listings(self.store.store_id, after=after, limit=_JSON_BATCH):
            for listing in found:
                yield listing
            after = found[-1].handle

    def _json(self, listing: ShelfListing) -> dict[str, object]:
        return {
            "title": listing.title,
            "handle": listing.handle,
            "variants": [
                {
                    "title": variant.title,
                    "sku": variant.sku.value,
                    "price": _decimal(variant.price_cents),
                    "inventory_quantity": variant.quantity,
                }
                for variant in listing.variants
            ],
            "images": [
                {"src": self.public_url(image_path(listing, image)), "position": position, "alt": image.alt}
                for position, image in enumerate(listing.images, start=1)
            ],
        }

    def _page(self, name: str, *, status: int = 200, **values: object) -> HTMLResponse:
        html = self.pages.get_template(name).render(shop=self.store.name, **values)
        return HTMLResponse(html, status_code=status, headers=_PAGE_HEADERS)


def _pages() -> Environment:
    pages = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    pages.filters |= {"price": lambda cents: f"€{_decimal(cents)}"}
    pages.globals |= {"image_path": image_path, "product_path": product_path}
    return pages


def _decimal(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
