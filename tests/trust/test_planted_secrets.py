"""Secrets are planted wherever they can enter, and searched for wherever anything comes out: none is found.

They enter by settings, by stores' credentials and tokens, by stores that give back whatever they were sent, and by
errors. They are looked for in every log line, reply, error, page, metric, export, and every byte of the database.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest
import structlog

from bot.app import App, migrate_all, open_app
from bot.doctor import examine
from bot.export import write_export
from bot.logs import set_up_logs
from bot.settings import Settings, local_key, secret_key
from bot.watch import ask_stores, tell_teams
from bot.web import web_app
from domain.catalog import PlatformName, Store, StoreId
from domain.connection import Tokens
from domain.errors import PackshotError
from domain.intents import Incoming
from domain.people import Actor, ChatName
from handlers import dispatch
from handlers.console.chat import ROOM
from handlers.console.guard import COOKIE
from storage.connections import SqlConnections
from tests.trust.planted import REFRESH, SETTINGS, STORES, TOKENS, echoing, search

COMMANDS = (
    "help", "stores", "status", "history", "members", "settings", "permissions",
    "reconnect Shopify", "stock", "history csv", "export", "forget", "sync",
)  # fmt: skip
OWN = ("site", "shop", "seller_id")
PUBLIC = {
    "shopify": {"shop": "planted.myshopify.com", "client_id": "0123456789abcdef0123456789abcdef"},
    "amazon": {"marketplace": "DE", "seller_id": "A1PLANTED", "client_id": "amzn1.application-oa2-client.0123"},
    "etsy": {"shop_id": "4711"},
    "woocommerce": {"user": "seller"},
}


@dataclass(frozen=True, slots=True)
class Planted:
    """What came out of everything that was done, by place, and what was planted."""

    secrets: tuple[str, ...]
    places: dict[str, bytes]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return asyncio.run(_play(tmp_path_factory.mktemp("planted")))


async def _play(folder: Path) -> Planted:
    patch = pytest.MonkeyPatch()
    root, dbos = logging.getLogger(), logging.getLogger("dbos")
    before = root.handlers[:], root.level, dbos.handlers[:], dbos.propagate, sys.excepthook
    logged, printed = io.StringIO(), io.StringIO()
    patch.chdir(folder)
    patch.delenv("DATABASE_URL", raising=False)
    patch.setattr(sys, "stderr", logged)
    patch.setattr(sys, "stdout", printed)
    try:
        async with echoing() as server:
            for name, value in (
                SETTINGS | _addresses(server) | {"DATA_DIR": str(folder / "data"), "LOG_LEVEL": "DEBUG"}
            ).items():
                patch.setenv(name, value)
            settings = Settings()
            set_up_logs("DEBUG", secrets=settings.secrets)
            places = await _everything(settings, server)
            await examine()
            await asyncio.sleep(0.1)  # connections that are closed end a turn of the loop later
    finally:
        patch.undo()
        root.handlers[:], root.level, dbos.handlers[:], dbos.propagate, sys.excepthook = before
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()
    places["what doctor prints"] = printed.getvalue().encode()
    for number, line in enumerate(logged.getvalue().splitlines()):
        places[f"log line {number}"] = line.encode()
    own = [word for each in STORES.values() for word in each.values()]
    keys = secret_key(settings), local_key(settings)
    return Planted((*SETTINGS.values(), *own, *TOKENS.values(), *REFRESH.values(), *keys), places)


def _addresses(server: str) -> dict[str, str]:
    names = ("SHOPIFY_API_URL", "AMAZON_API_URL", "AMAZON_AUTH_URL", "ETSY_API_URL", "ETSY_AUTH_URL", "SLACK_API_URL", "TELEGRAM_API_URL")  # fmt: skip
    return dict.fromkeys(names, server) | {"WOOCOMMERCE_ALLOW_HTTP": "1", "SHELF_SAMPLES": "1"}


async def _everything(settings: Settings, server: str) -> dict[str, bytes]:
    await migrate_all(settings)
    places: dict[str, bytes] = {}
    async with open_app(settings, base_url="http://127.0.0.1:8080") as app:
        await _connect_stores(app, server)
        await _ask_every_store(app, places)
        for number, words in enumerate(COMMANDS):
            event = Incoming(
                f"console:planted:{number}", app.team.team_id, Actor(ChatName.CONSOLE, "owner", "owner"), ROOM, words
            )
            await app.events.take(event)
            await dispatch.handle(event, app.desk)
        await _chats(app, places)
        await _watch(app)
        await _pages(app, settings, places)
        out = settings.data_dir / "out.zip"
        await write_export(out, app.database, app.media, app.team.team_id, now=app.desk.clock())
        places["the export"] = await asyncio.to_thread(_unzipped, out)
    for path in sorted(settings.data_dir.glob("packshot.db*")):
        places[f"every byte of {path.name}"] = await asyncio.to_thread(path.read_bytes)
    return places


def _unzipped(path: Path) -> bytes:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist() if not name.startswith("photos/"))


async def _connect_stores(app: App, server: str) -> None:
    connections = SqlConnections(app.database, app.stores.vault, app.desk.clock)
    for name, secrets in STORES.items():
        store = Store(StoreId(f"{name}-planted"), app.team.team_id, PlatformName(name), name.capitalize())
        own = {**PUBLIC[name], **secrets} | ({"site": server} if name == "woocommerce" else {})
        assert await app.stores.rows.add(store, app.stores.vault.encrypt(json.dumps(own)))
        await connections.save(store.store_id, Tokens(TOKENS[name], None, REFRESH[name]), was_version=0)


async def _ask_every_store(app: App, places: dict[str, bytes]) -> None:
    """Every call of a store fails in its own way; what the error says is a place too."""
    from domain.catalog import ListingId, Sku

    for opened in await app.desk.stores.of_team(app.team.team_id):
        calls: tuple[Callable[[], Awaitable[object]], ...] = (
            opened.check,
            partial(opened.find_listings, Sku("MUG-01")),
            partial(opened.read_images, ListingId("1")),
        )
        for number, call in enumerate(calls):
            try:
                told = repr(await call())
            except PackshotError as error:
                told = f"{error!r} {error} {error.args}"
                logging.getLogger("packshot.test").exception("a store said no")
            places[f"what {opened.store.name} says, {number}"] = told.encode()


async def _chats(app: App, places: dict[str, bytes]) -> None:
    for name, chat in app.chats.out.items():
        try:
            told = await chat.whoami()
        except Exception as error:
            told = f"{error!r} {error} {error.args}"
            logging.getLogger("packshot.test").exception("a chat said no")
        places[f"what {name} says"] = told.encode()


async def _watch(app: App) -> None:
    stores = await app.stores.rows.everywhere()
    connections = SqlConnections(app.database, app.stores.vault, app.desk.clock)
    await ask_stores(stores, app.desk.stores, connections, app.database, app.desk.clock)
    await tell_teams(app.desk, stores)


async def _pages(app: App, settings: Settings, places: dict[str, bytes]) -> None:
    code = await app.logins.offer(app.owner.member_id, now=app.desk.clock())
    async for client in _browser(app):
        entered = await client.get("/console", params={"code": code})
        assert client.cookies[COOKIE] == entered.cookies[COOKIE]
        for path in (
            "/status",
            "/console",
            "/console/lines?after=0",
            "/healthz",
            "/readyz",
            "/shelf",
            "/nothing",
            "/media/x.y.z.jpg",
        ):
            answer = await client.get(path)
            places[f"page {path}"] = answer.content + repr(answer.headers).encode()
        assert b"Shopify" in places["page /status"]
        metrics = await client.get(
            "/metrics", headers={"authorization": f"Bearer {settings.metrics_token.get_secret_value()}"}
        )
        assert metrics.status_code == 200
        places["the metrics"] = metrics.content
        for name in STORES:
            hook = await client.post(f"/webhooks/{name}/{name}-planted", content=b"{}", headers={"x-shop": "x"})
            places[f"webhook {name}"] = hook.content


async def _browser(app: App) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(web_app(app, port=8080), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield client


def test_no_planted_secret_comes_out(planted: Planted) -> None:
    found = search(planted.places, planted.secrets)
    sys.stdout.write(f"planted {len(planted.secrets)}, places searched {len(planted.places)}, found {len(found)}\n")
    assert found == []


def test_the_play_went_where_secrets_could_leak(planted: Planted) -> None:
    everything = b"\n".join(planted.places.values())
    assert everything.count("•••".encode()) > 20, "secrets were on their way, and cut out"
    assert len([name for name in planted.places if name.startswith("log line")]) > 20
    assert b"a store said no" in everything
    for name in STORES:
        assert f"{name}-planted".encode() in everything


@pytest.mark.parametrize("place", ["a log line", "a row", "a page"])
def test_a_planted_leak_is_found(planted: Planted, place: str) -> None:
    for secret in planted.secrets:
        assert search({place: b"before " + secret.encode() + b" after"}, planted.secrets)


async def test_a_leak_in_the_database_is_found(planted: Planted, tmp_path: Path) -> None:
    from sqlalchemy import text

    from storage.database import open_database
    from storage.migrate import migrate

    database = open_database(f"sqlite:///{tmp_path}/leaky.db")
    await migrate(database)
    async with database.begin() as db_session:
        insert = "INSERT INTO team (team_id, name, created_at) VALUES ('t', :name, '2026-01-01')"
        await db_session.execute(text(insert), {"name": f"shop with {planted.secrets[0]}"})
    await database.close()
    files = await asyncio.to_thread(lambda: {path.name: path.read_bytes() for path in tmp_path.glob("leaky.db*")})
    assert search(files, planted.secrets)


def test_every_secret_setting_is_planted() -> None:
    from pydantic import SecretStr

    every = {field.alias for field in Settings.model_fields.values() if field.annotation is SecretStr}
    assert every - set(SETTINGS) == {"SECRET_KEY", "SLACK_CLIENT_SECRET"}
