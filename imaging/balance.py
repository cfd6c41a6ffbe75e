"""Which colour the light had, from evidence only: an evenly lit, nearly neutral surface behind the product.

White balance is the riskiest step there is: grey-world doubles the colour error of these photos, from
8.1 to 15.8 ΔE2000. So the product's own colours are never asked, a surface must be large, even and
nearly grey to count, the correction is bounded, and without such a surface nothing is corrected. What
a person names as white goes before all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from domain.recipe import WhiteFrom
from imaging.codec import AlphaU8, PixelsU8, SoftF32, shrunk

Gains = tuple[float, float, float]
"""Factors of red, green and blue in linear light; together they keep the luminance of what is grey."""
NO_GAINS: Gains = (1.0, 1.0, 1.0)

LOOKED_AT_PX = 320
MOST_CHROMA = 5.0
"""CIELAB chroma up to which a surface is taken for a grey one in coloured light. Cream paper has 6, linen and
concrete 7, beige 9: at a limit of 9 a cream boot on concrete and a bowl on linen came out blue."""
LEAST_CHROMA = 1.5
"""Less than this nobody sees."""
MOST_TINT = 0.7
"""|a*| ÷ |b*| beyond which a surface is pink or green: lamps and skies run from amber to blue."""
LEAST_SHARE = 0.12
"""Share of the photo that the surface must cover; a plate or a sheet of paper does."""
MOST_SPREAD = 2.5
"""Median distance in CIELAB's a*, b* from the surface's own colour: a print or a carpet's yarns lie above."""
_MOST_UNEVEN = 3.0
"""Standard deviation of lightness in a window of 7 px: a texture or an edge."""
_LEAST_LIGHTNESS, _MOST_LEVEL = 50.0, 252
"""A darker surface is a dark colour more often than a grey in the shade; a brighter one has lost a channel."""
_AWAY_RATIO = 0.03
"""Distance kept from the product ÷ long side: its colours shine onto what it stands on."""
_AXIS_SLACK = 1.0
_SPOT_RATIO = 0.012
"""Half the side of the square around a spot ÷ long side."""
_SPOT_MOST_GAIN = 2.2
"""A bulb's light asks for 1.9 in blue; more, and what was named is no white."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What the light's colour was judged by, and what takes it out.

    `source`: `surface` and `spot` were used, `none` found nothing, `off` was not asked, `unusable` is a
    spot that cannot be white. `chroma` is the CIELAB chroma of what was judged, 0 without one.
    """

    gains: Gains
    source: Literal["surface", "spot", "none", "off", "unusable"]
    chroma: float = 0.0


def balance_of(photo: PixelsU8, coverage: SoftF32 | None, white: WhiteFrom) -> Balance:
    """Return the balance of the photo (any size). `coverage` is its soft mask (0..1), None where it has none to trust."""
    if white.kind == "off":
        return Balance(NO_GAINS, "off")
    small = shrunk(photo, LOOKED_AT_PX)
    if white.kind == "spot":
        return _by_spot(small, white)
    if coverage is None:
        return Balance(NO_GAINS, "none")
    surface = _surface(small, coverage)
    if surface is None:
        return Balance(NO_GAINS, "none")
    level, chroma = surface
    if chroma < LEAST_CHROMA:
        return Balance(NO_GAINS, "surface", chroma)
    return Balance(_neutralising(level), "surface", chroma)


def _surface(small: PixelsU8, coverage: SoftF32) -> tuple[SoftF32, float] | None:
    """Return the 8-bit colour of the largest surface that may tell the light's colour, and its chroma."""
    # Blurred: the median of a dithered palette or of heavy noise is one of its colours, not their mean.
    small = cv2.GaussianBlur(small, (0, 0), 1.5)
    lab = _lab(small)
    lightness, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    mean, mean_square = cv2.blur(lightness, (7, 7)), cv2.blur(lightness * lightness, (7, 7))
    even = mean_square - mean * mean < _MOST_UNEVEN**2
    usable = (lightness > _LEAST_LIGHTNESS) & (small.max(axis=2) <= _MOST_LEVEL)
    # Candidates may be more coloured than the limit, so that a coloured wall is judged as the one surface
    # it is, not by whichever of its pixels happen to be greyer.
    candidate = _away_from(coverage, small.shape[:2]) & even & usable & (chroma < 3 * MOST_CHROMA)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(candidate.astype(np.uint8), connectivity=4)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    if stats[largest, cv2.CC_STAT_AREA] < LEAST_SHARE * candidate.size:
        return None
    chosen = labels == largest
    middle = np.median(lab[chosen], axis=0)
    spread = float(np.median(np.hypot(*(lab[chosen][:, 1:] - middle[1:]).T)))
    its_chroma = float(np.hypot(middle[1], middle[2]))
    is_tinted = abs(middle[1]) > MOST_TINT * abs(middle[2]) + _AXIS_SLACK
    if its_chroma > MOST_CHROMA or spread > MOST_SPREAD or is_tinted:
        return None
    level: SoftF32 = np.median(small[chosen], axis=0)
    return level, its_chroma


def _away_from(coverage: SoftF32, shape: tuple[int, int]) -> AlphaU8:
    """Return where the background is, well away from the product and from anything that might be it."""
    height, width = shape
    product = (cv2.resize(coverage, (width, height), interpolation=cv2.INTER_AREA) > 0.04).astype(np.uint8)
    reach = max(2, round(_AWAY_RATIO * max(shape)))
    away: AlphaU8 = cv2.dilate(product, np.ones((2 * reach + 1,) * 2, np.uint8)) == 0
    return away


def _by_spot(small: PixelsU8, white: WhiteFrom) -> Balance:
    height, width = small.shape[:2]
    reach = max(1, round(_SPOT_RATIO * max(height, width)))
    x, y = min(width - 1, int(white.x_ratio * width)), min(height - 1, int(white.y_ratio * height))
    around = small[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1].reshape(-1, 3)
    level = around.mean(axis=0)
    lab = _lab(level.astype(np.uint8)[None, None])[0, 0]
    chroma = float(np.hypot(lab[1], lab[2]))
    gains = _neutralising(level)
    if level.max() > _MOST_LEVEL or lab[0] < 15 or max(gains) > _SPOT_MOST_GAIN:
        return Balance(NO_GAINS, "unusable", chroma)
    return Balance(gains, "spot", chroma)


def _neutralising(level: SoftF32) -> Gains:
    """Return the gains that make an 8-bit colour grey at its own luminance."""
    encoded = np.asarray(level, np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    red, green, blue = (luminance / max(float(channel), 1e-4) for channel in linear)
    return red, green, blue


def _lab(rgb: PixelsU8) -> SoftF32:
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
