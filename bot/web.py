"""The web application: the console, the shelf's storefront, and the signs of life."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.app import App
from bot.chats import WayIn
from bot.clock import utc_now
from bot.connect_pages import ConnectPages
from bot.consent import Consents
from bot.export import stream_export
from bot.gate import HEADERS, Doorplate, Gate
from bot.gate_rules import MEMBER, rules
from bot.metrics import render_metrics
from bot.rates import Rates
from bot.settings import local_key, networks_in
from bot.store_hooks import StoreHooks
from bot.stores import picture_links
from domain.errors import Fault
from domain.people import Member
from domain.replies import StatusShown
from handlers import dispatch
from handlers.console.chat import ROOM
from handlers.console.data_pages import DataPages
from handlers.console.guard import COOKIE
from handlers.console.listeners import ConsoleDesk, console_routes
from handlers.failures import sentence_for
from handlers.health import status_of
from platforms.shelf.storefront import storefront_routes
from storage.codec import dump_reply
from storage.store_hints import SqlStoreHints

log = logging.getLogger("packshot.web")

MAX_UPLOAD_BYTES = 100_000_000
"""An album of ten phone photos; one photo's own limit is MAX_PHOTO_MEGAPIXELS, checked by the handler."""


def data_pages(app: App, hosts: frozenset[str], signed_in: Callable[[Request], Awaitable[Member | None]]) -> DataPages:
    """Return the pages of health and data on the app's own rows."""

    async def status(member: Member) -> StatusShown:
        async with app.desk.work.reading() as rows:
            return await status_of(rows, app.desk, member.team_id, ROOM)

    def stream(team_id: str) -> AsyncIterator[bytes]:
        return stream_export(app.settings.data_dir, app.database, app.media, team_id, now=utc_now())

    return DataPages(app.desk.work, app.media, utc_now, hosts, signed_in, status, stream)


def web_app(app: App, *, port: int, listeners: Sequence[WayIn] = ()) -> Starlette:
    """Return the application; `port` is the one that is bound, which the Host check needs."""
    hosts = frozenset(f"{name}:{port}" for name in app.settings.public_hosts) | app.settings.public_hosts
    key = local_key(app.settings)
    rates = Rates()
    console = ConsoleDesk(
        events=app.events,
        lines=app.lines,
        logins=app.logins,
        media=app.media,
        work=app.desk.work,
        clock=utc_now,
        local_key=key,
        hosts=hosts,
        is_https=app.settings.public_url.startswith("https://"),
        max_upload_bytes=MAX_UPLOAD_BYTES,
        member_named=app.member_named,
        provisional=dispatch.provisional,
        is_handled=app.events.is_handled,
        dump_reply=dump_reply,
        member_pause_s=lambda member_id: rates.take(f"member {member_id}", MEMBER, time.monotonic()),
    )

    async def home(_request: Request) -> Response:
        return RedirectResponse("/console")

    async def alive(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_request: Request) -> Response:
        try:
            async with app.desk.work.reading() as rows:
                await rows.people.team(app.team.team_id)
        except Fault as error:
            return JSONResponse({"ready": False, "code": error.code}, status_code=503)
        return JSONResponse({"ready": True})

    async def metrics(request: Request) -> Response:
        # By a key and never by the address: behind a tunnel every stranger comes from 127.0.0.1.
        sent = request.headers.get("authorization", "").encode()
        keys = filter(None, (key, app.settings.metrics_token.get_secret_value()))
        if not any(hmac.compare_digest(sent, f"Bearer {one}".encode()) for one in keys):
            return PlainTextResponse("not found\n", status_code=404)
        return Response(await render_metrics(app), media_type=CONTENT_TYPE_LATEST)

    async def nothing_there(request: Request, error: Exception) -> Response:
        """What no route answers: the framework's own words say less."""
        assert isinstance(error, HTTPException)
        sentences = {404: "There is nothing at that address.", 405: "That address does not take such a request."}
        sentence = sentences.get(error.status_code, "I cannot read that request.")
        return PlainTextResponse(sentence + "\n", error.status_code, error.headers)

    async def broken(request: Request, error: Exception) -> Response:
        """A mistake of ours: its trace goes to the log, where the server writes it."""
        sentence = "That is a mistake of mine, and may not be done: look, then tell an admin."
        return PlainTextResponse(sentence + "\n", 500, HEADERS)

    async def not_now(request: Request, error: Exception) -> Response:
        """A fault of ours (the database is away, the disk is full): one sentence, and nothing was taken."""
        assert isinstance(error, Fault)
        log.error("request failed", extra={"path": request.url.path, "code": error.code}, exc_info=error)
        sentence = sentence_for(error)
        if request.method == "GET":
            return PlainTextResponse(sentence + "\n", status_code=503)
        return JSONResponse({"error": sentence}, status_code=503)

    async def signed_in(request: Request) -> Member | None:
        cookie = request.cookies.get(COOKIE, "")
        login = await app.logins.find(cookie, now=utc_now()) if cookie else None
        return login.member if login else None

    connect = ConnectPages(
        Consents(app.stores, app.desk.work, utc_now, app.base_url, bool(app.settings.public_url)),
        signed_in,
        app.desk.doors.telegram,
        console.is_https,
    )
    gate = Middleware(
        Gate,
        rules=rules(upload_bytes=MAX_UPLOAD_BYTES),
        plate=Doorplate(hosts, console.is_https, networks_in(app.settings.trusted_proxies)),
        rates=rates,
    )
    return Starlette(
        middleware=[gate],
        exception_handlers={Fault: not_now, HTTPException: nothing_there, Exception: broken},
        routes=[
            Route("/", home),
            Route("/healthz", alive),
            Route("/readyz", ready),
            Route("/metrics", metrics),
            *console_routes(console),
            *connect.routes(),
            *data_pages(app, hosts, signed_in).routes(),
            *(links.routes() if (links := picture_links(app.settings, app.media)) else ()),
            *StoreHooks(app.stores, SqlStoreHints(app.database, utc_now, app.enqueuer), utc_now).routes(),
            *(route for way_in in listeners for route in way_in.routes()),
            *storefront_routes(
                store=app.shelf, rows=app.shelf_rows, media=app.media, public_url=lambda path: app.base_url + path
            ),
        ],
    )
