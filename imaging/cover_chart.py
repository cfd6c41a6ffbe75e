"""The small picture of a digest: a bar a product, as long as it probably lasts, with the delivery as a mark on it.

Read on a phone it is a third of its size, so nothing is smaller than 28 px. A level is a shape, a bar's uncertain part
is hatched: colours only help (Okabe and Ito's, which people with any colour vision tell apart).
"""

from __future__ import annotations

import asyncio
import io
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from domain.stock_chart import CoverBar, CoverChart, axis_days

FONT: Final = Path(__file__).parent / "fonts" / "DejaVuSansCondensed.ttf"
"""Latin, Greek and Cyrillic letters; see LICENSE-DejaVu.txt beside it."""
KNOWN_BELOW: Final = 0x0590
"""A label with characters from here on (Hebrew, Arabic, Chinese, emoji) is replaced by the SKU: no font of ours has them."""
WIDTH_PX: Final = 1000
MARGIN_PX: Final = 40
ROW_PX: Final = 104
TOP_PX: Final = 96
FOOT_PX: Final = 116
BAR_PX: Final = 34
SAID_PX: Final = 148
"""The room at a bar's right for its days in words."""
SHARP: Final = 2
"""Drawn so many times larger and shrunk, which smooths the edges."""

_INK, _DIM, _LINE, _PAPER = (32, 33, 36), (95, 99, 104), (223, 225, 229), (255, 255, 255)
_COLOURS: Final = {"out": (213, 94, 0), "critical": (230, 159, 0), "low": (0, 114, 178), "watch": (86, 180, 233)}
_OTHER: Final = (0, 158, 115)


class PillowCharts:
    """The port `DrawsCharts`, in a thread: a chart takes some 60 ms."""

    async def cover(self, chart: CoverChart) -> bytes:
        """Return a PNG of WIDTH_PX."""
        return await asyncio.to_thread(draw_cover, chart)


def draw_cover(chart: CoverChart) -> bytes:
    """Return the picture; bars that reach beyond the axis end in an arrow."""
    height = TOP_PX + ROW_PX * len(chart.bars) + FOOT_PX
    image = Image.new("RGB", (WIDTH_PX * SHARP, height * SHARP), _PAPER)
    pen = _Pen(ImageDraw.Draw(image))
    pen.text((MARGIN_PX, 28), chart.title, 40, _INK, is_bold=True)
    days = axis_days(chart.bars)
    left, right = MARGIN_PX + 44, WIDTH_PX - MARGIN_PX - SAID_PX
    bottom = TOP_PX + ROW_PX * len(chart.bars)
    for week in range(0, days + 1, 7 if days <= 28 else 14):
        at = left + (right - left) * week / days
        pen.line((at, TOP_PX - 4, at, bottom), _LINE, 2)
        pen.text((at, bottom + 8), str(week), 28, _DIM, anchor="ma")
    pen.text((right + 30, bottom + 8), chart.days, 28, _DIM)
    for number, bar in enumerate(chart.bars):
        _draw_bar(pen, chart, bar, TOP_PX + ROW_PX * number, (left, right), days)
    _draw_mark(pen, left + 6, bottom + 62, 30)
    pen.text((left + 24, bottom + 60), chart.lead, 28, _DIM)
    written = io.BytesIO()
    image.resize((WIDTH_PX, height), Image.Resampling.BOX).save(written, "PNG", optimize=True)
    return written.getvalue()


def _draw_bar(pen: _Pen, chart: CoverChart, bar: CoverBar, top: float, span: tuple[float, float], days: int) -> None:
    left, right = span
    colour = _COLOURS.get(bar.level, _OTHER)
    middle = top + 44 + BAR_PX / 2
    pen.shape(bar.level, MARGIN_PX + 14, middle, colour)
    pen.text((left, top + 2), _label(bar), 32, _INK, most_px=WIDTH_PX - MARGIN_PX - left)

    def at(day: int) -> float:
        return left + (right - left) * min(day, days) / days

    is_longer = bar.early_days is None or bar.early_days > days
    solid = right if is_longer else at(bar.early_days or 0)
    end = right if bar.late_days is None or bar.late_days > days else at(bar.late_days)
    pen.box((left, middle - BAR_PX / 2, right, middle + BAR_PX / 2), (243, 244, 246))
    if solid > left:
        pen.box((left, middle - BAR_PX / 2, solid, middle + BAR_PX / 2), colour)
    if end > solid:
        pen.hatched((solid, middle - BAR_PX / 2, end, middle + BAR_PX / 2), colour)
    if bar.lead_days <= days:
        _draw_mark(pen, at(bar.lead_days), middle - BAR_PX / 2 - 5, BAR_PX + 10)
    pen.text(
        (right + 14, middle),
        _said(chart, bar, days),
        32,
        _INK,
        anchor="lm",
        is_bold=True,
        most_px=SAID_PX + MARGIN_PX - 18,
    )


def _label(bar: CoverBar) -> str:
    return bar.label if all(ord(char) < KNOWN_BELOW or char in "–—’“”…·" for char in bar.label) else bar.sku


def _said(chart: CoverChart, bar: CoverBar, days: int) -> str:
    if bar.level == "out" or bar.late_days == 0:
        return chart.out
    if bar.early_days is None or bar.early_days > 10 * days:
        return f"> {days}"
    if bar.late_days is None:
        return f"{bar.early_days}+"
    return str(bar.early_days) if bar.early_days == bar.late_days else f"{bar.early_days}–{bar.late_days}"


def _draw_mark(pen: _Pen, x: float, top: float, height: float) -> None:
    """Where a delivery would be there: a dark stroke with a white edge, so that it shows on every bar."""
    pen.line((x, top, x, top + height), _PAPER, 10)
    pen.line((x, top, x, top + height), _INK, 5)


class _Pen:
    """Draws in the picture's own pixels, whatever it is magnified by meanwhile."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def text(
        self,
        at: tuple[float, float],
        words: str,
        size_px: int,
        colour: tuple[int, int, int],
        *,
        anchor: str = "la",
        is_bold: bool = False,
        most_px: float = WIDTH_PX,
    ) -> None:
        font = _font(size_px * SHARP)
        shown = words
        while shown and self._draw.textlength(shown, font=font) > most_px * SHARP:
            shown = shown[:-2].rstrip("… ") + "…" if len(shown) > 2 else ""
        place = (at[0] * SHARP, at[1] * SHARP)
        self._draw.text(place, shown, font=font, fill=colour, anchor=anchor, stroke_width=SHARP // 2 * is_bold)

    def line(self, ends: tuple[float, float, float, float], colour: tuple[int, int, int], width_px: float) -> None:
        self._draw.line([end * SHARP for end in ends], fill=colour, width=round(width_px * SHARP))

    def box(self, sides: tuple[float, float, float, float], colour: tuple[int, int, int]) -> None:
        self._draw.rectangle([side * SHARP for side in sides], fill=colour)

    def hatched(self, sides: tuple[float, float, float, float], colour: tuple[int, int, int]) -> None:
        """Slanting strokes in a box, each cut where it would leave it."""
        left, top, right, bottom = sides
        self.box(sides, _pale(colour))
        start = left - (bottom - top)
        while start < right:
            first, last = max(start, left), min(start + bottom - top, right)
            if last > first:
                self.line((first, bottom - (first - start), last, bottom - (last - start)), colour, 4)
            start += 14

    def shape(self, level: str, x: float, y: float, colour: tuple[int, int, int]) -> None:
        """A cross for out, a triangle for critical, a diamond for low, else a ring."""
        r = 17.0
        if level == "out":
            self.line((x - r, y - r, x + r, y + r), colour, 9)
            self.line((x - r, y + r, x + r, y - r), colour, 9)
            return
        corners = {
            "critical": ((x, y - r), (x + r, y + r), (x - r, y + r)),
            "low": ((x, y - r), (x + r, y), (x, y + r), (x - r, y)),
        }.get(level)
        if corners is not None:
            self._draw.polygon([(cx * SHARP, cy * SHARP) for cx, cy in corners], fill=colour)
            return
        sides = [(x - r) * SHARP, (y - r) * SHARP, (x + r) * SHARP, (y + r) * SHARP]
        self._draw.ellipse(sides, outline=colour, width=7 * SHARP)


def _pale(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    red, green, blue = ((each + 3 * 255) // 4 for each in colour)
    return red, green, blue


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    # Of our own: the one that comes with Pillow knows no letter beyond English.
    return ImageFont.truetype(str(FONT), size_px)
