"""A thousand damaged files: cut short, bits flipped, pieces moved. Each is a picture or one clear sentence.

A millisecond each, so all are in the ordinary run; many more stand behind `make soak`. Which damage a
number stands for never changes, so a failure can be called back by its number.
"""

from __future__ import annotations

import functools
import io
import json
import subprocess
import sys
import time
import warnings
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from pillow_heif import from_pillow

from domain.errors import BadPhoto
from domain.recipe import Recipe
from imaging.codec import decode
from imaging.engine import LocalEnhancer
from tests.imaging.memory import peak_mb
from tests.imaging.photos import MAIN, disc, display_p3_profile, encoded

MUTATIONS = 1000
SOAK_MUTATIONS = 30_000
WAYS = ("cut short", "bits flipped", "bytes overwritten", "piece moved", "piece of another", "length lies")
MOST_MEGAPIXELS = 60
"""What MAX_PHOTO_MEGAPIXELS is by default: damage makes small pictures claim to be large ones."""
MOST_CPU_S = 10
MOST_MB = 1500


@functools.cache
def wholes() -> tuple[bytes, ...]:
    """One small file of every kind, of JPEG, PNG and WebP also the odd ones."""
    small = disc(160, 120, centre=(80, 60), radius=30)
    cut_out = np.dstack([small, np.where(small[..., 0] > 180, 255, 0).astype(np.uint8)])
    exif = Image.Exif()
    exif[0x0112] = 6
    heif, moving = io.BytesIO(), io.BytesIO()
    from_pillow(Image.fromarray(small)).save(heif)
    frames = [Image.fromarray(small), Image.fromarray(small[::-1])]
    frames[0].save(moving, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    return (
        encoded(small),
        encoded(small, progressive=True, exif=exif.tobytes()),
        encoded(small, icc_profile=display_p3_profile()),
        encoded(Image.fromarray(small).convert("CMYK")),
        encoded(small, "PNG"),
        encoded(cut_out, "PNG"),
        encoded(Image.fromarray(small).convert("P"), "PNG"),
        encoded(small, "WEBP"),
        encoded(cut_out, "WEBP", lossless=True),
        moving.getvalue(),
        encoded(small, "GIF"),
        encoded(small, "BMP"),
        encoded(small, "TIFF"),
        encoded(small, "TIFF", compression="tiff_lzw"),
        encoded(small, "AVIF"),
        heif.getvalue(),
    )


def mutated(number: int) -> bytes:
    """Return damaged file `number`; the same one every time."""
    random = np.random.default_rng(number)
    whole = wholes()[number % len(wholes())]
    way = WAYS[number // len(wholes()) % len(WAYS)]
    damaged = bytearray(whole)
    # Half of the damage lies in the first 400 bytes: a header breaks in more ways than pixels do.
    end = min(len(whole), 400) if random.random() < 0.5 else len(whole)
    at = int(random.integers(2, end))
    size = int(random.integers(1, 64))
    if way == "cut short":
        return whole[:at]
    if way == "bits flipped":
        for place in random.integers(2, end, int(random.integers(1, 24))):
            damaged[place] ^= 1 << int(random.integers(8))
    elif way == "bytes overwritten":
        damaged[at : at + size] = random.integers(0, 256, size, dtype=np.uint8).tobytes()
    elif way == "piece moved":
        piece = damaged[at : at + size]
        del damaged[at : at + size]
        to = int(random.integers(2, len(damaged)))
        damaged[to:to] = piece
    elif way == "piece of another":
        other = wholes()[int(random.integers(len(wholes())))]
        start = int(random.integers(len(other)))
        damaged[at:] = other[start:]
    else:
        damaged[at : at + 4] = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\xff\xff"][number % 4]
    return bytes(damaged)


def outcome(enhancer: LocalEnhancer, photo: bytes) -> str:
    """Return how the file fared; anything but a picture or a BadPhoto comes through as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow also warns about what it then refuses
        try:
            enhancer.check_photo(photo)
            pixels = decode(photo, max_megapixels=MOST_MEGAPIXELS).rgb
        except BadPhoto as refused:
            sentence = refused.sentence
            assert sentence.endswith(".")
            assert "\n" not in sentence
            assert any(way_out in sentence for way_out in (": send ", ": retake ")), sentence
            return refused.reason
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    assert pixels.shape[0] * pixels.shape[1] <= MOST_MEGAPIXELS * 1e6
    return "picture"


@pytest.fixture(scope="module")
def careful() -> LocalEnhancer:
    return LocalEnhancer(engine="builtin", threads=1, max_megapixels=MOST_MEGAPIXELS)


def tell_how_all_fared() -> None:
    """Print it as JSON, with the time of the processor and the most memory: run in a process of its own."""
    careful = LocalEnhancer(engine="builtin", threads=1, max_megapixels=MOST_MEGAPIXELS)
    fared, slowest_cpu_s = Counter[str](), 0.0
    for number in range(MUTATIONS):
        photo, start = mutated(number), time.process_time()
        fared[outcome(careful, photo)] += 1
        slowest_cpu_s = max(slowest_cpu_s, time.process_time() - start)
    print(json.dumps({"fared": fared, "slowest_cpu_s": slowest_cpu_s, "peak_mb": peak_mb()}))


def test_thousand_damaged_files_are_each_a_picture_or_a_sentence() -> None:
    code = f"from {__name__} import tell_how_all_fared; tell_how_all_fared()"
    ran = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    told = json.loads(ran.stdout)
    assert sum(told["fared"].values()) == MUTATIONS
    assert 0.1 < told["fared"]["picture"] / MUTATIONS < 0.9, "the damage is neither too mild nor too coarse"
    assert told["slowest_cpu_s"] < MOST_CPU_S
    assert told["peak_mb"] < MOST_MB


@pytest.mark.soak
def test_many_more_damaged_files_are_each_a_picture_or_a_sentence(careful: LocalEnhancer) -> None:
    for number in range(MUTATIONS, SOAK_MUTATIONS):
        outcome(careful, mutated(number))


@pytest.mark.soak
def test_damaged_file_that_decodes_goes_the_whole_way(careful: LocalEnhancer) -> None:
    went = 0
    for number in range(0, MUTATIONS, 5):
        photo = mutated(number)
        if outcome(careful, photo) != "picture":
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                made = careful.enhance_photo(photo, Recipe(), [MAIN])
            except BadPhoto as refused:
                assert refused.reason == "no_product"  # noqa: PT017
            else:
                assert made.pictures[0].content.startswith(b"\xff\xd8\xff")
                went += 1
    assert went >= 20
