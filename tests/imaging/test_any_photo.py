from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from domain.picture import Enhanced, FindingCode
from domain.recipe import Recipe
from imaging.codec import decode
from imaging.engine import LocalEnhancer
from imaging.scene import ORIGINAL
from tests.imaging.photos import GREY, MAIN, RED, disc, display_p3_profile, encoded, rgba, seen

UNTURN = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, 1),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: np.rot90(pixels, -1),
}
"""How a camera must store an upright scene so that the tag's turn brings it back."""


def codes(enhanced: Enhanced) -> set[FindingCode]:
    return {finding.code for finding in enhanced.findings}


def is_a_red_disc_on_white(content: bytes) -> bool:
    pixels = seen(content).astype(int)
    height, width = pixels.shape[:2]
    middle, corner = pixels[height // 2, width // 2], pixels[0, 0]
    return bool(abs(middle - RED).max() < 40 and (corner == 255).all())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photo_stands_upright_whatever_its_exif_says(orientation: int) -> None:
    upright = np.full((120, 200, 3), 90, np.uint8)
    upright[:40, :60] = (220, 30, 30)  # top left
    upright[80:, 140:] = (30, 30, 220)  # bottom right
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(UNTURN[orientation](upright))
    photo = decode(encoded(stored, exif=exif.tobytes()), max_megapixels=1)
    assert photo.rgb.shape == upright.shape
    assert np.abs(photo.rgb.astype(int) - upright).mean() < 3


def test_gps_and_every_other_tag_stay_behind(enhancer: LocalEnhancer) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretPhoneMaker"
    exif.get_ifd(0x8825)[2] = (47.0, 22.0, 11.0)
    made = enhancer.enhance_photo(encoded(disc(), exif=exif.tobytes()), Recipe(), [MAIN, ORIGINAL])
    for content in (made.before, made.after, made.preview, *(picture.content for picture in made.pictures)):
        assert b"Exif" not in content
        assert b"eXIf" not in content
        assert b"SecretPhoneMaker" not in content


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("PNG", "P"),
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("WEBP", "RGB"),
        ("GIF", "P"),
        ("BMP", "RGB"),
        ("TIFF", "RGB"),
        ("TIFF", "CMYK"),
        ("AVIF", "RGB"),
    ],
)
def test_every_kind_of_file_becomes_the_same_picture(enhancer: LocalEnhancer, kind: str, mode: str) -> None:
    photo = encoded(Image.fromarray(disc()).convert(mode), kind)
    made = enhancer.enhance_photo(photo, Recipe(), [MAIN])
    if mode == "L":
        assert (seen(made.pictures[0].content)[0, 0] == 255).all()
    else:
        assert is_a_red_disc_on_white(made.pictures[0].content)
    assert (FindingCode.COLOUR_SPACE in codes(made)) == (mode == "CMYK")
    assert FindingCode.TRANSPARENT_INPUT not in codes(made)


def test_heic_becomes_the_same_picture(enhancer: LocalEnhancer) -> None:
    from pillow_heif import from_pillow

    out = io.BytesIO()
    from_pillow(Image.fromarray(disc())).save(out, quality=90)
    assert is_a_red_disc_on_white(enhancer.enhance_photo(out.getvalue(), Recipe(), [MAIN]).pictures[0].content)


def test_sixteen_bit_png_keeps_its_light() -> None:
    grey_u16 = (disc()[..., 0].astype(np.uint16) * 257) & 0xFFFF
    photo = decode(encoded(Image.fromarray(grey_u16), "PNG"), max_megapixels=1)
    assert np.abs(photo.rgb[..., 0].astype(int) - disc()[..., 0]).max() <= 1


def test_name_does_not_matter_a_png_called_jpg_is_a_png(enhancer: LocalEnhancer) -> None:
    # The port takes bytes: nothing could look at a suffix.
    assert is_a_red_disc_on_white(enhancer.enhance_photo(encoded(disc(), "PNG"), Recipe(), [MAIN]).pictures[0].content)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animation_gives_its_first_picture_and_says_so(enhancer: LocalEnhancer, kind: str) -> None:
    frames = [Image.fromarray(disc()), Image.fromarray(disc(centre=(200, 200), ground=(40, 90, 40)))]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=200)
    made = enhancer.enhance_photo(out.getvalue(), Recipe(), [MAIN])
    assert FindingCode.ANIMATED_INPUT in codes(made)
    assert is_a_red_disc_on_white(made.pictures[0].content)


def test_wide_gamut_photo_is_brought_to_srgb_and_says_so() -> None:
    plain, wide = encoded(disc()), encoded(disc(), icc_profile=display_p3_profile())
    as_srgb, as_p3 = decode(plain, max_megapixels=1), decode(wide, max_megapixels=1)
    assert [finding.code for finding in as_p3.findings] == [FindingCode.COLOUR_SPACE]
    # The same numbers mean a stronger red in the wider space; a neutral grey stays the same grey.
    assert as_p3.rgb[250, 300, 0] > as_srgb.rgb[250, 300, 0] + 8
    assert np.abs(as_p3.rgb[10:60, 10:60].mean(axis=(0, 1)) - GREY).max() < 4


def test_srgb_profile_changes_nothing() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = decode(encoded(disc(), icc_profile=profile), max_megapixels=1)
    assert photo.findings == ()
    assert (photo.rgb == decode(encoded(disc()), max_megapixels=1).rgb).all()


def test_broken_profile_is_no_reason_to_refuse() -> None:
    assert decode(encoded(disc(), icc_profile=b"no profile at all"), max_megapixels=1).findings == ()


def test_profile_whose_tables_lead_nowhere_is_no_reason_to_refuse() -> None:
    profile = display_p3_profile()
    damaged = profile.replace(b"rTRC", b"rXRC")  # its name can still be read
    photo = decode(encoded(disc(), icc_profile=damaged), max_megapixels=1)
    assert photo.findings == ()
    assert (photo.rgb == decode(encoded(disc()), max_megapixels=1).rgb).all()


def test_stray_bytes_after_the_jpeg_do_no_harm() -> None:
    whole = encoded(disc())
    assert (decode(whole + b"\0" * 64, max_megapixels=1).rgb == decode(whole, max_megapixels=1).rgb).all()


def test_photo_that_came_cut_out_keeps_its_own_edge(enhancer: LocalEnhancer) -> None:
    rows, columns = np.mgrid[:480, :640]
    matte = np.where(np.hypot(columns - 300, rows - 250) < 140, 255, 0).astype(np.uint8)  # wider than the disc
    made = enhancer.enhance_photo(encoded(np.dstack([disc(), matte]), "PNG"), Recipe(), [ORIGINAL])
    assert FindingCode.TRANSPARENT_INPUT in codes(made)
    assert (rgba(made.pictures[0].content)[..., 3] == matte).all()
