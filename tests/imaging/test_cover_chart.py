"""The chart of a digest: every bar is as long as it says, and a level is a shape as well as a colour."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from domain.stock_chart import CoverBar, CoverChart, axis_days
from imaging.codec import PixelsU8
from imaging.cover_chart import BAR_PX, FOOT_PX, MARGIN_PX, ROW_PX, SAID_PX, TOP_PX, WIDTH_PX, draw_cover

LEFT, RIGHT = MARGIN_PX + 44, WIDTH_PX - MARGIN_PX - SAID_PX
MIDDLE = TOP_PX + 44 + BAR_PX // 2


def drawn(*bars: CoverBar) -> PixelsU8:
    chart = CoverChart("Days until it is gone", "days", "delivery, if ordered today", "gone", bars)
    return np.asarray(Image.open(io.BytesIO(draw_cover(chart))).convert("RGB"))


def bar(
    level: str = "low", early: int | None = 7, late: int | None = 14, *, lead: int = 99, label: str = "Mug"
) -> CoverBar:
    return CoverBar(label, "MUG-01", level, early, late, lead)


def days_of(row: PixelsU8, days: int) -> float:
    """How far the whole colour reaches from the left, in days."""
    line = row[MIDDLE, LEFT + 1 : RIGHT]
    same = np.all(np.abs(line.astype(int) - line[0]) < 8, axis=1)
    return float(np.argmin(same) if not same.all() else same.size) / (RIGHT - LEFT) * days


@pytest.mark.parametrize("early", [3, 7, 12])
def test_a_bar_is_solid_until_the_first_date_and_hatched_until_the_second(early: int) -> None:
    one = bar(early=early, late=14, lead=14)
    pixels = drawn(one)
    days = axis_days([one])
    assert days == 14
    assert days_of(pixels, days) == pytest.approx(early, abs=0.3)
    span = pixels[MIDDLE - BAR_PX // 2 + 3 : MIDDLE + BAR_PX // 2 - 3]
    hatched = span[:, round(LEFT + (RIGHT - LEFT) * early / days) + 6 : RIGHT - 14]
    assert hatched.std(axis=(0, 1)).max() > 20


def test_the_size_follows_the_products_and_fits_a_phone() -> None:
    assert drawn(bar()).shape == (TOP_PX + ROW_PX + FOOT_PX, WIDTH_PX, 3)
    assert drawn(*[bar()] * 8).shape == (TOP_PX + 8 * ROW_PX + FOOT_PX, WIDTH_PX, 3)


def test_levels_have_shapes_that_differ_without_colours() -> None:
    shapes = []
    for level in ("out", "critical", "low", "watch"):
        corner = drawn(bar(level))[MIDDLE - 18 : MIDDLE + 18, MARGIN_PX - 4 : MARGIN_PX + 32]
        shapes.append(corner.min(axis=2) < 200)
    for first in range(4):
        for second in range(first):
            assert (shapes[first] ^ shapes[second]).mean() > 0.08, (first, second)


def test_the_delivery_is_marked_where_it_falls() -> None:
    marked, plain = drawn(bar(lead=7, early=12)), drawn(bar(lead=99, early=12, late=14))
    at = LEFT + (RIGHT - LEFT) * 7 // axis_days([bar(lead=7, early=12)])
    assert marked[MIDDLE, at - 1 : at + 2].max() < 80
    assert plain[MIDDLE, at].max() > 80


def test_umlauts_are_letters_and_what_the_font_has_not_is_the_sku() -> None:
    def title(label: str) -> PixelsU8:
        return drawn(bar(label=label))[TOP_PX : TOP_PX + 40, LEFT:RIGHT]

    assert not np.array_equal(title("ü"), title("ß"))
    assert np.array_equal(title("茶碗"), title("MUG-01"))
    assert np.array_equal(title("Mug 🍵"), title("MUG-01"))


def test_what_lasts_beyond_the_axis_is_full_and_what_is_out_has_no_bar() -> None:
    full = drawn(bar(early=None, late=None, lead=10))
    assert days_of(full, axis_days([bar(early=None, late=None, lead=10)])) == pytest.approx(
        10, abs=0.5
    )  # up to the mark
    gone = drawn(bar("out", 0, 0, lead=99))
    assert gone[MIDDLE, LEFT + 20].min() > 235


def test_a_label_of_any_length_is_cut() -> None:
    assert drawn(bar(label="mug " * 400)).shape == drawn(bar()).shape
