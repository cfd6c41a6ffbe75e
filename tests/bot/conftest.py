"""Photos drawn here, and the command on a folder of its own."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from bot.cli import main
from tests.bot.command import Command, Ended
from tests.bot.connect_rig import make_template

Invoke = Callable[..., Ended]


def draw_photo(size_px: tuple[int, int] = (480, 360)) -> bytes:
    """A red disc on a grey table: as plain as a product can be."""
    photo = Image.new("RGB", size_px, (150, 148, 144))
    middle_x, middle_y = size_px[0] / 2, size_px[1] / 2
    radius = min(size_px) * 0.3
    box = (middle_x - radius, middle_y - radius, middle_x + radius, middle_y + radius)
    ImageDraw.Draw(photo).ellipse(box, fill=(190, 40, 36), outline=(120, 20, 20), width=6)
    kept = io.BytesIO()
    photo.filter(ImageFilter.GaussianBlur(0.6)).save(kept, "JPEG", quality=92)
    return kept.getvalue()


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo file."""
    path = tmp_path_factory.mktemp("photos") / "phone.jpg"
    path.write_bytes(draw_photo())
    return path


@pytest.fixture
def packshot(tmp_path: Path) -> Command:
    """The command on a fresh folder."""
    return Command(tmp_path)


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Invoke]:
    """`packshot` in this process, which saves a start of Python a call; real processes are tested elsewhere."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "MEDIA_URL", "SECRET_KEY", "PUBLIC_URL", "HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in Command(tmp_path).environment().items():
        monkeypatch.setenv(name, value)

    def run(*words: str, **settings: str) -> Ended:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["packshot", *words])
        capsys.readouterr()
        try:
            main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        printed = capsys.readouterr()
        return Ended(status, printed.out, printed.err)

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose database is migrated: copied for each bot of its own."""
    folder = tmp_path_factory.mktemp("migrated")
    asyncio.run(make_template(folder))
    return folder
