"""Corrections in Slack: words in a thread, a press on a part, a line of the menu, and a form for several at once."""

from __future__ import annotations

from typing import Any

import pytest

from domain.hint import FIELDS
from domain.people import Role
from domain.picture import FindingCode
from tests.fakes.slack_people import labels
from tests.handlers.test_corrections import LEFT, RIGHT, found, hints_of
from tests.slack.rig import Rig

PHOTO = b"\xff\xd8\xff a phone photo of a mug"


async def _card(rig: Rig, *, finds: int = 2) -> tuple[str, dict[str, Any]]:
    rig.shop.enhancer.findings = found(*(LEFT, RIGHT)[:finds])
    anna = rig.people.person("Anna")
    file = rig.people.file(anna, "mug.jpg", PHOTO)
    await rig.people.say(anna, "D", "MUG-01", files=[file])
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    return anna, card


async def _question(rig: Rig) -> tuple[str, dict[str, Any]]:
    anna, card = await _card(rig)
    await rig.people.press(anna, "DANNA", card["ts"], "Keep a part")
    await rig.work()
    return anna, rig.slack.posted("DANNA")[-1]


async def test_words_in_a_cards_thread_bring_the_part_back(rig: Rig) -> None:
    anna, card = await _card(rig, finds=1)
    await rig.people.say(anna, "DANNA", "keep the handle", thread=card["ts"])
    await rig.work()
    assert hints_of(rig.shop) == [f"keep {LEFT}"]
    (card,) = [message for message in rig.slack.posted("DANNA") if "Your decision" in message["text"]]
    assert "Compare versions" in str(card["blocks"])


async def test_the_question_shows_the_numbered_photo_and_a_press_answers_it(rig: Rig) -> None:
    anna, question = await _question(rig)
    assert labels(question["blocks"]) == ["Part 1", "Part 2", "Several at once…"]
    assert [block["type"] for block in question["blocks"]].count("image") == 1
    await rig.people.press(anna, "DANNA", question["ts"], "Part 2")
    await rig.work()
    assert hints_of(rig.shop) == [f"keep {RIGHT}"]


async def test_a_field_is_a_line_of_the_menu(rig: Rig) -> None:
    anna, question = await _question(rig)
    await rig.people.press(anna, "DANNA", question["ts"], "C2")
    await rig.work()
    assert hints_of(rig.shop) == [f"keep {FIELDS['C2']}"]


async def test_the_form_takes_several_and_may_turn_keep_into_remove(rig: Rig) -> None:
    anna, question = await _question(rig)
    await rig.people.press(anna, "DANNA", question["ts"], "Several at once…")
    view = rig.slack.views[rig.people.newest_view]
    image = next(block for block in question["blocks"] if block["type"] == "image")
    assert view["blocks"][0]["slack_file"] == image["slack_file"], "the picture is in the form too"
    refused = await rig.people.submit(anna, rig.people.newest_view)
    assert "at least one" in refused.answer["errors"]["fields"]
    await rig.people.submit(anna, rig.people.newest_view, fields="0 2", wants="remove")
    await rig.work()
    assert hints_of(rig.shop) == [f"remove {LEFT}", f"remove {FIELDS['A1']}"]


async def test_the_form_names_the_parts_as_the_picture_does(rig: Rig) -> None:
    kept = found(RIGHT, FIELDS["B2"], code=FindingCode.PART_KEPT, first=2)
    rig.shop.enhancer.findings = (*found(LEFT), *kept)
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    await rig.people.press(anna, "DANNA", rig.slack.posted("DANNA")[-1]["ts"], "Remove a part")
    await rig.work()
    question = rig.slack.posted("DANNA")[-1]
    assert labels(question["blocks"]) == ["Part 2", "Part 3", "Several at once…"]
    await rig.people.press(anna, "DANNA", question["ts"], "Several at once…")
    options = rig.slack.views[rig.people.newest_view]["blocks"][-1]["element"]["options"]
    assert [option["text"]["text"] for option in options[:3]] == ["Part 2", "Part 3", "A1"]
    await rig.people.submit(anna, rig.people.newest_view, fields="0")
    await rig.work()
    assert hints_of(rig.shop) == [f"remove {RIGHT}"]


async def test_a_form_submitted_twice_makes_one_version(rig: Rig) -> None:
    anna, question = await _question(rig)
    await rig.people.press(anna, "DANNA", question["ts"], "Several at once…")
    for _ in range(2):
        await rig.people.submit(anna, rig.people.newest_view, fields="1")
    await rig.work()
    (enhancement,) = await rig.shop.enhancements()
    assert enhancement.revision.number == 2


async def test_a_question_about_an_older_version_is_stale(rig: Rig) -> None:
    anna, question = await _question(rig)
    for label in ("Part 1", "Part 2"):
        await rig.people.press(anna, "DANNA", question["ts"], label)
        await rig.work()
    assert hints_of(rig.shop) == [f"keep {LEFT}"]
    assert "older card" in rig.slack.posted("DANNA")[-1]["text"]


@pytest.mark.parametrize("label", ["Part 1", "C2"])
async def test_the_role_is_checked_at_the_press(rig: Rig, label: str) -> None:
    _anna, question = await _question(rig)
    vera = rig.people.person("Vera", is_restricted=True)
    await rig.role(vera, Role.VIEWER)
    await rig.people.press(vera, "DANNA", question["ts"], label)
    await rig.work()
    assert len(rig.shop.enhancer.made) == 1


async def test_the_versions_are_one_picture_side_by_side(rig: Rig) -> None:
    anna, question = await _question(rig)
    await rig.people.press(anna, "DANNA", question["ts"], "Part 1")
    await rig.work()
    card = next(message for message in rig.slack.posted("DANNA") if "Your decision" in message["text"])
    await rig.people.press(anna, "DANNA", card["ts"], "Compare versions")
    await rig.work()
    compared = rig.slack.posted("DANNA")[-1]
    assert "side by side" in compared["text"]
    assert [block["type"] for block in compared["blocks"]] == ["section", "image", "section"]
    assert "1 part kept" in compared["blocks"][2]["text"]["text"]
