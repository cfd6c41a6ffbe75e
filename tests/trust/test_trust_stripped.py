"""What a camera writes beside the picture is gone from every format, and the picture is the same to the pixel."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from domain.stripped import without_metadata

SECRET = b"PLANTED-CAMERA-SERIAL"
GPS = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + SECRET + b"</x:xmpmeta>"


def scenery(mode: str = "RGB") -> Image.Image:
    ramp = np.linspace(0, 255, 48 * 32, dtype=np.uint8).reshape(32, 48)
    channels = np.dstack([ramp, ramp.T.reshape(32, 48), 255 - ramp, np.full_like(ramp, 128)])
    return Image.fromarray(channels[..., : len(mode)])


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = SECRET.decode()
    tags[0x9286] = SECRET.decode()
    tags.get_ifd(0x8825).update(GPS)
    return tags


def jpeg(orientation: int, *, progressive: bool = False) -> bytes:
    out = io.BytesIO()
    profile = Image.new("RGB", (1, 1)).info.get("icc_profile", b"profile-" * 300)
    scenery().save(
        out, "JPEG", exif=exif(orientation), xmp=XMP, comment=SECRET, progressive=progressive, icc_profile=profile
    )
    return out.getvalue() + b"\x00\x00\x00\x18ftypmp42" + SECRET  # a motion photo's film


def png(orientation: int) -> bytes:
    out, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Author", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=False)
    scenery("RGBA").save(out, "PNG", exif=exif(orientation), pnginfo=info)
    return out.getvalue()


def webp(orientation: int) -> bytes:
    out = io.BytesIO()
    scenery().save(out, "WEBP", exif=exif(orientation), xmp=XMP, lossless=True)
    return out.getvalue()


def heif(orientation: int) -> bytes:
    out = io.BytesIO()
    written = pillow_heif.from_pillow(scenery())
    written.save(out, exif=exif(orientation).tobytes(), xmp=XMP, quality=90)
    return out.getvalue()


MAKERS: dict[str, Callable[[int], bytes]] = {
    "jpeg": jpeg,
    "progressive": lambda orientation: jpeg(orientation, progressive=True),
    "png": png,
    "webp": webp,
    "heif": heif,
}


def opened(content: bytes) -> Image.Image:
    if content[4:8] == b"ftyp":
        return pillow_heif.open_heif(io.BytesIO(content)).to_pillow()
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("orientation", [1, 6, 8])
@pytest.mark.parametrize("kind", MAKERS)
def test_metadata_goes_and_the_picture_stays(kind: str, orientation: int) -> None:
    content = MAKERS[kind](orientation)
    assert SECRET in content, "the plant is there"
    stripped = without_metadata(content)
    assert SECRET not in stripped
    before, after = opened(content), opened(stripped)
    assert np.array_equal(np.asarray(before), np.asarray(after))
    assert after.getexif().get_ifd(0x8825) == {}
    if kind != "heif":
        assert after.getexif().get(0x0112, 1) == orientation
        assert set(after.getexif()) <= {0x0112}
    assert after.info.get("icc_profile") == before.info.get("icc_profile")
    assert without_metadata(stripped) == stripped, "twice is once"


@pytest.mark.parametrize("kind", MAKERS)
def test_broken_bytes_never_end_in_an_error(kind: str) -> None:
    content = MAKERS[kind](6)
    for cut in range(0, len(content), max(1, len(content) // 200)):
        without_metadata(content[:cut])
        without_metadata(content[:cut] + b"\xff" * 40 + content[cut + 40 :])


def test_what_is_no_photo_stays_as_it_is() -> None:
    for content in (b"", b"hello", b"\xff\xd8", b"RIFF\x00\x00\x00\x00WAVE", b"PK\x03\x04"):
        assert without_metadata(content) == content
