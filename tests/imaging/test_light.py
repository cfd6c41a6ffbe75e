"""Light with evidence: what is corrected, by what, and above all what is left alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from domain.picture import Enhanced, Finding, FindingCode, FindingLevel
from domain.recipe import Recipe, WhiteFrom
from imaging.balance import MOST_CHROMA, NO_GAINS, balance_of
from imaging.codec import PixelsU8
from imaging.engine import LocalEnhancer
from imaging.light import Light, level_at, lit
from tests.imaging.photos import MAIN, disc, encoded, seen

CARD = (170, 170, 170)
WARM, COOL = (1.06, 1.0, 0.92), (0.95, 1.0, 1.07)
TOLERANCE = 2.5
"""8-bit levels between the channels of a grey that was corrected: a JPEG's noise and two roundings."""


def in_light(pixels: PixelsU8, gains: tuple[float, float, float]) -> PixelsU8:
    """What a camera makes of a scene in coloured light: factors in linear light, IEC 61966-2-1."""
    encoded_f64 = pixels / 255
    linear = np.where(encoded_f64 <= 0.04045, encoded_f64 / 12.92, ((encoded_f64 + 0.055) / 1.055) ** 2.4) * gains
    out = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.clip(linear, 0, 1) ** (1 / 2.4) - 0.055)
    photo: PixelsU8 = np.clip(np.round(out * 255), 0, 255).astype(np.uint8)
    return photo


def coverage_of(pixels: PixelsU8) -> PixelsU8:
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    return (np.hypot(columns - 300, rows - 250) < 112).astype(np.float32)


def said(made: Enhanced) -> dict[FindingCode, Finding]:
    return {found.code: found for found in made.findings}


@pytest.mark.parametrize("gains", [WARM, COOL])
@pytest.mark.parametrize("card", [(150, 150, 150), CARD, (215, 215, 215)])
def test_known_cast_on_a_grey_card_is_taken_out(gains: tuple[float, float, float], card: tuple[int, int, int]) -> None:
    photo = in_light(disc(ground=card), gains)
    balance = balance_of(photo, coverage_of(photo), WhiteFrom())
    corrected = lit(photo, Light(gains=balance.gains))
    before, after = photo[20:120, 20:620].mean(axis=(0, 1)), corrected[20:120, 20:620].mean(axis=(0, 1))
    assert balance.source == "surface"
    assert np.ptp(before) > 2 * TOLERANCE
    assert np.ptp(after) < TOLERANCE
    luma = np.array([0.2126, 0.7152, 0.0722])
    assert after @ luma == pytest.approx(before @ luma, abs=3), "colour only: the brightness is another step"


def test_finished_picture_carries_the_correction_and_says_so(enhancer: LocalEnhancer) -> None:
    clean = disc(ground=CARD)
    as_it_is = enhancer.enhance_photo(encoded(clean), Recipe(brightness_stops=0), [MAIN])
    cast = enhancer.enhance_photo(encoded(in_light(clean, WARM)), Recipe(brightness_stops=0), [MAIN])
    left = enhancer.enhance_photo(
        encoded(in_light(clean, WARM)), Recipe(brightness_stops=0, white=WhiteFrom("off")), [MAIN]
    )
    truth, mine, uncorrected = (
        seen(made.pictures[0].content)[400:600, 400:600].mean(axis=(0, 1)) for made in (as_it_is, cast, left)
    )
    assert np.abs(mine - truth).max() < 2.5
    assert np.abs(uncorrected - truth).max() > 4
    assert said(cast)[FindingCode.WHITE_BALANCE].level is FindingLevel.NOTE
    assert said(as_it_is)[FindingCode.WHITE_BALANCE].level is FindingLevel.OK
    assert FindingCode.WHITE_BALANCE not in said(left)


@pytest.mark.parametrize(
    "ground", [(250, 245, 235), (240, 230, 215), (225, 235, 245), (250, 230, 235), (230, 242, 232), (90, 130, 90)]
)
def test_coloured_backdrop_is_left_alone(ground: tuple[int, int, int]) -> None:
    photo = disc(ground=ground)
    assert balance_of(photo, coverage_of(photo), WhiteFrom()).gains == NO_GAINS


def test_product_s_own_colour_never_drives_it(enhancer: LocalEnhancer) -> None:
    """A grey product, cast and all, on a ground that tells nothing."""
    photo = disc(ground=(60, 110, 60)).astype(int)
    is_disc = (photo[..., :1] - photo[..., 1:2]) > 60
    grey_product = np.where(is_disc, (190, 180, 168), photo).clip(0, 255).astype(np.uint8)
    made = enhancer.enhance_photo(encoded(grey_product), Recipe(), [MAIN])
    assert FindingCode.WHITE_BALANCE not in said(made)
    balances = [
        balance_of(in_disc(disc(ground=CARD), colour), coverage_of(photo), WhiteFrom())
        for colour in ((20, 20, 200), (230, 220, 190), (180, 180, 180))
    ]
    assert len({balance.gains for balance in balances}) == 1, "whatever the product's colour, the answer is the same"


def in_disc(photo: PixelsU8, colour: tuple[int, int, int]) -> PixelsU8:
    painted = photo.copy()
    painted[coverage_of(photo) > 0.5] = colour
    return painted


def test_surface_that_touches_the_product_only_there_does_not_count() -> None:
    photo = disc(ground=(60, 110, 60))
    rows, columns = np.mgrid[:480, :640]
    photo[np.hypot(columns - 300, rows - 250) < 121] = (190, 186, 178)  # a plate's rim, no farther than its shine
    assert balance_of(photo, coverage_of(photo), WhiteFrom()).source == "none"


def test_texture_two_surfaces_and_doubt_are_no_evidence() -> None:
    photo = in_light(disc(ground=CARD), WARM)
    checks = np.kron(np.indices((48, 64)).sum(axis=0) % 2, np.ones((10, 10), int))[..., None] * 60
    textured = (photo - checks).clip(0, 255).astype(np.uint8)
    assert balance_of(textured, coverage_of(photo), WhiteFrom()).source == "none"
    assert balance_of(photo, None, WhiteFrom()).source == "none"


@pytest.mark.parametrize("stops", [0.0, 0.6])
@pytest.mark.parametrize("gains", [(0.9, 1.0, 1.3), NO_GAINS])
def test_white_stays_white_black_stays_black_and_order_is_kept(stops: float, gains: tuple[float, float, float]) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    out = lit(ramp, Light(stops, gains)).astype(int)
    assert (out[0, 0] == 0).all()
    assert (out[0, 255] == 255).all()
    assert (np.diff(out[0], axis=0) >= 0).all()


def test_spot_a_person_names_is_neutral_even_on_a_coloured_wall(enhancer: LocalEnhancer) -> None:
    photo = disc(ground=(60, 110, 60))
    photo[380:460, 500:620] = 200  # a sheet of paper at the lower right
    tungsten = in_light(photo, (1.25, 1.0, 0.6))
    recipe = Recipe(white=WhiteFrom.parse("88x88"))
    balance = balance_of(tungsten, None, recipe.white)
    corrected = lit(tungsten, Light(gains=balance.gains))
    assert np.ptp(tungsten[420, 560].astype(int)) > 30
    assert np.ptp(corrected[420, 560].astype(int)) <= TOLERANCE
    made = enhancer.enhance_photo(encoded(tungsten), recipe, [MAIN])
    assert said(made)[FindingCode.WHITE_SPOT].level is FindingLevel.NOTE


@pytest.mark.parametrize("level", [(255, 255, 254), (6, 6, 6), (220, 40, 30)])
def test_spot_that_cannot_be_white_is_said_and_changes_nothing(
    enhancer: LocalEnhancer, level: tuple[int, int, int]
) -> None:
    photo = disc()
    photo[380:460, 500:620] = level
    made = enhancer.enhance_photo(encoded(photo), Recipe(white=WhiteFrom("spot", 0.88, 0.88)), [MAIN])
    assert said(made)[FindingCode.WHITE_SPOT].level is FindingLevel.WARNING
    plain = enhancer.enhance_photo(encoded(photo), Recipe(white=WhiteFrom("off")), [MAIN])
    assert made.pictures[0].content == plain.pictures[0].content


def test_brightness_a_person_names_goes_before_what_was_judged(enhancer: LocalEnhancer) -> None:
    dark = encoded((disc() * 0.5).astype(np.uint8))

    def level(recipe: Recipe) -> float:
        made = enhancer.enhance_photo(dark, recipe, [MAIN])
        return float(cv2.cvtColor(seen(made.pictures[0].content), cv2.COLOR_RGB2GRAY)[450:550, 450:550].mean())

    levels = [level(Recipe(brightness_stops=stops)) for stops in (-1.0, 0.0, 0.5, 1.0)]
    assert levels == sorted(levels)
    assert levels[0] < levels[1] - 8
    assert level(Recipe()) > levels[1] + 8, "left to itself it is brightened"
    found = said(enhancer.enhance_photo(dark, Recipe(brightness_stops=0.5), [MAIN]))
    assert found[FindingCode.BRIGHTNESS].measured == 0.5
    assert FindingCode.EXPOSURE not in found


def test_limit_leaves_out_the_paper_colours_sellers_use() -> None:
    lab = cv2.cvtColor(np.array([[(250, 245, 235), (240, 230, 215)]], np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    assert (np.hypot(lab[:, 1], lab[:, 2]) > MOST_CHROMA).all()


def test_level_counts_only_what_it_is_asked_to() -> None:
    levels = np.arange(200, dtype=np.uint8).reshape(10, 20)
    assert level_at(levels, 0.5) == 99
    upper = np.where(levels >= 100, 1, 0).astype(np.uint8)
    assert level_at(levels, 0.5, upper) == 149
    assert level_at(levels, 0.5, np.zeros_like(upper)) == 0
