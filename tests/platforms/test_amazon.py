"""Amazon's own pitfalls: accepted is not live, no memory, 403s that say nothing, a bucket for every operation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import cv2
import numpy as np
import pytest

from domain.catalog import ImageId, ListingId, Sku
from domain.errors import (
    BadInput,
    ChangedMeanwhile,
    NotPossible,
    RejectedByStore,
)
from platforms.amazon.catalogue import SEARCH_MOST
from platforms.amazon.likeness import shows_the_same
from platforms.descriptor import NoLinks
from tests.fakes.amazon_goods import SLOTS, an_issue
from tests.platforms.amazon_harness import AmazonHarness, open_amazon
from tests.platforms.contract import CONTRACT, Rule, ids, publish, restore

KEY = "e1:1:s"
HOURS_2 = timedelta(hours=2).total_seconds()


@pytest.fixture
async def shop() -> AsyncIterator[AmazonHarness]:
    async with open_amazon() as opened:
        yield opened


def own(shop: AmazonHarness):
    return shop.server.goods.items[shop.listing_id]


async def publish_main(shop: AmazonHarness, key: str = KEY) -> ImageId:
    return (await publish(shop, key, replaces=(await ids(shop))[0])).image_id


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
async def test_the_contract_holds_where_amazon_gives_pictures_addresses_of_its_own(rule: Rule) -> None:
    async with open_amazon(rewrites=True) as shop:
        await rule(shop)


# ---------------------------------------------------------------- accepted is not live


async def test_accepted_is_not_live_until_buyers_see_it(shop: AmazonHarness) -> None:
    shop.server.goods.live_after = 4
    await publish_main(shop)
    assert [one.operation for one in shop.server.calls if one.query.get("mode")] == ["patchListingsItem"]
    looks = 0
    while (live := await shop.platform.find_live(KEY, shop.listing_id)) is None:
        looks += 1
    assert looks > 1
    assert live.url == own(shop).shown[1]
    assert await shop.platform.fetch_image(live) == shop.content(KEY)


async def test_nothing_is_live_that_was_never_sent(shop: AmazonHarness) -> None:
    assert await shop.platform.find_live(KEY, shop.listing_id) is None


async def test_a_second_picture_goes_live_by_the_catalogue(shop: AmazonHarness) -> None:
    shop.server.goods.live_after = 3
    await publish(shop, KEY, position=2, replaces=(await ids(shop))[1])
    assert shop.calls.count("getCatalogItem") == 0
    for _ in range(4):
        live = await shop.platform.find_live(KEY, shop.listing_id)
    assert live is not None
    assert (live.position, live.url) == (2, own(shop).shown[2])


@pytest.mark.parametrize("position", [1, 2])
async def test_another_sellers_picture_is_said_plainly(shop: AmazonHarness, position: int) -> None:
    rival = shop.server.goods.keep_file(b"another seller's")
    own(shop).rivals[position] = rival
    await publish(shop, KEY, position=position, replaces=(await ids(shop))[position - 1])
    own(shop).shown[position] = shop.server.goods.keep_file(b"in between")
    assert await shop.platform.find_live(KEY, shop.listing_id) is None
    own(shop).shown[position] = rival
    assert await shop.platform.find_live(KEY, shop.listing_id) is None, "it may still be on its way"
    await shop.time.sleep(HOURS_2)
    with pytest.raises(RejectedByStore, match="another seller's"):
        await shop.platform.find_live(KEY, shop.listing_id)


async def test_a_picture_amazon_cannot_fetch_or_take_says_amazons_reason(shop: AmazonHarness) -> None:
    image = await publish_main(shop)
    own(shop).issues.append(an_issue("18027", "The main image is not on white.", SLOTS[0], "INVALID_IMAGE"))
    with pytest.raises(RejectedByStore, match="not on white"):
        await shop.platform.find_live(KEY, shop.listing_id)
    assert (await ids(shop))[0] == image, "it stands there, so undo stays possible"


async def test_an_old_complaint_is_not_held_against_the_new_picture_at_once(shop: AmazonHarness) -> None:
    goods = shop.server.goods
    goods.live_after = 6
    complaint = an_issue("18027", "The main image is not on white.", SLOTS[0], "INVALID_IMAGE")
    own(shop).issues.append(complaint)
    await publish_main(shop)
    own(shop).issues.append(complaint)
    assert await shop.platform.find_live(KEY, shop.listing_id) is None
    await shop.time.sleep(HOURS_2)
    with pytest.raises(RejectedByStore, match="not on white"):
        await shop.platform.find_live(KEY, shop.listing_id)


async def test_a_picture_changed_by_hand_meanwhile_is_no_longer_waited_for(shop: AmazonHarness) -> None:
    shop.server.goods.live_after = 50
    await publish_main(shop)
    await shop.change_by_hand(1)
    with pytest.raises(RejectedByStore, match="somebody put another picture"):
        await shop.platform.find_live(KEY, shop.listing_id)


async def test_a_listing_that_names_a_picture_late_is_published_once_and_undone(shop: AmazonHarness) -> None:
    goods, main, before = shop.server.goods, (await ids(shop))[0], await shop.images_at_store()
    goods.named_after = 5
    image = await publish(shop, KEY, replaces=main)
    assert (await ids(shop))[0] == main, "accepted, and not even named yet"
    # The undo comes while the picture is still on its way: it must not be taken for done.
    await restore(shop, KEY, ours=image.image_id, original=main, content=before[0])
    for _ in range(12):
        await ids(shop)
    assert await shop.images_at_store() == before
    assert (await ids(shop))[0] == main


# ---------------------------------------------------------------- whose picture it is


def photo(seed: int, side_px: int = 800) -> np.ndarray:
    """A white frame with a product of its own in the middle."""
    picture = np.full((side_px, side_px, 3), 255, np.uint8)
    rng = np.random.default_rng(seed)
    left, top = rng.integers(80, 240, 2)
    colour = tuple(int(one) for one in rng.integers(0, 160, 3))
    cv2.rectangle(picture, (int(left), int(top)), (side_px - int(top), side_px - int(left)), colour, -1)
    return picture


def jpeg(picture: np.ndarray, quality: int = 95) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def as_amazon_serves_it(content: bytes) -> bytes:
    small = cv2.resize(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), (500, 500))
    return jpeg(small, quality=80)


async def test_a_picture_is_known_by_its_looks_after_compression() -> None:
    for seed in range(5):
        one, other = jpeg(photo(seed)), jpeg(photo(seed + 100))
        assert await shows_the_same(one, as_amazon_serves_it(one))
        assert not await shows_the_same(one, as_amazon_serves_it(other))
        assert not await shows_the_same(one, jpeg(photo(seed)[:600]))
    assert not await shows_the_same(b"no picture", jpeg(photo(1)))


async def test_a_compressed_copy_under_another_address_is_published_once_and_undone() -> None:
    async with open_amazon(rewrites=True) as shop:
        shop.server.goods.copies = as_amazon_serves_it
        shop.picture = lambda name: jpeg(photo(len(name)))
        main, before = (await ids(shop))[0], await shop.images_at_store()
        image = await publish(shop, KEY, replaces=main)
        assert own(shop).attributes[SLOTS[0]]["media_location"] == own(shop).shown[1]
        shop.reopen()
        assert (await publish(shop, KEY, replaces=main)).image_id == image.image_id
        assert await shop.platform.find_live(KEY, shop.listing_id) is not None
        await restore(shop, KEY, ours=image.image_id, original=main, content=before[0])
        assert await shop.images_at_store() == before


async def test_versions_that_look_alike_are_told_apart_by_what_was_sent_last() -> None:
    async with open_amazon(rewrites=True) as shop:
        shop.server.goods.copies = as_amazon_serves_it
        shop.picture = lambda name: jpeg(photo(1), quality=90 if ":1:" in name else 96)
        main, before = (await ids(shop))[0], await shop.images_at_store()
        one = await publish(shop, "e1:1:s", replaces=main)
        await shop.time.sleep(60)
        two = await publish(shop, "e1:2:s", replaces=one.image_id)
        await shop.time.sleep(60)
        await restore(shop, "e1:2:s", ours=two.image_id, original=one.image_id, content=shop.content("e1:1:s"))
        assert await shop.platform.find_published("e1:2:s", shop.listing_id) is None
        assert (await ids(shop))[0] == one.image_id
        await restore(shop, "e1:1:s", ours=one.image_id, original=main, content=before[0])
        assert await shop.images_at_store() == before


async def test_a_strange_address_is_looked_at_once(shop: AmazonHarness) -> None:
    await publish_main(shop)
    await shop.change_by_hand(1)
    for _ in range(3):
        assert await shop.platform.find_published(KEY, shop.listing_id) is None
    assert shop.calls.count("download") == 1


async def test_undo_to_an_earlier_picture_of_ours_gives_amazon_a_fresh_address(shop: AmazonHarness) -> None:
    one = await publish_main(shop, "e1:1:s")
    first_address = own(shop).attributes[SLOTS[0]]["media_location"]
    two = (await publish(shop, "e1:2:s", replaces=one)).image_id
    await restore(shop, "e1:2:s", ours=two, original=one, content=shop.content("e1:1:s"))
    assert own(shop).attributes[SLOTS[0]]["media_location"] != first_address, "the first one ends after a week"
    assert (await ids(shop))[0] == one


@pytest.mark.parametrize("address", ["s3://sellers-bucket/mug.jpg", "https://cdn.seller.example/mug.jpg"])
async def test_a_picture_kept_elsewhere_is_fetched_as_buyers_see_it_and_put_back_by_its_address(
    shop: AmazonHarness, address: str
) -> None:
    for slot in SLOTS[:2]:
        own(shop).attributes[slot]["media_location"] = address + slot
    before = await shop.images_at_store()
    images = await shop.platform.read_images(shop.listing_id)
    assert [await shop.platform.fetch_image(image) for image in images] == before
    ours = await publish_main(shop)
    await restore(shop, KEY, ours=ours, original=images[0].image_id, content=before[0])
    assert own(shop).attributes[SLOTS[0]]["media_location"] == address + SLOTS[0]


async def test_a_main_picture_of_somebody_elses_is_covered_and_uncovered(shop: AmazonHarness) -> None:
    del own(shop).attributes[SLOTS[0]]
    theirs = own(shop).shown[1]
    main = (await shop.platform.read_images(shop.listing_id))[0]
    assert (main.is_main, main.url) == (True, theirs)
    ours = await publish_main(shop)
    own(shop).rivals[1] = theirs
    back = await restore(shop, KEY, ours=ours, original=main.image_id, content=b"theirs")
    assert back is not None
    assert back.image_id == main.image_id
    assert SLOTS[0] not in own(shop).attributes
    assert own(shop).shown[1] == theirs
    assert await restore(shop, KEY, ours=ours, original=main.image_id, content=b"theirs") == back


async def test_a_gap_between_the_pictures_is_a_position_of_its_own(shop: AmazonHarness) -> None:
    await shop.platform.remove_image(shop.listing_id, (await ids(shop))[1])
    assert [image.position for image in await shop.platform.read_images(shop.listing_id)] == [1, 3]
    assert (await publish(shop, KEY, position=2)).position == 2
    with pytest.raises(RejectedByStore, match="main picture"):
        await shop.platform.remove_image(shop.listing_id, (await ids(shop))[0])


async def test_an_undo_of_what_moved_changes_nothing(shop: AmazonHarness) -> None:
    first, second, _ = await ids(shop)
    ours = await publish_main(shop)
    values = own(shop).attributes
    values[SLOTS[0]], values[SLOTS[1]] = values[SLOTS[1]], values[SLOTS[0]]
    before = dict(values)
    with pytest.raises(ChangedMeanwhile):
        await restore(shop, KEY, ours=ours, original=first, content=b"")
    assert values == before
    assert second in await ids(shop)


async def test_without_a_public_address_nothing_is_sent_and_the_remedies_are_named(shop: AmazonHarness) -> None:
    shop.links = NoLinks()  # type: ignore[assignment]
    shop.reopen()
    main, patched = (await ids(shop))[0], len(shop.calls)
    with pytest.raises(NotPossible, match="PUBLIC_URL"):
        await publish(shop, KEY, replaces=main)
    assert "patchListingsItem" not in shop.calls[patched:]
    assert any("PUBLIC_URL" in note for note in (await shop.platform.check()).notes)


@pytest.mark.parametrize("sku", ["MUG/01 #2", "50%+ off?", "A,B", "Täss-ü"])
async def test_a_sku_may_hold_what_an_address_may_not(shop: AmazonHarness, sku: str) -> None:
    shop.server.goods.add_item(sku, "Odd", quantity=3, pictures=[b"\xff\xd8odd"])
    [listing] = await shop.platform.find_listings(Sku(sku))
    assert listing.listing_id == sku
    [image] = await shop.platform.read_images(ListingId(sku))
    assert await shop.platform.fetch_image(image) == b"\xff\xd8odd"
    [level] = await shop.platform.read_stock([Sku(sku)])
    assert (level.sku.value, level.quantity) == (sku, 3)


# ---------------------------------------------------------------- more than one search gives


async def test_a_catalogue_beyond_the_thousandth_listing_is_walked_to_its_end(shop: AmazonHarness) -> None:
    await shop.add_skus(SEARCH_MOST + 45)
    goods = shop.server.goods.items
    for number, item in enumerate(goods.values()):  # three at a time, so that the thousandth is not alone
        item.created_at = f"2026-01-{1 + number // 3 // 24:02}T{number // 3 % 24:02}:00:00Z"
    seen: list[ListingId] = []
    cursor: str | None = None
    while True:
        page = await shop.platform.list_products(cursor=cursor, limit=20)
        seen += [listing.listing_id for listing in page.listings]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert set(seen) == set(goods)
    with pytest.raises(BadInput):
        await shop.platform.list_products(cursor="[]")
