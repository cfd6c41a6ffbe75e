"""Where the product stands on the canvas, and what is behind it; what is under it stands in `shadow.py`.

The photo is only ever scaled and shifted, never turned or stretched, so one `Framing` tells where
each of its pixels lands; the preview uses the same one to line up before and after.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from domain.recipe import TRANSPARENT, WHITE, Aspect, PictureRules, Shadow
from imaging.codec import AlphaU8, PixelsU8, SoftF32, scaled

SQUARE = PictureRules(
    name="square", size_px=(2048, 2048), background=WHITE, fill=0.85, fill_least=0.80, shadow=Shadow.CONTACT
)
"""`--for square`: a picture for anywhere."""
ORIGINAL = PictureRules(
    name="original",
    size_px=(0, 0),
    background=TRANSPARENT,
    fill=1.0,
    fill_least=0.0,
    shadow=Shadow.NONE,
    max_bytes=60_000_000,
    keep_frame=True,
)
"""`--for original`: the photo's own frame and size, upright, cut out."""

FRAME_RATIO = 0.01
"""The rim of the canvas that a shadow never reaches and that the white check measures."""
MOST_FILL = 0.95
"""At a scale that a person names: the soft edge and a JPEG's blocks stay out of the white rim."""
_MARGIN_RATIO = 0.04
"""Room around the product's box ÷ its long side, so that soft edges are not cut."""
_GRID_PX = 8
"""Sides of the crop are multiples of it: three halvings keep every pixel in its place."""
_TILE_PX = 96
"""Laid over the backdrop one tile at a time: most are all product or all backdrop, and are only copied."""
_SWEEP_WALL, _SWEEP_FLOOR, _SWEEP_LAMP = 216.0, 244.0, 14.0
"""8-bit grey levels of the studio sweep: the wall at the top, the floor at the bottom, the lamp's pool over both."""
_SWEEP_FROM, _SWEEP_TO = 0.30, 0.78
"""Between these heights (0 at the top) the floor rises into the wall."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in photo pixels, left and top inclusive, right and bottom exclusive; may be fractional."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels down."""
        return self.bottom - self.top

    def grown(self, photo_width: int, photo_height: int) -> Box:
        """Return it with the margin for soft edges, inside the photo, on a grid that `codec.shrunk` can halve."""
        margin = max(8.0, _MARGIN_RATIO * max(self.width, self.height))
        return Box(
            max(0, int(self.left - margin) // _GRID_PX * _GRID_PX),
            max(0, int(self.top - margin) // _GRID_PX * _GRID_PX),
            min(photo_width, -(-int(np.ceil(self.right + margin)) // _GRID_PX) * _GRID_PX),
            min(photo_height, -(-int(np.ceil(self.bottom + margin)) // _GRID_PX) * _GRID_PX),
        )

    def of(self, pixels: PixelsU8) -> PixelsU8:
        """Return this part of the photo, without copying."""
        return pixels[int(self.top) : int(self.bottom), int(self.left) : int(self.right)]


@dataclass(frozen=True, slots=True)
class Framing:
    """photo x → canvas x · `scale` + `shift_x`, and so for y. `crop` is the part of the photo to draw."""

    canvas_width: int
    canvas_height: int
    scale: float
    shift_x: float
    shift_y: float
    crop: Box

    def landing(self, box: Box) -> tuple[int, int, int, int]:
        """Return (left, top, width, height) on the canvas of a box of the photo, in whole pixels."""
        left = round(box.left * self.scale + self.shift_x)
        top = round(box.top * self.scale + self.shift_y)
        return left, top, max(1, round(box.width * self.scale)), max(1, round(box.height * self.scale))


def shaped(rules: PictureRules, aspect: Aspect | None) -> PictureRules:
    """Return the rules with the picture in another shape, its longer side as before."""
    if aspect is None or rules.keep_frame:
        return rules
    across, down = (int(part) for part in aspect.split(":"))
    long_side = max(rules.size_px)
    size_px = round(long_side * across / max(across, down)), round(long_side * down / max(across, down))
    return replace(rules, size_px=size_px)


def frame(
    rules: PictureRules,
    product: Box,
    crop: Box,
    *,
    photo_width: int,
    photo_height: int,
    scale_percent: float | None = None,
) -> Framing:
    """Place the product's box in the middle at the wanted fill or scale, or keep the photo's own frame.

    A scale at which the product would fill more than MOST_FILL is brought down to what fits.
    """
    if rules.keep_frame:
        return Framing(photo_width, photo_height, 1.0, 0.0, 0.0, crop)
    width, height = rules.size_px
    fill = rules.fill if scale_percent is None else MOST_FILL
    scale = min(fill * width / product.width, fill * height / product.height)
    if scale_percent is not None:
        scale = min(scale, scale_percent / 100 * min(width, height) / max(photo_width, photo_height))
    return Framing(
        width,
        height,
        scale,
        width / 2 - scale * (product.left + product.right) / 2,
        height / 2 - scale * (product.top + product.bottom) / 2,
        crop,
    )


def drawn(framing: Framing, photo: PixelsU8) -> PixelsU8:
    """Return the crop at the size it has on the canvas."""
    _, _, width, height = framing.landing(framing.crop)
    return scaled(framing.crop.of(photo), width, height)


def drawn_with_matte(framing: Framing, photo: PixelsU8, matte: AlphaU8) -> tuple[PixelsU8, AlphaU8]:
    """Return the crop and its own alpha at the canvas's size; what hides under α 0 never bleeds in."""
    _, _, width, height = framing.landing(framing.crop)
    colours, share = framing.crop.of(photo), framing.crop.of(matte)
    if share.shape == (height, width):
        return np.ascontiguousarray(colours), np.ascontiguousarray(share)
    interpolation = cv2.INTER_AREA if framing.scale < 1 else cv2.INTER_CUBIC

    def weighted(channel: AlphaU8) -> SoftF32:
        # One channel at a time in 16 bits: all four as floats are 2 GB at 60 megapixels.
        whole = cv2.multiply(channel, share, dtype=cv2.CV_16U)
        return cv2.resize(whole, (width, height), interpolation=interpolation).astype(np.float32)

    full = weighted(np.full_like(share, 255)) / 255
    pixels = np.dstack([weighted(cv2.extractChannel(colours, index)) for index in range(3)])
    pixels /= np.maximum(full, 0.255)[..., None]
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8), np.clip(full + 0.5, 0, 255).astype(np.uint8)


def on_canvas(framing: Framing, alpha: AlphaU8) -> AlphaU8:
    """Return the crop's alpha laid on the whole canvas."""
    canvas = np.zeros((framing.canvas_height, framing.canvas_width), np.uint8)
    into, part = _overlap(framing, alpha)
    canvas[into] = alpha[part]
    return canvas


def composed(framing: Framing, pixels: PixelsU8, alpha: AlphaU8, backdrop: PixelsU8) -> PixelsU8:
    """Lay the crop over the backdrop, in place, and return it. 8-bit, rounded; α 0 and 255 are exact."""
    into, part = _overlap(framing, alpha)
    share, above, below = alpha[part], pixels[part], backdrop[into]
    height, width = share.shape
    for top in range(0, height, _TILE_PX):
        for left in range(0, width, _TILE_PX):
            tile = slice(top, top + _TILE_PX), slice(left, left + _TILE_PX)
            least, most, _, _ = cv2.minMaxLoc(share[tile])
            if least == 255:
                below[tile] = above[tile]
            elif most > 0:
                over = share[tile] * np.float32(1 / 255)
                below[tile] = cv2.blendLinear(
                    np.ascontiguousarray(above[tile]), np.ascontiguousarray(below[tile]), over, 1 - over
                )
    return backdrop


def plain(framing: Framing, rgb: tuple[int, int, int]) -> PixelsU8:
    """Return a canvas of one colour."""
    # Plane by plane: filling interleaved triples takes NumPy twenty times as long.
    return cv2.merge([np.full((framing.canvas_height, framing.canvas_width), value, np.uint8) for value in rgb])


def sweep(framing: Framing) -> PixelsU8:
    """Return a studio's paper sweep: a light floor that rises into a wall a little darker, with no horizon.

    Neutral, and light enough all over that a dark and a white product both stand out from it.
    """
    width, height = framing.canvas_width, framing.canvas_height
    rows = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    columns = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None]
    rise = np.clip((rows - _SWEEP_FROM) / (_SWEEP_TO - _SWEEP_FROM), 0, 1)
    floor = rise * rise * (3 - 2 * rise)
    # The lamp stands over the product: a wide pool of light, and the corners fall off.
    away = ((columns - 0.5) / 0.62) ** 2 + ((rows - 0.52) / 0.70) ** 2
    level = _SWEEP_WALL + (_SWEEP_FLOOR - _SWEEP_WALL) * floor + _SWEEP_LAMP * (np.exp(-away) - 0.5)
    # Grain of half a level, since smooth steps of whole levels show as bands on a good screen.
    grain = np.random.default_rng(1).random((height, width), np.float32)
    grey: AlphaU8 = np.clip(level + grain, 0, 255).astype(np.uint8)
    return cv2.merge([grey, grey, grey])


def fitted(framing: Framing, photo: PixelsU8) -> PixelsU8:
    """Return a backdrop photo covering the canvas, its overhang cut off evenly."""
    height, width = photo.shape[:2]
    scale = max(framing.canvas_width / width, framing.canvas_height / height)
    size = max(framing.canvas_width, round(width * scale)), max(framing.canvas_height, round(height * scale))
    grown = scaled(photo, *size)
    left, top = (size[0] - framing.canvas_width) // 2, (size[1] - framing.canvas_height) // 2
    return grown[top : top + framing.canvas_height, left : left + framing.canvas_width].copy()


def _overlap(framing: Framing, alpha: AlphaU8) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where the crop meets the canvas: the slices of the canvas, and those of the crop."""
    left, top, _, _ = framing.landing(framing.crop)
    height, width = alpha.shape
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(framing.canvas_width, left + width), min(framing.canvas_height, top + height)
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
