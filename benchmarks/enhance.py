"""How long a 12 MP photo takes to a finished 2000² JPEG, against `rembg.remove()` with the same weights.

The two alternate in one process, so that whatever else the machine does hits both; the figure is
the ratio of medians. Beside it stands the ratio of CPU seconds, all threads together, which a busy
machine disturbs less. Usage: `MODEL_DIR=… python benchmarks/enhance.py [--photo FILE] [--rounds 7]`.
rembg compiles numba code the first time it is ever imported (about a minute): not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

# As a script Python looks beside this file for the packages, not in the repository's root.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from domain.recipe import WHITE, PictureRules, Recipe, Shadow
from imaging.codec import decode_own_jpeg, encode_jpeg
from imaging.engine import LocalEnhancer

RULES = PictureRules(
    name="bench", size_px=(2000, 2000), background=WHITE, fill=0.87, fill_least=0.85, shadow=Shadow.NONE
)
SHARED_PHOTO = Path(__file__).resolve().parents[1].parent / "shared" / "photos" / "images" / "syn12_duck.jpg"


def build_photo() -> bytes:
    """Return a 4032 × 3024 JPEG: a shaded ball on an uneven table, with the noise of a phone."""
    height, width = 3024, 4032
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    table = 150 + 40 * np.sin(columns / 700) + 30 * rows / height
    photo = np.dstack([table, table * 0.92, table * 0.8])
    distance = np.hypot(columns - 2000, rows - 1500)
    shade = np.clip(1.2 - distance / 1400 - (rows - 1500) / 3000, 0.2, 1.2)
    ball = np.dstack([210 * shade, 40 * shade, 45 * shade])
    inside = np.clip(900 - distance, 0, 1)[..., None]
    noise = np.random.default_rng(1).normal(0, 2, (height, width, 1)).astype(np.float32)
    pixels = np.clip(photo * (1 - inside) + ball * inside + noise, 0, 255).astype(np.uint8)
    return encode_jpeg(pixels, max_bytes=20_000_000)


def measure(photo: bytes, weights: Path, *, rounds: int) -> dict[str, object]:
    """Alternate the two, return medians in ms and their ratio."""
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "u2netp.onnx").symlink_to(weights.resolve())
        os.environ["U2NET_HOME"] = home
        os.environ["MODEL_CHECKSUM_DISABLED"] = "1"
        import rembg

        session = rembg.new_session("u2netp")
        enhancer = LocalEnhancer(model_dir=weights.parent)
        recipe = Recipe(engine="rembg:u2netp")
        ours, theirs = [], []
        for turn in range(rounds + 1):
            started = _clocks()
            enhanced = enhancer.enhance_photo(photo, recipe, [RULES])
            between = _clocks()
            rembg.remove(photo, session=session)
            ended = _clocks()
            if turn:  # the first round warms up both
                ours.append(between - started)
                theirs.append(ended - between)
        enhancer.close()
    seen = decode_own_jpeg(enhanced.pictures[0].content)
    (ours_ms, ours_cpu_ms), (theirs_ms, theirs_cpu_ms) = (np.median(each, axis=0) * 1000 for each in (ours, theirs))
    return {
        "ours_ms": round(ours_ms),
        "rembg_ms": round(theirs_ms),
        "ratio": round(ours_ms / theirs_ms, 3),
        "ours_cpu_ms": round(ours_cpu_ms),
        "rembg_cpu_ms": round(theirs_cpu_ms),
        "cpu_ratio": round(ours_cpu_ms / theirs_cpu_ms, 3),
        "rounds": rounds,
        "engine": enhanced.engine,
        "picture_px": list(seen.shape[1::-1]),
        "includes": "decode, cut-out, edge, light, 2000² JPEG, checks, before/after and preview JPEGs",
    }


def _clocks() -> npt.NDArray[np.float64]:
    """Return the wall's and the process's seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def main() -> int:
    """Print one JSON object; exit 1 where the weights are not here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path, default=SHARED_PHOTO)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    weights = Path(os.environ.get("MODEL_DIR", "models")) / "u2netp.onnx"
    if not weights.is_file():
        print("The same weights must serve both: set MODEL_DIR to the folder with u2netp.onnx.", file=sys.stderr)
        return 1
    is_shared = asked.photo.is_file()
    photo = asked.photo.read_bytes() if is_shared else build_photo()
    figures = measure(photo, weights, rounds=asked.rounds)
    print(json.dumps({"photo": asked.photo.name if is_shared else "built 4032 × 3024", **figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
