"""Floors under what was measured on the photos beside the project; the aims stand in their design page."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from domain.picture import Enhanced
from domain.recipe import Recipe
from imaging.codec import PixelsU8
from imaging.engine import LocalEnhancer
from imaging.graph import free_picture_size
from imaging.nets import Net
from imaging.scene import ORIGINAL
from tests.imaging.photos import encoded, rgba

pytestmark = pytest.mark.shared


def photos_with_masks(shared: Path) -> dict[str, tuple[PixelsU8, PixelsU8]]:
    """Name → (photo, mask ≥ .5), both at 640 px on the long side at most."""
    found = {}
    for mask_file in sorted((shared / "photos" / "masks").glob("*.png")):
        photo = cv2.imread(str(shared / "photos" / "images" / f"{mask_file.stem}.jpg"))
        mask = cv2.imread(str(mask_file), cv2.IMREAD_GRAYSCALE)
        assert photo is not None
        assert mask is not None
        scale = min(1.0, 640 / max(photo.shape[:2]))
        photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, photo.shape[1::-1], interpolation=cv2.INTER_AREA)
        found[mask_file.stem] = (photo[..., ::-1], mask > 127)
    return found


def overlap(made: Enhanced, truth: PixelsU8) -> float:
    product = rgba(made.pictures[0].content)[..., 3] > 127
    return float((product & truth).sum() / (product | truth).sum())


def test_u2netp_reaches_its_mean_overlap(shared: Path) -> None:
    enhancer = LocalEnhancer(engine="rembg:u2netp", model_dir=shared / "models")
    overlaps = {
        name: overlap(enhancer.enhance_photo(encoded(photo), Recipe(), [ORIGINAL]), truth)
        for name, (photo, truth) in photos_with_masks(shared).items()
    }
    enhancer.close()
    assert np.mean(list(overlaps.values())) >= 0.965, overlaps


def test_builtin_is_right_where_it_is_sure_and_says_where_it_is_not(enhancer: LocalEnhancer, shared: Path) -> None:
    sure = []
    for name, (photo, truth) in photos_with_masks(shared).items():
        made = enhancer.enhance_photo(encoded(photo), Recipe(), [ORIGINAL])
        reached = overlap(made, truth)
        if made.confidence > 0.5:
            sure.append(reached)
            assert reached > 0.9, name
    assert len(sure) >= 12
    assert np.mean(sure) >= 0.97


def test_auto_takes_the_better_weights_that_are_there(shared: Path) -> None:
    enhancer = LocalEnhancer(model_dir=shared / "models")
    assert enhancer.engine_name() == "rembg:u2netp"
    enhancer.close()


@pytest.mark.parametrize("name", ["u2netp.onnx", "u2netp_s.onnx", "u2netp_h.onnx"])
def test_freed_graph_answers_as_the_pinned_one(shared: Path, name: str) -> None:
    model = (shared / "models" / name).read_bytes()
    square = np.random.default_rng(4).random((1, 3, 320, 320), np.float32)
    pinned, free = Net(model, threads=2), Net(free_picture_size(model), threads=2)
    assert np.abs(pinned.run(square) - free.run(square)).max() < 1e-5
    assert free.run(square[:, :, :192]).shape == (192, 320)


def test_a_graph_that_pins_its_sizes_sees_the_photo_in_its_own_shape(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "u2netp.onnx").symlink_to(shared / "models" / "u2netp.onnx")
    enhancer = LocalEnhancer(engine="rembg:u2netp", model_dir=tmp_path)
    photo, truth = photos_with_masks(shared)["syn12_duck"]
    assert overlap(enhancer.enhance_photo(encoded(photo), Recipe(), [ORIGINAL]), truth) > 0.95
    enhancer.close()
