"""Several separate things in one photo, of which a person wants one alone."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from domain.errors import NotPossible
from imaging.codec import AlphaU8
from imaging.cutout import SoftMask
from imaging.parts import KEPT_FROM, LEAST_PART_SHARE


def counted(mask: SoftMask) -> SoftMask:
    """Return the mask with as many objects as `only_thing` can tell apart: what is counted can be asked for."""
    return replace(mask, object_count=len(_things(mask)[0]))


def only_thing(mask: SoftMask, number: int) -> SoftMask:
    """Return the mask of one of its separate things alone, counted from the left, 1 first.

    Raises NotPossible where there are not so many.
    """
    things, labels = _things(mask)
    if number > len(things):
        raise NotPossible(
            "I see fewer separate things in this photo than {number}: say thing=1 for the leftmost, or thing=all.",
            number=number,
        )
    chosen = things[number - 1]
    near = cv2.dilate((labels == chosen).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    # Its soft edge belongs to it, the neighbour's core does not.
    kept = np.where(near & ((labels == chosen) | (labels == 0)), mask.coverage, 0).astype(np.float32)
    return replace(mask, coverage=kept, object_count=1)


def _things(mask: SoftMask) -> tuple[list[int], AlphaU8]:
    """Return the labels of what stands apart, from the left, and where each label lies; crumbs have none."""
    count, labels, stats, middles = cv2.connectedComponentsWithStats((mask.coverage > KEPT_FROM).astype(np.uint8))
    least = LEAST_PART_SHARE * stats[1:, cv2.CC_STAT_AREA].sum()
    large = [index for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= least]
    return sorted(large, key=lambda index: float(middles[index][0])), labels
