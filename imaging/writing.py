"""Is there writing laid over the photo: a caption, a watermark, a badge's words?

Letters are small, of one stroke width and one colour, and stand in a row on one line; grass, gravel and
fringe give thousands of small blobs and hardly such a row. Writing wholly on the product is its own label
and nobody's business; writing that runs across its outline, or over the whole photo again and again, would
be in the shop's picture, and writing beside it goes with the background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from domain.hint import Area
from domain.picture import Finding, FindingCode, FindingLevel
from imaging.codec import AlphaU8, PixelsU8, SoftF32, shrunk

LONG_SIDE_PX = 896
_HALVINGS = (1, 2)
"""Each size sees letters of about 8 to 110 px, so both together up to a fifth of the photo."""
_STROKE_PX = 13
"""The widest stroke seen at one size."""
_CONTRASTS = (12, 40)
"""8-bit levels a letter differs from what is around it: a watermark on a calm ground, and print on a busy one."""
_LEAST_ROOM = 24
_LETTER_PX = 7, 110
_LEAST_AREA_PX = 12
_MOST_ROUGH = 0.22
"""Spread ÷ mean of the contrast inside one letter; print has .02 to .1, texture .2 and more."""
_ROUGH_WHEN_THIN = 0.2
"""What a stroke too thin to have an inside counts as."""
_MOST_LETTERS = 160
"""So many of the smoothest are looked at, which bounds the time on gravel."""
_MOST_BLOBS = 5000
"""More at one size and contrast is gravel, in which nobody could read."""
_MOST_PAIRS = 400
_MOST_TRIED, _MOST_JUDGED = 30, 4
_ALIKE = 1.8
"""Stroke widths and contrasts of letters in a row differ by no more than this factor."""
_LEAST_IN_ROW = 5
_NARROW = 0.25
"""Width ÷ height of most letters in a row below which it is a fence."""
_SURE_FROM = 2.75
"""See `_score`. Of 33 photos with nothing laid over, print apart, 2.65 at most."""
_LIKELY_FROM = 2.45
"""Enough for each row of a pattern: gravel has such a row now and then, never three alike."""
_LEAST_ROWS = 3
_PATTERN_SPAN = 0.25
"""Share of the photo's long side over which a pattern's rows lie apart."""
_COLOURED_FROM = 40
"""8-bit levels between the ground's strongest and weakest channel from which its colour tells ink from a veil."""
_LEAST_VEILED = 4
_VEIL = 0.1, 0.8
_VEIL_APART = 0.05
"""Median distance of the shares from the veil's own."""
_NEAR_RATIO = 0.02
"""Writing nearer to the product than this ÷ long side belongs to it: a mask is not exact."""
_LEAST_OUTSIDE = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One row of letters: their middles (n, 2) as x and y, direction and height in pixels, and how sure it is."""

    middles: SoftF32
    angle: float
    height_px: float
    score: float
    veil: float
    """How much of white a see-through watermark of this row would be, 0 where it is print or cannot be told."""


@dataclass(frozen=True, slots=True)
class _Letters:
    """What could be letters at one size and contrast. `boxes` holds left, top, width, height."""

    labels: PixelsU8
    index: PixelsU8
    boxes: PixelsU8
    middles: SoftF32
    size: SoftF32
    stroke: SoftF32
    contrast: SoftF32
    rough: SoftF32

    def chosen(self, which: PixelsU8) -> _Letters:
        return _Letters(
            self.labels,
            *(
                each[which]
                for each in (
                    self.index,
                    self.boxes,
                    self.middles,
                    self.size,
                    self.stroke,
                    self.contrast,
                    self.rough,
                )
            ),
        )


def writing_findings(rgb: PixelsU8, coverage: SoftF32) -> tuple[Finding, ...]:
    """Say whether writing lies over the product or beside it. `coverage` is the whole photo's soft mask."""
    small = shrunk(rgb, LONG_SIDE_PX)
    rows = find_rows(small)
    if not rows:
        return ()
    product, near = _product(coverage, small)
    sure = [row for row in rows if row.score >= _SURE_FROM]
    bad = [row for row in sure if _runs_across(row, product, near) or (row.veil and _at(product, row).any())]
    bad = bad or _pattern(rows, product, small.shape)
    beside = [row for row in sure if not _at(near, row).any()]
    for level, found in ((FindingLevel.WARNING, bad), (FindingLevel.NOTE, beside)):
        if found:
            count = float(sum(len(row.middles) for row in found))
            return (Finding(FindingCode.WRITING, level, measured=count, area=_area(found, small.shape)),)
    return ()


def find_rows(rgb: PixelsU8) -> tuple[Row, ...]:
    """Return rows of what looks like letters, the surest first; `rgb` at LONG_SIDE_PX at most."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    square = cv2.getStructuringElement(cv2.MORPH_RECT, (_STROKE_PX, _STROKE_PX))
    found: list[Row] = []
    for halving in _HALVINGS:
        small = shrunk(grey, max(grey.shape) // halving)
        colours = rgb if halving == 1 else shrunk(rgb, max(grey.shape) // halving)
        for kind in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
            strokes = cv2.morphologyEx(small, kind, square)
            # How far each pixel could go: a white watermark of one strength moves dark ground more than light.
            ground = small - strokes if kind == cv2.MORPH_TOPHAT else small + strokes
            room = np.maximum(255 - ground if kind == cv2.MORPH_TOPHAT else ground, _LEAST_ROOM)
            for contrast in _CONTRASTS:
                letters = _letters(strokes, room, contrast)
                found += [
                    replace(row, middles=row.middles * halving, height_px=row.height_px * halving)
                    for row in (_rows(letters, colours) if letters else ())
                ]
    return tuple(sorted(found, key=lambda row: -row.score))


# ---------------------------------------------------------------- letters


def _letters(strokes: AlphaU8, room: AlphaU8, contrast: int) -> _Letters | None:
    """Return what is small, of one stroke width and of one colour; None where there is hardly any."""
    binary = cv2.threshold(strokes, contrast, 1, cv2.THRESH_BINARY)[1]
    count, labels, stats, middles = cv2.connectedComponentsWithStats(binary, connectivity=8)
    if count > _MOST_BLOBS:
        return None
    across, down, pixels = (stats[:, each] for each in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    size = np.maximum(across, down)
    solid = pixels / (across * down)
    fits = (size >= _LETTER_PX[0]) & (size <= _LETTER_PX[1]) & (np.minimum(across, down) >= 2)
    fits &= (pixels >= _LEAST_AREA_PX) & (solid > 0.12) & (solid < 0.97)
    fits[0] = False
    if np.count_nonzero(fits) < _LEAST_IN_ROW:
        return None
    inner = np.flatnonzero(cv2.erode(binary, np.ones((3, 3), np.uint8)))
    inner = inner[fits[labels.ravel()[inner]]]
    at, level = labels.ravel()[inner], strokes.ravel()[inner].astype(np.float64)
    level /= room.ravel()[inner]
    inside = np.bincount(at, minlength=count)
    mean = np.bincount(at, level, minlength=count) / np.maximum(inside, 1)
    square = np.bincount(at, level * level, minlength=count) / np.maximum(inside, 1)
    rough = np.sqrt(np.maximum(square - mean * mean, 0)) / np.maximum(mean, 1e-3)
    is_thin = inside < 4
    # A stroke of width w and length l has w·l pixels, and (w − 2)·l once its rim is off.
    stroke = 2 * pixels / np.maximum(pixels - inside, 1)
    rough[is_thin], mean[is_thin] = _ROUGH_WHEN_THIN, contrast / 85
    fits &= (rough <= _MOST_ROUGH) & (stroke < 0.45 * size)
    index = np.flatnonzero(fits)
    if len(index) > _MOST_LETTERS:
        index = index[np.argsort(rough[index] - 0.5 * mean[index], kind="stable")[:_MOST_LETTERS]]
    if len(index) < _LEAST_IN_ROW:
        return None
    return _Letters(
        labels,
        index,
        stats[index, :4],
        middles[index],
        size[index].astype(np.float64),
        stroke[index],
        mean[index],
        rough[index],
    )


# ---------------------------------------------------------------- rows


def _rows(letters: _Letters, colours: PixelsU8) -> list[Row]:
    middles, size = letters.middles, letters.size
    apart = np.hypot(*(middles[:, None] - middles[None]).transpose(2, 0, 1))
    larger, smaller = np.maximum.outer(size, size), np.minimum.outer(size, size)
    linked = (apart > 0) & (apart < 1.9 * larger) & (larger < 3 * smaller)
    linked &= _alike(letters.stroke, letters.stroke) & _alike(letters.contrast, letters.contrast)
    one, other = np.nonzero(np.triu(linked))
    if not len(one):
        return []
    # Letters far apart tell the direction best.
    best = np.argsort(-(apart / larger)[one, other], kind="stable")[:_MOST_PAIRS]
    one, other = one[best], other[best]
    direction = (middles[other] - middles[one]) / apart[one, other][:, None]
    scale = 0.5 * (size[one] + size[other])[:, None]
    # Two products of matrices instead of a cube of differences.
    along = direction @ middles.T - (direction * middles[one]).sum(axis=1)[:, None]
    normal = direction[:, ::-1] * (-1, 1)
    aside = np.abs(normal @ middles.T - (normal * middles[one]).sum(axis=1)[:, None])
    member = (aside < 0.38 * scale) & (size > 0.3 * scale) & (size < 2.2 * scale)
    member &= _alike(letters.stroke[one], letters.stroke) & _alike(letters.contrast[one], letters.contrast)
    rows: list[Row] = []
    judged = 0
    taken = np.zeros(len(size), bool)
    # A row of smooth letters before a longer one of gravel.
    order = np.argsort(-(member @ (_MOST_ROUGH + 0.02 - letters.rough)), kind="stable")
    for pair in order[member.sum(axis=1)[order] >= _LEAST_IN_ROW][:_MOST_TRIED]:
        run = _unbroken(np.flatnonzero(member[pair] & ~taken), along[pair], 2.4 * float(scale[pair, 0]))
        if len(run) < _LEAST_IN_ROW:
            continue
        chosen = letters.chosen(run)
        # As well laid as rows are in practice: what fails even so need not be measured pixel by pixel.
        if _score(len(run), feet=0.8, heads=0.8, close=1.0, is_repeat=False, **_even(chosen)) < _LIKELY_FROM:
            continue
        judged += 1
        if judged > _MOST_JUDGED:
            break
        row = _judged(chosen)
        if row.score >= _LIKELY_FROM:
            taken[run] = True
            rows.append(replace(row, veil=_veil(letters.chosen(run), colours)))
    return rows


def _alike(one: SoftF32, other: SoftF32) -> PixelsU8:
    larger, smaller = np.maximum.outer(one, other), np.minimum.outer(one, other)
    alike: PixelsU8 = larger < _ALIKE * smaller
    return alike


def _unbroken(members: PixelsU8, along: SoftF32, most_gap: float) -> PixelsU8:
    """Return the longest run of members without a gap between their middles."""
    if len(members) < _LEAST_IN_ROW:
        return members
    ordered = members[np.argsort(along[members], kind="stable")]
    breaks = np.flatnonzero(np.diff(along[ordered]) > most_gap) + 1
    runs: list[PixelsU8] = np.split(ordered, breaks)
    return max(runs, key=len)


def _judged(letters: _Letters) -> Row:
    """Measure a row in its own direction: where each letter begins and ends, stands and reaches to."""
    origin = letters.middles.mean(axis=0)
    across = np.linalg.svd(letters.middles - origin)[2][0]
    across = across if across[0] >= 0 else -across
    down = np.array([-across[1], across[0]])
    extents = []
    for index, (left, top, width, height) in zip(letters.index, letters.boxes, strict=True):
        rows, columns = np.nonzero(letters.labels[top : top + height, left : left + width] == index)
        points = np.stack([columns + left, rows + top], axis=1) - origin
        x, y = points @ across, points @ down
        extents.append((x.min(), x.max() + 1, y.min(), y.max() + 1, len(rows)))
    begin, end, top_y, foot_y, pixels = np.array(sorted(extents)).T
    tall, wide = foot_y - top_y, end - begin
    height_px = float(np.percentile(tall, 85))
    tolerance = max(1.2, 0.13 * height_px)
    gaps = begin[1:] - np.maximum.accumulate(end)[:-1]
    score = _score(
        len(extents),
        feet=float((np.abs(foot_y - np.median(foot_y)) < tolerance).mean()),
        heads=float((np.abs(top_y - np.median(top_y)) < tolerance).mean()),
        close=float(((gaps > -0.35 * height_px) & (gaps < 0.55 * height_px)).mean()),
        **_even(letters),
        is_repeat=bool(
            (np.std(wide) < 0.16 * wide.mean() and np.std(pixels / (wide * tall)) < 0.05)
            or np.median(wide) < _NARROW * height_px
        ),
    )
    return Row(letters.middles, float(np.arctan2(across[1], across[0])), height_px, score, 0.0)


def _even(letters: _Letters) -> dict[str, float]:
    """Return how alike the letters are, which needs none of their pixels: most rows fail by it alone."""
    return {
        "uneven": float(np.std(letters.stroke) / letters.stroke.mean()),
        "faded": float(np.std(letters.contrast) / letters.contrast.mean()),
        "rough": float(np.median(letters.rough)),
    }


def _score(
    count: int,
    *,
    feet: float,
    heads: float,
    close: float,
    uneven: float,
    faded: float,
    rough: float,
    is_repeat: bool,
) -> float:
    """Return how much a row is like writing, up to 3.8.

    `feet`, `heads`: share of letters that stand and end on one line; `close`: share of gaps narrower than
    half a letter; `uneven`, `faded`: spread of stroke width and contrast; `is_repeat`: the same shape again and
    again, which is a row of windows, keys or spokes.
    """
    line = min(count, 10) / 10 + 1.2 * feet + 0.6 * heads + close
    return line - 2 * uneven - faded - 2.5 * max(rough - 0.05, 0) - (1 if is_repeat else 0)


def _veil(letters: _Letters, colours: PixelsU8) -> float:
    """Return the one share of white that explains every letter in every channel, 0 where none does.

    Ink hides its ground, a watermark lets it through: on a coloured ground only mixing with white moves red,
    green and blue by the same share of what they had left.
    """
    shares = []
    for index, (left, top, width, height) in zip(letters.index, letters.boxes, strict=True):
        box = slice(max(0, top - 2), top + height + 2), slice(max(0, left - 2), left + width + 2)
        is_letter = (letters.labels[box] == index).astype(np.uint8)
        core = cv2.erode(is_letter, np.ones((3, 3), np.uint8)) > 0
        around = (cv2.dilate(is_letter, np.ones((5, 5), np.uint8)) == 0) & (letters.labels[box] == 0)
        if np.count_nonzero(core) < 4 or np.count_nonzero(around) < 8:
            continue
        ground, ink = np.median(colours[box][around], axis=0), np.median(colours[box][core], axis=0)
        if np.ptp(ground) >= _COLOURED_FROM:
            shares.append((ink - ground) / np.maximum(255 - ground, _LEAST_ROOM))
    if len(shares) < _LEAST_VEILED:
        return 0.0
    veil = float(np.median(shares))
    apart = float(np.median(np.abs(np.array(shares) - veil)))
    return veil if _VEIL[0] <= veil <= _VEIL[1] and apart <= _VEIL_APART else 0.0


# ---------------------------------------------------------------- where it lies


def _product(coverage: SoftF32, like: PixelsU8) -> tuple[AlphaU8, AlphaU8]:
    """Return the main thing of the cut-out, and it with all around that is near, both 0 and 1."""
    height, width = like.shape[:2]
    kept = cv2.resize(coverage, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
    _, labels, stats, _ = cv2.connectedComponentsWithStats(kept.astype(np.uint8))
    main = (labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())) if len(stats) > 1 else kept
    reach = max(1, round(_NEAR_RATIO * max(height, width)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    return main.astype(np.uint8), cv2.dilate(main.astype(np.uint8), disc)


def _at(flags: AlphaU8, row: Row) -> PixelsU8:
    x, y = row.middles.round().astype(int).T
    here: PixelsU8 = flags[y.clip(0, flags.shape[0] - 1), x.clip(0, flags.shape[1] - 1)] > 0
    return here


def _runs_across(row: Row, product: AlphaU8, near: AlphaU8) -> bool:
    inside, outside = int(_at(product, row).sum()), int((~_at(near, row)).sum())
    return min(inside, outside) >= _LEAST_OUTSIDE


def _pattern(rows: Sequence[Row], product: AlphaU8, shape: tuple[int, ...]) -> list[Row]:
    """Return rows of one height and direction that lie all over the photo, none where no three do."""
    for row in rows:
        alike = [
            each
            for each in rows
            if abs(np.sin(each.angle - row.angle)) < 0.06
            and max(each.height_px, row.height_px) < 1.35 * min(each.height_px, row.height_px)
        ]
        centres = np.array([each.middles.mean(axis=0) for each in alike])
        apart = np.ptp(centres @ np.array([-np.sin(row.angle), np.cos(row.angle)]))
        is_outside = any(not _at(product, each).any() for each in alike)
        if len(alike) >= _LEAST_ROWS and apart >= _PATTERN_SPAN * max(shape) and is_outside:
            return alike
    return []


def _area(rows: Sequence[Row], shape: tuple[int, ...]) -> Area:
    height, width = shape[:2]
    room = max(row.height_px for row in rows) / 2
    points = np.concatenate([row.middles for row in rows])
    left, top = np.maximum(points.min(axis=0) - room, 0)
    right, bottom = np.minimum(points.max(axis=0) + room, (width, height))
    return Area(*(round(float(each), 3) for each in (left / width, top / height, right / width, bottom / height)))
