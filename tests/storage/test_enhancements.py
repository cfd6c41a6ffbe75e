"""Enhancements and placements: what goes in comes out, and belongs to one team."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from domain.catalog import ImageId, ListingId, PlatformName, Sha256, Sku, Store, StoreId
from domain.enhancement import (
    Decision,
    Enhancement,
    EnhancementEvent,
    EnhancementState,
    Placement,
    PlacementEvent,
    PlacementState,
    Replaced,
    Revision,
    Target,
)
from domain.errors import Fault, RowChanged
from domain.picture import Finding, FindingCode, FindingLevel
from domain.recipe import Background, Recipe, Shadow
from storage.catalog import StoreRows
from tests.storage.conftest import OTHER_ROOM, ROOM, SHELF, Shop, picture


def offered(enhancement: Enhancement) -> Enhancement:
    revision = replace(
        enhancement.revision,
        pictures=(picture(),),
        before=Sha256("01" * 32),
        after=Sha256("02" * 32),
        preview=Sha256("03" * 32),
        engine="builtin",
        confidence=0.75,
        findings=(Finding(FindingCode.ENGINE, FindingLevel.WARNING, detail="builtin"),),
    )
    moved = enhancement.after(EnhancementEvent.START).after(EnhancementEvent.OFFER)
    return replace(moved, revision=revision)


async def test_an_enhancement_comes_back_as_it_was_saved(shop: Shop) -> None:
    added = await shop.added(shop.enhancement())
    ready = offered(added)
    decided = replace(
        ready.after(EnhancementEvent.REJECT),
        decision=Decision(EnhancementEvent.REJECT, 1, "Anna", shop.anna.member_id, shop.clock(), "too dark"),
    )
    async with shop.work() as work:
        await work.enhancements.save(ready, was=added)
        assert await work.enhancements.load(added.enhancement_id) == ready
        await work.enhancements.save(decided, was=ready)
        assert await work.enhancements.load(added.enhancement_id) == decided
    redone = decided.redone(Recipe(Background.parse("#eee"), Shadow.SOFT, "rembg:u2netp"))
    async with shop.work() as work:
        await work.enhancements.save(redone, was=decided)
    async with shop.work() as work:
        assert await work.enhancements.get(shop.team.team_id, added.enhancement_id) == redone
    assert await shop.count("revision") == 2
    assert await shop.count("decision") == 1


async def test_another_team_sees_nothing(shop: Shop) -> None:
    enhancement = await shop.added(shop.enhancement())
    stranger = shop.stranger_team.team_id
    async with shop.work() as work:
        assert await work.enhancements.get(stranger, enhancement.enhancement_id) is None
        assert await work.enhancements.latest_in(ROOM, stranger) is None
        assert await work.enhancements.latest_in(ROOM, stranger, sku=Sku("MUG-01")) is None
        assert await work.enhancements.count_by_state(stranger) == {}
        assert await work.enhancements.oldest_awaiting(stranger) is None
        assert await work.placements.count_by_state(stranger) == {}


async def test_adding_the_same_enhancement_twice_is_one(shop: Shop) -> None:
    enhancement = await shop.added(shop.enhancement())
    async with shop.work() as work:
        assert not await work.enhancements.add(replace(enhancement, title="another"))
    async with shop.work() as work:
        assert await work.enhancements.load(enhancement.enhancement_id) == enhancement


async def test_latest_is_the_newest_here_or_of_the_sku_anywhere(shop: Shop) -> None:
    await shop.added(shop.enhancement())
    here = await shop.added(shop.enhancement(sku="CUP-02"))
    there = await shop.added(shop.enhancement(sku="mug-01", place=OTHER_ROOM))
    async with shop.work() as work:
        assert await work.enhancements.latest_in(ROOM, shop.team.team_id) == here
        assert await work.enhancements.latest_in(ROOM, shop.team.team_id, sku=Sku("MUG-01")) == there


async def test_counts_and_the_oldest_waiting(shop: Shop) -> None:
    first, second = await shop.added(shop.enhancement()), await shop.added(shop.enhancement())
    await shop.added(shop.enhancement())
    async with shop.work() as work:
        assert await work.enhancements.oldest_awaiting(shop.team.team_id) is None
        for enhancement in (second, first):
            await work.enhancements.save(offered(enhancement), was=enhancement)
        assert await work.enhancements.oldest_awaiting(shop.team.team_id) == first.created_at
        assert await work.enhancements.count_by_state(shop.team.team_id) == {
            EnhancementState.AWAITING_DECISION: 2,
            EnhancementState.RECEIVED: 1,
        }


@pytest.mark.parametrize("change", ["state", "revision", "attempt"])
async def test_each_of_state_revision_and_attempt_guards_an_enhancement(shop: Shop, change: str) -> None:
    now = await shop.added(shop.enhancement())
    stale = {
        "state": replace(now, state=EnhancementState.ENHANCING),
        "revision": replace(now, revision=Revision(2, Recipe())),
        "attempt": replace(now, attempt=2),
    }[change]
    with pytest.raises(RowChanged):
        async with shop.work() as work:
            await work.enhancements.save(replace(stale, failure="late"), was=stale)
    async with shop.work() as work:
        assert await work.enhancements.load(now.enhancement_id) == now


async def test_a_placement_comes_back_as_it_was_saved(shop: Shop) -> None:
    placement = shop.placement(await shop.added(shop.enhancement()))
    live = replace(
        placement.after(PlacementEvent.BEGIN).after(PlacementEvent.CONFIRM),
        attempt=2,
        replaced=Replaced(ImageId("i1"), Sha256("04" * 32), "old alt"),
        image_id=ImageId("i2"),
        url="https://shop.example/i2",
    )
    async with shop.work() as work:
        await work.placements.add(placement)
        assert await work.placements.load(placement.placement_id) == placement
        await work.placements.save(live, was=placement)
    async with shop.work() as work:
        assert await work.placements.load(placement.placement_id) == live
        assert await work.placements.count_by_state(shop.team.team_id) == {PlacementState.LIVE: 1}
        with pytest.raises(RowChanged):
            await work.placements.save(live, was=placement)
        with pytest.raises(RowChanged):
            await work.placements.save(live, was=replace(live, attempt=1))


async def test_a_revision_has_one_placement_a_store(shop: Shop) -> None:
    enhancement = await shop.added(shop.enhancement())
    async with shop.work() as work:
        await work.placements.add(shop.placement(enhancement))
        with pytest.raises(RowChanged):
            await work.placements.add(shop.placement(enhancement))
    assert await shop.count("placement") == 1


async def test_placements_are_newest_revision_first_then_in_target_order(shop: Shop) -> None:
    for name in ("Zoo", "Attic"):
        await StoreRows(shop.database).add(Store(StoreId(name), shop.team.team_id, PlatformName.SHELF, name), None)
    targets = tuple(
        Target(store_id, str(store_id), PlatformName.SHELF, ListingId("l1"))
        for store_id in (StoreId("Zoo"), SHELF, StoreId("Attic"))
    )
    first = await shop.added(replace(shop.enhancement(), targets=targets))
    second = replace(first, revision=Revision(2, Recipe()), attempt=2)
    async with shop.work() as work:
        await work.enhancements.save(second, was=first)
        for enhancement, target in ((first, 2), (second, 2), (second, 0), (first, 1), (second, 1)):
            await work.placements.add(replace(shop.placement(enhancement), target=targets[target]))
    async with shop.work() as work:
        every = await work.placements.of_enhancement(first.enhancement_id)
        assert [(placement.revision, placement.target.store_name) for placement in every] == [
            (2, "Zoo"),
            (2, "shelf"),
            (2, "Attic"),
            (1, "shelf"),
            (1, "Attic"),
        ]
        old = await work.placements.of_enhancement(first.enhancement_id, revision=1)
        assert [placement.target.store_name for placement in old] == ["shelf", "Attic"]


async def test_missing_rows_are_faults(shop: Shop) -> None:
    async with shop.work() as work:
        with pytest.raises(Fault, match="no enhancement"):
            await work.enhancements.load("nope")
        with pytest.raises(Fault, match="no placement"):
            await work.placements.load("nope")
        with pytest.raises(Fault, match="no team"):
            await work.people.team("nope")


async def test_of_two_stores_that_confirm_at_once_the_later_one_sees_both(shop: Shop) -> None:
    their_store = Store(StoreId("second"), shop.team.team_id, PlatformName.SHELF, "Second")
    await StoreRows(shop.database).add(their_store, None)
    first = shop.enhancement()
    second_target = replace(first.targets[0], store_id=their_store.store_id, store_name="Second")
    enhancement = await shop.added(replace(first, targets=(*first.targets, second_target)))
    placements = [shop.placement(enhancement), replace(shop.placement(enhancement), target=second_target)]
    async with shop.work() as work:
        for placement in placements:
            await work.placements.add(placement)
    # On SQLite the first has committed before the second can begin.
    both_changed = asyncio.Barrier(1 if shop.database.is_sqlite else 2)

    async def confirm(placement: Placement) -> set[PlacementState]:
        async with shop.work() as work:
            await both_changed.wait()
            await work.placements.save(replace(placement, state=PlacementState.LIVE), was=placement)
            # Long enough for the other one to have written, were it let.
            await asyncio.sleep(0.05)
            seen = await work.placements.of_enhancement(enhancement.enhancement_id)
        return {other.state for other in seen}

    cards = await asyncio.gather(*map(confirm, placements))
    assert {PlacementState.LIVE} in cards


async def test_every_revision_comes_back_with_its_recipe_the_oldest_first(shop: Shop) -> None:
    added = await shop.added(shop.enhancement())
    ready = offered(added)
    redone = ready.redone(Recipe().changed({"keep": "10x20x30x40+55x60", "remove": "5x5"}))
    async with shop.work() as work:
        await work.enhancements.save(ready, was=added)
        await work.enhancements.save(redone, was=ready)
        assert await work.enhancements.revisions(added.enhancement_id) == [ready.revision, redone.revision]
        assert await work.enhancements.revisions("nobody's") == []
