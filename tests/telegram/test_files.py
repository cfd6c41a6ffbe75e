"""The files people sent: from Telegram's own host, of a size it hands over, or one sentence why not."""

from __future__ import annotations

import hashlib

import pytest

from domain.errors import BadPhoto, RateLimited, StoreDown
from domain.intents import Attachment
from handlers.telegram.chat import TelegramChat
from tests.fakes.telegram import TelegramServer, Trouble


async def test_a_file_comes_from_telegram(chat: TelegramChat, telegram: TelegramServer) -> None:
    file = telegram.keep(b"bytes of a photo" * 10_000)
    content = await chat.fetch(Attachment(file.file_id, size_bytes=file.size))
    assert hashlib.sha256(content).digest() == hashlib.sha256(file.content).digest()


async def test_a_known_large_file_is_not_even_asked_for(chat: TelegramChat, telegram: TelegramServer) -> None:
    with pytest.raises(BadPhoto, match=r"30 MB.*send it as a photo.*`enhance SKU`") as caught:
        await chat.fetch(Attachment("file-1", size_bytes=30_000_000))
    assert caught.value.reason == "too_large"
    assert telegram.calls_of("getFile") == []


async def test_a_large_file_telegram_knows_of(chat: TelegramChat, telegram: TelegramServer) -> None:
    with pytest.raises(BadPhoto) as caught:
        await chat.fetch(Attachment(telegram.keep(b"x", size=20_000_001).file_id))
    assert caught.value.reason == "too_large"


async def test_a_file_that_is_larger_than_it_was_said_to_be(chat: TelegramChat, telegram: TelegramServer) -> None:
    file = telegram.keep(bytes(20_000_001), size=5)
    with pytest.raises(BadPhoto) as caught:
        await chat.fetch(Attachment(file.file_id, size_bytes=5))
    assert caught.value.reason == "too_large"


async def test_a_file_that_is_gone(chat: TelegramChat, telegram: TelegramServer) -> None:
    file = telegram.keep(b"x")
    for lose in (lambda: telegram.fail("file", Trouble("status", 404)), lambda: setattr(file, "is_gone", True)):
        lose()
        with pytest.raises(BadPhoto) as caught:
            await chat.fetch(Attachment(file.file_id))
        assert caught.value.reason == "gone"


@pytest.mark.parametrize("path", ["../../../etc/passwd", "photos/../../../x"])
async def test_a_path_that_leads_elsewhere_is_not_followed(
    chat: TelegramChat, telegram: TelegramServer, path: str
) -> None:
    file = telegram.keep(b"x")
    file.path = path
    with pytest.raises(BadPhoto) as caught:
        await chat.fetch(Attachment(file.file_id))
    assert caught.value.reason == "wrong_host"


async def test_a_local_path_is_not_read(chat: TelegramChat, telegram: TelegramServer) -> None:
    file = telegram.keep(b"x")
    file.path = __file__
    with pytest.raises(BadPhoto) as caught:
        await chat.fetch(Attachment(file.file_id))
    assert caught.value.reason == "wrong_host"


@pytest.mark.parametrize(
    ("method", "trouble", "error"),
    [
        ("getFile", Trouble("too_many", 3), RateLimited),
        ("getFile", Trouble("status", 500), StoreDown),
        ("file", Trouble("status", 503), StoreDown),
        ("file", Trouble("status", 429), RateLimited),
        ("file", Trouble("cut"), StoreDown),
    ],
)
async def test_trouble_with_a_file_may_be_tried_again(
    chat: TelegramChat, telegram: TelegramServer, method: str, trouble: Trouble, error: type[Exception]
) -> None:
    file = telegram.keep(b"x")
    telegram.fail(method, trouble)
    with pytest.raises(error):
        await chat.fetch(Attachment(file.file_id))
    assert await chat.fetch(Attachment(file.file_id)) == b"x"
