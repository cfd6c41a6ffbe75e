"""A Telegram Bot API server on loopback: it keeps chats as people see them and refuses what Telegram refuses.

`async with TelegramServer() as telegram:` then point the bot at `telegram.url`. A test acts as a person
(`say`, `send_photo`, `press`, …); updates go out by long polling, or to the webhook once one is set
(`tunnel` says where its public address really is). `fail` makes the next calls go wrong.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import aiohttp
from aiohttp import web

from tests.fakes.telegram_chats import BOT_ID, Group, Message, Person, me_json
from tests.fakes.telegram_rules import (
    MAX_ALERT_CHARS,
    MAX_CAPTION,
    MAX_DOWNLOAD_BYTES,
    MAX_TEXT,
    Params,
    Refusal,
    Upload,
    bad,
    read_params,
    visible_text,
)
from tests.fakes.telegram_world import World

TOKEN = f"{BOT_ID}:AA-the-secret-part-of-a-token_1234567"
TroubleKind = Literal["too_many", "status", "migrated", "hang", "cut", "lost_answer"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """`too_many`: 429, `number` its retry_after. `status`: that status, with `words`. `migrated`: to that chat.

    `lost_answer`: done, then cut.
    """

    kind: TroubleKind
    number: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came in, and whether it was granted."""

    method: str
    params: Params
    at: float
    answer: str


@dataclass(slots=True)
class TelegramServer(World):
    """See the module."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    commands: dict[tuple[str, str], list[dict[str, str]]] = field(default_factory=dict)
    webhook: dict[str, Any] = field(default_factory=dict)
    deliveries: list[int] = field(default_factory=list)
    """What the webhook answered, in order."""
    tunnel: dict[str, str] = field(default_factory=dict)
    is_token_revoked: bool = False
    _troubles: list[tuple[str, Trouble]] = field(default_factory=list)
    _poll: asyncio.Future[None] | None = None
    _closing: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None
    _courier: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=60_000_000)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        await self.open_port(0)
        self._courier = asyncio.create_task(self._carry())
        return self

    async def open_port(self, port: int) -> None:
        """Listen; after `close_port` the same number again is the server coming back."""
        assert self._runner is not None
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[-1][1]}"

    async def __aexit__(self, *error: object) -> None:
        self._closing.set()
        assert self._courier is not None
        assert self._runner is not None
        self._courier.cancel()
        with suppress(asyncio.CancelledError):
            await self._courier
        await self._runner.cleanup()

    def fail(self, method: str, trouble: Trouble, *, times: int = 1) -> None:
        """Make the next calls of a method (`*`: of any) go wrong."""
        self._troubles += [(method, trouble)] * times

    # ------------------------------------------------------------ a test looks

    def shown(self, where: Person | Group) -> list[Message]:
        """What the bot's messages in a chat look like now."""
        chat_id = where.user_id if isinstance(where, Person) else where.chat_id
        return [each for each in self.messages if each.chat_id == chat_id and not each.sender and not each.is_deleted]

    def calls_of(self, method: str) -> list[Call]:
        """The calls of a method, in order."""
        return [call for call in self.calls if call.method == method]

    async def until(self, condition: Callable[[], object], *, timeout_s: float = 20.0) -> None:
        """Wait until something holds; the test fails when it never does."""
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 - what is waited for is anything a test can see
                await asyncio.sleep(0.005)

    def transcript(self) -> str:
        """Every call a person could notice, one line each, from this server's own log."""
        quiet = {"getUpdates", "getMe", "setMyCommands", "deleteWebhook", "setWebhook"}
        return "\n".join(_line(call) for call in self.calls if call.method not in quiet)

    # ------------------------------------------------------------ the wire

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        trouble = self._trouble(method)
        raw = await _raw_params(request)
        if trouble and trouble.kind in {"hang", "cut"}:
            if trouble.kind == "hang":
                await self._closing.wait()
            return _cut(request)
        params: Params = dict(raw)
        try:
            if trouble and trouble.kind == "too_many":
                raise Refusal(429, f"Too Many Requests: retry after {trouble.number}", retry_after=trouble.number)
            if trouble and trouble.kind == "migrated":
                words = "Bad Request: group chat was upgraded to a supergroup chat"
                raise Refusal(400, words, migrate_to_chat_id=trouble.number)
            if trouble and trouble.kind == "status":
                known = {500: "Internal Server Error", 502: "Bad Gateway", 409: "Conflict"}
                raise Refusal(trouble.number, trouble.words or known.get(trouble.number, "Bad Request"))
            if request.match_info["token"] != TOKEN or self.is_token_revoked:
                raise Refusal(401, "Unauthorized")
            params = read_params(method, raw)
            result = await self._grant(method, params)
        except Refusal as refusal:
            self._log(method, params, refusal.description)
            body = {"ok": False, "error_code": refusal.code, "description": refusal.description}
            body |= {"parameters": refusal.parameters} if refusal.parameters else {}
            return web.json_response(body, status=refusal.code)
        self._log(method, params, "ok")
        if trouble and trouble.kind == "lost_answer":
            return _cut(request)
        return web.json_response({"ok": True, "result": result})

    def _log(self, method: str, params: Params, answer: str) -> None:
        self.calls.append(Call(method, params, asyncio.get_running_loop().time(), answer))

    def _trouble(self, method: str) -> Trouble | None:
        for index, (name, trouble) in enumerate(self._troubles):
            if name in {method, "*"}:
                del self._troubles[index]
                return trouble
        return None

    async def _download(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != TOKEN or self.is_token_revoked:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        trouble = self._trouble("file")
        if trouble:
            return _cut(request) if trouble.kind == "cut" else web.Response(status=trouble.number)
        file = next((each for each in self.files.values() if each.path == request.match_info["path"]), None)
        if file is None or file.is_gone:
            return web.json_response({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)
        return web.Response(body=file.content, content_type="application/octet-stream")

    async def _grant(self, method: str, params: Params) -> Any:
        granted: dict[str, Callable[[Params], Awaitable[Any]]] = {
            "getMe": self._get_me,
            "getUpdates": self._get_updates,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._get_webhook_info,
            "sendMessage": self._send_message,
            "sendPhoto": self._send_photo,
            "sendDocument": self._send_document,
            "editMessageText": self._edit_text,
            "editMessageCaption": self._edit_caption,
            "editMessageMedia": self._edit_media,
            "editMessageReplyMarkup": self._edit_keyboard,
            "answerCallbackQuery": self._answer_press,
            "sendChatAction": self._send_action,
            "getFile": self._get_file,
            "setMyCommands": self._set_commands,
        }
        if method not in granted:
            raise Refusal(404, "Not Found: this fake does not play that method")
        return await granted[method](params)

    # ------------------------------------------------------------ the methods

    async def _get_me(self, params: Params) -> Any:
        return me_json()

    async def _get_updates(self, params: Params) -> Any:
        if self.webhook.get("url"):
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")  # fmt: skip
        self._allowed = json.loads(json.dumps(params.get("allowed_updates", self._allowed)))
        offset = params.get("offset", 0)
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        if self._poll and not self._poll.done():
            self._poll.set_result(None)  # the older request loses, as on the real server
        poll = self._poll = asyncio.get_running_loop().create_future()
        until = asyncio.get_running_loop().time() + params.get("timeout", 0)
        while True:
            self._changed.clear()
            if not self.is_holding and self.updates:
                return self.updates[: params.get("limit", 100)]
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                return []
            waiting = [asyncio.create_task(each.wait()) for each in (self._changed, self._closing)]
            await asyncio.wait([poll, *waiting], timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            if poll.done():
                raise Refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")  # fmt: skip
            if self._closing.is_set():
                return []

    async def _set_webhook(self, params: Params) -> Any:
        if params["url"] and not params["url"].startswith("https://"):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook = dict(params)
        self._allowed = params.get("allowed_updates", [])
        self._changed.set()
        return True

    async def _delete_webhook(self, params: Params) -> Any:
        self.webhook = {}
        return True

    async def _get_webhook_info(self, params: Params) -> Any:
        url = self.webhook.get("url", "")
        return {"url": url, "has_custom_certificate": False, "pending_update_count": len(self.updates)}

    async def _send_message(self, params: Params) -> Any:
        text = visible_text(params["text"], params.get("parse_mode"), at_most=MAX_TEXT, what="message")
        if not text:
            raise bad("message text is empty")
        return self._post(params, text, params["text"])

    async def _send_photo(self, params: Params) -> Any:
        text = visible_text(
            params.get("caption", ""), params.get("parse_mode"), at_most=MAX_CAPTION, what="message caption"
        )
        return self._post(params, text, params.get("caption", ""), file=self._picture(params["photo"]))

    async def _send_document(self, params: Params) -> Any:
        text = visible_text(
            params.get("caption", ""), params.get("parse_mode"), at_most=MAX_CAPTION, what="message caption"
        )
        upload = params["document"]
        assert isinstance(upload, Upload), "we never send a document twice"
        self.documents.append((int(params["chat_id"]), upload.filename, upload.content))
        return self._post(params, text, params.get("caption", ""))

    async def _edit_text(self, params: Params) -> Any:
        text = visible_text(params["text"], params.get("parse_mode"), at_most=MAX_TEXT, what="message")
        message = self._own(params)
        if message.photo is not None:
            raise bad("there is no text in the message to edit")
        if not text:
            raise bad("message text is empty")
        return self._change(message, params, text, params["text"], file=None)

    async def _edit_caption(self, params: Params) -> Any:
        html = params.get("caption", "")
        text = visible_text(html, params.get("parse_mode"), at_most=MAX_CAPTION, what="message caption")
        message = self._own(params)
        if message.photo is None:
            raise bad("there is no caption in the message to edit")
        return self._change(message, params, text, html, file=message.file)

    async def _edit_media(self, params: Params) -> Any:
        media = params["media"] if isinstance(params["media"], dict) else json.loads(params["media"])
        name = media["media"]
        source = params[name.removeprefix("attach://")] if name.startswith("attach://") else name
        html = media.get("caption", "")
        text = visible_text(html, media.get("parse_mode"), at_most=MAX_CAPTION, what="message caption")
        return self._change(self._own(params), params, text, html, file=self._picture(source))

    async def _edit_keyboard(self, params: Params) -> Any:
        message = self._own(params)
        return self._change(message, params, message.text, message.html, file=message.file)

    async def _answer_press(self, params: Params) -> Any:
        press = self.presses.get(params["callback_query_id"])
        if press is None or press.is_old or press.answer is not None:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        if len(params.get("text", "")) > MAX_ALERT_CHARS:
            raise bad("MESSAGE_TOO_LONG")
        press.answer, press.is_alert = params.get("text", ""), params.get("show_alert", False)
        return True

    async def _send_action(self, params: Params) -> Any:
        self._reach(params["chat_id"])
        return True

    async def _get_file(self, params: Params) -> Any:
        file = self.files.get(params["file_id"])
        if file is None or file.is_gone:
            raise bad("wrong file_id or the file is temporarily unavailable")
        if file.size > MAX_DOWNLOAD_BYTES:
            raise bad("file is too big")
        return {
            "file_id": file.file_id,
            "file_unique_id": f"u{file.file_id}",
            "file_path": file.path,
            "file_size": file.size,
        }

    async def _set_commands(self, params: Params) -> Any:
        for command in params["commands"]:
            if not 1 <= len(command["description"]) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
            if not command["command"].isidentifier() or command["command"] != command["command"].lower():
                raise bad("BOT_COMMAND_INVALID")
        scope = params.get("scope", {"type": "default"})
        self.commands[scope["type"], params.get("language_code", "")] = params["commands"]
        return True

    # ------------------------------------------------------------ the webhook

    async def _carry(self) -> None:
        """Carry updates to the webhook, one after the other, each until it is taken."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as client:
            while True:
                await asyncio.sleep(0.005)
                url = self.webhook.get("url", "")
                if not url or not self.updates or self.is_holding:
                    continue
                for public, local in self.tunnel.items():
                    url = url.replace(public, local)
                headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token", "")}
                update = self.updates[0]
                try:
                    async with client.post(url, json=update, headers=headers) as answer:
                        self.deliveries.append(answer.status)
                        if answer.status < 300:
                            self.updates.remove(update)
                except aiohttp.ClientError:
                    self.deliveries.append(0)


async def _raw_params(request: web.Request) -> dict[str, str | Upload]:
    found: dict[str, str | Upload] = dict(request.query)
    if request.content_type == "application/json":
        body = await request.json()
        return found | {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
    for name, value in (await request.post()).items():
        found[name] = Upload(value.filename, value.file.read()) if isinstance(value, web.FileField) else str(value)
    return found


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:  # the other side may have gone first
        request.transport.abort()
    return web.Response()


def _line(call: Call) -> str:
    params = dict(call.params)
    if isinstance(params.get("media"), dict):
        params |= {"caption": params["media"].get("caption", ""), "photo": "new"}
    words = [str(params.get("text") or params.get("caption") or params.get("action") or "").replace("\n", " / ")]
    words += ["[photo]"] if "photo" in params else []
    markup = params.get("reply_markup") or {}
    words += [f"[{key['text']}]" for row in markup.get("inline_keyboard", []) for key in row]
    where = params.get("chat_id") or params.get("callback_query_id") or params.get("file_id") or ""
    answer = "" if call.answer == "ok" else f" -> {call.answer}"
    return f"{call.at:10.3f} {call.method} {where}: {' '.join(word for word in words if word)}{answer}"
