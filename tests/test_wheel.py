"""What is shipped: a wheel with everything in it, that enhances a photo with no network and no checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

ENHANCE = """
import imaging.engine, platforms.shelf.samples.catalogue as samples, storage.migrate, handlers.console.pages, sys
from pathlib import Path
assert all(str(Path(module.__file__)).startswith(sys.argv[1]) for module in (imaging.engine, samples, storage.migrate))
assert (storage.migrate.SCRIPTS / "env.py").is_file()
from domain.recipe import Recipe
from platforms.shelf.picture import RULES
made = imaging.engine.LocalEnhancer(engine="builtin").enhance_photo(samples.demo_photo(), Recipe(), [RULES])
print(made.engine, made.pictures[0].width_px, len(samples.load_samples()))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


def test_an_installed_wheel_enhances_offline(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    # -P and another folder: the checkout must not help; the environment gives the dependencies.
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{ENHANCE}"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program, str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.split() == ["builtin", "2048", "9"]


def test_a_wheel_carries_nothing_of_the_checkout_but_its_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    packages = {"bot", "domain", "handlers", "imaging", "platforms", "storage"}
    assert {top for top in tops if not top.endswith(".dist-info")} == packages
