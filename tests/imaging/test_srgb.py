"""A picture of many strips is the picture that Pillow would give whole."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from imaging.codec import decode
from imaging.srgb import _STRIP_PIXELS
from tests.imaging.photos import disc, display_p3_profile, encoded

SIZE_PX = (1403, 2101)
"""Three strips, the last one of few rows."""


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    drawn = Image.fromarray(disc(SIZE_PX[0], SIZE_PX[1], centre=(700, 1000), radius=500))
    assert SIZE_PX[0] * SIZE_PX[1] > 2 * _STRIP_PIXELS
    ramp = Image.linear_gradient("L").resize(SIZE_PX)
    return Image.blend(drawn, Image.merge("RGB", (ramp, ramp, ramp)), 0.4)  # no two strips are alike


def test_palette_with_a_hole_keeps_colours_and_hole(photo: Image.Image) -> None:
    palette = photo.quantize(64)
    content = encoded(palette, "PNG", transparency=palette.getpixel((0, 0)))
    whole = np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))
    decoded = decode(content, max_megapixels=5)
    assert decoded.alpha is not None
    assert (np.dstack([decoded.rgb, decoded.alpha]) == whole).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_matte_lines_up_over_all_strips(photo: Image.Image, mode: str) -> None:
    cut = photo.copy()
    cut.putalpha(photo.getchannel("R"))
    content = encoded(cut.convert(mode), "PNG")
    decoded = decode(content, max_megapixels=5)
    assert decoded.alpha is not None
    assert (decoded.alpha == np.asarray(photo.getchannel("R"))).all()
    assert (decoded.rgb == np.asarray(cut.convert(mode).convert("RGBA"))[..., :3]).all()


def test_sixteen_bits_are_judged_by_the_whole_picture_not_by_a_strip() -> None:
    grey = np.tile(np.linspace(100, 60_000, SIZE_PX[1]).astype(np.uint16)[:, None], (1, SIZE_PX[0]))
    grey[:800] = 200  # the first strip alone would pass for eight bits
    decoded = decode(encoded(Image.fromarray(grey), "PNG"), max_megapixels=5)
    assert np.abs(decoded.rgb[..., 0].astype(int) - grey // 257).max() <= 1


def test_profile_reaches_every_strip(photo: Image.Image) -> None:
    profile = display_p3_profile()
    content = encoded(photo, "PNG", icc_profile=profile)
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    whole = ImageCms.profileToProfile(photo, source, target)
    assert whole is not None
    assert (decode(content, max_megapixels=5).rgb == np.asarray(whole)).all()
