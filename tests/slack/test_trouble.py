"""Files nobody can use, a Slack that goes away, places that close: said once, and nothing lost or doubled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.people import Role
from tests.fakes import BAD_PHOTO
from tests.fakes.slack import BOT_USER
from tests.fakes.slack_state import LOGIN_PAGE
from tests.slack.rig import Rig, taken

PHOTO = b"\xff\xd8\xff a phone photo of a mug"


@pytest.mark.parametrize(
    ("content", "facts", "sentence"),
    [
        (PHOTO, {"is_deleted": True}, "I cannot find that file on Slack"),
        (PHOTO, {"is_lost": True}, "I cannot find that file on Slack"),
        (LOGIN_PAGE.encode(), {}, "files:read"),
        (PHOTO, {"url": "https://evil.example/mug.jpg"}, "only linked from Slack"),
        (BAD_PHOTO, {"type": "application/pdf"}, ""),
    ],
    ids=["deleted", "gone", "login page", "another host", "no picture"],
)
async def test_a_file_that_is_no_photo_is_one_sentence_and_changes_nothing(
    rig: Rig, content: bytes, facts: dict[str, object], sentence: str
) -> None:
    anna = rig.people.person("Anna")
    file = rig.people.file(anna, "mug.jpg", content, **facts)
    before = await rig.shop.placements()
    await rig.people.say(anna, "D", "MUG-01", files=[file])
    await rig.work()
    (told,) = rig.slack.posted("DANNA")
    assert sentence in told["text"]
    assert told["text"].endswith(".")
    assert await rig.shop.placements() == before


async def test_a_file_of_ninety_megabytes_is_fetched_and_one_larger_is_not(http_rig: Rig) -> None:
    anna = http_rig.people.person("Anna")
    file = http_rig.people.file(anna, "mug.tif", PHOTO)
    file.length = 101 * 1024 * 1024
    await http_rig.people.say(anna, "D", "MUG-01", files=[file])
    await http_rig.work()
    assert "101 MB" in http_rig.slack.posted("DANNA")[0]["text"]
    assert http_rig.slack.called("files.info") == []


async def test_ten_minutes_without_slack_lose_nothing_and_double_nothing(http_rig: Rig) -> None:
    rig = http_rig
    anna, ben = rig.people.person("Anna"), rig.people.person("Ben")
    for person in (anna, ben):  # known before, so that the way in works while the way out does not
        await rig.people.say(person, "D", "help")
    await rig.work()
    rig.slack.fail("chat.postMessage", "500", times=1000)
    rig.slack.fail("chat.update", "500", times=1000)
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.people.say(ben, "D", "product MUG-02")
    for _ in range(10):
        await rig.work()
        rig.shop.clock.now += timedelta(minutes=1)
    rig.slack.failures.clear()
    for _ in range(4):
        rig.shop.clock.now += timedelta(minutes=6)
        await rig.work()
    assert [message["text"] for message in rig.slack.posted("DANNA")][1:] == [
        "Blue mug: Your decision. Not live until somebody approves."
    ]
    assert [message["text"] for message in rig.slack.posted("DBEN")][1:] == ["Green mug (MUG-02)"]


async def test_a_post_cut_off_after_it_arrived_is_one_message(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    rig.slack.fail("chat.postMessage", "cut_after")
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    rig.shop.clock.now += timedelta(minutes=6)
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    assert "Your decision" in card["text"]


async def test_a_429_is_waited_out_as_long_as_it_asked(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    rig.slack.fail("chat.postMessage", "429", retry_after=40)
    await rig.people.say(anna, "D", "help")
    await rig.work()
    assert rig.slack.posted("DANNA") == []
    rig.shop.clock.now += timedelta(seconds=41)
    await rig.work()
    assert len(rig.slack.posted("DANNA")) == 1


async def test_an_archived_channel_and_a_revoked_token_are_seen_in_status(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.role(anna, Role.ADMIN)
    shop = rig.people.channel("C1", anna)
    await rig.people.say(anna, shop, f"<@{BOT_USER}> enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted(shop)
    rig.slack.conversations[shop].is_archived = True
    await rig.people.act(anna, shop, card, {"type": "button", "action_id": "press:0", **_first_button(card)})
    await rig.work()
    calls = len(rig.slack.called("chat.update"))
    rig.shop.clock.now += timedelta(hours=1)
    await rig.work()
    assert len(rig.slack.called("chat.update")) == calls, "an archived channel is not tried for ever"
    await rig.people.say(anna, "D", "status")
    await rig.work()
    status = rig.slack.posted("DANNA")[-1]
    assert "waiting for a decision" in status["text"]
    assert "archived" in str(status["blocks"])
    rig.slack.is_token_revoked = True
    await rig.people.say(anna, "D", "status")
    await rig.work()
    rig.slack.is_token_revoked = False
    rig.shop.clock.now += timedelta(minutes=6)
    await rig.work()
    assert "waiting for a decision" in rig.slack.posted("DANNA")[-1]["text"]


async def test_a_deleted_card_is_not_tried_for_ever(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    del rig.slack.messages["DANNA", card["ts"]]
    await rig.people.act(anna, "DANNA", card, {"type": "button", "action_id": "press:0", **_first_button(card)})
    await rig.work()
    tried = len(rig.slack.called("chat.update"))
    rig.shop.clock.now += timedelta(hours=1)
    await rig.work()
    assert len(rig.slack.called("chat.update")) == tried
    assert [placement.state.value for placement in await rig.shop.placements()] == ["live"]


async def test_the_transcript_tells_the_whole_way(http_rig: Rig) -> None:
    rig = http_rig
    anna = rig.people.person("Anna")
    file = rig.people.file(anna, "mug.jpg", PHOTO)
    await rig.people.say(anna, "D", "MUG-01", files=[file])
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    for label in ("Approve", "Undo"):
        await rig.people.press(anna, "DANNA", card["ts"], label)
        await rig.work()
    told = rig.slack.transcript()
    print(told)
    steps = ["says in DANNA", "acknowledged", "chat.postMessage", "Your decision", "presses 'Approve'", "Live"]
    steps += ["presses 'Undo'", "Undone"]
    at = -1
    for step in steps:
        at = told.find(step, at + 1)
        assert at >= 0, f"{step} is missing, or out of order"
    assert told.count("chat.postMessage") == 1
    assert len(await taken(rig.shop)) == 3


def _first_button(card: dict[str, object]) -> dict[str, str]:
    blocks: list[dict[str, list[dict[str, str]]]] = card["blocks"]  # type: ignore[assignment]
    return {"value": blocks[-1]["elements"][0]["value"]}
