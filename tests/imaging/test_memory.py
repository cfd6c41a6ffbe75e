"""The largest photo that is taken goes the whole way in less than 1.5 GB."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from domain.recipe import Recipe
from tests.imaging.memory import peak_mb
from tests.imaging.photos import MAIN, builtin, disc, display_p3_profile

MOST_MB = 1500
SIZE_PX = (8900, 6700)
"""Just below the 60 megapixels that are taken by default."""


def draw_largest(path: Path, kind: str, mode: str) -> None:
    """Write a photo with all that costs memory: its size, a profile, a turn, and for RGBA a matte of its own."""
    photo = Image.fromarray(disc(1000, 750, centre=(500, 375), radius=200)).resize(SIZE_PX)
    if mode == "RGBA":
        photo.putalpha(photo.getchannel("R").point(lambda level: 255 if level > 180 else 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    quick = {"WEBP": {"quality": 30, "method": 0}, "PNG": {"compress_level": 1}, "JPEG": {}}[kind]
    photo.save(path, kind, icc_profile=display_p3_profile(), exif=exif.tobytes(), **quick)


def tell_memory(path: Path) -> None:
    """Enhance it and print the engine and the most memory: run in a process of its own."""
    made = builtin().enhance_photo(path.read_bytes(), Recipe(), [MAIN])
    print(json.dumps({"engine": made.engine, "peak_mb": peak_mb()}))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("WEBP", "RGBA"),  # the most of all: Pillow's reader holds two canvases of its own
        pytest.param("PNG", "RGBA", marks=pytest.mark.soak),
        pytest.param("JPEG", "RGB", marks=pytest.mark.soak),
        pytest.param("JPEG", "CMYK", marks=pytest.mark.soak),
    ],
)
def test_largest_photo_that_is_taken_stays_below_its_memory(tmp_path: Path, kind: str, mode: str) -> None:
    path = tmp_path / f"largest.{kind.lower()}"
    if mode == "CMYK":
        Image.fromarray(disc(1000, 750)).resize(SIZE_PX).convert("CMYK").save(path, kind)
    else:
        draw_largest(path, kind, mode)
    code = f"from pathlib import Path; from {__name__} import tell_memory; tell_memory(Path({str(path)!r}))"
    ran = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    told = json.loads(ran.stdout)
    assert told["engine"] == ("own matte" if mode == "RGBA" else "builtin")
    assert told["peak_mb"] < MOST_MB
