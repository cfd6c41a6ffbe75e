"""Pillow's many modes and colour spaces, as 8-bit sRGB arrays: a strip at a time.

Handing a whole picture from Pillow to numpy copies it three times over: 60 megapixels of WebP with a profile
took 1.4 GB so, and take half of that in strips.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from imaging.codec import AlphaU8, PixelsU8

BROKEN_PROFILE: Final = (ImageCms.PyCMSError, OSError, TypeError, ValueError)
"""What Pillow's colour management raises on a damaged ICC profile, before or after it has told its name."""
_STRIP_PIXELS = 1_000_000
_WITH_ALPHA = {"RGBA", "LA", "PA", "La", "RGBa"}

_Reader = Callable[[Image.Image], "PixelsU8"]


def eight_bits(image: Image.Image, icc_profile: bytes | None) -> tuple[PixelsU8, AlphaU8 | None]:
    """Return any of Pillow's modes as 8-bit RGB and, where something shows through, its alpha.

    CMYK comes in sRGB; for RGB a profile is left to `to_srgb`. Raises what Pillow raises on broken files.
    """
    has_alpha = image.mode in _WITH_ALPHA or "transparency" in image.info
    read = _reader(image, icc_profile, has_alpha=has_alpha)
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    alpha = np.empty((image.height, image.width), np.uint8) if has_alpha else None
    for top, bottom in _strips(image.width, image.height):
        pixels = read(image.crop((0, top, image.width, bottom)))
        rgb[top:bottom] = pixels[..., :3]
        if alpha is not None:
            alpha[top:bottom] = pixels[..., 3]
    return rgb, alpha if alpha is not None and alpha.min() < 250 else None


def to_srgb(rgb: PixelsU8, icc_profile: bytes | None) -> bool:
    """Bring the pixels to sRGB in place. False, and nothing is touched, where the profile leads nowhere."""
    transform = _transform(icc_profile, "RGB")
    if transform is None:
        return False
    for top, bottom in _strips(rgb.shape[1], rgb.shape[0]):
        rgb[top:bottom] = _applied(Image.fromarray(rgb[top:bottom]), transform)
    return True


def _reader(image: Image.Image, icc_profile: bytes | None, *, has_alpha: bool) -> _Reader:
    if image.mode.startswith("I") or image.mode == "F":
        brightest = max(
            float(np.asarray(image.crop((0, top, image.width, bottom)), np.float32).max())
            for top, bottom in _strips(image.width, image.height)
        )
        # 16 bits where they are used; some scanners write 8-bit values into 16-bit files.
        depth = 257.0 if brightest > 255 else 1.0
        return lambda strip: _grey(strip, depth)
    if image.mode == "CMYK" and (transform := _transform(icc_profile, "CMYK")):
        return lambda strip: _applied(strip, transform)
    mode = "RGBA" if has_alpha and image.mode != "CMYK" else "RGB"
    return lambda strip: np.asarray(strip if strip.mode == mode else strip.convert(mode))


def _grey(strip: Image.Image, depth: float) -> PixelsU8:
    grey = np.clip(np.asarray(strip, np.float32) / depth, 0, 255).astype(np.uint8)
    return np.dstack([grey] * 3)


def _transform(icc_profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the way from a profile to sRGB; None where there is none or its tables lead nowhere."""
    if not icc_profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except BROKEN_PROFILE:
        return None


def _applied(strip: Image.Image, transform: ImageCms.ImageCmsTransform) -> PixelsU8:
    return np.asarray(transform.apply(strip))


def _strips(width_px: int, height_px: int) -> Iterator[tuple[int, int]]:
    rows = max(1, _STRIP_PIXELS // width_px)
    for top in range(0, height_px, rows):
        yield top, min(top + rows, height_px)
