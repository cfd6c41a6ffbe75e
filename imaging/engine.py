"""The `Enhancer` port: one photo in, one finished picture per platform out, off the event loop.

`LocalEnhancer.enhance_photo` is the whole way in one function: decode, cut out, refine, light, and
then for each rules place, compose, encode and measure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from domain.catalog import Sha256
from domain.errors import NotPossible
from domain.hint import Area
from domain.picture import Enhanced, Finding
from domain.recipe import PictureRules, Recipe
from imaging import checks, codec, preview, sheets
from imaging.balance import balance_of
from imaging.bleed import bleed_ratio
from imaging.codec import AlphaU8, Photo, PixelsU8
from imaging.cutout import Engines, SoftMask, no_product, own_mask
from imaging.drawing import CutOut, framed, judged, rendered, shaped
from imaging.edge import Sides, sides_of
from imaging.light import Light, lit, stops_wanted
from imaging.matting import FIT_LONG_SIDE_PX, EdgeModel, fit_edge
from imaging.parts import corrected, kept_apart, left_out, matte_after
from imaging.patches import see_through_ratio, without_patches
from imaging.scene import Box
from imaging.things import counted, only_thing

OVERVIEW_LONG_SIDE_PX = 1024
PHOTOS_AT_ONCE = 2

BackdropSource = Callable[[Sha256], Awaitable[bytes]]


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
        framing = framed(cut, recipe, shaped(recipe, rules[0]))
        before = self._aside.submit(preview.before_in, framing, decoded.rgb)
        behind = None if backdrop is None else codec.decode(backdrop, max_megapixels=self._max_megapixels).rgb
        # Stores that want the same picture get the same one: Shopify's and WooCommerce's rules differ in their name.
        first, *others = dict.fromkeys(replace(each, name="") for each in rules)
        shown = rendered(cut, recipe, first, behind)
        judging = {first: self._aside.submit(judged, shown)}
        after = preview.after_of(shown.shown)
        beside = self._aside.submit(preview.side_by_side, before.result(), after)
        for each in others:
            judging[each] = self._aside.submit(judged, rendered(cut, recipe, each, behind))
        return Enhanced(
            pictures=tuple(replace(judging[replace(each, name="")].result(), rules_name=each.name) for each in rules),
            before=preview.as_jpeg(before.result()),
            after=preview.as_jpeg(after),
            preview=beside.result(),
            engine=cut.mask.engine,
            confidence=round(max(0.0, 1 - cut.mask.doubt * 0.5 / cut.mask.doubt_limit), 3),
            findings=(*decoded.findings, *cut.findings, *writing.result()),
        )

    def _cut_out(self, photo: Photo, engine: str, recipe: Recipe) -> CutOut:
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
        edge: EdgeModel | None = None
        looking: Future[Sides] | None = None
        if photo.alpha is None:
            edge = _fitted(crop, work, mask, photo_width=width, photo_height=height)
            looking = self._aside.submit(sides_of, edge.crop, edge.coarse)
            alpha = edge.alpha(work)
        else:
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
        return CutOut(photo, overview, crop, product, edge, looking, light, mask, judging=self._aside.submit(judge))


def _judge_writing(cut: CutOut) -> tuple[Finding, ...]:
    """Say what is written over the photo; one that came cut out has lost what was beside the product."""
    from imaging.writing import writing_findings  # late: 10 ms of importing the room, here beside the drawing

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
