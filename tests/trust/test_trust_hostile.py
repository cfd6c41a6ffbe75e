"""A short, seeded run of `benchmarks/hostile.py`, and proof that it would notice every kind of loss."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from benchmarks.hostile import report
from tests.trust.hostile.asks import generated, ways_of
from tests.trust.hostile.drive import assault
from tests.trust.hostile.house import PHOTO, House, house

PER_KIND = 15
SEED = 7

# One house for both: building it takes longer than attacking it.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house(tmp_path_factory.mktemp("house")) as built:
        yield built


async def test_nothing_gets_through_and_nothing_falls_over(attacked: House) -> None:
    asks = generated(attacked, per_kind=PER_KIND, number=SEED)
    tally = await assault(attacked.app, asks, attacked.judge)
    ways = ways_of(attacked.app)
    assert (tally.accepted, tally.broken, tally.wordy) == ([], [], []), report(tally, len(ways), seconds=0)
    assert tally.total > 10 * PER_KIND
    # Every route was attacked, those of the chats and of connecting too.
    untouched = {way.path for way in ways} - {ask.route for ask in asks}
    assert not untouched
    assert {
        "/slack/events",
        "/slack/install",
        "/telegram/webhook",
        "/webhooks/{platform}/{store_id}",
        "/connect/{platform}",
    } <= {way.path for way in ways}


def open_app(attacked: House) -> Starlette:
    """A house whose doors stand open, one for every kind of loss."""

    async def writes(request: Request) -> Response:
        with closing(sqlite3.connect(attacked.database)) as connection, connection:
            connection.execute("UPDATE team SET name = name || '!'")
        return Response(status_code=403)

    async def grants(request: Request) -> Response:
        answer = Response(status_code=401)
        answer.set_cookie("packshot_console", "anything")
        return answer

    async def shows(request: Request) -> Response:
        return Response(PHOTO, status_code=404)

    async def sends_on(request: Request) -> Response:
        return RedirectResponse(request.query_params.get("next") or "https://evil.example/")

    async def opens(request: Request) -> Response:
        return Response("come in")

    async def falls_over(request: Request) -> Response:
        raise RuntimeError("a mistake")

    async def tells(request: Request) -> Response:
        return Response("Traceback (most recent call last)\n  one line\n  another", status_code=400)

    return Starlette(
        routes=[
            Route("/console/say", writes, methods=["POST"]),
            Route("/console", grants),
            Route("/media/{signed:path}", shows),
            Route("/connect/{platform}", sends_on),
            Route("/console/lines", opens),
            Route("/telegram/webhook", falls_over, methods=["POST"]),
            Route("/slack/events", tells, methods=["POST"]),
        ]
    )


async def test_an_open_house_is_noticed(attacked: House) -> None:
    asks = generated(attacked, per_kind=PER_KIND, number=SEED)
    tally = await assault(open_app(attacked), asks, attacked.judge)
    losses = {loss for loss, _, _ in tally.accepted}
    assert losses == {"changed", "cookie", "secret", "elsewhere", "opened"}
    assert tally.broken
    assert tally.wordy
    printed = report(tally, 7, seconds=1)
    assert f"accepted {len(tally.accepted)}" in printed
