"""The fake refuses what Telegram refuses: a fake that takes everything proves nothing."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.fakes import telegram_rules
from tests.fakes.telegram import TOKEN, TelegramServer
from tests.fakes.telegram_rules import EXTRACT, definition


async def _call(telegram: TelegramServer, method: str, token: str = TOKEN, **params: Any) -> dict[str, Any]:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{telegram.url}/bot{token}/{method}", json=params)
    found: dict[str, Any] = answer.json()
    return found


def _keys(count: int, **key: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "x", **(key or {"callback_data": "y"})}] * count]}


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("sendMesage", {"text": "x"}, "Not Found"),
        ("sendMessage", {"text": "x", "colour": "red"}, "unknown parameter"),
        ("sendMessage", {}, "text is required"),
        ("sendMessage", {"text": "x", "disable_notification": "maybe"}, "must be a Boolean"),
        ("sendMessage", {"text": "x", "reply_parameters": "{"}, "can't parse"),
        ("sendMessage", {"text": "x", "reply_parameters": {"message": 1}}, "unknown field message"),
        ("sendMessage", {"text": "x", "message_thread_id": "seven"}, "must be an Integer"),
        ("sendMessage", {"text": " \n "}, "text is empty"),
        ("sendMessage", {"text": "x" * 4097}, "too long"),
        ("sendMessage", {"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities"),
        ("sendMessage", {"text": "<p>x</p>", "parse_mode": "HTML"}, "Unsupported start tag"),
        ("sendMessage", {"text": "1 < 2", "parse_mode": "HTML"}, "Unsupported start tag"),
        ("sendMessage", {"text": "<b><i>x</b></i>", "parse_mode": "HTML"}, "Unexpected end tag"),
        ("sendMessage", {"text": "x", "reply_markup": _keys(9)}, "too many buttons"),
        ("sendMessage", {"text": "x", "reply_markup": {"inline_keyboard": _keys(1)["inline_keyboard"] * 101}}, "too many"),
        ("sendMessage", {"text": "x", "reply_markup": _keys(1, callback_data="é" * 33)}, "BUTTON_DATA_INVALID"),
        ("sendMessage", {"text": "x", "reply_markup": _keys(1, callback_data="y", url="https://x.y")}, "exactly one"),
        ("sendMessage", {"text": "x", "reply_markup": _keys(1, url="javascript:x")}, "BUTTON_URL_INVALID"),
        ("sendMessage", {"text": "x", "reply_markup": _keys(1, copy_text={"text": "x" * 257})}, "COPY_TEXT"),
        ("sendMessage", {"text": "x", "reply_markup": _keys(1, callback_data="y", style="pink")}, "style"),
        ("sendPhoto", {"photo": "file-of-nobody"}, "wrong remote file identifier"),
        ("editMessageText", {"message_id": 1, "text": "x"}, "message to edit not found"),
        ("getFile", {"file_id": "x"}, "wrong file_id"),
        ("answerCallbackQuery", {"callback_query_id": "x"}, "query is too old"),
    ],
)  # fmt: skip
async def test_a_fault_is_refused(telegram: TelegramServer, method: str, params: dict[str, Any], words: str) -> None:
    anna = telegram.person("Anna")
    has_chat = method.startswith(("send", "edit"))
    answer = await _call(telegram, method, **({"chat_id": anna.user_id} if has_chat else {}), **params)
    assert answer["ok"] is False
    assert words in answer["description"]
    assert telegram.messages == []


async def test_a_wrong_token_is_nobody(telegram: TelegramServer) -> None:
    assert (await _call(telegram, "getMe", token="1:x"))["error_code"] == 401


async def test_polling_and_a_webhook_exclude_each_other(telegram: TelegramServer) -> None:
    assert (await _call(telegram, "setWebhook", url="http://shop.example/x"))["ok"] is False
    assert (await _call(telegram, "setWebhook", url="https://shop.example/x"))["ok"] is True
    assert (await _call(telegram, "getUpdates"))["error_code"] == 409


async def test_entities_weigh_nothing(telegram: TelegramServer) -> None:
    anna = telegram.person("Anna")
    text = "<b>" + "&lt;" * 4096 + "</b>"
    assert (await _call(telegram, "sendMessage", chat_id=anna.user_id, text=text, parse_mode="HTML"))["ok"]
    assert telegram.shown(anna)[0].text == "<" * 4096


def test_the_extract_refuses_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    full = definition()
    extract = json.loads(EXTRACT.read_text(encoding="utf-8"))
    for name, method in extract["methods"].items():
        known = {(field["name"], field["required"], *field["types"]) for field in method["fields"]}
        assert known == {
            (field["name"], field["required"], *field["types"]) for field in full["methods"][name].get("fields", [])
        }
    monkeypatch.setattr(telegram_rules, "definition", lambda: extract)
    with pytest.raises(telegram_rules.Refusal, match="unknown parameter"):
        telegram_rules.read_params("sendMessage", {"chat_id": "1", "text": "x", "colour": "red"})
    keys = json.dumps({"inline_keyboard": [[{"text": "x", "callback_data": "y", "style": "danger"}]]})
    read = telegram_rules.read_params("sendMessage", {"chat_id": "1", "text": "x", "reply_markup": keys})
    assert read["chat_id"] == 1
