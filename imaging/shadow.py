"""What the ground under the product shows: a shadow where it stands, a soft pool, or its reflection.

A strip under the whole product looks pasted on, and so does the product turned upside down as a whole.
Here every column casts and mirrors from its own lowest point, less the higher that hangs.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from domain.recipe import Shadow
from imaging.codec import AlphaU8, PixelsU8, SoftF32
from imaging.scene import FRAME_RATIO

_SHADOW_LONG_SIDE_PX = 512
"""Shadows are soft: they are drawn at this size and enlarged."""
_LINE_UNDER_REFLECTION = 0.55
"""On a glossy ground only the line of contact is dark."""
REFLECTED_SHARE = 0.45
"""How much of the product's light a reflection gives back at the contact; a polished plate's, as studios use it."""
_REFLECTION_REACH_RATIO = 0.055
"""Where it has faded to 1/e ÷ long side of the canvas."""
_HANGING_RATIO = 0.10
"""How high above the ground a part still mirrors beside the others ÷ long side."""


@dataclass(frozen=True, slots=True)
class Reflection:
    """The mirrored product on the whole canvas and its alpha, 0 on the rim."""

    pixels: PixelsU8
    alpha: AlphaU8


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
    if kind is Shadow.REFLECTION:
        strength = _LINE_UNDER_REFLECTION * strength
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


def reflection(product: PixelsU8, alpha: AlphaU8) -> Reflection:
    """Return the product mirrored below its own lowest contour, fading; both cover the whole canvas."""
    height, width = alpha.shape
    long_side = max(height, width)
    has_product = (alpha > 127).any(axis=0)
    if not has_product.any():
        return Reflection(product, np.zeros_like(alpha))
    lowest = np.where(has_product, height - 1 - (alpha > 127)[::-1].argmax(axis=0), -1)
    ground = int(lowest.max())
    hanging = (ground - lowest) / long_side
    grip = np.where(has_product, np.exp(-((hanging / _HANGING_RATIO) ** 2)), 0.0)
    # Without the steps of single pixels, which would shear the mirrored picture into teeth.
    steps = np.where(has_product, lowest, ground).astype(np.float32)
    line = cv2.GaussianBlur(steps[None], (0, 0), sigmaX=max(1.0, 0.003 * long_side), borderType=cv2.BORDER_REPLICATE)
    top = max(0, int(ground - 2 * _HANGING_RATIO * long_side))
    rows = np.arange(top, height, dtype=np.float32)[:, None]
    below = rows - line
    map_x = np.broadcast_to(np.arange(width, dtype=np.float32), below.shape)
    mirrored = cv2.remap(product, np.ascontiguousarray(map_x), line - below, cv2.INTER_LINEAR)
    cover = cv2.remap(alpha, np.ascontiguousarray(map_x), line - below, cv2.INTER_LINEAR)
    # Where there is little room below, it fades sooner: cut off at the rim it would show its end as a line.
    reach = min(_REFLECTION_REACH_RATIO * long_side, max(4.0, (0.97 * height - ground) / 2.2))
    fade = REFLECTED_SHARE * np.exp(-below.clip(0) / reach) * grip
    fade = np.where(below >= -2, fade, 0) * _rim_fade(width, height)[top:]
    pixels, out = np.zeros_like(product), np.zeros_like(alpha)
    pixels[top:] = mirrored
    out[top:] = (cover * fade + 0.5).astype(np.uint8)
    return Reflection(pixels, out)


def mirrored_in(backdrop: PixelsU8, mirror: Reflection) -> PixelsU8:
    """Return the backdrop with the reflection on it."""
    share = mirror.alpha.astype(np.float32) / 255
    return cv2.blendLinear(mirror.pixels, np.ascontiguousarray(backdrop), share, 1 - share)


def alpha_with_reflection(canvas: PixelsU8, alpha: AlphaU8, mirror: Reflection) -> AlphaU8:
    """Return the alpha of product and reflection together; blends `canvas` towards the reflection in place."""
    over, under = alpha.astype(np.float32) / 255, mirror.alpha.astype(np.float32) / 255
    both = over + under * (1 - over)
    share = over / np.maximum(both, 1e-6)
    canvas[:] = cv2.blendLinear(np.ascontiguousarray(canvas), mirror.pixels, share, 1 - share)
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
    """A wide, faint pool on the ground: under each column, weaker the higher its lowest point hangs."""
    height, width = product.shape
    long_side = max(height, width)
    has_product = product.any(axis=0)
    lowest = np.where(has_product, height - 1 - product[::-1].argmax(axis=0), -1)
    ground = lowest.max()
    hanging = (ground - lowest) / long_side
    # A spout or a handle high above the ground throws next to nothing onto it.
    weight = np.where(has_product, np.exp(-((hanging / 0.13) ** 2)), 0.0).astype(np.float32)
    spread = round(0.035 * long_side)
    # Across only: down, a border of nothing would take the one row away.
    column = cv2.GaussianBlur(weight[None], (6 * spread + 1, 1), sigmaX=spread, borderType=cv2.BORDER_CONSTANT)
    # Its middle lies a little behind the line of contact, so that below it the pool only ever fades.
    away = (np.arange(height)[:, None] - ground + 0.008 * long_side) / (0.030 * long_side)
    pool: SoftF32 = 0.40 * column * np.exp(-(away**2)).astype(np.float32)
    return pool


def _rim_fade(width: int, height: int) -> SoftF32:
    """1 in the middle, 0 on the rim and a pixel of enlargement inside it, smooth between."""

    def fade(length: int) -> SoftF32:
        from_edge = np.minimum(np.arange(length), np.arange(length)[::-1]) / length
        start = 2 * FRAME_RATIO
        return np.clip((from_edge - start) / (2 * FRAME_RATIO), 0, 1).astype(np.float32)

    return np.minimum(fade(height)[:, None], fade(width)[None])
