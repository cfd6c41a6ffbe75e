"""The background inside the cut-out is told by its colours; where they cannot tell, nothing is said."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from domain.hint import Area
from domain.picture import FindingCode, FindingLevel
from domain.recipe import Recipe
from imaging.bleed import BLEEDS_FROM, bleed_ratio
from imaging.checks import part_findings
from imaging.codec import PixelsU8, SoftF32
from imaging.engine import LocalEnhancer
from imaging.parts import Part
from tests.imaging.photos import MAIN

GROUND, CREAM = (90, 95, 100), (225, 210, 190)


def comb(*, gaps: tuple[int, int, int]) -> tuple[PixelsU8, SoftF32]:
    """A cream block whose lower edge is a comb, its gaps in a colour, and a mask that closes them all."""
    noise = np.random.default_rng(5).normal(0, 4, (400, 400, 1))
    photo = np.full((400, 400, 3), GROUND, np.float64)
    photo[80:320, 100:300] = CREAM
    for x in range(105, 300, 12):
        photo[240:320, x : x + 6] = gaps
    mask = np.zeros((400, 400), np.float32)
    mask[80:320, 100:300] = 1
    return np.clip(photo + noise, 0, 255).astype(np.uint8), cv2.GaussianBlur(mask, (0, 0), 1)


def test_ground_between_fringes_is_told() -> None:
    assert bleed_ratio(*comb(gaps=GROUND)) >= BLEEDS_FROM


def test_stripes_of_the_products_own_are_not() -> None:
    assert bleed_ratio(*comb(gaps=(190, 40, 50))) == 0.0


def test_product_of_the_grounds_colour_says_nothing() -> None:
    photo, mask = comb(gaps=GROUND)
    grey = np.full_like(photo, GROUND)
    noise = np.random.default_rng(6).normal(0, 12, photo.shape)
    assert bleed_ratio(np.clip(grey + noise, 0, 255).astype(np.uint8), mask) == 0.0


@pytest.mark.parametrize(
    ("engine", "share", "level"),
    [
        ("rembg:u2netp", 0.027, FindingLevel.WARNING),
        ("rembg:u2netp", 0.01, FindingLevel.NOTE),
        ("builtin", 0.027, FindingLevel.NOTE),
    ],
)
def test_much_that_was_left_out_is_a_warning(engine: str, share: float, level: FindingLevel) -> None:
    (missing,) = part_findings([Part(Area(0, 0, 0.1, 0.1), share)], [], engine=engine)
    assert missing.level is level


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "code"), [("backpack_red", FindingCode.PART_LEFT_OUT), ("boot_fringe", FindingCode.BLEED)]
)
def test_faults_that_a_person_sees_are_said(shared: Path, name: str, code: FindingCode) -> None:
    enhancer = LocalEnhancer(engine="rembg:u2netp", model_dir=shared / "models")
    photo = (shared / "photos" / "images" / f"{name}.jpg").read_bytes()
    found = enhancer.enhance_photo(photo, Recipe(), [MAIN]).findings
    enhancer.close()
    assert code in {each.code for each in found if each.level is FindingLevel.WARNING}
