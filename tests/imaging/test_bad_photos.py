from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from domain.errors import BadPhoto
from domain.recipe import Recipe
from imaging.codec import decode
from imaging.engine import LocalEnhancer
from tests.imaging.photos import MAIN, disc, encoded, png_header

NOISE = np.random.default_rng(3).integers(0, 256, 4000, dtype=np.uint8).tobytes()
WHOLE_JPEG = encoded(disc())
WHOLE_WEBP = encoded(disc(), "WEBP")
BAD = {
    "empty": (b"", "empty"),
    "text as .jpg": (b"Dear shop, here is my photo of the mug.\n", "not_a_picture"),
    "random bytes": (NOISE, "not_a_picture"),
    "pdf": (b"%PDF-1.7 and so on", "not_a_picture"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_picture"),
    "jpeg magic, then noise": (b"\xff\xd8\xff\xe0" + NOISE, "truncated"),
    "png magic, then noise": (b"\x89PNG\r\n\x1a\n" + NOISE, "truncated"),
    "truncated jpeg": (WHOLE_JPEG[: len(WHOLE_JPEG) // 2], "truncated"),
    "truncated in the header": (WHOLE_JPEG[:120], "truncated"),
    "truncated png": (encoded(disc(), "PNG")[:20_000], "truncated"),
    "truncated webp": (WHOLE_WEBP[: len(WHOLE_WEBP) // 2], "truncated"),
    "truncated webp header": (encoded(disc(), "WEBP")[:22], "truncated"),
    "1 × 1": (encoded(disc()[:1, :1], "PNG"), "too_small"),
    "a line": (encoded(disc()[:3]), "too_small"),
    "100 megapixels": (png_header(10_000, 10_000), "too_many_pixels"),
    "bomb": (png_header(60_000, 60_000), "too_many_pixels"),
    "webp bomb": (
        b"RIFF\x2e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xfe\xff\x3f" * 2 + b"\0" * 12,
        "too_many_pixels",
    ),
    "blank white": (encoded(np.full((400, 600, 3), 255, np.uint8)), "no_product"),
    "blank wall": (
        encoded(np.random.default_rng(1).normal(120, 1.2, (400, 600, 3)).clip(0, 255).astype(np.uint8)),
        "no_product",
    ),
    "all transparent": (encoded(np.dstack([disc(), np.zeros((480, 640), np.uint8)]), "PNG"), "no_product"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_photo_is_one_sentence_with_the_way_out(enhancer: LocalEnhancer, name: str) -> None:
    photo, reason = BAD[name]
    with pytest.raises(BadPhoto) as refused:
        enhancer.enhance_photo(photo, Recipe(), [MAIN])
    assert refused.value.reason == reason
    sentence = refused.value.sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert any(word in sentence for word in (": send ", ": retake ")), sentence


@pytest.mark.parametrize("name", ["text as .jpg", "1 × 1", "100 megapixels", "bomb", "webp bomb", "empty"])
async def test_check_refuses_by_the_header_alone(enhancer: LocalEnhancer, name: str) -> None:
    with pytest.raises(BadPhoto) as refused:
        await enhancer.check(BAD[name][0])
    assert refused.value.reason == BAD[name][1]


async def test_check_lets_a_photo_pass(enhancer: LocalEnhancer) -> None:
    await enhancer.check(WHOLE_JPEG)


def test_real_hundred_megapixel_jpeg_is_refused_before_decoding(enhancer: LocalEnhancer) -> None:
    # A real file of that size, one colour, so that it takes no time to write.
    photo = encoded(Image.new("L", (10_000, 10_000), 128), "JPEG")
    with pytest.raises(BadPhoto, match="100 megapixels"):
        enhancer.enhance_photo(photo, Recipe(), [MAIN])


def test_limit_is_the_setting() -> None:
    small = LocalEnhancer(engine="builtin", max_megapixels=0.2)
    with pytest.raises(BadPhoto) as refused:
        small.check_photo(WHOLE_JPEG)
    small.close()
    assert refused.value.reason == "too_many_pixels"


@pytest.mark.filterwarnings("ignore")  # Pillow also warns about what it then refuses
def test_no_damaged_file_ends_in_anything_but_a_bad_photo_or_a_picture(enhancer: LocalEnhancer) -> None:
    random = np.random.default_rng(11)
    small = disc(160, 120, centre=(80, 60), radius=30)
    wholes = [encoded(small, kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")]
    heif = io.BytesIO()
    from pillow_heif import from_pillow

    from_pillow(Image.fromarray(small)).save(heif)
    for whole in [*wholes, heif.getvalue()]:
        for _ in range(25):
            damaged = bytearray(whole)
            for at in random.integers(4, min(len(damaged), 700), 6):
                damaged[at] = random.integers(256)
            try:
                enhancer.check_photo(bytes(damaged))
                decode(bytes(damaged), max_megapixels=20)
            except BadPhoto:
                pass
