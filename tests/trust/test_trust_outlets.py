"""What leaves: files as files in every chat, notices to one person, pages to members only, and no camera's words anywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from domain.data_replies import FileReady, HealthNotice
from domain.intents import Attachment, Incoming
from domain.people import Actor, ChatName, Member, Place
from domain.replies import Outgoing, StatusShown
from domain.sentences import Sentence
from handlers.attachments import fetched
from handlers.console.data_pages import DataPages
from handlers.health import status_of
from handlers.slack.chat import SlackChat
from handlers.telegram.chat import TelegramChat
from tests.fakes import FakeMedia
from tests.fakes.slack import BOT_TOKEN, FakeSlack
from tests.fakes.slack_people import SlackPeople
from tests.fakes.telegram import TOKEN, TelegramServer
from tests.handlers.shop import ROOM, Shop
from tests.trust.test_trust_stripped import MAKERS, SECRET

CSV = b"\xef\xbb\xbfnumber,who\r\n1,Anna\r\n"
NOTICE = HealthNotice("bad", "Shop", Sentence("{store} works again.", store="Shop"))
HOST = "shop.example"


async def file_of(media: FakeMedia) -> FileReady:
    return FileReady("f1", "history-all.csv", await media.put(CSV), len(CSV), Sentence("{number} lines of the history", number=1))  # fmt: skip


async def test_slack_gets_the_file_and_one_person_the_notice() -> None:
    async with FakeSlack() as slack:
        media, people = FakeMedia(), SlackPeople(slack, transport="http")
        people.channel("C1", people.person("Anna"))
        slack.direct("UANNA")
        chat = SlackChat(bot_token=BOT_TOKEN, api_url=slack.api_url, media=media, pause_s=0.001)
        await chat.deliver(Outgoing("k1", "t", Place(ChatName.SLACK, "C1"), "", await file_of(media), ""))
        (file,) = slack.files.values()
        assert file.content == CSV
        assert file.name == "history-all.csv"
        ts = await chat.deliver(Outgoing("k2", "t", Place(ChatName.SLACK, "UANNA"), "", NOTICE, ""))
        assert ("DANNA", ts) in slack.messages
        await chat.close()


async def test_telegram_gets_the_file_as_a_document() -> None:
    async with TelegramServer() as telegram:
        media, anna = FakeMedia(), telegram.person("Anna")
        telegram.say(anna, "/start")
        chat = TelegramChat(token=TOKEN, api_url=telegram.url, media=media, read_timeout_s=2.0)
        place = Place(ChatName.TELEGRAM, str(anna.user_id))
        native_id = await chat.deliver(Outgoing("k1", "t", place, "", await file_of(media), ""))
        assert native_id.isdecimal()
        assert telegram.documents == [(anna.user_id, "history-all.csv", CSV)]
        await chat.close()


# ---------------------------------------------------------------- pages


class Pages:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.member: Member | None = None

    async def signed_in(self, _request: object) -> Member | None:
        return self.member

    async def status(self, member: Member) -> StatusShown:
        async with self.shop.desk.work.reading() as rows:
            return await status_of(rows, self.shop.desk, member.team_id, ROOM)

    async def stream(self, team_id: str) -> AsyncIterator[bytes]:
        yield f"everything of {team_id}".encode()

    def client(self) -> httpx.AsyncClient:
        desk = self.shop.desk
        pages = DataPages(
            desk.work, desk.media, desk.clock, frozenset({HOST}), self.signed_in, self.status, self.stream
        )
        transport = httpx.ASGITransport(Starlette(routes=pages.routes()))
        return httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}", headers={"origin": f"https://{HOST}"})


@pytest.fixture
def pages(shop: Shop) -> Pages:
    return Pages(shop)


async def kept_file(shop: Shop) -> str:
    content = await shop.media.put(CSV)
    async with shop.desk.work() as work:
        return await work.data.keep_file(shop.team.team_id, "history-all.csv", "text/csv", content)


async def test_the_pages_are_the_teams_own(shop: Shop, pages: Pages) -> None:
    file_id = await kept_file(shop)
    async with pages.client() as http:
        assert (await http.get("/status")).status_code == 401
        assert (await http.get(f"/console/files/{file_id}")).status_code == 401
        pages.member = shop.members["olga"]
        assert (await http.get(f"/console/files/{file_id}")).status_code == 404
        page = (await http.get("/status")).text
        assert "Theirs" in page
        assert "Outlet" not in page
        pages.member = shop.members["vera"]
        answer = await http.get(f"/console/files/{file_id}")
        assert (answer.content, answer.headers["content-disposition"]) == (
            CSV,
            'attachment; filename="history-all.csv"',
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        page = (await http.get("/status")).text
        assert "Outlet" in page
        assert "Theirs" not in page


async def test_an_export_is_fetched_by_a_press_and_once(shop: Shop, pages: Pages) -> None:
    async with shop.desk.work() as work:
        code = await work.data.offer_export(shop.team.team_id, by="ada", expires_at=shop.clock().replace(year=2030))
    async with pages.client() as http:
        for _ in range(2):
            assert (await http.get(f"/console/export/{code}")).status_code == 200, "looking spends nothing"
        elsewhere = await http.post(f"/console/export/{code}", headers={"origin": "https://evil.example"})
        assert elsewhere.status_code == 403
        fetched_once = await http.post(f"/console/export/{code}")
        assert fetched_once.text == f"everything of {shop.team.team_id}"
        assert (await http.post(f"/console/export/{code}")).status_code == 410
        assert (await http.get(f"/console/export/{code}")).status_code == 410
        assert (await http.get("/console/export/" + "x" * 32)).status_code == 410
    assert "export_taken" in await shop.audit_actions()


# ---------------------------------------------------------------- photos


@pytest.mark.parametrize("kind", MAKERS)
async def test_photos_of_chats_are_kept_without_a_cameras_words(kind: str, shop: Shop) -> None:
    content = MAKERS[kind](6)
    assert SECRET in content
    shop.files.kept["f1"] = content
    place = Place(ChatName.TELEGRAM, "1")
    incoming = Incoming("telegram:1:1", shop.team.team_id, Actor(ChatName.TELEGRAM, "1", "A"), place, attachments=(Attachment("f1"),))  # fmt: skip
    taken = await fetched(incoming, shop.desk)
    assert SECRET not in shop.media.kept[taken.photos[0]]


async def test_a_stores_picture_is_kept_without_them_too(shop: Shop) -> None:
    await shop.change_by_hand("MUG-01", MAKERS["jpeg"](6))
    known = set(shop.media.kept)
    await shop.send("enhance MUG-01", by="edith")
    fresh = [shop.media.kept[name] for name in set(shop.media.kept) - known]
    assert fresh
    assert [content for content in fresh if SECRET in content] == []
