"""One scale for a product's pictures: the first sets it, later ones follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.picture import Enhanced, Finding, FindingCode, FindingLevel, scale_drawn
from domain.recipe import PictureRules, Recipe
from domain.tokens import Action
from tests.fakes import FakeEnhancer
from tests.handlers.shop import Shop

LARGE, SMALL, DETAIL = b"a large mug, photographed", b"a small mug", b"its handle"


class ScalingEnhancer(FakeEnhancer):
    """Draws as the real one does: by the scale it is given, else each photo fills its frame by one of its own."""

    async def enhance(self, photo: bytes, recipe: Recipe, rules: Sequence[PictureRules]) -> Enhanced:
        made = await super().enhance(photo, recipe, rules)
        scales = (each.scale_percent if recipe.scale_as_sku else recipe.scale_percent for each in rules)
        pictures = tuple(
            replace(
                picture,
                findings=(Finding(FindingCode.SCALE, FindingLevel.OK, measured=scale or own_scale(photo)),),
            )
            for picture, scale in zip(made.pictures, scales, strict=True)
        )
        return replace(made, pictures=pictures)


def own_scale(photo: bytes) -> float:
    return 100.0 + len(photo)


@pytest.fixture
def scaling(shop: Shop) -> Shop:
    shop.enhancer = ScalingEnhancer()
    return shop


async def scales(shop: Shop) -> dict[int, float | None]:
    """Position → the scale at which the newest picture there was drawn."""
    made = {each.targets[0].position: each.revision.pictures[0] for each in await shop.enhancements()}
    return {position: scale_drawn(picture.findings) for position, picture in made.items()}


async def test_album_follows_its_first_photo(scaling: Shop) -> None:
    await scaling.send("MUG-01 scale=sku", photos=[LARGE, SMALL, DETAIL])
    assert await scales(scaling) == dict.fromkeys((1, 2, 3), own_scale(LARGE))


async def test_album_without_the_wish_fills_every_frame(scaling: Shop) -> None:
    await scaling.send("MUG-01", photos=[LARGE, SMALL])
    assert await scales(scaling) == {1: own_scale(LARGE), 2: own_scale(SMALL)}


async def test_photo_that_is_ready_before_the_first_one_has_its_scale_all_the_same(scaling: Shop) -> None:
    await scaling.take("MUG-01 scale=sku", photos=[LARGE, SMALL])
    reached: list[str] = []

    async def second_first() -> None:
        if not reached:
            reached.append("improve")
            first, second = await scaling.enhancements()
            from handlers.enhance import fetch, improve

            await fetch(second.enhancement_id, scaling.desk)
            await improve(second.enhancement_id, scaling.desk)
            assert not (await scaling.enhancements())[0].revision.pictures
            assert first.targets[0].position == 1

    await scaling.run_jobs(before={"improve": second_first})
    assert reached
    assert await scales(scaling) == {1: own_scale(LARGE), 2: own_scale(LARGE)}


async def test_later_photo_follows_unasked_and_may_be_told_not_to(scaling: Shop) -> None:
    await scaling.send("MUG-01 scale=sku", photos=[LARGE])
    await scaling.send("MUG-01 position=2", photos=[SMALL])
    await scaling.send("MUG-01 position=3 scale=auto", photos=[DETAIL])
    assert await scales(scaling) == {1: own_scale(LARGE), 2: own_scale(LARGE), 3: own_scale(DETAIL)}


async def test_new_first_picture_fills_its_frame_again(scaling: Shop) -> None:
    await scaling.send("MUG-01 scale=sku", photos=[LARGE])
    await scaling.send("MUG-01 position=1 scale=sku", photos=[SMALL])
    await scaling.send("MUG-01 position=2", photos=[DETAIL])
    assert await scales(scaling) == {1: own_scale(SMALL), 2: own_scale(SMALL)}


async def test_rejected_first_picture_sets_nothing(scaling: Shop) -> None:
    replies = await scaling.send("MUG-01 scale=sku", photos=[LARGE])
    await scaling.press(Action.REJECT, replies[-1].card)  # type: ignore[union-attr]
    await scaling.send("MUG-01 position=2 scale=sku", photos=[SMALL])
    assert (await scales(scaling))[2] == own_scale(SMALL)


async def test_another_product_and_another_team_have_their_own_scale(scaling: Shop) -> None:
    await scaling.send("MUG-01 scale=sku", photos=[LARGE])
    await scaling.send("MUG-02 position=2 scale=sku", photos=[SMALL])
    assert {
        each.sku.value: scale_drawn(each.revision.pictures[0].findings) for each in await scaling.enhancements()
    } == {
        "MUG-01": own_scale(LARGE),
        "MUG-02": own_scale(SMALL),
    }


async def test_versions_say_that_the_scale_follows(scaling: Shop) -> None:
    await scaling.send("MUG-01", photos=[LARGE])
    await scaling.send("redo MUG-01 scale=sku")
    compared = (await scaling.send("compare MUG-01"))[-1]
    assert compared.versions[-1].changes == "scale=sku"  # type: ignore[union-attr]
