"""Photos with writing laid over them as shops and picture agencies do, to count how much of it is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from domain.picture import Finding, FindingCode, FindingLevel
from imaging.codec import PixelsU8, decode_own_jpeg, encode_jpeg

Overlay = Callable[[PixelsU8], PixelsU8]


def caption(photo: PixelsU8) -> PixelsU8:
    """A headline in solid letters at the top left."""
    height, width = photo.shape[:2]
    return _written(photo, "SUMMER SALE 2026", 0.05, (0.05 * width, 0.03 * height), _readable_on(photo[: height // 8]))


def corner(photo: PixelsU8) -> PixelsU8:
    """A small credit at the bottom right, three fifths solid."""
    height, width = photo.shape[:2]
    colour = _readable_on(photo[-height // 10 :])
    return _written(photo, "© photo-shop.example", 0.03, (0.98 * width, 0.98 * height), (*colour[:3], 150), anchor="rd")


def badge(photo: PixelsU8) -> PixelsU8:
    """A red disc at the top right with solid white letters."""
    height, width = photo.shape[:2]
    radius = 0.09 * max(height, width)
    x, y = width - 1.2 * radius, 1.2 * radius
    layer = Image.new("RGBA", (width, height))
    ImageDraw.Draw(layer).ellipse((x - radius, y - radius, x + radius, y + radius), fill=(210, 20, 30, 255))
    return _written(_merged(photo, layer), "NEW -50%", 0.035, (x, y), (255, 255, 255, 255), anchor="mm")


def across(photo: PixelsU8) -> PixelsU8:
    """Large slanted letters over the middle, two fifths solid."""
    side = max(photo.shape)
    layer = Image.new("RGBA", (2 * side, 2 * side))
    font = ImageFont.load_default(round(0.09 * side))
    ImageDraw.Draw(layer).text((side, side), "SAMPLE IMAGE", font=font, fill=(255, 255, 255, 110), anchor="mm")
    return _merged(photo, _slanted(layer, photo))


def tiled(photo: PixelsU8) -> PixelsU8:
    """The same slanted words all over, a third solid."""
    side, words = max(photo.shape), "stockpics.example"
    layer = Image.new("RGBA", (2 * side, 2 * side))
    draw, font = ImageDraw.Draw(layer), ImageFont.load_default(round(0.035 * side))
    _, _, width, height = draw.textbbox((0, 0), words, font=font)
    across_px, down_px = round(width * 1.25), round(height * 3)
    for index, y in enumerate(range(0, 2 * side, down_px)):
        for x in range(-(index % 2) * across_px // 2, 2 * side, across_px):
            draw.text((x, y), words, font=font, fill=(255, 255, 255, 80))
    return _merged(photo, _slanted(layer, photo))


OVERLAYS: dict[str, Overlay] = {
    "caption": caption, "corner": corner, "badge": badge, "across": across, "tiled": tiled,
}  # fmt: skip
OVER_THE_PRODUCT = ("across", "tiled")


def found_by(look: Callable[[PixelsU8], Sequence[Finding]], photos: Sequence[PixelsU8]) -> dict[str, list[int]]:
    """Count what `look` says of the photos as they are and with each overlay: [warnings, notes, silent]."""
    ways: dict[str, Overlay] = {"none": lambda photo: photo, **OVERLAYS}
    return {name: _counted([look(_as_sent(overlay(photo))) for photo in photos]) for name, overlay in ways.items()}


def _counted(said: Sequence[Sequence[Finding]]) -> list[int]:
    levels = [next((each.level for each in one if each.code is FindingCode.WRITING), None) for one in said]
    return [levels.count(FindingLevel.WARNING), levels.count(FindingLevel.NOTE), levels.count(None)]


def _as_sent(photo: PixelsU8) -> PixelsU8:
    # Nobody sends pixels: a JPEG's blocks make letters rough.
    return decode_own_jpeg(encode_jpeg(photo, max_bytes=60_000_000, quality=88))


def _written(
    photo: PixelsU8,
    words: str,
    size_ratio: float,
    at: tuple[float, float],
    colour: tuple[int, ...],
    *,
    anchor: str = "la",
) -> PixelsU8:
    layer = Image.new("RGBA", photo.shape[1::-1])
    font = ImageFont.load_default(round(size_ratio * max(photo.shape)))
    ImageDraw.Draw(layer).text(at, words, font=font, fill=colour, anchor=anchor)
    return _merged(photo, layer)


def _slanted(layer: Image.Image, photo: PixelsU8) -> Image.Image:
    (height, width), side = photo.shape[:2], max(photo.shape)
    left, top = side - width // 2, side - height // 2
    return layer.rotate(30).crop((left, top, left + width, top + height))


def _merged(photo: PixelsU8, layer: Image.Image) -> PixelsU8:
    return np.asarray(Image.alpha_composite(Image.fromarray(photo).convert("RGBA"), layer).convert("RGB"))


def _readable_on(ground: PixelsU8) -> tuple[int, int, int, int]:
    level = 255 if ground.mean() < 140 else 0
    return level, level, level, 255
