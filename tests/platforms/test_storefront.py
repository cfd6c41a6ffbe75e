"""The shelf as a buyer, a browser and a script see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from html.parser import HTMLParser

import httpx
import pytest
from starlette.applications import Starlette

from domain.catalog import ImageId, ListingId, PlatformName, Sku, Store, StoreId
from domain.ports import PublishRequest
from domain.rows import ShelfImage, ShelfListing, ShelfVariant
from platforms.shelf.adapter import ShelfStore
from platforms.shelf.storefront import storefront_routes
from tests.platforms.fakes import FakeMedia, FakeShelfRows

STORE = Store(StoreId("store-1"), "team-1", PlatformName.SHELF, "The Shelf")
HOSTILE = "<script>alert(1)</script> & \"co\" 'x'"


class Shelf:
    """A shelf of a few products behind HTTP."""

    def __init__(self, browser: httpx.AsyncClient, rows: FakeShelfRows, media: FakeMedia) -> None:
        self.browser = browser
        self.rows = rows
        self.media = media

    async def add(self, handle: str, *, title: str = "", photos: int = 2, quantities: tuple[int, ...] = (7,)) -> None:
        images = [
            ShelfImage(
                ImageId(f"{handle}-{n}"), await self.media.put(f"{handle} {n}".encode()), "image/jpeg", f"view {n}", ""
            )
            for n in range(1, photos + 1)
        ]
        variants = [
            ShelfVariant(Sku(f"{handle}-{n}"), f"Size {n}", 1200 + 50 * n, quantity)
            for n, quantity in enumerate(quantities)
        ]
        listing = ShelfListing(
            ListingId(f"id of {handle}"), title or handle.title(), handle, "Nice.", tuple(variants), tuple(images), 1
        )
        assert await self.rows.add_listing(STORE.store_id, listing)


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    rows, media = FakeShelfRows(), FakeMedia()
    routes = storefront_routes(
        store=STORE, rows=rows, media=media, public_url=lambda path: f"https://shop.example{path}"
    )
    transport = httpx.ASGITransport(app=Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="https://shop.example") as browser:
        yield Shelf(browser, rows, media)


class Tags(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


async def test_products_json_has_the_shape_of_a_shopify_storefront(shelf: Shelf) -> None:
    await shelf.add("mug", quantities=(7, 0))
    answer = await shelf.browser.get("/shelf/products.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "products": [
            {
                "title": "Mug",
                "handle": "mug",
                "variants": [
                    {"title": "Size 0", "sku": "mug-0", "price": "12.00", "inventory_quantity": 7},
                    {"title": "Size 1", "sku": "mug-1", "price": "12.50", "inventory_quantity": 0},
                ],
                "images": [
                    {"src": "https://shop.example/shelf/images/id%20of%20mug/mug-1", "position": 1, "alt": "view 1"},
                    {"src": "https://shop.example/shelf/images/id%20of%20mug/mug-2", "position": 2, "alt": "view 2"},
                ],
            }
        ]
    }


async def test_products_json_lists_a_large_catalogue_whole(shelf: Shelf) -> None:
    for number in range(230):
        await shelf.add(f"p-{number:03}", photos=0)
    handles = [product["handle"] for product in (await shelf.browser.get("/shelf/products.json")).json()["products"]]
    assert handles == [f"p-{number:03}" for number in range(230)]


async def test_every_address_in_products_json_serves_the_picture(shelf: Shelf) -> None:
    await shelf.add("mug")
    [product] = (await shelf.browser.get("/shelf/products.json")).json()["products"]
    for number, image in enumerate(product["images"], start=1):
        answer = await shelf.browser.get(image["src"])
        assert answer.content == f"mug {number}".encode()
        assert answer.headers["content-type"] == "image/jpeg"
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_published_picture_is_what_buyers_get_and_the_old_address_still_answers(shelf: Shelf) -> None:
    await shelf.add("mug")
    store = ShelfStore(STORE, shelf.rows, shelf.media, public_url=lambda path: f"https://shop.example{path}")
    listing_id = ListingId("id of mug")
    before = (await store.read_images(listing_id))[0]
    await store.publish_image(PublishRequest("k", listing_id, 1, b"new", "image/png", "clean", before.image_id))
    [product] = (await shelf.browser.get("/shelf/products.json")).json()["products"]
    answer = await shelf.browser.get(product["images"][0]["src"])
    assert (answer.content, answer.headers["content-type"]) == (b"new", "image/png")
    assert (await shelf.browser.get(before.url)).content == b"mug 1"


async def test_a_known_picture_is_not_sent_again(shelf: Shelf) -> None:
    await shelf.add("mug")
    url = "/shelf/images/id of mug/mug-1"
    etag = (await shelf.browser.get(url)).headers["etag"]
    again = await shelf.browser.get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_content_type_that_is_no_picture_is_never_served_as_such(shelf: Shelf) -> None:
    await shelf.add("mug")
    row = shelf.rows.stores[STORE.store_id][ListingId("id of mug")]
    html = replace(row.images[0], content_type="text/html")
    await shelf.rows.set_images(STORE.store_id, row.listing_id, [html], was_version=1)
    answer = await shelf.browser.get("/shelf/images/id of mug/mug-1")
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_unknown_pictures_and_products_are_404_and_lost_bytes_410(shelf: Shelf) -> None:
    await shelf.add("mug")
    assert (await shelf.browser.get("/shelf/images/id of mug/none")).status_code == 404
    assert (await shelf.browser.get("/shelf/images/none/mug-1")).status_code == 404
    assert (await shelf.browser.get("/shelf/products/none")).status_code == 404
    shelf.media.objects.clear()
    assert (await shelf.browser.get("/shelf/images/id of mug/mug-1")).status_code == 410


async def test_the_front_page_shows_price_stock_and_a_way_to_each_product(shelf: Shelf) -> None:
    await shelf.add("mug", quantities=(2, 1))
    await shelf.add("bowl", quantities=(0,))
    await shelf.add("bare", photos=0, quantities=(9,))
    page = (await shelf.browser.get("/shelf")).text
    assert "from €12.00" in page
    assert "Only 3 left" in page
    assert "Sold out" in page
    assert "No picture yet" in page
    links = {link["href"] for link in Tags(page).all("a")}
    assert {"/shelf/products/mug", "/shelf/products/bowl", "/shelf/products/bare"} <= links


async def test_the_front_page_turns_without_losing_or_repeating_a_product(shelf: Shelf) -> None:
    for number in range(50):
        await shelf.add(f"p-{number:02}", photos=0)
    seen: list[str | None] = []
    url: str | None = "/shelf"
    while url:
        links = [link["href"] for link in Tags((await shelf.browser.get(url)).text).all("a")]
        seen += [link for link in links if link and link.startswith("/shelf/products/")]
        url = next((link for link in links if link and link.startswith("/shelf?after=")), None)
    assert seen == [f"/shelf/products/p-{number:02}" for number in range(50)]


async def test_a_product_page_shows_its_pictures_in_order_with_their_alt_texts(shelf: Shelf) -> None:
    await shelf.add("mug", photos=3)
    tags = Tags((await shelf.browser.get("/shelf/products/mug")).text)
    sources = [image["src"] for image in tags.all("img")][:3]
    assert sources == [f"/shelf/images/id%20of%20mug/mug-{n}" for n in (1, 2, 3)]
    assert [image["alt"] for image in tags.all("img")][:3] == ["view 1", "view 2", "view 3"]
    assert len(tags.all("h1")) == 1


@pytest.mark.parametrize("path", ["/shelf", "/shelf/products/mug"])
async def test_hostile_titles_stay_text(shelf: Shelf, path: str) -> None:
    await shelf.add("mug", title=HOSTILE)
    page = (await shelf.browser.get(path)).text
    assert Tags(page).all("script") == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


async def test_a_hostile_handle_stays_inside_its_link(shelf: Shelf) -> None:
    await shelf.add('"><script>/../x', title="Odd")
    tags = Tags((await shelf.browser.get("/shelf")).text)
    assert tags.all("script") == []
    assert "/shelf/products/%22%3E%3Cscript%3E%2F..%2Fx" in {link["href"] for link in tags.all("a")}


async def test_pages_allow_no_script_and_no_frame(shelf: Shelf) -> None:
    for path in ("/shelf", "/shelf/products/none"):
        policy = (await shelf.browser.get(path)).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy


async def test_the_style_sheet_is_there(shelf: Shelf) -> None:
    answer = await shelf.browser.get("/shelf/shelf.css")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
