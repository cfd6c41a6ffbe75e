"""Sweep, reflection and margin: what a seller can ask of the scene, and what a platform makes of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from domain.picture import FindingCode, FindingLevel, Picture
from domain.recipe import GRADIENT, TRANSPARENT, PictureRules, Recipe, Shadow, WhiteFrom
from imaging.codec import PixelsU8
from imaging.engine import LocalEnhancer
from imaging.scene import ORIGINAL, SQUARE, Box, Framing, composed
from tests.imaging.photos import FREE, MAIN, disc, encoded, rgba, seen

AS_PHOTOGRAPHED = Recipe(brightness_stops=0, white=WhiteFrom("off"))
ROOMY = replace(SQUARE, size_px=(1000, 1000), fill=0.6, fill_least=0.5, shadow=Shadow.NONE)


def mug(*, base: tuple[int, int, int] = (30, 60, 190)) -> bytes:
    """A red cylinder seen from the front, its lowest fifth in another colour, on a grey table."""
    photo = disc(ground=(150, 150, 150), radius=0).copy()
    photo[120:330, 220:400] = (200, 30, 35)
    photo[290:330, 220:400] = base
    return encoded(cv2.GaussianBlur(photo, (0, 0), 0.8))


def made(enhancer: LocalEnhancer, recipe: Recipe, rules: PictureRules, photo: bytes | None = None) -> Picture:
    return enhancer.enhance_photo(photo or mug(), recipe, [rules]).pictures[0]


def levels(picture: Picture, code: FindingCode) -> list[FindingLevel]:
    return [found.level for found in picture.findings if found.code is code]


def test_sweep_is_neutral_light_darker_above_and_has_no_step(enhancer: LocalEnhancer) -> None:
    recipe = replace(AS_PHOTOGRAPHED, background=GRADIENT, shadow=Shadow.NONE)
    pixels = seen(made(enhancer, recipe, ROOMY).content).astype(int)
    beside = pixels[:, 20:120]
    assert (beside.max(axis=2) - beside.min(axis=2)).mean() < 1
    down = beside.mean(axis=(1, 2))
    assert 195 < down[:50].mean() < down[-50:].mean() - 15
    assert down[-50:].mean() < 252
    assert np.abs(np.diff(cv2.blur(down[:, None], (1, 9)).ravel())).max() < 1, "no horizon, no bands"


def test_sweep_is_refused_where_only_white_is_allowed_and_that_is_said(enhancer: LocalEnhancer) -> None:
    picture = made(enhancer, Recipe(background=GRADIENT, shadow=Shadow.REFLECTION), MAIN)
    assert (seen(picture.content)[0, 0] == 255).all()
    assert levels(picture, FindingCode.BACKGROUND_REPLACED) == [FindingLevel.NOTE]
    assert levels(picture, FindingCode.SHADOW_DROPPED) == [FindingLevel.NOTE]


def below(pixels: PixelsU8) -> tuple[PixelsU8, int]:
    """The middle columns' mean colour row by row from the ground on, and the ground's row."""
    product = np.abs(pixels.astype(int) - 255).max(axis=2) > 140
    ground = int(np.nonzero(product[:, 480:520].all(axis=1))[0][-1])
    return pixels[ground:, 480:520].astype(int).mean(axis=1), ground


def test_reflection_has_the_base_s_colour_fades_and_leaves_the_rim_white(enhancer: LocalEnhancer) -> None:
    pixels = seen(made(enhancer, replace(AS_PHOTOGRAPHED, shadow=Shadow.REFLECTION), ROOMY).content)
    fall, ground = below(pixels)
    near = fall[14:30].mean(axis=0)
    assert near[2] > near[0] + 12, "blue as the base, not red as the top"
    light = fall[14:160].mean(axis=1)
    assert (np.diff(cv2.blur(light[:, None], (1, 9)).ravel()) > -1).all(), "only lighter with the distance"
    assert light[-1] > 250
    rim = np.concatenate([pixels[:10].ravel(), pixels[-10:].ravel(), pixels[:, :10].ravel(), pixels[:, -10:].ravel()])
    assert (rim == 255).all()
    assert (pixels[: ground // 2, :100] == 255).all(), "nothing mirrors upwards"


def test_reflection_is_weaker_than_what_it_mirrors(enhancer: LocalEnhancer) -> None:
    pixels = seen(made(enhancer, replace(AS_PHOTOGRAPHED, shadow=Shadow.REFLECTION), ROOMY).content)
    fall, _ = below(pixels)
    base = fall[:1].mean(axis=0)
    assert (255 - fall[20:30].mean(axis=0)).max() < 0.6 * (255 - base).max()


def test_transparent_reflection_is_see_through_and_keeps_its_colour(enhancer: LocalEnhancer) -> None:
    recipe = replace(AS_PHOTOGRAPHED, background=TRANSPARENT, shadow=Shadow.REFLECTION)
    picture = rgba(made(enhancer, recipe, ROOMY).content).astype(int)
    column = picture[:, 500]
    ground = int(np.nonzero(column[:, 3] > 240)[0][-1])
    reflected = column[ground + 16 : ground + 28]
    assert (reflected[:, 3] > 10).all()
    assert (reflected[:, 3] < 160).all()
    assert (reflected[:, 2] > reflected[:, 0]).all()
    assert column[-1, 3] == 0


@pytest.mark.parametrize("percent", [5.0, 15.0, 30.0])
def test_margin_is_what_was_asked_for(enhancer: LocalEnhancer, percent: float) -> None:
    picture = made(enhancer, Recipe(margin_percent=percent, shadow=Shadow.NONE), FREE, encoded(disc()))
    pixels = seen(picture.content).astype(int)
    rows = np.nonzero((pixels.min(axis=2) < 180).any(axis=1))[0]
    assert (rows[-1] - rows[0] + 1) / 600 == pytest.approx(1 - 2 * percent / 100, abs=0.015)


def test_margin_a_store_does_not_want_is_a_finding(enhancer: LocalEnhancer) -> None:
    assert levels(made(enhancer, Recipe(margin_percent=30), MAIN), FindingCode.FILL) == [FindingLevel.WARNING]
    assert levels(made(enhancer, Recipe(margin_percent=7), MAIN), FindingCode.FILL) == [FindingLevel.OK]


def test_kept_frame_knows_no_margin(enhancer: LocalEnhancer) -> None:
    plain, asked = (made(enhancer, Recipe(margin_percent=percent), ORIGINAL) for percent in (None, 20.0))
    assert plain.content == asked.content


def test_soft_pool_stays_under_what_stands_on_the_ground(enhancer: LocalEnhancer) -> None:
    photo = disc(ground=(150, 150, 150), radius=0).copy()
    photo[120:330, 180:300] = (200, 30, 35)
    photo[180:210, 300:440] = (200, 30, 35)  # a spout, high above the ground
    matte = np.where(photo[..., 1] < 100, 255, 0).astype(np.uint8)  # so that no engine leaves the spout out
    rules = replace(ROOMY, shadow=Shadow.SOFT)
    photo_of_it = encoded(np.dstack([photo, matte]), "PNG")
    pixels = seen(made(enhancer, AS_PHOTOGRAPHED, rules, photo_of_it).content).astype(int)
    product = pixels[..., 1] < 120
    rows, columns = np.nonzero(product.any(axis=1))[0], np.nonzero(product.any(axis=0))[0]
    under_body = pixels[rows[-1] + 12, columns[0] + 120].mean()
    under_spout = pixels[rows[-1] + 12, columns[-1] - 60].mean()
    assert under_body < 235
    assert under_spout > 250


def test_laying_over_in_tiles_is_the_same_as_in_one_piece() -> None:
    rows, columns = np.mgrid[:250, :310]
    alpha = np.clip(255 * (1.2 - np.hypot(columns - 150, rows - 120) / 100), 0, 255).astype(np.uint8)
    noise = np.random.default_rng(4)
    pixels, behind = (noise.integers(0, 256, (*size, 3), dtype=np.uint8) for size in (alpha.shape, (280, 300)))
    framing = Framing(300, 280, 1.0, -7.0, 12.0, Box(0, 0, 310, 250))
    share = alpha[:, 7:307, None] / 255
    wanted = behind.astype(float)
    wanted[12:262] = pixels[:, 7:307] * share + behind[12:262] * (1 - share)
    laid = composed(framing, pixels, alpha, behind.copy())
    assert np.abs(laid - wanted).max() <= 0.51
    assert (laid[:12] == behind[:12]).all()


def test_product_s_crop_can_be_halved_and_stays_inside_the_photo() -> None:
    crop = Box(101, 203.4, 900.2, 777).grown(1203, 805)
    assert all(side % 8 == 0 for side in (crop.left, crop.top, crop.right))
    assert (crop.left, crop.top) <= (101 - 8, 203 - 8)
    assert crop.bottom == 805
