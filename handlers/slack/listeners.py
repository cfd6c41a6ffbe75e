"""Slack's way in: one Bolt app, heard through Socket Mode, through signed HTTP, or both.

Durable before acknowledged: a listener returns only after the event is a row, and Bolt acknowledges after
that (`process_before_response`). When it cannot be one, the answer is 503 and no envelope is acknowledged, so
that Slack sends it again. An event delivered twice, or through two sockets, is one row by its key; a delivery
marked as a retry is like any other, since the first may have been lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from domain.errors import PackshotError
from domain.people import Place, Role
from domain.workspaces import Installations
from handlers.arrive import ChatDesk
from handlers.slack import actions
from handlers.slack.home import publish_home
from handlers.slack.install import Installer
from handlers.slack.offices import Office, Offices
from handlers.slack.pictures import Pictures
from handlers.slack.socket import FIRST_PAUSE_S, PING_S, SILENCE_S, SocketLine
from handlers.slack.wire import attachments_of, is_direct, message_event, names, place_of, plain

log = logging.getLogger(__name__)

EVENTS_PATH = "/slack/events"
COMMAND = "/packshot"
MAX_BODY_BYTES = 1_000_000
EVENTS = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "file_shared",
    "message",
    "tokens_revoked",
    "user_change",
)
"""Every event type that has a listener; manifest.yaml subscribes to these (`message` once a kind of place)."""

_HEARD_SUBTYPES = {None, "file_share", "thread_broadcast"}
"""All others are edits, joins, topics and the like."""

Body = dict[str, Any]


class SlackListeners:
    """Everything that comes in, from one workspace or from several."""

    def __init__(
        self,
        desk: ChatDesk,
        *,
        bot_token: str = "",
        app_token: str,
        signing_secret: str,
        api_url: str,
        default_role: Role,
        pictures: Pictures | None = None,
        installations: Installations | None = None,
        installer: Installer | None = None,
        silence_s: float = SILENCE_S,
        ping_s: float = PING_S,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """`pictures` is what this process has uploaded already, to show at Home too.

        `installations` are the workspaces that installed us beside the one of `bot_token`, `installer` their way in.
        """
        self._signing_secret = signing_secret
        self._installer = installer
        self._offices = Offices(
            desk,
            api_url=api_url,
            default_role=default_role,
            bot_token=bot_token,
            pictures=pictures,
            installations=installations,
        )

        async def authorize(
            team_id: str | None,
        ) -> AuthorizeResult:  # Bolt reads the arguments' names, and stumbles over `self`
            return await self._authorize(team_id or "")

        self.app = AsyncApp(
            client=AsyncWebClient(base_url=api_url),
            signing_secret=signing_secret,
            authorize=authorize,
            # Checked in `_serve` over the raw bytes, before anything is parsed.
            request_verification_enabled=False,
            process_before_response=True,
            logger=log,
        )
        self._listen()
        self._line = (
            SocketLine(
                self.app,
                app_token=app_token,
                api_url=api_url,
                silence_s=silence_s,
                ping_s=ping_s,
                first_pause_s=first_pause_s,
            )
            if app_token
            else None
        )

    def routes(self) -> list[BaseRoute]:
        """Return the HTTP way in; none without a signing secret, since nobody could tell Slack from others."""
        events = [Route(EVENTS_PATH, self._serve, methods=["POST"])] if self._signing_secret else []
        return [*events, *(self._installer.routes() if self._installer is not None else ())]

    async def run(self) -> None:
        """Listen through Socket Mode until cancelled; without an app token HTTP is all there is to wait for."""
        try:
            await (self._line.run() if self._line is not None else asyncio.Event().wait())
        finally:
            await self._offices.settle()

    async def settle(self) -> None:
        """Wait for what was started after acknowledgements."""
        await self._offices.settle()

    # ------------------------------------------------------------ the door

    async def _serve(self, request: Request) -> Response:
        body = await _read(request)
        if body is None:
            return PlainTextResponse("too large", status_code=413)
        headers = {name.lower(): value for name, value in request.headers.items()}
        timestamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
        verifier = SignatureVerifier(self._signing_secret)
        try:
            if not timestamp.isdecimal() or not verifier.is_valid(body, timestamp, signature):
                return PlainTextResponse("not signed by Slack", status_code=401)
            bolt_request = to_async_bolt_request(request, body)
        except (ValueError, TypeError, AttributeError):
            # Bytes that are no text, text that is no JSON, and JSON that is no object, which Bolt stumbles over.
            return PlainTextResponse("malformed", status_code=400)
        return to_starlette_response(await self.app.async_dispatch(bolt_request))

    async def _authorize(self, workspace_id: str) -> AuthorizeResult:
        """Give Bolt the workspace's bot. Bolt's own would answer 200, and lose the event, when Slack is away."""
        office = await self._offices.of(workspace_id)
        if office is None:  # `_only_ours` leaves it alone
            return AuthorizeResult(enterprise_id=None, team_id=workspace_id, bot_token="")
        me = await office.people.identity()
        return AuthorizeResult(
            enterprise_id=None, team_id=me.team_id, bot_user_id=me.user_id, bot_id=me.bot_id, bot_token=office.token
        )

    async def _only_ours(
        self,
        body: Body,
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002
    ) -> BoltResponse:
        """Leave events of a workspace that is not ours alone, and give those of ours their office."""
        workspace_id = str(body.get("team_id") or (body.get("team") or {}).get("id") or "")
        office = await self._offices.of(workspace_id)
        if office is None:
            log.warning("slack_foreign_workspace", extra={"team": workspace_id[:20]})
            return BoltResponse(status=200, body="")
        context["office"] = office
        return await next()

    async def _failed(self, error: Exception) -> BoltResponse:
        """Not taken: Slack must hear so. Interactions show the person that it did not work."""
        if isinstance(error, PackshotError):
            log.warning("slack_event_not_taken", extra={"error": str(error)})
        else:
            log.error("slack_event_not_taken", exc_info=error)
        return BoltResponse(status=503, body="")

    # ------------------------------------------------------------ what is heard

    def _listen(self) -> None:
        self.app.use(self._only_ours)
        self.app.error(self._failed)
        self.app.command(COMMAND)(self._on_command)
        self.app.event("app_mention")(self._on_mention)
        self.app.event("message")(self._on_message)
        self.app.event("file_shared")(self._on_file_shared)
        self.app.event("app_home_opened")(self._on_home)
        self.app.event("user_change")(self._on_user_change)
        self.app.event("app_uninstalled")(self._on_uninstalled)
        self.app.event("tokens_revoked")(self._on_revoked)
        actions.listen(self.app)

    async def _on_command(self, ack: AsyncAck, command: Body, office: Office) -> BoltResponse:
        """`/packshot TEXT`. Slack sends a command once; its trigger_id names it."""
        person = await office.people.admitted(str(command["user_id"]))
        text = plain(str(command.get("text") or ""))
        await office.front.take(f"command:{command['trigger_id']}", person, place_of(command["channel_id"]), text=text)
        return await ack()

    async def _on_mention(self, event: Body, office: Office) -> None:
        """We were named in a channel, with or without photos."""
        if "edited" not in event:
            await self._take_message(event, office)

    async def _on_message(self, event: Body, office: Office) -> None:
        """A direct message, or one in a channel that is meant for us though it does not name us.

        In a channel that is: an answer in the thread of one of our cards, and a photo in such a thread. A photo
        elsewhere is for people to talk about unless it comes with our name: a SKU in its text is not enough,
        since a shop's own talk is full of them. Naming us arrives as `app_mention` too, but sometimes only as
        a message when there are files (bolt-python#925): both carry the message's ts, which makes them one.
        """
        if event.get("subtype") not in _HEARD_SUBTYPES or "edited" in event:
            return
        await self._take_message(event, office)

    async def _on_file_shared(self) -> None:
        """The second event of a shared file: the message came with all of it. Unheard, Slack would repeat it."""

    async def _on_home(self, event: Body, office: Office) -> None:
        """Somebody looks at our Home; it shows things as they are now."""
        if event.get("tab", "home") != "home":
            return
        person = await office.people.admitted(str(event["user"]))
        office.front.later(publish_home(office.front, person), person, "home")

    async def _on_user_change(self, event: Body, office: Office) -> None:
        """Somebody's profile changed: they may have become a guest, or their account was closed."""
        await office.people.heard_of(dict(event["user"]))

    async def _on_uninstalled(self, body: Body) -> None:
        """An admin of the workspace removed the app: its token is worth nothing, and we keep nothing of it."""
        await self._offices.end(str(body.get("team_id") or ""))

    async def _on_revoked(self, body: Body, event: Body) -> None:
        """Tokens were revoked; of people's own we have none, and without the bot's the workspace has ended."""
        if (event.get("tokens") or {}).get("bot"):
            await self._offices.end(str(body.get("team_id") or ""))

    async def _take_message(self, event: Body, office: Office) -> None:
        me = await office.people.identity()
        user, ts, text = str(event.get("user") or ""), str(event["ts"]), str(event.get("text") or "")
        if not user or user == me.user_id or event.get("bot_id"):
            return
        place = await self._place_of(event, user, office, is_named=names(text, me.user_id))
        said = plain(text, bot_user=me.user_id)
        attachments = attachments_of(event.get("files") or ())
        if place is None or (is_direct(place.place_id) and not said and not attachments):
            return
        thread = str(event.get("thread_ts") or "")
        await office.front.take(
            message_event(place.place_id, ts),
            await office.people.admitted(user),
            place,
            text=said,
            attachments=attachments,
            # The answer to a question of ours is answered where it was asked, under the first message.
            message_id=ts if place.thread_id or not thread or is_direct(place.place_id) else thread,
            reply_to=thread if thread != ts else "",
        )

    async def _place_of(self, event: Body, user: str, office: Office, *, is_named: bool) -> Place | None:
        """Return where a message belongs; None for what is not meant for us."""
        channel, thread = str(event["channel"]), str(event.get("thread_ts") or "")
        if not thread or thread == event["ts"]:
            return place_of(channel) if is_named or is_direct(channel) else None
        if is_direct(channel):
            return place_of(channel, thread)
        found = await office.front.place_under(user, channel, thread)
        return found or (place_of(channel, thread) if is_named else None)


async def _read(request: Request) -> bytes | None:
    """Return the body, None when it is larger than anything Slack sends; what is declared is not believed."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return None
    except ClientDisconnect:
        return bytes(body)
    return bytes(body)
