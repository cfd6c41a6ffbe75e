from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from domain.errors import Fault, NotPossible
from domain.picture import FindingCode, FindingLevel
from domain.recipe import Recipe
from imaging import cutout
from imaging.codec import encode_jpeg
from imaging.cutout import doubt_of, grabcut_from_border
from imaging.engine import LocalEnhancer
from imaging.scene import ORIGINAL
from imaging.weights import find_weights
from tests.imaging.photos import MAIN, disc, encoded, rgba

PHOTO = encoded(disc())


def disc_iou(content: bytes) -> float:
    rows, columns = np.mgrid[:480, :640]
    truth = np.hypot(columns + 0.5 - 300, rows + 0.5 - 250) < 110
    product = rgba(content)[..., 3] > 127
    return float((truth & product).sum() / (truth | product).sum())


@pytest.fixture
def no_weights_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))


@pytest.mark.usefixtures("no_weights_anywhere")
def test_auto_without_weights_is_the_builtin_and_says_so() -> None:
    enhancer = LocalEnhancer()
    made = enhancer.enhance_photo(PHOTO, Recipe(), [MAIN])
    enhancer.close()
    assert enhancer.engine_name() == made.engine == "builtin"
    engine = next(found for found in made.findings if found.code is FindingCode.ENGINE)
    assert engine.level is FindingLevel.NOTE
    assert made.confidence > 0.5


@pytest.mark.usefixtures("no_weights_anywhere")
def test_without_even_the_builtin_grabcut_works_and_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*, threads: int) -> None:
        raise Fault("net", "the runtime is not here")

    # The one thing that cannot be arranged from outside: onnxruntime missing from the machine.
    monkeypatch.setattr(
        cutout, "BuiltinNet", type("Broken", (), {"__init__": lambda self, *, threads: broken(threads=threads)})
    )
    enhancer = LocalEnhancer()
    made = enhancer.enhance_photo(PHOTO, Recipe(), [ORIGINAL])
    enhancer.close()
    assert enhancer.engine_name() == made.engine == "grabcut"
    assert disc_iou(made.pictures[0].content) > 0.95
    levels = {found.code: found.level for found in made.findings}
    assert levels[FindingCode.ENGINE] is FindingLevel.WARNING
    assert levels[FindingCode.UNSURE] is FindingLevel.WARNING


def test_grabcut_gives_the_same_mask_twice() -> None:
    first, second = grabcut_from_border(disc()), grabcut_from_border(disc())
    assert (first.coverage == second.coverage).all()


@pytest.mark.parametrize("engine", ["rembg:bria-rmbg", "rembg:withoutbg", "rembg:atlascloud", "rembg:no-such-model"])
def test_model_a_shop_may_not_use_or_that_sends_photos_away_is_refused(enhancer: LocalEnhancer, engine: str) -> None:
    with pytest.raises(NotPossible) as refused:
        enhancer.enhance_photo(PHOTO, Recipe(engine=engine), [MAIN])
    assert "builtin" in refused.value.sentence


def test_damaged_weights_are_refused_by_name_and_passed_over_by_auto(tmp_path: Path) -> None:
    (tmp_path / "u2netp.onnx").write_bytes(b"not a model")
    enhancer = LocalEnhancer(model_dir=tmp_path)
    with pytest.raises(NotPossible, match=r"u2netp\.onnx"):
        enhancer.enhance_photo(PHOTO, Recipe(engine="rembg:u2netp"), [MAIN])
    assert enhancer.enhance_photo(PHOTO, Recipe(), [MAIN]).engine == "builtin"
    enhancer.close()


def test_weights_are_found_where_rembg_keeps_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    assert find_weights("u2netp", None) is None
    (tmp_path / "u2netp.onnx").write_bytes(b"old place")
    assert find_weights("u2netp", None) == tmp_path / "u2netp.onnx"
    newer = tmp_path / "models" / "u2netp" / "u2netp.onnx"
    newer.parent.mkdir(parents=True)
    newer.write_bytes(b"new place")
    assert find_weights("u2netp", None) == newer


def test_doubt_is_low_for_yes_and_no_and_high_between() -> None:
    sure = np.zeros((50, 50), np.float32)
    sure[10:40, 10:40] = 1
    assert doubt_of(sure) < 0.01
    assert doubt_of(np.full((50, 50), 0.6, np.float32)) > 0.9


def test_two_things_are_counted() -> None:
    photo = disc(800, 400, centre=(200, 200), radius=90)
    second = disc(800, 400, centre=(600, 200), radius=90)
    both = np.where((second[..., 0].astype(int) - second[..., 1] > 85)[..., None], second, photo)
    made = LocalEnhancer(engine="grabcut").enhance_photo(encoded(both), Recipe(), [MAIN])
    several = next(found for found in made.findings if found.code is FindingCode.SEVERAL_OBJECTS)
    assert several.measured == 2


@pytest.mark.parametrize(
    ("side", "centre"), [("left", (40, 240)), ("right", (600, 240)), ("top", (320, 40)), ("bottom", (320, 440))]
)
def test_product_that_runs_out_of_the_photo_is_named_with_its_side(
    enhancer: LocalEnhancer, side: str, centre: tuple[float, float]
) -> None:
    made = enhancer.enhance_photo(encoded(disc(centre=centre)), Recipe(), [MAIN])
    cut = next(found for found in made.findings if found.code is FindingCode.CUT_OFF)
    assert cut.detail == side


async def test_photos_side_by_side_do_not_disturb_each_other(enhancer: LocalEnhancer) -> None:
    other = encode_jpeg(disc(centre=(200, 150), radius=70), max_bytes=1_000_000)
    alone = [enhancer.enhance_photo(photo, Recipe(), [MAIN]).pictures[0].content for photo in (PHOTO, other)]
    together = await asyncio.gather(*(enhancer.enhance(photo, Recipe(), [MAIN]) for photo in (PHOTO, other) * 2))
    assert [made.pictures[0].content for made in together] == alone * 2
