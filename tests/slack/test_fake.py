"""The fake refuses what Slack refuses: a fake that takes everything proves nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.blocks import actions, button, header, image, section
from tests.fakes import slack_api as fake
from tests.fakes.slack import BOT_TOKEN, FakeSlack
from tests.fakes.slack_blocks import refusals
from tests.fakes.slack_people import SlackPeople


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as opened:
        people = SlackPeople(opened, transport="http")
        people.channel("C1", people.person("Anna"))
        yield opened


def _client(slack: FakeSlack, token: str = BOT_TOKEN) -> AsyncWebClient:
    return AsyncWebClient(token=token, base_url=slack.api_url, retry_handlers=[])


async def _error(slack: FakeSlack, method: str, token: str = BOT_TOKEN, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await _client(slack, token).api_call(method, json=arguments)
    return str(caught.value.response["error"])


async def test_methods_arguments_tokens_and_scopes(slack: FakeSlack) -> None:
    assert await _error(slack, "chat.shout", channel="C1") == "unknown_method"
    assert await _error(slack, "chat.update", channel="C1", text="x") == "invalid_arguments"
    assert await _error(slack, "views.open", view={}) == "invalid_arguments"
    assert await _error(slack, "auth.test", token="xoxb-other") == "invalid_auth"
    assert await _error(slack, "apps.connections.open") == "invalid_auth"
    slack.scopes.discard("chat:write")
    assert await _error(slack, "chat.postMessage", channel="C1", text="x") == "missing_scope"


async def test_messages(slack: FakeSlack) -> None:
    client = _client(slack)
    assert await _error(slack, "chat.postMessage", channel="C1", blocks=[section("x")]) == "no_text"
    assert await _error(slack, "chat.postMessage", channel="C404", text="x") == "channel_not_found"
    posted = await client.chat_postMessage(channel="C1", text="x", blocks=[section("x")])
    assert "blocks" in slack.messages["C1", posted["ts"]]
    await client.chat_update(channel="C1", ts=posted["ts"], text="y")
    assert "blocks" not in slack.messages["C1", posted["ts"]]
    anna = slack.keep("C1", {"user": "UANNA", "text": "hi"})
    assert await _error(slack, "chat.update", channel="C1", ts=anna["ts"], text="y") == "cant_update_message"


async def test_a_trigger_opens_one_modal(slack: FakeSlack) -> None:
    view = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": [section("x")]}
    trigger = slack.trigger()
    await _client(slack).views_open(trigger_id=trigger, view=view)
    assert await _error(slack, "views.open", trigger_id=trigger, view=view) == "exchanged_trigger_id"
    assert await _error(slack, "views.open", trigger_id="other", view=view) == "invalid_trigger"


@pytest.mark.parametrize(
    ("blocks", "word"),
    [
        ([section("x")] * 51, "no more than 50"),
        ([section("x") | {"block_id": "a"}] * 2, "duplicate block_id"),
        ([section("x" * 3000) | {"text": {"type": "mrkdwn", "text": "x" * 3001}}], "3001"),
        ([header("x") | {"text": {"type": "plain_text", "text": "x" * 151}}], "151"),
        ([header("x") | {"text": {"type": "mrkdwn", "text": "x"}}], "plain_text"),
        ([{"type": "actions", "elements": [button("x", "v", str(number)) for number in range(26)]}], "25"),
        ([actions([button("x", "v", "a"), button("x", "v", "a")])], "duplicate action_id"),
        ([actions([button("x", "v", "a") | {"value": "v" * 2001}])], "2000"),
        ([actions([button("x", "v", "a") | {"text": {"type": "plain_text", "text": "x" * 76}}])], "76"),
        ([actions([{"type": "overflow", "action_id": "a", "options": []}])], "overflow"),
        ([{"type": "image", "slack_file": {"id": "F1"}}], "alt_text"),
        ([image("F1", "x") | {"slack_file": {"id": "F1", "url": "u"}}], "either id or url"),
        ([image("F404", "x")], "invalid slack file"),
        ([image("WEBP", "x")], "invalid slack file"),
        ([image("NEW", "x")], "invalid slack file"),
        ([section("a & b")], "unescaped"),
        ([section("x") | {"text": {"type": "mrkdwn", "text": ""}}], "0 characters"),
        ([{"type": "unheard_of"}], "unsupported"),
        ([{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}], "10"),
    ],
    ids=str,
)
def test_blocks_slack_refuses(blocks: list[dict[str, Any]], word: str) -> None:
    files = {
        "F1": {"is_unshowable": False, "mimetype": "image/png"},
        "WEBP": {"is_unshowable": False, "mimetype": "image/webp"},
        "NEW": {"is_unshowable": False},
    }
    assert any(word in each for each in refusals(blocks, "message", files.get)), refusals(blocks, "message", files.get)


def test_the_extract_says_what_the_definition_says(monkeypatch: pytest.MonkeyPatch) -> None:
    if not fake.SPEC.exists():
        pytest.skip("../shared is absent")
    whole = fake.required_arguments()
    monkeypatch.setattr(fake, "SPEC", fake.EXTRACT.with_name("absent"))
    extract = fake.required_arguments()
    assert {method: whole[method] for method in extract} == extract
    assert set(FakeSlack()._routes) <= set(extract)
    assert json.loads(fake.EXTRACT.read_text(encoding="utf-8"))["source"]
