"""The benchmark's measures, on pictures whose answer is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import measures


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_colour_distance_is_the_published_one(one: tuple[float, ...], other: tuple[float, ...], apart: float) -> None:
    """Pairs of the test data of Sharma, Wu and Dalal (2005), table 1."""
    assert measures.delta_e_lab(np.array([one]), np.array([other]))[0] == pytest.approx(apart, abs=1e-4)


def circle(centre: float, radius: float) -> measures.AlphaU8:
    rows, columns = np.mgrid[:200, :200]
    inside = np.clip(radius - np.hypot(columns - centre, rows - 100) + 0.5, 0, 1)
    return (inside * 255).astype(np.uint8)


def test_overlap_and_edge_know_the_same_from_the_shifted() -> None:
    truth = circle(100, 50)
    assert measures.overlap(truth, truth) == measures.boundary_f(truth, truth) == 1
    assert measures.overlap(circle(110, 50), truth) == pytest.approx(0.775, abs=0.02)
    assert measures.boundary_f(circle(110, 50), truth) < 0.3


@pytest.mark.parametrize("left", [0.0, 0.3])
def test_halo_is_the_share_of_the_old_background_left_in_the_edge(left: float) -> None:
    alpha = circle(100, 50) / 255.0
    product, behind = np.full((200, 200, 3), (200.0, 30, 35)), np.full((200, 200, 3), (20.0, 120, 20))
    share = alpha[..., None]
    ideal = product * share + 255 * (1 - share)
    made = (product * (1 - left) + behind * left) * share + 255 * (1 - share)
    found = measures.halo(made, ideal, alpha, product=product, behind=behind)
    in_band = alpha[(alpha > 0.05) & (alpha < 0.95)]
    assert len(found) == len(in_band) > 100
    assert found == pytest.approx(left * in_band, abs=1e-6)


def test_shadow_above_all_is_no_shadow() -> None:
    alpha = np.zeros((400, 400), np.uint8)
    alpha[100:300, 150:250] = 255
    white = np.full((400, 400, 3), 255, np.uint8)
    assert measures.shadow_faults(white, alpha) == ["none to see"]
    fading = white.copy()
    fading[300:360] = np.linspace(150, 255, 60).astype(np.uint8)[:, None, None]
    assert measures.shadow_faults(fading, alpha) == []
    tinted = fading.copy()
    tinted[300:360, :, 2] = np.minimum(255, tinted[300:360, :, 2] + 20)
    assert measures.shadow_faults(tinted, alpha) == ["not neutral"]
