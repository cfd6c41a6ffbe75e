"""Where the product stands on the canvas, and what is behind and under it.

The photo is only ever scaled and shifted, never turned or stretched, so one `Framing` tells where
each of its pixels lands; the preview uses the same one to line up before and after.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from domain.recipe import TRANSPARENT, WHITE, PictureRules, Shadow
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
_MARGIN_RATIO = 0.04
"""Room around the product's box ÷ its long side, so that soft edges are not cut."""
_SHADOW_LONG_SIDE_PX = 512
"""Shadows are soft: they are drawn at this size and enlarged."""


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
        """Return it with the margin for soft edges, whole pixels, inside the photo."""
        margin = max(8.0, _MARGIN_RATIO * max(self.width, self.height))
        return Box(
            max(0, int(self.left - margin)),
            max(0, int(self.top - margin)),
            min(photo_width, int(np.ceil(self.right + margin))),
            min(photo_height, int(np.ceil(self.bottom + margin))),
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


def frame(rules: PictureRules, product: Box, crop: Box, *, photo_width: int, photo_height: int) -> Framing:
    """Place the product's box in the middle at the wanted fill, or keep the photo's own frame."""
    if rules.keep_frame:
        return Framing(photo_width, photo_height, 1.0, 0.0, 0.0, crop)
    width, height = rules.size_px
    scale = min(rules.fill * width / product.width, rules.fill * height / product.height)
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
    share = framing.crop.of(matte).astype(np.float32)[..., None] / 255
    premultiplied = np.dstack([framing.crop.of(photo) * share, share])
    _, _, width, height = framing.landing(framing.crop)
    interpolation = cv2.INTER_AREA if framing.scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(premultiplied, (width, height), interpolation=interpolation)
    pixels = resized[..., :3] / np.maximum(resized[..., 3:], 1e-3)
    alpha = np.clip(resized[..., 3] * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8), alpha


def on_canvas(framing: Framing, alpha: AlphaU8) -> AlphaU8:
    """Return the crop's alpha laid on the whole canvas."""
    canvas = np.zeros((framing.canvas_height, framing.canvas_width), np.uint8)
    into, part = _overlap(framing, alpha)
    canvas[into] = alpha[part]
    return canvas


def composed(framing: Framing, pixels: PixelsU8, alpha: AlphaU8, backdrop: PixelsU8) -> PixelsU8:
    """Lay the crop over the backdrop, in place, and return it. 8-bit, rounded; α 0 and 255 are exact."""
    into, part = _overlap(framing, alpha)
    over = alpha[part].astype(np.float32) / 255
    # cv2 keeps slices of a canvas apart from their parent, so the blend is written back.
    backdrop[into] = cv2.blendLinear(
        np.ascontiguousarray(pixels[part]), np.ascontiguousarray(backdrop[into]), over, 1 - over
    )
    return backdrop


def plain(framing: Framing, rgb: tuple[int, int, int]) -> PixelsU8:
    """Return a canvas of one colour."""
    # Plane by plane: filling interleaved triples takes NumPy twenty times as long.
    return cv2.merge([np.full((framing.canvas_height, framing.canvas_width), value, np.uint8) for value in rgb])


def fitted(framing: Framing, photo: PixelsU8) -> PixelsU8:
    """Return a backdrop photo covering the canvas, its overhang cut off evenly."""
    height, width = photo.shape[:2]
    scale = max(framing.canvas_width / width, framing.canvas_height / height)
    size = max(framing.canvas_width, round(width * scale)), max(framing.canvas_height, round(height * scale))
    grown = scaled(photo, *size)
    left, top = (size[0] - framing.canvas_width) // 2, (size[1] - framing.canvas_height) // 2
    return grown[top : top + framing.canvas_height, left : left + framing.canvas_width].copy()


def shadow_strength(alpha: AlphaU8, kind: Shadow) -> AlphaU8:
    """Return how dark the ground is, 0..255, for a product's alpha on its canvas; 0 on the rim.

    A strip under the whole product looks pasted on. Here every column casts from its own lowest
    point, weaker the higher that point hangs above the ground, and fades downwards from there.
    """
    if kind is Shadow.NONE:
        return np.zeros_like(alpha)
    height, width = alpha.shape
    shrink = min(1.0, _SHADOW_LONG_SIDE_PX / max(height, width))
    size = max(8, round(width * shrink)), max(8, round(height * shrink))
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) > 127
    if not small.any():
        return np.zeros_like(alpha)
    strength = _contact(small)
    if kind is Shadow.SOFT:
        strength = np.maximum(0.6 * strength, _pool(small))
    strength = strength * _rim_fade(*size)
    shadow: AlphaU8 = cv2.resize(
        (strength * 255).clip(0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR
    )
    return shadow


def darkened(backdrop: PixelsU8, shadow: AlphaU8) -> PixelsU8:
    """Return the backdrop under a neutral shadow."""
    light = cv2.cvtColor(255 - shadow, cv2.COLOR_GRAY2RGB)
    return cv2.multiply(backdrop, light, scale=1 / 255)


def alpha_with_shadow(canvas: PixelsU8, alpha: AlphaU8, shadow: AlphaU8) -> AlphaU8:
    """Return the alpha of product and black shadow together; blends `canvas` towards black in place."""
    over, under = alpha.astype(np.float32) / 255, shadow.astype(np.float32) / 255
    both = over + under * (1 - over)
    canvas[:] = (canvas * (over / np.maximum(both, 1e-6))[..., None] + 0.5).astype(np.uint8)
    return (both * 255 + 0.5).astype(np.uint8)


def _contact(product: SoftF32) -> SoftF32:
    height, width = product.shape
    long_side = max(height, width)
    has_product = product.any(axis=0)
    lowest = np.where(has_product, height - 1 - product[::-1].argmax(axis=0), -1)
    ground = lowest.max()
    hanging = (ground - lowest) / long_side
    grip = np.where(has_product, np.exp(-((hanging / 0.08) ** 2)), 0.0)
    below = (np.arange(height)[:, None] - lowest[None]) / long_side
    # Behind the product the shadow goes on a little way, for the soft pixels of its edge.
    reach = np.where(below >= 0, np.exp(-below / 0.006) * 0.42 + np.exp(-below / 0.022) * 0.22, 0.0)
    reach = np.where((below < 0) & (below > -0.02), 0.64, reach)
    strength = (reach * grip[None]).astype(np.float32)
    # Light creeps in from both ends of the line of contact; across, not down, so the dark stays at the line.
    return cv2.GaussianBlur(strength, (0, 0), sigmaX=0.010 * long_side, sigmaY=0.0022 * long_side)


def _pool(product: SoftF32) -> SoftF32:
    """A wide, faint pool: the product's silhouette pressed flat onto the ground and blurred."""
    height, width = product.shape
    long_side = max(height, width)
    rows = np.nonzero(product.any(axis=1))[0]
    ground, top = rows[-1] + 1, rows[0]
    flat_rows = max(3, round(0.10 * (ground - top)))
    flat = cv2.resize(product[top:ground].astype(np.float32), (width, flat_rows), interpolation=cv2.INTER_AREA)
    pool = np.zeros((height, width), np.float32)
    start = max(0, ground - flat_rows // 2)
    stop = min(height, start + flat_rows)
    pool[start:stop] = flat[: stop - start]
    return 0.5 * cv2.GaussianBlur(pool, (0, 0), sigmaX=0.022 * long_side, sigmaY=0.014 * long_side)


def _rim_fade(width: int, height: int) -> SoftF32:
    """1 in the middle, 0 on the rim and a pixel of enlargement inside it, smooth between."""

    def fade(length: int) -> SoftF32:
        from_edge = np.minimum(np.arange(length), np.arange(length)[::-1]) / length
        start = 2 * FRAME_RATIO
        return np.clip((from_edge - start) / (2 * FRAME_RATIO), 0, 1).astype(np.float32)

    return np.minimum(fade(height)[:, None], fade(width)[None])


def _overlap(framing: Framing, alpha: AlphaU8) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where the crop meets the canvas: the slices of the canvas, and those of the crop."""
    left, top, _, _ = framing.landing(framing.crop)
    height, width = alpha.shape
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(framing.canvas_width, left + width), min(framing.canvas_height, top + height)
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
