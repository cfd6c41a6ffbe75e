"""Every row of the table of aims, measured on real photos, engine by engine, as JSON; and a sheet to look at.

The photos and weights lie beside the project and not in it: `MODEL_DIR=… python benchmarks/picture.py
[--photos FOLDER] [--engines builtin,rembg:u2netp] [--sheet out/picture.png] [--only NAME,…] [--quick]`. `--quick`
leaves out time and memory, for which the machine should have nothing else to do, and the photos written over.
The engine's own steps are called one by one, so that one cut-out serves every measure.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

# As a script Python looks beside this file for the packages, not in the repository's root.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import enhance, measures, overlaid
from benchmarks.sheet import Line, Look, draw_sheet
from domain.errors import BadPhoto
from domain.picture import Finding, FindingCode, FindingLevel
from domain.recipe import WHITE, PictureRules, Recipe, Shadow
from imaging import checks, codec, drawing, engine, light, scene
from imaging.codec import AlphaU8, Photo, PixelsU8
from imaging.writing import writing_findings

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("PACKSHOT_SHARED", ROOT.parent / "shared"))
MAIN = PictureRules(name="main", size_px=(2000, 2000), background=WHITE, fill=0.87, fill_least=0.85, shadow=Shadow.NONE)
LOW_ROOM = replace(MAIN, fill=0.80, fill_least=0.75)
"""Room below the product, so that a shadow's whole fall can be measured."""
COMPARED_AT_PX = 1024
AIMS = {"rembg:u2netp": (0.965, 0.88), "builtin": (0.90, 0.83)}
"""Mean overlap and boundary-F wanted of each engine."""
LOST_BELOW = 0.8
"""Overlap below which a cut-out must say of itself that a person has to look."""
FLAWED = {"rembg:u2netp": {"backpack_red", "boot_fringe"}, "builtin": {"backpack_red", "boot_fringe", "sloth"}}
"""Right by their overlap, and yet a person sees a fault: a strap is missing or rock clings to the bag, asphalt stands
between the fringes, stone between the legs. Found by looking at each."""
_DOUBTS = {FindingCode.UNSURE, FindingCode.SEE_THROUGH, FindingCode.BLEED, FindingCode.PART_LEFT_OUT}
_TELLING = {*_DOUBTS, FindingCode.CUT_OFF, FindingCode.SEVERAL_OBJECTS}
"""What makes a person look; the last two are right to say of a good cut-out too."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was wanted, what came out, whether that is enough (None: nothing to judge)."""

    figure: str
    aim: str
    measured: object
    met: bool | None


@dataclass(slots=True)
class Seen:
    """What one engine did with one photo; figures that need a truth stay empty without one."""

    name: str
    figures: dict[str, float] = field(default_factory=dict)
    halo: dict[str, list[float]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    shadow_faults: list[str] = field(default_factory=list)
    look: Look | None = None
    refused: str = ""


def look_at(enhancer: engine.LocalEnhancer, photo: Photo, folder: Path, name: str, engine_name: str) -> Seen:
    """Cut one photo out and take every measure of it."""
    seen = Seen(name)
    try:
        cut = enhancer._cut_out(photo, engine_name, Recipe())
    except BadPhoto as error:
        seen.refused = error.sentence
        return seen
    seen.told = [finding.code.value for finding in cut.findings if finding.level is FindingLevel.WARNING]
    dark = replace(cut, light=light.AS_PHOTOGRAPHED)
    pixels, alpha = _in_photo(dark)
    _placed(seen, cut, dark)
    mask_file = folder / "masks" / f"{name}.png"
    if mask_file.is_file():
        truth = codec.upright(np.asarray(Image.open(mask_file).convert("L")), 1)
        small, small_truth = codec.shrunk(alpha, COMPARED_AT_PX), codec.shrunk(truth, COMPARED_AT_PX)
        seen.figures["overlap"] = measures.overlap(small, small_truth)
        seen.figures["boundary_f"] = measures.boundary_f(small, small_truth)
        if (folder / "truth" / f"{name}.json").is_file():
            _against_the_truth(seen, cut, pixels, alpha, truth, folder)
    words = " · ".join([*(f"{key} {value:.3f}" for key, value in seen.figures.items() if key == "overlap"), *seen.told])
    size = 640
    heat = measures.halo_heat(codec.shrunk(pixels, size), codec.shrunk(alpha, size), codec.shrunk(photo.rgb, size))
    heat = cv2.dilate(heat, np.ones((5, 5), np.uint8))  # a line of one pixel is gone in a thumbnail
    result = codec.shrunk(drawing.rendered(cut, Recipe(), MAIN, None).seen(), size)
    seen.look = Look(codec.shrunk(alpha, size), result, heat, f"{engine_name}: {words}", bool(seen.told))
    return seen


def _in_photo(cut: drawing.CutOut) -> tuple[PixelsU8, AlphaU8]:
    """Return the product's colours and its alpha in the photo's own frame."""
    height, width = cut.photo.rgb.shape[:2]
    framing = scene.frame(scene.ORIGINAL, cut.product, cut.crop, photo_width=width, photo_height=height)
    crop_pixels, crop_alpha = drawing.drawn(cut, framing)
    pixels = cut.photo.rgb.copy()
    cut.crop.of(pixels)[:] = crop_pixels
    return pixels, scene.on_canvas(framing, crop_alpha)


def _placed(seen: Seen, cut: drawing.CutOut, dark: drawing.CutOut) -> None:
    """Measure the finished picture: white, fill, centre, fidelity, sharpness, shadow."""
    made = drawing.rendered(dark, Recipe(), MAIN, None)
    crop_alpha = drawing.drawn(dark, made.framing)[1]
    alpha = scene.on_canvas(made.framing, crop_alpha)
    figures = seen.figures
    made_seen = made.seen()
    figures["white_rim"] = checks.white_ratio(made_seen)
    figures["white_outside"] = measures.white_outside(made_seen, alpha)
    figures["fill"], figures["offset"] = measures.fill_and_offset(alpha)
    figures["enlarged"] = made.framing.scale
    reference = _resampled(cut, made.framing)
    reach = max(3, round(0.004 * max(alpha.shape)))
    inside = cv2.erode((alpha > measures.SURE).astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
    if inside.any():
        apart = measures.delta_e(made_seen[inside][::7], reference[inside][::7])
        figures["fidelity_mean"], figures["fidelity_p95"] = float(apart.mean()), float(np.percentile(apart, 95))
        figures["sharpness"] = measures.sharpness_ratio(made_seen, reference, inside)
    for kind in (Shadow.CONTACT, Shadow.SOFT):
        shaded = drawing.rendered(dark, Recipe(shadow=kind), LOW_ROOM, None)
        shaded_alpha = scene.on_canvas(shaded.framing, drawing.drawn(dark, shaded.framing)[1])
        shaded_seen = shaded.seen()
        faults = measures.shadow_faults(shaded_seen, shaded_alpha)
        if checks.white_ratio(shaded_seen) < 1:
            faults.append("rim not white")
        seen.shadow_faults += [f"{kind.value}: {fault}" for fault in faults]


def _resampled(cut: drawing.CutOut, framing: scene.Framing) -> PixelsU8:
    """Return the photo's crop where the finished picture has it, by Pillow's Lanczos, over white."""
    canvas = scene.plain(framing, (255, 255, 255))
    _, _, width, height = framing.landing(framing.crop)
    crop = Image.fromarray(np.ascontiguousarray(framing.crop.of(cut.photo.rgb)))
    drawn = np.asarray(crop.resize((width, height), Image.Resampling.LANCZOS))
    into, part = scene._overlap(framing, drawn[..., 0])
    canvas[into] = drawn[part]
    return canvas


def _against_the_truth(
    seen: Seen, cut: drawing.CutOut, pixels: PixelsU8, alpha: AlphaU8, truth: AlphaU8, folder: Path
) -> None:
    """Measure halo and colour of a composite whose product, alpha and cast are known."""
    known = json.loads((folder / "truth" / f"{seen.name}.json").read_text())
    clean = np.asarray(Image.open(folder / "truth" / f"{seen.name}.png").convert("RGBA"))
    height, width = clean.shape[:2]
    # Colour: at the size the truth is kept at.
    sure = (codec.scaled(truth, width, height) > measures.SURE) & (codec.scaled(alpha, width, height) > measures.SURE)
    lit = codec.scaled(light.lit(pixels, cut.light), width, height)
    before = codec.scaled(cut.photo.rgb, width, height)
    if sure.any():
        seen.figures["colour_before"] = float(measures.delta_e(before[sure], clean[sure][:, :3]).mean())
        seen.figures["colour_after"] = float(measures.delta_e(lit[sure], clean[sure][:, :3]).mean())
    # Halo: there too, with the product as the composite's light shows it.
    gains = np.array(known["gains_linear_rgb"]) * 2 ** known["ev"]
    levels = np.clip(light._LINEAR[clean[..., :3]] * gains, 0, 1)
    shown = np.where(levels <= 0.0031308, levels * 12.92, 1.055 * levels ** (1 / 2.4) - 0.055) * 255
    share, true_share = (codec.scaled(each, width, height)[..., None] / 255.0 for each in (alpha, truth))
    behind = codec.scaled(measures.old_background(cut.photo.rgb, truth), width, height)
    own = codec.scaled(pixels, width, height)
    ideal = shown * true_share + 255 * (1 - true_share)
    for key, its_share in (("halo", share), ("halo_colour", true_share)):
        made = own * its_share + 255 * (1 - its_share)
        left = measures.halo(made, ideal, true_share[..., 0], product=shown, behind=behind)
        seen.halo[key] = left.tolist()
        seen.figures[f"{key}_mean"] = float(left.mean()) if left.size else 0.0


def rows_of(name: str, all_seen: Sequence[Seen]) -> Iterator[Row]:
    """Sum one engine's photos up against the aims."""
    overlap_aim, edge_aim = AIMS.get(name, AIMS["rembg:u2netp"])

    def each(key: str) -> list[float]:
        return [seen.figures[key] for seen in all_seen if key in seen.figures]

    def judged(figure: str, aim: str, measured: float, met: Callable[[float], bool]) -> Row:
        return Row(figure, aim, round(measured, 4), met(measured))

    yield judged("overlap, mean", f"≥ {overlap_aim}", statistics.mean(each("overlap")), lambda it: it >= overlap_aim)
    yield Row("overlap, median", "", round(statistics.median(each("overlap")), 4), None)
    yield judged("boundary-F, mean", f"≥ {edge_aim}", statistics.mean(each("boundary_f")), lambda it: it >= edge_aim)
    lost = [seen for seen in all_seen if seen.figures.get("overlap", 1.0) < LOST_BELOW]
    silent = [seen.name for seen in lost if not _TELLING & set(seen.told)]
    yield Row(f"lost cut-outs (overlap < {LOST_BELOW}) that do not say so", "none", silent, not silent)
    flawed = FLAWED.get(name, set())
    quiet = [seen.name for seen in all_seen if seen.name in flawed and not _TELLING & set(seen.told)]
    yield Row("cut-outs with a fault that a person sees, and that do not say so", "none", quiet, not quiet)
    right = [seen for seen in all_seen if seen.figures.get("overlap", 0.0) >= LOST_BELOW and seen.name not in flawed]
    alarms = [seen.name for seen in right if _DOUBTS & set(seen.told)]
    yield judged(
        "false alarms (doubt about a right cut-out)", "≤ .10", len(alarms) / max(1, len(right)), lambda it: it <= 0.10
    )
    yield judged("white in the 1 % rim, least", "1.000", min(each("white_rim")), lambda it: it == 1.0)
    yield judged("white outside, least", "≥ .999", min(each("white_outside")), lambda it: it >= 0.999)
    fills, offsets = each("fill"), each("offset")
    yield Row(
        "fill, least and most", ".85–.90", [round(min(fills), 4), round(max(fills), 4)], _within(fills, 0.85, 0.9)
    )
    yield judged("centre offset, most", "≤ .01", max(offsets), lambda it: it <= 0.01)
    for key, what in (("halo", "halo"), ("halo_colour", "halo of the colours alone, at the truth's alpha")):
        if known := [seen.halo[key] for seen in all_seen if key in seen.halo]:
            left = np.concatenate(known)
            yield judged(f"{what}, mean", "≤ .05", float(left.mean()), lambda it: it <= 0.05)
            yield judged(f"{what}, p95", "≤ .15", float(np.percentile(left, 95)), lambda it: it <= 0.15)
    pairs = {
        seen.name: [round(seen.figures[key], 2) for key in ("colour_before", "colour_after")]
        for seen in all_seen
        if "colour_after" in seen.figures
    }
    yield Row(
        "colour ΔE2000, before and after", "after ≤ before + .5", pairs, all(b <= a + 0.5 for a, b in pairs.values())
    )
    yield judged("fidelity ΔE2000, light off, worst mean", "≤ 1.0", max(each("fidelity_mean")), lambda it: it <= 1.0)
    yield judged("fidelity ΔE2000, light off, worst p95", "≤ 3", max(each("fidelity_p95")), lambda it: it <= 3)
    sharp = [s.figures["sharpness"] for s in all_seen if "sharpness" in s.figures and s.figures["enlarged"] <= 1.25]
    yield Row(
        "sharpness where not enlarged, least and most",
        ".9–1.3",
        [round(min(sharp), 3), round(max(sharp), 3)],
        _within(sharp, 0.9, 1.3),
    )
    faults = {seen.name: seen.shadow_faults for seen in all_seen if seen.shadow_faults}
    yield Row("shadow: darkest at the contact, monotone, neutral, rim white", "all", faults or "all", not faults)
    refused = {seen.name: seen.refused for seen in all_seen if seen.refused}
    yield Row("photos refused", "", refused, None)


def _within(values: Sequence[float], least: float, most: float) -> bool:
    return min(values) >= least and max(values) <= most


def writing_rows(enhancer: engine.LocalEnhancer, name: str, photos: Sequence[PixelsU8]) -> Iterator[Row]:
    """Count what is said of writing laid over every photo, and of the photos themselves."""

    def said(photo: PixelsU8) -> tuple[Finding, ...]:
        try:
            return writing_findings(photo, enhancer._engines.cut_out(photo, name).coverage)
        except BadPhoto:
            return ()

    counts = overlaid.found_by(said, photos)
    false, *_ = counts.pop("none")
    yield Row("writing over a photo without any: false warnings", "none", false, false == 0)
    yield Row("writing laid over: warnings, notes, nothing said", "", counts, None)
    told = sum(warned + noted for warned, noted, _ in counts.values())
    yield Row("writing laid over: told, share", "", round(told / (len(counts) * len(photos)), 3), None)


def start_rows() -> Iterator[Row]:
    """Measure a fresh interpreter's import of the room."""
    code = (
        "import time; t = time.perf_counter(); import imaging.engine; import sys\n"
        "print(time.perf_counter() - t, *[n for n in ('rembg', 'numba', 'pymatting') if n in sys.modules])"
    )
    times, heavy = [], set()
    for _ in range(7):
        took, *found = _python(code).split()
        times.append(float(took))
        heavy |= set(found)
    yield Row("import of imaging.engine, least of 7, s", "≤ .3", round(min(times), 3), min(times) <= 0.3)
    yield Row("rembg, numba, pymatting imported", "none", sorted(heavy), not heavy)


def speed_rows(photo: Path, weights: Path) -> Iterator[Row]:
    """Measure time and memory against `rembg.remove()`, and four platforms against one."""
    figures = enhance.measure(photo.read_bytes(), weights, rounds=7)
    yield Row("12 MP, time ÷ rembg.remove()", "≤ .40", figures["ratio"], float(str(figures["ratio"])) <= 0.40)
    ours, theirs = (_peak_mb(way, photo, weights) for way in ("ours", "theirs"))
    yield Row("12 MP, peak memory, MB, ours and rembg's", "≤ .60 ×", [ours, theirs], ours <= 0.60 * theirs)
    both = _peak_mb("two", photo, weights)
    yield Row("two 12 MP photos at once, peak memory, MB", "< 1300", both, both < 1300)
    from platforms.registry import RULES

    four = list(RULES.values())[:4]
    enhancer = engine.LocalEnhancer(engine="rembg:u2netp", model_dir=weights.parent)
    times: dict[int, list[float]] = {1: [], len(four): []}
    for turn in range(6):
        for count, took in times.items():
            started = time.perf_counter()
            enhancer.enhance_photo(photo.read_bytes(), Recipe(), four[:count])
            if turn:
                took.append(time.perf_counter() - started)
    enhancer.close()
    ratio = statistics.median(times[len(four)]) / statistics.median(times[1])
    yield Row(f"{len(four)} platforms' pictures from one decode, time ÷ one", "≤ 1.6", round(ratio, 2), ratio <= 1.6)


def _peak_mb(way: str, photo: Path, weights: Path) -> int:
    """Return the highest resident memory of a fresh process that does one photo, ours or `rembg.remove()`; `two` does two at once."""
    read = f"from pathlib import Path; photo = Path({str(photo)!r}).read_bytes()\n"
    if way in {"ours", "two"}:
        work = (
            "from benchmarks.enhance import RULES\nfrom imaging.engine import LocalEnhancer, Recipe\n"
            f"e = LocalEnhancer(engine='rembg:u2netp', model_dir=Path({str(weights.parent)!r}))\n"
            "from concurrent.futures import ThreadPoolExecutor\n"
            f"photos = [photo] * {2 if way == 'two' else 1}\n"
            "with ThreadPoolExecutor(len(photos)) as pool:\n"
            "    list(pool.map(lambda each: e.enhance_photo(each, Recipe(), [RULES]), photos))\n"
        )
    else:
        work = (
            "import os, tempfile\nhome = Path(tempfile.mkdtemp())\n"
            f"(home / 'u2netp.onnx').symlink_to({str(weights.resolve())!r})\n"
            "os.environ.update(U2NET_HOME=str(home), MODEL_CHECKSUM_DISABLED='1')\n"
            "import rembg\nrembg.remove(photo, session=rembg.new_session('u2netp'))\n"
        )
    peak = "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
    return int(_python(read + work + peak).split()[-1]) // 1024


def _python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def main() -> int:
    """Print one JSON object and write the sheet; exit 1 where photos or weights are not here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=SHARED / "photos")
    parser.add_argument("--engines", default="builtin,rembg:u2netp")
    parser.add_argument("--sheet", type=Path, default=ROOT / "out" / "picture.png")
    parser.add_argument("--only", default="", help="names of photos, with commas")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    weights = Path(os.environ.get("MODEL_DIR", SHARED / "models")) / "u2netp.onnx"
    only = set(filter(None, asked.only.split(",")))
    photos = [file for file in sorted((asked.photos / "images").glob("*.jpg")) if not only or file.stem in only]
    if not photos or not weights.is_file():
        print("The photos or the weights are not here: give --photos FOLDER and set MODEL_DIR.", file=sys.stderr)
        return 1
    engines = asked.engines.split(",")
    threads = int(os.environ.get("IMAGING_THREADS", "2"))
    enhancer = engine.LocalEnhancer(model_dir=weights.parent, threads=threads)
    by_engine: dict[str, list[Seen]] = {name: [] for name in engines}
    lines = []
    for file in photos:
        photo = codec.decode(file.read_bytes(), max_megapixels=60)
        for name in engines:
            by_engine[name].append(look_at(enhancer, photo, asked.photos, file.stem, name))
            print(f"{file.stem} {name}", file=sys.stderr)
        looks = tuple(seen[-1].look for seen in by_engine.values() if seen[-1].look)
        lines.append(Line(file.stem, codec.shrunk(photo.rgb, 640), looks))
    small = [codec.shrunk(codec.decode(file.read_bytes(), max_megapixels=60).rgb, 1024) for file in photos]
    writing = {name: [] if asked.quick else [*writing_rows(enhancer, name, small)] for name in engines}
    enhancer.close()
    asked.sheet.parent.mkdir(parents=True, exist_ok=True)
    draw_sheet(lines).save(asked.sheet)
    once = [*start_rows()]
    if not asked.quick:
        once += speed_rows(asked.photos / "images" / "syn12_duck.jpg", weights)
    tables = {"once": once, **{name: [*rows_of(name, seen), *writing[name]] for name, seen in by_engine.items()}}
    report = {
        "rows": {name: [_plain(row) for row in rows] for name, rows in tables.items()},
        "missed": [f"{name}: {row.figure}" for name, rows in tables.items() for row in rows if row.met is False],
        "photos": {name: {seen.name: _short(seen) for seen in every} for name, every in by_engine.items()},
        "sheet": str(asked.sheet),
    }
    print(json.dumps(report, indent=1, ensure_ascii=False))
    return 0


def _plain(row: Row) -> dict[str, object]:
    return {"figure": row.figure, "aim": row.aim, "measured": row.measured, "met": row.met}


def _short(seen: Seen) -> dict[str, object]:
    figures = {key: round(value, 4) for key, value in seen.figures.items()}
    return {**figures, "told": seen.told, "shadow_faults": seen.shadow_faults}


if __name__ == "__main__":
    sys.exit(main())
