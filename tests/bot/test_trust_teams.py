"""Several shops from the command line: named once there are two, and told apart in the console."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from bot.app import migrate_all, open_app
from bot.chats import Chats
from bot.doors import DeploymentDoors
from bot.settings import Settings
from bot.web import web_app
from domain.errors import StoreDown
from domain.people import Actor, ChatName, Role
from storage.bootstrap import ensure_member, ensure_team
from tests.bot.conftest import Invoke

PORT = 8080
HOST = f"127.0.0.1:{PORT}"


def test_a_second_shop_has_to_be_named(invoke: Invoke) -> None:
    assert invoke("say", "members").status == 0
    added = invoke("team", "add", "Bowl  House")
    assert "join " in added.out
    assert invoke("team", "add", "bowl house").status == 2
    refused = invoke("say", "members")
    assert refused.status == 2
    assert "--team" in refused.err
    assert "Bowl House" in refused.err
    assert invoke("say", "members", "--team", "nobody's").status == 2
    said = invoke("say", "team", "--team", "bowl house", "--json")
    assert json.loads(said.out)["name"] == "Bowl House"
    listed = invoke("team", "list")
    assert "My shop" in listed.out
    assert "Bowl House" in listed.out


def test_an_invitation_brings_the_ways_in_and_when_it_ends(invoke: Invoke) -> None:
    said = invoke("invite", "approver", PUBLIC_URL="https://shop.example", TIMEZONE="Europe/Berlin")
    code = re.findall(r": (\S{12})\n", said.out)[0]
    assert f"Slack:    join {code}" in said.out
    assert f"https://shop.example/console?join={code}" in said.out
    assert "(Europe/Berlin)" in said.out


def test_a_link_for_slack_needs_its_settings(invoke: Invoke) -> None:
    refused = invoke("team", "link")
    assert refused.status == 1
    assert "SLACK_CLIENT_ID" in refused.err
    settings = {
        "PUBLIC_URL": "https://shop.example",
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "a-secret",
        "SLACK_SIGNING_SECRET": "another",
    }
    assert "https://shop.example/slack/install?link=" in invoke("team", "link", "--new", **settings).out


async def test_a_deep_link_names_the_bot_and_a_silent_telegram_leaves_it_out() -> None:
    async def name() -> str:
        return "shop_bot"

    async def silent() -> str:
        raise StoreDown("Telegram does not answer.", store="Telegram")

    assert await DeploymentDoors("", "", name, False).telegram() == "https://t.me/shop_bot?start="
    assert await DeploymentDoors("", "", silent, False).telegram() == ""
    assert await DeploymentDoors("", "", None, False).telegram() == ""
    assert DeploymentDoors("", "http://127.0.0.1:8080", None, True).console() == ""
    assert DeploymentDoors("", "http://127.0.0.1:8080", None, True).slack() == ""
    assert Chats().telegram_name is None


async def test_a_photo_is_shown_to_the_shop_whose_line_names_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(_env_file=None, DATA_DIR=tmp_path_factory.mktemp("photos"), SHELF_SAMPLES=False)
    await migrate_all(settings)
    async with open_app(settings, base_url=f"http://{HOST}") as app:
        other = await ensure_team(app.database, "Another shop")
        olga = await ensure_member(
            app.database, other.team_id, "olga", Role.ADMIN, Actor(ChatName.CONSOLE, "olga", "olga")
        )
        transport = httpx.ASGITransport(web_app(app, port=PORT))
        async with (
            httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as ours,
            httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as theirs,
        ):
            for browser, member in ((ours, app.owner), (theirs, olga)):
                code = await app.logins.offer(member.member_id, now=app.desk.clock())
                assert (await browser.get(f"/console?code={code}")).status_code == 303
            csrf = re.findall(r'name="csrf" content="([^"]+)"', (await ours.get("/console")).text)[0]
            files = {"photo": ("mug.jpg", b"\xff\xd8\xff a mug", "image/jpeg")}
            sent = await ours.post("/console/say", files=files, headers={"Origin": f"http://{HOST}", "X-CSRF": csrf})
            assert sent.status_code == 202, sent.text
            (photo,) = [each for line in (await ours.get("/console/lines")).json()["lines"] for each in line["photos"]]
            assert (await ours.get(photo)).status_code == 200
            assert (await theirs.get(photo)).status_code == 404
            assert (await theirs.get("/console/lines")).json()["lines"] == []


async def test_an_invitations_link_fills_the_code_in_and_spends_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = Settings(_env_file=None, DATA_DIR=tmp_path_factory.mktemp("invited"), SHELF_SAMPLES=False)
    await migrate_all(settings)
    async with open_app(settings, base_url=f"http://{HOST}") as app:
        other = await ensure_team(app.database, "Another shop")
        now = app.desk.clock()
        async with app.desk.work() as work:
            invitation = await work.people.invite(
                other.team_id, Role.EDITOR, by="olga", expires_at=now.replace(year=now.year + 1)
            )
        transport = httpx.ASGITransport(web_app(app, port=PORT))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as browser:
            for _ in range(2):
                page = await browser.get(f"/console?join={invitation.code}")
                assert f'value="{invitation.code}"' in page.text
            form = {"code": invitation.code, "name": "owner"}
            headers = {"Origin": f"http://{HOST}"}
            # The other shop has no owner here, so the name is free there, whatever ours is called.
            assert (await browser.post("/console/join", data=form, headers=headers)).status_code == 303
            assert (await browser.get("/console")).status_code == 200
        member = await app.member_named("owner", "Another shop")
        assert member is not None
        assert member.role is Role.EDITOR
