"""Etsy's own pitfalls with pictures and keys, each as its users reported it (../shared/specs/STORES.md)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from domain.catalog import ImageId, Sku
from domain.errors import (
    Ambiguous,
    BadInput,
    ChangedMeanwhile,
    MissingScope,
    NeedsReconnect,
    RateLimited,
    RejectedByStore,
    StoreDown,
)
from platforms.etsy.api import open_api
from platforms.etsy.descriptor import DESCRIPTOR
from platforms.etsy.keys import LOOK_AGAIN_S, rate_for
from tests.fakes.etsy import FIRST_REFRESH, KEYSTRING, SCOPES
from tests.fakes.etsy_goods import Listing, product
from tests.fakes.store_server import Fault
from tests.fakes.store_side import MemoryNotes
from tests.platforms.contract import ids, publish, restore
from tests.platforms.etsy_harness import COLOUR, STORE, EtsyHarness, open_etsy_shop

# ---------------------------------------------------------------- pictures


async def test_rank_is_not_trusted_and_the_order_is_read_back() -> None:
    async with open_etsy_shop() as shop:
        first, second, third = await ids(shop)
        ours = await publish(shop, "e1:1:s", position=3, replaces=third)
        assert await ids(shop) == [first, second, ours.image_id]
        assert shop.calls[-5:-1] == ["getListingImages", "uploadListingImage", "updateListing", "getListingImages"]


async def test_an_order_that_is_not_obeyed_is_told_once_more_and_then_not_called_done() -> None:
    async with open_etsy_shop() as shop:
        main = (await ids(shop))[0]
        shop.server.goods.ignores_order_times = 1
        await publish(shop, "e1:1:s", replaces=main)
        assert (await shop.images_at_store())[0] == shop.content("e1:1:s")
    async with open_etsy_shop() as shop:
        seen, main = await shop.images_at_store(), (await ids(shop))[0]
        shop.server.goods.ignores_order_times = 2
        with pytest.raises(StoreDown, match="another order"):
            await publish(shop, "e1:1:s", position=2, replaces=(await ids(shop))[1])
        await publish(shop, "e1:1:s", position=2, replaces=main)
        assert await shop.images_at_store() == [seen[0], shop.content("e1:1:s"), seen[2]]


async def test_an_upload_that_shows_only_later_is_no_second_picture() -> None:
    """The answer is lost and a look finds nothing, so a person is asked; then the picture turns up after all."""
    async with open_etsy_shop() as shop:
        seen, main = await shop.images_at_store(), (await ids(shop))[0]
        shop.server.fail(Fault.CUT, operation="uploadListingImage")
        with pytest.raises(Ambiguous):
            await publish(shop, "e1:1:s", replaces=main)
        goods = shop.server.goods
        listing = goods.listings[int(shop.listing_id)]
        goods.upload(listing, shop.content("e1:1:s"), "alt e1:1:s")
        assert await shop.platform.find_published("e1:1:s", shop.listing_id) is None, "the old one still stands there"
        shop.reopen()
        await publish(shop, "e1:1:s", replaces=main)
        assert shop.server.counted()["uploadListingImage"] == 1
        assert await shop.images_at_store() == [shop.content("e1:1:s"), *seen[1:]]


async def test_of_two_uploads_of_one_key_one_stays() -> None:
    async with open_etsy_shop() as shop:
        seen, main = await shop.images_at_store(), (await ids(shop))[0]
        shop.server.fail(Fault.CUT, operation="uploadListingImage")
        with pytest.raises(Ambiguous):
            await publish(shop, "e1:1:s", replaces=main)
        goods = shop.server.goods
        for _ in range(2):
            goods.upload(goods.listings[int(shop.listing_id)], shop.content("e1:1:s"), "alt e1:1:s")
        await publish(shop, "e1:1:s", replaces=main)
        assert await shop.images_at_store() == [shop.content("e1:1:s"), *seen[1:]]


async def test_a_picture_somebody_added_by_hand_is_never_taken_for_ours() -> None:
    async with open_etsy_shop() as shop:
        seen, main = await shop.images_at_store(), (await ids(shop))[0]
        shop.server.fail(Fault.CUT, operation="uploadListingImage")
        with pytest.raises(Ambiguous):
            await publish(shop, "e1:1:s", replaces=main)
        listing = shop.server.goods.listings[int(shop.listing_id)]
        listing.images.append(shop.server.goods.add_picture(b"theirs", "another text"))
        await publish(shop, "e1:1:s", replaces=main)
        assert await shop.images_at_store() == [shop.content("e1:1:s"), *seen[1:], b"theirs"]


async def test_a_listing_held_to_ten_pictures_is_replaced_by_making_room_first() -> None:
    async with open_etsy_shop() as shop:
        listing = await _held_to_ten(shop)
        seen, main = await shop.images_at_store(), (await ids(shop))[0]
        await publish(shop, "e1:1:s", replaces=main)
        assert await shop.images_at_store() == [shop.content("e1:1:s"), *seen[1:]]
        ours = (await ids(shop))[0]
        await restore(shop, "e1:1:s", ours=ours, original=main, content=seen[0])
        assert await shop.images_at_store() == seen
        assert len(listing.images) == 10


async def test_a_full_listing_says_so_in_one_sentence() -> None:
    async with open_etsy_shop() as shop:
        await _held_to_ten(shop)
        with pytest.raises(RejectedByStore, match=r"^the listing has 10 pictures, the most it may have: .+$") as caught:
            await publish(shop, "e1:1:s", position=11)
        assert caught.value.field == "images"


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.LOST, Fault.BROKEN])
@pytest.mark.parametrize("at", range(6))
async def test_trouble_while_a_full_listing_is_replaced_loses_nothing(fault: Fault, at: int) -> None:
    async with open_etsy_shop() as shop:
        await shop.fill()
        seen, main = await shop.images_at_store(), (await ids(shop))[0]
        shop.fail(fault, at=at)
        for _ in range(3):
            try:
                await publish(shop, "e1:1:s", replaces=main)
            except (StoreDown, Ambiguous):
                shop.reopen()
            else:
                break
        assert await shop.images_at_store() == [shop.content("e1:1:s"), *seen[1:]]


async def test_a_picture_refused_by_a_full_listing_leaves_it_as_it_was() -> None:
    async with open_etsy_shop() as shop:
        await _held_to_ten(shop)
        before, main = await shop.platform.read_images(shop.listing_id), (await ids(shop))[0]
        shop.refuse_pictures("The image is too blurred")
        with pytest.raises(RejectedByStore, match="too blurred"):
            await publish(shop, "e1:1:s", replaces=main)
        assert await shop.platform.read_images(shop.listing_id) == before


async def test_undo_puts_back_the_very_picture_not_a_copy() -> None:
    async with open_etsy_shop() as shop:
        before = await shop.platform.read_images(shop.listing_id)
        content = (await shop.images_at_store())[0]
        ours = await publish(shop, "e1:1:s", replaces=before[0].image_id)
        back = await restore(shop, "e1:1:s", ours=ours.image_id, original=before[0].image_id, content=content)
        assert back is not None
        assert back.image_id == before[0].image_id
        assert b"image" not in _field_names(shop.server.calls[-3].body), "no bytes went over the wire"


async def test_a_picture_etsy_has_forgotten_is_uploaded_again_from_the_kept_bytes() -> None:
    async with open_etsy_shop() as shop:
        seen, main = await shop.images_at_store(), (await ids(shop))[0]
        ours = await publish(shop, "e1:1:s", replaces=main)
        shop.server.goods.forgets_deleted = True
        back = await restore(shop, "e1:1:s", ours=ours.image_id, original=main, content=seen[0])
        assert back is not None
        assert back.image_id != main
        assert await shop.images_at_store() == seen
        again = await restore(shop, "e1:1:s", ours=ours.image_id, original=main, content=seen[0])
        assert again == back


async def test_an_undo_after_the_listing_was_deleted_and_changed_names_the_sku() -> None:
    async with open_etsy_shop() as shop:
        main = (await ids(shop))[0]
        ours = await publish(shop, "e1:1:s", replaces=main)
        await shop.change_by_hand(1)
        with pytest.raises(ChangedMeanwhile) as caught:
            await restore(shop, "e1:1:s", ours=ours.image_id, original=main, content=b"x")
        assert caught.value.sku == "MUG-01"


@pytest.mark.parametrize("is_full", [False, True])
async def test_a_variation_shows_the_new_picture_and_after_undo_the_old(is_full: bool) -> None:
    async with open_etsy_shop() as shop:
        listing, main, second = *_linked(shop), (await ids(shop))[1]
        if is_full:
            await shop.fill()
        await shop.platform.find_listings(shop.sku)
        content = (await shop.images_at_store())[0]
        ours = await publish(shop, "e1:1:s", replaces=main)
        assert [str(one["image_id"]) for one in listing.links] == [ours.image_id, second]
        await restore(shop, "e1:1:s", ours=ours.image_id, original=main, content=content)
        assert [str(one["image_id"]) for one in listing.links] == [main, second]


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.LOST, Fault.UNAUTHORISED])
@pytest.mark.parametrize("at", range(6))
async def test_trouble_while_a_linked_picture_is_replaced_loses_no_link(fault: Fault, at: int) -> None:
    async with open_etsy_shop() as shop:
        listing, main = _linked(shop)
        await shop.platform.find_listings(shop.sku)
        shop.fail(fault, at=at)
        for _ in range(3):
            try:
                ours = await publish(shop, "e1:1:s", replaces=main)
            except (StoreDown, Ambiguous):
                shop.reopen()
            else:
                break
        assert str(listing.links[0]["image_id"]) == ours.image_id
        assert len(listing.links) == 2


async def test_a_link_etsy_refuses_does_not_unpublish_the_picture() -> None:
    async with open_etsy_shop() as shop:
        listing, main = _linked(shop)
        listing.links[1]["property_id"] = 999
        await shop.platform.find_listings(shop.sku)
        ours = await publish(shop, "e1:1:s", replaces=main)
        assert (await ids(shop))[0] == ours.image_id


async def test_a_text_is_not_changed_on_a_full_listing_and_the_way_out_is_said() -> None:
    async with open_etsy_shop() as shop:
        await _held_to_ten(shop)
        with pytest.raises(RejectedByStore, match="take one off"):
            await shop.platform.set_alt_text(shop.listing_id, (await ids(shop))[4], "Other words")


async def test_a_text_of_600_characters_is_cut_where_etsy_would_refuse_it() -> None:
    async with open_etsy_shop() as shop:
        image = await publish(shop, "e1:1:s", replaces=(await ids(shop))[0], alt="x" * 600)
        assert image.alt == "x" * 500


async def test_an_id_that_etsy_never_gave_is_not_asked_for() -> None:
    async with open_etsy_shop() as shop:
        await shop.platform.remove_image(shop.listing_id, ImageId("not-a-number"))
        assert shop.calls == []


# ---------------------------------------------------------------- keys and limits


async def test_a_key_without_its_secret_is_named_as_such() -> None:
    async with open_etsy_shop() as shop:
        given = {"keystring": KEYSTRING, "refresh_token": shop.server.refresh_token, "api_url": shop.server.url}
        api = open_api(STORE, shop.transports, MemoryNotes(), DESCRIPTOR.complete(given, {}), ())
        object.__setattr__(api._transport.key, "headers_for", lambda tokens: {"x-api-key": KEYSTRING})
        with pytest.raises(NeedsReconnect, match="Shared secret is required"):
            await api.get_me()


async def test_refresh_tokens_rotate_and_the_newest_is_kept() -> None:
    async with open_etsy_shop() as shop:
        begin = shop.server.refresh_token
        assert begin != FIRST_REFRESH
        shop.time.seconds += timedelta(hours=1).total_seconds()
        await ids(shop)
        assert shop.server.refresh_token != begin
        kept = (await shop.transports.tokens.load(STORE.store_id)).tokens
        assert kept is not None
        assert kept.refresh == shop.server.refresh_token
        assert kept.refresh_expires_at is not None
        assert abs(kept.refresh_expires_at - shop.time.now() - timedelta(days=90)) < timedelta(seconds=5)


async def test_a_missing_right_is_named() -> None:
    async with open_etsy_shop() as shop:
        shop.server.scopes = tuple(scope for scope in SCOPES if scope != "listings_w")
        with pytest.raises(MissingScope) as caught:
            await publish(shop, "e1:1:s", replaces=(await ids(shop))[0])
        assert caught.value.scope == "listings_w"
        assert [scope.name for scope in (await shop.platform.check()).missing] == ["listings_w"]
        shop.server.scopes = ("listings_r", "listings_w", "shops_r")
        health = await shop.platform.check()
        assert health.missing == ()
        assert any("transactions_r" in note for note in health.notes)


async def test_the_shop_is_asked_for_its_number_once_and_for_good() -> None:
    async with open_etsy_shop() as shop:
        shop.notes.kept.clear()
        for _ in range(2):
            shop.reopen()
            await shop.platform.list_products()
        assert shop.server.counted()["getMe"] == 1


async def test_a_day_that_is_used_up_closes_the_account_before_etsy_has_to_refuse() -> None:
    async with open_etsy_shop() as shop:
        shop.server.today = shop.server.per_day - 1
        await ids(shop)
        with pytest.raises(RateLimited) as caught:
            await ids(shop)
        assert caught.value.retry_after_s == pytest.approx(LOOK_AGAIN_S, abs=1)
        assert shop.server.throttled == 0
        shop.server.today = 0
        shop.time.seconds += LOOK_AGAIN_S
        assert len(await ids(shop)) == 3


async def test_a_429_of_the_day_says_when_to_come_back() -> None:
    async with open_etsy_shop() as shop:
        shop.server.today = shop.server.per_day
        with pytest.raises(RateLimited) as caught:
            await ids(shop)
        assert caught.value.retry_after_s == 3600
        assert shop.server.throttled == 1


async def test_a_hundred_publishes_meet_no_429_and_lose_little_time() -> None:
    """Four hundred calls at ten a second take forty seconds at least; ours may take 1.15 times as long."""
    async with open_etsy_shop() as shop:
        main = (await ids(shop))[0]
        shop.time.seconds += 10
        begin, calls = shop.time.monotonic(), len(shop.calls)
        for number in range(100):
            main = (await publish(shop, f"e{number}:1:s", replaces=main)).image_id
        made = len(shop.calls) - calls
        least_s = made / shop.server.window.per_second
        assert shop.server.throttled == 0
        assert made == 400
        assert shop.time.monotonic() - begin <= 1.15 * least_s


@pytest.mark.parametrize("limit", [1, 5, 10, 150])
def test_a_bucket_keeps_a_limit_in_every_window_of_a_second(limit: int) -> None:
    rate = rate_for(limit)
    assert rate.burst >= 1
    assert rate.per_s + rate.burst <= max(limit, 1.5)


# ---------------------------------------------------------------- finding


async def test_a_shop_is_read_a_hundred_listings_a_call() -> None:
    """benchmarks/calls.py reads 10,000."""
    async with open_etsy_shop() as shop:
        await shop.add_skus(998)
        shop.server.calls.clear()
        levels = await shop.platform.read_all_stock()
        assert len(levels) == 1_001
        assert len(shop.calls) == 10 + 4, "and one for each state that has none"
        shop.server.calls.clear()
        [level] = await shop.platform.read_stock([Sku("m-77")])
        assert level.quantity == 3
        assert len(shop.calls) == 1, "the index of the whole shop is kept"


async def test_an_index_is_believed_only_after_a_look() -> None:
    async with open_etsy_shop() as shop:
        assert len(await shop.platform.find_listings(shop.sku)) == 1
        shop.server.calls.clear()
        assert len(await shop.platform.find_listings(shop.sku)) == 1
        assert shop.calls == ["getListing", "getListingInventory"]
        listing = shop.server.goods.listings[int(shop.listing_id)]
        listing.inventory["products"][0]["sku"] = "MUG-99"
        assert await shop.platform.find_listings(shop.sku) == []
        assert len(await shop.platform.find_listings(Sku("MUG-99"))) == 1


async def test_a_new_listing_is_found_soon_after_it_was_not() -> None:
    async with open_etsy_shop() as shop:
        assert list(await shop.platform.find_listings(Sku("NEW-1"))) == []
        shop.server.goods.add_listing("New", [product("NEW-1", 5, 1)])
        shop.time.seconds += 31
        assert len(await shop.platform.find_listings(Sku("NEW-1"))) == 1


@pytest.mark.parametrize("state", ["sold_out", "inactive", "draft", "expired"])
async def test_a_listing_in_any_state_is_found_and_listed(state: str) -> None:
    async with open_etsy_shop() as shop:
        shop.server.goods.listings[int(shop.listing_id)].state = state
        assert [one.listing_id for one in await shop.platform.find_listings(shop.sku)] == [shop.listing_id]
        first = await shop.platform.list_products()
        second = await shop.platform.list_products(cursor=first.next_cursor)
        assert [one.listing_id for one in (*first.listings, *second.listings)][-1] == shop.listing_id


async def test_words_come_without_html() -> None:
    async with open_etsy_shop() as shop:
        shop.server.goods.listings[int(shop.listing_id)].title = "Mug &amp; &quot;Saucer&quot;"
        [listing] = await shop.platform.find_listings(shop.sku)
        assert listing.title == 'Mug & "Saucer"'


# ---------------------------------------------------------------- connecting


def test_both_halves_of_a_pasted_key_are_told_apart() -> None:
    cleaned = DESCRIPTOR.clean({"keystring": " abc:def ", "refresh_token": " 1.x "})
    assert cleaned == {"keystring": "abc", "shared_secret": "def", "refresh_token": "1.x"}
    with pytest.raises(BadInput, match="leave it out"):
        DESCRIPTOR.clean({"shop_id": "MyShop"})


async def _held_to_ten(shop: EtsyHarness) -> Listing:
    """Fill the seeded listing, which Etsy holds to the ten pictures of old."""
    listing = shop.server.goods.listings[int(shop.listing_id)]
    listing.images_most = 10
    while len(listing.images) < 10:
        listing.images.append(shop.server.goods.add_picture(b"more %d" % len(listing.images)))
    return listing


def _linked(shop: EtsyHarness) -> tuple[Listing, ImageId]:
    """Let each colour show a picture of its own, the first the main one."""
    listing = shop.server.goods.listings[int(shop.listing_id)]
    listing.links = [
        {"property_id": COLOUR, "value_id": value, "image_id": listing.images[value - 1]} for value in (1, 2)
    ]
    return listing, ImageId(str(listing.images[0]))


def _field_names(body: bytes) -> list[bytes]:
    return re.findall(rb'name="([^"]+)"', body)
