"""The edge's own alpha and colour, on composites made of known parts."""

from __future__ import annotations

import numpy as np
import pytest

from imaging.codec import AlphaU8, PixelsU8, scaled
from imaging.edge import own_edge, sides_of
from imaging.matting import without_haze

SIZE = 400
PRODUCT = np.array([190.0, 40, 45])
BEHIND = np.array([90.0, 110, 120])


def soft_disc(radius: float, softness: float = 3.0) -> AlphaU8:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    inside = np.clip((radius - np.hypot(columns - 200, rows - 200)) / softness + 0.5, 0, 1)
    return (inside * 255 + 0.5).astype(np.uint8)


def photo_of(alpha: AlphaU8, *, product: PixelsU8 = PRODUCT, behind: PixelsU8 = BEHIND) -> PixelsU8:
    share = alpha[..., None] / 255
    noise = np.random.default_rng(3).normal(0, 2, (SIZE, SIZE, 3))
    return np.clip(product * share + behind * (1 - share) + noise, 0, 255).astype(np.uint8)


def edged(photo: PixelsU8, alpha: AlphaU8) -> tuple[PixelsU8, AlphaU8]:
    return own_edge(photo, alpha, sides_of(photo, alpha))


def apart(one: AlphaU8, other: AlphaU8, band: AlphaU8) -> float:
    return float(np.abs(one.astype(float) - other)[band].mean() / 255)


@pytest.mark.parametrize("outwards_px", [1.5, -1.5])
def test_edge_that_runs_beside_the_colours_is_brought_back_to_them(outwards_px: float) -> None:
    truth, masked = soft_disc(120), soft_disc(120 + outwards_px)
    _, corrected = edged(photo_of(truth), masked)
    band = (truth > 12) & (truth < 243)
    assert apart(masked, truth, band) > 0.3
    assert apart(corrected, truth, band) < 0.6 * apart(masked, truth, band)
    away = np.abs(np.hypot(*(np.mgrid[:SIZE, :SIZE] - 200)) - 120) > 12
    assert (corrected[away] == masked[away]).all()


def test_colours_that_do_not_differ_move_nothing() -> None:
    truth, masked = soft_disc(120), soft_disc(122)
    _, corrected = edged(photo_of(truth, behind=PRODUCT + 3), masked)
    assert np.abs(corrected.astype(int) - masked).max() <= 12


def test_mixed_textures_are_not_trusted() -> None:
    truth, masked = soft_disc(120), soft_disc(122)
    speckle = np.random.default_rng(5).random((SIZE, SIZE, 1)) > 0.5
    both = np.where(speckle, PRODUCT, BEHIND)
    _, corrected = edged(photo_of(truth, product=both, behind=both), masked)
    band = (masked > 12) & (masked < 243)
    assert apart(corrected, masked, band) < 0.05


def test_old_background_is_taken_out_of_the_edges_colour() -> None:
    truth = soft_disc(120, softness=6)
    pixels, _ = edged(photo_of(truth), truth)
    band = (truth > 60) & (truth < 200)
    before = np.linalg.norm(photo_of(truth)[band] - PRODUCT, axis=1).mean()
    after = np.linalg.norm(pixels[band] - PRODUCT, axis=1).mean()
    assert after < before / 6


def test_solid_pixels_stay_as_photographed_and_a_clear_photo_has_no_edge() -> None:
    truth = soft_disc(120)
    photo = photo_of(truth)
    pixels, corrected = edged(photo, truth)
    solid = (truth == 255) & (corrected == 255)
    assert (pixels[solid] == photo[solid]).all()
    nothing = np.zeros_like(truth)
    assert edged(photo, nothing)[1].max() == 0


def test_sides_seen_at_half_the_size_tell_the_same_edge() -> None:
    truth, masked = soft_disc(120), soft_disc(121.5)
    photo = photo_of(truth)
    small_photo, small_masked = scaled(photo, SIZE // 2, SIZE // 2), scaled(masked, SIZE // 2, SIZE // 2)
    _, corrected = own_edge(photo, masked, sides_of(small_photo, small_masked))
    band = (truth > 12) & (truth < 243)
    assert apart(corrected, truth, band) < 0.6 * apart(masked, truth, band)


@pytest.mark.parametrize(("faint", "stays"), [(30, False), (110, True)])
def test_haze_in_a_hole_goes_and_a_half_seen_part_stays(faint: int, *, stays: bool) -> None:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    away = np.hypot(columns - 200, rows - 200)
    alpha = np.where(away < 150, 255, 0).astype(np.uint8)
    alpha[away < 60] = faint
    alpha[10:14, 10:14] = 60
    cleaned = without_haze(alpha)
    assert cleaned[200, 200] == (faint if stays else 0)
    assert cleaned[12, 12] == 0
    ring = (away > 65) & (away < 145)
    assert (cleaned[ring] == 255).all()
