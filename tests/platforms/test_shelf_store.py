"""A few rules of the built-in store's own; those of every store are in test_contract.py."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.catalog import ImageId, ListingImage, PlatformName, Sku
from domain.errors import NotFound, RejectedByStore, StoreDown
from domain.ports import PublishRequest
from platforms.descriptor import Supplies
from platforms.registry import PLATFORMS, RULES
from platforms.shelf.adapter import IMAGES_MOST, ShelfStore
from tests.fakes.store_side import HandTime, MemoryNotes, make_transports
from tests.platforms import contract
from tests.platforms.fakes import FakeMedia, FakeShelfRows
from tests.platforms.shelf_harness import LISTING, STORE, content, stocked


async def filled(*, image_count: int = 3) -> tuple[ShelfStore, FakeShelfRows]:
    rows = FakeShelfRows()
    return (await stocked(rows, image_count=image_count)).platform, rows


async def test_a_lost_race_is_repeated_and_adds_one_picture() -> None:
    store, rows = await filled()
    rows.rivals = 2
    request = PublishRequest("e1:1:s", LISTING, 1, content("x"), "image/jpeg", "", ImageId("old-0"))
    ours = await store.publish_image(request)
    assert rows.writes == 1
    assert [image.image_id for image in await store.read_images(LISTING)] == [ours.image_id, "old-1", "old-2"]


async def test_a_race_lost_again_and_again_is_told_and_safe_to_repeat() -> None:
    store, rows = await filled()
    rows.rivals = 99
    with pytest.raises(StoreDown):
        await store.publish_image(
            PublishRequest("e1:1:s", LISTING, 1, content("x"), "image/jpeg", "", ImageId("old-0"))
        )
    assert rows.writes == 0


async def test_two_workers_with_one_key_make_one_picture() -> None:
    shop = await stocked(FakeShelfRows())
    made = await asyncio.gather(*(contract.publish(shop, "e1:1:s", replaces=ImageId("old-0")) for _ in range(5)))
    assert len({image.image_id for image in made}) == 1
    assert len(await contract.ids(shop)) == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"position": 0}, "position"),
        ({"content": b""}, "content"),
        ({"content": bytes(20_000_001)}, "content"),
        ({"content_type": "text/html"}, "content_type"),
    ],
    ids=["position 0", "empty", "too large", "html"],
)
async def test_what_the_shelf_does_not_take_is_refused_by_field(change: dict[str, object], field: str) -> None:
    store, rows = await filled()
    request = PublishRequest("e1:1:s", LISTING, 1, content("x"), "image/jpeg", "", ImageId("old-0"))
    with pytest.raises(RejectedByStore) as caught:
        await store.publish_image(replace(request, **change))  # type: ignore[arg-type]
    assert caught.value.field == field
    assert rows.writes == 0


async def test_a_full_listing_takes_no_more_and_can_still_be_replaced() -> None:
    store, _ = await filled(image_count=IMAGES_MOST)
    request = PublishRequest("e1:1:s", LISTING, 99, content("x"), "image/jpeg", "", None)
    with pytest.raises(RejectedByStore, match="20 pictures already"):
        await store.publish_image(request)
    await store.publish_image(replace(request, position=1, replaces=ImageId("old-0")))


async def test_prices_are_exact_and_pictures_have_public_addresses() -> None:
    store, _ = await filled()
    [listing] = await store.find_listings(Sku("MUG-01"))
    assert listing.variants[0].price == Decimal("18.50")
    assert listing.variants[0].currency == "EUR"
    assert listing.url == "https://shop.example/shelf/products/mug"
    assert listing.images[0].url == "https://shop.example/shelf/images/listing-1/old-0"


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/picture.jpg",
        "https://shop.example/shelf/images/listing-1/old-1",
        "https://shop.example/shelf/images/listing-9/old-0",
        "",
    ],
)
async def test_a_picture_that_is_not_the_shelfs_own_is_not_fetched(url: str) -> None:
    store, _ = await filled()
    with pytest.raises(NotFound):
        await store.fetch_image(ListingImage(ImageId("old-0"), 1, url, ""))


def test_every_platform_has_rules_under_its_own_name() -> None:
    assert set(RULES) == set(PlatformName)
    assert all(rules.name == platform.value for platform, rules in RULES.items())
    assert all(0 < rules.fill_least <= rules.fill < 0.95 for rules in RULES.values())


def test_amazon_takes_pure_white_and_no_shadow() -> None:
    rules = RULES[PlatformName.AMAZON]
    assert rules.only_white
    assert not rules.shadow_allowed
    assert rules.fill_least == 0.85


async def test_every_platform_here_opens_under_its_own_name() -> None:
    async with make_transports(HandTime()) as transports:
        for platform, descriptor in PLATFORMS.items():
            assert descriptor.platform is platform
            settings = {
                one.name: one.default or ("https://shop.example" if one.is_needed else "")
                for one in descriptor.settings
            }
            supplies = Supplies(FakeMedia(), FakeShelfRows(), str, transports, MemoryNotes(), settings)
            assert descriptor.open(replace(STORE, platform=platform), supplies).store.platform is platform
