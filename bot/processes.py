"""The three kinds of process: `run` is everything in one, `web` every way in, `worker` everything else."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from bot.app import App, migrate_all, open_app, working
from bot.chats import listening, ways_in
from bot.clock import utc_now
from bot.run_file import RunningAt, announced
from bot.settings import Settings
from bot.web import web_app
from domain.errors import NotPossible
from domain.people import Role
from handlers.team import INVITATION_LIFE

log = logging.getLogger("packshot.run")

SHUTDOWN_S = 5
"""How long open requests may take when we stop; an event stream never ends by itself."""


GIL_SWITCH_S = 0.001
"""The job engine and the web share one interpreter; at Python's 5 ms a request that hops between
threads a dozen times waits longer for its turns than for its work."""


GC_GENERATIONS = (20_000, 20, 20)
"""Python looks for garbage after 700 new objects, which an event brings several times; most of it needs no looking for."""


def _settle_interpreter() -> None:
    """Take what was imported out of the garbage collector's sight: looking it all through stopped us for 150 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_GENERATIONS)


async def run_all(settings: Settings) -> int:
    """`packshot run`: migrate, then web and worker in one process until a signal."""
    sys.setswitchinterval(GIL_SWITCH_S)
    with _bound(settings) as listener:
        port = listener.getsockname()[1]
        here = RunningAt(os.getpid(), settings.host, port)
        with announced(settings, here):
            await migrate_all(settings)
            async with open_app(settings, base_url=here.base_url) as app, working(app):
                await _greet(app, here)
                _settle_interpreter()
                await _serve(app, listener, port)
    return 0


async def run_web(settings: Settings) -> int:
    """`packshot web`: the ways in; jobs wait for a worker."""
    with _bound(settings) as listener:
        port = listener.getsockname()[1]
        here = RunningAt(os.getpid(), settings.host, port)
        async with open_app(settings, base_url=here.base_url) as app:
            # No link and no code: this output is a server's log, and `packshot invite` makes them when wanted.
            print(f"Packshot runs at {app.settings.public_url or here.base_url}", flush=True)
            _settle_interpreter()
            await _serve(app, listener, port)
    return 0


async def run_worker(settings: Settings) -> int:
    """`packshot worker`: jobs and messages until a signal."""
    async with open_app(settings, base_url=f"http://127.0.0.1:{settings.port}") as app, working(app):
        print("Packshot works. Stop it with Ctrl-C.", flush=True)
        async with _until_signal() as stopped:
            await stopped.wait()
    return 0


async def _greet(app: App, here: RunningAt) -> None:
    """Print how to get in: a one-time console link, and an admin code while the owner is the only admin."""
    base = app.settings.public_url or here.base_url
    code = await app.logins.offer(app.owner.member_id, now=utc_now())
    lines = [
        f"Packshot runs at {base}",
        f"  console (one-time link, 15 minutes): {base}/console?code={code}",
        f"  shelf:   {base}/shelf",
    ]
    async with app.desk.work() as work:
        members = await work.people.members(app.team.team_id)
        if not any(member.role is Role.ADMIN and member.member_id != app.owner.member_id for member in members):
            expires_at = utc_now() + INVITATION_LIFE
            invitation = await work.people.invite(
                app.team.team_id, Role.ADMIN, by=app.owner.name, expires_at=expires_at
            )
            lines.append(f"  admin code for a chat (once): join {invitation.code}")
    print("\n".join(lines), flush=True)


def _bound(settings: Settings) -> socket.socket:
    """Return a listening socket. Raises NotPossible when the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise NotPossible(
            f"Port {settings.port} on {settings.host} is not free ({error.strerror}): set PORT to another one."
        ) from error
    return listener


async def _serve(app: App, listener: socket.socket, port: int) -> None:
    listeners = ways_in(app)
    config = uvicorn.Config(
        web_app(app, port=port, listeners=listeners),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        proxy_headers=False,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # ours below
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    async with listening(listeners), _until_signal() as stopped:
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    server.should_exit = True
    await serving


@asynccontextmanager
async def _until_signal() -> AsyncIterator[asyncio.Event]:
    """Give an event that SIGINT and SIGTERM set."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    try:
        yield stopped
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
