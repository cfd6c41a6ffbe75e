"""Etsy's own pitfalls with pictures, each as its users reported it (../shared/specs/STORES.md)."""

from __future__ import annotations

import re

import pytest

from domain.catalog import ImageId
from domain.errors import (
    Ambiguous,
    ChangedMeanwhile,
    RejectedByStore,
    StoreDown,
)
from tests.fakes.etsy_goods import Listing
from tests.fakes.store_server import Fault
from tests.platforms.contract import ids, publish, restore
from tests.platforms.etsy_harness import COLOUR, EtsyHarness, open_etsy_shop

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
