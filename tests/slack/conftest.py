"""The shop, and Slack before it on either transport."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.handlers.conftest import shop, shop_template
from tests.handlers.shop import Shop
from tests.slack.rig import Rig, open_rig

__all__ = ["shop", "shop_template"]


@pytest.fixture(params=["socket", "http"])
async def rig(request: pytest.FixtureRequest, shop: Shop) -> AsyncIterator[Rig]:
    """Both transports, one after the other."""
    async with open_rig(shop, request.param) as opened:
        yield opened


@pytest.fixture
async def http_rig(shop: Shop) -> AsyncIterator[Rig]:
    """Signed HTTP alone."""
    async with open_rig(shop, "http") as opened:
        yield opened


@pytest.fixture
async def socket_rig(shop: Shop) -> AsyncIterator[Rig]:
    """Socket Mode alone, with little patience for silence."""
    async with open_rig(shop, "socket", is_impatient=True) as opened:
        yield opened
