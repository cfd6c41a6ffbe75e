"""A Slack to talk to over real sockets: Web API, Socket Mode, signed HTTP, files in three steps.

It keeps what Slack would keep (messages, files, views, home pages, ephemerals), refuses what Slack
refuses, and fails on demand. Acting as a person is in `slack_people.py`, Block Kit's limits in
`slack_blocks.py`. `calls` is the log; `transcript()` prints it with what people did in between.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.fakes.slack_api import SCOPES, Answer, Refusal, cut, read_arguments, required_arguments
from tests.fakes.slack_blocks import refusals
from tests.fakes.slack_state import (
    APP_TOKEN,
    BOT_ID,
    BOT_TOKEN,
    BOT_USER,
    LOGIN_PAGE,
    SIGNING_SECRET,
    TEAM,
    Call,
    Conversation,
    Failure,
    KeptFile,
    Socket,
    Workspace,
)

__all__ = ["APP_TOKEN", "BOT_TOKEN", "BOT_USER", "SIGNING_SECRET", "TEAM", "FakeSlack"]


@dataclass
class FakeSlack(Workspace):
    """One workspace with one app in it. Use as an async context manager."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.required = required_arguments()
        self._released = asyncio.Event()
        self._routes: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "auth.test": self._auth_test,
            "apps.connections.open": self._connections_open,
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "conversations.open": self._open_direct,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "users.info": self._user,
            "views.open": self._view_open,
            "views.update": self._view_update,
            "views.publish": self._publish,
            "files.info": self._file,
            "files.getUploadURLExternal": self._offer_upload,
            "files.completeUploadExternal": self._complete_upload,
        }

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=200 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._serve_api)
        app.router.add_get("/link", self._serve_socket)
        app.router.add_post("/upload/{file_id}", self._serve_upload)
        app.router.add_get("/files-pri/{file_id}", self._serve_file)
        app.router.add_post("/response/{response_id}", self._serve_response)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._released.set()
        for socket in list(self.sockets):
            await socket.ws.close()
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"{self.base}/api/"

    # ------------------------------------------------------------ the Web API's door

    async def _serve_api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await read_arguments(request)
        failure = next((each for each in self.failures if each.method in {method, "*"}), None)
        if failure is not None:
            failure.left -= 1
            if failure.left <= 0:
                self.failures.remove(failure)
            if failure.how != "cut_after":
                return await self._fail(request, method, arguments, failure)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            self._check(method, token, arguments)
            answer = {"ok": True, **self._routes[method](arguments)}
        except Refusal as refusal:
            answer = refusal.answer
        self._write(method, arguments, answer)
        if failure is not None:
            cut(request)
        return web.json_response(answer, headers={"X-OAuth-Scopes": ",".join(sorted(self.scopes))})

    async def _fail(
        self, request: web.Request, method: str, arguments: dict[str, Any], failure: Failure
    ) -> web.StreamResponse:
        self._write(method, arguments, {"ok": False, "error": f"({failure.how})"})
        if failure.how == "429":
            headers = {"Retry-After": str(failure.retry_after)}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        if failure.how == "500":
            return web.Response(status=500, text="<html>Something went wrong</html>", content_type="text/html")
        if failure.how == "hang":
            await self._released.wait()
        if failure.how in {"hang", "cut"}:
            cut(request)
            return web.Response()
        return web.json_response({"ok": False, "error": failure.how})

    def _check(self, method: str, token: str, arguments: dict[str, Any]) -> None:
        if method not in self._routes:
            raise Refusal("unknown_method", req_method=method)
        if token != (APP_TOKEN if method.startswith("apps.") else BOT_TOKEN):
            raise Refusal("invalid_auth" if token else "not_authed")
        if self.is_token_revoked:
            raise Refusal("token_revoked")
        if missing := [name for name in self.required[method] if arguments.get(name) in (None, "")]:
            raise Refusal("invalid_arguments", response_metadata={"messages": [f"missing {name}" for name in missing]})
        scope = SCOPES.get(method, "")
        if scope == "history":
            scope = f"{self._place(arguments).kind}:history"
        if scope and scope not in self.scopes:
            raise Refusal("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))

    def _write(self, method: str, arguments: dict[str, Any], answer: Answer) -> None:
        self.calls.append(Call(method, arguments, answer))
        said = arguments.get("text") or arguments.get("user_id") or arguments.get("file") or ""
        where = arguments.get("channel", "")
        outcome = answer.get("ts", "ok") if answer["ok"] else answer["error"]
        self.note(f"  bot  {method} {where} {str(said)[:140]!r} -> {outcome}")

    # ------------------------------------------------------------ methods

    def _auth_test(self, arguments: dict[str, Any]) -> Answer:
        return {
            "team_id": TEAM,
            "team": "Shop",
            "user_id": BOT_USER,
            "user": "packshot",
            "bot_id": BOT_ID,
            "url": "https://shop.slack.com/",
        }

    def _connections_open(self, arguments: dict[str, Any]) -> Answer:
        if self.refuses_sockets:
            raise Refusal("internal_error")
        return {"url": f"{self.base.replace('http', 'ws')}/link?ticket={next(self.numbers)}"}

    def _post(self, arguments: dict[str, Any]) -> Answer:
        place = self._writable(arguments)
        thread = arguments.get("thread_ts", "")
        if thread and (place.id, thread) not in self.messages:
            raise Refusal("thread_not_found")
        message = self._checked(arguments) | {"user": BOT_USER, "bot_id": BOT_ID, "team": TEAM}
        return self.keep(place.id, message, thread=thread)

    def keep(self, channel: str, message: dict[str, Any], *, thread: str = "") -> Answer:
        """Keep a message of anybody's and give it its ts."""
        ts = f"{1_770_000_000 + next(self.numbers)}.000100"
        kept = {"type": "message", "ts": ts, **message} | ({"thread_ts": thread} if thread else {})
        self.messages[channel, ts] = kept
        return {"channel": channel, "ts": ts, "message": kept}

    def _post_ephemeral(self, arguments: dict[str, Any]) -> Answer:
        place = self._writable(arguments)
        if arguments["user"] not in place.members:
            raise Refusal("user_not_in_channel")
        self.ephemerals.append(self._checked(arguments) | {"channel": place.id, "user": arguments["user"]})
        return {"message_ts": f"{1_770_000_000 + next(self.numbers)}.000200"}

    def _update(self, arguments: dict[str, Any]) -> Answer:
        place = self._writable(arguments)
        message = self.messages.get((place.id, arguments["ts"]))
        if message is None:
            raise Refusal("message_not_found")
        if message["user"] != BOT_USER:
            raise Refusal("cant_update_message")
        checked = self._checked(arguments)
        if "blocks" in checked and {each.get("block_id") for each in checked["blocks"]} & {
            each.get("block_id") for each in message.get("blocks", ())
        }:
            raise Refusal("invalid_blocks", errors=["the fake wants a new block_id on every iteration"])
        # Text without blocks removes them.
        message.pop("blocks", None)
        message.update(checked)
        message["edited"] = message.get("edited", 0) + 1
        return {"channel": place.id, "ts": arguments["ts"], "text": message["text"]}

    def _delete(self, arguments: dict[str, Any]) -> Answer:
        if self.messages.pop((arguments["channel"], arguments["ts"]), None) is None:
            raise Refusal("message_not_found")
        return {"channel": arguments["channel"], "ts": arguments["ts"]}

    def _open_direct(self, arguments: dict[str, Any]) -> Answer:
        person = self.people.get(arguments["users"])
        if person is None:
            raise Refusal("user_not_found")
        if person.is_bot:
            raise Refusal("cannot_dm_bot")
        return {"channel": {"id": self.direct(person.id)}}

    def direct(self, user: str) -> str:
        """Return the id of somebody's direct messages with the bot."""
        place = f"D{user[1:]}"
        self.conversations.setdefault(place, Conversation(place, "im", {user, BOT_USER}))
        return place

    def _history(self, arguments: dict[str, Any]) -> Answer:
        return self._found(arguments, lambda message: not message.get("thread_ts"))

    def _replies(self, arguments: dict[str, Any]) -> Answer:
        return self._found(arguments, lambda message: arguments["ts"] in {message["ts"], message.get("thread_ts")})

    def _found(self, arguments: dict[str, Any], belongs: Callable[[dict[str, Any]], bool]) -> Answer:
        place, oldest = self._place(arguments), arguments.get("oldest", "0")
        found = [
            message
            for (channel, ts), message in sorted(self.messages.items(), reverse=True)
            if channel == place.id and belongs(message) and ts >= oldest
        ]
        return {"messages": found[: int(arguments.get("limit", 100))]}

    def _user(self, arguments: dict[str, Any]) -> Answer:
        person = self.people.get(arguments.get("user", ""))
        if person is None:
            raise Refusal("user_not_found")
        return {"user": person.as_user(with_locale=str(arguments.get("include_locale", "")) in {"1", "true", "True"})}

    def _view_open(self, arguments: dict[str, Any]) -> Answer:
        trigger = self.triggers.get(arguments["trigger_id"], "unknown")
        if trigger != "open":
            raise Refusal(
                {"used": "exchanged_trigger_id", "expired": "expired_trigger_id"}.get(trigger, "invalid_trigger")
            )
        self.triggers[arguments["trigger_id"]] = "used"
        view_id = f"V{next(self.numbers)}"
        self.views[view_id] = self._checked_view(arguments["view"], "modal") | {"id": view_id}
        return {"view": self.views[view_id]}

    def _view_update(self, arguments: dict[str, Any]) -> Answer:
        if arguments.get("view_id") not in self.views:
            raise Refusal("not_found")
        view_id = arguments["view_id"]
        self.views[view_id] = self._checked_view(arguments["view"], "modal") | {"id": view_id}
        return {"view": self.views[view_id]}

    def _publish(self, arguments: dict[str, Any]) -> Answer:
        self.homes[arguments["user_id"]] = self._checked_view(arguments["view"], "home")
        return {"view": self.homes[arguments["user_id"]]}

    def _file(self, arguments: dict[str, Any]) -> Answer:
        file = self.files.get(arguments.get("file", ""))
        if file is None or file.is_deleted:
            raise Refusal("file_not_found" if file is None else "file_deleted")
        return {"file": file.as_file(self.base, looked=True)}

    def _offer_upload(self, arguments: dict[str, Any]) -> Answer:
        file = KeptFile(f"F{next(self.numbers)}", arguments["filename"], BOT_USER, alt=arguments.get("alt_txt", ""))
        file.length, file.polls_left = int(arguments["length"]), self.polls_until_ready
        file.is_unshowable = self.uploads_are_unshowable
        if len(file.alt) > 1000:
            raise Refusal("invalid_arguments")
        self.files[file.id] = file
        return {"file_id": file.id, "upload_url": f"{self.base}/upload/{file.id}"}

    def _complete_upload(self, arguments: dict[str, Any]) -> Answer:
        for each in arguments["files"]:
            file = self.files.get(each["id"])
            if file is None or len(file.content) != file.length:
                raise Refusal("file_not_found")
            file.is_complete = True
            if arguments.get("channel_id"):
                place = self._writable({"channel": arguments["channel_id"]})
                message = {"user": BOT_USER, "text": "", "subtype": "file_share", "files": [file.as_file(self.base)]}
                self.keep(place.id, message, thread=arguments.get("thread_ts", ""))
        return {"files": [{"id": each["id"]} for each in arguments["files"]]}

    # ------------------------------------------------------------ what is checked

    def _place(self, arguments: dict[str, Any]) -> Conversation:
        place = self.conversations.get(arguments.get("channel", ""))
        if place is None:
            raise Refusal("channel_not_found")
        return place

    def _writable(self, arguments: dict[str, Any]) -> Conversation:
        place = self._place(arguments)
        if BOT_USER not in place.members:
            raise Refusal("not_in_channel" if place.kind == "channels" else "channel_not_found")
        if place.is_archived:
            raise Refusal("is_archived")
        return place

    def _checked(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return text, blocks and metadata of a message that Slack would take."""
        if not arguments.get("text"):
            raise Refusal("no_text")
        if wrong := refusals(arguments.get("blocks", []), "message", self._shown_file):
            raise Refusal("invalid_blocks", errors=wrong)
        return {name: arguments[name] for name in ("text", "blocks", "metadata") if name in arguments}

    def _checked_view(self, view: dict[str, Any], kind: str) -> dict[str, Any]:
        wrong = refusals(view["blocks"], kind, self._shown_file)
        wrong += [
            f"{name} over 24" for name in ("title", "submit", "close") if len(view.get(name, {}).get("text", "")) > 24
        ]
        if view["type"] != kind or len(view.get("private_metadata", "")) > 3000:
            wrong.append("type or private_metadata")
        if any(block["type"] == "input" for block in view["blocks"]) and kind == "modal" and "submit" not in view:
            wrong.append("a modal with inputs needs submit")
        if wrong:
            raise Refusal("invalid_arguments", response_metadata={"messages": wrong})
        return view

    def _shown_file(self, file_id: str) -> dict[str, Any] | None:
        file = self.files.get(file_id)
        return file.as_file(self.base) | {"is_unshowable": file.is_unshowable} if file else None

    # ------------------------------------------------------------ files and sockets

    async def _serve_upload(self, request: web.Request) -> web.Response:
        file = self.files[request.match_info["file_id"]]
        if (failure := self._failing("upload")) is not None:
            return web.Response(status=int(failure.how), headers={"Retry-After": str(failure.retry_after)})
        file.content = await request.read()
        return web.Response(text=f"OK - {len(file.content)}")

    async def _serve_file(self, request: web.Request) -> web.Response:
        if (failure := self._failing("download")) is not None:
            return web.Response(status=int(failure.how), headers={"Retry-After": str(failure.retry_after)})
        file = self.files.get(request.match_info["file_id"])
        if request.headers.get("Authorization") != f"Bearer {BOT_TOKEN}" or "files:read" not in self.scopes:
            # No error: Slack sends people to sign in.
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        if file is None or file.is_deleted or file.is_lost:
            return web.Response(status=404)
        if file.redirect:
            return web.Response(status=302, headers={"Location": file.redirect})
        return web.Response(body=file.content, content_type=file.mimetype or "application/octet-stream")

    def _failing(self, what: str) -> Failure | None:
        failure = next((each for each in self.failures if each.method == what), None)
        if failure is not None:
            failure.left -= 1
            if failure.left <= 0:
                self.failures.remove(failure)
        return failure

    async def _serve_response(self, request: web.Request) -> web.Response:
        self.ephemerals.append(dict(await request.json()) | {"response_url": request.match_info["response_id"]})
        self.note("  bot  response_url")
        return web.Response(text="ok")

    async def _serve_socket(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        socket = Socket(ws)
        if not self.socket_is_dead:
            await ws.send_json({"type": "hello", "num_connections": len(self.sockets) + 1})
        self.sockets.append(socket)
        self.note("  socket opened")
        try:
            async for message in ws:
                if message.type is WSMsgType.PING and not self.socket_is_dead and not socket.is_dead:
                    await ws.pong(message.data)
                    socket.pings += 1
                    self.changed.set()
                elif message.type is WSMsgType.TEXT:
                    said = json.loads(message.data)
                    socket.acked[said["envelope_id"]] = said.get("payload", {})
                    self.changed.set()
        finally:
            self.sockets.remove(socket)
            self.note("  socket closed")
        return ws
