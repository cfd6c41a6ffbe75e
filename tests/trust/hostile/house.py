"""The house that is attacked: the real application on a real database, with a life behind it worth stealing.

A member is signed in, a photo is kept, stores and chats have delivered what they signed. What was used up, what has
ended and what was cut is there too, since that is what a stranger finds first.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette

from bot.app import App, migrate_all, open_app
from bot.chats import listening, ways_in
from bot.clock import utc_now
from bot.settings import Settings, local_key, secret_key
from bot.stores import picture_links
from bot.web import web_app
from domain.catalog import PlatformName, Store, StoreId
from domain.people import Actor, ChatName, Role
from handlers.console.guard import csrf_token
from storage.bootstrap import ensure_member
from tests.fakes.slack import BOT_TOKEN, SIGNING_SECRET, TEAM, FakeSlack
from tests.fakes.slack_people import SlackPeople, signed
from tests.fakes.telegram import TOKEN, TelegramServer
from tests.trust.hostile.drive import Answer, Ask, Judge, send

HOST: Final = "shop.example"
ORIGIN: Final = f"https://{HOST}"
TELEGRAM_SECRET: Final = "the-secret-that-telegram-tells-us"
STORE_SECRET: Final = "the-secret-of-the-store-s-webhooks"
ETSY_KEY: Final = b"the-signing-key-of-etsy"
PHOTO: Final = b"\xff\xd8\xff\xe0 a photo that nobody else may see " + bytes(range(200))
SECRETS_OF_STORES: Final[dict[PlatformName, dict[str, str]]] = {
    PlatformName.WOOCOMMERCE: {"site": "https://tea.example", "user": "u", "password": "p", "webhook_secret": STORE_SECRET},
    PlatformName.SHOPIFY: {"shop": "tea.myshopify.com", "client_id": "app", "client_secret": STORE_SECRET},
    PlatformName.ETSY: {
        "keystring": "key", "shared_secret": "s", "refresh_token": "t", "shop_id": "77",
        "webhook_secret": f"whsec_{base64.b64encode(ETSY_KEY).decode()}",
    },
}  # fmt: skip


@dataclass(slots=True)
class House:
    """What is there to be stolen or used again. `replays` were accepted once and must change nothing again."""

    app: Starlette
    judge: Judge
    cookie: str
    csrf: str
    local_key: str
    photo: str
    database: str
    """The path of the database's file."""
    codes: list[str] = field(default_factory=list)
    """Login codes that were used or have ended."""
    cookies: list[str] = field(default_factory=list)
    """Of logins that were ended."""
    links: list[str] = field(default_factory=list)
    """Paths under /media that have ended; the first one is of a living link, for what is cut from it."""
    living_link: str = ""
    replays: list[Ask] = field(default_factory=list)
    stores: dict[PlatformName, str] = field(default_factory=dict)


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """Build it in a folder, with Slack and Telegram beside it."""
    async with TelegramServer() as telegram, FakeSlack() as slack:
        settings = Settings(
            _env_file=None,
            DATA_DIR=folder,
            PUBLIC_URL=ORIGIN,
            SHELF_SAMPLES=False,
            SLACK_BOT_TOKEN=BOT_TOKEN,
            SLACK_SIGNING_SECRET=SIGNING_SECRET,
            SLACK_CLIENT_ID="1.2",
            SLACK_CLIENT_SECRET="the-secret-of-the-slack-app",
            SLACK_API_URL=slack.api_url,
            TELEGRAM_BOT_TOKEN=TOKEN,
            TELEGRAM_API_URL=telegram.url,
            TELEGRAM_WEBHOOK_SECRET=TELEGRAM_SECRET,
        )  # type: ignore[call-arg] # by their names in the environment
        await migrate_all(settings)
        async with open_app(settings, base_url=ORIGIN) as app:
            listeners = ways_in(app)
            path = app.database.sync_url.removeprefix("sqlite:///")
            watched = closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True))
            async with listening(listeners):
                with watched as watching:
                    built = await _inhabited(app, settings, web_app(app, port=443, listeners=listeners), watching, path)
                    people = SlackPeople(slack, transport="http")
                    user = people.person("P1")
                    built.replays.append(_slack_message(user, slack.direct(user)))
                    person = telegram.person("Bea")
                    built.replays.append(_telegram_message(person.user_id, person.json))
                    built.replays += [_webhook(platform, store_id) for platform, store_id in built.stores.items()]
                    for ask in built.replays:
                        answer = await send(built.app, ask, peer="192.0.2.1")
                        assert answer.status == 200, (ask.route, answer)
                    for listener in listeners:
                        if settle := getattr(listener, "settle", None):
                            await settle()
                    yield built


async def _inhabited(app: App, settings: Settings, web: Starlette, watching: sqlite3.Connection, path: str) -> House:
    now = utc_now()
    anna = await ensure_member(
        app.database, app.team.team_id, "Anna", Role.ADMIN, Actor(ChatName.CONSOLE, "Anna", "Anna")
    )
    used = await app.logins.offer(anna.member_id, now=now)
    cookie = await app.logins.redeem(used, now=now)
    ended = await app.logins.redeem(await app.logins.offer(anna.member_id, now=now), now=now)
    assert cookie is not None
    assert ended is not None
    await app.logins.end(ended)
    late = await app.logins.offer(anna.member_id, now=now - timedelta(days=1))
    login = await app.logins.find(cookie, now=now)
    assert login is not None
    name = await app.media.put(PHOTO)
    links = picture_links(settings, app.media)
    assert links is not None
    living = (await links.link(name)).removeprefix(ORIGIN)
    old = await replace(links, clock=lambda: now - timedelta(days=30)).link(name)
    key = local_key(settings)
    kept = [key, secret_key(settings), cookie, login.csrf, SIGNING_SECRET, BOT_TOKEN, TOKEN, TELEGRAM_SECRET]
    told = [PHOTO, *(one.encode() for one in (*kept, STORE_SECRET))]
    judge = Judge(told, lambda: int(watching.execute("PRAGMA data_version").fetchone()[0]), HOST)
    built = House(web, judge, cookie, csrf_token(login.csrf), key, name, path, [used, late], [ended])
    built.living_link, built.links = living, [old.removeprefix(ORIGIN)]
    for platform, given in SECRETS_OF_STORES.items():
        store = Store(StoreId(f"{platform.value}-1"), app.team.team_id, platform, platform.value)
        assert await app.stores.rows.add(store, app.stores.vault.encrypt(json.dumps(given)))
        built.stores[platform] = store.store_id
    return built


def _slack_message(user: str, place: str) -> Ask:
    event = {
        "type": "message", "channel_type": "im", "user": user, "team": TEAM, "text": "status", "channel": place,
        "ts": "1800000000.000100",
    }  # fmt: skip
    envelope = {"type": "event_callback", "team_id": TEAM, "api_app_id": "A1", "event_id": "Ev1", "event_time": 1}
    body = json.dumps({**envelope, "event": event, "authorizations": []}).encode()
    return Ask(
        "replay",
        "/slack/events",
        "POST",
        "/slack/events",
        headers=raw({**signed(body), **JSON}),
        body=body,
        is_open=True,
    )


def _telegram_message(user_id: int, person: dict[str, Any]) -> Ask:
    chat = {"id": user_id, "type": "private", "first_name": "Bea"}
    body = json.dumps({"update_id": 10_001, "message": {"message_id": 1, "date": 1, "chat": chat, "from": person, "text": "status"}}).encode()  # fmt: skip
    headers = {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET, **JSON}
    return Ask(
        "replay", "/telegram/webhook", "POST", "/telegram/webhook", headers=raw(headers), body=body, is_open=True
    )


def _webhook(platform: PlatformName, store_id: str) -> Ask:
    body = webhook_body(platform)
    path = f"/webhooks/{platform.value}/{store_id}"
    return Ask("replay", HOOKS, "POST", path, headers=raw(webhook_headers(platform, body)), body=body, is_open=True)


HOOKS: Final = "/webhooks/{platform}/{store_id}"
JSON: Final = {"Content-Type": "application/json"}


def webhook_body(platform: PlatformName, subject: int = 722) -> bytes:
    """Return what a store would say of a thing."""
    if platform is PlatformName.ETSY:
        said = {"event_type": "order.paid", "resource_url": f"https://x.example/receipts/{subject}", "shop_id": 77}
        return json.dumps(said).encode()
    return json.dumps({"id": subject, "status": "processing"}).encode()


def webhook_headers(platform: PlatformName, body: bytes, *, secret: str = "", age_s: int = 0) -> dict[str, str]:
    """Return how that store would sign it; `secret` is a stranger's."""
    if platform is PlatformName.ETSY:
        told = str(int(utc_now().timestamp()) - age_s)
        key = secret.encode() or ETSY_KEY
        signature = hmac.new(key, b".".join((b"d1", told.encode(), body)), hashlib.sha256).digest()
        return {
            "webhook-id": "d1",
            "webhook-timestamp": told,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }
    digest = hmac.new((secret or STORE_SECRET).encode(), body, hashlib.sha256).digest()
    signature_text = base64.b64encode(digest).decode()
    if platform is PlatformName.SHOPIFY:
        return {
            "X-Shopify-Hmac-Sha256": signature_text, "X-Shopify-Shop-Domain": "tea.myshopify.com",
            "X-Shopify-Topic": "products/update", "X-Shopify-Webhook-Id": secrets.token_hex(8),
        }  # fmt: skip
    return {"X-WC-Webhook-Signature": signature_text, "X-WC-Webhook-Topic": "order.updated"}


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as they stand on the wire."""
    return [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]


__all__ = ["Answer", "House", "house"]
