"""App Home, and what happens after an acknowledgement."""

from __future__ import annotations

import json
import logging

import pytest

from domain.people import Role
from domain.replies import PreviewReady, SettingsShown
from handlers.slack.home import home_view
from handlers.slack.modals import enhance_photo_modal, enhance_sku_modal, redo_modal, reject_modal, settings_modal
from handlers.slack.wire import attachments_of
from handlers.words import Words
from tests.console.samples import HOSTILE, every_reply
from tests.fakes.slack_blocks import refusals
from tests.fakes.slack_people import labels
from tests.slack.rig import Rig

FILE = {"is_unshowable": False, "mimetype": "image/jpeg"}


async def test_home_shows_what_waits_and_a_press_there_counts(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    await rig.people.open_home(anna)
    await rig.work()
    assert labels(rig.slack.homes[anna]["blocks"]) == ["Approve", "Reject", "Settings"]
    assert "Blue mug" in json.dumps(rig.slack.homes[anna])
    assert (await rig.people.press_home(anna, "Approve")).is_taken
    await rig.listeners.settle()
    assert "on its way" in str(rig.slack.homes[anna])
    assert labels(rig.slack.homes[anna]["blocks"]) == ["Settings"]
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    assert "Live" in card["text"]
    await rig.people.open_home(anna)
    await rig.work()
    assert "Nothing waits" in str(rig.slack.homes[anna])


async def test_a_rejection_at_home_asks_for_a_reason_too(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    await rig.people.open_home(anna)
    await rig.work()
    await rig.people.press_home(anna, "Reject")
    await rig.people.submit(anna, rig.people.newest_view, reason="too dark")
    await rig.work()
    assert "too dark" in rig.slack.posted("DANNA")[0]["text"]


async def test_an_editor_sees_what_waits_and_who_decides(rig: Rig) -> None:
    anna, edith = rig.people.person("Anna"), rig.people.person("Edith")
    await rig.role(edith, Role.EDITOR)
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    await rig.people.open_home(edith)
    await rig.work()
    assert "An approver decides." in str(rig.slack.homes[edith])


def pictures(rig: Rig, user: str) -> list[str]:
    """The file ids that stand beside what waits."""
    beside = [block.get("accessory", {}) for block in rig.slack.homes[user]["blocks"]]
    return [each["slack_file"]["id"] for each in beside if "slack_file" in each]


async def test_what_waits_has_the_picture_of_its_card_beside_it(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    await rig.people.open_home(anna)
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    (shown,) = [block["slack_file"]["id"] for block in card["blocks"] if block["type"] == "image"]
    assert pictures(rig, anna) == [shown]
    assert len(rig.slack.called("files.getUploadURLExternal")) == 1, "one upload serves the card and the Home"
    assert len(rig.slack.called("views.publish")) == 1, "and nothing is drawn twice"


async def test_a_picture_asked_for_in_another_chat_comes_a_moment_later_and_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.slack.home.SHOWN_THUMBNAILS", 2)
    for number in range(3):
        await rig.shop.send("MUG-01", photos=[f"photo {number}".encode()])
    anna, ben = rig.people.person("Anna"), rig.people.person("Ben")
    await rig.people.open_home(anna)
    await rig.work()
    first, second = rig.slack.called("views.publish")
    assert "slack_file" not in str(first)
    assert "slack_file" in str(second)
    assert len(pictures(rig, anna)) == 2, "no more than that many uploads"
    await rig.people.open_home(ben)
    await rig.work()
    assert len(pictures(rig, ben)) == 2
    assert len(rig.slack.called("files.getUploadURLExternal")) == 2


@pytest.mark.parametrize(
    ("method", "how"), [("files.getUploadURLExternal", "429"), ("views.publish", "invalid_blocks")]
)
async def test_a_picture_slack_will_not_show_leaves_the_words(rig: Rig, method: str, how: str) -> None:
    await rig.shop.send("MUG-01", photos=[b"a photo"])
    anna = rig.people.person("Anna")
    if method == "views.publish":
        await rig.people.open_home(anna)
        await rig.work()
        assert len(pictures(rig, anna)) == 1
    rig.slack.fail(method, how)
    await rig.people.open_home(anna)
    await rig.work()
    assert pictures(rig, anna) == []
    assert labels(rig.slack.homes[anna]["blocks"]) == ["Approve", "Reject", "Settings"]


async def test_a_strangers_home_says_how_to_be_invited(rig: Rig) -> None:
    gus = rig.people.person("Gus", is_restricted=True)
    await rig.people.open_home(gus)
    await rig.listeners.settle()
    assert "ask an admin" in str(rig.slack.homes[gus])
    assert labels(rig.slack.homes[gus]["blocks"]) == []


async def test_settings_are_changed_in_a_modal(rig: Rig) -> None:
    anna = rig.people.person("Anna", locale="en-GB")
    await rig.role(anna, Role.ADMIN)
    await rig.people.open_home(anna)
    await rig.listeners.settle()
    await rig.people.press_home(anna, "Settings")
    wrong = await rig.people.submit(anna, rig.people.newest_view, timezone="Mars/Olympus")
    assert "Europe/Berlin" in wrong.answer["errors"]["timezone"]
    await rig.people.submit(anna, rig.people.newest_view, language="en", timezone="America/New_York", previews="on")
    await rig.work()
    assert "America/New_York" in json.dumps(rig.slack.posted("DANNA")[-1])
    await rig.people.open_home(anna)
    await rig.listeners.settle()
    assert "every new preview" in json.dumps(rig.slack.homes[anna])


async def test_who_may_not_watch_is_not_asked_about_previews(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.open_home(anna)
    await rig.listeners.settle()
    await rig.people.press_home(anna, "Settings")
    await rig.people.submit(anna, rig.people.newest_view, timezone="America/New_York")
    await rig.work()
    assert "America/New_York" in json.dumps(rig.slack.posted("DANNA")[-1])


async def test_what_fails_after_the_acknowledgement_is_logged_and_told(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    anna = rig.people.person("Anna")
    rig.slack.fail("views.publish", "internal_error")
    with caplog.at_level(logging.ERROR):
        assert (await rig.people.open_home(anna)).is_taken
        await rig.listeners.settle()
    assert "slack_late_failure" in caplog.text
    assert [message["text"] for message in rig.slack.posted("DANNA")] == [
        "That did not work, and it is my fault: try again in a minute."
    ]


async def test_a_trigger_that_ran_out_is_told_and_changes_nothing(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    rig.slack.fail("views.open", "expired_trigger_id")
    assert (await rig.people.press(anna, "DANNA", card["ts"], "Reject")).is_taken
    await rig.listeners.settle()
    assert "press again" in rig.slack.posted("DANNA")[-1]["text"]
    await rig.people.press(anna, "DANNA", card["ts"], "Reject")
    assert len(rig.slack.views) == 1


@pytest.mark.parametrize("language", ["en", "de"])
def test_home_and_modals_are_within_slacks_limits(language: str) -> None:
    words = Words(language, "Europe/Berlin")
    waiting = [reply for reply in every_reply(HOSTILE * 20) if isinstance(reply, PreviewReady)] * 50
    settings = SettingsShown("de", "Europe/Berlin", previews=True)
    thumbnails = {reply.card.enhancement_id: "F1" for reply in waiting}
    home = home_view(waiting, settings, words, may_decide=True, thumbnails=thumbnails)
    assert refusals(home["blocks"], "home", lambda _file_id: FILE) == []
    photos = attachments_of([{"id": f"F{'x' * 20}", "name": 'ü"\\' * 90, "mimetype": "image/jpeg", "size": 10**9}] * 20)
    about = {
        "channel": "C" * 20,
        "thread": "1770000000.000100",
        "message": "1770000000.000100",
        "token": "v1:" + "x" * 60,
    }
    for view in (
        reject_modal(about, words),
        redo_modal(about, words),
        enhance_sku_modal(words),
        enhance_photo_modal(about, photos, words),
        settings_modal(settings, about, words, may_watch=True),
    ):
        assert refusals(view["blocks"], "modal", lambda _file_id: None) == []
        assert len(view["private_metadata"]) <= 3000
        for part in ("title", "submit", "close"):
            assert len(view[part]["text"]) <= 24
            assert not view[part]["text"].endswith("…"), f"{part} is cut in {language}"
