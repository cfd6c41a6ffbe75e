"""The edge's own alpha and the edge's own colour, told apart by the colours on either side of it.

Beside the edge the product and the background each have a local mean colour, and a pixel between the
two is a mixture: where it lies on the line between them is its alpha. The net's soft mask knows only
roughly where the edge runs (a pixel too far out, on known composites), the colours know it exactly,
wherever they differ. How far they may be trusted is measured right there, on pixels whose side is certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from imaging.codec import AlphaU8, PixelsU8, SoftF32

_SOLID_FROM, _CLEAR_TO = 242, 13
_AWAY_PX, _CERTAIN_PX = 1, 3
"""At matting.FIT_LONG_SIDE_PX: what lies so near the edge may be either; the next ones beyond tell whether colour can."""
_WINDOW_PX, _FAR_WINDOW_PX = 4, 24
"""Radii of the local means there; the far one answers where the near one is empty."""
_FAR_STEP = 4
_FAR_SHARE = 1e-3
_MOST_ERROR = 0.03
"""Mean squared error of the colours' alpha on certain pixels at which it counts half."""
_LEAST_CONTRAST = 12.0
"""8-bit distance of the two colours at which they count half."""
_OFF_THE_LINE = 0.15
"""Squared distance from the line ÷ squared contrast at which a pixel of neither colour counts 1/e."""
_MOST_MOVED = 0.3
"""The mask keeps the last word: colour moves an alpha by no more."""
_SUM_OF_THREE = np.ones((1, 3), np.float32)


@dataclass(frozen=True, slots=True)
class Sides:
    """What lies on either side of one crop's edge, at some hundreds of pixels: both local colours (red, green, blue,
    0..255), 0..1 how far to trust them, and 1 where the edge may run.
    """

    product: SoftF32
    background: SoftF32
    trust: SoftF32
    open: AlphaU8


def own_edge(rgb: PixelsU8, alpha: AlphaU8, sides: Sides) -> tuple[PixelsU8, AlphaU8]:
    """Return the product's own colours (`rgb`, the old background taken out of the edge) and its corrected alpha.

    `sides` are those of the same crop, at whatever size.
    """
    height, width = alpha.shape
    rows, columns = sides.open.shape
    points = cv2.findNonZero(cv2.resize(sides.open, (width, height), interpolation=cv2.INTER_NEAREST))
    if points is None:
        return rgb, alpha
    x, y = points.reshape(-1, 2).T
    map_x = ((x + 0.5) * columns / width - 0.5).astype(np.float32)[None]
    map_y = ((y + 0.5) * rows / height - 0.5).astype(np.float32)[None]
    # Flat and plane by plane: numpy takes seven times as long over an axis of three.
    at = y.astype(np.intp) * width + x
    flat_rgb = np.ascontiguousarray(rgb).reshape(-1, 3)
    seen = flat_rgb[at].astype(np.float32).T.copy()
    masked = np.ascontiguousarray(alpha).ravel()[at].astype(np.float32) / 255
    behind = _sampled(sides.background, map_x, map_y).T.copy()
    across = _sampled(sides.product, map_x, map_y).T - behind
    share = _by_colour(seen - behind, across, masked, _sampled(sides.trust, map_x, map_y).ravel())
    # Blur fusion (Forte, 2021): what the pixel differs from the mixture is the product's by its alpha.
    own = behind + across + share * (seen - behind - share * across)
    np.copyto(own, seen, where=share >= 1)
    pixels, edge = flat_rgb.copy(), np.ascontiguousarray(alpha).ravel().copy()
    pixels[at] = np.clip(own.T + 0.5, 0, 255).astype(np.uint8)
    edge[at] = (share * 255 + 0.5).astype(np.uint8)
    return pixels.reshape(rgb.shape), edge.reshape(alpha.shape)


def _by_colour(from_behind: SoftF32, across: SoftF32, masked: SoftF32, trust: SoftF32) -> SoftF32:
    """Return the corrected alpha (n,) of pixels whose colours are given as (3, n) seen from the background's."""
    contrast = np.maximum((across * across).sum(axis=0), 1)
    told = np.clip((from_behind * across).sum(axis=0) / contrast, 0, 1)
    off = from_behind - told * across
    trust = trust * np.exp((off * off).sum(axis=0) / (-_OFF_THE_LINE * contrast))
    corrected: SoftF32 = np.clip(masked + trust * np.clip(told - masked, -_MOST_MOVED, _MOST_MOVED), 0, 1)
    return corrected


def sides_of(crop: PixelsU8, share: AlphaU8) -> Sides:
    """Look at both sides of an edge: `share` is the crop's alpha, both about matting.FIT_LONG_SIDE_PX long."""
    small = crop.astype(np.float32)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _AWAY_PX + 1,) * 2)
    solid: AlphaU8 = cv2.erode((share >= _SOLID_FROM).astype(np.uint8), disc)
    clear: AlphaU8 = cv2.erode((share <= _CLEAR_TO).astype(np.uint8), disc)
    is_open: AlphaU8 = 1 - solid - clear
    product = _local_mean(small, solid.astype(np.float32))
    background = _local_mean(small, clear.astype(np.float32))
    across = product - background
    contrast = cv2.transform(across * across, _SUM_OF_THREE)
    told = np.clip(cv2.transform((small - background) * across, _SUM_OF_THREE) / np.maximum(contrast, 1), 0, 1)
    ring = cv2.dilate(is_open, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _CERTAIN_PX + 1,) * 2))
    error = 0.5 * (
        _local_mean((1 - told) ** 2, (solid & ring).astype(np.float32))
        + _local_mean(told**2, (clear & ring).astype(np.float32))
    )
    trust = _MOST_ERROR / (_MOST_ERROR + error) * contrast / (contrast + _LEAST_CONTRAST**2)
    return Sides(product, background, trust, is_open)


def _local_mean(values: SoftF32, weight: SoftF32) -> SoftF32:
    """Return the weighted mean around each pixel of one or three planes; a far window answers where the near is empty."""
    planes = cv2.merge([*(plane * weight for plane in cv2.split(values)), weight])
    height, width = weight.shape
    near = cv2.blur(planes, (2 * _WINDOW_PX + 1,) * 2)
    coarse = cv2.resize(planes, (-(-width // _FAR_STEP), -(-height // _FAR_STEP)), interpolation=cv2.INTER_AREA)
    far = cv2.resize(cv2.blur(coarse, (2 * (_FAR_WINDOW_PX // _FAR_STEP) + 1,) * 2), (width, height))
    *sums, total = cv2.split(near + _FAR_SHARE * far)
    total += 1e-6
    return cv2.merge([each / total for each in sums])


def _sampled(pixels_f32: SoftF32, map_x: SoftF32, map_y: SoftF32) -> SoftF32:
    # remap takes at most 32,767 columns; the band of a large picture has more pixels than that.
    pieces = [
        cv2.remap(
            pixels_f32,
            map_x[:, at : at + 32000],
            map_y[:, at : at + 32000],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )[0]
        for at in range(0, map_x.shape[1], 32000)
    ]
    return np.concatenate(pieces)
