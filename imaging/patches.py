"""Half-transparent patches that are no edge: a smear on a mug, haze in a handle's hole, a grey spout.

A net leaves them where it could not decide. Wide grey is a question, so the colours around it are
asked: what looks like the product there becomes solid, what looks like the background becomes clear.
Where colour cannot tell either, the patch stays as it is and `see_through_ratio` counts it.
"""

from __future__ import annotations

import cv2
import numpy as np

from imaging.codec import AlphaU8, PixelsU8, SoftF32
from imaging.matting import enclosed

SEE_THROUGH_FROM = 0.003
"""Share of the product that lies deep in grey. Of 17 cut-outs with a truth, u2netp's reach .002 at most."""
_GREY = 0.10, 0.93
_EDGE_RATIO = 0.008
"""Half the width ÷ long side of the widest grey that is still taken for a soft edge: fur, fringe, blur."""
_DEEP_RATIO = 0.012
_REACH_RATIO = 0.10
"""How far around a patch its colours are compared ÷ long side."""
_LEAST_AREA_PX = 60
_SAMPLES = 250
_LEAST_SAMPLES = 20
_SAME_COLOUR = 8.0
"""Standard deviation of the vote in CIELAB, lightness at 0.7: a shadow on the table is still the table."""
_LAB_WEIGHTS = np.array([0.7, 1.2, 1.2], np.float32)
_MASK_VOICE = 0.7
"""Weight of what the mask itself says, in log odds: grey of .8 is not cleared by a slight likeness."""
_UNDECIDED, _DECIDED = 1.0, 2.0
"""Log odds below which the mask stands, and from which colour alone does."""
_ISLAND_SHARE = 0.03
"""Share of the product below which a part is a spot on it or a crumb beside it."""


def without_patches(rgb: PixelsU8, coverage: SoftF32) -> SoftF32:
    """Return the soft mask (0..1, the size of `rgb`, some hundreds of pixels) with its grey patches decided."""
    patches = _patches(coverage)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(patches)
    large = [index for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= _LEAST_AREA_PX]
    if not large:
        return coverage
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(lab, (0, 0), 0.8) * _LAB_WEIGHTS
    decided = coverage.copy()
    for index in large:
        patch = labels == index
        decided[patch] = _decided(lab, coverage, patch)
    return _in_one_piece(coverage, decided, patches)


def see_through_ratio(alpha: AlphaU8) -> float:
    """Return the share of the product that lies deep in half-transparency, 0.0 for clean edges, fur and fringe.

    `alpha` is the crop's, some hundreds of pixels. From SEE_THROUGH_FROM on a person must look.
    """
    grey = cv2.inRange(alpha, (30,), (225,))
    deep = cv2.erode(grey, _disc(_DEEP_RATIO, alpha), borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return cv2.countNonZero(deep) / max(1, cv2.countNonZero(cv2.inRange(alpha, (128,), (255,))))


def _patches(coverage: SoftF32) -> AlphaU8:
    """Return 1 where grey is wider than an edge, 0 elsewhere."""
    grey = ((coverage > _GREY[0]) & (coverage < _GREY[1])).astype(np.uint8)
    core = cv2.erode(grey, _disc(_EDGE_RATIO, coverage))
    return cv2.bitwise_and(grey, cv2.dilate(core, _disc(2 * _EDGE_RATIO, coverage)))


def _disc(ratio: float, picture: SoftF32) -> AlphaU8:
    radius = max(2, round(ratio * max(picture.shape)))
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)


def _decided(lab: SoftF32, coverage: SoftF32, patch: AlphaU8) -> SoftF32:
    """Return one patch's coverage, a flat array, pushed to the side whose colours it has."""
    reach = round(_REACH_RATIO * max(coverage.shape))
    near = cv2.dilate(patch.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
    is_product, is_background = coverage > 0.95, coverage < 0.05
    product, background = _around(lab, near, is_product), _around(lab, near, is_background)
    grey, own = coverage[patch], lab[patch]
    if min(len(product), len(background)) < _LEAST_SAMPLES:
        return grey
    as_product, as_background = _likeness(own, product), _likeness(own, background)
    share = np.zeros(coverage.shape, np.float32)
    share[patch] = (as_product + 1e-4) / (as_product + as_background + 2e-4)
    # Neighbours vote together, else grain would pepper the patch.
    smooth = cv2.blur(share, (5, 5))[patch] / np.maximum(cv2.blur(patch.astype(np.float32), (5, 5))[patch], 1e-3)
    log_odds = _log_odds(smooth, 1e-4) + _MASK_VOICE * _log_odds(grey, 0.02)
    if np.count_nonzero(near & is_background) < _LEAST_SAMPLES:
        if len(grey) < _ISLAND_SHARE * np.count_nonzero(is_product):
            # A small spot with no background anywhere near is a toy's black eye, whatever its colour.
            return np.ones_like(grey)
        log_odds = np.maximum(log_odds, 0)  # so deep inside colour may fill, never clear
    trust = np.clip((np.abs(log_odds) - _UNDECIDED) / (_DECIDED - _UNDECIDED), 0, 1)
    decided: SoftF32 = grey * (1 - trust) + trust * (log_odds > 0)
    return decided


def _around(lab: SoftF32, near: AlphaU8, side: AlphaU8) -> SoftF32:
    """Return the colours of one side beside the patch, or of all there are: a mug's middle has no table near."""
    beside: SoftF32 = lab[near & side]
    return beside if len(beside) >= _LEAST_SAMPLES else lab[side]


def _likeness(colours: SoftF32, samples: SoftF32) -> SoftF32:
    """Return how many of the samples, 0..1, have about each of the colours."""
    samples = samples[:: max(1, len(samples) // _SAMPLES)][:_SAMPLES]
    # |a − b|² = |a|² + |b|² − 2ab: one product of matrices instead of a cube of differences.
    squares = (colours**2).sum(1)[:, None] + (samples**2).sum(1)[None] - 2 * colours @ samples.T
    likeness: SoftF32 = np.exp(squares / (-2 * _SAME_COLOUR**2)).mean(1)
    return likeness


def _log_odds(share: SoftF32, least: float) -> SoftF32:
    kept = np.clip(share, least, 1 - least)
    odds: SoftF32 = np.log(kept / (1 - kept))
    return odds


def _in_one_piece(before: SoftF32, decided: SoftF32, patches: AlphaU8) -> SoftF32:
    """Drop islands left over in a cleared hole, and give back what had cut a part off: a knob on its neck."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((decided > 0.5).astype(np.uint8))
    if count <= 2:
        return decided
    areas = stats[:, cv2.CC_STAT_AREA]
    main = 1 + int(areas[1:].argmax())
    in_hole = enclosed(labels != main)
    at_patch = cv2.dilate(patches, np.ones((3, 3), np.uint8)) > 0
    _, cleared = cv2.connectedComponents(((before > 0.5) & (decided <= 0.5)).astype(np.uint8))
    whole = decided.copy()
    for index in set(labels[at_patch].tolist()) - {0, main}:
        part = labels == index
        if areas[index] < _ISLAND_SHARE * areas[main] and in_hole[part].all():
            around = cv2.dilate(part.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
            whole[around & (part | (labels == 0))] = 0
        else:
            touching = cv2.dilate(part.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            bridge = (cleared > 0) & np.isin(cleared, cleared[touching])
            whole[bridge] = before[bridge]
    return whole
