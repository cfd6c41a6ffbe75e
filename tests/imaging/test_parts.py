"""Corrections on things whose truth is known: a red block with a strap, on a grey table."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from domain.errors import NotPossible
from domain.hint import FIELDS, Area, Hint
from domain.picture import FindingCode, FindingLevel
from domain.recipe import Recipe
from imaging.codec import PixelsU8
from imaging.cutout import SoftMask
from imaging.engine import LocalEnhancer
from imaging.parts import Corrected, corrected, kept_apart, left_out
from imaging.scene import ORIGINAL
from imaging.sheets import beside, numbered
from tests.imaging.photos import GREY, RED, disc, encoded, rgba, seen
from tests.imaging.test_shared_photos import overlap

SHAPE = (300, 400)
BLOCK, STRAP, NECK = (
    (slice(60, 240), slice(160, 300)),
    (slice(120, 220), slice(60, 90)),
    (slice(130, 142), slice(90, 160)),
)
"""Rows and columns. The strap lies left of the block; the neck joins them."""


def flags(*boxes: tuple[slice, slice]) -> PixelsU8:
    made = np.zeros(SHAPE, bool)
    for box in boxes:
        made[box] = True
    return made


def photo_of(*boxes: tuple[slice, slice]) -> PixelsU8:
    noise = np.random.default_rng(3).normal(0, 3, (*SHAPE, 1))
    pixels = np.where(flags(*boxes)[..., None], np.array(RED), np.array(GREY)) + noise
    made: PixelsU8 = pixels.clip(0, 255).astype(np.uint8)
    return made


def mask_of(*boxes: tuple[slice, slice], half_seen: tuple[tuple[slice, slice], ...] = ()) -> SoftMask:
    coverage = flags(*boxes).astype(np.float32)
    return SoftMask(coverage, "test", 0.0, len(boxes), half_seen=np.maximum(coverage, 0.15 * flags(*half_seen)))


def hint(kind: str, place: str) -> Hint:
    return Recipe().changed({kind: place}).hints[0]


def share_right(made: Corrected, truth: PixelsU8) -> float:
    product = made.mask.coverage > 0.5
    return float((product & truth).sum() / (product | truth).sum())


def test_what_the_net_half_saw_is_a_part_with_its_box() -> None:
    (part,) = left_out(mask_of(BLOCK, half_seen=(STRAP,)))
    assert part.area == Area(60 / 400, 120 / 300, 90 / 400, round(220 / 300, 3))
    assert part.share == pytest.approx(100 * 30 / (180 * 140), rel=0.01)
    assert left_out(mask_of(BLOCK)) == ()


def test_an_edge_is_no_part() -> None:
    mask = mask_of(BLOCK)
    soft = replace(mask, half_seen=cv2.GaussianBlur(mask.coverage, (0, 0), 1.5))
    assert left_out(soft) == ()


@pytest.mark.parametrize("place", ["18x55", "24x40", "12x35x25x78", "14x38x24x75"])
def test_a_part_is_kept_by_a_point_or_a_box(place: str) -> None:
    made = corrected(photo_of(BLOCK, STRAP), mask_of(BLOCK, half_seen=(STRAP,)), [hint("keep", place)])
    assert share_right(made, flags(BLOCK, STRAP)) > 0.97
    assert made.idle == ()
    assert made.mask.object_count == 2


@pytest.mark.parametrize("place", ["12x35x25x78", "18x57"])
def test_what_the_net_never_saw_is_found_by_its_colour(place: str) -> None:
    made = corrected(photo_of(BLOCK, STRAP), mask_of(BLOCK), [hint("keep", place)])
    assert (made.mask.coverage[STRAP] > 0.5).mean() > 0.97
    assert (made.mask.coverage > 0.5)[~flags(BLOCK, STRAP)].mean() < 0.002


def test_a_loose_part_is_removed_by_a_point_or_a_box_around_most_of_it() -> None:
    mask = mask_of(BLOCK, STRAP)
    assert len(kept_apart(mask)) == 2
    for place in ("18x60", "10x30x25x65"):
        made = corrected(photo_of(BLOCK, STRAP), mask, [hint("remove", place)])
        assert share_right(made, flags(BLOCK)) > 0.99
        assert made.mask.object_count == 1


def test_the_larger_of_two_loose_things_can_go_too() -> None:
    made = corrected(photo_of(BLOCK, STRAP), mask_of(BLOCK, STRAP), [hint("remove", "57x50")])
    assert share_right(made, flags(STRAP)) > 0.99


def test_a_part_that_hangs_by_a_neck_goes_with_one_point_and_the_product_stays() -> None:
    made = corrected(photo_of(BLOCK, STRAP, NECK), mask_of(BLOCK, STRAP, NECK), [hint("remove", "18x65")])
    assert not (made.mask.coverage[STRAP] > 0.5).any()
    assert (made.mask.coverage[BLOCK] > 0.5).mean() > 0.99


def test_a_box_removes_what_lies_in_it_and_no_more() -> None:
    made = corrected(photo_of(BLOCK), mask_of(BLOCK), [hint("remove", "0x0x100x30")])
    product = made.mask.coverage > 0.5
    assert not product[:90].any()
    assert product[95:235, 165:295].all()


def test_the_last_of_two_corrections_counts() -> None:
    photo, mask = photo_of(BLOCK, STRAP), mask_of(BLOCK, half_seen=(STRAP,))
    keep, remove = hint("keep", "18x55"), hint("remove", "18x55")
    assert share_right(corrected(photo, mask, [keep, remove]), flags(BLOCK)) > 0.99
    assert share_right(corrected(photo, mask, [remove, keep]), flags(BLOCK, STRAP)) > 0.97


def test_a_correction_that_finds_nothing_is_named() -> None:
    nothing = hint("remove", "5x5")
    made = corrected(photo_of(BLOCK), mask_of(BLOCK), [nothing])
    assert made.idle == (nothing,)
    assert np.array_equal(made.mask.coverage, mask_of(BLOCK).coverage)


def test_not_everything_can_be_removed() -> None:
    with pytest.raises(NotPossible, match="remove=none"):
        corrected(photo_of(BLOCK), mask_of(BLOCK), [hint("remove", "0x0x100x100")])


places = st.tuples(*[st.integers(0, 100)] * 4).map(lambda four: "x".join(str(each) for each in four))
points = st.tuples(*[st.integers(0, 100)] * 2).map(lambda two: f"{two[0]}x{two[1]}")


@given(st.lists(st.tuples(st.sampled_from(["keep", "remove"]), st.one_of(places, points)), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_whatever_is_drawn_leaves_a_mask_or_a_sentence(drawn: list[tuple[str, str]]) -> None:
    mask = mask_of(BLOCK, NECK, half_seen=(STRAP,))
    try:
        made = corrected(photo_of(BLOCK, STRAP, NECK), mask, [hint(*each) for each in drawn])
    except NotPossible:
        return
    assert made.mask.coverage.shape == mask.coverage.shape
    assert 0 <= made.mask.coverage.min() <= made.mask.coverage.max() <= 1
    assert made.mask.object_count >= 1
    assert set(made.idle) <= {hint(*each) for each in drawn}


@pytest.fixture(scope="module")
def two_discs() -> PixelsU8:
    photo = disc(centre=(200, 240), radius=90)
    other = disc(centre=(470, 250), radius=60)
    photo[:, 360:] = other[:, 360:]
    return photo


def test_a_picture_without_what_was_removed(enhancer: LocalEnhancer, two_discs: PixelsU8) -> None:
    plain = enhancer.enhance_photo(encoded(two_discs), Recipe(), [ORIGINAL])
    kept = {finding.code for finding in plain.findings}
    assert FindingCode.PART_KEPT in kept
    made = enhancer.enhance_photo(encoded(two_discs), Recipe().changed({"remove": "73x52"}), [ORIGINAL])
    alphas = [rgba(each.pictures[0].content)[..., 3] for each in (plain, made)]
    assert [alpha[250, 470] for alpha in alphas] == [255, 0]
    assert [alpha[240, 200] for alpha in alphas] == [255, 255]
    codes = {(finding.code, finding.level) for finding in made.findings}
    assert (FindingCode.CORRECTED, FindingLevel.OK) in codes
    assert FindingCode.PART_KEPT not in {code for code, _ in codes}


def test_a_photo_that_came_cut_out_can_be_corrected_too(enhancer: LocalEnhancer, two_discs: PixelsU8) -> None:
    alpha = (two_discs[..., 0].astype(int) - two_discs[..., 1] > 60).astype(np.uint8) * 255
    photo = encoded(Image.fromarray(np.dstack([two_discs, alpha])), "PNG")
    made = enhancer.enhance_photo(photo, Recipe().changed({"remove": "73x52"}), [ORIGINAL])
    shown = rgba(made.pictures[0].content)[..., 3]
    assert (shown[250, 470], shown[240, 200]) == (0, 255)


def test_a_correction_without_effect_warns(enhancer: LocalEnhancer, two_discs: PixelsU8) -> None:
    made = enhancer.enhance_photo(encoded(two_discs), Recipe().changed({"remove": "2x2"}), [ORIGINAL])
    (found,) = [finding for finding in made.findings if finding.code is FindingCode.CORRECTED]
    assert found.level is FindingLevel.WARNING
    assert "1 of your 1 corrections" in found.sentence


def test_numbers_and_fields_are_drawn_where_they_belong() -> None:
    plain = np.full((400, 600, 3), 120, np.uint8)
    drawn = seen(numbered(plain, [FIELDS["B2"]])).astype(int)
    height, width = drawn.shape[:2]
    changed = np.abs(drawn - 120).max(axis=2) > 60
    frame = changed[round(0.25 * height) - 6 : round(0.25 * height) + 3, round(0.25 * width) : round(0.5 * width)]
    assert frame.any(axis=0).mean() > 0.95
    assert changed[: height // 12, : width // 12].any(), "the first field has its name"
    assert not changed[round(0.6 * height) : round(0.7 * height), round(0.8 * width) : round(0.95 * width)].any()


def test_several_pictures_stand_side_by_side_and_from_four_on_in_two_rows() -> None:
    panel = encoded(np.full((300, 300, 3), 40, np.uint8))
    sizes = [seen(beside([("Before", panel), *[("1", panel)] * more])).shape for more in (1, 2, 3)]
    assert sizes[0][0] == sizes[1][0] < sizes[2][0]
    assert sizes[2][1] == sizes[0][1] < sizes[1][1]
    with Image.open(io.BytesIO(beside([("Before", panel)]))) as sheet:
        assert sheet.format == "JPEG"


@pytest.mark.shared
def test_a_strap_that_u2netp_left_out_comes_back(shared: Path) -> None:
    enhancer = LocalEnhancer(engine="rembg:u2netp", model_dir=shared / "models")
    photo = (shared / "photos" / "images" / "backpack_red.jpg").read_bytes()
    truth = np.asarray(Image.open(shared / "photos" / "masks" / "backpack_red.png").convert("L")) > 127
    recipes = [Recipe(), Recipe().changed({"keep": "25x68"}), Recipe().changed({"keep": "18x55x33x95"})]
    reached = [overlap(enhancer.enhance_photo(photo, recipe, [ORIGINAL]), truth) for recipe in recipes]
    enhancer.close()
    assert reached[0] < reached[1] < reached[2], reached
    assert reached[2] > 0.955, reached
