"""Invitations, roles and removals: what an admin changes counts at the very next press, and is not undone behind them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from domain.intents import Incoming
from domain.people import LOCAL_OWNER, Actor, ChatName, Place, Role
from domain.replies import Invited, Joined, MemberList, PreviewReady, Refused
from domain.team_replies import InvitationList, InvitationRevoked, MemberChanged, RemovalAsked, TeamShown
from domain.tokens import Action
from handlers import dispatch
from handlers.arrive import ChatDesk
from handlers.buttons import buttons
from storage.bootstrap import ensure_member
from storage.logins import SqlConsoleLogins
from storage.tables import OutboxRow, PostedMessageRow
from tests.handlers.shop import PHOTO, STRANGER, Shop

NINA = Actor(ChatName.TELEGRAM, "777", "Nina")
HERS = Place(ChatName.TELEGRAM, "777")


async def say(shop: Shop, words: str, *, actor: Actor = NINA, place: Place = HERS, team_id: str = "", key: str) -> None:
    incoming = Incoming(f"telegram:{key}", team_id or shop.team.team_id, actor, place, words)
    await shop.events.take(incoming)
    await dispatch.handle(incoming, shop.desk)


async def code_for(shop: Shop, role: str = "editor") -> str:
    invited = (await shop.send(f"invite {role}", by="ada"))[-1]
    assert isinstance(invited, Invited)
    return invited.code


async def dismissed(shop: Shop, name: str, *, by: str = "ada", words: str = "dismiss") -> MemberChanged:
    asked = (await shop.send(f"{words} {name}", by=by))[-1]
    assert isinstance(asked, RemovalAsked), asked
    (confirm,) = buttons(asked)
    (gone, *_) = [each for each in await shop.send(token=confirm.token, by=by) if isinstance(each, MemberChanged)]
    return gone


async def test_a_role_counts_at_the_very_next_press(shop: Shop) -> None:
    preview = (await shop.send("MUG-01", photos=[PHOTO]))[-1]
    assert isinstance(preview, PreviewReady)
    assert isinstance((await shop.press(Action.APPROVE, preview.card, by="egon"))[-1], Refused)
    assert (await shop.send("role egon approver", by="ada"))[-1] == MemberChanged(
        "egon", Role.APPROVER, "ada", "My shop"
    )
    assert not isinstance((await shop.press(Action.APPROVE, preview.card, by="egon"))[-1], Refused)
    assert [entry.action for entry in await shop.audit() if entry.action == "role"] == ["role"]


async def test_taking_a_role_counts_at_the_very_next_press(shop: Shop) -> None:
    preview = (await shop.send("MUG-01", photos=[PHOTO]))[-1]
    assert isinstance(preview, PreviewReady)
    await shop.send("role april viewer", by="ada")
    refused = (await shop.press(Action.APPROVE, preview.card, by="april"))[-1]
    assert isinstance(refused, Refused)
    assert refused.code == "not_allowed"


@pytest.mark.parametrize("words", ["dismiss", "remove", "remove member"])
async def test_whoever_is_removed_is_a_stranger_at_their_next_word(shop: Shop, words: str) -> None:
    assert (await dismissed(shop, "april", words=words)).role is None
    refused = (await shop.send("members", by="april"))[-1]
    assert isinstance(refused, Refused)
    assert refused.code == "not_a_member"
    members = (await shop.send("members", by="ada"))[-1]
    assert isinstance(members, MemberList)
    assert "april" not in [member.name for member in members.members]


async def test_nothing_is_removed_before_the_question_is_answered(shop: Shop) -> None:
    await shop.send("dismiss april", by="ada")
    assert not isinstance((await shop.send("members", by="april"))[-1], Refused)


async def test_a_part_of_a_picture_is_no_colleague(shop: Shop) -> None:
    await shop.send("MUG-01", photos=[PHOTO], by="ada")
    assert not any(isinstance(reply, RemovalAsked) for reply in await shop.send("remove the leaf", by="ada"))


async def test_removal_ends_the_browsers_logins_and_the_invitations_they_made(shop: Shop) -> None:
    await shop.send("role april admin", by="ada")
    invited = (await shop.send("invite admin", by="april"))[-1]
    assert isinstance(invited, Invited)
    logins, now = SqlConsoleLogins(shop.database), shop.clock()
    april = shop.members["april"]
    cookie = await logins.redeem(await logins.offer(april.member_id, now=now), now=now)
    assert cookie is not None
    assert await logins.find(cookie, now=now) is not None
    await dismissed(shop, "april")
    assert await logins.find(cookie, now=now) is None
    await say(shop, f"join {invited.code}", key="back")
    refused = (await shop.said())[-1]
    assert isinstance(refused, Refused)


async def test_a_workspace_that_vouches_does_not_bring_back_whom_an_admin_removed(shop: Shop) -> None:
    sam = Actor(ChatName.SLACK, "U1", "Slack Sam")
    desk = ChatDesk(shop.desk, shop.events, shop.team.team_id, hold=None)  # type: ignore[arg-type]
    assert (await desk.admit(sam, Role.EDITOR)) is not None
    await dismissed(shop, "Slack Sam")
    assert await desk.member(sam) is None
    assert await desk.admit(sam, Role.EDITOR) is None
    assert await desk.member(sam) is None
    await say(shop, f"join {await code_for(shop, 'viewer')}", actor=sam, place=Place(ChatName.SLACK, "D1"), key="again")
    back = await desk.member(sam)
    assert back is not None
    assert back.role is Role.VIEWER


async def test_the_last_admin_stays_one(shop: Shop) -> None:
    for words in ("role ada editor", "dismiss ada"):
        refused = (await shop.send(words, by="ada"))[-1]
        assert isinstance(refused, Refused)
        assert "last admin" in refused.sentence
    await shop.send("role april admin", by="ada")
    assert isinstance((await shop.send("role ada editor", by="ada"))[-1], MemberChanged)


async def test_two_admins_who_remove_each_other_at_once_leave_one(busy_shop: Shop) -> None:
    shop = busy_shop
    await shop.send("role april admin", by="ada")
    taken = [await shop.take("role ada viewer", by="april"), await shop.take("role april viewer", by="ada")]
    await asyncio.gather(*(shop.run_intake(each) for each in taken))
    async with shop.desk.work.reading() as rows:
        members = await rows.people.members(shop.team.team_id)
    assert len([member for member in members if member.role is Role.ADMIN]) == 1


async def test_the_local_owner_stays_an_admin(shop: Shop) -> None:
    owner = Actor(ChatName.CONSOLE, LOCAL_OWNER, LOCAL_OWNER)
    await ensure_member(shop.database, shop.team.team_id, LOCAL_OWNER, Role.ADMIN, owner)
    refused = (await shop.send("dismiss owner", by="ada"))[-1]
    assert isinstance(refused, Refused)
    assert "on its own machine" in refused.sentence


async def test_two_people_of_one_name_are_told_apart(shop: Shop) -> None:
    for number in ("1", "2"):
        actor = Actor(ChatName.TELEGRAM, number, "Nina")
        await ensure_member(shop.database, shop.team.team_id, "Nina", Role.EDITOR, actor)
    asked = (await shop.send("role Nina approver", by="ada"))[-1]
    assert isinstance(asked, Refused)
    assert "2 people called Nina" in asked.sentence
    choice = asked.sentence.split("`")[1]
    assert isinstance((await shop.send(choice, by="ada"))[-1], MemberChanged)
    assert isinstance((await shop.send("role nobody approver", by="ada"))[-1], Refused)


async def test_the_person_is_told_where_they_talk_to_us(shop: Shop) -> None:
    await ensure_member(shop.database, shop.team.team_id, "Nina", Role.EDITOR, NINA)
    await shop.send("role Nina approver", by="ada")
    async with shop.database.read() as db_session:
        rows = (await db_session.execute(select(OutboxRow).where(OutboxRow.place_id == "777"))).scalars().all()
    assert [(row.chat, row.reply["type"], row.reply["is_you"]) for row in rows] == [("telegram", "MemberChanged", True)]


# ---------------------------------------------------------------- invitations


async def test_an_invitation_can_be_ended_before_it_is_used(shop: Shop) -> None:
    code = await code_for(shop)
    listed = (await shop.send("invitations", by="ada"))[-1]
    assert isinstance(listed, InvitationList)
    (line,) = listed.lines
    assert line.invitation_id not in code
    assert isinstance((await shop.send(f"revoke {line.invitation_id}", by="ada"))[-1], InvitationRevoked)
    await say(shop, f"join {code}", key="late")
    assert isinstance((await shop.said())[-1], Refused)
    assert isinstance((await shop.send(f"revoke {line.invitation_id}", by="ada"))[-1], Refused)


async def test_a_code_is_good_once_and_for_a_week(shop: Shop) -> None:
    code = await code_for(shop)
    await say(shop, f"join {code}", key="first")
    assert isinstance((await shop.said())[-1], Joined)
    await say(
        shop, f"join {code}", actor=Actor(ChatName.TELEGRAM, "9", "Late"), place=Place(ChatName.TELEGRAM, "9"), key="2"
    )
    assert isinstance((await shop.said())[-1], Refused)
    late = await code_for(shop)
    shop.clock.now += timedelta(days=8)
    await say(
        shop, f"join {late}", actor=Actor(ChatName.TELEGRAM, "9", "Late"), place=Place(ChatName.TELEGRAM, "9"), key="3"
    )
    assert isinstance((await shop.said())[-1], Refused)
    listed = (await shop.send("invitations", by="ada"))[-1]
    assert listed == InvitationList(())


# ---------------------------------------------------------------- several shops


async def test_a_person_of_two_shops_switches_their_private_talk(shop: Shop) -> None:
    for team in (shop.team, shop.other_team):
        await ensure_member(shop.database, team.team_id, "Nina", Role.EDITOR, NINA)
    desk = ChatDesk(shop.desk, shop.events, shop.team.team_id, hold=None)  # type: ignore[arg-type]
    assert (await desk.at(HERS, NINA)).team_id == shop.team.team_id
    await say(shop, "team", key="where")
    assert (await shop.said())[-1] == TeamShown("My shop", Role.EDITOR, ("Another shop",))
    await say(shop, "team Another shop", key="switch")
    assert (await shop.said())[-1] == TeamShown("Another shop", Role.EDITOR, ("My shop",))
    assert (await desk.at(HERS, NINA)).team_id == shop.other_team.team_id
    await say(shop, "team Nobody's", key="none")
    assert isinstance((await shop.said())[-1], Refused)


async def test_a_group_is_of_the_shop_whose_member_spoke_first(shop: Shop) -> None:
    group = Place(ChatName.TELEGRAM, "-100")
    olga = Actor(ChatName.TELEGRAM, "8", "Olga")
    await ensure_member(shop.database, shop.team.team_id, "Nina", Role.EDITOR, NINA)
    await ensure_member(shop.database, shop.other_team.team_id, "Olga", Role.ADMIN, olga)
    desk = ChatDesk(shop.desk, shop.events, shop.team.team_id, hold=None)  # type: ignore[arg-type]
    stranger = Actor(ChatName.TELEGRAM, "5", STRANGER)
    await desk.at(group, stranger, settles=True)
    assert (await desk.at(group, olga, settles=True)).team_id == shop.other_team.team_id
    assert (await desk.at(group, NINA, settles=True)).team_id == shop.other_team.team_id
    await say(shop, "team My shop", actor=olga, place=group, team_id=shop.other_team.team_id, key="no")
    assert isinstance((await shop.said())[-1], Refused)


async def test_a_press_is_of_the_shop_whose_card_it_stands_on(shop: Shop) -> None:
    for team in (shop.team, shop.other_team):
        await ensure_member(shop.database, team.team_id, "Nina", Role.ADMIN, NINA)
    await say(shop, "team Another shop", key="switch")
    await say(shop, "help", key="card")
    async with shop.database.begin() as db_session:
        await db_session.execute(
            update(PostedMessageRow).where(PostedMessageRow.event_key == "telegram:card").values(native_id="42")
        )
    desk = ChatDesk(shop.desk, shop.events, shop.team.team_id, hold=None)  # type: ignore[arg-type]
    assert (await desk.at(HERS, NINA)).team_id == shop.other_team.team_id
    assert (await desk.at(HERS, NINA, message_id="42")).team_id == shop.team.team_id


async def test_a_code_of_another_shop_takes_a_telegram_talk_there_and_no_slack_one(shop: Shop) -> None:
    invited = (await shop.send("invite editor", by="olga"))[-1]
    assert isinstance(invited, Invited)
    slack = Actor(ChatName.SLACK, "U7", "Sue")
    await say(shop, f"join {invited.code}", actor=slack, place=Place(ChatName.SLACK, "D7"), key="slack")
    assert isinstance((await shop.said())[-1], Refused)
    await say(shop, f"join {invited.code}", key="telegram")
    assert (await shop.said())[-1] == Joined("Nina", Role.EDITOR, "Another shop")
    desk = ChatDesk(shop.desk, shop.events, shop.team.team_id, hold=None)  # type: ignore[arg-type]
    assert (await desk.at(HERS, NINA)).team_id == shop.other_team.team_id
