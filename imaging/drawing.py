"""From a product that was found to its finished pictures: place, draw, light, set on the background, encode, judge.

The photo is drawn anew for each picture, from its own pixels and once; nothing here asks what the product is.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from domain.picture import ContentType, Finding, FindingCode, FindingLevel, Picture
from domain.recipe import WHITE, Background, PictureRules, Recipe, Shadow
from imaging import checks, codec, preview, scene
from imaging import shadow as shadows
from imaging.codec import AlphaU8, Photo, PixelsU8
from imaging.cutout import SoftMask
from imaging.edge import Sides, own_edge
from imaging.light import Light, lit
from imaging.matting import EdgeModel, without_haze
from imaging.scene import Box, Framing

PNG: Final[ContentType] = "image/png"
JPEG: Final[ContentType] = "image/jpeg"


@dataclass(frozen=True, slots=True)
class CutOut:
    """The photo with its product found. `crop` has room for the soft edge, `product` is the tight box.

    `edge` covers `crop`; it is None when the photo brought its own matte, and so is `looking`, whose result are both
    sides of that edge. `overview` is the whole photo, small. `judging` goes on beside the drawing.
    """

    photo: Photo
    overview: PixelsU8
    crop: Box
    product: Box
    edge: EdgeModel | None
    looking: Future[Sides] | None
    light: Light
    mask: SoftMask
    judging: Future[tuple[Finding, ...]]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What there is to say of the photo and its cut-out, once that is judged."""
        return self.judging.result()


@dataclass(frozen=True, slots=True)
class Rendered:
    """One finished picture, not judged yet. `shown` are its pixels before they were encoded, `alpha` the product's."""

    rules: PictureRules
    framing: Framing
    background: Background
    alpha: AlphaU8
    shown: PixelsU8
    content: bytes
    content_type: ContentType
    findings: tuple[Finding, ...]

    def seen(self) -> PixelsU8:
        """Return it as a buyer's browser will decode it; a transparent one on its checkerboard."""
        return codec.decode_own_jpeg(self.content) if self.content_type == "image/jpeg" else self.shown


def rendered(cut: CutOut, recipe: Recipe, rules: PictureRules, backdrop: PixelsU8 | None) -> Rendered:
    """Make one finished picture."""
    background, shadow, findings = _agreed(recipe, rules)
    rules = shaped(recipe, rules)
    framing = framed(cut, recipe, rules)
    height, width = cut.photo.rgb.shape[:2]
    findings += checks.framing_findings(recipe, rules, framing, photo_long_side_px=max(width, height))
    pixels, crop_alpha = drawn(cut, framing)
    pixels = lit(pixels, cut.light)
    alpha = scene.on_canvas(framing, crop_alpha)
    strength = None if shadow is Shadow.NONE else shadows.shadow_strength(alpha, shadow)
    mirror = None
    if shadow is Shadow.REFLECTION:
        mirror = shadows.reflection(_alone(framing, pixels, crop_alpha), alpha)
    if background.kind == "transparent":
        canvas, shown = _alone(framing, pixels, crop_alpha), alpha
        if mirror is not None:
            shown = shadows.alpha_with_reflection(canvas, shown, mirror)
        if strength is not None:
            shown = shadows.alpha_with_shadow(canvas, shown, strength)
        content, content_type = codec.encode_png(canvas, shown), PNG
        canvas = preview.on_checkerboard(canvas, shown)
    else:
        behind = _behind(framing, background, backdrop)
        if strength is not None:
            behind = shadows.darkened(behind, strength)
        if mirror is not None:
            behind = shadows.mirrored_in(behind, mirror)
        canvas = scene.composed(framing, pixels, crop_alpha, behind)
        content, content_type = codec.encode_jpeg(canvas, max_bytes=rules.max_bytes), JPEG
    return Rendered(rules, framing, background, alpha, canvas, content, content_type, findings)


def judged(made: Rendered) -> Picture:
    """Return the picture with what there is to say of it, measured on what a buyer will see."""
    findings = made.findings + checks.picture_findings(
        made.rules,
        made.alpha,
        made.seen(),
        background=made.background,
        size_bytes=len(made.content),
        scale=made.framing.scale,
    )
    width, height = made.framing.canvas_width, made.framing.canvas_height
    return Picture(made.rules.name, made.content, made.content_type, width, height, findings)


def shaped(recipe: Recipe, rules: PictureRules) -> PictureRules:
    """Return the rules with the margin and the shape that were asked for."""
    if recipe.margin_percent is not None:
        rules = replace(rules, fill=1 - 2 * recipe.margin_percent / 100)
    return scene.shaped(rules, recipe.aspect)


def framed(cut: CutOut, recipe: Recipe, rules: PictureRules) -> Framing:
    """Return where the product stands on the canvas of rules that are `shaped` already."""
    height, width = cut.photo.rgb.shape[:2]
    return scene.frame(
        rules,
        cut.product,
        cut.crop,
        photo_width=width,
        photo_height=height,
        scale_percent=rules.scale_percent if recipe.scale_as_sku else recipe.scale_percent,
    )


def _alone(framing: Framing, pixels: PixelsU8, crop_alpha: AlphaU8) -> PixelsU8:
    """Return the product's colours on a black canvas, whole wherever it shows at all."""
    return scene.composed(framing, pixels, _opaque(crop_alpha), scene.plain(framing, (0, 0, 0)))


def _behind(framing: Framing, background: Background, backdrop: PixelsU8 | None) -> PixelsU8:
    if backdrop is not None:
        return scene.fitted(framing, backdrop)
    if background.kind == "gradient":
        return scene.sweep(framing)
    return scene.plain(framing, background.rgb)


def drawn(cut: CutOut, framing: Framing) -> tuple[PixelsU8, AlphaU8]:
    """Return the crop at its final size with the product's own colours, and its alpha."""
    if cut.edge is None and cut.photo.alpha is not None:
        return scene.drawn_with_matte(framing, cut.photo.rgb, cut.photo.alpha)
    pixels = scene.drawn(framing, cut.photo.rgb)
    if cut.edge is None or cut.looking is None:
        raise ValueError("a cut-out without an edge must come with the photo's own matte")
    pixels, alpha = own_edge(pixels, cut.edge.alpha(pixels), cut.looking.result())
    return pixels, without_haze(alpha)


def _agreed(recipe: Recipe, rules: PictureRules) -> tuple[Background, Shadow, tuple[Finding, ...]]:
    """Return what was asked for as far as the platform allows it, and what it does not allow."""
    background, shadow = recipe.background or rules.background, recipe.shadow or rules.shadow
    findings: tuple[Finding, ...] = ()
    if rules.only_white and background != WHITE:
        background = WHITE
        findings += (Finding(FindingCode.BACKGROUND_REPLACED, FindingLevel.NOTE),)
    if not rules.shadow_allowed and shadow is not Shadow.NONE:
        shadow = Shadow.NONE
        findings += (Finding(FindingCode.SHADOW_DROPPED, FindingLevel.NOTE),)
    return background, shadow, findings


def _opaque(alpha: AlphaU8) -> AlphaU8:
    """Where the product shows at all, its colour is written whole: a PNG's colours are not premultiplied."""
    return np.where(alpha > 0, 255, 0).astype(np.uint8)
