"""Workspaces that install us: an admin's link, Slack's page, back with a code; then each by its own token, until it ends."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import MetaData, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.slack_installs import SlackInstalls
from domain.errors import Undeliverable
from domain.intents import Attachment
from domain.people import Actor, ChatName, Place, Role
from domain.replies import Outgoing, Refused
from handlers.arrive import ChatDesk
from handlers.slack.chat import SCOPES
from handlers.slack.chats import SlackChats
from handlers.slack.install import INSTALL_PATH, WHY, Installer
from handlers.slack.listeners import EVENTS_PATH, SlackListeners
from storage.tables import Row
from storage.vault import Vault
from storage.workspaces import SqlWorkspaces
from tests.handlers.shop import Shop
from tests.slack.rig import served

PUBLIC_URL, SECRET = "https://shop.example", "a-signing-secret"


@dataclass(slots=True)
class Vendor:
    """Slack as far as installing needs it: a code is good once, a token knows its workspace."""

    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Method and token."""

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/api/{method}", self.answer, methods=["GET", "POST"])])

    async def answer(self, request: Request) -> Response:
        method = request.path_params["method"]
        form = dict(request.query_params) | dict(await request.form())
        token = request.headers.get("authorization", "").removeprefix("Bearer ") or str(form.get("token", ""))
        self.calls.append((method, token))
        workspace = token.removeprefix("xoxb-")
        match method:
            case "oauth.v2.access":
                found = self.codes.pop(str(form["code"]), None)
                return JSONResponse(found or {"ok": False, "error": "invalid_code"})
            case "auth.test":
                return JSONResponse(
                    {
                        "ok": True,
                        "team_id": workspace,
                        "user_id": f"BU{workspace}",
                        "bot_id": f"B{workspace}",
                        "user": "packshot",
                        "team": workspace,
                    }
                )
            case "users.info":
                user = {"id": form["user"], "team_id": workspace, "profile": {"display_name": "Wanda"}}
                return JSONResponse({"ok": True, "user": user})
            case _:
                return JSONResponse({"ok": True, "ts": "1.1", "channel": {"id": "D1"}})

    def allow(self, workspace: str, *, name: str = "", **more: Any) -> str:
        code = f"code-{len(self.calls)}-{workspace}"
        self.codes[code] = {
            "ok": True, "app_id": "A1", "access_token": f"xoxb-{workspace}", "token_type": "bot", "scope": "commands",
            "bot_user_id": f"BU{workspace}", "team": {"id": workspace, "name": name or f"{workspace} Inc"},
            "enterprise": None, "authed_user": {"id": "UWANDA"}, "is_enterprise_install": False, **more,
        }  # fmt: skip
        return code


@dataclass(slots=True)
class House:
    """Our side of it."""

    shop: Shop
    vendor: Vendor
    installs: SlackInstalls
    chats: SlackChats
    listeners: SlackListeners
    browser: httpx.AsyncClient
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def link(self, team_id: str | None) -> str:
        async with self.shop.database.begin() as db_session:
            rows, now = SqlWorkspaces(db_session), self.shop.clock()
            return await rows.offer(team_id, by="ada", expires_at=now + timedelta(days=1))

    async def begin(self, link: str) -> str:
        """Open the link and return the state that Slack's page was given."""
        page = await self.browser.get(f"{INSTALL_PATH}?link={link}")
        assert page.status_code == 200, page.text
        consent = re.search(r'href="([^"]+/oauth/v2/authorize[^"]*)"', page.text)
        assert consent is not None
        return parse_qs(urlsplit(consent[1].replace("&amp;", "&")).query)["state"][0]

    async def finish(self, state: str, code: str, *, cookie: str | None = None) -> httpx.Response:
        headers = {"Cookie": f"slack-app-oauth-state={state if cookie is None else cookie}"}
        return await self.browser.get("/slack/oauth_redirect", params={"state": state, "code": code}, headers=headers)

    async def install(self, workspace: str, team_id: str | None) -> httpx.Response:
        return await self.finish(await self.begin(await self.link(team_id)), self.vendor.allow(workspace))

    async def hear(self, workspace: str, event: dict[str, Any]) -> httpx.Response:
        """Bring an event as Slack does, signed."""
        number = next(self._numbers)
        body = {
            "type": "event_callback",
            "team_id": workspace,
            "event_id": f"Ev{number}",
            "event": event,
            "api_app_id": "A1",
        }
        raw, at = json.dumps(body), str(int(time.time()))
        signature = SignatureVerifier(SECRET).generate_signature(timestamp=at, body=raw)
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": str(signature),
        }
        return await self.browser.post(EVENTS_PATH, content=raw, headers=headers)

    async def say(self, workspace: str, words: str, *, files: list[dict[str, Any]] | None = None) -> httpx.Response:
        event = {
            "type": "message",
            "channel_type": "im",
            "channel": "D1",
            "user": "U1",
            "text": words,
            "ts": f"{next(self._numbers)}.1",
        }
        return await self.hear(workspace, event | ({"files": files, "subtype": "file_share"} if files else {}))

    async def taken(self) -> list[tuple[str, dict[str, Any]]]:
        async with self.shop.database.read() as db_session:
            rows = await db_session.execute(text("SELECT team_id, payload FROM seen_event ORDER BY taken_at"))
            return [(row[0], json.loads(row[1])) for row in rows]


@pytest.fixture
async def house(shop: Shop) -> AsyncIterator[House]:
    vendor = Vendor()
    async with served(vendor.app()) as url:
        api_url = f"{url}/api/"
        installs = SlackInstalls(shop.database, Vault([Vault.fresh_key()]), shop.clock, shop.desk.work, client_id="1.2")
        installer = Installer(
            installs, installs.store, client_id="1.2", client_secret="a-secret", scopes=sorted(SCOPES),
            public_url=PUBLIC_URL, api_url=api_url,
        )  # fmt: skip
        listeners = SlackListeners(
            ChatDesk(shop.desk, shop.events, shop.team.team_id, hold=None),  # type: ignore[arg-type]
            app_token="", signing_secret=SECRET, api_url=api_url, default_role=Role.EDITOR,
            installations=installs, installer=installer,
        )  # fmt: skip
        chats = SlackChats(installs, api_url=api_url, media=shop.media, own=None, own_team=shop.team.team_id)
        app = httpx.ASGITransport(Starlette(routes=listeners.routes()))
        async with httpx.AsyncClient(transport=app, base_url=PUBLIC_URL) as browser:
            yield House(shop, vendor, installs, chats, listeners, browser)
        await listeners.settle()


async def test_a_workspace_becomes_the_teams_whose_admin_made_the_link(house: House) -> None:
    done = await house.install("T1", house.shop.team.team_id)
    assert done.status_code == 200
    assert "T1 Inc" in done.text
    bot = await house.installs.bot("T1")
    assert bot is not None
    assert (bot.workspace.team_id, bot.token) == (house.shop.team.team_id, "xoxb-T1")
    assert "xoxb" not in repr(bot)
    assert (await house.shop.audit_actions())[-1] == "workspace_added"


async def test_a_workspace_without_a_team_becomes_one_with_its_installer_as_admin(house: House) -> None:
    await house.install("T2", None)
    bot = await house.installs.bot("T2")
    assert bot is not None
    async with house.shop.desk.work.reading() as rows:
        team = await rows.people.team(bot.workspace.team_id)
        wanda = await rows.people.find_member(team.team_id, Actor(ChatName.SLACK, "UWANDA", ""))
    assert team.name == "T2 Inc"
    assert wanda is not None
    assert (wanda.name, wanda.role) == ("Wanda", Role.ADMIN)


async def test_tokens_lie_sealed_in_the_database(house: House) -> None:
    await house.install("T1", house.shop.team.team_id)
    async with house.shop.database.read() as db_session:
        for table in ("slack_bot", "slack_installation"):
            rows = [str(row) for row in await db_session.execute(text(f"SELECT * FROM {table}"))]
            assert rows
            assert not any("xoxb" in row for row in rows)


async def test_a_link_and_a_state_are_good_once(house: House) -> None:
    link = await house.link(house.shop.team.team_id)
    state = await house.begin(link)
    assert (await house.finish(state, house.vendor.allow("T1"))).status_code == 200
    assert (await house.finish(state, house.vendor.allow("T1"))).status_code == 401
    assert (await house.browser.get(f"{INSTALL_PATH}?link={link}")).status_code == 403


@pytest.mark.parametrize("link", ["", "made-up", "x" * 500])
async def test_nothing_starts_without_an_admins_link(house: House, link: str) -> None:
    refused = await house.browser.get(f"{INSTALL_PATH}?link={link}")
    assert refused.status_code == 403
    assert "ask an admin" in refused.text
    assert not house.vendor.calls


async def test_a_state_expires(house: House) -> None:
    state = await house.begin(await house.link(house.shop.team.team_id))
    house.shop.clock.now += timedelta(minutes=11)
    assert (await house.finish(state, house.vendor.allow("T1"))).status_code == 401
    assert await house.installs.bot("T1") is None


async def test_another_browser_cannot_finish_what_it_did_not_begin(house: House) -> None:
    state = await house.begin(await house.link(house.shop.team.team_id))
    assert (await house.finish(state, house.vendor.allow("T1"), cookie="stolen")).status_code == 400
    assert await house.installs.bot("T1") is None
    # The state is not spent by it: the right browser goes on.
    assert (await house.finish(state, house.vendor.allow("T1"))).status_code == 200


async def test_no_and_a_code_of_nobodys_install_nothing(house: House) -> None:
    state = await house.begin(await house.link(house.shop.team.team_id))
    said_no = await house.browser.get("/slack/oauth_redirect", params={"state": state, "error": "access_denied"})
    assert "You said no" in said_no.text
    assert (await house.finish(state, "nobody's")).status_code == 401
    assert await house.installs.bot("T1") is None


async def test_a_workspace_is_of_one_team_and_a_team_has_one_workspace(house: House) -> None:
    await house.install("T1", house.shop.team.team_id)
    for workspace, team_id in (("T1", house.shop.other_team.team_id), ("T9", house.shop.team.team_id), ("T1", None)):
        assert (await house.install(workspace, team_id)).status_code == 403
    bot = await house.installs.bot("T1")
    assert bot is not None
    assert bot.workspace.team_id == house.shop.team.team_id
    # The same again is how a token is renewed.
    assert (await house.install("T1", house.shop.team.team_id)).status_code == 200


async def test_a_whole_organisation_is_refused(house: House) -> None:
    state = await house.begin(await house.link(house.shop.team.team_id))
    code = house.vendor.allow("T1", is_enterprise_install=True, team=None, enterprise={"id": "E1", "name": "Org"})
    refused = await house.finish(state, code)
    assert refused.status_code == 403
    assert "one workspace" in refused.text


async def test_each_workspace_talks_to_its_own_team_by_its_own_token(house: House) -> None:
    shop = house.shop
    await house.install("T1", shop.team.team_id)
    await house.install("T2", shop.other_team.team_id)
    house.vendor.calls.clear()
    files = [
        {"id": "F1", "mimetype": "image/jpeg", "name": "mug.jpg", "url_private": "https://files.slack.com/x", "size": 1}
    ]
    for workspace in ("T1", "T2"):
        assert (await house.say(workspace, "help", files=files)).status_code == 200
    taken = await house.taken()
    assert [team for team, _ in taken] == [shop.team.team_id, shop.other_team.team_id]
    assert [payload["attachments"][0]["account"] for _, payload in taken] == ["T1", "T2"]
    assert {token for method, token in house.vendor.calls if method == "users.info"} == {"xoxb-T1", "xoxb-T2"}
    house.vendor.calls.clear()
    for team in (shop.team, shop.other_team):
        await house.chats.deliver(
            Outgoing("m", team.team_id, Place(ChatName.SLACK, "D1"), "", Refused("no", "No."), "")
        )
    assert house.vendor.calls == [("chat.postMessage", "xoxb-T1"), ("chat.postMessage", "xoxb-T2")]


async def test_a_workspace_nobody_installed_is_left_alone(house: House) -> None:
    await house.install("T1", house.shop.team.team_id)
    assert (await house.say("T8", "help")).status_code == 200
    assert await house.taken() == []


@pytest.mark.parametrize(
    "event", [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["BUT1"]}}]
)
async def test_a_workspace_that_ends_is_forgotten_with_its_tokens(house: House, event: dict[str, Any]) -> None:
    await house.install("T1", house.shop.team.team_id)
    assert (await house.hear("T1", event)).status_code == 200
    assert await house.installs.bot("T1") is None
    async with house.shop.database.read() as db_session:
        for table in ("slack_bot", "slack_installation", "slack_workspace"):
            assert (await db_session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0
    assert (await house.say("T1", "help")).status_code == 200
    assert await house.taken() == []
    with pytest.raises(Undeliverable):
        await house.chats.deliver(
            Outgoing("m", house.shop.team.team_id, Place(ChatName.SLACK, "D1"), "", Refused("no", "No."), "")
        )
    with pytest.raises(Undeliverable):
        await house.chats.fetch(Attachment("F1", account="T1"))
    assert "workspace_gone" in await house.shop.audit_actions()


async def test_a_persons_own_token_is_not_the_workspaces(house: House) -> None:
    await house.install("T1", house.shop.team.team_id)
    await house.hear("T1", {"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}})
    assert await house.installs.bot("T1") is not None


def test_our_tables_have_the_columns_of_the_library() -> None:
    metadata = MetaData()
    for ours, theirs in (
        ("slack_bot", SQLAlchemyInstallationStore.build_bots_table(metadata, "bots")),
        ("slack_installation", SQLAlchemyInstallationStore.build_installations_table(metadata, "installations")),
    ):
        assert set(Row.metadata.tables[ours].columns.keys()) == set(theirs.columns.keys())


def test_every_scope_has_its_reason_on_the_page() -> None:
    assert set(WHY) == set(SCOPES)
