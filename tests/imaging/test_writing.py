"""Writing over the photo is told, a product's own label is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks.overlaid import OVER_THE_PRODUCT, OVERLAYS
from domain.picture import Finding, FindingCode, FindingLevel
from domain.recipe import Recipe
from imaging.codec import PixelsU8, SoftF32
from imaging.engine import LocalEnhancer
from imaging.writing import writing_findings
from tests.imaging.photos import GREY, MAIN, disc, encoded

BLUE = (40, 90, 160)


def photo(ground: tuple[int, int, int] = BLUE) -> PixelsU8:
    return disc(1000, 800, centre=(500, 400), radius=220, ground=ground)


def coverage() -> SoftF32:
    rows, columns = np.mgrid[:400, :500]
    return (np.hypot(columns - 250, rows - 200) < 110).astype(np.float32)


def found(pixels: PixelsU8) -> Finding | None:
    findings = writing_findings(pixels, coverage())
    return findings[0] if findings else None


def labelled(words: str) -> PixelsU8:
    image = Image.fromarray(photo())
    font = ImageFont.load_default(48)
    ImageDraw.Draw(image).text((500, 400), words, font=font, fill=(250, 250, 250), anchor="mm")
    return np.asarray(image)


@pytest.mark.parametrize("kind", OVERLAYS)
def test_overlay_is_told_and_over_the_product_warned_about(kind: str) -> None:
    finding = found(OVERLAYS[kind](photo()))
    assert finding is not None
    assert finding.level is (FindingLevel.WARNING if kind in OVER_THE_PRODUCT else FindingLevel.NOTE)


def test_place_of_the_writing_is_told() -> None:
    finding = found(OVERLAYS["corner"](photo()))
    assert finding is not None
    assert finding.area is not None
    assert finding.area.left > 0.5
    assert finding.area.top > 0.9


def test_label_on_the_product_is_its_own() -> None:
    assert found(labelled("ORANGE TEA")) is None


def test_label_that_stands_beside_the_product_is_not() -> None:
    # The same letters: only where the product lies differs.
    elsewhere = np.roll(coverage(), 200, axis=1)
    assert writing_findings(labelled("ORANGE TEA"), elsewhere) != ()


@pytest.mark.parametrize("seed", range(3))
def test_gravel_and_stripes_are_no_writing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (800, 1000)).astype(np.float32), (0, 0), 1 + seed)
    gravel = np.clip(120 + 45 * grain / grain.std(), 0, 255).astype(np.uint8)
    assert found(np.dstack([gravel] * 3)) is None
    striped = photo()
    striped[:, :: 12 + seed] = striped[:, 1 :: 12 + seed] = 30
    assert found(striped) is None


def test_row_of_equal_windows_is_no_writing() -> None:
    house = photo()
    for x in range(30, 960, 40):
        house[40:70, x : x + 18] = 230
    assert found(house) is None


def test_enhanced_photo_carries_the_finding(enhancer: LocalEnhancer) -> None:
    made = enhancer.enhance_photo(encoded(OVERLAYS["tiled"](photo(GREY))), Recipe(), [MAIN])
    clean = enhancer.enhance_photo(encoded(photo(GREY)), Recipe(), [MAIN])
    assert FindingCode.WRITING in {each.code for each in made.findings}
    assert FindingCode.WRITING not in {each.code for each in clean.findings}
