"""Shape, scale and choice: what a seller may ask of a photo with several things, or of several photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import NotPossible
from domain.picture import Finding, FindingCode, FindingLevel, Picture
from domain.recipe import WHITE, PictureRules, Recipe, Shadow
from imaging.codec import PixelsU8
from imaging.engine import LocalEnhancer
from imaging.scene import ORIGINAL
from tests.imaging.photos import FREE, MAIN, disc, encoded, rgba, seen

PLAIN = replace(FREE, size_px=(1000, 1000), shadow=Shadow.NONE)


def two_discs() -> PixelsU8:
    left = disc(800, 400, centre=(200, 200), radius=90)
    right = disc(800, 400, centre=(600, 200), radius=60)
    return np.where((right[..., 0].astype(int) - right[..., 1] > 85)[..., None], right, left)


def found(picture: Picture, code: FindingCode) -> Finding:
    return next(each for each in picture.findings if each.code is code)


def product_width(picture: Picture) -> int:
    columns = np.nonzero((seen(picture.content) < 200).any(axis=2).any(axis=0))[0]
    return int(columns[-1] - columns[0] + 1)


@pytest.fixture(scope="module")
def by_colour() -> LocalEnhancer:
    return LocalEnhancer(engine="grabcut")


@pytest.mark.parametrize(("thing", "left", "right"), [(None, 110, 660), (1, 110, 290), (2, 540, 660)])
def test_of_several_things_one_is_chosen_from_the_left(
    by_colour: LocalEnhancer, thing: int | None, left: int, right: int
) -> None:
    made = by_colour.enhance_photo(encoded(two_discs()), Recipe(thing=thing), [ORIGINAL])
    columns = np.nonzero((rgba(made.pictures[0].content)[..., 3] > 127).any(axis=0))[0]
    assert (columns[0], columns[-1]) == pytest.approx((left, right), abs=6)
    codes = {each.code for each in made.findings}
    assert (FindingCode.SEVERAL_OBJECTS in codes) is (thing is None)


def test_a_thing_that_is_not_there_is_refused_with_the_way_out(by_colour: LocalEnhancer) -> None:
    with pytest.raises(NotPossible, match="thing=all"):
        by_colour.enhance_photo(encoded(two_discs()), Recipe(thing=3), [ORIGINAL])


def test_one_scale_shows_a_small_thing_smaller_than_a_large_one(enhancer: LocalEnhancer) -> None:
    large, small = (encoded(disc(radius=radius, centre=(320, 240))) for radius in (110, 70))
    first = enhancer.enhance_photo(large, Recipe(), [PLAIN]).pictures[0]
    scale = found(first, FindingCode.SCALE)
    assert scale.level is FindingLevel.OK
    second = enhancer.enhance_photo(small, Recipe(scale_percent=scale.measured), [PLAIN]).pictures[0]
    assert product_width(second) / product_width(first) == pytest.approx(70 / 110, abs=0.02)
    other_size = replace(PLAIN, size_px=(500, 500))
    third = enhancer.enhance_photo(small, Recipe(scale_percent=scale.measured), [other_size]).pictures[0]
    assert product_width(third) == pytest.approx(product_width(second) / 2, abs=4)


def test_a_scale_that_does_not_fit_is_brought_down_and_said(enhancer: LocalEnhancer) -> None:
    picture = enhancer.enhance_photo(encoded(disc()), Recipe(scale_percent=900), [PLAIN]).pictures[0]
    said = found(picture, FindingCode.SCALE)
    assert said.level is FindingLevel.WARNING
    assert found(picture, FindingCode.WHITE).level is FindingLevel.OK
    assert product_width(picture) == pytest.approx(950, abs=4)


def test_scale_of_the_first_picture_is_followed_and_said(enhancer: LocalEnhancer) -> None:
    large, small = (encoded(disc(radius=radius, centre=(320, 240))) for radius in (110, 70))
    recipe = Recipe().changed({"scale": "sku"})
    first = enhancer.enhance_photo(large, recipe, [PLAIN]).pictures[0]
    sets = found(first, FindingCode.SCALE_FIRST)
    following = replace(PLAIN, scale_percent=sets.measured)
    second = enhancer.enhance_photo(small, recipe, [following]).pictures[0]
    assert product_width(second) / product_width(first) == pytest.approx(70 / 110, abs=0.02)
    assert found(second, FindingCode.SCALE).level is FindingLevel.NOTE
    too_large = replace(PLAIN, scale_percent=900)
    assert found(enhancer.enhance_photo(small, recipe, [too_large]).pictures[0], FindingCode.SCALE).level is (
        FindingLevel.WARNING
    )
    unasked = enhancer.enhance_photo(small, Recipe(), [following]).pictures[0]
    assert product_width(unasked) == pytest.approx(800, abs=6)


@pytest.mark.parametrize(("aspect", "size"), [("4:3", (1000, 750)), ("3:4", (750, 1000)), ("1:1", (1000, 1000))])
def test_shape_is_what_was_asked_for(enhancer: LocalEnhancer, aspect: str, size: tuple[int, int]) -> None:
    rules: PictureRules = replace(MAIN, background=WHITE)
    picture = enhancer.enhance_photo(encoded(disc()), Recipe().changed({"aspect": aspect}), [rules]).pictures[0]
    assert (picture.width_px, picture.height_px) == seen(picture.content).shape[1::-1] == size
    assert found(picture, FindingCode.CENTRE).level is FindingLevel.OK


@pytest.mark.parametrize("options", [{"margin": "20"}, {"scale": "90"}, {"scale": "sku"}, {"aspect": "4:3"}])
def test_kept_frame_says_that_it_has_no_room_for_such_wishes(enhancer: LocalEnhancer, options: dict[str, str]) -> None:
    plain, asked = (
        enhancer.enhance_photo(encoded(disc()), each, [ORIGINAL]).pictures[0]
        for each in (Recipe(), Recipe().changed(options))
    )
    assert asked.content == plain.content
    assert found(asked, FindingCode.FRAME_KEPT).level is FindingLevel.NOTE
    assert FindingCode.FRAME_KEPT not in {each.code for each in plain.findings}


def test_stores_that_want_the_same_get_the_same_picture_under_their_own_names(enhancer: LocalEnhancer) -> None:
    rules = [PLAIN, replace(PLAIN, name="other"), replace(PLAIN, name="smaller", fill=0.6)]
    first, same, smaller = enhancer.enhance_photo(encoded(disc()), Recipe(), rules).pictures
    assert [first.rules_name, same.rules_name, smaller.rules_name] == [PLAIN.name, "other", "smaller"]
    assert first.content == same.content != smaller.content
    assert first.findings == same.findings
