"""WooCommerce's and WordPress' own pitfalls, each as its adapter meets it on the fake shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

import pytest

from domain.catalog import ImageId, ListingId, PlatformName, Sku, Store, StoreId
from domain.errors import (
    BadInput,
    MissingScope,
    NeedsReconnect,
    NotFound,
    RejectedByStore,
    StoreDown,
    StoreError,
)
from domain.ports import PublishRequest
from platforms.wire import Account, Answer, Call
from platforms.woocommerce.api import open_api, refused
from platforms.woocommerce.descriptor import DESCRIPTOR
from platforms.woocommerce.payloads import Product
from tests.fakes.store_server import SECRET_MARK, Fault
from tests.fakes.woo_state import text_field
from tests.platforms.contract import ids, publish, restore
from tests.platforms.woocommerce_harness import STORE, WooHarness, content, open_woo, seeded

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def shop() -> AsyncIterator[WooHarness]:
    async with open_woo() as opened:
        yield cast(WooHarness, opened)


async def main_of(shop: WooHarness) -> ImageId:
    return (await ids(shop))[0]


# ---------------------------------------------------------------- pictures


async def test_the_others_are_sent_again_by_id_and_never_by_address(shop: WooHarness) -> None:
    _, second, third = await ids(shop)
    ours = await publish(shop, "e1:1:s", replaces=(await ids(shop))[0])
    [sent] = [seen.json()["images"] for seen in shop.server.calls if seen.method == "PUT"]
    assert sent == [{"id": int(one)} for one in (ours.image_id, second, third)]


async def test_a_picture_named_by_its_address_would_be_added_anew(shop: WooHarness) -> None:
    before = len(shop.server.state.media)
    [first, *_] = shop.server.state.gallery(shop.product_id)
    await shop.platform._api.update(shop.listing_id, {"images": [{"src": f"{shop.server.url}/x/{first.filename}"}]})
    assert len(shop.server.state.media) == before + 1


async def test_the_stores_own_address_is_used_for_a_file_it_had_to_rename(shop: WooHarness) -> None:
    main = await main_of(shop)
    ours = await publish(shop, "e1:1:s", replaces=main)
    taken = shop.server.state.media[int(ours.image_id)].filename
    await restore(shop, "e1:1:s", ours=ours.image_id, original=main)
    del shop.server.state.media[int(ours.image_id)]
    shop.server.state.add_media(content("another"), slug="another", filename=taken)
    again = await publish(shop, "e1:1:s", replaces=main)
    assert again.url != ours.url
    assert await shop.platform.fetch_image(again) == shop.content("e1:1:s")


async def test_an_upload_that_died_over_its_thumbnails_is_finished_and_not_repeated(shop: WooHarness) -> None:
    before = len(shop.server.state.media)
    shop.server.upload_dies = True
    ours = await publish(shop, "e1:1:s", replaces=await main_of(shop))
    assert len(shop.server.state.media) == before + 1
    assert shop.server.state.media[int(ours.image_id)].missing_sizes == []
    assert shop.server.counted()["postProcessMedia"] == 1


async def test_an_upload_nobody_has_heard_of_is_tried_again_later_and_never_put_to_a_person(shop: WooHarness) -> None:
    main, before = await main_of(shop), len(shop.server.state.media)
    shop.server.fail(Fault.CUT, operation="createMedia")
    with pytest.raises(StoreDown):
        await publish(shop, "e1:1:s", replaces=main)
    await publish(shop, "e1:1:s", replaces=main)
    assert len(shop.server.state.media) == before + 1


async def test_a_picture_wordpress_refuses_with_a_500_is_refused_with_its_words(shop: WooHarness) -> None:
    shop.refuse_pictures("Sorry, you are not allowed to upload this file type.")
    with pytest.raises(RejectedByStore, match="not allowed to upload this file type") as caught:
        await publish(shop, "e1:1:s", replaces=await main_of(shop))
    assert caught.value.field == "content"
    assert shop.server.counted()["createMedia"] == 1, "a refusal is not trouble: it is not tried again"


async def test_the_photo_as_it_was_uploaded_is_fetched_and_not_its_smaller_copy(shop: WooHarness) -> None:
    [first, *_] = shop.server.state.gallery(shop.product_id)
    first.filename, first.original = "large-scaled.jpg", content("six thousand pixels wide")
    image = (await shop.platform.read_images(shop.listing_id))[0]
    assert image.url.endswith("large-scaled.jpg")
    assert await shop.platform.fetch_image(image) == content("six thousand pixels wide")


async def test_a_copy_whose_original_a_plug_in_deleted_is_all_there_is(shop: WooHarness) -> None:
    [first, *_] = shop.server.state.gallery(shop.product_id)
    first.filename, first.original = "large-scaled.jpg", content("the original")
    image = (await shop.platform.read_images(shop.listing_id))[0]
    shop.server.fail(Fault.MISSING, operation="fetchPicture")
    assert await shop.platform.fetch_image(image) == first.content


async def test_an_original_deleted_from_the_library_is_uploaded_again_once(shop: WooHarness) -> None:
    main, seen = await main_of(shop), await shop.images_at_store()
    ours = await publish(shop, "e1:1:s", replaces=main)
    del shop.server.state.media[int(main)]
    undone = [await restore(shop, "e1:1:s", ours=ours.image_id, original=main, content=seen[0]) for _ in range(2)]
    assert undone[0] == undone[1]
    assert await shop.images_at_store() == seen
    assert shop.server.counted()["createMedia"] == 2, "ours, and the original"


async def test_an_original_that_is_gone_with_its_bytes_changes_nothing(shop: WooHarness) -> None:
    main = await main_of(shop)
    ours = await publish(shop, "e1:1:s", replaces=main)
    del shop.server.state.media[int(main)]
    before = await shop.images_at_store()
    with pytest.raises(RejectedByStore, match="invalid image ID"):
        await restore(shop, "e1:1:s", ours=ours.image_id, original=main)
    assert await shop.images_at_store() == before


async def test_a_picture_with_a_html_text_keeps_it_where_wordpress_would_cut_it(shop: WooHarness) -> None:
    assert text_field("a <Henkel> b") == "a b", "what WordPress does to the plain text"
    main = (await shop.platform.read_images(shop.listing_id))[0]
    ours = await publish(shop, "e1:1:s", replaces=main.image_id, alt="Tasse & <Henkel>")
    assert ours.alt == "Tasse & <Henkel>"


async def test_a_picture_on_no_such_product_has_no_text_to_set(shop: WooHarness) -> None:
    stray = seeded(shop.server, "stray")
    with pytest.raises(NotFound):
        await shop.platform.set_alt_text(shop.listing_id, ImageId(str(stray.media_id)), "x")


async def test_another_stores_ids_are_not_found(shop: WooHarness) -> None:
    for listing in ("gid://shopify/Product/1", "", "-1", "１"):
        with pytest.raises(NotFound):
            await shop.platform.read_images(ListingId(listing))
    assert shop.server.calls == []


async def test_a_position_before_the_first_is_refused(shop: WooHarness) -> None:
    request = PublishRequest("k", shop.listing_id, 0, content("k"), "image/jpeg", "", None)
    with pytest.raises(RejectedByStore) as caught:
        await shop.platform.publish_image(request)
    assert caught.value.field == "position"
    assert shop.server.calls == []


async def test_png_and_webp_keep_their_endings(shop: WooHarness) -> None:
    for number, ending in enumerate(("png", "webp")):
        request = PublishRequest(f"k{number}", shop.listing_id, 9, content(ending), f"image/{ending}", "", None)
        assert (await shop.platform.publish_image(request)).url.endswith(f".{ending}")


# ---------------------------------------------------------------- looking


async def test_a_sku_in_a_product_and_in_a_variation_is_found_in_both(shop: WooHarness) -> None:
    other = shop.server.state.add_product(name="Copy", sku="mug-01-red")
    found = await shop.platform.find_listings(Sku("MUG-01-RED"))
    assert [listing.listing_id for listing in found] == [shop.listing_id, str(other)]


async def test_a_sku_with_a_comma_is_one_sku(shop: WooHarness) -> None:
    odd = shop.server.state.add_product(name="Odd", sku="A,MUG-01", manage_stock=True, stock_quantity=1)
    [listing] = await shop.platform.find_listings(Sku("A,MUG-01"))
    assert listing.listing_id == str(odd)
    levels = await shop.platform.read_stock([Sku("A,MUG-01"), Sku("BOWL-01")])
    assert {level.sku.value for level in levels} == {"A,MUG-01", "BOWL-01"}


async def test_names_are_read_as_people_write_them(shop: WooHarness) -> None:
    [listing] = await shop.platform.find_listings(shop.sku)
    assert listing.title == "Tasse & Teller"
    assert [variant.title for variant in listing.variants] == ["Blue", "Red"]
    assert {(variant.price, variant.currency) for variant in listing.variants} == {(Decimal("18.50"), "EUR")}


# ---------------------------------------------------------------- who we are


async def test_a_role_that_may_too_little_is_told_right_by_right(shop: WooHarness) -> None:
    shop.server.rights = ("edit_products", "read")
    health = await shop.platform.check()
    assert health.scopes == ("edit_products",)
    assert [scope.name for scope in health.missing] == ["upload_files", "manage_woocommerce", "edit_shop_orders"]
    with pytest.raises(MissingScope) as caught:
        await publish(shop, "e1:1:s", replaces=await main_of(shop))
    assert caught.value.scope == "upload_files"


async def test_a_wrong_password_is_never_repeated_in_words(shop: WooHarness) -> None:
    shop.revoke_key()
    with pytest.raises(NeedsReconnect, match="Users → Profile") as caught:
        await shop.platform.check()
    text = str(caught.value)
    assert SECRET_MARK not in text
    assert "•••" in text, "the store quoted what we sent, and it was cut out"


async def test_a_site_that_goes_by_another_name_is_told_by_it(shop: WooHarness) -> None:
    shop.server.home = shop.server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(NotFound, match=f"calls itself {shop.server.home}: connect that address"):
        await shop.platform.check()
    assert {seen.headers["host"] for seen in shop.server.calls if "authorization" in seen.headers} == {
        shop.server.url.removeprefix("http://")
    }, "the password went nowhere else"


async def test_an_address_without_wordpress_says_what_to_check(shop: WooHarness) -> None:
    shop.server.fail(Fault.MISSING, operation="index")
    with pytest.raises(NotFound, match="permalinks"):
        await shop.platform.check()


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (403, b"<html>Wordfence</html>", StoreError, "firewall"),
        (413, b"<html>nginx</html>", RejectedByStore, "larger than the host"),
        (404, b'{"code":"rest_no_route","message":"x"}', NotFound, "WooCommerce active"),
        (400, b'{"code":"product_invalid_sku","message":"In use"}', RejectedByStore, "In use"),
        (400, b'{"code":"woocommerce_rest_product_invalid_id","message":"Invalid ID."}', NotFound, "no such thing"),
        (500, b'{"code":"rest_upload_sideload_error","message":"<b>No</b> &amp; no"}', RejectedByStore, "^No & no$"),
    ],
)
def test_refusals_are_told_apart(status: int, body: bytes, kind: type[StoreError], words: str) -> None:
    call = Call("any", "GET", "/", is_repeatable=True, scope="edit_products")
    error = refused(Answer(call, "Teeladen", status, {}, body))
    assert type(error) is kind
    with pytest.raises(kind, match=words):
        raise error


def test_what_plug_ins_send_for_a_text_is_read() -> None:
    product = Product.model_validate({"id": 1, "price": 12.5, "sku": 123, "description": None, "manage_stock": None})
    assert (product.price_read, product.sku, product.description, product.quantity) == (
        Decimal("12.5"),
        "123",
        "",
        None,
    )


def test_a_status_wordpress_says_nothing_of_keeps_its_plain_meaning() -> None:
    call = Call("any", "GET", "/", is_repeatable=True)
    for status in (200, 429, 500, 503):
        assert refused(Answer(call, "Teeladen", status, {}, b"<br />Warning")) is None


# ---------------------------------------------------------------- the address


@pytest.mark.parametrize(
    ("typed", "site"),
    [
        ("Shop.Example", "https://shop.example"),
        (" https://shop.example/ ", "https://shop.example"),
        ("https://shop.example/wp-admin/profile.php", "https://shop.example"),
        ("https://example.org/shop/wp-json/wc/v3", "https://example.org/shop"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_an_address_is_put_into_shape(typed: str, site: str) -> None:
    assert DESCRIPTOR.clean({"site": typed, "user": " Ada "}) == {"site": site, "user": "Ada"}


@pytest.mark.parametrize(
    ("typed", "words"),
    [("http://shop.example", "https://"), ("ftp://shop.example", "no address"), ("https://a:b@shop.example", "no address"),
     ("https://", "no address"), ("https://shop.example:port", "no address")],
)  # fmt: skip
def test_an_address_that_would_show_the_password_is_refused(typed: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        DESCRIPTOR.clean({"site": typed})


@pytest.mark.parametrize(("site", "allowed"), [("http://127.0.0.1:1", ""), ("http://shop.example", "1")])
async def test_plain_http_is_for_this_machine_and_only_when_allowed(site: str, allowed: str, shop: WooHarness) -> None:
    settings = DESCRIPTOR.complete({"site": site, "user": "u", "password": "p"}, {"WOOCOMMERCE_ALLOW_HTTP": allowed})
    with pytest.raises(NeedsReconnect, match="https://"):
        open_api(STORE, shop.transports, settings, ())


def test_pictures_come_from_the_shop_with_and_without_www_and_from_named_hosts(shop: WooHarness) -> None:
    given = {"site": "https://www.shop.example", "user": "u", "password": "p", "image_hosts": "cdn.example, .wp.com"}
    store = Store(StoreId("woo-2"), "team-1", PlatformName.WOOCOMMERCE, "Far")
    account: Account = open_api(store, shop.transports, DESCRIPTOR.complete(given, {}), ()).transport.account
    for good in (
        "https://shop.example/a",
        "https://www.shop.example/a",
        "https://cdn.example/a",
        "https://i0.wp.com/a",
    ):
        assert account.has(good)
    for bad in ("https://evil.example/a", "http://shop.example/a", "https://wp.com.evil.example/a"):
        assert not account.has(bad)
