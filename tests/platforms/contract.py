"""What every store adapter must do, whatever its wire: `CONTRACT` runs against each of them.

An adapter's test opens a `Shop`: a store with one listing of three pictures, and hands for what the
outside world does to it. Each rule takes a fresh one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import pytest

from domain.catalog import ImageId, ListingId, ListingImage, Sku
from domain.errors import ChangedMeanwhile, NotFound, RejectedByStore, StoreDown
from domain.ports import PublishRequest, RestoreRequest, RestoresImages, StorePlatform


class UndoableStore(StorePlatform, RestoresImages, Protocol):
    """A store that can also put back."""


@dataclass(frozen=True, slots=True)
class Shop:
    """An opened store and its outside world. `content` makes distinct, acceptable picture bytes."""

    platform: UndoableStore
    listing_id: ListingId
    sku: Sku
    content: Callable[[str], bytes]
    change_by_hand: Callable[[int], Awaitable[None]]
    """Somebody puts another picture at a 1-based position, past our back."""
    lose_next_answer: Callable[[], None]
    """The next write happens, and its caller never learns: StoreDown."""


OpenShop = Callable[[], Awaitable[Shop]]
Rule = Callable[[Shop], Awaitable[None]]


async def ids(shop: Shop) -> list[ImageId]:
    """Return the ids of the listing's pictures in order."""
    return [image.image_id for image in await shop.platform.read_images(shop.listing_id)]


async def publish(shop: Shop, key: str, *, position: int = 1, replaces: ImageId | None = None) -> ListingImage:
    """Publish the picture of a key."""
    request = PublishRequest(
        key=key,
        listing_id=shop.listing_id,
        position=position,
        content=shop.content(key),
        content_type="image/jpeg",
        alt=f"alt {key}",
        replaces=replaces,
    )
    return await shop.platform.publish_image(request)


async def restore(
    shop: Shop, key: str, *, ours: ImageId, original: ImageId | None, content: bytes | None = None, position: int = 1
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


async def finds_a_sku_in_any_case_with_pictures_numbered_from_one(shop: Shop) -> None:
    [listing] = await shop.platform.find_listings(Sku(shop.sku.value.lower()))
    assert listing.listing_id == shop.listing_id
    assert [image.position for image in listing.images] == [1, 2, 3]
    assert listing.images[0].is_main
    assert await shop.platform.find_listings(Sku("NO-SUCH-SKU")) == []


async def lists_every_product_once_over_pages(shop: Shop) -> None:
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
    assert len(seen) == len(set(seen)) >= 1


async def publishes_at_the_position_and_leaves_the_others(shop: Shop) -> None:
    first, second, third = await ids(shop)
    image = await publish(shop, "e1:1:s", position=2, replaces=second)
    assert image.position == 2
    assert image.alt == "alt e1:1:s"
    assert await ids(shop) == [first, image.image_id, third]


async def serves_the_very_bytes_it_was_given(shop: Shop) -> None:
    image = await publish(shop, "e1:1:s", replaces=(await ids(shop))[0])
    assert await shop.platform.fetch_image(image) == shop.content("e1:1:s")


async def publishing_twice_is_publishing_once(shop: Shop) -> None:
    main = (await ids(shop))[0]
    first = await publish(shop, "e1:1:s", replaces=main)
    assert await publish(shop, "e1:1:s", replaces=main) == first
    assert len(await ids(shop)) == 3


async def a_lost_answer_is_found_and_not_repeated(shop: Shop) -> None:
    main = (await ids(shop))[0]
    shop.lose_next_answer()
    with pytest.raises(StoreDown):
        await publish(shop, "e1:1:s", replaces=main)
    found = await shop.platform.find_published("e1:1:s", shop.listing_id)
    assert found is not None
    assert await publish(shop, "e1:1:s", replaces=main) == found
    assert len(await ids(shop)) == 3


async def nothing_is_found_for_a_key_that_published_nothing(shop: Shop) -> None:
    assert await shop.platform.find_published("e9:1:s", shop.listing_id) is None


async def a_position_beyond_the_end_appends(shop: Shop) -> None:
    before = await ids(shop)
    image = await publish(shop, "e1:1:s", position=9)
    assert image.position == 4
    assert await ids(shop) == [*before, image.image_id]


async def a_picture_changed_by_hand_is_not_overwritten_by_publishing(shop: Shop) -> None:
    main = (await ids(shop))[0]
    await shop.change_by_hand(1)
    before = await ids(shop)
    with pytest.raises(RejectedByStore) as caught:
        await publish(shop, "e1:1:s", replaces=main)
    assert caught.value.field == "position"
    assert await ids(shop) == before


async def restoring_puts_the_original_back_in_its_place(shop: Shop) -> None:
    before = await shop.platform.read_images(shop.listing_id)
    content = await shop.platform.fetch_image(before[1])
    ours = await publish(shop, "e1:1:s", position=2, replaces=before[1].image_id)
    back = await restore(shop, "e1:1:s", ours=ours.image_id, original=before[1].image_id, content=content, position=2)
    assert back is not None
    after = await shop.platform.read_images(shop.listing_id)
    assert [image.position for image in after] == [1, 2, 3]
    assert await shop.platform.fetch_image(after[1]) == content
    assert after[0] == before[0]
    assert after[2] == before[2]
    assert await shop.platform.find_published("e1:1:s", shop.listing_id) is None


async def restoring_twice_is_restoring_once(shop: Shop) -> None:
    main = (await ids(shop))[0]
    ours = await publish(shop, "e1:1:s", replaces=main)
    first = await restore(shop, "e1:1:s", ours=ours.image_id, original=main)
    standing = await ids(shop)
    assert await restore(shop, "e1:1:s", ours=ours.image_id, original=main) == first
    assert await ids(shop) == standing


async def a_restore_whose_answer_was_lost_is_found_done(shop: Shop) -> None:
    before = await ids(shop)
    ours = await publish(shop, "e1:1:s", replaces=before[0])
    shop.lose_next_answer()
    with pytest.raises(StoreDown):
        await restore(shop, "e1:1:s", ours=ours.image_id, original=before[0])
    assert await restore(shop, "e1:1:s", ours=ours.image_id, original=before[0]) is not None
    assert len(await ids(shop)) == len(before)


async def restoring_where_nothing_stood_takes_ours_away(shop: Shop) -> None:
    before = await ids(shop)
    ours = await publish(shop, "e1:1:s", position=9)
    for _ in range(2):
        assert await restore(shop, "e1:1:s", ours=ours.image_id, original=None, position=9) is None
        assert await ids(shop) == before


async def a_picture_changed_by_hand_is_not_overwritten_by_restoring(shop: Shop) -> None:
    main = (await ids(shop))[0]
    ours = await publish(shop, "e1:1:s", replaces=main)
    await shop.change_by_hand(1)
    before = await ids(shop)
    with pytest.raises(ChangedMeanwhile):
        await restore(shop, "e1:1:s", ours=ours.image_id, original=main)
    assert await ids(shop) == before


async def undo_steps_back_one_revision_at_a_time(shop: Shop) -> None:
    main = (await ids(shop))[0]
    one = await publish(shop, "e1:1:s", replaces=main)
    two = await publish(shop, "e1:2:s", replaces=one.image_id)
    with pytest.raises(ChangedMeanwhile):
        await restore(shop, "e1:1:s", ours=one.image_id, original=main)
    back = await restore(shop, "e1:2:s", ours=two.image_id, original=one.image_id, content=shop.content("e1:1:s"))
    assert back is not None
    assert await shop.platform.fetch_image(back) == shop.content("e1:1:s")


async def an_unknown_listing_is_not_found(shop: Shop) -> None:
    with pytest.raises(NotFound):
        await shop.platform.read_images(ListingId("0"))


CONTRACT: tuple[Rule, ...] = (
    finds_a_sku_in_any_case_with_pictures_numbered_from_one,
    lists_every_product_once_over_pages,
    publishes_at_the_position_and_leaves_the_others,
    serves_the_very_bytes_it_was_given,
    publishing_twice_is_publishing_once,
    a_lost_answer_is_found_and_not_repeated,
    nothing_is_found_for_a_key_that_published_nothing,
    a_position_beyond_the_end_appends,
    a_picture_changed_by_hand_is_not_overwritten_by_publishing,
    restoring_puts_the_original_back_in_its_place,
    restoring_twice_is_restoring_once,
    a_restore_whose_answer_was_lost_is_found_done,
    restoring_where_nothing_stood_takes_ours_away,
    a_picture_changed_by_hand_is_not_overwritten_by_restoring,
    undo_steps_back_one_revision_at_a_time,
    an_unknown_listing_is_not_found,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One move of the property: publish at `position`, or undo the latest when it is None; `times` ≥ 1."""

    position: int | None
    times: int


async def any_walk_keeps_the_other_pictures(open_shop: OpenShop, steps: list[Step]) -> None:
    """Publish and undo in any order, each repeated: the listing is always what a plain list would be.

    Contents are compared, since a store may give a restored picture a new id.
    """
    shop = await open_shop()

    async def contents() -> list[bytes]:
        images = await shop.platform.read_images(shop.listing_id)
        return [await shop.platform.fetch_image(image) for image in images]

    expected = await contents()
    done: list[tuple[str, int, ListingImage, ImageId | None, list[bytes]]] = []
    for number, step in enumerate(steps):
        if step.position is not None:
            key, standing = f"e{number}:1:s", await ids(shop)
            index = step.position - 1
            replaces = standing[index] if index < len(standing) else None
            before = list(expected)
            for _ in range(step.times):
                ours = await publish(shop, key, position=step.position, replaces=replaces)
            expected[index : index + 1] = [shop.content(key)]
            done.append((key, step.position, ours, replaces, before))
        elif done:
            key, position, ours, replaces, before = done.pop()
            content = before[position - 1] if replaces else None
            for _ in range(step.times):
                await restore(shop, key, ours=ours.image_id, original=replaces, content=content, position=position)
            expected = before
        assert await contents() == expected
