"""Amazon on stage: it fetches the approved picture by the signed address that the running bot hands out."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.fakes.amazon import CLIENT_ID, REFRESH_TOKEN, SELLER, AmazonServer
from tests.fakes.store_server import SECRET_MARK
from tests.platforms.stage import PHOTO, Stage, WallTime


@asynccontextmanager
async def open_amazon_stage() -> AsyncIterator[Stage]:
    """A seller in Germany with a mug and a bowl, connected with a refresh token."""
    async with AmazonServer(client_secret=SECRET_MARK, time=WallTime()) as server, httpx.AsyncClient() as world:
        goods = server.goods
        goods.add_item("MUG-01", "Mug", quantity=7, pictures=[PHOTO, b"\xff\xd8\xff side", b"\xff\xd8\xff back"])
        goods.add_item("BOWL-01", "Bowl", quantity=2, pictures=[])

        async def fetch(address: str) -> bytes | None:
            answer = await world.get(address)
            is_picture = answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
            return answer.content if is_picture else None

        goods.fetch = fetch

        async def images(_http: httpx.AsyncClient) -> list[bytes]:
            return goods.seen_by_buyers("MUG-01")

        port = _free_port()
        yield Stage(
            "amazon",
            "MUG-01",
            images,
            lambda: [
                f"{seen.operation}  {seen.method} {seen.path} {seen.query.get('mode', '')}".rstrip()
                for seen in server.calls
            ],
            given={
                "marketplace": "DE",
                "seller_id": SELLER,
                "refresh_token": REFRESH_TOKEN,
                "client_id": CLIENT_ID,
                "client_secret": SECRET_MARK,
            },
            server=server,
            env={
                "PORT": str(port),
                "PUBLIC_URL": f"http://127.0.0.1:{port}",
                "AMAZON_API_URL": server.url,
                "AMAZON_AUTH_URL": f"{server.url}/auth/o2/token",
            },
        )


def _free_port() -> int:
    """Return a port nobody listens on: the bot's address must be known before it runs."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
