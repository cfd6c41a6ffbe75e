"""The `Enhancer` port: one photo in, one finished picture per platform out, off the event loop.

`LocalEnhancer.enhance_photo` is the whole way in one function: decode, cut out, refine, light, and
then for each rules place, compose, encode and measure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from domain.catalog import Sha256
from domain.errors import NotPossible
from domain.hint import Area
from domain.picture import ContentType, Enhanced, Finding, FindingCode, FindingLevel, Picture
from domain.recipe import WHITE, Background, PictureRules, Recipe, Shadow
from imaging import checks, codec, preview, scene, sheets
from imaging import shadow as shadows
from imaging.balance import balance_of
from imaging.bleed import bleed_ratio
from imaging.codec import AlphaU8, Photo, PixelsU8
from imaging.cutout import Engines, SoftMask, no_product, own_mask
from imaging.edge import own_edge
from imaging.light import Light, lit, stops_wanted
from imaging.matting import FIT_LONG_SIDE_PX, EdgeModel, fit_edge, without_haze
from imaging.parts import corrected, kept_apart, left_out, matte_after
from imaging.patches import see_through_ratio, without_patches
from imaging.scene import Box, Framing
from imaging.things import counted, only_thing
from imaging.writing import writing_findings

OVERVIEW_LONG_SIDE_PX = 1024
PHOTOS_AT_ONCE = 2

BackdropSource = Callable[[Sha256], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class _CutOut:
    """The photo with its product found. `crop` has room for the soft edge, `product` is the tight box.

    `edge` covers `crop`; it is None when the photo brought its own matte. `overview` is the whole photo, small.
    `judging` goes on beside the drawing.
    """

    photo: Photo
    overview: PixelsU8
    crop: Box
    product: Box
    edge: EdgeModel | None
    light: Light
    mask: SoftMask
    judging: Future[tuple[Finding, ...]]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What there is to say of the photo and its cut-out, once that is judged."""
        return self.judging.result()


@dataclass(frozen=True, slots=True)
class _Rendered:
    picture: Picture
    framing: Framing
    seen: PixelsU8


async def backdrop_of(recipe: Recipe, source: BackdropSource | None) -> bytes | None:
    """Return the bytes of a recipe's backdrop picture, None when it has none. Raises NotPossible without a source."""
    if recipe.background is None or recipe.background.photo is None:
        return None
    if source is None:
        raise NotPossible("A backdrop picture cannot be used here: choose a colour or transparent.")
    return await source(recipe.background.photo)


class LocalEnhancer:
    """Enhances on this machine, at most PHOTOS_AT_ONCE photos at a time."""

    def __init__(
        self,
        *,
        engine: str = "auto",
        model_dir: Path | None = None,
        threads: int = 2,
        max_megapixels: float = 60,
        backdrop: BackdropSource | None = None,
        noncommercial: bool = False,
    ) -> None:
        """`engine` is what a recipe's `auto` means here; `backdrop` returns a backdrop photo's bytes.

        `noncommercial` allows models whose licence forbids business use.
        """
        self._engine = engine
        self._engines = Engines(model_dir=model_dir, threads=threads, noncommercial=noncommercial)
        self._max_megapixels = max_megapixels
        self._backdrop = backdrop
        self._pool = ThreadPoolExecutor(PHOTOS_AT_ONCE, thread_name_prefix="pixels")
        # What nobody waits for yet, beside the drawing, much of which keeps one core busy: a fifth of the time.
        self._aside = ThreadPoolExecutor(2 * PHOTOS_AT_ONCE, thread_name_prefix="aside")
        cv2.setNumThreads(threads)

    async def enhance(self, photo: bytes, recipe: Recipe, rules: Sequence[PictureRules]) -> Enhanced:
        """Keep the port's promise: see `domain.picture_ports.Enhancer`."""
        backdrop = await backdrop_of(recipe, self._backdrop)
        import asyncio  # late: a quarter of importing this room, and whoever awaits has it already

        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self.enhance_photo, photo, recipe, rules, backdrop)

    async def check(self, photo: bytes) -> None:
        """Raise BadPhoto when the header alone shows that `enhance` would."""
        import asyncio

        # Not in our pool: a header must not wait behind two photos in work.
        await asyncio.to_thread(self.check_photo, photo)

    def check_photo(self, photo: bytes) -> None:
        """Raise BadPhoto when the header alone shows that `enhance_photo` would; decodes no pixel."""
        codec.read_header(photo, max_megapixels=self._max_megapixels)

    def engine_name(self) -> str:
        """Return what `auto` means on this machine now: `rembg:MODEL`, `builtin` or `grabcut`."""
        return self._engines.best() if self._engine == "auto" else self._engine

    async def numbered(self, photo: bytes, areas: Sequence[Area]) -> bytes:
        """Keep the port's promise: see `domain.picture_ports.Enhancer`."""
        import asyncio

        return await asyncio.get_running_loop().run_in_executor(self._pool, self.numbered_photo, photo, areas)

    def numbered_photo(self, photo: bytes, areas: Sequence[Area]) -> bytes:
        """Do what `numbered` promises, in the calling thread."""
        return sheets.numbered(codec.decode(photo, max_megapixels=self._max_megapixels).rgb, areas)

    async def beside(self, pictures: Sequence[tuple[str, bytes]]) -> bytes:
        """Keep the port's promise: see `domain.picture_ports.Enhancer`."""
        import asyncio

        return await asyncio.get_running_loop().run_in_executor(self._pool, sheets.beside, pictures)

    def close(self) -> None:
        """Let the photos in work finish, take no more."""
        self._pool.shutdown(wait=True)
        self._aside.shutdown(wait=True)

    def enhance_photo(
        self, photo: bytes, recipe: Recipe, rules: Sequence[PictureRules], backdrop: bytes | None = None
    ) -> Enhanced:
        """Do what `enhance` promises, in the calling thread; `backdrop` are the bytes of a backdrop photo.

        Raises BadPhoto, NotPossible; ValueError without any rules.
        """
        if not rules:
            raise ValueError("no rules: nothing to make")
        decoded = codec.decode(photo, max_megapixels=self._max_megapixels)
        engine = self._engine if recipe.engine == "auto" else recipe.engine
        cut = self._cut_out(decoded, engine, recipe)
        writing = self._aside.submit(_judge_writing, cut)
        framing = _framed(cut, recipe, _shaped(recipe, rules[0]))
        before = self._aside.submit(preview.before_in, framing, decoded.rgb)
        behind = None if backdrop is None else codec.decode(backdrop, max_megapixels=self._max_megapixels).rgb
        # Stores that want the same picture get the same one: Shopify's and WooCommerce's rules differ in their name.
        nameless = [replace(each, name="") for each in rules]
        made = {each: _render(cut, recipe, each, behind) for each in dict.fromkeys(nameless)}
        rendered = [made[each] for each in nameless]
        after = preview.after_of(rendered[0].seen)
        beside = self._aside.submit(preview.side_by_side, before.result(), after)
        return Enhanced(
            pictures=tuple(
                replace(each.picture, rules_name=named.name) for each, named in zip(rendered, rules, strict=True)
            ),
            before=preview.as_jpeg(before.result()),
            after=preview.as_jpeg(after),
            preview=beside.result(),
            engine=cut.mask.engine,
            confidence=round(max(0.0, 1 - cut.mask.doubt * 0.5 / cut.mask.doubt_limit), 3),
            findings=(*decoded.findings, *cut.findings, *writing.result()),
        )

    def _cut_out(self, photo: Photo, engine: str, recipe: Recipe) -> _CutOut:
        height, width = photo.rgb.shape[:2]
        overview = codec.shrunk(photo.rgb, OVERVIEW_LONG_SIDE_PX)
        seen = self._engines.cut_out(overview, engine) if photo.alpha is None else own_mask(photo.alpha)
        correction = corrected(overview, seen, recipe.hints)
        mask = counted(correction.mask) if recipe.thing is None else only_thing(correction.mask, recipe.thing)
        if photo.alpha is not None and (recipe.hints or recipe.thing):
            photo = replace(photo, alpha=matte_after(photo.alpha, seen, mask))
        lighting = self._aside.submit(_judge_light, photo, overview, mask, recipe)
        crop = _box_of(mask.coverage > 0.4, Box(0, 0, width, height)).grown(width, height)
        work = codec.shrunk(crop.of(photo.rgb), OVERVIEW_LONG_SIDE_PX)
        if photo.alpha is None:
            edge = _fitted(crop, work, mask, photo_width=width, photo_height=height)
            alpha = edge.alpha(work)
        else:
            edge = None
            alpha = cv2.resize(crop.of(photo.alpha), work.shape[1::-1], interpolation=cv2.INTER_AREA)
        if not (alpha > 127).any():
            raise no_product()
        sides = checks.sides_cut_off(alpha, crop, photo_width=width, photo_height=height)
        light, light_findings = lighting.result()

        def judge() -> tuple[Finding, ...]:
            see_through = 0.0 if edge is None else see_through_ratio(edge.coarse)  # a matte may mean its glass
            return (
                *checks.photo_findings(mask, work, alpha, sides=sides, see_through=see_through),
                *light_findings,
                *checks.bleed_findings(0.0 if edge is None else bleed_ratio(overview, mask.coverage)),
                *checks.part_findings(left_out(mask), kept_apart(mask), engine=mask.engine),
                *checks.correction_findings(len(recipe.hints), len(correction.idle)),
            )

        product = _box_of(alpha > 127, crop)
        return _CutOut(photo, overview, crop, product, edge, light, mask, judging=self._aside.submit(judge))


def _judge_writing(cut: _CutOut) -> tuple[Finding, ...]:
    """Say what is written over the photo; one that came cut out has lost what was beside the product."""
    return writing_findings(cut.overview, cut.mask.coverage) if cut.photo.alpha is None else ()


def _judge_light(photo: Photo, overview: PixelsU8, mask: SoftMask, recipe: Recipe) -> tuple[Light, tuple[Finding, ...]]:
    """Return what shall be done to the light, and why. The light around what was cut out before is gone."""
    is_whole = photo.alpha is None
    balance = balance_of(overview, mask.coverage if is_whole and mask.doubt < mask.doubt_limit else None, recipe.white)
    stops = recipe.brightness_stops
    if stops is None:
        stops = stops_wanted(lit(overview, Light(gains=balance.gains))) if is_whole else 0.0
    light = Light(stops, balance.gains)
    return light, checks.lighting_findings(light, balance, was_asked=recipe.brightness_stops is not None)


def _fitted(crop: Box, work: PixelsU8, mask: SoftMask, *, photo_width: int, photo_height: int) -> EdgeModel:
    rows, columns = mask.coverage.shape
    # The same crop out of the small mask: sampled, not sliced, since its pixels are many of the photo's.
    target = codec.shrunk(work, FIT_LONG_SIDE_PX)
    height, width = target.shape[:2]
    step_x, step_y = columns / photo_width, rows / photo_height
    to_mask = np.array(
        [
            [crop.width / width * step_x, 0, (crop.left + 0.5 * crop.width / width) * step_x - 0.5],
            [0, crop.height / height * step_y, (crop.top + 0.5 * crop.height / height) * step_y - 0.5],
        ],
        np.float64,
    )
    coverage = cv2.warpAffine(
        mask.coverage,
        to_mask,
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return fit_edge(target, without_patches(target, coverage.clip(0, 1)))


def _render(cut: _CutOut, recipe: Recipe, rules: PictureRules, backdrop: PixelsU8 | None) -> _Rendered:
    """Make one finished picture and judge it as a buyer's browser will decode it."""
    background, shadow, findings = _agreed(recipe, rules)
    rules = _shaped(recipe, rules)
    framing = _framed(cut, recipe, rules)
    height, width = cut.photo.rgb.shape[:2]
    findings += checks.framing_findings(recipe, rules, framing, photo_long_side_px=max(width, height))
    pixels, crop_alpha = _drawn(cut, framing)
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
        content, kind = codec.encode_png(canvas, shown), "image/png"
        seen = preview.on_checkerboard(canvas, shown)
    else:
        behind = _behind(framing, background, backdrop)
        if strength is not None:
            behind = shadows.darkened(behind, strength)
        if mirror is not None:
            behind = shadows.mirrored_in(behind, mirror)
        canvas = scene.composed(framing, pixels, crop_alpha, behind)
        content, kind = codec.encode_jpeg(canvas, max_bytes=rules.max_bytes), "image/jpeg"
        seen = codec.decode_own_jpeg(content)
    findings += checks.picture_findings(
        rules, alpha, seen, background=background, size_bytes=len(content), scale=framing.scale
    )
    content_type: ContentType = "image/png" if kind == "image/png" else "image/jpeg"
    picture = Picture(rules.name, content, content_type, framing.canvas_width, framing.canvas_height, findings)
    return _Rendered(picture, framing, seen)


def _shaped(recipe: Recipe, rules: PictureRules) -> PictureRules:
    """Return the rules with the margin and the shape that were asked for."""
    if recipe.margin_percent is not None:
        rules = replace(rules, fill=1 - 2 * recipe.margin_percent / 100)
    return scene.shaped(rules, recipe.aspect)


def _framed(cut: _CutOut, recipe: Recipe, rules: PictureRules) -> Framing:
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


def _drawn(cut: _CutOut, framing: Framing) -> tuple[PixelsU8, AlphaU8]:
    """Return the crop at its final size with the product's own colours, and its alpha."""
    if cut.edge is None and cut.photo.alpha is not None:
        return scene.drawn_with_matte(framing, cut.photo.rgb, cut.photo.alpha)
    pixels = scene.drawn(framing, cut.photo.rgb)
    if cut.edge is None:
        raise ValueError("a cut-out without an edge must come with the photo's own matte")
    pixels, alpha = own_edge(pixels, cut.edge.alpha(pixels))
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


def _box_of(product: AlphaU8, within: Box) -> Box:
    """Return the box of the true pixels of a mask that covers `within`, in photo pixels."""
    rows, columns = np.nonzero(product.any(axis=1))[0], np.nonzero(product.any(axis=0))[0]
    if len(rows) == 0:
        raise no_product()
    step_x, step_y = within.width / product.shape[1], within.height / product.shape[0]
    return Box(
        within.left + columns[0] * step_x,
        within.top + rows[0] * step_y,
        within.left + (columns[-1] + 1) * step_x,
        within.top + (rows[-1] + 1) * step_y,
    )


def _opaque(alpha: AlphaU8) -> AlphaU8:
    """Where the product shows at all, its colour is written whole: a PNG's colours are not premultiplied."""
    return np.where(alpha > 0, 255, 0).astype(np.uint8)
