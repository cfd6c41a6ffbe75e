"""What a person looks at before deciding: before and after at the same spot, and both side by side.

`before` shows the photo through the finished picture's own placement, so a slider laid over the two
uncovers the same product. Where the canvas reaches past the photo, the photo's edge goes on, blurred.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from imaging.codec import AlphaU8, PixelsU8, encode_jpeg, scaled, shrunk
from imaging.scene import Box, Framing

LONG_SIDE_PX = 1024
QUALITY = 85
_PAPER = (246, 246, 244)
_INK = (70, 70, 74)
_MARGIN_PX = 20
_LABEL_PX = 40
_PANEL_LONG_SIDE_PX = 620
_MAX_BYTES = 4_000_000


def before_in(framing: Framing, photo: PixelsU8) -> PixelsU8:
    """Return the photo, at most LONG_SIDE_PX, with the product at the spot it has in the finished picture."""
    width, height = _slider_size(framing.canvas_width, framing.canvas_height)
    return _seen_through(framing, photo, width=width, height=height)


def after_of(finished: PixelsU8) -> PixelsU8:
    """Return the finished picture at the size of `before_in`."""
    return scaled(finished, *_slider_size(finished.shape[1], finished.shape[0]))


def _slider_size(width: int, height: int) -> tuple[int, int]:
    whole_factor = -(-max(width, height) // LONG_SIDE_PX)
    return width // whole_factor, height // whole_factor


def side_by_side(before: PixelsU8, after: PixelsU8) -> bytes:
    """Return one labelled JPEG of both."""
    from PIL import ImageDraw, ImageFont  # late: 5 ms of importing the room

    left, right = shrunk(before, _PANEL_LONG_SIDE_PX), shrunk(after, _PANEL_LONG_SIDE_PX)
    height, width = left.shape[:2]
    sheet = Image.new("RGB", (2 * width + 3 * _MARGIN_PX, height + 2 * _MARGIN_PX + _LABEL_PX), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=20)
    for index, (panel, label) in enumerate(((left, "Before"), (right, "After"))):
        at = _MARGIN_PX + index * (width + _MARGIN_PX)
        sheet.paste(Image.fromarray(panel), (at, _MARGIN_PX + _LABEL_PX))
        draw.text((at, _MARGIN_PX + _LABEL_PX / 2 - 6), label, fill=_INK, font=font, anchor="lm")
    return encode_jpeg(np.asarray(sheet), max_bytes=_MAX_BYTES, quality=QUALITY)


def as_jpeg(pixels: PixelsU8) -> bytes:
    """Return one half of the slider."""
    return encode_jpeg(pixels, max_bytes=_MAX_BYTES, quality=QUALITY)


def on_checkerboard(rgb: PixelsU8, alpha: AlphaU8) -> PixelsU8:
    """Return a transparent picture as people know it, over pale squares; for looking at, not for publishing."""
    height, width = alpha.shape
    square = max(8, max(height, width) // 48)
    rows, columns = np.arange(height) // square, np.arange(width) // square
    board = np.where((rows[:, None] + columns[None]) % 2 == 0, 255, 236).astype(np.uint8)
    share = alpha.astype(np.float32) / 255
    return cv2.blendLinear(np.ascontiguousarray(rgb), cv2.cvtColor(board, cv2.COLOR_GRAY2RGB), share, 1 - share)


def _seen_through(framing: Framing, photo: PixelsU8, *, width: int, height: int) -> PixelsU8:
    """Return the photo as the finished picture's window shows it, at width × height."""
    photo_height, photo_width = photo.shape[:2]
    ratio = width / framing.canvas_width
    scale, shift_x, shift_y = framing.scale * ratio, framing.shift_x * ratio, framing.shift_y * ratio
    visible = Box(
        max(0, int(-shift_x / scale)),
        max(0, int(-shift_y / scale)),
        min(photo_width, int(np.ceil((width - shift_x) / scale))),
        min(photo_height, int(np.ceil((height - shift_y) / scale))),
    )
    left, top = round(visible.left * scale + shift_x), round(visible.top * scale + shift_y)
    size = max(1, round(visible.width * scale)), max(1, round(visible.height * scale))
    seen = scaled(visible.of(photo), *size)
    # A pixel too many from rounding is cut, what is missing is filled from the photo's edge.
    seen = seen[max(0, -top) : height - top, max(0, -left) : width - left]
    top, left = max(0, top), max(0, left)
    below, beside = height - top - seen.shape[0], width - left - seen.shape[1]
    if not (top or left or below or beside):
        return seen
    extended = cv2.copyMakeBorder(seen, top, below, left, beside, cv2.BORDER_REPLICATE)
    blurred = _strongly_blurred(extended)
    blurred[top : height - below, left : width - beside] = seen
    return blurred


def _strongly_blurred(pixels: PixelsU8) -> PixelsU8:
    """Blur at a sixteenth of the size: nobody is to take the extension for a part of the photo."""
    height, width = pixels.shape[:2]
    tiny = cv2.resize(pixels, (max(2, width // 16), max(2, height // 16)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(tiny, (0, 0), 2), (width, height), interpolation=cv2.INTER_CUBIC)
