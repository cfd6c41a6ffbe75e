"""A graph pinned to one picture size is set free, wherever the size was written, and answers as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domain.errors import Fault
from imaging import graph
from imaging.graph import free_picture_size
from imaging.nets import Net, U2Net
from tests.imaging.graphs import grown_back

WEIGHTS = (0.5, 0.25, -0.5)


def noise(height_px: int, width_px: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(7).random((1, 3, height_px, width_px), np.float32)


@pytest.mark.parametrize("all_four", [True, False])
@pytest.mark.parametrize(("height_px", "width_px"), [(320, 320), (64, 96), (256, 320), (96, 64)])
def test_freed_graph_answers_as_one_made_for_that_size(height_px: int, width_px: int, *, all_four: bool) -> None:
    freed = Net(free_picture_size(grown_back(WEIGHTS, 320, 320, all_four=all_four)), threads=1)
    made_for_it = Net(grown_back(WEIGHTS, height_px, width_px, all_four=all_four), threads=1)
    photo = noise(height_px, width_px)
    assert freed.run(photo).shape == (height_px, width_px)
    assert np.abs(freed.run(photo) - made_for_it.run(photo)).max() < 1e-6


def test_pinned_graph_takes_no_other_size_by_itself() -> None:
    with pytest.raises(Fault, match="does not take"):
        Net(grown_back(WEIGHTS, 320, 320, all_four=True), threads=1).run(noise(64, 96))


@pytest.mark.parametrize("finds_sizes", [True, False])
def test_net_is_squashed_only_where_its_sizes_are_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, finds_sizes: bool
) -> None:
    if not finds_sizes:
        monkeypatch.setattr(graph, "_pinned_size", lambda _node: "")
    weights = tmp_path / "u2netp.onnx"
    weights.write_bytes(grown_back(WEIGHTS, 320, 320, all_four=True))
    photo = np.random.default_rng(3).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    assert U2Net(weights, threads=1).coverage(photo).shape == ((256, 320) if finds_sizes else (320, 320))
