"""For each store: connected from chat, a right missing and granted, published, disconnected; nothing by hand in between."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from platforms.registry import PLATFORMS
from tests.platforms.connect_story import PARTS, House, open_house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One bot for all: starting it costs more than the story."""
    async with open_house(PARTS, tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PARTS)
async def test_oauth_connect_enhance_grant_publish_disconnect(name: str, house: House) -> None:
    told = str(await house.play(name))
    order = ["ConnectOffered", "PreviewReady", "PublishFailed", "PermissionsShown", "Published", "StoreDisconnected"]
    at = [told.index(word) for word in order]
    assert at == sorted(at)


def test_every_store_with_rights_has_its_part() -> None:
    assert set(PARTS) == {platform.value for platform, descriptor in PLATFORMS.items() if descriptor.features}
