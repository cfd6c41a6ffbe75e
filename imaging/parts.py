"""The parts of a cut-out: what a net half saw and left out, and what a person adds or takes away.

A net's low answers are no noise: of 33 photos, u2netp's reach half a percent of the product in ten, and
most are a strap, a hand, a plate. They are offered, never added unasked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from domain.errors import NotPossible
from domain.hint import Area, Hint
from imaging.codec import AlphaU8, PixelsU8, SoftF32
from imaging.cutout import LEAST_SHARE, SoftMask, grabcut

HALF_SEEN_FROM = 0.06
"""Coverage from which a net has seen something; below it photos without any loose part have some too."""
KEPT_FROM = 0.4
LEAST_PART_SHARE = 0.006
"""Area of a part ÷ area of the product."""
MOST_PARTS = 4
_NEAR_POINT_RATIO = 0.08
"""How far from a point ÷ long side the part it means may lie, and half the box looked at where there is none."""
_CLEAN_RATIO = 0.006
"""Radius ÷ long side of what is no part but the product's own soft edge."""
_NECK_RATIOS = (0.006, 0.01, 0.015, 0.022, 0.03, 0.04, 0.055, 0.075)
"""Half the width of a neck ÷ long side at which a part may be taken off, the thinnest first."""
_MOST_TAKEN_OFF = 0.45
"""Share of the product that one point may take off; more was not meant."""
_MOST_LOOSE = 0.9
"""The same of a thing that stands by itself: one of two toys is half of them, or more."""
_LEAST_TAKEN_OFF = 0.0015
_OTHER_COLOUR = 15.0
"""Distance in CIELAB from which two pieces are of different colours: a leaf and a plate are 40 apart."""
_SAME_COLOUR_LEVELS = 14
"""8-bit levels a channel around a point's own colour that are the same surface, grain and a little shade."""
_RING_RATIO = 0.06
"""Width ÷ long side of the surroundings of a box in which the background's colours are learnt."""
_WHOLE_FROM = 0.7
"""Share of a loose part inside a box from which the box means all of it."""

Flags = AlphaU8
"""(height, width) bool."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the photo: `share` is its area ÷ that of the product."""

    area: Area
    share: float


@dataclass(frozen=True, slots=True)
class Corrected:
    """The mask after the hints, and those that changed nothing."""

    mask: SoftMask
    idle: tuple[Hint, ...]


def left_out(mask: SoftMask) -> tuple[Part, ...]:
    """Return what the engine half saw beside the product and dropped, the largest first."""
    kept = mask.coverage > KEPT_FROM
    return _parts(_half_seen(mask), least=LEAST_PART_SHARE * max(1, _count(kept)), whole=kept)


def kept_apart(mask: SoftMask) -> tuple[Part, ...]:
    """Return the separate things in the cut-out, the largest first; none where it is in one piece."""
    kept = mask.coverage > KEPT_FROM
    parts = _parts(kept, least=LEAST_PART_SHARE * max(1, _count(kept)), whole=kept)
    return parts if len(parts) > 1 else ()


def corrected(rgb: PixelsU8, mask: SoftMask, hints: Sequence[Hint]) -> Corrected:
    """Return the mask with every hint followed in its order; `rgb` is the photo at any size.

    Raises NotPossible where nothing would be left.
    """
    if not hints:
        return Corrected(mask, ())
    height, width = mask.coverage.shape
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    idle = []
    for hint in hints:
        changed = _kept(small, mask, hint.area) if hint.kind == "keep" else _removed(small, mask, hint.area)
        if np.abs(changed - mask.coverage).max() < KEPT_FROM:
            idle.append(hint)
            continue
        mask = replace(mask, coverage=changed)
    product = mask.coverage > KEPT_FROM
    if product.mean() < LEAST_SHARE:
        raise NotPossible("Nothing of the product would be left: remove less, or start over with `redo remove=none`.")
    count, _, stats, _ = cv2.connectedComponentsWithStats(product.astype(np.uint8))
    large = stats[1:count, cv2.CC_STAT_AREA] >= LEAST_PART_SHARE * _count(product)
    return Corrected(replace(mask, object_count=max(1, int(large.sum()))), tuple(idle))


def matte_after(alpha: AlphaU8, before: SoftMask, after: SoftMask) -> AlphaU8:
    """Return a photo's own matte with what the hints took away cleared and what they added made whole."""
    height, width = alpha.shape
    change = cv2.resize(after.coverage - before.coverage, (width, height), interpolation=cv2.INTER_LINEAR)
    changed: AlphaU8 = np.where(change < -KEPT_FROM, 0, np.where(change > KEPT_FROM, 255, alpha)).astype(np.uint8)
    return changed


# ---------------------------------------------------------------- keep


def _kept(small: PixelsU8, mask: SoftMask, area: Area) -> SoftF32:
    """Add the half-seen part that is meant, its edge found by colour; else what GrabCut finds in the box."""
    box, labels = _box_in(area, mask.coverage.shape), _labels(_half_seen(mask))
    meant = _part_at(labels, area) if area.is_point else _parts_in(labels, box)
    if meant.any():
        reach = _reach(_RING_RATIO / 3, meant)
        box = _grown(_bounds(meant), reach, meant.shape) if area.is_point else _around(box, meant)
    elif area.is_point:
        meant = _surface_at(small, mask, area)
        box = _grown(_bounds(meant), _reach(_RING_RATIO / 3, meant), meant.shape)
    found = _by_colour(small, mask, box, meant, area)
    added: SoftF32 = np.maximum(mask.coverage, (found | meant).astype(np.float32))
    return added


def _by_colour(small: PixelsU8, mask: SoftMask, box: tuple[slice, slice], meant: Flags, area: Area) -> Flags:
    """Return what in the box has the part's colours and not those around it; nothing where that is all or none."""
    ring = _grown(box, _reach(_RING_RATIO, meant), meant.shape)
    inside = np.zeros(meant.shape, bool)
    inside[box] = True
    product = mask.coverage > KEPT_FROM
    labels = np.full(meant.shape, cv2.GC_BGD, np.uint8)
    # A box was drawn around what is meant; around a point there is more of what is not.
    labels[inside] = cv2.GC_PR_BGD if area.is_point and meant.any() else cv2.GC_PR_FGD
    labels[meant & inside] = cv2.GC_PR_FGD
    labels[product] = cv2.GC_FGD
    found = grabcut(np.ascontiguousarray(small[ring]), np.ascontiguousarray(labels[ring])) > 0.5
    whole = np.zeros(meant.shape, bool)
    whole[ring] = found
    whole &= inside & ~product
    whole = cv2.morphologyEx(whole.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    share = _count(whole) / max(1, _count(inside & ~product))
    return whole if share > 0.02 and (share < 0.98 or not area.is_point) else np.zeros_like(whole)


def _surface_at(small: PixelsU8, mask: SoftMask, area: Area) -> Flags:
    """Return what around a point is of its colour and not in the cut-out yet; a spot where that has no end."""
    height, width = mask.coverage.shape
    x, y = min(width - 1, int(area.left * width)), min(height - 1, int(area.top * height))
    barred = np.zeros((height + 2, width + 2), np.uint8)
    barred[1:-1, 1:-1] = mask.coverage > KEPT_FROM
    smooth = cv2.medianBlur(small, 3)
    spread = (_SAME_COLOUR_LEVELS,) * 3
    flat = barred.copy()
    cv2.floodFill(smooth, flat, (x, y), 0, spread, spread, 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY)
    found = (flat > barred)[1:-1, 1:-1]
    if 0 < _count(found) <= _MOST_TAKEN_OFF * max(1, _count(mask.coverage > KEPT_FROM)):
        return found
    rows, columns = np.ogrid[:height, :width]
    spot: Flags = np.hypot(rows - y, columns - x) <= _reach(_NEAR_POINT_RATIO / 4, small[..., 0])
    return spot


def _part_at(labels: AlphaU8, area: Area) -> Flags:
    """Return the part nearest to a point, nothing where none is near."""
    height, width = labels.shape
    x, y = min(width - 1, int(area.left * width)), min(height - 1, int(area.top * height))
    rows, columns = np.nonzero(labels)
    if not len(rows):
        return np.zeros(labels.shape, bool)
    distances = np.hypot(rows - y, columns - x)
    nearest = int(distances.argmin())
    if distances[nearest] > _reach(_NEAR_POINT_RATIO, labels):
        return np.zeros(labels.shape, bool)
    part: Flags = labels == labels[rows[nearest], columns[nearest]]
    return part


def _parts_in(labels: AlphaU8, box: tuple[slice, slice]) -> Flags:
    """Return what half-seen parts have in a box; of those that lie mostly in it, all."""
    inside, everywhere = np.bincount(labels[box].ravel()), np.bincount(labels.ravel())
    whole = [index for index in range(1, len(inside)) if inside[index] >= _WHOLE_FROM * everywhere[index]]
    meant = np.isin(labels, whole)
    meant[box] |= labels[box] > 0
    return meant


# ---------------------------------------------------------------- remove


def _removed(small: PixelsU8, mask: SoftMask, area: Area) -> SoftF32:
    kept = mask.coverage > KEPT_FROM
    if area.is_point:
        taken = _of_one_colour(small, kept, _hanging_at(kept, area))
    else:
        taken = _parts_in(_labels(kept), _box_in(area, kept.shape)) & kept
    # Its soft edge goes with it, the neighbour's stays.
    reach = np.ones((2 * _reach(_CLEAN_RATIO, kept) + 1,) * 2, np.uint8)
    edge = cv2.dilate(taken.astype(np.uint8), reach) > 0
    stays = cv2.dilate((kept & ~taken).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(taken | (edge & ~stays), 0, mask.coverage).astype(np.float32)


def _hanging_at(kept: Flags, area: Area) -> Flags:
    """Return the part that a point means: a loose one, else what hangs on the rest by the thinnest neck."""
    height, width = kept.shape
    at = min(height - 1, int(area.top * height)), min(width - 1, int(area.left * width))
    total = _count(kept)
    loose = _part_at(_labels(kept), area)
    if 0 < _count(loose) <= _MOST_LOOSE * total:
        return loose
    for ratio in _NECK_RATIOS:
        radius = _reach(ratio, kept)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
        cores = _labels(cv2.erode(kept.astype(np.uint8), disc) > 0)
        if not cores.max():
            break
        sizes = np.bincount(cores.ravel())[1:]
        main = cv2.dilate((cores == 1 + int(sizes.argmax())).astype(np.uint8), disc) > 0
        parts = _labels(kept & ~main)
        index = int(parts[at])
        part: Flags = parts == index
        share = _count(part) / max(1, total)
        if index and _LEAST_TAKEN_OFF <= share <= _MOST_TAKEN_OFF:
            return part
    half = _reach(_NEAR_POINT_RATIO / 2, kept)
    rows, columns = np.ogrid[:height, :width]
    spot: Flags = kept & (np.hypot(rows - at[0], columns - at[1]) <= half)
    return spot


def _of_one_colour(small: PixelsU8, kept: Flags, part: Flags) -> Flags:
    """Return the part with what goes on in its colours beyond the neck: a leaf under a plate's rim."""
    rest = kept & ~part
    if not part.any() or not rest.any() or _apart(small, part, rest) < _OTHER_COLOUR:
        return part
    box = _grown(_bounds(part), _reach(_RING_RATIO, part), part.shape)
    labels = np.where(kept, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    labels[part] = cv2.GC_PR_FGD
    labels[cv2.erode(part.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0] = cv2.GC_FGD
    found = np.zeros(part.shape, bool)
    found[box] = grabcut(np.ascontiguousarray(small[box]), np.ascontiguousarray(labels[box])) > 0.5
    whole: Flags = (found | part) & kept
    return whole if _count(whole) <= _MOST_TAKEN_OFF * _count(kept) else part


def _apart(small: PixelsU8, one: Flags, other: Flags) -> float:
    """Return how far apart the median colours of two pieces are, in CIELAB."""
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return float(np.linalg.norm(np.median(lab[one], axis=0) - np.median(lab[other], axis=0)))


# ---------------------------------------------------------------- boxes and pieces


def _half_seen(mask: SoftMask) -> Flags:
    """Return where the engine saw something that is not in the cut-out, its edge left out."""
    kept = (mask.coverage > KEPT_FROM).astype(np.uint8)
    size = np.ones((2 * _reach(_CLEAN_RATIO, kept) + 1,) * 2, np.uint8)
    seen = ((mask.half_seen > HALF_SEEN_FROM) & (kept == 0)).astype(np.uint8)
    # What is no wider than a soft edge is one; a part keeps what joins it to the product.
    far = cv2.morphologyEx(seen & (cv2.dilate(kept, size) == 0).astype(np.uint8), cv2.MORPH_OPEN, size)
    if not far.any():
        return far > 0
    labels = _labels(cv2.morphologyEx(seen, cv2.MORPH_OPEN, size))
    is_part = np.zeros(int(labels.max()) + 1, bool)
    is_part[labels[far > 0]] = True
    is_part[0] = False
    return is_part[labels] | (far > 0)


def _parts(flags: Flags, *, least: float, whole: Flags) -> tuple[Part, ...]:
    height, width = flags.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(flags.astype(np.uint8))
    total = max(1, _count(whole))
    found = []
    for left, top, across, down, pixels in stats[1:].tolist():
        if pixels >= least:
            area = Area(left / width, top / height, (left + across) / width, (top + down) / height)
            found.append(Part(_rounded(area), pixels / total))
    return tuple(sorted(found, key=lambda part: -part.share)[:MOST_PARTS])


def _rounded(area: Area) -> Area:
    """As people type it: a row then says what a person could have said."""
    return Area(round(area.left, 3), round(area.top, 3), round(area.right, 3), round(area.bottom, 3))


def _count(flags: Flags) -> int:
    return int(np.count_nonzero(flags))


def _labels(flags: Flags) -> AlphaU8:
    return cv2.connectedComponents(flags.astype(np.uint8))[1]


def _reach(ratio: float, like: AlphaU8) -> int:
    return max(1, round(ratio * int(max(like.shape))))


def _box_in(area: Area, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return an area's pixels, one at least."""
    height, width = shape[:2]
    top, left = min(height - 1, int(area.top * height)), min(width - 1, int(area.left * width))
    return (
        slice(top, max(top + 1, round(area.bottom * height))),
        slice(left, max(left + 1, round(area.right * width))),
    )


def _bounds(flags: Flags) -> tuple[slice, slice]:
    rows, columns = np.nonzero(flags.any(axis=1))[0], np.nonzero(flags.any(axis=0))[0]
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _around(box: tuple[slice, slice], flags: Flags) -> tuple[slice, slice]:
    """Return the box that holds both a box and a part."""
    other = _bounds(flags)
    rows, columns = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(box, other, strict=True))
    return rows, columns


def _grown(box: tuple[slice, slice], by: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    rows, columns = (
        slice(max(0, part.start - by), min(size, part.stop + by)) for part, size in zip(box, shape, strict=False)
    )
    return rows, columns
