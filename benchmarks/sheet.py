"""The contact sheet: every photo in a row of before, and for each engine mask, result and halo heat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from imaging.codec import AlphaU8, PixelsU8, SoftF32, shrunk

PANEL_PX = 176
_LABEL_PX = 30
_GAP_PX = 4
_BLOCKS = 3
_PAPER, _INK, _ALARM = (246, 246, 244), (40, 40, 44), (190, 30, 30)


@dataclass(frozen=True, slots=True)
class Look:
    """What one engine made of a photo: small pictures and a line of words; `alarm` prints it in red."""

    mask: AlphaU8
    result: PixelsU8
    heat: SoftF32
    words: str
    alarm: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One photo of the sheet."""

    name: str
    before: PixelsU8
    looks: tuple[Look, ...]


def draw_sheet(lines: Sequence[Line]) -> Image.Image:
    """Return the sheet, the photos in as many blocks beside each other as make it about square."""
    panels = 1 + 3 * len(lines[0].looks)
    block_px = panels * (PANEL_PX + _GAP_PX) + 3 * _GAP_PX
    line_px = PANEL_PX + _LABEL_PX
    per_block = -(-len(lines) // _BLOCKS)
    sheet = Image.new("RGB", (_BLOCKS * block_px, per_block * line_px), _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    for index, line in enumerate(lines):
        left, top = index // per_block * block_px + _GAP_PX, index % per_block * line_px
        _paste(sheet, line.before, left, top)
        draw.text((left, top + PANEL_PX + 2), line.name, fill=_INK, font=font)
        for number, look in enumerate(line.looks):
            at = left + (1 + 3 * number) * (PANEL_PX + _GAP_PX)
            for step, picture in enumerate((look.mask, look.result, coloured(look.heat))):
                _paste(sheet, picture, at + step * (PANEL_PX + _GAP_PX), top)
            draw.text((at, top + PANEL_PX + 2), look.words, fill=_ALARM if look.alarm else _INK, font=font)
    return sheet


def coloured(heat: SoftF32) -> PixelsU8:
    """Return 0..1 as black through red to yellow, RGB."""
    levels = (np.clip(heat, 0, 1) * 255).astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_HOT), cv2.COLOR_BGR2RGB)


def _paste(sheet: Image.Image, picture: PixelsU8, left: int, top: int) -> None:
    small = shrunk(picture, PANEL_PX)
    height, width = small.shape[:2]
    sheet.paste(Image.fromarray(small).convert("RGB"), (left + (PANEL_PX - width) // 2, top + (PANEL_PX - height) // 2))
