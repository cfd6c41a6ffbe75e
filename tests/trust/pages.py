"""Every page there is, served by the real application with a life on it, for a browser to look at."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from playwright.async_api import Browser, Page, async_playwright
from sqlalchemy import select
from sqlmodel import col

from bot.app import App, migrate_all, open_app
from bot.clock import utc_now
from bot.settings import Settings
from bot.web import web_app
from domain.connect_replies import ConnectOffered
from domain.intents import Incoming
from domain.people import Actor, ChatName, Role
from domain.replies import Outgoing
from handlers import dispatch
from handlers.console.chat import ROOM
from storage.bootstrap import ensure_member
from storage.codec import load_reply
from storage.statements import find_all
from storage.tables import OutboxRow
from tests.console.bot import clean_picture, phone_photo
from tests.console.samples import every_reply

CHROMIUM: Final = Path("/usr/bin/chromium")
ARGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
SIZES: Final = {"desktop": (1280, 900), "phone": (390, 844)}
PLATFORMS: Final = ("shopify tea", "woocommerce https://tea.example", "etsy", "amazon")
UNKNOWN: Final = "A" * 43


@dataclass(frozen=True, slots=True)
class Site:
    """A running site. `pages` are its addresses by name, `opening` the one-time link that signs a browser in."""

    app: App
    address: str
    pages: dict[str, str]
    opening: str


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    """Serve it on a free port of this machine."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    settings = Settings(
        _env_file=None,
        DATA_DIR=folder,
        PORT=port,
        SHOPIFY_CLIENT_ID="app",
        SHOPIFY_CLIENT_SECRET="the secret of the app",
        ETSY_KEYSTRING="the keystring of the app",
        ETSY_SHARED_SECRET="the shared secret",
        AMAZON_CLIENT_ID="app",
        AMAZON_CLIENT_SECRET="the secret of the app",
    )  # type: ignore[call-arg] # by their names in the environment
    await migrate_all(settings)
    async with open_app(settings, base_url=address) as app:
        config = uvicorn.Config(web_app(app, port=port), log_config=None, ws="none", lifespan="off", timeout_graceful_shutdown=0)  # fmt: skip
        server = uvicorn.Server(config)
        serving = asyncio.ensure_future(server._serve([listening]))
        try:
            code = await app.logins.offer(app.owner.member_id, now=utc_now())
            yield Site(app, address, await _pages(app), f"/console?code={code}")
        finally:
            server.should_exit = True
            await serving


async def _pages(app: App) -> dict[str, str]:
    """Bring life in, and return where the pages are; `console` and those after it want a signed-in browser."""
    before, after = await app.media.put_all([phone_photo(600), clean_picture(600)])
    for number, reply in enumerate(every_reply(before=before, after=after)):
        key = f"sample-{number}"
        outgoing = Outgoing(key, app.team.team_id, ROOM, "", reply, f"console:{app.owner.member_id}:{key}")
        await app.lines.append_reply(outgoing, now=utc_now())
    [product, *_] = await app.shelf_rows.listings(app.shelf.store_id, after="", limit=1)
    pages = {
        "login": "/console",
        "login-wrong-code": "/console?code=used",
        "shelf": "/shelf",
        "shelf-product": f"/shelf/products/{product.handle}",
        "shelf-missing": "/shelf/products/nothing-of-ours",
        "connect-unknown": f"/connect/shopify?code={UNKNOWN}",
        "connect-done-unknown": f"/connect/shopify/done?link={UNKNOWN}",
        "export-unknown": f"/console/export/{UNKNOWN}",
        "status-signed-out": "/status",
        "console": "/console",
        "status": "/status",
    }
    for number, words in enumerate(PLATFORMS):
        pages[f"connect-{words.split()[0]}"] = await _connect_page(app, words, number)
    return pages


async def _connect_page(app: App, words: str, number: int) -> str:
    """Ask for a link as an admin does in a chat, and return its path. A person's next link ends their last one."""
    name = f"ada{number}"
    actor = Actor(ChatName.CONSOLE, name, name)
    await ensure_member(app.database, app.team.team_id, name, Role.ADMIN, actor)
    incoming = Incoming(
        f"console:{app.owner.member_id}:connect{number}", app.team.team_id, actor, ROOM, f"connect {words}"
    )
    await app.events.take(incoming)
    await dispatch.handle(incoming, app.desk)
    async with app.database.read() as db_session:
        rows = await find_all(db_session, select(OutboxRow).order_by(col(OutboxRow.outbox_id).desc()))
    reply = load_reply(rows[0].reply)
    assert isinstance(reply, ConnectOffered), reply
    return reply.url.removeprefix(app.base_url)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Start Chromium."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield started
        await started.close()


async def show(page: Page, shop: Site, name: str, *, size: str = "desktop") -> int:
    """Open a page by its name, wait until everything on it is there, and return its status."""
    width, height = SIZES[size]
    await page.set_viewport_size({"width": width, "height": height})
    answer = await page.goto(f"{shop.address}{shop.pages[name]}")
    assert answer is not None
    if name == "console":
        await page.locator("#talk > li").first.wait_for()
    await page.evaluate("document.fonts.ready")
    return answer.status


SIGNED_IN: Final = frozenset({"console", "status"})


def is_for_members(name: str) -> bool:
    """Whether a page wants a signed-in browser."""
    return name in SIGNED_IN
