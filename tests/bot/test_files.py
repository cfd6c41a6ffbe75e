"""`packshot enhance`: files in, files out, one line each, and what fails does not stop the others."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.files import enhance_files
from bot.settings import Settings
from domain.errors import BadInput
from tests.bot.command import Command
from tests.bot.conftest import draw_photo


async def enhance(
    photos: list[Path], out: Path, *, platform: str = "square", options: Mapping[str, str] | None = None
) -> int:
    settings = Settings(IMAGING_ENGINE="builtin", IMAGING_THREADS=1)
    return await enhance_files(settings, photos, out, platform=platform, options=options or {}, as_json=True)


async def test_several_photos_go_into_a_folder_and_a_bad_one_stops_none(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("no picture")
    png = tmp_path / "cut.png"
    png.write_bytes(draw_photo())
    out = tmp_path / "new" / "folder"
    assert await enhance([photo, bad, png], out) == 1
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [Path(line["out"]).name for line in lines] == ["phone.jpg", "cut.jpg"]
    assert sorted(path.name for path in out.iterdir()) == ["cut.jpg", "phone.jpg"]
    assert printed.err.startswith(f"packshot: {bad}: ")
    assert printed.err.count("\n") == 1
    assert set(lines[0]) == {
        "photo", "out", "width_px", "height_px", "content_type", "bytes", "engine", "confidence", "findings",
    }  # fmt: skip
    with Image.open(out / "phone.jpg") as picture:
        assert picture.size == (lines[0]["width_px"], lines[0]["height_px"])
        assert picture.getpixel((0, 0)) == (255, 255, 255)


async def test_original_and_transparent_lines_up_with_the_photo(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "cut.png"
    assert await enhance([photo], out, platform="original", options={"background": "transparent"}) == 0
    with Image.open(out) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (480, 360))
        alpha = np.asarray(picture)[..., 3]
    assert alpha[180, 240] == 255
    assert alpha[5, 5] == 0


async def test_a_suffix_of_another_format_is_refused_before_anything_is_written(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cut.jpg"
    assert await enhance([photo], out, platform="original", options={"background": "transparent"}) == 1
    assert "The picture is PNG: name it cut.png." in capsys.readouterr().err
    assert not out.exists()


async def test_a_backdrop_file_stands_behind_the_product(photo: Path, tmp_path: Path) -> None:
    backdrop = tmp_path / "wall.png"
    Image.new("RGB", (300, 300), (20, 90, 160)).save(backdrop)
    out = tmp_path / "out.jpg"
    assert await enhance([photo], out, options={"background": str(backdrop), "shadow": "none"}) == 0
    with Image.open(io.BytesIO(out.read_bytes())) as picture:
        corner = np.asarray(picture)[4, 4].astype(int)
    assert np.abs(corner - (20, 90, 160)).max() <= 6, "JPEG and nothing else may change the wall"


async def test_a_backdrop_that_is_no_picture_is_named(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backdrop = tmp_path / "wall.png"
    backdrop.write_text("no picture")
    out = tmp_path / "out.jpg"
    assert await enhance([photo], out, options={"background": str(backdrop)}) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not out.exists()


async def test_what_cannot_be_written_says_where(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert await enhance([photo], tmp_path / "file" / "out.jpg") == 1
    assert "choose another place with -o" in capsys.readouterr().err


async def test_unknown_words_start_nothing(photo: Path, tmp_path: Path) -> None:
    for platform, options in (("ebay", {}), ("square", {"background": "no/such/file.jpg"})):
        with pytest.raises(BadInput):
            await enhance([photo], tmp_path / "out.jpg", platform=platform, options=options)
    assert not (tmp_path / "out.jpg").exists()


def test_the_command_prints_one_object_a_picture(packshot: Command) -> None:
    (packshot.folder / "phone.jpg").write_bytes(draw_photo((320, 240)))
    done = packshot("enhance", "phone.jpg", "-o", "out/phone.jpg", "--for", "amazon", "--json")
    assert (done.status, done.err) == (0, "")
    assert (done.reply["width_px"], done.reply["height_px"], done.reply["engine"]) == (2000, 2000, "builtin")
    assert {"code", "level", "measured", "wanted", "sentence"} == set(done.reply["findings"][0])
    assert (packshot.folder / "out" / "phone.jpg").stat().st_size == done.reply["bytes"]
    assert not packshot.data_dir.exists(), "no store and no chat, so no data folder"
