"""The measures behind the table of aims: overlap, edges, white, halo, colour, sharpness, shadow.

Each takes pixels and gives numbers; none knows an engine or a photo's name. Where a measure needs a
threshold that the aims do not fix, it stands in its docstring.
"""

from __future__ import annotations

import cv2
import numpy as np

from imaging.codec import AlphaU8, PixelsU8, SoftF32

SURE = 250
"""8-bit alpha above which a pixel is the product's alone (.98)."""
LEAST_CONTRAST = 40.0
"""Distance of old background and product in 8-bit RGB below which a halo could not be seen: CIELAB 8 to 12."""


def overlap(made: AlphaU8, truth: AlphaU8) -> float:
    """Return the IoU of two alphas of equal size at one half."""
    is_made, is_true = made > 127, truth > 127
    return float((is_made & is_true).sum() / max(1, (is_made | is_true).sum()))


def boundary_f(made: AlphaU8, truth: AlphaU8) -> float:
    """Return the F-measure of the two outlines, 0.3 % of the picture's diagonal apart at most."""
    tolerance = max(1, round(0.003 * float(np.hypot(*made.shape))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * tolerance + 1,) * 2)
    outline_made, outline_true = _outline(made), _outline(truth)
    precision = _share_near(outline_made, cv2.dilate(outline_true, disc))
    recall = _share_near(outline_true, cv2.dilate(outline_made, disc))
    return 2 * precision * recall / max(precision + recall, 1e-9)


def _outline(alpha: AlphaU8) -> AlphaU8:
    product = (alpha > 127).astype(np.uint8)
    return product - cv2.erode(product, np.ones((3, 3), np.uint8))


def _share_near(outline: AlphaU8, near: AlphaU8) -> float:
    return float((outline & near).sum() / max(1, int(outline.sum())))


def white_outside(seen: PixelsU8, alpha: AlphaU8) -> float:
    """Return the share of exactly white pixels farther than 2 % of the canvas from the product."""
    reach = round(0.02 * max(alpha.shape))
    near = cv2.dilate((alpha > 127).astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8))
    outside = near == 0
    return float((seen[outside] == 255).all(axis=1).mean()) if outside.any() else 1.0


def fill_and_offset(alpha: AlphaU8) -> tuple[float, float]:
    """Return the long side of the product's box ÷ the canvas, and how far its middle is off, both ratios."""
    height, width = alpha.shape
    product = alpha > 127
    rows, columns = np.nonzero(product.any(axis=1))[0], np.nonzero(product.any(axis=0))[0]
    fill = max((columns[-1] - columns[0] + 1) / width, (rows[-1] - rows[0] + 1) / height)
    off_x = abs((columns[0] + columns[-1] + 1) / 2 - width / 2) / width
    off_y = abs((rows[0] + rows[-1] + 1) / 2 - height / 2) / height
    return float(fill), float(max(off_x, off_y))


def halo(made: SoftF32, ideal: SoftF32, alpha: SoftF32, *, product: SoftF32, behind: SoftF32) -> SoftF32:
    """Return how much of the old background still shows in each pixel of the edge, 0 where there is none.

    `made` and `ideal` are the colours on the new background, `product` and `behind` those of the known
    composite, (height, width, 3), 0..255; `alpha` (height, width), 0..1, is the truth. Only the band .05 < α < .95 with a contrast
    of LEAST_CONTRAST counts; the result has one value for each of its pixels.
    """
    towards_old = behind - product
    contrast = np.linalg.norm(towards_old, axis=2)
    counts = (alpha > 0.05) & (alpha < 0.95) & (contrast > LEAST_CONTRAST)
    along = ((made - ideal) * towards_old).sum(axis=2)[counts] / contrast[counts]
    result: SoftF32 = np.maximum(along, 0) / contrast[counts]
    return result


def old_background(photo: PixelsU8, alpha: AlphaU8) -> SoftF32:
    """Return the photo's background carried on under the product's edge: local means of what is clear."""
    return _carried(photo, (alpha < 5).astype(np.float32))


def own_colour(photo: PixelsU8, alpha: AlphaU8) -> SoftF32:
    """Return the product's colour carried on over its edge: local means of what is solid."""
    return _carried(photo, (alpha > SURE).astype(np.float32))


def _carried(photo: PixelsU8, weight: SoftF32) -> SoftF32:
    total = np.zeros(photo.shape, np.float32)
    share = np.zeros(weight.shape, np.float32)
    for radius, trust in ((4, 1.0), (24, 1e-3), (120, 1e-6)):
        window = (2 * radius + 1,) * 2
        total += trust * cv2.blur(photo.astype(np.float32) * weight[..., None], window)
        share += trust * cv2.blur(weight, window)
    carried: SoftF32 = total / (share + 1e-9)[..., None]
    return carried


def halo_heat(pixels: PixelsU8, alpha: AlphaU8, photo: PixelsU8) -> SoftF32:
    """Return for looking at, where no truth is known: how far the edge's colour lies towards the old background.

    0..1 times its alpha; `pixels` is what was cut out, `photo` the same frame before.
    """
    inside, outside = own_colour(photo, alpha), old_background(photo, alpha)
    towards_old = outside - inside
    squared = (towards_old**2).sum(axis=2)
    along = ((pixels.astype(np.float32) - inside) * towards_old).sum(axis=2) / np.maximum(squared, LEAST_CONTRAST**2)
    edge = (alpha > 12) & (alpha < 243)
    heat: SoftF32 = np.where(edge, np.clip(along, 0, 1) * alpha / 255, 0).astype(np.float32)
    return heat


def sharpness_ratio(made: PixelsU8, reference: PixelsU8, inside: AlphaU8) -> float:
    """Return the variance of the Laplacian in the mask ÷ that of the reference."""
    ours, theirs = (
        cv2.Laplacian(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), cv2.CV_64F)[inside].var() for each in (made, reference)
    )
    return float(ours / max(theirs, 1e-9))


def shadow_faults(seen: PixelsU8, alpha: AlphaU8) -> list[str]:
    """Return what is wrong with the shadow on a white picture, by the words of the table; empty when it is right.

    Looked at under the product's lowest point, where no trace of the product is near (a JPEG's block
    away); tolerances of one level in monotony and of three in neutrality, over a mean of many pixels.
    """
    height, width = alpha.shape
    product = alpha > 127
    lowest = np.where(product.any(axis=0), height - 1 - product[::-1].argmax(axis=0), -1)
    ground = int(lowest.max())
    middle = int(np.median(np.nonzero(lowest >= ground - 1)[0]))
    band = slice(max(0, middle - width // 200), middle + width // 200 + 1)
    far = cv2.dilate((alpha > 0).astype(np.uint8), np.ones((17, 17), np.uint8)) == 0
    rows = [row for row in range(ground + 1, min(height, ground + height // 12)) if far[row, band].all()]
    if len(rows) < height // 40:
        return []  # nothing but soft edge is there to be looked at
    fall = np.stack([seen[row, band].astype(np.float32).mean(axis=0) for row in rows])
    smooth = cv2.blur(fall.mean(axis=1)[:, None], (1, 9), borderType=cv2.BORDER_REPLICATE).ravel()
    faults = []
    if rows[int(smooth.argmin())] - max(ground, rows[0]) > 0.015 * height:
        faults.append("darkest elsewhere")
    if (np.diff(smooth) < -1.0).any():
        faults.append("not monotone")
    if (fall.max(axis=1) - fall.min(axis=1)).max() > 3:
        faults.append("not neutral")
    if smooth.min() > 250:
        faults.append("none to see")
    return faults


def delta_e(one: PixelsU8, other: PixelsU8) -> SoftF32:
    """Return CIEDE2000 of two (n, 3) arrays of sRGB 0..255."""
    return delta_e_lab(_lab(one), _lab(other))


def delta_e_lab(lab_1: SoftF32, lab_2: SoftF32) -> SoftF32:
    """Return CIEDE2000 of two (n, 3) arrays of CIELAB. Source: Sharma, Wu, Dalal (2005)."""
    light_1, a_1, b_1 = lab_1.T
    light_2, a_2, b_2 = lab_2.T
    chroma_7 = ((np.hypot(a_1, b_1) + np.hypot(a_2, b_2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(chroma_7 / (chroma_7 + 25.0**7))
    a_1, a_2 = a_1 * stretch, a_2 * stretch
    chroma_1, chroma_2 = np.hypot(a_1, b_1), np.hypot(a_2, b_2)
    hue_1, hue_2 = np.degrees(np.arctan2(b_1, a_1)) % 360, np.degrees(np.arctan2(b_2, a_2)) % 360
    turn = (hue_2 - hue_1 + 180) % 360 - 180
    grey = chroma_1 * chroma_2 == 0
    turn = np.where(grey, 0, turn)
    hue = np.where(grey, hue_1 + hue_2, (hue_1 + turn / 2) % 360)
    d_hue = 2 * np.sqrt(chroma_1 * chroma_2) * np.sin(np.radians(turn) / 2)
    light, chroma = (light_1 + light_2) / 2, (chroma_1 + chroma_2) / 2
    weight = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    scale_light = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    scale_chroma, scale_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * weight
    rotation = -np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))) * (
        2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    )
    parts = (light_2 - light_1) / scale_light, (chroma_2 - chroma_1) / scale_chroma, d_hue / scale_hue
    result: SoftF32 = np.sqrt(np.maximum(sum(part**2 for part in parts) + rotation * parts[1] * parts[2], 0))
    return result


def _lab(rgb: PixelsU8) -> SoftF32:
    lab: SoftF32 = cv2.cvtColor(rgb.reshape(-1, 1, 3).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[:, 0]
    return lab.astype(np.float64)
