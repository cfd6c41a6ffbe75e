"""Photos built in code: what is in them is known exactly, so that a test can say what must come out."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from domain.recipe import WHITE, PictureRules, Shadow
from imaging.codec import PixelsU8, decode_own_jpeg
from imaging.engine import LocalEnhancer

RED = (200, 30, 35)
GREY = (150, 150, 146)
MAIN = PictureRules(
    name="main",
    size_px=(1000, 1000),
    background=WHITE,
    fill=0.87,
    fill_least=0.85,
    shadow=Shadow.NONE,
    shadow_allowed=False,
    only_white=True,
    max_bytes=5_000_000,
)
FREE = PictureRules(
    name="free", size_px=(800, 600), background=WHITE, fill=0.80, fill_least=0.75, shadow=Shadow.CONTACT
)


def disc(
    width: int = 640,
    height: int = 480,
    *,
    centre: tuple[float, float] = (300, 250),
    radius: float = 110,
    ground: tuple[int, int, int] = GREY,
) -> PixelsU8:
    """A red disc on a grey table, with a phone's noise."""
    rows, columns = np.mgrid[:height, :width]
    inside = np.clip(radius - np.hypot(columns + 0.5 - centre[0], rows + 0.5 - centre[1]) + 0.5, 0, 1)[..., None]
    noise = np.random.default_rng(7).normal(0, 2, (height, width, 1))
    pixels = np.array(RED) * inside + np.array(ground) * (1 - inside) + noise
    photo: PixelsU8 = np.clip(pixels, 0, 255).astype(np.uint8)
    return photo


def encoded(pixels: Any, kind: str = "JPEG", **options: Any) -> bytes:
    """Write pixels (or a Pillow image) in a format, EXIF and all."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    out = io.BytesIO()
    image.save(out, kind, **({"quality": 92} if kind == "JPEG" else {}), **options)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and keeps no pixel of it: the bomb and the 100 MP photo, small."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def display_p3_profile() -> bytes:
    """A wide-gamut RGB profile: sRGB's with its red and green colorants moved outwards, named anew."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    # Source of the colorants: Display P3, D50-adapted (ICC registry, dispp3).
    colorants = {
        b"rXYZ": (0.5151, 0.2412, -0.0011),
        b"gXYZ": (0.2920, 0.6922, 0.0419),
        b"bXYZ": (0.1571, 0.0666, 0.7841),
    }
    for index in range(count):
        tag, offset, size = struct.unpack(">4sII", profile[132 + 12 * index : 144 + 12 * index])
        if tag in colorants:
            values = [round(value * 65536) for value in colorants[tag]]
            profile[offset + 8 : offset + 20] = struct.pack(">iii", *values)
        if tag == b"desc":
            body = bytes(profile[offset : offset + size])
            body = body.replace("sRGB".encode("utf-16-be"), "P3-D".encode("utf-16-be")).replace(b"sRGB", b"P3-D")
            profile[offset : offset + size] = body
    return bytes(profile)


def seen(content: bytes) -> PixelsU8:
    """Decode a finished JPEG as a buyer's browser does."""
    return decode_own_jpeg(content)


def rgba(content: bytes) -> PixelsU8:
    """Decode a finished transparent PNG."""
    with Image.open(io.BytesIO(content)) as image:
        assert image.mode == "RGBA"
        return np.asarray(image)


def builtin() -> LocalEnhancer:
    """An enhancer that needs nothing but the package."""
    return LocalEnhancer(engine="builtin")
