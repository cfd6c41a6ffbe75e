"""A digest in Telegram: the chart with the words under it, the table as a file, and keys that ask how long to be quiet."""

from __future__ import annotations

from imaging.cover_chart import PillowCharts
from tests.fakes.telegram import TelegramServer
from tests.stock.mornings import morning, open_for_weeks
from tests.telegram.bot import TelegramBot


async def test_the_chart_carries_the_words_and_the_table_answers_it(bot: TelegramBot, telegram: TelegramServer) -> None:
    await open_for_weeks(bot.shop, sells={"MUG-01": 3}, left={"MUG-01": 0})
    anna = await bot.member("Anna")
    telegram.say(anna, "/alerts on tz Europe/Berlin")
    await bot.settle()
    assert "A message here each day at 8:00" in telegram.shown(anna)[-1].text
    await morning(bot.shop, charts=PillowCharts())
    await bot.settle()
    digest, table = telegram.shown(anna)[-2:]
    assert digest.photo is not None
    assert digest.photo.startswith(b"\x89PNG")
    assert "Blue mug" in digest.text
    assert "stock-2026-11-24.csv" in table.text
    ((_, name, content),) = telegram.documents
    assert name == "stock-2026-11-24.csv"
    assert b"MUG-01" in content
    assert digest.labels == ["🔕 MUG-01"]
    telegram.press(anna, digest, "MUG-01")
    await bot.settle()
    asked = telegram.shown(anna)[-1]
    assert asked.labels == ["🔕 1 day", "🔕 7 days", "🔕 Until restock", "🔕 Ordered"]
    telegram.press(anna, asked, "Until restock")
    await bot.settle()
    assert "Quiet about Blue mug until some come in" in telegram.shown(anna)[-1].text
