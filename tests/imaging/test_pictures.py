from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from domain.catalog import Sha256
from domain.errors import NotPossible
from domain.picture import FindingCode, FindingLevel, Picture
from domain.recipe import TRANSPARENT, Background, PictureRules, Recipe, Shadow, WhiteFrom
from imaging.codec import PixelsU8, scaled, shrunk
from imaging.engine import LocalEnhancer
from imaging.scene import ORIGINAL, SQUARE
from tests.imaging.photos import FREE, MAIN, disc, encoded, rgba, seen

PHOTO = encoded(disc())


def made_with(enhancer: LocalEnhancer, recipe: Recipe, rules: PictureRules = MAIN) -> Picture:
    return enhancer.enhance_photo(PHOTO, recipe, [rules]).pictures[0]


def finding(picture: Picture, code: FindingCode) -> FindingLevel | None:
    return next((found.level for found in picture.findings if found.code is code), None)


def product_box(pixels: PixelsU8) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is clearly red."""
    red = (pixels[..., 0].astype(int) - pixels[..., 1]) > 85
    rows, columns = np.nonzero(red.any(axis=1))[0], np.nonzero(red.any(axis=0))[0]
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def rim(pixels: PixelsU8) -> PixelsU8:
    height, width = pixels.shape[:2]
    edge_y, edge_x = round(height * 0.01), round(width * 0.01)
    inside = np.zeros((height, width), bool)
    inside[edge_y:-edge_y, edge_x:-edge_x] = True
    return pixels[~inside]


def test_main_picture_is_white_filled_and_centred(enhancer: LocalEnhancer) -> None:
    picture = made_with(enhancer, Recipe())
    pixels = seen(picture.content)
    assert (picture.content_type, pixels.shape) == ("image/jpeg", (1000, 1000, 3))
    assert (rim(pixels) == 255).all()
    left, top, right, bottom = product_box(pixels)
    assert max(right - left, bottom - top) / 1000 == pytest.approx(0.87, abs=0.01)
    assert (left + right) / 2 == pytest.approx(500, abs=5)
    assert (top + bottom) / 2 == pytest.approx(500, abs=5)
    for code in (FindingCode.WHITE, FindingCode.FILL, FindingCode.CENTRE, FindingCode.FILE_SIZE):
        assert finding(picture, code) is FindingLevel.OK


def test_disc_stays_round(enhancer: LocalEnhancer) -> None:
    left, top, right, bottom = product_box(seen(made_with(enhancer, Recipe()).content))
    assert (right - left) / (bottom - top) == pytest.approx(1, abs=0.01)


def test_nothing_but_white_outside_the_product(enhancer: LocalEnhancer) -> None:
    pixels = seen(made_with(enhancer, Recipe()).content)
    rows, columns = np.mgrid[:1000, :1000]
    outside = np.hypot(columns - 500, rows - 500) > 435 + 20  # 2 % of the canvas around it
    assert (pixels[outside] == 255).all(axis=1).mean() >= 0.999


def test_one_photo_gives_a_picture_for_each_rules_in_their_order(enhancer: LocalEnhancer) -> None:
    made = enhancer.enhance_photo(PHOTO, Recipe(), [FREE, MAIN, ORIGINAL])
    assert [(each.rules_name, each.width_px, each.height_px) for each in made.pictures] == [
        ("free", 800, 600),
        ("main", 1000, 1000),
        ("original", 640, 480),
    ]


def test_without_rules_there_is_nothing_to_make(enhancer: LocalEnhancer) -> None:
    with pytest.raises(ValueError, match="no rules"):
        enhancer.enhance_photo(PHOTO, Recipe(), [])


def test_same_photo_gives_the_same_bytes(enhancer: LocalEnhancer) -> None:
    assert made_with(enhancer, Recipe()).content == made_with(enhancer, Recipe()).content


def test_kept_frame_lines_up_with_the_photo(enhancer: LocalEnhancer) -> None:
    pixels = rgba(made_with(enhancer, Recipe(), ORIGINAL).content)
    assert pixels.shape == (480, 640, 4)
    rows, columns = np.mgrid[:480, :640]
    truth = np.hypot(columns + 0.5 - 300, rows + 0.5 - 250) < 110
    product = pixels[..., 3] > 127
    assert (truth & product).sum() / (truth | product).sum() > 0.97


def test_transparent_edge_has_the_product_s_colour_not_the_table_s(enhancer: LocalEnhancer) -> None:
    pixels = rgba(made_with(enhancer, Recipe(), ORIGINAL).content).astype(int)
    edge = pixels[(pixels[..., 3] > 40) & (pixels[..., 3] < 220)]
    assert len(edge) > 50
    redness = edge[:, 0] - edge[:, 1]  # 168 in the disc, 0 on the table
    assert redness.mean() > 120


@pytest.mark.parametrize("rgb", [(255, 255, 255), (20, 40, 200)])
def test_background_is_the_colour_asked_for(enhancer: LocalEnhancer, rgb: tuple[int, int, int]) -> None:
    pixels = seen(made_with(enhancer, Recipe(background=Background("colour", rgb), shadow=Shadow.NONE), FREE).content)
    assert np.abs(pixels[2, 2].astype(int) - rgb).max() <= 2


def test_backdrop_photo_stands_behind(enhancer: LocalEnhancer) -> None:
    backdrop = np.zeros((300, 300, 3), np.uint8)
    backdrop[:, :150], backdrop[:, 150:] = (10, 120, 10), (10, 10, 120)
    recipe = Recipe(background=Background("photo", photo=Sha256("0" * 64)), shadow=Shadow.NONE)
    made = enhancer.enhance_photo(PHOTO, recipe, [FREE], encoded(backdrop))
    pixels = seen(made.pictures[0].content).astype(int)
    assert abs(pixels[5, 5] - (10, 120, 10)).max() < 12
    assert abs(pixels[5, -5] - (10, 10, 120)).max() < 12


async def test_backdrop_photo_without_a_source_is_refused(enhancer: LocalEnhancer) -> None:
    with pytest.raises(NotPossible):
        await enhancer.enhance(PHOTO, Recipe(background=Background("photo", photo=Sha256("0" * 64))), [FREE])


def test_platform_s_word_on_background_and_shadow_is_final_and_said(enhancer: LocalEnhancer) -> None:
    picture = made_with(enhancer, Recipe(background=TRANSPARENT, shadow=Shadow.SOFT))
    assert picture.content_type == "image/jpeg"
    assert finding(picture, FindingCode.BACKGROUND_REPLACED) is FindingLevel.NOTE
    assert finding(picture, FindingCode.SHADOW_DROPPED) is FindingLevel.NOTE
    assert picture.content == made_with(enhancer, Recipe()).content


@pytest.mark.parametrize("shadow", [Shadow.CONTACT, Shadow.SOFT])
def test_shadow_is_darkest_at_the_contact_fades_is_neutral_and_leaves_the_rim(
    enhancer: LocalEnhancer, shadow: Shadow
) -> None:
    bare = seen(made_with(enhancer, Recipe(shadow=Shadow.NONE), SQUARE).content).astype(int)
    pixels = seen(made_with(enhancer, Recipe(shadow=shadow), SQUARE).content).astype(int)
    assert (rim(pixels) == 255).all()
    _, _, _, ground = product_box(pixels)
    fall = pixels[ground + 8 : ground + 120, 1000:1048].mean(axis=1)  # below the lowest point
    assert fall.min() < 243, "there is a shadow"
    assert fall.mean(axis=1).argmin() < 0.015 * 2048
    smooth = cv2.blur(fall.mean(axis=1)[:, None], (1, 9))  # a JPEG's block may step back by one level
    assert (np.diff(smooth, axis=0) > -0.2).all(), "it only gets lighter, JPEG noise aside"
    assert (fall.max(axis=1) - fall.min(axis=1)).max() < 3, "it has no colour"
    above = slice(0, 900)
    assert np.abs(pixels[above] - bare[above]).max() < 12, "nothing casts upwards"


def test_shadow_follows_the_contour_not_a_strip(enhancer: LocalEnhancer) -> None:
    pixels = seen(made_with(enhancer, Recipe(shadow=Shadow.CONTACT), SQUARE).content).astype(int)
    left, _, _, ground = product_box(pixels)
    below_the_middle = pixels[ground + 10, 1024].mean()
    below_the_flank = pixels[ground + 10, left + 60].mean()
    assert below_the_flank > below_the_middle + 8


def test_file_is_made_to_fit_the_store(enhancer: LocalEnhancer) -> None:
    big = made_with(enhancer, Recipe())
    small = made_with(enhancer, Recipe(), replace(MAIN, max_bytes=len(big.content) // 2))
    assert len(small.content) <= len(big.content) // 2
    assert finding(small, FindingCode.FILE_SIZE) is FindingLevel.OK


def test_file_that_cannot_fit_is_said(enhancer: LocalEnhancer) -> None:
    picture = made_with(enhancer, Recipe(), replace(MAIN, max_bytes=2_000))
    assert finding(picture, FindingCode.FILE_SIZE) is FindingLevel.WARNING


def test_slider_halves_are_equal_in_size_and_the_product_lines_up(enhancer: LocalEnhancer) -> None:
    made = enhancer.enhance_photo(PHOTO, Recipe(), [MAIN])
    before, after = seen(made.before), seen(made.after)
    assert before.shape == after.shape
    assert max(before.shape) <= 1024
    assert np.abs(np.array(product_box(before)) - product_box(after)).max() <= 4
    preview = seen(made.preview)
    assert preview.shape[1] > preview.shape[0]


def test_slider_lines_up_where_the_canvas_reaches_past_the_photo(enhancer: LocalEnhancer) -> None:
    tight = encoded(disc(320, 300, centre=(160, 150), radius=130))
    made = enhancer.enhance_photo(tight, Recipe(), [FREE])
    before, after = seen(made.before), seen(made.after)
    assert before.shape == after.shape == (600, 800, 3)
    assert np.abs(np.array(product_box(before)) - product_box(after)).max() <= 4


def test_resampling_does_not_soften_the_product(enhancer: LocalEnhancer) -> None:
    bits = np.random.default_rng(2).integers(0, 2, (120, 160), dtype=np.uint8)
    texture = cv2.resize(bits, (640, 480), interpolation=cv2.INTER_NEAREST).astype(np.int16) * 50 - 25
    textured = np.where(disc().astype(int)[..., :1] - disc()[..., 1:2] > 85, disc() + texture[..., None], disc())
    photo = np.clip(textured, 0, 255).astype(np.uint8)
    as_photographed = Recipe(brightness_stops=0, white=WhiteFrom("off"))
    pixels = seen(enhancer.enhance_photo(encoded(photo, "PNG"), as_photographed, [MAIN]).pictures[0].content)
    scale = 870 / 220
    crop = cv2.resize(photo[200:300, 250:350], None, fx=scale, fy=scale, interpolation=cv2.INTER_LANCZOS4)
    mine = pixels[400:600, 400:600]
    sharpness = cv2.Laplacian(mine, cv2.CV_64F).var() / cv2.Laplacian(crop, cv2.CV_64F).var()
    assert 0.8 < sharpness < 1.3


@pytest.mark.parametrize("side_px", [250, 280, 310, 340, 380])
def test_shrinking_a_little_makes_fine_lines_neither_jagged_nor_soft(side_px: int) -> None:
    rows, columns = np.mgrid[:400, :400]
    rings = 128 + 90 * np.cos((columns**2 + rows**2) / 260.0)  # from coarse to as fine as pixels can be
    photo = np.dstack([rings.astype(np.uint8)] * 3)
    wanted = np.asarray(Image.fromarray(photo).resize((side_px, side_px), Image.Resampling.LANCZOS)).astype(int)
    apart = np.abs(scaled(photo, side_px, side_px).astype(int) - wanted).mean()
    bare = np.abs(cv2.resize(photo, (side_px, side_px), interpolation=cv2.INTER_CUBIC).astype(int) - wanted).mean()
    assert apart < 0.8 * bare if side_px <= 280 else apart <= bare


@pytest.mark.parametrize(("width", "height"), [(4032, 3024), (4032, 3023), (3000, 2001), (1700, 1200), (900, 700)])
def test_small_copy_keeps_everything_in_its_place(width: int, height: int) -> None:
    rows, columns = np.mgrid[:height, :width]
    slopes = np.dstack([255 * columns / width, 255 * rows / height, 255 * columns / width]).astype(np.uint8)
    small = shrunk(slopes, 1024)
    assert 0.9 * 1024 <= max(small.shape) <= 1024 or max(small.shape) == max(width, height)
    down, across = np.mgrid[: small.shape[0], : small.shape[1]]
    wanted = np.dstack([255 * (across + 0.5) / small.shape[1], 255 * (down + 0.5) / small.shape[0]])
    # Half a small pixel beside its place is a quarter of a level there; the rest is rounding down, twice.
    assert np.abs(small[..., :2] + 0.5 - wanted).max() < 1.0
