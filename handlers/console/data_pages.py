"""The pages of health and data: how things are, a file that was made for a team, and everything of it at once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from domain.errors import Fault
from domain.people import Member
from domain.picture_ports import MediaStorage
from domain.ports import Clock, Work
from domain.replies import StatusShown
from domain.rows import AuditEntry
from handlers.console.data import status_page
from handlers.console.guard import Guard, Refusal, same_origin
from handlers.console.pages import fill, login_page

_CODE: Final = re.compile(r"[A-Za-z0-9_-]{20,64}")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,120}")
_NO_FILE: Final = "There is no such file, or its week is over: ask for it again."
_GONE: Final = "That link was used or is too old: send `export` for a fresh one."


@dataclass(frozen=True, slots=True)
class DataPages:
    """`signed_in` is the member whose browser asks; `status` how things are for them; `stream` a team's zip."""

    work: Work
    media: MediaStorage
    clock: Clock
    hosts: frozenset[str]
    signed_in: Callable[[Request], Awaitable[Member | None]]
    status: Callable[[Member], Awaitable[StatusShown]]
    stream: Callable[[str], AsyncIterator[bytes]]

    def routes(self) -> list[BaseRoute]:
        """Return the pages, each behind the console's guard."""
        guard = [Middleware(Guard, hosts=self.hosts)]
        table: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("GET", "/status", self.show_status),
            ("GET", "/console/files/{file_id}", self.file),
            ("GET", "/console/export/{code}", self.ask_export),
            ("POST", "/console/export/{code}", self.export),
        ]
        return [Route(path, endpoint, methods=[method], middleware=guard) for method, path, endpoint in table]

    async def show_status(self, request: Request) -> Response:
        """Show how things are, to members only."""
        member = await self.signed_in(request)
        if member is None:
            return HTMLResponse(login_page(), 401)
        return HTMLResponse(status_page(await self.status(member), member))

    async def file(self, request: Request) -> Response:
        """Return a file of the reader's own team, to be saved and never shown. Raises Refusal (401, 404)."""
        member = await self.signed_in(request)
        if member is None:
            raise Refusal(401, "You are signed out: open /console, then fetch it again.")
        async with self.work.reading() as rows:
            kept = await rows.data.find_file(member.team_id, request.path_params["file_id"])
        if kept is None or not _NAME.fullmatch(kept.name):
            raise Refusal(404, "There is no such file, or its week is over: ask for it again.")
        try:
            content = await self.media.get(kept.content)
        except Fault as fault:
            if fault.code != "media_missing":
                raise
            raise Refusal(404, _NO_FILE) from fault
        headers = {"Content-Disposition": f'attachment; filename="{kept.name}"'}
        return Response(content, media_type=kept.content_type, headers=headers)

    async def ask_export(self, request: Request) -> Response:
        """Ask before the code is used up: what looks at links ahead of people must not spend it."""
        code = _code(request)
        async with self.work.reading() as rows:
            is_good = await rows.data.is_export_offered(code)
        return HTMLResponse(fill("export.html", code=code, is_good=is_good), 200 if is_good else 410)

    async def export(self, request: Request) -> Response:
        """Use the code up and send everything. Raises Refusal (403, 410)."""
        same_origin(request)
        now = self.clock()
        async with self.work() as work:
            taken = await work.data.take_export(_code(request))
            if taken is not None:
                team_id, by = taken
                await work.audit(AuditEntry(team_id, now, by, "export_taken", "", "", ""))
        if taken is None:
            raise Refusal(410, _GONE)
        headers = {"Content-Disposition": f'attachment; filename="packshot-{now:%Y-%m-%d}.zip"'}
        return StreamingResponse(self.stream(taken[0]), media_type="application/zip", headers=headers)


def _code(request: Request) -> str:
    code: str = request.path_params["code"]
    if not _CODE.fullmatch(code):
        raise Refusal(410, _GONE)
    return code
