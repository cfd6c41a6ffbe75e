"""Every engine a person may name: run straight as rembg's session would, or refused with the way out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domain.errors import NotPossible
from domain.picture import FindingCode
from domain.recipe import Recipe
from imaging.codec import shrunk
from imaging.engine import LocalEnhancer
from imaging.nets import SQUARE_SIDE_PX, open_net
from imaging.weights import OPEN_MODELS, weights_path
from tests.imaging.graphs import colour_sum
from tests.imaging.photos import MAIN, disc, encoded

REDDER = (2.0, -1.0, -1.0)
"""Red disc on grey: what is redder than the rest is the product."""
SQUARE_MODELS = ("isnet-general-use", "birefnet-general-lite", "birefnet-general")
FOREIGN = "bria-rmbg"


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with a graph under the name of every model, and nothing in rembg's own."""
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "rembg"))
    folder = tmp_path / "models"
    folder.mkdir()
    for name, model in OPEN_MODELS.items():
        side_px = 320 if model.graph == "u2net" else SQUARE_SIDE_PX
        weights_path(name, folder).write_bytes(colour_sum(REDDER, -1.0, side_px))
    return folder


@pytest.mark.parametrize(
    ("word", "name"),
    [
        *((name, name) for name, model in OPEN_MODELS.items() if model.is_for_business),
        ("isnet", "isnet-general-use"),
        ("birefnet-lite", "birefnet-general-lite"),
    ],
)
def test_every_model_cuts_out_and_is_named_with_its_licence(models: Path, word: str, name: str) -> None:
    enhancer = LocalEnhancer(model_dir=models)
    made = enhancer.enhance_photo(encoded(disc()), Recipe(engine=f"rembg:{word}"), [MAIN])
    enhancer.close()
    assert made.engine == f"rembg:{name}"
    engine = next(found for found in made.findings if found.code is FindingCode.ENGINE)
    assert engine.detail == f"{name} ({OPEN_MODELS[name].licence}, {OPEN_MODELS[name].source})"


def test_weights_that_are_not_here_are_refused_with_the_command_that_brings_them(tmp_path: Path) -> None:
    for name, model in OPEN_MODELS.items():
        if not model.is_for_business:
            continue
        enhancer = LocalEnhancer(model_dir=tmp_path)
        with pytest.raises(NotPossible) as refused:
            enhancer.enhance_photo(encoded(disc()), Recipe(engine=f"rembg:{name}"), [MAIN])
        enhancer.close()
        assert f"`packshot engines get {name}`" in refused.value.sentence
        assert "use builtin" in refused.value.sentence


@pytest.mark.parametrize("name", ["u2net", *SQUARE_MODELS])
@pytest.mark.parametrize(
    "content", [b"", b"not a model", colour_sum(REDDER, 0.0, 96)[:-20], colour_sum(REDDER, 0.0, 96)]
)
def test_weights_that_are_no_such_graph_are_refused_by_name(models: Path, name: str, content: bytes) -> None:
    if name == "u2net" and content == colour_sum(REDDER, 0.0, 96):
        content = content[:40]  # any size will do for this family
    weights_path(name, models).write_bytes(content)
    enhancer = LocalEnhancer(model_dir=models)
    with pytest.raises(
        NotPossible, match=rf"{name}\.onnx are damaged: remove them and run `packshot engines get {name}`"
    ):
        enhancer.enhance_photo(encoded(disc()), Recipe(engine=f"rembg:{name}"), [MAIN])
    enhancer.close()


def test_licence_that_forbids_business_is_refused_though_the_weights_are_here(models: Path) -> None:
    enhancer = LocalEnhancer(model_dir=models)
    with pytest.raises(NotPossible, match=r"CC BY-NC 4\.0.*ALLOW_NONCOMMERCIAL_MODELS=1"):
        enhancer.enhance_photo(encoded(disc()), Recipe(engine=f"rembg:{FOREIGN}"), [MAIN])
    enhancer.close()


def test_auto_never_takes_what_was_not_meant_by_it(models: Path) -> None:
    for name, model in OPEN_MODELS.items():
        if model.graph == "u2net":
            weights_path(name, models).unlink()
    enhancer = LocalEnhancer(model_dir=models, noncommercial=True)
    assert enhancer.engine_name() == "builtin"
    enhancer.close()


@pytest.mark.soak
@pytest.mark.parametrize("name", [*SQUARE_MODELS, FOREIGN])
def test_net_answers_as_rembgs_own_session(models: Path, name: str) -> None:
    # Behind `make soak`: importing rembg for the first time ever compiles for a minute.
    from PIL import Image
    from rembg import new_session

    # Smooth, since the two resize differently, and the mask is stretched between its extremes.
    rows, columns = np.mgrid[:1200, :1600]
    bump = np.exp(-(((columns - 700) / 300) ** 2) - ((rows - 600) / 300) ** 2)
    photo = np.dstack([40 + 180 * bump, 60 + 0 * bump, 90 - 50 * bump]).astype(np.uint8)
    folder = models.parent / "rembg"
    folder.mkdir()
    (folder / f"{name}.onnx").symlink_to(weights_path(name, models))
    theirs = np.asarray(new_session(name).predict(Image.fromarray(shrunk(photo, SQUARE_SIDE_PX)))[0])
    ours = open_net(name, weights_path(name, models), threads=1).coverage(photo)
    assert theirs.std() > 40, "the graph sees the bump"
    same_size = np.asarray(Image.fromarray((ours * 255).astype(np.uint8)).resize(theirs.shape[::-1]))
    apart = np.abs(same_size.astype(int) - theirs)
    # Of 255: one grey level of the photo, which the two resizings may differ by, is up to 6 of the mask.
    assert apart.max() <= 8
    assert apart.mean() <= 1
