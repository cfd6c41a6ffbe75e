"""What a careful colleague would say about a photo and about the finished picture; all of it measured.

`photo_findings` look at the photo and its cut-out once, `picture_findings` at each finished picture
as a buyer's browser decodes it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from domain.picture import Finding, FindingCode, FindingLevel
from domain.recipe import WHITE, Background, PictureRules, Recipe
from imaging.balance import NO_GAINS, Balance
from imaging.bleed import BLEEDS_FROM
from imaging.codec import AlphaU8, PixelsU8
from imaging.cutout import OWN_MATTE, SoftMask
from imaging.light import Light, level_at
from imaging.parts import Part
from imaging.patches import SEE_THROUGH_FROM
from imaging.scene import FRAME_RATIO, Box, Framing
from imaging.weights import OPEN_MODELS

NOTE_ENLARGED_FROM = 1.25
WARN_ENLARGED_FROM = 2.0
CENTRE_TOLERANCE_RATIO = 0.01
SCALE_TOLERANCE_PERCENT = 0.5
FILL_TOLERANCE_RATIO = 0.005
"""Half a percent: the box of the finished alpha against the one the placement aimed at."""
DARK_BELOW = 90
"""8-bit luma that even the brightest hundredth of the scene does not reach."""
BRIGHT_ABOVE = 232
"""Median luma of the product."""
CLIPPED_FROM = 0.06
"""Share of the product's pixels burnt out in all three channels."""
BLURRED_ABOVE = 0.80
"""See `blur_ratio`."""
LEFT_OUT_FROM = 0.025
"""Share of the product that was half seen and left out: of u2netp's 17 cut-outs with a truth only a backpack without
its strap (.027) and a toy car it is unsure of anyway (.42) reach it."""
_CUT_OFF_FROM = 0.03
"""Length of the product on the photo's edge ÷ long side of its box."""


_BURNT_OUT = (253, 253, 253, 0), (255, 255, 255, 0)
_PURE_WHITE = (255, 255, 255, 0), (255, 255, 255, 0)


def photo_findings(
    mask: SoftMask, scene: PixelsU8, alpha: AlphaU8, *, sides: tuple[str, ...], see_through: float
) -> tuple[Finding, ...]:
    """Judge the photo. `scene` and `alpha` are the crop at about 1000 px, `sides` where it is cut off.

    `see_through` is `patches.see_through_ratio` of its alpha. What was done to the light: `lighting_findings`.
    """
    findings = [engine_finding(mask.engine)]
    if mask.doubt >= mask.doubt_limit:
        unsure = Finding(FindingCode.UNSURE, FindingLevel.WARNING, measured=mask.doubt, wanted=mask.doubt_limit)
        findings.append(unsure)
    if see_through >= SEE_THROUGH_FROM:
        findings.append(
            Finding(FindingCode.SEE_THROUGH, FindingLevel.WARNING, measured=see_through, wanted=SEE_THROUGH_FROM)
        )
    if sides:
        findings.append(Finding(FindingCode.CUT_OFF, FindingLevel.WARNING, detail=_listed(sides)))
    if mask.object_count > 1:
        findings.append(Finding(FindingCode.SEVERAL_OBJECTS, FindingLevel.WARNING, measured=float(mask.object_count)))
    blur = blur_ratio(scene)
    if blur > BLURRED_ABOVE:
        findings.append(Finding(FindingCode.BLURRED, FindingLevel.WARNING, measured=blur, wanted=BLURRED_ABOVE))
    return (*findings, *_light_findings(scene, alpha))


def engine_finding(engine: str) -> Finding:
    """Name the engine with its licence; a weaker one is a note, the last resort a warning."""
    if engine == OWN_MATTE:
        return Finding(FindingCode.TRANSPARENT_INPUT, FindingLevel.NOTE)
    if engine == "grabcut":
        return Finding(FindingCode.ENGINE, FindingLevel.WARNING, detail="colours alone (GrabCut)")
    if engine == "builtin":
        return Finding(FindingCode.ENGINE, FindingLevel.NOTE, detail="the built-in net")
    name = engine.removeprefix("rembg:")
    model = OPEN_MODELS[name]
    return Finding(FindingCode.ENGINE, FindingLevel.OK, detail=f"{name} ({model.licence}, {model.source})")


def _light_findings(scene: PixelsU8, alpha: AlphaU8) -> list[Finding]:
    findings = []
    luma = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)
    product = cv2.threshold(alpha, 230, 255, cv2.THRESH_BINARY)[1]
    pixels = cv2.countNonZero(product)
    top = float(level_at(luma, 0.99))
    if top < DARK_BELOW:
        findings.append(Finding(FindingCode.DARK, FindingLevel.WARNING, measured=top, wanted=float(DARK_BELOW)))
    if pixels:
        clipped = cv2.countNonZero(cv2.min(cv2.inRange(scene, *_BURNT_OUT), product)) / pixels
        median = float(level_at(luma, 0.5, product))
        if clipped >= CLIPPED_FROM:
            findings.append(Finding(FindingCode.CLIPPED, FindingLevel.WARNING, measured=clipped, wanted=CLIPPED_FROM))
        elif median > BRIGHT_ABOVE:
            findings.append(
                Finding(FindingCode.BRIGHT, FindingLevel.WARNING, measured=median, wanted=float(BRIGHT_ABOVE))
            )
    return findings


def lighting_findings(light: Light, balance: Balance, *, was_asked: bool) -> tuple[Finding, ...]:
    """Say what was done to the light and by which evidence; `was_asked` when a person named the brightness."""
    colours_changed = light.gains != NO_GAINS
    if was_asked or (colours_changed and light.stops):
        level = FindingLevel.NOTE if light.stops else FindingLevel.OK
        findings = (Finding(FindingCode.BRIGHTNESS, level, measured=light.stops),)
    elif light.stops:
        findings = (Finding(FindingCode.EXPOSURE, FindingLevel.NOTE, measured=light.stops),)
    else:
        findings = (Finding(FindingCode.EXPOSURE, FindingLevel.OK, measured=0.0),)
    if balance.source == "surface":
        level = FindingLevel.NOTE if colours_changed else FindingLevel.OK
        return (*findings, Finding(FindingCode.WHITE_BALANCE, level, measured=balance.chroma, wanted=0.0))
    if balance.source == "spot":
        return (*findings, Finding(FindingCode.WHITE_SPOT, FindingLevel.NOTE, measured=balance.chroma, wanted=0.0))
    if balance.source == "unusable":
        return (*findings, Finding(FindingCode.WHITE_SPOT, FindingLevel.WARNING, measured=balance.chroma, wanted=0.0))
    if balance.source == "none":
        return (*findings, Finding(FindingCode.NO_NEUTRAL, FindingLevel.NOTE))
    return findings


def bleed_findings(ratio: float) -> tuple[Finding, ...]:
    """Warn of the background inside the cut-out; `ratio` is `bleed.bleed_ratio`."""
    if ratio < BLEEDS_FROM:
        return ()
    return (Finding(FindingCode.BLEED, FindingLevel.WARNING, measured=ratio, wanted=BLEEDS_FROM),)


def part_findings(left_out: Sequence[Part], kept: Sequence[Part], *, engine: str) -> tuple[Finding, ...]:
    """Number what could belong to the product and what may not; `measured` is the number people say.

    The built-in net half sees much that is nothing, so of its parts none is a warning.
    """
    note = FindingLevel.NOTE
    is_much = sum(part.share for part in left_out) >= LEFT_OUT_FROM and engine.startswith("rembg:")
    first_level = FindingLevel.WARNING if is_much else note
    missing = [
        Finding(FindingCode.PART_LEFT_OUT, first_level if n == 1 else note, float(n), area=part.area)
        for n, part in enumerate(left_out, 1)
    ]
    first = len(missing) + 1
    shown = [Finding(FindingCode.PART_KEPT, note, float(n), area=part.area) for n, part in enumerate(kept, first)]
    return (*missing, *shown)


def correction_findings(said: int, idle: int) -> tuple[Finding, ...]:
    """Say whether every correction of the cut-out found something to change."""
    if not said:
        return ()
    level = FindingLevel.WARNING if idle else FindingLevel.OK
    return (Finding(FindingCode.CORRECTED, level, measured=float(idle or said), wanted=float(said)),)


def framing_findings(
    recipe: Recipe, rules: PictureRules, framing: Framing, *, photo_long_side_px: int
) -> tuple[Finding, ...]:
    """Say at which scale the product was drawn, or that a kept frame has no room for such wishes."""
    if rules.keep_frame:
        wishes = (recipe.margin_percent, recipe.scale_percent, recipe.scale_as_sku or None, recipe.aspect)
        return (Finding(FindingCode.FRAME_KEPT, FindingLevel.NOTE),) if any(wish is not None for wish in wishes) else ()
    drawn = float(100 * framing.scale * photo_long_side_px / min(rules.size_px))
    if recipe.scale_as_sku and rules.scale_percent is None:
        return (Finding(FindingCode.SCALE_FIRST, FindingLevel.NOTE, measured=drawn),)
    wanted = rules.scale_percent if recipe.scale_as_sku else recipe.scale_percent
    fits = FindingLevel.NOTE if recipe.scale_as_sku else FindingLevel.OK
    if wanted is not None and drawn <= wanted - SCALE_TOLERANCE_PERCENT:
        fits = FindingLevel.WARNING
    return (Finding(FindingCode.SCALE, fits, measured=drawn, wanted=wanted),)


def sides_cut_off(alpha: AlphaU8, crop: Box, *, photo_width: int, photo_height: int) -> tuple[str, ...]:
    """Return the sides of the photo that the product runs out of; `alpha` covers `crop`."""
    product = alpha > 127
    least = _CUT_OFF_FROM * max(product.any(axis=0).sum(), product.any(axis=1).sum())
    # The outermost pixel of a mask is often faint; the second one tells.
    edges = {
        "left": (crop.left <= 0, product[:, 1]),
        "right": (crop.right >= photo_width, product[:, -2]),
        "top": (crop.top <= 0, product[1]),
        "bottom": (crop.bottom >= photo_height, product[-2]),
    }
    return tuple(side for side, (touches, edge) in edges.items() if touches and edge.sum() >= max(2.0, least))


def _listed(sides: tuple[str, ...]) -> str:
    return " and ".join([*([", ".join(sides[:-1])] if len(sides) > 1 else []), sides[-1]])


def blur_ratio(crop: PixelsU8) -> float:
    """Return how much of the strongest edges survives a small blur: about .5 when sharp, 1 when blurred.

    A plain mug has few edges and a jumper many; the ratio on the strongest hundredth compares neither.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sharp, soft = _gradient(grey), _gradient(cv2.GaussianBlur(grey, (0, 0), 1.5))
    threshold = np.partition(sharp.ravel(), -sharp.size // 100)[-sharp.size // 100]
    strongest = sharp >= max(float(threshold), 1.0)
    if not strongest.any():
        return 1.0
    return float(soft[strongest].sum() / sharp[strongest].sum())


def _gradient(grey: PixelsU8) -> PixelsU8:
    return cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))


def picture_findings(
    rules: PictureRules, alpha: AlphaU8, seen: PixelsU8, *, background: Background, size_bytes: int, scale: float
) -> tuple[Finding, ...]:
    """Judge one finished picture: `alpha` on its canvas, `seen` as decoded again from its own bytes."""
    height, width = alpha.shape
    findings = []
    if background == WHITE:
        findings.append(_white_finding(seen))
    if not rules.keep_frame:
        findings += _placement_findings(rules, alpha)
    findings.append(Finding(FindingCode.SIZE, FindingLevel.OK, measured=float(width), detail=f"{width} × {height}"))
    level = FindingLevel.OK if size_bytes <= rules.max_bytes else FindingLevel.WARNING
    findings.append(Finding(FindingCode.FILE_SIZE, level, measured=size_bytes / 1e6, wanted=rules.max_bytes / 1e6))
    if scale >= NOTE_ENLARGED_FROM:
        level = FindingLevel.WARNING if scale >= WARN_ENLARGED_FROM else FindingLevel.NOTE
        findings.append(Finding(FindingCode.ENLARGED, level, measured=scale, wanted=NOTE_ENLARGED_FROM))
    return tuple(findings)


def white_ratio(seen: PixelsU8) -> float:
    """Return the share of pixels that are exactly 255, 255, 255 in the picture's 1 % rim."""
    height, width = seen.shape[:2]
    rim_y, rim_x = max(1, round(FRAME_RATIO * height)), max(1, round(FRAME_RATIO * width))
    rim = (seen[:rim_y], seen[-rim_y:], seen[rim_y:-rim_y, :rim_x], seen[rim_y:-rim_y, -rim_x:])
    white = sum(cv2.countNonZero(cv2.inRange(part, *_PURE_WHITE)) for part in rim)
    pixels = sum(int(part.shape[0] * part.shape[1]) for part in rim)
    return white / pixels


def _white_finding(seen: PixelsU8) -> Finding:
    white = white_ratio(seen)
    level = FindingLevel.OK if white == 1.0 else FindingLevel.WARNING
    return Finding(FindingCode.WHITE, level, measured=white, wanted=1.0)


def _placement_findings(rules: PictureRules, alpha: AlphaU8) -> list[Finding]:
    height, width = alpha.shape
    product = alpha > 127
    rows, columns = np.nonzero(product.any(axis=1))[0], np.nonzero(product.any(axis=0))[0]
    fill = max((columns[-1] - columns[0] + 1) / width, (rows[-1] - rows[0] + 1) / height)
    off_x = abs((columns[0] + columns[-1] + 1) / 2 - width / 2) / width
    off_y = abs((rows[0] + rows[-1] + 1) / 2 - height / 2) / height
    off = max(off_x, off_y)
    fill_level = FindingLevel.OK if fill >= rules.fill_least - FILL_TOLERANCE_RATIO else FindingLevel.WARNING
    centre_level = FindingLevel.OK if off <= CENTRE_TOLERANCE_RATIO else FindingLevel.WARNING
    return [
        Finding(FindingCode.FILL, fill_level, measured=float(fill), wanted=rules.fill_least),
        Finding(FindingCode.CENTRE, centre_level, measured=float(off), wanted=CENTRE_TOLERANCE_RATIO),
    ]
