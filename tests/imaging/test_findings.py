from __future__ import annotations

import re

import cv2
import numpy as np
import pytest

from domain.picture import Enhanced, Finding, FindingCode, FindingLevel, possible_findings
from domain.recipe import Recipe
from imaging.engine import LocalEnhancer
from imaging.scene import ORIGINAL
from tests.imaging.photos import MAIN, disc, encoded


def said(made: Enhanced) -> dict[FindingCode, Finding]:
    return {found.code: found for found in (*made.findings, *made.pictures[0].findings)}


@pytest.mark.parametrize(("code", "level"), sorted(possible_findings()))
def test_every_finding_renders_as_a_sentence(code: FindingCode, level: FindingLevel) -> None:
    sentence = Finding(code, level, measured=0.5, wanted=0.9, detail="left").sentence
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_every_finding_of_a_real_picture_renders(enhancer: LocalEnhancer) -> None:
    for found in said(enhancer.enhance_photo(encoded(disc()), Recipe(), [MAIN])).values():
        assert (found.code, found.level) in possible_findings()
        assert re.match(r"[A-Z].*\.$", found.sentence)


def test_good_photo_gets_no_warning(enhancer: LocalEnhancer) -> None:
    photo = encoded(disc(1600, 1200, centre=(800, 600), radius=450, ground=(225, 225, 222)))
    made = enhancer.enhance_photo(photo, Recipe(), [MAIN])
    assert [found for found in said(made).values() if found.level is FindingLevel.WARNING] == []


def test_dark_photo_is_brightened_and_warned_about(enhancer: LocalEnhancer) -> None:
    dark = (disc() * 0.35).astype(np.uint8)
    found = said(enhancer.enhance_photo(encoded(dark), Recipe(), [MAIN]))
    assert found[FindingCode.EXPOSURE].level is FindingLevel.NOTE
    assert found[FindingCode.DARK].level is FindingLevel.WARNING


def test_black_product_in_good_light_stays_black(enhancer: LocalEnhancer) -> None:
    black = disc(ground=(235, 235, 232)).astype(int)
    is_disc = (black[..., :1] - black[..., 1:2]) > 85
    photo = np.where(is_disc, 25, black).clip(0, 255).astype(np.uint8)
    assert said(enhancer.enhance_photo(encoded(photo), Recipe(), [MAIN]))[FindingCode.EXPOSURE].measured == 0


def test_burnt_out_product_is_found(enhancer: LocalEnhancer) -> None:
    photo = disc()
    rows, columns = np.mgrid[:480, :640]
    photo[np.hypot(columns - 300, rows - 230) < 50] = 255
    matte = np.where(np.hypot(columns - 300, rows - 250) < 110, 255, 0).astype(np.uint8)  # so that the hole stays in
    cut_out = encoded(np.dstack([photo, matte]), "PNG")
    clipped = said(enhancer.enhance_photo(cut_out, Recipe(), [MAIN]))[FindingCode.CLIPPED]
    assert clipped.measured == pytest.approx(50**2 / 110**2, abs=0.02)


def test_blurred_photo_is_found(enhancer: LocalEnhancer) -> None:
    sharp = disc(1600, 1200, centre=(800, 600), radius=400)
    assert FindingCode.BLURRED not in said(enhancer.enhance_photo(encoded(sharp), Recipe(), [MAIN]))
    blurred = cv2.GaussianBlur(sharp, (0, 0), 9)
    assert FindingCode.BLURRED in said(enhancer.enhance_photo(encoded(blurred), Recipe(), [MAIN]))


@pytest.mark.parametrize(("radius", "level"), [(110, FindingLevel.WARNING), (300, FindingLevel.NOTE), (420, None)])
def test_enlarging_is_counted(enhancer: LocalEnhancer, radius: int, level: FindingLevel | None) -> None:
    photo = encoded(disc(1200, 1000, centre=(600, 500), radius=radius))
    found = said(enhancer.enhance_photo(photo, Recipe(), [MAIN])).get(FindingCode.ENLARGED)
    assert (found.level if found else None) is level
    if found:
        assert found.measured == pytest.approx(870 / (2 * radius), rel=0.02)


def test_kept_frame_has_no_fill_to_judge(enhancer: LocalEnhancer) -> None:
    found = said(enhancer.enhance_photo(encoded(disc()), Recipe(), [ORIGINAL]))
    assert FindingCode.FILL not in found
    assert found[FindingCode.SIZE].detail == "640 × 480"
