"""Pictures to talk about: a photo with its parts numbered over a grid, and several pictures side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from domain.hint import FIELDS, Area
from imaging.codec import PixelsU8, decode_own_jpeg, shrunk
from imaging.preview import as_jpeg

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

LONG_SIDE_PX = 1024
"""As large as chats show a picture; the parts' numbers are drawn for this size."""
PANEL_PX = 640
_PAPER, _INK, _WHITE, _MARK = (246, 246, 244), (60, 60, 64), (255, 255, 255), (190, 60, 20)
_GAP_PX = 18
_LABEL_PX = 38


def numbered(photo: PixelsU8, areas: Sequence[Area]) -> bytes:
    """Return a JPEG of the photo, the areas framed and numbered from 1, and the names of `FIELDS` in their corners."""
    from PIL import ImageDraw

    pixels = shrunk(photo, LONG_SIDE_PX)
    if (grow := LONG_SIDE_PX / 2 / max(pixels.shape[:2])) > 1:
        pixels = cv2.resize(pixels, None, fx=grow, fy=grow, interpolation=cv2.INTER_CUBIC)
    height, width = pixels.shape[:2]
    sheet = Image.fromarray(np.ascontiguousarray(pixels))
    draw = ImageDraw.Draw(sheet, "RGBA")
    unit = max(height, width) / LONG_SIDE_PX
    small, large = _font(round(24 * unit)), _font(round(40 * unit))
    for name, field in FIELDS.items():
        draw.rectangle(_pixels(field, width, height), outline=(255, 255, 255, 130), width=max(1, round(2 * unit)))
        _tag(draw, name, (field.left * width + 4 * unit, field.top * height + 4 * unit), small, (0, 0, 0, 120))
    for number, area in enumerate(areas, start=1):
        box = _pixels(area, width, height)
        thick = max(2, round(5 * unit))
        draw.rectangle(_outside(box, thick, width, height), outline=(*_WHITE, 255), width=2 * thick)
        draw.rectangle(_outside(box, thick // 2, width, height), outline=(*_MARK, 255), width=thick)
        radius = 28 * unit
        # Above the part, so that the number does not hide what it is about.
        x = min(max((box[0] + box[2]) / 2, radius), width - radius)
        y = box[1] - radius - thick if box[1] > 2 * radius + thick else min(box[3] + radius + thick, height - radius)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*_MARK, 235), outline=(*_WHITE, 255))
        draw.text((x, y), str(number), font=large, fill=_WHITE, anchor="mm")
    return as_jpeg(np.asarray(sheet))


def beside(pictures: Sequence[tuple[str, bytes]]) -> bytes:
    """Return one JPEG of our own JPEGs, at most PANEL_PX wide each, under their labels; two rows from four on."""
    from PIL import ImageDraw

    panels = [(label, shrunk(decode_own_jpeg(content), PANEL_PX)) for label, content in pictures]
    columns = len(panels) if len(panels) < 4 else -(-len(panels) // 2)
    rows = -(-len(panels) // columns)
    across, down = (max(panel.shape[axis] for _, panel in panels) for axis in (1, 0))
    size = (
        columns * (across + _GAP_PX) + _GAP_PX,
        rows * (down + _LABEL_PX + _GAP_PX) + _GAP_PX,
    )
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, (label, panel) in enumerate(panels):
        left = _GAP_PX + index % columns * (across + _GAP_PX)
        top = _GAP_PX + index // columns * (down + _LABEL_PX + _GAP_PX)
        draw.text((left, top + _LABEL_PX / 2 - 4), label, fill=_INK, font=_font(22), anchor="lm")
        sheet.paste(Image.fromarray(panel), (left, top + _LABEL_PX))
    return as_jpeg(np.asarray(sheet))


def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size=max(10, size_px))


def _tag(
    draw: ImageDraw.ImageDraw,
    words: str,
    at: tuple[float, float],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    behind: tuple[int, int, int, int],
) -> None:
    left, top, right, bottom = draw.textbbox(at, words, font=font)
    draw.rectangle((left - 3, top - 3, right + 3, bottom + 3), fill=behind)
    draw.text(at, words, font=font, fill=_WHITE)


def _pixels(area: Area, width: int, height: int) -> tuple[float, float, float, float]:
    return area.left * width, area.top * height, area.right * width - 1, area.bottom * height - 1


def _outside(
    box: tuple[float, float, float, float], by: float, width: int, height: int
) -> tuple[float, float, float, float]:
    return max(0, box[0] - by), max(0, box[1] - by), min(width - 1, box[2] + by), min(height - 1, box[3] + by)
