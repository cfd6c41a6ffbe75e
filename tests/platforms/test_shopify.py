"""What is Shopify's own with keys and pictures: points, rights, variants' pictures, late copies, full galleries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from domain.errors import (
    BadInput,
    MissingScope,
    NeedsReconnect,
    NotFound,
    RateLimited,
    RejectedByStore,
    StoreDown,
    StoreError,
)
from platforms.buckets import Buckets
from platforms.shopify.descriptor import clean
from platforms.shopify.keys import ShopifyKeys
from platforms.shopify.media import Mark
from platforms.wire import Account
from tests.fakes import shopify_shop
from tests.fakes.graphql_walk import walk
from tests.fakes.shopify import SCOPES
from tests.fakes.store_server import SECRET_MARK
from tests.platforms.contract import ids, publish, restore
from tests.platforms.shopify_harness import STORE, ShopifyHarness, open_shopify
from tests.platforms.shopify_story import play

KEY = "e1:1:s"


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyHarness]:
    async with open_shopify() as opened:
        assert isinstance(opened, ShopifyHarness)
        yield opened


async def _keys(shop: ShopifyHarness) -> ShopifyKeys:
    account = Account(STORE, shop.server.url)
    return ShopifyKeys(shop.transports.open(account, shop.platform._api.transport.manners), "client-id-1", SECRET_MARK)


# ---------------------------------------------------------------- points


async def test_every_call_reserves_what_it_may_cost(shop: ShopifyHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    reserved: dict[str, float] = {}
    take = Buckets.take

    async def noted(self: Buckets, operation: str, *, cost: float = 1.0, patience_s: float = 30.0) -> None:
        reserved[operation] = max(cost, reserved.get(operation, 0.0))
        await take(self, operation, cost=cost, patience_s=patience_s)

    monkeypatch.setattr(Buckets, "take", noted)
    await play(shop)
    for exchange in shop.server.exchanges:
        asked = walk(exchange.text, exchange.variables)
        assert asked.operation.name
        assert reserved[asked.operation.name.value] >= asked.requested_cost(), asked.operation.name.value


async def test_out_of_points_waits_as_long_as_they_take_to_come_back(shop: ShopifyHarness) -> None:
    await shop.platform.check()
    shop.server.points = 100.0
    await shop.platform.find_listings(shop.sku)
    assert shop.server.throttled == 1
    assert shop.server.operations[-2:] == ["Products", "Products"]


async def test_a_query_dearer_than_any_may_be_is_an_error_and_not_a_wait(shop: ShopifyHarness) -> None:
    with pytest.raises(StoreError, match="cost"):
        await shop.platform._api.ask("products", {"first": 250, "variants": 250, "media": 250, "query": None})


# ---------------------------------------------------------------- rights and keys


@pytest.mark.parametrize("scope", ["write_products", "write_files"])
async def test_a_missing_right_is_said_before_anything_is_changed(shop: ShopifyHarness, scope: str) -> None:
    main = (await ids(shop))[0]
    shop.server.scopes = (*(one for one in SCOPES if one != scope), "read_products")
    with pytest.raises(MissingScope) as caught:
        await publish(shop, KEY, replaces=main)
    assert caught.value.scope == scope
    assert "StagedUploadsCreate" not in shop.calls
    assert [one.name for one in (await shop.platform.check()).missing] == [scope]


async def test_a_refused_field_names_the_right_it_needs(shop: ShopifyHarness) -> None:
    shop.server.scopes = ("read_products",)
    with pytest.raises(MissingScope) as caught:
        await shop.platform.orders_since(datetime(2026, 1, 1, tzinfo=UTC))
    assert caught.value.scope == "read_orders"


async def test_a_right_to_write_brings_the_right_to_read(shop: ShopifyHarness) -> None:
    shop.server.scopes = tuple(one for one in SCOPES if one != "read_products")
    assert (await shop.platform.check()).missing == ()


async def test_one_token_serves_until_it_is_refused(shop: ShopifyHarness) -> None:
    await shop.platform.check()
    shop.reopen()
    await shop.platform.check()
    assert shop.calls.count("accessToken") == 1
    shop.server.tokens.clear()
    await shop.platform.check()
    assert shop.calls.count("accessToken") == 2


async def test_an_older_apps_token_is_used_as_it_is(shop: ShopifyHarness) -> None:
    shop.settings["token"] = "shpat_older"
    shop.server.tokens.add("shpat_older")
    shop.reopen()
    await shop.platform.check()
    assert "accessToken" not in shop.calls
    shop.server.tokens.clear()
    with pytest.raises(NeedsReconnect):
        await shop.platform.check()


@pytest.mark.parametrize("error", ["shop_not_permitted", "app_not_installed", "something_new"])
async def test_a_refused_grant_says_what_to_do_and_no_secret(shop: ShopifyHarness, error: str) -> None:
    shop.server.grant_error = error
    with pytest.raises(NeedsReconnect) as caught:
        await shop.platform.check()
    assert SECRET_MARK not in str(caught.value)
    assert str(caught.value)


async def test_a_code_brings_tokens_that_rotate_and_die_on_use(shop: ShopifyHarness) -> None:
    shop.server.codes.add("code-1")
    keys = await _keys(shop)
    first = await keys.redeem("code-1")
    assert first.refresh
    assert first.expires_at
    second = await keys.renew(first)
    assert second.refresh not in {"", first.refresh}
    assert second.access != first.access
    with pytest.raises(NeedsReconnect):
        await keys.renew(first)
    with pytest.raises(NeedsReconnect):
        await keys.redeem("code-1")


# ---------------------------------------------------------------- pictures


async def test_variants_that_showed_the_old_picture_show_ours_and_the_old_one_again(shop: ShopifyHarness) -> None:
    red, main, content = shop.product.variants[1], (await ids(shop))[0], (await shop.images_at_store())[0]
    red.medium = main
    ours = await publish(shop, KEY, replaces=main)
    assert red.medium == ours.image_id
    await restore(shop, KEY, ours=ours.image_id, original=main, content=content)
    assert red.medium == main


async def test_undo_brings_the_very_picture_back_and_deletes_nothing(shop: ShopifyHarness) -> None:
    main, content = (await ids(shop))[0], (await shop.images_at_store())[0]
    ours = await publish(shop, KEY, replaces=main)
    back = await restore(shop, KEY, ours=ours.image_id, original=main, content=content)
    assert back is not None
    assert back.image_id == main
    assert {main, ours.image_id} <= set(shop.server.goods.files)
    assert "FileDelete" not in shop.calls


async def test_an_original_that_was_deleted_is_put_back_from_its_bytes(shop: ShopifyHarness) -> None:
    before = await shop.images_at_store()
    main = (await ids(shop))[0]
    ours = await publish(shop, KEY, replaces=main)
    del shop.server.goods.files[main]
    first = await restore(shop, KEY, ours=ours.image_id, original=main, content=before[0])
    assert await shop.images_at_store() == before
    assert await restore(shop, KEY, ours=ours.image_id, original=main, content=before[0]) == first
    assert await shop.platform.find_published(KEY, shop.listing_id) is None


async def test_a_copy_that_came_late_is_taken_off_again(shop: ShopifyHarness) -> None:
    main, count = (await ids(shop))[0], len(await ids(shop))
    mark = Mark.of(KEY, shop.listing_id)
    for _ in range(2):  # both writes of a cut connection arrived
        file = shop.server.goods.add_file(
            shop.content(KEY), filename=mark.filename("image/jpeg"), alt=mark.tagged("mug")
        )
        shop.product.media.append(file.gid)
    image = await publish(shop, KEY, replaces=main)
    assert image.is_main
    assert len(await ids(shop)) == count


async def test_a_picture_of_ours_that_is_not_in_place_is_not_called_published(shop: ShopifyHarness) -> None:
    mark = Mark.of(KEY, shop.listing_id)
    file = shop.server.goods.add_file(shop.content(KEY), filename=mark.filename("image/jpeg"), alt=mark.tagged("mug"))
    shop.product.media.append(file.gid)
    assert await shop.platform.find_published(KEY, shop.listing_id) is None


async def test_videos_keep_their_place_and_are_not_counted(shop: ShopifyHarness) -> None:
    video = shop.server.goods.add_file(b"moving", filename="turn.mp4", kind="Video")
    shop.product.media.insert(1, video.gid)
    first, second, third = await ids(shop)
    image = await publish(shop, KEY, position=2, replaces=second)
    assert image.position == 2
    assert shop.product.media == [first, video.gid, image.image_id, third]


async def test_a_gallery_longer_than_a_page_is_read_whole(shop: ShopifyHarness) -> None:
    shop.fill_up()
    images = await shop.platform.read_images(shop.listing_id)
    assert [image.image_id for image in images] == shop.product.media
    with pytest.raises(RejectedByStore, match="250") as caught:
        await publish(shop, KEY, replaces=images[0].image_id)
    assert caught.value.field == "images"


async def test_a_picture_that_takes_long_is_taken_up_where_it_was_left(shop: ShopifyHarness) -> None:
    before, main = await shop.images_at_store(), (await ids(shop))[0]
    shop.server.goods.processing_steps = 60
    with pytest.raises(StoreDown, match="still processing"):
        await publish(shop, KEY, replaces=main)
    for file in shop.server.goods.files.values():
        file.steps_left = 0
    await publish(shop, KEY, replaces=main)
    assert shop.calls.count("ProductAppendMedia") == 1
    assert await shop.images_at_store() == [shop.content(KEY), *before[1:]]


@pytest.mark.parametrize("operation", ["ProductAppendMedia", "SwapMedia"])
async def test_an_error_inside_a_200_after_the_write_adds_no_second_picture(
    shop: ShopifyHarness, operation: str
) -> None:
    before, main = await shop.images_at_store(), (await ids(shop))[0]
    shop.server.breaks_after = operation
    image = await publish(shop, KEY, replaces=main)
    assert image.is_main
    assert await shop.images_at_store() == [shop.content(KEY), *before[1:]]
    assert shop.calls.count("ProductAppendMedia") == 1


async def test_a_limit_that_shopify_sets_lower_is_passed_on(
    shop: ShopifyHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shopify_shop, "MEDIA_MOST", 3)
    before = await ids(shop)
    with pytest.raises(RejectedByStore, match="Exceeded 3 media"):
        await publish(shop, KEY, replaces=before[0])
    assert await ids(shop) == before


@pytest.mark.parametrize("status", [402, 423])
async def test_a_closed_shop_says_who_can_open_it(shop: ShopifyHarness, status: int) -> None:
    shop.server.closed = status
    with pytest.raises(RejectedByStore, match="owner"):
        await shop.platform.check()


async def test_a_locked_file_is_a_wait(shop: ShopifyHarness) -> None:
    [first, *_] = await ids(shop)
    shop.server.goods.files[first].steps_left = 50
    with pytest.raises(RateLimited):
        await shop.platform.set_alt_text(shop.listing_id, first, "mug")


async def test_pictures_come_from_shopifys_own_hosts_only(shop: ShopifyHarness) -> None:
    with pytest.raises(NotFound):
        await shop.platform._api.download("cdn", "https://cdn.shopify.com.evil.example/a.jpg", max_bytes=10)


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "typed",
    [
        "kiln",
        "Kiln.myshopify.com",
        " https://kiln.myshopify.com/admin ",
        "https://admin.shopify.com/store/kiln/products",
    ],
)
def test_a_shop_is_understood_however_it_is_pasted(typed: str) -> None:
    assert clean({"shop": typed})["shop"] == "kiln.myshopify.com"


@pytest.mark.parametrize(
    "typed", ["www.kiln.example", "kiln.myshopify.com.evil.example", "", "-kiln", "ki ln", "kiln@x"]
)
def test_an_address_that_is_no_shops_name_is_refused(typed: str) -> None:
    with pytest.raises(BadInput, match=r"myshopify\.com"):
        clean({"shop": typed})
