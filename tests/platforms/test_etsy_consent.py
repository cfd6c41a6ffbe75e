"""Connecting an Etsy shop over its page of consent: what is asked, and what is believed of the answer."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.connect import add_store, list_stores
from bot.settings import Settings
from domain.errors import BadInput, NeedsReconnect
from platforms.etsy.consent import PAGE, ask, take
from platforms.etsy.descriptor import DESCRIPTOR
from platforms.transport import Transports
from tests.fakes.etsy import KEYSTRING, SHARED_SECRET, EtsyServer
from tests.fakes.store_side import HandTime, make_transports
from tests.platforms.stage import WallTime


@asynccontextmanager
async def etsy() -> AsyncIterator[tuple[EtsyServer, Transports, dict[str, str]]]:
    async with EtsyServer() as server, make_transports(HandTime()) as transports:
        given = {"keystring": KEYSTRING, "shared_secret": SHARED_SECRET, "api_url": server.url}
        yield server, transports, dict(DESCRIPTOR.complete(given, {}))


async def test_a_yes_becomes_the_refresh_token_of_the_least_rights() -> None:
    async with etsy() as (server, transports, settings):
        asked = ask(settings)
        assert asked.page.startswith(PAGE + "?")
        given = await take(settings, asked, server.say_yes(asked.page), transports)
        assert given.settings == {"refresh_token": server.refresh_token}
        assert server.scopes == ("listings_r", "listings_w", "shops_r")
        assert SHARED_SECRET not in asked.page
        assert asked.kept not in asked.page, "the verifier stays here"


@pytest.mark.parametrize(
    ("landed", "said"),
    [
        ("", "start again"),
        ("https://localhost/connect/etsy/callback", "start again"),
        ("https://localhost/connect/etsy/callback?code=c&state=another", "start again"),
        ("https://localhost/?error=access_denied&error_description=The+user+denied", "The user denied"),
        ("%zz ☃ ?code=c&state=☃", "start again"),
    ],
)
async def test_an_address_that_does_not_answer_our_question_is_not_believed(landed: str, said: str) -> None:
    async with etsy() as (server, transports, settings):
        with pytest.raises(BadInput, match=said):
            await take(settings, ask(settings), landed, transports)
        assert server.calls == []


async def test_a_code_is_good_for_its_own_question_and_once() -> None:
    async with etsy() as (server, transports, settings):
        asked = ask(settings)
        landed = server.say_yes(asked.page)
        stolen = replace(ask(settings), state=parse_qs(urlsplit(landed).query)["state"][0])
        with pytest.raises(NeedsReconnect):
            await take(settings, stolen, landed, transports)
        with pytest.raises(NeedsReconnect):
            await take(settings, asked, landed, transports)


def test_two_questions_share_nothing() -> None:
    settings = DESCRIPTOR.complete({"keystring": KEYSTRING}, {})
    first, second = ask(settings), ask(settings)
    assert {first.state, first.kept}.isdisjoint({second.state, second.kept})


@dataclass(slots=True)
class Keyboard:
    """A person who opens the page that was printed, says yes, and pastes where the browser landed."""

    server: EtsyServer
    screen: io.StringIO

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        page = next(line for line in self.screen.getvalue().splitlines() if line.startswith(PAGE))
        return self.server.say_yes(page) + "\n"


async def test_store_add_asks_for_consent_and_keeps_what_comes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = io.StringIO()
    async with EtsyServer(time=WallTime()) as server:
        monkeypatch.setattr("sys.stdin", Keyboard(server, screen))
        values: dict[str, Any] = {"DATA_DIR": tmp_path, "ETSY_API_URL": server.url}
        values |= {"ETSY_KEYSTRING": KEYSTRING, "ETSY_SHARED_SECRET": SHARED_SECRET}
        settings = Settings(_env_file=None, **values)
        with redirect_stderr(screen):
            assert await add_store(settings, "etsy", name="", given=["redirect_url=https://shop.example/back"]) == 0
        assert "MugsAndBowls" in capsys.readouterr().out
        server.calls.clear()
        assert await list_stores(settings) == 0
        assert server.counted()["refreshToken"] == 0, "the token of the first look is kept"
