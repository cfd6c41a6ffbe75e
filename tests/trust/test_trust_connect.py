"""Whose link it is: another member's, another team's, another browser's use of it is refused, and so is an old one."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.clock import utc_now
from domain.connect_replies import ConnectOffered, DisconnectAsked, StoreDisconnected
from domain.connecting import FeatureName
from domain.people import ChatName, Member, Place
from domain.replies import PRIVATE, Refused
from domain.tokens import Action, Token
from storage.tables import MemberRow
from tests.bot.conftest import migrated
from tests.bot.connect_rig import Page, Rig, open_rig
from tests.fakes.shopify import ShopifyServer

__all__ = ["migrated"]


@dataclass(slots=True)
class Shop:
    """A bot, and the Shopify its deployment has an app at."""

    rig: Rig
    server: ShopifyServer

    async def page(self, words: str = "connect shopify kiln") -> Page:
        return await self.rig.browser.open(await self.rig.link(words))

    async def connected(self) -> str:
        """Connect the shop and return its store's id."""
        await self.rig.browser.open(self.server.say_yes((await self.rig.browser.choose(await self.page())).vendor))
        [store] = await self.rig.stores()
        return store.store_id


@pytest.fixture
async def shop(migrated: Path, tmp_path: Path) -> AsyncIterator[Shop]:
    async with ShopifyServer() as server:
        env = {
            "SHOPIFY_API_URL": server.url,
            "SHOPIFY_CLIENT_ID": server.client_id,
            "SHOPIFY_CLIENT_SECRET": server.client_secret,
        }
        async with open_rig(migrated, tmp_path / "data", **env) as rig:
            yield Shop(rig, server)


async def test_only_the_hash_of_a_link_is_kept_and_nobody_else_is_shown_it(shop: Shop) -> None:
    url = await shop.rig.link("connect shopify kiln")
    code = url.partition("code=")[2]
    [row] = await shop.rig.links()
    assert all(code not in str(value) for value in row.model_dump().values())
    assert {ConnectOffered, DisconnectAsked} <= set(PRIVATE)


async def test_a_used_or_replaced_link_is_nowhere_to_be_read_any_more(shop: Shop) -> None:
    replaced = await shop.rig.link("connect shopify kiln")
    used = await shop.rig.link("connect shopify kiln")
    page = await shop.rig.browser.open(used)
    told = [reply.url for reply in await shop.rig.said() if isinstance(reply, ConnectOffered)]
    assert told == ["", used], "a message that still waits to be sent tells the link that counts"
    await shop.rig.browser.open(shop.server.say_yes((await shop.rig.browser.choose(page)).vendor))
    told = [reply.url for reply in await shop.rig.said() if isinstance(reply, ConnectOffered)]
    assert (told, replaced in told) == (["", ""], False)


async def test_a_link_is_good_in_the_first_browser_that_goes_on_with_it(shop: Shop) -> None:
    url = await shop.rig.link("connect shopify kiln")
    async with shop.rig.another_browser() as other:
        theirs = await other.open(url)
        ours = await shop.rig.browser.open(url)
        assert (theirs.answer.status_code, ours.answer.status_code) == (200, 200), "a preview uses nothing up"
        go = await shop.rig.browser.choose(ours)
        kept = await shop.rig.kept()
        for late in (
            await other.open(url),
            await other.choose(theirs),
            await other.open(shop.server.say_yes(go.vendor)),
        ):
            assert (late.answer.status_code, "another browser" in late.text) == (403, True)
        assert await shop.rig.kept() == kept


async def test_somebody_who_is_signed_in_as_another_member_is_refused(shop: Shop) -> None:
    url = await shop.rig.link("connect shopify kiln")
    async with shop.rig.another_browser(await shop.rig.cookie_of(shop.rig.app.owner)) as own:
        assert (await own.open(url)).answer.status_code == 200
    for cookie in (
        await shop.rig.cookie_of(shop.rig.other_admin),
        await shop.rig.cookie_of(await _member(shop, "ada")),
    ):
        async with shop.rig.another_browser(cookie) as other:
            page = await other.open(url)
            assert (page.answer.status_code, "made for somebody else" in page.text) == (403, True)


async def _member(shop: Shop, name: str) -> Member:
    found = await shop.rig.app.member_named(name, shop.rig.app.team.name)
    assert found is not None
    return found


async def test_whoever_is_no_admin_any_more_connects_nothing(shop: Shop) -> None:
    page = await shop.rig.browser.open(await shop.rig.link("connect shopify kiln", by="ada"))
    go = await shop.rig.browser.choose(page)
    await shop.rig.say("role ada editor")
    kept = await shop.rig.kept()
    refused = await shop.rig.browser.open(shop.server.say_yes(go.vendor))
    assert (refused.answer.status_code, "no admin here any more" in refused.text) == (403, True)
    assert await shop.rig.kept() == kept


async def test_another_teams_answer_and_store_are_nobodys_here(shop: Shop) -> None:
    store_id = await shop.connected()
    rig, theirs = shop.rig, shop.rig.other_team.team_id
    kept = await rig.kept()
    for words in ("reconnect shopify", "disconnect shopify", "permissions shopify"):
        said = await rig.say(words, by="olga", team=theirs)
        assert isinstance(said, Refused), words
        assert "No connected store is called" in said.sentence
    for token in (Token(Action.DISCONNECT, store_id, 0), Token(Action.ALLOW, store_id, 1)):
        said = await rig.say("", token=str(token), by="olga", team=theirs)
        assert isinstance(said, Refused)
    page = await rig.browser.open(await rig.link("connect shopify kiln", by="olga", team=theirs))
    async with rig.another_browser() as other:
        own = await other.open(await rig.link("connect shopify kiln"))
        answer_to_us = shop.server.say_yes((await other.choose(own)).vendor)
        await rig.browser.choose(page)
        crossed = await rig.browser.open(answer_to_us)
        assert crossed.answer.status_code == 403
    assert await rig.kept() == kept


async def test_commands_about_stores_are_an_admins(shop: Shop) -> None:
    store_id = await shop.connected()
    for words in ("connect etsy", "reconnect shopify", "disconnect shopify", "permissions"):
        said = await shop.rig.say(words, by="edith")
        assert isinstance(said, Refused), words
        assert said.code == "not_allowed"
    for token in (
        Token(Action.DISCONNECT, store_id, 0),
        Token(Action.ALLOW, store_id, list(FeatureName).index(FeatureName.ORDERS)),
    ):
        said = await shop.rig.say("", token=str(token), by="edith")
        assert isinstance(said, Refused)
        assert said.code == "not_allowed"


async def test_a_form_without_our_token_or_cookie_or_from_elsewhere_does_nothing(shop: Shop) -> None:
    rig = shop.rig
    page = await shop.page()
    http, url = rig.browser.http, page.answer.url.path
    own = {"origin": rig.base_url}
    kept = await rig.kept()
    async with rig.another_browser() as stranger:
        forged = [
            await http.post(url, data={**page.hidden, "csrf": "0" * 64}, headers=own),
            await http.post(url, data={"code": page.hidden["code"]}, headers=own),
            await http.post(url, data=page.hidden, headers={"origin": "https://evil.example"}),
            await http.post(url, data=page.hidden),
            await http.post(url, data=page.hidden, headers={**own, "host": "evil.example"}),
            await stranger.http.post(url, data=page.hidden, headers=own),
            await http.post(
                url, content=b"\xff\xfe=1", headers={**own, "content-type": "application/x-www-form-urlencoded"}
            ),
            await http.post(url, data={**page.hidden, "set-client_id": "x" * 200_000}, headers=own),
            await http.post(
                f"{url}/paste", data={**page.hidden, "landed": "https://evil.example/?code=1"}, headers=own
            ),
            await http.post("/connect/etsy", data=page.hidden, headers=own),
            await http.post("/connect/nowhere", data=page.hidden, headers=own),
        ]
    assert [answer.status_code for answer in forged if not 400 <= answer.status_code < 500] == []
    assert [row.browser_hash for row in await rig.links()] == [""], "none of them has begun with the link"
    assert await rig.kept() == kept


async def test_an_old_link_and_one_that_was_replaced_are_refused(shop: Shop) -> None:
    first = await shop.rig.link("connect shopify kiln")
    second = await shop.rig.link("connect shopify kiln")
    assert (await shop.rig.browser.open(first)).answer.status_code == 404, "a newer one of the same talk replaces it"
    await shop.rig.change_links(expires_at=utc_now() - timedelta(seconds=1))
    late = await shop.rig.browser.open(second)
    assert (late.answer.status_code, "too old" in late.text) == (410, True)
    for code in ("", "x", "☃", "a" * 500, "../../etc/passwd"):
        assert (await shop.rig.browser.http.get("/connect/shopify", params={"code": code})).status_code == 404


async def test_nothing_leads_to_another_site(shop: Shop) -> None:
    """Open redirects: whatever the query says, we send a browser on to our own pages and to the vendor's."""
    rig = shop.rig
    page = await shop.page()
    for name in ("next", "return_to", "redirect_uri", "redirect_url", "page", "url"):
        answer = await rig.browser.http.get(
            page.answer.url.path,
            params={"code": page.hidden["code"], name: "https://evil.example/"},
            follow_redirects=False,
        )
        assert answer.status_code == 200
        assert "evil.example" not in answer.text
    go = await rig.browser.choose(page, redirect_url="https://evil.example/", api_url="https://evil.example/")
    assert go.vendor.startswith(shop.server.url)
    assert "evil.example" not in go.answer.text
    done = await rig.browser.http.get("/connect/shopify/done", params={"link": "https://evil.example"})
    assert done.status_code == 404


async def test_what_is_refused_is_logged_once_and_without_the_code(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    url = await shop.rig.link("connect shopify kiln")
    page = await shop.rig.browser.open(url)
    await shop.rig.browser.open(shop.server.say_yes((await shop.rig.browser.choose(page)).vendor))
    with caplog.at_level(logging.INFO, logger="packshot"):
        caplog.clear()
        await shop.rig.browser.open(url)
    [line] = [record for record in caplog.records if record.name.startswith("packshot")]
    assert (line.message, line.because) == ("refused", "used")  # type: ignore[attr-defined]
    code = url.partition("code=")[2]
    assert all(code not in str(value) for value in vars(line).values())


async def test_words_of_people_and_shops_stay_words_on_the_page(shop: Shop) -> None:
    hostile = '<img src=x onerror="alert(1)">'
    async with shop.rig.app.database.begin() as db_session:
        await db_session.execute(update(MemberRow).values(name=hostile))
    page = await shop.page()
    assert "<img src=x" not in page.answer.text
    assert hostile in page.text


async def test_the_answer_reaches_the_chat_and_thread_it_began_in(shop: Shop) -> None:
    thread = Place(ChatName.CONSOLE, "another room", "thread-7")
    page = await shop.rig.browser.open(await shop.rig.link("connect shopify kiln", place=thread))
    await shop.rig.browser.open(shop.server.say_yes((await shop.rig.browser.choose(page)).vendor))
    places = await shop.rig.places_of("StoreConnected")
    assert places == [("another room", "thread-7")]


async def test_a_question_of_another_day_disconnects_nothing(shop: Shop) -> None:
    store_id = await shop.connected()
    question = await shop.rig.say("disconnect shopify")
    assert isinstance(question, DisconnectAsked)
    old = Token(Action.DISCONNECT, store_id, question.number - 1)
    said = await shop.rig.say("", token=str(old))
    assert isinstance(said, Refused)
    assert "of another day" in said.sentence
    assert len(await shop.rig.stores()) == 1
    gone = await shop.rig.say("", token=str(Token(Action.DISCONNECT, store_id, question.number)))
    assert isinstance(gone, StoreDisconnected)
    assert (gone.is_revoked, shop.server.tokens) == (True, set()), "Shopify itself has uninstalled the app"
    again = await shop.rig.say("", token=str(Token(Action.DISCONNECT, store_id, question.number)))
    assert isinstance(again, Refused)
