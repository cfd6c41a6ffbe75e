"""Browsers that are signed in: known by where and when, ended one by one or all, a new cookie with every login."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from domain.people import Actor, ChatName, Member, Role
from domain.replies import PRIVATE, Refused
from domain.sessions import Browser, BrowserSession, SessionsShown, mark_of
from handlers.console.browsers import browser_name
from handlers.console.listeners import console_routes
from handlers.console.render import fragment
from storage.bootstrap import ensure_member, ensure_team
from storage.database import Database
from storage.logins import COOKIE_LIFETIME, NOTED_EVERY, SqlConsoleLogins
from storage.sessions import SqlSessions
from tests.console.fakes import HOST, OWNER, Office
from tests.handlers.shop import Shop

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
PHONE, LAPTOP = Browser("Safari, iPhone", "203.0.113.9"), Browser("Firefox, Linux", "198.51.100.4")


async def person(database: Database, name: str) -> Member:
    team = await ensure_team(database, "My shop")
    return await ensure_member(database, team.team_id, name, Role.EDITOR, Actor(ChatName.CONSOLE, name, name))


async def signed_in(logins: SqlConsoleLogins, member: Member, browser: Browser, now: datetime = NOW) -> str:
    cookie = await logins.redeem(await logins.offer(member.member_id, now=now), now=now, browser=browser)
    assert cookie is not None
    return cookie


async def test_sessions_say_where_since_when_and_when_last(database: Database) -> None:
    logins, anna = SqlConsoleLogins(database), await person(database, "Anna")
    await signed_in(logins, anna, PHONE)
    cookie = await signed_in(logins, anna, LAPTOP, NOW + timedelta(minutes=1))
    later = NOW + timedelta(hours=2)
    login = await logins.find(cookie, now=later)
    assert login is not None
    async with database.read() as db_session:
        newest, other = await SqlSessions(db_session).of_member(anna.member_id, now=later)
    assert (newest.browser, newest.since, newest.used_at) == (LAPTOP, NOW + timedelta(minutes=1), later)
    assert (other.browser, other.since, other.used_at) == (PHONE, NOW, NOW)
    assert newest.mark == mark_of(login.login_id) != other.mark
    # A use is not a write each.
    await logins.find(cookie, now=later + NOTED_EVERY / 2)
    async with database.read() as db_session:
        assert (await SqlSessions(db_session).of_member(anna.member_id, now=later))[0].used_at == later
        assert await SqlSessions(db_session).of_member(anna.member_id, now=NOW + COOKIE_LIFETIME * 2) == []


async def test_one_session_is_ended_and_only_by_whose_it_is(database: Database) -> None:
    logins, anna, ben = SqlConsoleLogins(database), await person(database, "Anna"), await person(database, "Ben")
    phone, laptop = await signed_in(logins, anna, PHONE), await signed_in(logins, anna, LAPTOP)
    login = await logins.find(phone, now=NOW)
    assert login is not None
    async with database.begin() as db_session:
        assert not await SqlSessions(db_session).end(ben.member_id, mark_of(login.login_id))
        assert await SqlSessions(db_session).end(anna.member_id, mark_of(login.login_id))
        assert not await SqlSessions(db_session).end(anna.member_id, mark_of(login.login_id))
    assert await logins.find(phone, now=NOW) is None
    assert await logins.find(laptop, now=NOW) is not None


async def test_all_are_ended_and_codes_that_wait_too(database: Database) -> None:
    logins, anna, ben = SqlConsoleLogins(database), await person(database, "Anna"), await person(database, "Ben")
    cookies = [await signed_in(logins, anna, browser) for browser in (PHONE, LAPTOP)]
    waiting, other = await logins.offer(anna.member_id, now=NOW), await signed_in(logins, ben, PHONE)
    async with database.begin() as db_session:
        assert await SqlSessions(db_session).end_all(anna.member_id) == 2
    assert [await logins.find(cookie, now=NOW) for cookie in cookies] == [None, None]
    assert await logins.redeem(waiting, now=NOW) is None
    assert await logins.find(other, now=NOW) is not None


async def test_a_code_works_once_and_signing_out_takes_everything(database: Database) -> None:
    logins, anna = SqlConsoleLogins(database), await person(database, "Anna")
    code = await logins.offer(anna.member_id, now=NOW)
    cookie = await logins.redeem(code, now=NOW)
    assert cookie is not None
    assert await logins.redeem(code, now=NOW) is None
    await logins.end(cookie)
    assert await logins.redeem(code, now=NOW) is None
    async with database.read() as db_session:
        assert await SqlSessions(db_session).of_member(anna.member_id, now=NOW) == []


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 Edg/131.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox, Linux"),
        ("curl/8.5.0", ""),
        ("<script>alert(1)</script>\n" * 100, ""),
    ],
)  # fmt: skip
def test_a_browser_is_named_in_our_words(agent: str, name: str) -> None:
    assert browser_name(agent) == name


async def test_sessions_are_shown_and_ended_from_a_chat_and_are_nobody_elses(shop: Shop) -> None:
    logins = SqlConsoleLogins(shop.database)
    vera, ed = [shop.members[name] for name in ("vera", "edith")]
    now = shop.clock()
    hers = [await signed_in(logins, vera, browser, now) for browser in (PHONE, LAPTOP)]
    his = await signed_in(logins, ed, PHONE, now)
    shown = (await shop.send("sessions", by="vera"))[-1]
    assert isinstance(shown, SessionsShown)
    assert isinstance(shown, PRIVATE)
    assert {session.browser for session in shown.sessions} == {PHONE, LAPTOP}
    theirs = (await shop.send("sessions", by="edith"))[-1]
    assert isinstance(theirs, SessionsShown)
    refused = (await shop.send(f"sessions end {theirs.sessions[0].mark}", by="vera"))[-1]
    assert isinstance(refused, Refused)
    assert "No browser of yours" in refused.sentence
    one = (await shop.send(f"sessions end {shown.sessions[0].mark.upper()}", by="vera"))[-1]
    assert isinstance(one, SessionsShown)
    assert (one.ended, len(one.sessions)) == (1, 1)
    rest = (await shop.send("sessions end all", by="vera"))[-1]
    assert rest == SessionsShown((), 1)
    assert [await logins.find(cookie, now=now) for cookie in hers] == [None, None]
    assert await logins.find(his, now=now) is not None


@pytest.mark.parametrize("words", ["sessions end", "sessions everything", "sessions end a b"])
async def test_what_is_no_way_to_end_sessions_says_how(shop: Shop, words: str) -> None:
    refused = (await shop.send(words, by="vera"))[-1]
    assert isinstance(refused, Refused)
    assert refused.sentence.startswith("Write `sessions`")


async def test_a_browser_knows_itself_in_the_list() -> None:
    mark = mark_of("login-1")
    sessions = (BrowserSession(mark, LAPTOP, NOW, NOW), BrowserSession("other1", PHONE, NOW, NOW))
    html = fragment(SessionsShown(sessions), here=mark)
    assert "Firefox, Linux at 198.51.100.4 · this one" in html
    assert html.count("this one") == 1


async def test_a_new_login_ends_the_one_this_browser_had() -> None:
    office = Office()
    app = Starlette(routes=console_routes(office.desk()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{HOST}") as browser:
        cookies = []
        for _ in range(2):
            code = await office.logins.offer(OWNER.member_id, now=NOW)
            answer = await browser.get(f"/console?code={code}")
            assert answer.status_code == 303
            cookies.append(browser.cookies["packshot_console"])
    assert cookies[0] != cookies[1]
    assert [await office.logins.find(cookie, now=NOW) is not None for cookie in cookies] == [False, True]
