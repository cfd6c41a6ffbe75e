"""The way a workspace comes in by itself: an admin's link, Slack's page, and back with a code for a token.

Bolt's own flow speaks to Slack and checks that the browser that comes back is the one that left. What starts it, and
what the workspace becomes, is ours: a link of an admin is good once, and the state that it gives is good once, for ten
minutes. The tokens go into slack_sdk's installation store, which `bot/slack_installs.py` seals.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

from markupsafe import Markup
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from domain.errors import NotPossible, UserError
from domain.people import Actor, ChatName
from domain.workspaces import InstallDesk, InstallGrant, Workspace
from handlers.slack.api import TIMEOUT_S

log = logging.getLogger(__name__)

INSTALL_PATH, REDIRECT_PATH = "/slack/install", "/slack/oauth_redirect"
STATE_S = 600
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    # The address carries the link's code, or Slack's.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = Markup(
    """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Packshot in Slack</title>
  <link rel="icon" href="/console/static/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/console/static/console.css">
</head>
<body class="door">
<main class="door-card">
  <p class="wordmark"><img src="/console/static/icon.svg" alt="" width="28" height="28">Packshot</p>
  <h1>{title}</h1>
  {body}
</main>
</body>
</html>
"""
)
WHY = {
    "app_mentions:read": "Hear when somebody names me in a channel",
    "im:history": "Read what you write to me directly",
    "channels:history": "Read the answers under my own cards",
    "groups:history": "Read answers in private channels, too",
    "files:read": "Fetch the photos you send me",
    "files:write": "Show the pictures I made",
    "chat:write": "Answer, and keep my cards up to date",
    "im:write": "Write to you directly",
    "commands": "Offer /packshot and two shortcuts",
    "users:read": "See who is a full member, and their name",
}
"""The reason for each scope, as people read it before they say yes; a test holds it to what is asked for."""
_REASONS = {
    "access_denied": "You said no on Slack's page, so nothing was added. Ask your admin for the link again if that was a slip.",
    "invalid_browser": "This browser did not start here: open the admin's link in the browser that you use for Slack.",
    "invalid_state": "That took too long or was done before, so nothing was added: ask your admin for a fresh link.",
    "missing_code": "Slack sent no code, so nothing was added: open the admin's link again.",
    "invalid_code": "Slack did not take its own code, so nothing was added: open the admin's link again.",
}


class _States(AsyncOAuthStateStore):
    """States that come of links; what a spent one allows waits here for the same request's installation."""

    def __init__(self, desk: InstallDesk) -> None:
        self._desk = desk
        self.granted: dict[str, InstallGrant] = {}

    async def async_issue(self, *_words: object, **_more: object) -> str:
        """Refuse: a state is made from a link only, in `_Flow.issue_new_state`."""
        raise NotPossible("An installation starts from an admin's link.")

    async def async_consume(self, state: str) -> bool:
        """Spend it."""
        grant = await self._desk.spend(state)
        if grant is not None:
            self.granted[state] = grant
        return grant is not None


class _Client(AsyncWebClient):
    """Gives the app's secret in the body, as Slack takes it too: the library's way is one that aiohttp gives up."""

    async def oauth_v2_access(
        self,
        *,
        client_id: str,
        client_secret: str,
        code: str | None = None,
        redirect_uri: str | None = None,
        **_others: str | None,
    ) -> AsyncSlackResponse:
        """Trade a code for a token."""
        given = {"client_id": client_id, "client_secret": client_secret, "code": code, "redirect_uri": redirect_uri}
        return await self.api_call("oauth.v2.access", data=given)


class _Flow(AsyncOAuthFlow):
    """Bolt's flow, from a link to a team."""

    def __init__(
        self, desk: InstallDesk, states: _States, settings: AsyncOAuthSettings, client: AsyncWebClient
    ) -> None:
        super().__init__(settings=settings, client=client, logger=log)
        self._desk = desk
        self._states = states

    async def issue_new_state(self, request: AsyncBoltRequest) -> str:
        """Make a state of the link in the address. Raises NotPossible for a link that is not good."""
        state = await self._desk.begin(_first(request, "link"))
        if state is None:
            raise NotPossible("That link was used or is too old: ask an admin of the shop for a fresh one.")
        return state

    async def build_install_page_html(self, url: str, request: AsyncBoltRequest) -> str:
        """Say what the app may do in the workspace, and why, before Slack asks."""
        scopes: Sequence[str] = self.settings.scopes or ()
        rows = Markup("").join(
            Markup('<li><span class="row-words"><b>{why}</b><span class="dim">{scope}</span></span></li>').format(
                scope=scope, why=why
            )
            for scope, why in WHY.items()
            if scope in scopes
        )
        body = Markup(
            "<p>Photos you send me become listing pictures, and nothing is published before somebody approves.</p>"
            '<section><h2>What I may do in your workspace</h2><ul class="rows">{rows}</ul></section>'
            '<p><a class="button primary" href="{url}">Add to Slack</a></p>'
        ).format(rows=rows, url=url)
        return str(_PAGE.format(title="Add Packshot to Slack", body=body))

    async def store_installation(self, request: AsyncBoltRequest, installation: Installation) -> None:
        """Tie the workspace to its team, then keep the tokens. Raises NotPossible where that cannot be."""
        grant = self._states.granted.pop(_first(request, "state"))
        if installation.is_enterprise_install or not installation.team_id:
            raise NotPossible("Install me in one workspace, not in the whole organisation: choose it on Slack's page.")
        workspace = Workspace(
            installation.team_id, "", installation.team_name or installation.team_id, installation.enterprise_id or ""
        )
        name = await self._name_of(installation)
        await self._desk.tie(grant, workspace, Actor(ChatName.SLACK, str(installation.user_id), name))
        await super().store_installation(request, installation)

    async def _name_of(self, installation: Installation) -> str:
        try:
            answer = await self.client.users_info(user=installation.user_id, token=installation.bot_token)
        except SlackApiError as error:
            log.info("slack_installer_not_named", extra={"error": str(error)})
            return str(installation.user_id)
        user = answer.get("user") or {}
        profile = user.get("profile") or {}
        return str(profile.get("display_name") or profile.get("real_name") or user.get("name") or installation.user_id)


class Installer:
    """The two pages of an installation."""

    def __init__(
        self,
        desk: InstallDesk,
        store: AsyncInstallationStore,
        *,
        client_id: str,
        client_secret: str,
        scopes: Sequence[str],
        public_url: str,
        api_url: str,
    ) -> None:
        states = _States(desk)
        settings = AsyncOAuthSettings(
            client_id=client_id,
            client_secret=client_secret,
            scopes=sorted(scopes),
            redirect_uri=f"{public_url}{REDIRECT_PATH}",
            install_path=INSTALL_PATH,
            redirect_uri_path=REDIRECT_PATH,
            authorization_url=_consent_url(api_url),
            installation_store=store,
            state_store=states,
            state_expiration_seconds=STATE_S,
            callback_options=AsyncCallbackOptions(success=_added, failure=_not_added),
        )
        client = _Client(base_url=api_url, timeout=TIMEOUT_S)
        self._flow = _Flow(desk, states, settings, client)

    def routes(self) -> list[BaseRoute]:
        """Return both."""
        return [Route(INSTALL_PATH, self._install), Route(REDIRECT_PATH, self._redirect)]

    async def _install(self, request: Request) -> Response:
        try:
            answer = await self._flow.handle_installation(to_async_bolt_request(request, b""))
        except UserError as error:
            return _page("That did not work", error.sentence, 403)
        return _with_headers(to_starlette_response(answer))

    async def _redirect(self, request: Request) -> Response:
        try:
            answer = await self._flow.handle_callback(to_async_bolt_request(request, b""))
        except UserError as error:
            return _page("That did not work", error.sentence, 403)
        return _with_headers(to_starlette_response(answer))


async def _added(args: AsyncSuccessArgs) -> BoltResponse:
    name = args.installation.team_name or "your workspace"
    said = Markup(
        "<p>I am in {name} now. Open Slack, find me under Apps, and send me a photo with the SKU as its text.</p>"
    ).format(name=name)
    return _answer(200, _PAGE.format(title="Added to Slack", body=said))


async def _not_added(args: AsyncFailureArgs) -> BoltResponse:
    sentence = _REASONS.get(
        args.reason, "Slack and I did not come to an end, so nothing was added: open the admin's link again."
    )
    log.info("slack_not_installed", extra={"reason": args.reason})
    body = Markup("<p>{sentence}</p>").format(sentence=sentence)
    return _answer(args.suggested_status_code, _PAGE.format(title="Not added", body=body))


def _answer(status: int, html: str) -> BoltResponse:
    return BoltResponse(status=status, headers={"Content-Type": "text/html; charset=utf-8"}, body=str(html))


def _page(title: str, sentence: str, status: int) -> Response:
    body = Markup("<p>{sentence}</p>").format(sentence=sentence)
    return HTMLResponse(str(_PAGE.format(title=title, body=body)), status, _PAGE_HEADERS)


def _with_headers(response: Response) -> Response:
    for name, value in _PAGE_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _first(request: AsyncBoltRequest, name: str) -> str:
    return str((request.query.get(name) or [""])[0])


def _consent_url(api_url: str) -> str:
    """Return Slack's own page, or that of the loopback server that stands in for it."""
    parts = urlsplit(api_url)
    host = "https://slack.com" if parts.hostname == "slack.com" else f"{parts.scheme}://{parts.netloc}"
    return f"{host}/oauth/v2/authorize"
