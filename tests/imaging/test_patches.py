"""Grey that is no edge: what colour decides, what it leaves, and that what is left is said."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from domain.picture import Enhanced, Finding, FindingCode
from domain.recipe import Recipe
from imaging.checks import photo_findings
from imaging.codec import AlphaU8, PixelsU8, SoftF32
from imaging.cutout import SoftMask
from imaging.engine import LocalEnhancer
from imaging.patches import SEE_THROUGH_FROM, see_through_ratio, without_patches
from imaging.scene import ORIGINAL
from tests.imaging.photos import GREY, RED, disc, encoded, rgba

SIZE = 400
SAMPLES = Path(__file__).resolve().parents[2] / "platforms" / "shelf" / "samples" / "photos"
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]


def within(row: float, column: float, radius: float) -> AlphaU8:
    inside: AlphaU8 = np.hypot(ROWS - row, COLUMNS - column) < radius
    return inside


def painted(product: AlphaU8) -> PixelsU8:
    """Red where the product is, grey elsewhere, with a phone's noise."""
    noise = np.random.default_rng(5).normal(0, 2, (SIZE, SIZE, 1))
    pixels = np.where(product[..., None], np.array(RED), np.array(GREY)) + noise
    return np.clip(pixels, 0, 255).astype(np.uint8)


def soft(product: AlphaU8) -> SoftF32:
    """A net's mask of it, its edge a few pixels wide."""
    return cv2.GaussianBlur(product.astype(np.float32), (0, 0), 1.4)


def test_smear_of_the_product_s_colour_becomes_solid() -> None:
    mug = within(200, 200, 120)
    smear = within(240, 210, 25)
    decided = without_patches(painted(mug), np.where(smear, 0.6, soft(mug)).astype(np.float32))
    assert decided[smear].min() > 0.95


def test_haze_of_the_background_s_colour_in_a_handle_s_hole_becomes_clear() -> None:
    ring = within(200, 200, 120) & ~within(200, 200, 92)
    decided = without_patches(painted(ring), np.where(within(200, 200, 90), 0.45, soft(ring)).astype(np.float32))
    assert decided[within(200, 200, 84)].max() < 0.05


def test_solid_crumb_in_a_cleared_hole_goes_with_the_haze() -> None:
    ring = within(200, 200, 120) & ~within(200, 200, 92)
    mask = np.where(within(200, 200, 90), 0.45, soft(ring))
    mask = np.where(within(200, 200, 8), 1.0, mask).astype(np.float32)
    assert without_patches(painted(ring), mask)[within(200, 200, 84)].max() < 0.05


def test_eye_deep_inside_the_product_is_solid() -> None:
    eye = within(200, 200, 20)
    toy = within(200, 200, 120) & ~eye
    mask = np.where(eye, 0.4, soft(within(200, 200, 120))).astype(np.float32)
    assert without_patches(painted(toy), mask)[eye].min() == 1


def test_knob_on_a_neck_of_the_background_s_colour_is_not_cut_off() -> None:
    pot, knob = within(260, 200, 100), within(90, 200, 28)
    neck = (np.abs(COLUMNS - 200) < 18) & (ROWS > 105) & (ROWS < 175)
    mask = np.where(neck & ~pot & ~knob, 0.6, soft(pot | knob)).astype(np.float32)
    assert without_patches(painted(pot | knob), mask)[140, 200] == pytest.approx(0.6)


def test_soft_edge_is_left_as_it_is() -> None:
    mug = within(200, 200, 120)
    assert (without_patches(painted(mug), soft(mug)) == soft(mug)).all()


def test_patch_that_colour_cannot_tell_stays_and_is_counted() -> None:
    mug = within(200, 200, 120)
    patch = within(200, 90, 30)
    everywhere_grey = painted(np.zeros_like(mug))
    decided = without_patches(everywhere_grey, np.where(patch, 0.5, soft(mug)).astype(np.float32))
    assert decided[patch] == pytest.approx(0.5)
    assert see_through_ratio((decided * 255).astype(np.uint8)) > SEE_THROUGH_FROM


def test_see_through_part_is_a_warning_and_a_clean_edge_is_none() -> None:
    mask = SoftMask(soft(within(200, 200, 120)), "builtin", 0.1, 1)
    photo, alpha = painted(within(200, 200, 120)), (mask.coverage * 255).astype(np.uint8)

    def warned(ratio: float) -> bool:
        found = photo_findings(mask, photo, alpha, sides=(), see_through=ratio)
        return FindingCode.SEE_THROUGH in {each.code for each in found}

    assert not warned(see_through_ratio(alpha))
    assert warned(SEE_THROUGH_FROM)


def test_glass_of_a_photo_that_came_cut_out_is_no_fault(enhancer: LocalEnhancer) -> None:
    rows, columns = np.mgrid[:480, :640]
    glass = np.where(np.hypot(columns - 300, rows - 250) < 110, 255, 0)
    glass = np.where(np.hypot(columns - 300, rows - 250) < 60, 160, glass).astype(np.uint8)
    made = enhancer.enhance_photo(encoded(np.dstack([disc(), glass]), "PNG"), Recipe(), [ORIGINAL])
    assert FindingCode.SEE_THROUGH not in codes(made)


def codes(made: Enhanced) -> set[FindingCode]:
    return {found.code for found in made.findings}


def alpha_of(enhancer: LocalEnhancer, sample: str) -> AlphaU8:
    made = enhancer.enhance_photo((SAMPLES / f"{sample}.jpg").read_bytes(), Recipe(), [ORIGINAL])
    return rgba(made.pictures[0].content)[..., 3]


@pytest.mark.parametrize("sample", ["mug-front", "demo_mug", "teapot-front"])
def test_sample_product_is_solid_inside_and_its_handle_s_hole_is_clear(enhancer: LocalEnhancer, sample: str) -> None:
    alpha = alpha_of(enhancer, sample)
    depth_px = round(0.02 * max(alpha.shape))
    disc_shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * depth_px + 1,) * 2)
    grey = ((alpha > 12) & (alpha < 243)).astype(np.uint8)
    assert not cv2.erode(grey, disc_shape).any(), "no grey is wider than an edge"
    clear = cv2.connectedComponentsWithStats((alpha < 12).astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    assert (clear > 0.01 * (alpha > 127).sum()).sum() == 2, "the outside and the hole"


@pytest.mark.shared
def test_plate_cut_in_two_is_warned_about_and_its_teapot_s_spout_is_solid(shared: Path) -> None:
    enhancer = LocalEnhancer(engine="rembg:u2netp", model_dir=shared / "models")
    made = enhancer.enhance_photo((shared / "photos/images/teapot.jpg").read_bytes(), Recipe(), [ORIGINAL])
    enhancer.close()
    unsure: Finding = next(found for found in made.findings if found.code is FindingCode.UNSURE)
    assert unsure.measured is not None
    assert unsure.wanted is not None
    assert unsure.measured > unsure.wanted
    assert see_through_ratio(rgba(made.pictures[0].content)[..., 3]) < SEE_THROUGH_FROM
