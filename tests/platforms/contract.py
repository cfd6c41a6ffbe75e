"""What every store adapter must do with pictures, whatever its wire: `CONTRACT` runs against each of them.

Each rule takes a freshly opened harness. Faults at every call are in contract_faults.py, stock and orders in
contract_trade.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress

import pytest

from domain.catalog import ImageId, ListingId, ListingImage, Sku
from domain.errors import Ambiguous, ChangedMeanwhile, NeedsReconnect, NotFound, RejectedByStore, StoreDown
from domain.ports import PublishRequest, RestoreRequest
from tests.fakes.store_server import Fault
from tests.platforms.harness import StoreHarness

Rule = Callable[[StoreHarness], Awaitable[None]]
Open = Callable[[], AbstractAsyncContextManager[StoreHarness]]


async def ids(shop: StoreHarness) -> list[ImageId]:
    """Return the ids of the listing's pictures in order."""
    return [image.image_id for image in await shop.platform.read_images(shop.listing_id)]


async def publish(
    shop: StoreHarness, key: str, *, position: int = 1, replaces: ImageId | None = None, alt: str | None = None
) -> ListingImage:
    """Publish the picture of a key."""
    request = PublishRequest(
        key=key,
        listing_id=shop.listing_id,
        position=position,
        content=shop.content(key),
        content_type="image/jpeg",
        alt=f"alt {key}" if alt is None else alt,
        replaces=replaces,
    )
    return await shop.platform.publish_image(request)


async def restore(
    shop: StoreHarness,
    key: str,
    *,
    ours: ImageId,
    original: ImageId | None,
    content: bytes | None = None,
    position: int = 1,
) -> ListingImage | None:
    """Undo what a key published."""
    request = RestoreRequest(
        key=key,
        listing_id=shop.listing_id,
        position=position,
        ours=ours,
        original=original,
        original_content=content,
        original_alt="",
    )
    return await shop.platform.restore_image(request)


# ---------------------------------------------------------------- looking


async def says_who_we_are_and_how_much_there_is(shop: StoreHarness) -> None:
    health = await shop.platform.check()
    assert health.account
    assert health.listing_count == 2
    assert health.missing == ()


async def finds_a_sku_in_any_case_with_pictures_numbered_from_one(shop: StoreHarness) -> None:
    [listing] = await shop.platform.find_listings(Sku(shop.sku.value.lower()))
    assert listing.listing_id == shop.listing_id
    assert [image.position for image in listing.images] == [1, 2, 3]
    assert listing.images[0].is_main
    assert shop.sku.key in {variant.sku.key for variant in listing.variants}


async def finds_nothing_for_a_sku_nobody_sells_nor_for_a_part_of_one(shop: StoreHarness) -> None:
    assert list(await shop.platform.find_listings(Sku("NO-SUCH-SKU"))) == []
    assert list(await shop.platform.find_listings(Sku(shop.sku.value[:-1]))) == []


async def finds_a_listing_by_its_variation(shop: StoreHarness) -> None:
    [listing] = await shop.platform.find_listings(shop.variation_sku)
    assert listing.listing_id == shop.listing_id


async def finds_every_listing_of_a_sku_that_two_sell(shop: StoreHarness) -> None:
    twin = await shop.add_twin()
    found = await shop.platform.find_listings(shop.sku)
    assert {listing.listing_id for listing in found} == {shop.listing_id, twin}
    assert len(found) == len({shop.listing_id, twin})


async def lists_every_product_once_over_pages(shop: StoreHarness) -> None:
    seen: list[ListingId] = []
    cursor: str | None = None
    for _ in range(100):
        page = await shop.platform.list_products(cursor=cursor, limit=1)
        seen += [listing.listing_id for listing in page.listings]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert cursor is None
    assert shop.listing_id in seen
    assert len(seen) == len(set(seen)) == 2


async def reads_the_pictures_the_store_has_in_its_order(shop: StoreHarness) -> None:
    images = await shop.platform.read_images(shop.listing_id)
    assert [await shop.platform.fetch_image(image) for image in images] == await shop.images_at_store()


async def fetches_from_its_own_hosts_only(shop: StoreHarness) -> None:
    [first, *_] = await shop.platform.read_images(shop.listing_id)
    elsewhere = ListingImage(first.image_id, 1, "https://elsewhere.example/picture.jpg", "")
    with pytest.raises(NotFound):
        await shop.platform.fetch_image(elsewhere)


async def an_unknown_listing_is_not_found(shop: StoreHarness) -> None:
    with pytest.raises(NotFound):
        await shop.platform.read_images(ListingId("0"))


async def a_deleted_listing_is_not_found(shop: StoreHarness) -> None:
    main = (await ids(shop))[0]
    await shop.delete_listing()
    with pytest.raises(NotFound):
        await shop.platform.read_images(shop.listing_id)
    with pytest.raises(NotFound):
        await publish(shop, "e1:1:s", replaces=main)
    assert list(await shop.platform.find_listings(shop.sku)) == []


# ---------------------------------------------------------------- publishing


async def publishes_at_the_position_and_leaves_the_others(shop: StoreHarness) -> None:
    first, second, third = await ids(shop)
    image = await publish(shop, "e1:1:s", position=2, replaces=second)
    assert image.position == 2
    assert image.alt in {"alt e1:1:s", ""}, "empty where the store keeps no text for a picture"
    assert await ids(shop) == [first, image.image_id, third]


async def publishes_the_main_picture_and_keeps_the_others_in_order(shop: StoreHarness) -> None:
    before = await shop.images_at_store()
    image = await publish(shop, "e1:1:s", replaces=(await ids(shop))[0])
    assert image.is_main
    assert await shop.images_at_store() == [shop.content("e1:1:s"), *before[1:]]


async def serves_the_very_bytes_it_was_given(shop: StoreHarness) -> None:
    image = await publish(shop, "e1:1:s", replaces=(await ids(shop))[0])
    assert await shop.platform.fetch_image(image) == shop.content("e1:1:s")


async def publishing_twice_is_publishing_once(shop: StoreHarness) -> None:
    main = (await ids(shop))[0]
    first = await publish(shop, "e1:1:s", replaces=main)
    assert await publish(shop, "e1:1:s", replaces=main) == first
    shop.reopen()
    assert await publish(shop, "e1:1:s", replaces=main) == first
    assert len(await ids(shop)) == 3


async def two_pictures_published_at_once_are_both_shown(shop: StoreHarness) -> None:
    first, second, _ = await ids(shop)
    before = await shop.images_at_store()
    one = publish(shop, "e1:1:s", replaces=first)
    await asyncio.gather(one, publish(shop, "e2:1:s", position=2, replaces=second))
    assert await shop.images_at_store() == [shop.content("e1:1:s"), shop.content("e2:1:s"), before[2]]


async def a_lost_answer_is_found_and_not_repeated(shop: StoreHarness) -> None:
    needed = await _calls_to_publish(shop)
    before, main = await shop.images_at_store(), (await ids(shop))[0]
    shop.fail(Fault.LOST, at=needed - 1)
    with suppress(StoreDown, Ambiguous):
        await publish(shop, "e2:1:s", replaces=main)
    shop.forget_faults()
    shop.reopen()
    found = await publish(shop, "e2:1:s", replaces=main)
    assert await shop.platform.find_published("e2:1:s", shop.listing_id) == found
    assert await shop.images_at_store() == [shop.content("e2:1:s"), *before[1:]]


async def _calls_to_publish(shop: StoreHarness) -> int:
    """Publish and undo once, to know how many calls a publish takes, and return it."""
    main = (await ids(shop))[0]
    content = (await shop.images_at_store())[0]
    begin = len(shop.calls)
    ours = await publish(shop, "e0:1:s", replaces=main)
    needed = len(shop.calls) - begin
    await restore(shop, "e0:1:s", ours=ours.image_id, original=main, content=content)
    return needed


async def nothing_is_found_for_a_key_that_published_nothing(shop: StoreHarness) -> None:
    assert await shop.platform.find_published("e9:1:s", shop.listing_id) is None


async def one_key_is_never_taken_for_another_that_begins_like_it(shop: StoreHarness) -> None:
    await publish(shop, "e1:12:s", replaces=(await ids(shop))[0])
    assert await shop.platform.find_published("e1:1:s", shop.listing_id) is None
    assert await shop.platform.find_published("e1:12:s", shop.listing_id) is not None


async def a_position_beyond_the_end_appends(shop: StoreHarness) -> None:
    before = await ids(shop)
    image = await publish(shop, "e1:1:s", position=9)
    assert image.position == 4
    assert await ids(shop) == [*before, image.image_id]


async def a_picture_changed_by_hand_is_not_overwritten_by_publishing(shop: StoreHarness) -> None:
    main = (await ids(shop))[0]
    await shop.change_by_hand(1)
    before = await shop.images_at_store()
    with pytest.raises(RejectedByStore) as caught:
        await publish(shop, "e1:1:s", replaces=main)
    assert caught.value.field == "position"
    assert await shop.images_at_store() == before


async def a_full_listing_takes_no_more_and_can_still_be_replaced(shop: StoreHarness) -> None:
    await shop.fill()
    before = await shop.images_at_store()
    if shop.images_most is not None:
        assert len(before) == shop.images_most
        with pytest.raises(RejectedByStore):
            await publish(shop, "e1:1:s", position=shop.images_most + 1)
        assert await shop.images_at_store() == before
    await publish(shop, "e2:1:s", replaces=(await ids(shop))[0])
    assert await shop.images_at_store() == [shop.content("e2:1:s"), *before[1:]]


async def a_refused_picture_changes_nothing_and_says_why(shop: StoreHarness) -> None:
    before = await shop.images_at_store()
    main = (await ids(shop))[0]
    shop.refuse_pictures("the picture is too blurred for us")
    with pytest.raises(RejectedByStore, match="too blurred for us"):
        await publish(shop, "e1:1:s", replaces=main)
    assert await shop.images_at_store() == before
    await publish(shop, "e1:1:s", replaces=main)
    assert await shop.images_at_store() == [shop.content("e1:1:s"), *before[1:]]


async def a_revoked_key_asks_to_connect_again(shop: StoreHarness) -> None:
    main = (await ids(shop))[0]
    shop.revoke_key()
    shop.reopen()
    for doing in (shop.platform.check(), shop.platform.find_listings(shop.sku), publish(shop, "e1:1:s", replaces=main)):
        with pytest.raises(NeedsReconnect):
            await doing


# ---------------------------------------------------------------- undo


async def restoring_puts_the_original_back_in_its_place(shop: StoreHarness) -> None:
    before = await shop.platform.read_images(shop.listing_id)
    seen = await shop.images_at_store()
    ours = await publish(shop, "e1:1:s", position=2, replaces=before[1].image_id)
    back = await restore(shop, "e1:1:s", ours=ours.image_id, original=before[1].image_id, content=seen[1], position=2)
    assert back is not None
    assert await shop.images_at_store() == seen
    after = await shop.platform.read_images(shop.listing_id)
    assert [image.position for image in after] == [1, 2, 3]
    assert after[0] == before[0]
    assert after[2] == before[2]
    assert await shop.platform.find_published("e1:1:s", shop.listing_id) is None


async def restoring_twice_is_restoring_once(shop: StoreHarness) -> None:
    main, seen = (await ids(shop))[0], await shop.images_at_store()
    ours = await publish(shop, "e1:1:s", replaces=main)
    first = await restore(shop, "e1:1:s", ours=ours.image_id, original=main, content=seen[0])
    standing = await ids(shop)
    shop.reopen()
    assert await restore(shop, "e1:1:s", ours=ours.image_id, original=main, content=seen[0]) == first
    assert await ids(shop) == standing
    assert await shop.images_at_store() == seen


async def restoring_where_nothing_stood_takes_ours_away(shop: StoreHarness) -> None:
    before = await ids(shop)
    ours = await publish(shop, "e1:1:s", position=9)
    for _ in range(2):
        assert await restore(shop, "e1:1:s", ours=ours.image_id, original=None, position=9) is None
        assert await ids(shop) == before


async def a_picture_changed_by_hand_is_not_overwritten_by_restoring(shop: StoreHarness) -> None:
    main, seen = (await ids(shop))[0], await shop.images_at_store()
    ours = await publish(shop, "e1:1:s", replaces=main)
    await shop.change_by_hand(1)
    before = await shop.images_at_store()
    with pytest.raises(ChangedMeanwhile):
        await restore(shop, "e1:1:s", ours=ours.image_id, original=main, content=seen[0])
    assert await shop.images_at_store() == before


async def undo_steps_back_one_revision_at_a_time(shop: StoreHarness) -> None:
    main, seen = (await ids(shop))[0], await shop.images_at_store()
    one = await publish(shop, "e1:1:s", replaces=main)
    two = await publish(shop, "e1:2:s", replaces=one.image_id)
    with pytest.raises(ChangedMeanwhile):
        await restore(shop, "e1:1:s", ours=one.image_id, original=main, content=seen[0])
    back = await restore(shop, "e1:2:s", ours=two.image_id, original=one.image_id, content=shop.content("e1:1:s"))
    assert back is not None
    assert await shop.images_at_store() == [shop.content("e1:1:s"), *seen[1:]]


async def publishing_again_after_an_undo_shows_it_once(shop: StoreHarness) -> None:
    main, seen = (await ids(shop))[0], await shop.images_at_store()
    ours = await publish(shop, "e1:1:s", replaces=main)
    back = await restore(shop, "e1:1:s", ours=ours.image_id, original=main, content=seen[0])
    assert back is not None
    await publish(shop, "e1:1:s", replaces=back.image_id)
    assert await shop.images_at_store() == [shop.content("e1:1:s"), *seen[1:]]


CONTRACT: tuple[Rule, ...] = (
    says_who_we_are_and_how_much_there_is,
    finds_a_sku_in_any_case_with_pictures_numbered_from_one,
    finds_nothing_for_a_sku_nobody_sells_nor_for_a_part_of_one,
    finds_a_listing_by_its_variation,
    finds_every_listing_of_a_sku_that_two_sell,
    lists_every_product_once_over_pages,
    reads_the_pictures_the_store_has_in_its_order,
    fetches_from_its_own_hosts_only,
    an_unknown_listing_is_not_found,
    a_deleted_listing_is_not_found,
    publishes_at_the_position_and_leaves_the_others,
    publishes_the_main_picture_and_keeps_the_others_in_order,
    serves_the_very_bytes_it_was_given,
    publishing_twice_is_publishing_once,
    two_pictures_published_at_once_are_both_shown,
    a_lost_answer_is_found_and_not_repeated,
    nothing_is_found_for_a_key_that_published_nothing,
    one_key_is_never_taken_for_another_that_begins_like_it,
    a_position_beyond_the_end_appends,
    a_picture_changed_by_hand_is_not_overwritten_by_publishing,
    a_full_listing_takes_no_more_and_can_still_be_replaced,
    a_refused_picture_changes_nothing_and_says_why,
    restoring_puts_the_original_back_in_its_place,
    restoring_twice_is_restoring_once,
    restoring_where_nothing_stood_takes_ours_away,
    a_picture_changed_by_hand_is_not_overwritten_by_restoring,
    undo_steps_back_one_revision_at_a_time,
    publishing_again_after_an_undo_shows_it_once,
)

CONTRACT_OF_KEYS: tuple[Rule, ...] = (a_revoked_key_asks_to_connect_again,)
"""For stores that are opened with a key."""
