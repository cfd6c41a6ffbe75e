"""Exposure only: a photo taken too dark is brightened by one table, colours are left as photographed.

White balance is the riskiest step there is (grey-world doubles the colour error of these photos, from
8.1 to 15.8 ΔE2000), while exposure alone brings it from 8.1 to 5.8. The light is judged by the whole
scene, never by the product: a black bag is meant to be black.
"""

from __future__ import annotations

import cv2
import numpy as np

from imaging.codec import AlphaU8, PixelsU8

WHITE_POINT = 0.78
"""Where the brightest hundredth of a well exposed scene stands, linear 0..1 (sRGB 227)."""
MOST_STOPS = 0.8
"""More than this brings up noise and is a matter for a new photo."""
LEAST_STOPS = 0.12
"""Less than this nobody sees, so the photo stays as it is."""


_ENCODED = np.arange(256) / 255
_LINEAR = np.where(_ENCODED <= 0.04045, _ENCODED / 12.92, ((_ENCODED + 0.055) / 1.055) ** 2.4)
"""The sRGB transfer function for each of its 256 levels, IEC 61966-2-1."""


def stops_wanted(scene: PixelsU8) -> float:
    """Return by how many stops to brighten, 0.0 when the light was right. `scene` is the photo, small."""
    red, green, blue = cv2.split(scene)
    top = _LINEAR[level_at(cv2.max(cv2.max(red, green), blue), 0.99)]
    stops = float(np.log2(WHITE_POINT / max(top, 1e-3)))
    if stops < LEAST_STOPS:
        return 0.0
    return min(stops, MOST_STOPS)


def level_at(levels: PixelsU8, share: float) -> int:
    """Return the level (0..255) that this share of the values does not exceed; 0 when there are none."""
    counts = np.bincount(levels.ravel(), minlength=256).cumsum()
    return int(np.searchsorted(counts, share * counts[-1]))


def brightened(rgb: PixelsU8, stops: float) -> PixelsU8:
    """Return the pixels brightened in linear light; highlights roll off instead of clipping."""
    if stops <= 0:
        return rgb
    return cv2.LUT(rgb, _table(stops))


def product_luma(scene: PixelsU8, alpha: AlphaU8) -> PixelsU8:
    """Return the luma (0..255) of the product's own pixels, as a flat array; empty when there are none."""
    return cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)[alpha > 230]


def _table(stops: float) -> PixelsU8:
    gained = _LINEAR * 2**stops
    # Straight up to the knee, then a curve that reaches 1 exactly where the old white was.
    knee, most = 0.7, 2**stops
    over = np.clip((gained - knee) / (most - knee), 0, 1)
    rolled = knee + (1 - knee) * (1 - (1 - over) ** ((most - knee) / (1 - knee)))
    out = np.where(gained <= knee, gained, rolled)
    encoded = np.where(out <= 0.0031308, out * 12.92, 1.055 * np.clip(out, 0, 1) ** (1 / 2.4) - 0.055)
    return np.clip(np.round(encoded * 255), 0, 255).astype(np.uint8)
