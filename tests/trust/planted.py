"""Secrets to plant, a server that gives back whatever it was sent, and a search in every spelling."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote, quote_plus

from aiohttp import web

ANSWERS = (401, 400, 403, 404, 200, 422)
"""What the echoing server answers, in turn. No 5xx: those are tried again, which costs time and shows nothing new."""

SETTINGS = {
    "SHOPIFY_CLIENT_SECRET": "shpss_planted0123456789abcdef0123456789",
    "AMAZON_CLIENT_SECRET": "amzn1.oa2-cs.v1.planted0123456789abcdef",
    "AMAZON_SQS_SECRET": "plantedqueuekey0123456789abcdef",
    "ETSY_KEYSTRING": "plantedetsykeystring24xx",
    "ETSY_SHARED_SECRET": "plantedetsyshared",
    "METRICS_TOKEN": "planted-metrics-token-0123456789abcdef",
    "AWS_SECRET_ACCESS_KEY": "planted/aws+secret/access=key0123456789a",
    "SLACK_BOT_TOKEN": "xoxb-111111111111-222222222222-PlantedSlackBot",
    "SLACK_APP_TOKEN": "xapp-1-A0PLANTED-333333333333-plantedslackapp",
    "SLACK_SIGNING_SECRET": "plantedslacksigning0123456789abcd",
    "TELEGRAM_BOT_TOKEN": "987654321:AAPlantedTelegramToken0123456789abc",
    "TELEGRAM_WEBHOOK_SECRET": "planted_telegram_webhook_secret",
}
"""A value for every secret setting but SECRET_KEY and SLACK_CLIENT_SECRET, which come of themselves or need a PUBLIC_URL."""

STORES: Mapping[str, Mapping[str, str]] = {
    "shopify": {"client_secret": "shpss_planted-own-0123456789", "token": "shpat_plantedshopifytoken01234567"},
    "amazon": {"refresh_token": "Atzr|PlantedAmazonRefresh0123456789", "client_secret": "amzn1.oa2-cs.v1.own0123"},
    "etsy": {
        "keystring": "plantedownkeystring24xxx",
        "shared_secret": "plantedownshared",
        "refresh_token": "12345678.PlantedEtsyRefreshToken",
        "webhook_secret": "whsec_plantedetsywebhook",
    },
    "woocommerce": {"password": "Plnt Wooo Appp Pass Word Xyzw", "webhook_secret": "plantedwoowebhooksecret"},
}
TOKENS = {name: f"planted-access-token-of-{name}" for name in STORES}
REFRESH = {name: f"planted-refresh-token-of-{name}" for name in STORES}


@asynccontextmanager
async def echoing() -> AsyncIterator[str]:
    """A server whose every answer holds all it was sent: address, headers, body."""
    numbers = itertools.count()

    async def answer(request: web.Request) -> web.Response:
        sent = " ".join(f"{name}: {value}" for name, value in request.headers.items())
        body = (await request.read()).decode(errors="replace")
        said = f"{request.rel_url} {sent} {body}"
        told = {"error": said, "error_description": said, "message": said, "errors": [{"message": said, "code": said}]}
        # Telegram's library takes any 200 for an answer of Telegram's.
        status = 400 if request.path.startswith("/bot") else ANSWERS[next(numbers) % len(ANSWERS)]
        return web.Response(status=status, text=json.dumps(told), content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def spellings(secret: str) -> set[bytes]:
    """Return every way a secret may be written down."""
    raw = secret.encode()
    found = {
        raw, quote(secret, safe="").encode(), quote_plus(secret).encode(), json.dumps(secret)[1:-1].encode(),
        base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"="), raw.hex().encode(),
    }  # fmt: skip
    # An application password works with and without its spaces.
    return found | ({secret.replace(" ", "").encode()} if " " in secret else set())


def search(places: Mapping[str, bytes], secrets: Iterable[str]) -> list[str]:
    """Return which place shows which secret: the secret's first characters, never the whole."""
    return [
        f"{place} shows {secret[:12]}…"
        for place, content in places.items()
        for secret in secrets
        if any(way in content for way in spellings(secret))
    ]
