"""A Telegram, a shop with real rows, and the bot between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.telegram.chat import TelegramChat
from storage.database import open_database
from tests.fakes import FakeMedia
from tests.fakes.telegram import TOKEN, TelegramServer
from tests.handlers.conftest import shop_template as shop_template
from tests.handlers.shop import Shop, assemble
from tests.telegram.bot import TelegramBot, open_bot


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


@pytest.fixture
def media() -> FakeMedia:
    return FakeMedia()


@pytest.fixture
async def chat(telegram: TelegramServer, media: FakeMedia) -> AsyncIterator[TelegramChat]:
    """The way out alone."""
    opened = TelegramChat(token=TOKEN, api_url=telegram.url, media=media, read_timeout_s=0.5, action_every_s=0.02)
    yield opened
    await opened.close()


@pytest.fixture
async def shop(shop_template: tuple[Shop, bytes], tmp_path: Path) -> AsyncIterator[Shop]:
    """A fresh shop with nobody in Telegram yet."""
    furnished, content = shop_template
    path = tmp_path / "shop.db"
    path.write_bytes(content)
    database = open_database(f"sqlite:///{path}")
    yield assemble(
        database,
        team=furnished.team,
        other_team=furnished.other_team,
        members=furnished.members,
        photos=furnished.media.kept,
    )
    await database.close()


@pytest.fixture
async def bot(telegram: TelegramServer, shop: Shop) -> AsyncIterator[TelegramBot]:
    """The bot, polling."""
    async with open_bot(telegram, shop) as opened:
        await opened.start()
        yield opened
