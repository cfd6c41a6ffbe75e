from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from imaging.engine import LocalEnhancer
from tests.imaging.photos import builtin


@pytest.fixture(scope="session")
def enhancer() -> Iterator[LocalEnhancer]:
    made = builtin()
    yield made
    made.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    folder = Path(os.environ.get("PACKSHOT_SHARED", beside))
    if not (folder / "photos" / "masks").is_dir():
        pytest.skip("../shared is absent")
    return folder
