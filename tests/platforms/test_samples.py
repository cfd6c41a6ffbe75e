"""The sample shop: complete, decodable, seeded once, and rendered the same way twice."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from PIL import Image

from domain.catalog import ListingId, StoreId
from platforms.shelf.samples.catalogue import DEMO_SKU, demo_photo, load_samples, seed
from platforms.shelf.samples.render import PHOTOS, render
from platforms.shelf.samples.scenes import SCENES
from tests.platforms.fakes import FakeMedia, FakeShelfRows

SHELF = StoreId("store-1")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PHOTOS_MOST_BYTES = 4_000_000


def test_the_catalogue_has_eight_products_or_more_and_begins_with_mug_01() -> None:
    samples = load_samples()
    assert len(samples) >= 8
    assert samples[0].variants[0].sku == DEMO_SKU
    assert samples[0].handle == min(sample.handle for sample in samples), "stores list by handle, the mug comes first"
    assert any(len(sample.variants) > 1 for sample in samples)
    assert all(2 <= len(sample.photos) <= 3 for sample in samples)


def test_skus_and_handles_are_unique() -> None:
    samples = load_samples()
    skus = [variant.sku.key for sample in samples for variant in sample.variants]
    assert len(skus) == len(set(skus))
    assert len({sample.handle for sample in samples}) == len(samples)


def test_every_photo_is_a_real_jpeg_and_all_of_them_are_small_enough_to_ship() -> None:
    paths = [photo.path for sample in load_samples() for photo in sample.photos]
    for path in [*paths, PHOTOS / "demo_mug.jpg"]:
        with Image.open(path) as image:
            image.load()
            assert image.format == "JPEG"
            assert min(image.size) >= 760
    assert sum(path.stat().st_size for path in PHOTOS.glob("*.jpg")) < PHOTOS_MOST_BYTES


def test_main_photos_are_as_large_as_a_phones() -> None:
    for sample in load_samples():
        with Image.open(sample.photos[0].path) as image:
            assert sorted(image.size) == [1200, 1600]


def test_the_demo_photo_is_none_of_the_catalogues() -> None:
    paths = [photo.path for sample in load_samples() for photo in sample.photos]
    assert demo_photo() not in {path.read_bytes() for path in paths}


def test_each_committed_photo_has_a_scene_and_each_scene_a_photo() -> None:
    assert {path.stem for path in PHOTOS.glob("*.jpg")} == set(SCENES)


async def test_seeding_fills_a_shelf_once() -> None:
    rows, media = FakeShelfRows(), FakeMedia()
    samples = load_samples()
    assert await seed(rows, media, SHELF, NOW) == len(samples)
    assert await seed(rows, media, SHELF, NOW) == 0
    listings = await rows.listings(SHELF)
    assert len(listings) == len(samples)
    assert listings[0].variants[0].sku == DEMO_SKU
    for listing in listings:
        for image in listing.images:
            assert await media.get(image.photo)


async def test_seeded_sales_are_in_the_past_and_came_off_the_stock() -> None:
    rows, media = FakeShelfRows(), FakeMedia()
    await seed(rows, media, SHELF, NOW)
    orders = await rows.orders(SHELF, since=NOW - timedelta(days=30))
    assert len(orders) == sum(len(sample.sales) for sample in load_samples())
    assert all(order.ordered_at < NOW for order in orders)
    before = load_samples()[0]
    mug = await rows.listing(SHELF, ListingId(before.handle))
    assert mug is not None
    sold = sum(order.quantity for order in orders if order.sku == DEMO_SKU)
    assert mug.variants[0].quantity == before.variants[0].quantity - sold


async def test_seeding_leaves_a_changed_listing_alone() -> None:
    rows, media = FakeShelfRows(), FakeMedia()
    await seed(rows, media, SHELF, NOW)
    [mug, *_] = await rows.listings(SHELF)
    await rows.set_images(SHELF, mug.listing_id, mug.images[:1], was_version=mug.version)
    await seed(rows, media, SHELF, NOW)
    changed = await rows.listing(SHELF, mug.listing_id)
    assert changed is not None
    assert len(changed.images) == 1


def test_a_scene_renders_to_the_same_bytes_twice() -> None:
    scene = SCENES["soap-towel"]
    first, second = (render(scene, width_px=64, passes=1) for _ in range(2))
    assert first == second
    with Image.open(io.BytesIO(first)) as image:
        assert image.size == (64, 48)
