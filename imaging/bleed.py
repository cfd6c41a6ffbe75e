"""Does the background's colour stand inside the cut-out, near its edge: asphalt between a boot's fringes?

A net closes gaps that are narrower than it sees, and is sure of itself. The colours know better wherever the
product and what is around it differ; where they do not, nothing is said.
"""

from __future__ import annotations

import cv2
import numpy as np

from imaging.codec import AlphaU8, PixelsU8, SoftF32

BLEEDS_FROM = 0.018
"""See `bleed_ratio`. Of 17 cut-outs with a truth only a boot with asphalt between its fringes reaches it, with u2netp
and with the built-in net; of 113 photos of shelves, clothes and rubbish 14, half of them rightly."""
_LEVELS = 16
"""Steps of each of Lab's three axes in a histogram."""
_AROUND_RATIO, _CLEAR_RATIO = 0.10, 0.01
"""The background is learnt from a ring ÷ long side, its first pixels left out."""
_CORE_RATIO = 0.02
"""The product is learnt from what lies deeper than this ÷ long side."""
_RIM_RATIO, _SKIN_RATIO, _DEEP_RATIO = 0.03, 0.012, 0.07
"""Looked at: the rim, and from under the soft skin of fur down to where no gap reaches."""
_RIM_FROM = 0.06
"""Share of the rim in the background's colours, without which a spot of that colour is the product's own."""
_LEAST_APART = 0.75
"""Share of both sides' pixels that their colours tell apart, less what they mistake: fur on sand has .67."""
_LEAST_PIXELS, _LEAST_SPOT_PX = 100, 12
_LOG_ODDS = -1.0
_RARE = 1e-4


def bleed_ratio(rgb: PixelsU8, coverage: SoftF32) -> float:
    """Return the share of the product that looks like the background beside it, 0.0 where colour cannot tell.

    `coverage` is the whole photo's soft mask at some hundreds of pixels, `rgb` the photo at any size.
    """
    height, width = coverage.shape
    lab = cv2.cvtColor(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    product = (coverage > 0.5).astype(np.uint8)
    core = _less(product, _CORE_RATIO) > 0
    traces = (coverage > 0.05).astype(np.uint8)
    around = (_more(product, _AROUND_RATIO) > 0) & (_more(traces, _CLEAR_RATIO) == 0)
    if min(np.count_nonzero(core), np.count_nonzero(around)) < _LEAST_PIXELS:
        return 0.0
    at = (lab // (256 // _LEVELS)).astype(np.intp)
    cell = (at[..., 0] * _LEVELS + at[..., 1]) * _LEVELS + at[..., 2]
    log_odds = np.log((_seen(cell[core]) + _RARE) / (_seen(cell[around]) + _RARE)).astype(np.float32)
    likeness = cv2.blur(log_odds[cell], (3, 3))
    apart = float((likeness[core] > 0).mean() + (likeness[around] < 0).mean() - 1)
    rim = (product > 0) & (_less(product, _RIM_RATIO) == 0)
    foreign = likeness < _LOG_ODDS
    if apart < _LEAST_APART or float(foreign[rim].mean()) < _RIM_FROM:
        return 0.0
    band = (_less(product, _SKIN_RATIO) > 0) & (_less(product, _DEEP_RATIO) == 0)
    spots = cv2.connectedComponentsWithStats((foreign & band).astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    return float(spots[spots >= _LEAST_SPOT_PX].sum()) / max(1, cv2.countNonZero(product))


def _seen(cells: AlphaU8) -> SoftF32:
    """Return how often each colour was seen, blurred over its neighbours, as shares."""
    counts = np.bincount(cells, minlength=_LEVELS**3).astype(np.float64).reshape((_LEVELS,) * 3)
    for axis in range(3):
        counts = (np.roll(counts, 1, axis) + 2 * counts + np.roll(counts, -1, axis)) / 4
    shares: SoftF32 = (counts / counts.sum()).ravel()
    return shares


def _square(ratio: float, like: AlphaU8) -> AlphaU8:
    # OpenCV takes squares apart into rows and columns: discs of these sizes take ten times as long.
    return np.ones((2 * max(1, round(ratio * max(like.shape))) + 1,) * 2, np.uint8)


def _less(flags: AlphaU8, ratio: float) -> AlphaU8:
    return cv2.erode(flags, _square(ratio, flags))


def _more(flags: AlphaU8, ratio: float) -> AlphaU8:
    return cv2.dilate(flags, _square(ratio, flags))
