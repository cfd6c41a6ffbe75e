"""The way in for stores that tell by themselves what changed: verified, kept as one row, then acknowledged.

A hint is no truth: whoever acts on it reads the store. So a forged one could at most cost a look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.stores import ConnectedStores
from domain.catalog import StoreId
from domain.connection import StoreHints
from domain.ports import Clock
from platforms.descriptor import NotFromStore
from platforms.registry import PLATFORMS

LARGEST_BYTES: Final = 2_000_000
"""An order with hundreds of lines has some 500 kB."""


@dataclass(frozen=True, slots=True)
class StoreHooks:
    """`/webhooks/{platform}/{store_id}`."""

    stores: ConnectedStores
    hints: StoreHints
    clock: Clock

    def routes(self) -> Sequence[Route]:
        """Return the way in."""
        return [Route("/webhooks/{platform}/{store_id}", self.hear, methods=["POST"])]

    async def hear(self, request: Request) -> Response:
        """200 once it is kept (or was before), 401 for what is not signed by the store, 404 for an unknown one."""
        found = await self.stores.rows.sealed(StoreId(request.path_params["store_id"]))
        store, sealed = found or (None, None)
        hear = None if store is None else PLATFORMS[store.platform].hear
        if store is None or hear is None or store.platform.value != request.path_params["platform"]:
            return PlainTextResponse("not found\n", status_code=404)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_BYTES:
                return PlainTextResponse("too large\n", status_code=413)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            hint = hear(headers, bytes(body), self.stores.settings(store, sealed), self.clock())
        except NotFromStore as error:
            request.state.refused_because = f"{store.store_id}: {error}"  # the gate's line in the log tells it
            return PlainTextResponse("not signed by the store\n", status_code=401)
        if hint is not None:
            await self.hints.keep(store, hint)
        return PlainTextResponse("ok\n")
