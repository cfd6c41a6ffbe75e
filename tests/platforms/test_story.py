"""For each store: asked, shown, approved, read back, undone, read back equal to the original."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from platforms.registry import PLATFORMS
from tests.platforms.stage import Theatre, open_theatre
from tests.platforms.stages import STAGES


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def theatre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    """One bot with every store connected: starting it costs more than the story."""
    async with open_theatre(STAGES, tmp_path_factory.mktemp("theatre")) as opened:
        yield opened


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", STAGES)
async def test_a_listings_picture_is_enhanced_approved_and_undone(name: str, theatre: Theatre) -> None:
    told = str(await theatre.play(name))
    assert told.index("PreviewReady") < told.index("Published") < told.index("Restored")


def test_every_store_that_can_be_connected_is_on_stage() -> None:
    assert set(STAGES) == {platform.value for platform in PLATFORMS}
