"""What is said under a card in Slack, and refusals in the reader's language."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.retention import look_after_previews
from domain.people import Role
from tests.fakes.slack import BOT_USER
from tests.handlers.shop import PHOTO
from tests.slack.rig import Rig

KEPT = timedelta(days=90)


async def reminded(rig: Rig) -> None:
    rig.shop.clock.now += KEPT
    await look_after_previews(rig.shop.database, rig.shop.desk, kept=KEPT)
    await rig.work()


async def test_a_reminder_hangs_under_the_card_in_direct_messages_and_in_a_channel(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1SHOP", anna)
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.people.say(anna, shop, f"<@{BOT_USER}> enhance MUG-02")
    await rig.work()
    (direct,), (card,) = rig.slack.posted("DANNA"), rig.slack.posted(shop)
    await reminded(rig)
    await reminded(rig)
    for place, thread in (("DANNA", direct["ts"]), (shop, card["thread_ts"])):
        (due,) = [message for message in rig.slack.posted(place) if "still waits for a decision" in message["text"]]
        assert due["thread_ts"] == thread
        assert "<!date^" in due["text"], "in every reader's own time"


async def test_who_asked_in_a_channel_is_told_in_its_thread_what_was_decided_elsewhere(rig: Rig) -> None:
    anna, ben = rig.people.person("Anna"), rig.people.person("Ben")
    shop = rig.people.channel("C1SHOP", anna)
    await rig.people.say(anna, shop, f"<@{BOT_USER}> enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted(shop)
    await rig.people.open_home(ben)
    await rig.work()
    await rig.people.press_home(ben, "Approve")
    await rig.work()
    (told,) = [message for message in rig.slack.posted(shop) if message["ts"] != card["ts"]]
    assert told["thread_ts"] == card["thread_ts"]
    assert "Ben approved your picture of Blue mug (MUG-01)" in told["text"]


async def test_a_decision_in_the_same_channel_says_nothing_twice(rig: Rig) -> None:
    anna, ben = rig.people.person("Anna"), rig.people.person("Ben")
    shop = rig.people.channel("C1SHOP", anna, ben)
    await rig.people.say(anna, shop, f"<@{BOT_USER}> enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted(shop)
    await rig.people.press(ben, shop, card["ts"], "Approve")
    await rig.work()
    assert len(rig.slack.posted(shop)) == 1


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("product NIX-99", "Kein Shop führt die SKU NIX-99."),
        ("enhance MUG-01 background=nocolour", "Den Hintergrund „nocolour“ kenne ich nicht"),
        ("invite admin", "Einladen braucht die Rolle"),
    ],
)
async def test_a_german_is_refused_in_german(rig: Rig, words: str, refusal: str) -> None:
    anna = rig.people.person("Anna", locale="de-DE")
    await rig.people.say(anna, "D", words)
    await rig.work()
    assert refusal in rig.slack.posted("DANNA")[-1]["text"]


async def test_a_failed_picture_says_why_in_german(rig: Rig) -> None:
    anna = rig.people.person("Anna", locale="de-DE")
    await rig.people.say(anna, "D", "enhance VASE-7")
    await rig.work()
    assert "hat bei Shelf noch kein Bild" in rig.slack.posted("DANNA")[-1]["text"]


async def test_an_answer_that_is_also_sent_to_the_channel_is_one_event(rig: Rig) -> None:
    """`thread_broadcast`: the same answer, shown in the channel too."""
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1SHOP", anna)
    await rig.people.say(anna, shop, f"<@{BOT_USER}> enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted(shop)
    said = {"type": "message", "channel": shop, "user": anna, "ts": "1790000000.000100", "text": "no, too dark"}
    said |= {"thread_ts": card["thread_ts"], "subtype": "thread_broadcast"}
    for _ in range(2):
        assert (await rig.people.event(said)).is_taken
    await rig.work()
    (card,) = rig.slack.posted(shop)
    assert "Rejected by Anna" in str(card["blocks"])


async def test_the_role_is_looked_at_when_a_preview_of_another_chat_is_decided_at_home(rig: Rig) -> None:
    edith = rig.people.person("Edith")
    await rig.role(edith, Role.EDITOR)  # before the workspace's own default, which is higher here
    await rig.shop.send("MUG-01", photos=[PHOTO])
    await rig.people.open_home(edith)
    await rig.work()
    assert "Approve" not in str(rig.slack.homes[edith])
