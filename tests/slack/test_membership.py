"""What Slack gave, Slack takes: who becomes a guest or is deactivated has no rights at their next press."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.people import Actor, ChatName, Member, Role
from handlers.slack import people as slack_people
from tests.slack.rig import Rig

GUEST, GONE = {"is_restricted": True}, {"deleted": True}


def actor(user: str) -> Actor:
    return Actor(ChatName.SLACK, user, user)


async def member(rig: Rig, user: str) -> Member | None:
    async with rig.shop.desk.work.reading() as rows:
        return await rows.people.find_member(rig.shop.team.team_id, actor(user))


async def invited(rig: Rig, user: str, role: Role) -> None:
    now = rig.shop.clock()
    async with rig.shop.desk.work() as work:
        code = await work.people.invite(rig.shop.team.team_id, role, by="ada", expires_at=now.replace(year=2030))
        assert await work.people.join(code.code, actor(user), now=now)


def become(rig: Rig, user: str, **facts: Any) -> dict[str, Any]:
    """Change somebody's account at Slack; return what its event carries of them."""
    rig.slack.people[user] = replace(rig.slack.people[user], **facts)
    return rig.slack.people[user].as_user(with_locale=False)


async def preview(rig: Rig, user: str) -> str:
    await rig.people.say(user, "D", "enhance MUG-01")
    await rig.work()
    return str(rig.slack.posted(f"D{user[1:]}")[-1]["ts"])


@pytest.mark.parametrize("facts", [GUEST, {"is_ultra_restricted": True}, GONE, {"is_stranger": True}])
async def test_who_is_no_full_member_any_more_presses_in_vain(rig: Rig, facts: dict[str, Any]) -> None:
    anna = rig.people.person("Anna")
    ts = await preview(rig, anna)
    assert (await rig.people.event({"type": "user_change", "user": become(rig, anna, **facts)})).is_taken
    before = await rig.shop.placements()
    await rig.people.press(anna, "DANNA", ts, "Approve")
    await rig.work()
    assert await rig.shop.placements() == before == []
    assert "ask an admin of your shop for an invitation" in rig.slack.posted("DANNA")[-1]["text"]
    assert (await rig.shop.audit_actions()).count("suspended") == 1


async def test_an_event_that_got_lost_is_found_out_within_a_minute(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = rig.people.person("Anna")
    ts = await preview(rig, anna)
    become(rig, anna, **GUEST)
    monkeypatch.setattr(slack_people, "FRESH_S", 0.0)
    await rig.people.press(anna, "DANNA", ts, "Approve")
    await rig.work()
    assert await rig.shop.placements() == []
    assert await member(rig, anna) is None


async def test_what_was_taken_before_is_refused_when_it_is_worked_on(rig: Rig) -> None:
    """The event is a row already; the worker looks again."""
    anna = rig.people.person("Anna")
    ts = await preview(rig, anna)
    await rig.people.press(anna, "DANNA", ts, "Approve")
    await rig.people.event({"type": "user_change", "user": become(rig, anna, **GUEST)})
    await rig.work()
    assert await rig.shop.placements() == []


async def test_a_full_member_again_has_their_old_role_again(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.role(anna, Role.ADMIN)
    await rig.people.say(anna, "D", "help")
    await rig.people.event({"type": "user_change", "user": become(rig, anna, **GUEST)})
    assert await member(rig, anna) is None
    await rig.people.event({"type": "user_change", "user": become(rig, anna, is_restricted=False)})
    await rig.people.say(anna, "D", "help")
    again = await member(rig, anna)
    assert again is not None
    assert again.role is Role.ADMIN


async def test_an_invited_guest_stays_until_the_account_is_closed(rig: Rig) -> None:
    gus = rig.people.person("Gus", **GUEST)
    await invited(rig, gus, Role.VIEWER)
    await rig.people.event({"type": "user_change", "user": become(rig, gus, **GUEST)})
    await rig.people.say(gus, "D", "status")
    assert await member(rig, gus) is not None
    await rig.people.event({"type": "user_change", "user": become(rig, gus, **GONE)})
    assert await member(rig, gus) is None


async def test_a_new_code_lets_a_guest_in_with_its_own_role_and_not_the_old_one(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.role(anna, Role.ADMIN)
    await rig.people.say(anna, "D", "help")
    await rig.people.event({"type": "user_change", "user": become(rig, anna, **GUEST)})
    await invited(rig, anna, Role.VIEWER)
    guest = await member(rig, anna)
    assert guest is not None
    assert guest.role is Role.VIEWER


async def test_a_stranger_who_changes_their_picture_does_not_become_anybody(rig: Rig) -> None:
    anna, zoe = rig.people.person("Anna"), rig.people.person("Zoe")
    await rig.people.say(anna, "D", "help")
    await rig.people.event({"type": "user_change", "user": become(rig, zoe)})
    assert await member(rig, zoe) is None


async def test_while_slack_cannot_tell_only_an_invitation_counts(http_rig: Rig) -> None:
    anna, gus = http_rig.people.person("Anna"), http_rig.people.person("Gus", **GUEST)
    await http_rig.role(anna, Role.EDITOR)
    await invited(http_rig, gus, Role.EDITOR)
    for user, is_taken in ((anna, False), (gus, True)):
        http_rig.slack.fail("users.info", "429")
        assert (await http_rig.people.say(user, "D", "enhance MUG-01")).is_taken is is_taken
    assert (await http_rig.people.say(anna, "D", "enhance MUG-01")).is_taken


async def test_a_known_profile_is_believed_a_little_longer_while_slack_is_away(
    http_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = http_rig.people.person("Anna")
    assert (await http_rig.people.say(anna, "D", "status")).is_taken
    monkeypatch.setattr(slack_people, "FRESH_S", 0.0)
    http_rig.slack.fail("users.info", "429")
    assert (await http_rig.people.say(anna, "D", "status")).is_taken
    monkeypatch.setattr(slack_people, "BELIEVED_S", 0.0)
    http_rig.slack.fail("users.info", "429")
    assert (await http_rig.people.say(anna, "D", "status")).status == 503
