"""A digest in Slack: one message with the chart in it, its table under it, and a press that asks how long to be quiet."""

from __future__ import annotations

from imaging.cover_chart import PillowCharts
from tests.fakes.slack_people import labels
from tests.slack.rig import Rig
from tests.stock.mornings import morning, open_for_weeks


async def test_the_chart_is_in_the_message_and_the_table_in_its_thread(rig: Rig) -> None:
    await open_for_weeks(rig.shop, sells={"MUG-01": 3}, left={"MUG-01": 0})
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "alerts on tz Europe/Berlin")
    await rig.work()
    assert "A message here each day at 8:00" in rig.slack.posted("DANNA")[-1]["text"]
    await morning(rig.shop, charts=PillowCharts())
    await rig.work()
    digest, *below = [message for message in rig.slack.posted("DANNA") if message["text"]][-2:]
    assert "Nothing sold" not in digest["text"]
    picture = next(block for block in digest["blocks"] if block["type"] == "image")
    file = rig.slack.files[picture["slack_file"]["id"]]
    assert file.name == "stock-2026-11-24.png"
    assert picture["alt_text"].startswith("Days until it is gone: Blue mug")
    assert [message["thread_ts"] for message in below] == [digest["ts"]]
    assert "stock-2026-11-24.csv" in {each.name for each in rig.slack.files.values()}
    assert labels(digest["blocks"]) == ["🔕 Snooze"]
    await rig.people.press(anna, "DANNA", digest["ts"], "🔕 Snooze")
    await rig.work()
    asked = rig.slack.posted("DANNA")[-1]
    assert labels(asked["blocks"]) == ["1 day", "7 days", "Until restock", "Ordered"]
    await rig.people.press(anna, "DANNA", asked["ts"], "7 days")
    await rig.work()
    assert "Quiet about Blue mug until" in rig.slack.posted("DANNA")[-1]["text"]


async def test_the_zone_of_a_profile_is_taken_and_shown(rig: Rig) -> None:
    anna = rig.people.person("Anna", timezone="America/Lima")
    await rig.people.say(anna, "D", "alerts on")
    await rig.work()
    assert "America/Lima, as in your profile" in str(rig.slack.posted("DANNA")[-1]["blocks"])
