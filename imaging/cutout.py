"""What is the product? A soft mask of the whole photo, from the best engine that is here.

Order of trust: the photo's own matte, an open model whose weights lie on this machine, the built-in
net, and GrabCut from a border prior where not even that loads. A weaker engine is never used in
silence: the result names its engine and how sure it is of itself.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from domain.errors import BadPhoto, Fault, NotPossible
from imaging.codec import AlphaU8, PixelsU8, SoftF32, shrunk
from imaging.matting import enclosed
from imaging.nets import BuiltinNet, CutoutNet, open_net
from imaging.weights import OPEN_MODELS, find_weights, known_model, missing

AUTO_MODELS = ("u2netp", "u2net", "silueta")
"""What `auto` takes when its weights are here; u2netp first, since it is the one that was measured."""
OWN_MATTE = "own matte"
"""The engine's name when the photo came already cut out."""
GRABCUT_LONG_SIDE_PX = 448
UNSURE_FROM = 0.25
"""Below it 9 of 12 unseen photos were accepted at IoU ≥ .967; both failures lay above."""
U2NET_UNSURE_FROM = 0.17
"""The u2nets answer more firmly. u2netp on 17 photos with masks: 16 at .15 or less, of IoU ≥ .938; of 16
without, a plate's cut in two (.21), a lost hand (.18), plants (.74), a lamp (.26) and a bicycle (.32) lie above."""
BLANK_SPREAD = 6.0
"""Grey levels between the 1st and 99th percentile; a wall with camera noise has 3 to 5."""
LEAST_SHARE = 0.0015
"""Less of the photo than this is a speck, not a product: 75 × 75 px of a 1920 px photo."""
_KEEP_SHARE = 0.08
"""Parts smaller than this share of the largest one are crumbs of the mask."""


@dataclass(frozen=True, slots=True)
class SoftMask:
    """Where the product is, 0..1, at a small size with the photo's aspect.

    `doubt` is 0 for a mask of clear yes and no; from `doubt_limit` on a person must look.
    """

    coverage: SoftF32
    engine: str
    doubt: float
    object_count: int
    doubt_limit: float = UNSURE_FROM
    half_seen: SoftF32 = field(default_factory=lambda: np.zeros((1, 1), np.float32))
    """The engine's own answer before loose parts were dropped, of the same size; (1, 1) where it has no other."""


class Engines:
    """The nets, loaded late and once. Safe to use from several threads."""

    def __init__(self, *, model_dir: Path | None = None, threads: int = 2, noncommercial: bool = False) -> None:
        """`noncommercial` allows models whose licence forbids business use."""
        self._model_dir = model_dir
        self._threads = threads
        self._noncommercial = noncommercial
        self._lock = threading.Lock()
        self._nets: dict[str, CutoutNet] = {}

    def best(self) -> str:
        """Return the engine that `auto` means now: `rembg:MODEL`, `builtin` or `grabcut`."""
        if model := self._auto_model():
            return f"rembg:{model}"
        try:
            self._builtin()
        except Fault:
            return "grabcut"
        return "builtin"

    def cut_out(self, rgb: PixelsU8, engine: str) -> SoftMask:
        """Return the mask of the photo (any size; it is made small here).

        Raises BadPhoto("no_product") where nothing stands out, NotPossible where the engine is not here.
        """
        if is_blank(rgb):
            raise no_product()
        mask = self._run_auto(rgb) if engine == "auto" else self._run(rgb, engine)
        if float((mask.coverage > 0.5).mean()) < LEAST_SHARE:
            raise no_product()
        return mask

    def _run_auto(self, rgb: PixelsU8) -> SoftMask:
        model = self._auto_model()
        if model is None:
            return self._run_builtin(rgb)
        try:
            return self._run(rgb, f"rembg:{model}")
        except NotPossible:
            return self._run_builtin(rgb)  # the weights are damaged; the finding names what was used instead

    def _run(self, rgb: PixelsU8, engine: str) -> SoftMask:
        if engine == "grabcut":
            return grabcut_from_border(rgb)
        if engine == "builtin":
            return self._run_builtin(rgb)
        model = known_model(engine.removeprefix("rembg:"), noncommercial=self._noncommercial)
        weights = find_weights(model, self._model_dir)
        if weights is None:
            raise missing(model)
        try:
            coverage = self._open(model, weights).coverage(rgb)
        except Fault as error:
            raise NotPossible(
                "The weights {file} are damaged: remove them and run `packshot engines get {model}`, or use builtin.",
                file=weights.name,
                model=model,
            ) from error
        limit = U2NET_UNSURE_FROM if OPEN_MODELS[model].graph == "u2net" else UNSURE_FROM
        return _finished(coverage, rgb, engine=f"rembg:{model}", doubt_limit=limit)

    def _run_builtin(self, rgb: PixelsU8) -> SoftMask:
        try:
            net = self._builtin()
        except Fault:
            return grabcut_from_border(rgb)
        small = shrunk(rgb, GRABCUT_LONG_SIDE_PX)
        mask = _finished(net.coverage(rgb), small, engine="builtin")
        return replace(mask, coverage=_with_grabcut_border(small, mask.coverage))

    def _auto_model(self) -> str | None:
        return next((model for model in AUTO_MODELS if find_weights(model, self._model_dir)), None)

    def _builtin(self) -> CutoutNet:
        with self._lock:
            if "builtin" not in self._nets:
                self._nets["builtin"] = BuiltinNet(threads=self._threads)
            return self._nets["builtin"]

    def _open(self, model: str, weights: Path) -> CutoutNet:
        with self._lock:
            if model not in self._nets:
                self._nets[model] = open_net(model, weights, threads=self._threads)
            return self._nets[model]


def own_mask(alpha: AlphaU8) -> SoftMask:
    """Return the mask of a photo that came cut out. Raises BadPhoto("no_product") when nothing is left in it."""
    coverage = shrunk(alpha, GRABCUT_LONG_SIDE_PX).astype(np.float32) / 255
    if float((coverage > 0.5).mean()) < LEAST_SHARE:
        raise no_product()
    return SoftMask(coverage, OWN_MATTE, 0.0, _without_crumbs(coverage)[1])


def no_product() -> BadPhoto:
    """Return the refusal for a photo in which nothing stands out."""
    return BadPhoto(
        "I cannot see a product in this photo: retake it with the product in the middle, on a plain background.",
        reason="no_product",
    )


def is_blank(rgb: PixelsU8) -> bool:
    """Whether the photo is one even surface: a lens cap, a wall, an empty export."""
    small = shrunk(rgb, 256)
    low, high = np.percentile(small.reshape(-1, 3), [1, 99], axis=0)
    if float((high - low).max()) >= BLANK_SPREAD:
        return False
    # A small thing on an even sheet hides from percentiles, not from the extremes of a blurred copy.
    blurred = cv2.GaussianBlur(small, (0, 0), 2)
    return float((blurred.max(axis=(0, 1)).astype(int) - blurred.min(axis=(0, 1))).max()) < 3 * BLANK_SPREAD


def grabcut_from_border(rgb: PixelsU8) -> SoftMask:
    """Cut out with no net: what differs from the colours of the border and lies near the middle."""
    small = shrunk(rgb, GRABCUT_LONG_SIDE_PX)
    height, width = small.shape[:2]
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    border = np.zeros((height, width), bool)
    rim_px = max(4, int(0.06 * min(height, width)))
    border[:rim_px] = border[-rim_px:] = True
    border[:, :rim_px] = border[:, -rim_px:] = True
    cv2.setRNGSeed(1)  # k-means starts at random; the same photo shall give the same picture
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 1.0)
    samples = np.ascontiguousarray(lab[border][::7])
    _, _, centres = cv2.kmeans(samples, 5, np.empty(0, np.int32), criteria, 1, cv2.KMEANS_PP_CENTERS)
    # Lightness counts less than colour: a shadow on the table is still the table.
    distance = np.min([np.linalg.norm((lab - centre) * [0.7, 1.2, 1.2], axis=2) for centre in centres], axis=0)
    rows, columns = np.mgrid[:height, :width]
    centred = np.exp(-(((columns / width - 0.5) / 0.38) ** 2 + ((rows / height - 0.52) / 0.38) ** 2))
    likely = cv2.GaussianBlur(_stretched(_stretched(distance) * centred).astype(np.float32), (0, 0), 3)
    threshold = cv2.threshold((likely * 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0] / 255
    labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    labels[likely > threshold] = cv2.GC_PR_FGD
    labels[likely > min(0.95, threshold * 1.6)] = cv2.GC_FGD
    labels[border] = cv2.GC_BGD
    coverage, count = _without_crumbs(grabcut(small, labels))
    return SoftMask(coverage, "grabcut", UNSURE_FROM, count)


def doubt_of(coverage: SoftF32) -> float:
    """Return mean(4p(1 − p)) ÷ (share of p > .5 + .01): how much of the mask is neither yes nor no."""
    return float((4 * coverage * (1 - coverage)).mean() / ((coverage > 0.5).mean() + 0.01))


def _finished(coverage: SoftF32, like: PixelsU8, *, engine: str, doubt_limit: float = UNSURE_FROM) -> SoftMask:
    doubt = doubt_of(coverage)
    height, width = shrunk(like, GRABCUT_LONG_SIDE_PX).shape[:2]
    full = np.clip(cv2.resize(coverage, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    clean, count = _without_crumbs(full)
    return SoftMask(clean, engine, doubt, count, doubt_limit, half_seen=full.astype(np.float32))


def _without_crumbs(coverage: SoftF32) -> tuple[SoftF32, int]:
    """Drop parts much smaller than the largest; return the mask and how many separate parts are left."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((coverage > 0.4).astype(np.uint8))
    if count <= 2:
        return coverage.astype(np.float32), count - 1
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = [index + 1 for index, area in enumerate(areas) if area >= _KEEP_SHARE * areas.max()]
    near = cv2.dilate(np.isin(labels, kept).astype(np.uint8), np.ones((9, 9), np.uint8))
    return (coverage * near).astype(np.float32), len(kept)


def _with_grabcut_border(small: PixelsU8, coverage: SoftF32) -> SoftF32:
    """Let GrabCut move the border only: where it disagrees with the net as a whole, the net stands."""
    labels = np.where(coverage > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[coverage > 0.97] = cv2.GC_FGD
    labels[coverage < 0.03] = cv2.GC_BGD
    cut = grabcut(small, labels)
    cut = np.where(coverage > 0.97, 1.0, np.where(coverage < 0.03, 0.0, cut)).astype(np.float32)
    # A toy's dark eye looks like background to GrabCut.
    cut = np.where(enclosed(cut < 0.5) & (coverage > 0.5), coverage, cut)
    agreement = np.minimum(coverage, cut).sum() / (np.maximum(coverage, cut).sum() + 1e-6)
    return coverage if agreement < 0.8 else (0.5 * coverage + 0.5 * cut).astype(np.float32)


def grabcut(small: PixelsU8, labels: PixelsU8) -> SoftF32:
    """Return 1.0 where OpenCV's GrabCut sees product, from labels of its own (GC_BGD…); the same each time."""
    is_product = (labels & 1) == 1
    if is_product.sum() >= 30 and (labels == cv2.GC_BGD).sum() >= 30:
        cv2.setRNGSeed(1)
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(bgr, labels, (0, 0, 1, 1), *models, 3, cv2.GC_INIT_WITH_MASK)
    cut: SoftF32 = ((labels & 1) == 1).astype(np.float32)
    return cut


def _stretched(values: SoftF32) -> SoftF32:
    stretched: SoftF32 = (values - values.min()) / (np.ptp(values) + 1e-6)
    return stretched
