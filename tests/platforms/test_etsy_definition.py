"""Our adapter and our fake speak as Etsy's own definition says, so that neither can flatter the other."""

from __future__ import annotations

import json

import httpx
import pytest

from platforms.etsy import api
from platforms.etsy.features import ORDER_SCOPES, SCOPES
from tests.fakes.etsy import EtsyServer
from tests.platforms.etsy_definition import SPEC, Judge
from tests.platforms.etsy_harness import open_etsy_shop
from tests.platforms.etsy_story import play

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="../shared is absent")
NOT_DEFINED = {"refreshToken", "picture"}
"""The token's address stands in the definition's security scheme, a picture's on another host."""


async def test_every_request_and_answer_is_as_etsys_definition_says() -> None:
    judge = Judge()
    async with open_etsy_shop() as shop:

        async def look(response: httpx.Response) -> None:
            await response.aread()
            request = response.request
            if request.url.path.startswith("/v3/application"):
                body = await request.aread()
                judge.exchange(
                    request.method, str(request.url), request.headers, body, response.status_code, response.content
                )

        shop.transports.client.event_hooks["response"].append(look)
        await play(shop)
    assert judge.breaches == []
    assert judge.seen == {way.operation for way in EtsyServer().ways()} - NOT_DEFINED, "every operation was judged"


def test_the_judge_sees_breaches() -> None:
    judge, shop = Judge(), "https://x.example/v3/application/shops/1"
    form = {"content-type": "application/x-www-form-urlencoded"}
    judge.exchange("GET", f"{shop}/listings?state=gone&made=up", {}, b"", 200, b'{"count": "2", "invented": 1}')
    judge.exchange("PATCH", f"{shop}/listings/2", form, b"image_ids[]=x&colour=1", 418, b"{}")
    judge.exchange("PUT", f"{shop}/listings/2", form, b"", 200, b"{}")
    said = "\n".join(judge.breaches)
    for expected in ("'gone'", "made", "'2' is not of type 'integer'", "invented", "'x'", "colour", "418", "no PUT"):
        assert expected in said, said


def test_the_rights_we_name_are_the_definitions() -> None:
    document = json.loads(SPEC.read_text())
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"]
    assert {scope.name for scope in (*SCOPES, *ORDER_SCOPES)} <= set(flow["scopes"])
    assert [server["url"] for server in document["servers"]] == [api.BASE_URL]
    assert flow["tokenUrl"].startswith(api.BASE_URL)
