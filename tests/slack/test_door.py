"""Who is heard, and who is not: signatures, sizes, strangers, guests, doubles, a database that is away."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from domain.people import Actor, ChatName, Role
from tests.fakes.slack import BOT_USER, SIGNING_SECRET
from tests.fakes.slack_people import signed
from tests.fakes.slack_state import BOT_ID, OTHER_TEAM
from tests.handlers.shop import Shop
from tests.slack.rig import Rig, open_rig, taken

JSON = {"Content-Type": "application/json"}


async def _role(rig: Rig, user: str) -> Role | None:
    async with rig.shop.desk.work.reading() as rows:
        member = await rows.people.find_member(rig.shop.team.team_id, Actor(ChatName.SLACK, user, user))
    return member.role if member else None


# ---------------------------------------------------------------- signed HTTP


async def test_slack_proves_that_it_knows_us(http_rig: Rig) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c1"}).encode()
    delivered = await http_rig.people.post(body, JSON | signed(body))
    assert delivered.status == 200
    assert delivered.answer == {"challenge": "c1"}


@pytest.mark.parametrize(
    "make_headers",
    [  # made when the test runs: what was signed at collection has aged by then
        dict,
        lambda: signed(b"another body"),
        lambda: signed(b"{}", secret="not the secret"),
        lambda: signed(b"{}", age_s=301 + 5),
        lambda: signed(b"{}", age_s=-600),
        lambda: signed(b"{}") | {"X-Slack-Signature": "v0="},
        lambda: signed(b"{}") | {"X-Slack-Request-Timestamp": "soon"},
    ],
    ids=["unsigned", "other body", "other secret", "replayed", "from the future", "empty", "no time"],
)
async def test_what_slack_did_not_sign_is_not_even_read(
    http_rig: Rig, make_headers: Callable[[], dict[str, str]]
) -> None:
    delivered = await http_rig.people.post(b"{}", JSON | make_headers())
    assert delivered.status == 401
    assert await taken(http_rig.shop) == []


async def test_a_body_larger_than_any_event_is_refused(http_rig: Rig) -> None:
    body = b'{"a": "' + b"x" * 1_000_001 + b'"}'
    assert (await http_rig.people.post(body, JSON | signed(body))).status == 413


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe\x00", b"payload=%7B", b"[]", b"null", b"{}", b""])
async def test_a_malformed_body_changes_nothing_and_breaks_nothing(http_rig: Rig, body: bytes) -> None:
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        delivered = await http_rig.people.post(body, {"Content-Type": content_type} | signed(body))
        assert delivered.status in {200, 400, 404}, delivered
    assert await taken(http_rig.shop) == []
    anna = http_rig.people.person("Anna")
    assert (await http_rig.people.say(anna, "D", "help")).is_taken


async def test_without_a_signing_secret_there_is_no_door(shop: Shop) -> None:
    async with open_rig(shop, "socket") as rig:
        assert rig.listeners.routes() != []
        assert SIGNING_SECRET
        rig.listeners._signing_secret = ""
        assert rig.listeners.routes() == []


# ---------------------------------------------------------------- once, and not lost


async def test_a_duplicate_is_one_event(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "enhance MUG-01")
    assert (await rig.people.again()).is_taken
    assert (await rig.people.again(retry_num=0)).is_taken
    assert len(await taken(rig.shop)) == 1


async def test_a_retry_counts_when_the_first_delivery_was_lost(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    rig.people.ack_s = 0.3
    rig.shop.door.is_away = True
    assert not (await rig.people.say(anna, "D", "enhance MUG-01")).is_taken
    rig.shop.door.is_away = False
    assert (await rig.people.again(retry_num=1)).is_taken
    assert len(await taken(rig.shop)) == 1


async def test_a_press_that_could_not_be_taken_is_not_acknowledged(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    rig.people.ack_s = 0.3
    rig.shop.door.is_away = True
    assert not (await rig.people.press(anna, "DANNA", card["ts"], "Approve")).is_taken


async def test_nothing_is_acknowledged_while_slack_cannot_say_who_we_are(http_rig: Rig) -> None:
    anna = http_rig.people.person("Anna")
    http_rig.slack.fail("auth.test", "500")
    assert (await http_rig.people.say(anna, "D", "enhance MUG-01")).status == 503
    assert (await http_rig.people.again()).is_taken
    assert len(await taken(http_rig.shop)) == 1


async def test_nothing_is_acknowledged_while_slack_cannot_say_who_somebody_is(http_rig: Rig) -> None:
    anna = http_rig.people.person("Anna")
    http_rig.slack.fail("users.info", "429")
    assert (await http_rig.people.say(anna, "D", "enhance MUG-01")).status == 503
    assert (await http_rig.people.again()).is_taken


# ---------------------------------------------------------------- who


async def test_a_full_member_of_the_workspace_is_a_member(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "help")
    assert await _role(rig, anna) is Role.APPROVER


async def test_a_profile_is_asked_for_once(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    for _ in range(5):
        await rig.people.say(anna, "D", "help")
    assert len(rig.slack.called("users.info")) == 1


async def test_a_role_given_before_is_kept(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.role(anna, Role.ADMIN)
    await rig.people.say(anna, "D", "help")
    assert await _role(rig, anna) is Role.ADMIN


@pytest.mark.parametrize(
    "facts",
    [
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"is_stranger": True},
        {"deleted": True},
        {"is_bot": True},
        {"team": OTHER_TEAM},
        {"team": OTHER_TEAM, "is_stranger": True},
    ],
    ids=["guest", "single-channel guest", "stranger", "deleted", "bot", "other workspace", "Slack Connect"],
)
async def test_everybody_else_hears_one_polite_sentence_and_changes_nothing(rig: Rig, facts: dict[str, object]) -> None:
    anna, gus = rig.people.person("Anna"), rig.people.person("Gus", **facts)
    shop = rig.people.channel("C1", anna, gus)
    before = await rig.shop.everything()
    assert (await rig.people.say(gus, shop, f"<@{BOT_USER}> enhance MUG-01")).is_taken
    await rig.work()
    (told,) = rig.slack.ephemerals
    assert told["user"] == gus
    assert "ask an admin of your shop for an invitation" in told["text"]
    assert rig.slack.posted(shop) == []
    assert await rig.shop.everything() == before
    assert await _role(rig, gus) is None


async def test_somebody_slack_will_not_show_us_is_a_stranger(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1", anna, "UHIDDEN")
    ts = rig.slack.keep(shop, {"user": "UHIDDEN", "text": "x"})["ts"]
    said = {"type": "app_mention", "channel": shop, "user": "UHIDDEN", "ts": ts, "text": f"<@{BOT_USER}> status"}
    assert (await rig.people.event(said)).is_taken
    await rig.work()
    assert [told["user"] for told in rig.slack.ephemerals] == ["UHIDDEN"]


async def test_a_mention_of_somebody_whose_name_begins_as_ours_is_not_for_us(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1", anna)
    await rig.people.say(anna, shop, f"<@{BOT_USER}2> status", twin=False)
    assert await taken(rig.shop) == []


async def test_a_guest_can_be_invited(rig: Rig) -> None:
    anna, gus = rig.people.person("Anna"), rig.people.person("Gus", is_restricted=True)
    await rig.role(anna, Role.ADMIN)
    await rig.people.say(anna, "D", "invite editor")
    await rig.work()
    code = rig.slack.posted("DANNA")[-1]["text"].split("`")[1]
    await rig.people.say(gus, "D", code)
    await rig.work()
    assert await _role(rig, gus) is Role.EDITOR


async def test_an_event_of_another_workspace_is_left_alone(rig: Rig) -> None:
    anna = rig.people.person("Anna", team=OTHER_TEAM)
    message = {"type": "message", "channel": "D1", "channel_type": "im", "user": anna, "ts": "1.1", "text": "help"}
    assert (await rig.people.event(message, team_id=OTHER_TEAM)).is_taken
    assert await taken(rig.shop) == []


@pytest.mark.parametrize(
    "more",
    [
        {"bot_id": BOT_ID, "user": BOT_USER},
        {"bot_id": "B2"},
        {"subtype": "bot_message", "bot_id": "B2"},
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"edited": {"user": "UANNA", "ts": "1.2"}},
        {"text": " "},
    ],
    ids=["our own", "a bot", "old bot", "edit", "deletion", "join", "edited", "empty"],
)
async def test_what_nobody_said_to_us_is_acknowledged_and_forgotten(rig: Rig, more: dict[str, object]) -> None:
    anna = rig.people.person("Anna")
    assert (await rig.people.say(anna, "D", "enhance MUG-01", more=more)).is_taken
    assert await taken(rig.shop) == []


async def test_somebody_without_the_role_publishes_nothing_by_a_press(rig: Rig) -> None:
    anna, vera = rig.people.person("Anna"), rig.people.person("Vera")
    await rig.role(vera, Role.VIEWER)
    shop = rig.people.channel("C1", anna, vera)
    await rig.people.say(anna, shop, f"<@{BOT_USER}> enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted(shop)
    await rig.people.press(vera, shop, card["ts"], "Approve")
    await rig.people.press(vera, shop, card["ts"], "Reject")
    await rig.people.press(vera, shop, card["ts"], "Redo")
    await rig.work()
    assert rig.slack.views == {}
    assert {told["user"] for told in rig.slack.ephemerals} == {vera}
    assert await rig.shop.placements() == []


async def test_a_forged_button_is_refused(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    action = {"type": "button", "action_id": "press:0", "value": "v9:approve:x:1"}
    assert (await rig.people.act(anna, "DANNA", card, action)).is_taken
    unknown = {"type": "button", "action_id": "from an older version", "value": "x"}
    assert (await rig.people.act(anna, "DANNA", card, unknown)).is_taken
    await rig.work()
    assert "I do not know that button" in rig.slack.posted("DANNA")[-1]["text"]


async def test_a_forwarded_preview_carries_no_power(rig: Rig) -> None:
    """Sharing a message copies its blocks; a press on the copy is a press of whoever pressed."""
    anna, gus = rig.people.person("Anna"), rig.people.person("Gus", is_restricted=True)
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    shop = rig.people.channel("C1", anna, gus)
    rig.slack.keep(shop, {"user": anna, "text": "look", "blocks": card["blocks"]})
    copy = next(message for (place, _), message in rig.slack.messages.items() if place == shop)
    await rig.people.press(gus, shop, copy["ts"], "Approve")
    await rig.work()
    assert await rig.shop.placements() == []
    assert rig.slack.ephemerals[0]["user"] == gus
