"""Who belongs to a team, and how a stranger comes in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from domain.intents import Incoming
from domain.people import Actor, ChatName, Member, Role
from domain.replies import Invited, Outgoing
from domain.rows import Question
from storage.bootstrap import ensure_member, ensure_team
from storage.console import SqlConsoleLines
from storage.logins import SqlConsoleLogins
from tests.storage.conftest import ANNA, CONSOLE, OTHER_ROOM, ROOM, Shop

BEN = Actor(ChatName.TELEGRAM, "77", "Ben")


async def invited(shop: Shop, role: Role = Role.EDITOR) -> str:
    async with shop.work() as work:
        invitation = await work.people.invite(
            shop.team.team_id, role, by="Anna", expires_at=shop.clock() + timedelta(days=1)
        )
    return invitation.code


async def test_a_stranger_joins_once_with_a_code(shop: Shop) -> None:
    code = await invited(shop)
    async with shop.work() as work:
        assert await work.people.find_member(shop.team.team_id, BEN) is None
        ben = await work.people.join(f" {code} ", BEN, now=shop.clock())
        assert ben is not None
        assert (ben.name, ben.role, ben.team_id) == ("Ben", Role.EDITOR, shop.team.team_id)
        assert await work.people.join(code, replace(BEN, actor_id="78"), now=shop.clock()) is None
    async with shop.work() as work:
        assert await work.people.find_member(shop.team.team_id, BEN) == ben
        assert await work.people.find_member(shop.stranger_team.team_id, BEN) is None
        assert [member.name for member in await work.people.members(shop.team.team_id)] == ["Anna", "Ben"]


async def test_one_code_lets_one_of_many_in(shop: Shop) -> None:
    code = await invited(shop)

    async def join(number: int) -> bool:
        async with shop.work() as work:
            return await work.people.join(code, replace(BEN, actor_id=str(number)), now=shop.clock()) is not None

    assert sum(await asyncio.gather(*(join(number) for number in range(5)))) == 1


async def test_unknown_and_expired_codes_let_nobody_in(shop: Shop) -> None:
    code = await invited(shop)
    async with shop.work() as work:
        assert await work.people.join("guessed", BEN, now=shop.clock()) is None
        assert await work.people.join(code, BEN, now=shop.clock() + timedelta(days=2)) is None


async def test_a_code_is_stored_as_a_hash_only(shop: Shop) -> None:
    code = await invited(shop)
    async with shop.database.read() as db_session:
        rows = (await db_session.execute(text("SELECT * FROM invitation"))).all()
    assert code not in str(rows)


async def test_a_used_code_is_blanked_where_it_was_told(shop: Shop) -> None:
    codes = [await invited(shop), await invited(shop)]
    lines = SqlConsoleLines(shop.database)
    for number, code in enumerate(codes):
        told = Invited(code, Role.EDITOR, shop.clock())
        async with shop.work(await taken(shop, f"event:{number}")) as work:
            await work.answer(told)
        await lines.append_reply(
            Outgoing(f"line:{number}", shop.team.team_id, CONSOLE, "", told, "cause"), now=shop.clock()
        )
    async with shop.work() as work:
        assert await work.people.join(codes[0], BEN, now=shop.clock()) is not None
    for table in ("outbox", "console_line"):
        async with shop.database.read() as db_session:
            rows = str((await db_session.execute(text(f"SELECT reply FROM {table}"))).all())
        assert codes[0] not in rows
        assert codes[1] in rows


async def taken(shop: Shop, event_key: str) -> Incoming:
    incoming = shop.incoming(event_key)
    await shop.events.take(incoming)
    return incoming


async def test_a_member_who_joins_again_keeps_the_higher_role(shop: Shop) -> None:
    ben = await ensure_member(shop.database, shop.team.team_id, "Ben", Role.APPROVER, BEN)
    for role, expected in ((Role.VIEWER, Role.APPROVER), (Role.ADMIN, Role.ADMIN)):
        code = await invited(shop, role)
        async with shop.work() as work:
            member = await work.people.join(code, BEN, now=shop.clock())
            assert member == replace(ben, role=expected)
            assert await work.people.find_member(shop.team.team_id, BEN) == member


async def test_a_name_that_is_taken_in_the_console_lets_nobody_in_and_keeps_the_code(shop: Shop) -> None:
    code = await invited(shop, Role.ADMIN)
    async with shop.work() as work:
        assert await work.people.join(code, ANNA, now=shop.clock()) is None
        assert await work.people.find_member(shop.team.team_id, ANNA) == shop.anna
    async with shop.work() as work:
        eve = await work.people.join(code, Actor(ChatName.CONSOLE, "Eve", "Eve"), now=shop.clock())
    assert eve is not None
    assert eve.role is Role.ADMIN


async def test_two_who_choose_one_console_name_at_once_do_not_become_one(shop: Shop) -> None:
    eve = Actor(ChatName.CONSOLE, "Eve", "Eve")
    roles = (Role.ADMIN, Role.VIEWER, Role.EDITOR)
    codes = [await invited(shop, role) for role in roles]
    # Everybody has looked whether the name is free before anybody takes it, as the entry page does.
    looked = asyncio.Barrier(1 if shop.database.is_sqlite else len(codes))

    async def join(code: str) -> Member | None:
        async with shop.work() as work:
            await work.people.find_member(shop.team.team_id, eve)
            await looked.wait()
            return await work.people.join(code, eve, now=shop.clock())

    joined = [member for member in await asyncio.gather(*map(join, codes)) if member is not None]
    assert len(joined) == 1
    async with shop.work() as work:
        assert await work.people.find_member(shop.team.team_id, eve) == joined[0]


async def test_first_rows_are_made_once(shop: Shop) -> None:
    teams = await asyncio.gather(*(ensure_team(shop.database, "My shop") for _ in range(3)))
    members = await asyncio.gather(
        *(ensure_member(shop.database, shop.team.team_id, "Ben", Role.VIEWER, BEN) for _ in range(3))
    )
    assert set(teams) == {shop.team}
    assert len(set(members)) == 1


def question(shop: Shop, question_id: str) -> Question:
    return Question(
        question_id=question_id,
        team_id=shop.team.team_id,
        place=ROOM,
        asked_of=shop.anna.member_id,
        kind="product",
        photos=(),
        sku="",
        stores=("Shelf",),
        options=(("background", "#eee"),),
        choices=("MUG-01", "CUP-02"),
        event_key="console:1",
    )


async def test_a_question_comes_back_and_is_answered_once(shop: Shop) -> None:
    asked = question(shop, "q1")
    async with shop.work() as work:
        await work.questions.add(asked)
        await work.questions.add(asked)
        assert await work.questions.get(shop.team.team_id, "q1") == asked
        assert await work.questions.get(shop.stranger_team.team_id, "q1") is None

    async def answer() -> bool:
        async with shop.work() as work:
            return await work.questions.answer("q1")

    assert sorted(await asyncio.gather(answer(), answer(), answer())) == [False, False, True]


async def test_the_latest_open_product_question_of_this_member_here(shop: Shop) -> None:
    async with shop.work() as work:
        for number in (1, 2, 3):
            await work.questions.add(question(shop, f"q{number}"))
        await work.questions.add(replace(question(shop, "q4"), kind="store"))
        await work.questions.add(replace(question(shop, "q5"), asked_of="ben"))
        await work.questions.add(replace(question(shop, "q6"), place=OTHER_ROOM))
        await work.questions.answer("q3")
        found = await work.questions.latest_open(ROOM, shop.anna.member_id)
        assert found is not None
        assert found.question_id == "q2"


async def test_a_login_code_makes_one_cookie(shop: Shop) -> None:
    logins = SqlConsoleLogins(shop.database)
    code = await logins.offer(shop.anna.member_id, now=shop.clock())
    cookies = await asyncio.gather(*(logins.redeem(code, now=shop.clock()) for _ in range(3)))
    (cookie,) = [cookie for cookie in cookies if cookie is not None]
    login = await logins.find(cookie, now=shop.clock())
    assert login is not None
    assert login.member == shop.anna
    assert await logins.find("forged", now=shop.clock()) is None
    async with shop.database.read() as db_session:
        rows = str((await db_session.execute(text("SELECT * FROM console_login"))).all())
    assert code not in rows
    assert cookie not in rows
    await logins.end(cookie)
    assert await logins.find(cookie, now=shop.clock()) is None
    assert await logins.redeem(code, now=shop.clock()) is None


async def test_login_codes_and_cookies_grow_old(shop: Shop) -> None:
    logins = SqlConsoleLogins(shop.database)
    code = await logins.offer(shop.anna.member_id, now=shop.clock())
    assert await logins.redeem(code, now=shop.clock() + timedelta(minutes=16)) is None
    cookie = await logins.redeem(code, now=shop.clock())
    assert cookie is not None
    assert await logins.find(cookie, now=shop.clock() + timedelta(days=31)) is None
