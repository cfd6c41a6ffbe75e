from __future__ import annotations

import subprocess
import sys

HEAVY = ("rembg", "numba", "pymatting", "scipy", "skimage", "pillow_heif", "onnxruntime", "asyncio")


def test_importing_imaging_brings_nothing_heavy() -> None:
    code = "import sys, imaging.engine; print(*[name for name in sys.modules if '.' not in name])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert set(loaded.stdout.split()) & set(HEAVY) == set()


def test_enhancing_with_the_builtin_brings_no_rembg_and_no_numba() -> None:
    code = (
        "import sys\n"
        "from tests.imaging.photos import MAIN, builtin, disc, encoded\n"
        "from domain.recipe import Recipe\n"
        "builtin().enhance_photo(encoded(disc()), Recipe(), [MAIN])\n"
        "print(*[name for name in sys.modules if '.' not in name])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert set(loaded.stdout.split()) & {"rembg", "numba", "pymatting", "scipy", "skimage"} == set()
