"""Which photos are forgotten, and that none is which somebody sends again meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from domain.catalog import Sha256
from domain.enhancement import Enhancement, EnhancementState, Placement, PlacementState
from domain.replies import Working
from storage.media import ObstoreMedia
from storage.moving import moving_rows
from storage.retention import forgettable_photos, unreminded_previews
from storage.statements import insert
from storage.tables import MediaRow, ShelfImageRow, ShelfListingRow
from tests.storage.conftest import SHELF, Shop, picture


def digest(number: int) -> Sha256:
    return Sha256(f"{number:064x}")


async def store_rows(shop: Shop, numbers: range) -> datetime:
    """Note photos as stored one after the other, and return a time after the last."""
    async with shop.database.begin() as db_session:
        for number in numbers:
            stored_at = shop.clock()
            await insert(
                db_session,
                MediaRow(sha256=digest(number), content_type="image/jpeg", size_bytes=1, stored_at=stored_at),
            )
    return shop.clock()


async def shown_on_the_shelf(shop: Shop, numbers: range) -> None:
    team_id = shop.team.team_id
    async with shop.database.begin() as db_session:
        await insert(
            db_session,
            ShelfListingRow(
                store_id=SHELF, listing_id="l1", team_id=team_id, title="Mug", handle="mug", description="", version=1
            ),
        )
        for number in numbers:
            await insert(
                db_session,
                ShelfImageRow(
                    store_id=SHELF,
                    listing_id="l1",
                    image_id=str(number),
                    team_id=team_id,
                    photo=digest(number),
                    content_type="image/jpeg",
                    alt="",
                    made_for="",
                    position=None,
                ),
            )


def old_one(shop: Shop, state: EnhancementState, photo: int) -> Enhancement:
    return replace(shop.enhancement(), state=state, photo=digest(photo))


def placed(shop: Shop, enhancement: Enhancement, photo: int, state: PlacementState) -> Placement:
    shown = replace(picture(), photo=digest(photo))
    return replace(shop.placement(enhancement), picture=shown, state=state)


async def test_what_nothing_needs_is_forgotten_the_oldest_first_and_only_when_old(shop: Shop) -> None:
    before = await store_rows(shop, range(3))
    await store_rows(shop, range(3, 5))
    assert await forgettable_photos(shop.database, before) == [digest(number) for number in range(3)]


async def test_what_is_behind_a_page_of_needed_photos_is_still_found(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.retention.BATCH", 2)
    before = await store_rows(shop, range(6))
    await shown_on_the_shelf(shop, range(5))
    assert await forgettable_photos(shop.database, before) == [digest(5)]


@pytest.mark.parametrize(
    ("state", "is_kept"),
    [
        (EnhancementState.ENHANCING, True),
        (EnhancementState.AWAITING_DECISION, True),
        (EnhancementState.REJECTED, False),
    ],
)
async def test_what_moves_or_waits_keeps_its_photo_however_old(
    shop: Shop, state: EnhancementState, is_kept: bool
) -> None:
    await shop.added(old_one(shop, state, 0))
    before = await store_rows(shop, range(1))
    assert list(await forgettable_photos(shop.database, before)) == ([] if is_kept else [digest(0)])
    waits = state is EnhancementState.AWAITING_DECISION
    assert len(await unreminded_previews(shop.database, before)) == int(waits)


async def test_an_enhancement_younger_than_the_limit_keeps_its_old_photo(shop: Shop) -> None:
    before = await store_rows(shop, range(1))
    await shop.added(old_one(shop, EnhancementState.REJECTED, 0))
    assert not await forgettable_photos(shop.database, before)


async def test_undo_keeps_two_placements_of_a_spot_and_what_the_last_replaced(shop: Shop) -> None:
    for number in range(3):
        enhancement = await shop.added(old_one(shop, EnhancementState.APPROVED, 10 + number))
        async with shop.work() as work:
            await work.placements.add(placed(shop, enhancement, number, PlacementState.LIVE))
    undone = await shop.added(old_one(shop, EnhancementState.APPROVED, 20))
    async with shop.work() as work:
        await work.placements.add(placed(shop, undone, 3, PlacementState.RESTORED))
    before = await store_rows(shop, range(4))
    assert list(await forgettable_photos(shop.database, before)) == [digest(0), digest(3)]


@pytest.fixture
def media(shop: Shop, tmp_path: Path) -> ObstoreMedia:
    return ObstoreMedia(f"file://{tmp_path}/media", database=shop.database, clock=shop.clock)


async def test_a_photo_sent_again_after_the_listing_stays(shop: Shop, media: ObstoreMedia) -> None:
    name, other = await media.put(b"a mug"), await media.put(b"a cup")
    before = shop.clock()
    listed = await forgettable_photos(shop.database, before)
    await media.put(b"a mug")
    assert list(listed) == [name, other]
    assert await media.forget(listed, before) == 1
    assert await media.get(name) == b"a mug"


async def test_a_photo_sent_again_while_it_is_forgotten_is_there_afterwards(shop: Shop, media: ObstoreMedia) -> None:
    name = await media.put(b"a mug")
    before = shop.clock()
    for _ in range(20):
        await asyncio.gather(media.forget([name], before), media.put(b"a mug"), media.forget([name], before))
        assert await media.get(name) == b"a mug"
        before = shop.clock()


async def test_the_rows_a_job_must_move_are_found(shop: Shop) -> None:
    moving = await shop.added(old_one(shop, EnhancementState.ENHANCING, 0))
    done = await shop.added(old_one(shop, EnhancementState.APPROVED, 1))
    publishing = placed(shop, done, 2, PlacementState.PUBLISHING)
    async with shop.work() as work:
        await work.placements.add(publishing)
    found = await moving_rows(shop.database)
    assert [since for _, since in found] == [moving.created_at, done.created_at]


async def test_an_event_is_handled_once_concluded_and_delivered(shop: Shop) -> None:
    incoming = shop.incoming("slack:1")
    assert not await shop.events.is_handled("slack:1")
    await shop.events.take(incoming, working=Working("MUG-01", "received"))
    assert not await shop.events.is_handled("slack:1")
    async with shop.work(incoming):
        pass
    assert not await shop.events.is_handled("slack:1")
    await shop.deliver_all()
    assert await shop.events.is_handled("slack:1")
