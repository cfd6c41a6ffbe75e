"""The light, put right by one table a channel: exposure, and the colour that `balance.py` has evidence for.

Exposure alone brings the mean colour error of these photos from 8.1 to 5.8 ΔE2000. It is judged by
the whole scene, never by the product: a black bag is meant to be black.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from imaging.balance import NO_GAINS, Gains
from imaging.codec import AlphaU8, PixelsU8, SoftF32

WHITE_POINT = 0.78
"""Where the brightest hundredth of a well exposed scene stands, linear 0..1 (sRGB 227)."""
MOST_STOPS = 0.8
"""More than this brings up noise and is a matter for a new photo."""
LEAST_STOPS = 0.12
"""Less than this nobody sees, so the photo stays as it is."""

_KNEE = 0.7
"""Linear level above which brightening bends, so that highlights roll off instead of clipping."""
_STRAIGHT_TO = 0.85
"""Linear level up to which a channel is dimmed straight; from there it rises to 1, so that white stays white."""


@dataclass(frozen=True, slots=True)
class Light:
    """What is done to the light: colour first (see `balance.py`), then by so many stops brighter."""

    stops: float = 0.0
    gains: Gains = NO_GAINS


AS_PHOTOGRAPHED = Light()

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


def level_at(levels: AlphaU8, share: float, within: AlphaU8 | None = None) -> int:
    """Return the level (0..255) that this share of the values (height, width) does not exceed; 0 when there are none.

    Only values whose pixel is not 0 in `within` count, all of them without it.
    """
    counts = cv2.calcHist([levels], [0], within, [256], [0, 256]).ravel().astype(np.float64).cumsum()
    return int(np.searchsorted(counts, share * counts[-1]))


def lit(rgb: PixelsU8, light: Light) -> PixelsU8:
    """Return the pixels in another light, worked out in linear light; highlights roll off instead of clipping."""
    if light == AS_PHOTOGRAPHED:
        return rgb
    tables = [_table(gain, light.stops) for gain in light.gains]
    return cv2.LUT(rgb, np.stack(tables, axis=1)[None])


def _table(gain: float, stops: float) -> PixelsU8:
    balanced = _raised(_LINEAR, gain) if gain >= 1 else _lowered(_LINEAR, gain)
    out = _raised(balanced, 2**stops) if stops > 0 else balanced * 2**stops
    encoded = np.where(out <= 0.0031308, out * 12.92, 1.055 * np.clip(out, 0, 1) ** (1 / 2.4) - 0.055)
    return np.clip(np.round(encoded * 255), 0, 255).astype(np.uint8)


def _raised(linear: SoftF32, most: float) -> SoftF32:
    """Multiply by `most` ≥ 1, straight up to the knee, then by a curve that reaches 1 exactly where 1 was."""
    gained = linear * most
    if most <= 1:
        return gained
    over = np.clip((gained - _KNEE) / (most - _KNEE), 0, 1)
    rolled = _KNEE + (1 - _KNEE) * (1 - (1 - over) ** ((most - _KNEE) / (1 - _KNEE)))
    return np.where(gained <= _KNEE, gained, rolled)


def _lowered(linear: SoftF32, gain: float) -> SoftF32:
    """Multiply by `gain` < 1, straight, then rise to 1: what burnt out to white is not tinted."""
    share = np.clip((linear - _STRAIGHT_TO) / (1 - _STRAIGHT_TO), 0, 1)
    lowered: SoftF32 = linear * (gain + (1 - gain) * share)
    return lowered
