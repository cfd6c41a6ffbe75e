"""`history`: of a product, a person, today, all; page by page, or as a file that no spreadsheet computes."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from domain.data_replies import FileReady
from domain.people import ChatName, Place
from domain.replies import HistoryShown, Refused
from domain.rows import AuditEntry
from domain.sentences import Sentence
from handlers.history import PAGE_LINES, audit_csv, harmless
from handlers.history_words import ACTIONS, history_sentence
from handlers.words import Words
from tests.handlers.shop import Shop

FORMULAS = ("=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1dcmd|'/c calc'!A0", "|calc", "%0A=1")


async def add(
    shop: Shop, *, who: str, sku: str = "", what: str = "revision 1", at: datetime | None = None, times: int = 1
) -> None:
    for _ in range(times):
        async with shop.desk.work() as work:
            await work.audit(AuditEntry(shop.team.team_id, at or shop.clock(), who, "approved", sku, "", what))


async def shown(shop: Shop, words: str) -> HistoryShown:
    (reply,) = await shop.send(words, by="vera")
    assert isinstance(reply, HistoryShown), reply
    return reply


async def test_it_is_asked_for_by_product_person_day_and_page(shop: Shop) -> None:
    long_ago = shop.clock() - timedelta(days=3)
    await add(shop, who="Anna Weiß", sku="MUG-01", at=long_ago)
    await add(shop, who="Anna Weiß", sku="BOWL-2", times=3)
    await add(shop, who="Bob", sku="MUG-01", times=PAGE_LINES)
    assert {line.sku for line in (await shown(shop, "history mug-01")).lines} == {"MUG-01"}
    for words in ("history Anna Weiß", "history anna", "history ANNA WEISS".replace("SS", "ß")):
        assert [(line.who) for line in (await shown(shop, words)).lines] == ["Anna Weiß"] * 4
    assert len((await shown(shop, "history anna today")).lines) == 3
    first, second = await shown(shop, "history"), await shown(shop, "history all page=2")
    assert (first.pages, first.total, len(first.lines)) == (2, PAGE_LINES + 4, PAGE_LINES)
    assert (second.page, len(second.lines)) == (2, 4)
    (refused,) = await shop.send("history page=3", by="vera")
    assert isinstance(refused, Refused)
    assert "page=2" in refused.sentence


async def test_todays_midnight_is_the_places_own(shop: Shop) -> None:
    await shop.send("settings timezone=Pacific/Auckland", by="vera")
    shop.clock.now = datetime(2026, 3, 1, 13, 0, tzinfo=UTC)  # 2 March there
    await add(shop, who="Zoe", at=datetime(2026, 3, 1, 10, 0, tzinfo=UTC))
    await add(shop, who="Zoe", at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    assert len((await shown(shop, "history Zoe today")).lines) == 1


async def test_the_file_has_every_line_with_before_and_after(shop: Shop) -> None:
    await shop.send("enhance MUG-01", by="edith")
    await shop.send("approve", by="april")
    (reply,) = await shop.send("history csv", by="vera")
    assert isinstance(reply, FileReady)
    content = shop.media.kept[reply.content]
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["number"] for row in rows] == [str(number) for number in range(len(rows), 0, -1)]
    approved = next(row for row in rows if row["action"] == "approved")
    assert approved["who"] == "april"
    assert approved["where"] == "console room"
    assert "awaiting_decision" in approved["before"]
    assert "approved" in approved["after"]
    async with shop.desk.work.reading() as found:
        assert await found.data.find_file(shop.team.team_id, reply.file_id)
        assert await found.data.find_file(shop.other_team.team_id, reply.file_id) is None


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_is_a_formula(cell: str) -> None:
    entry = AuditEntry("t", datetime(2026, 3, 1, tzinfo=UTC), cell, cell, cell, "", cell, about=cell, place=Place(ChatName.SLACK, cell))  # fmt: skip
    (row,) = list(csv.reader(io.StringIO(audit_csv([entry], Words()).decode("utf-8-sig"))))[1:]
    assert [
        each
        for each in row
        if each.lstrip()[:1] in set("=+-@|%\uff1d\uff0b\uff0d\uff20") or (each[:1] in "\t\r" and each)
    ] == []


def test_ordinary_cells_stay_as_they_are() -> None:
    for cell in ("MUG-01", "Anna", "", "approved", "it's", "3.50"):
        assert harmless(cell) == cell


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_every_line_is_said_in_german_too(action: str) -> None:
    entry = AuditEntry("t", datetime(2026, 3, 1, tzinfo=UTC), "Anna", action, "", "", "revision 2", about="Bea")
    said, german = history_sentence(entry), Words("de").sentence(history_sentence(entry))
    assert isinstance(said, Sentence)
    assert german != str(said)
    if "{what}" in ACTIONS[action]:
        assert "Fassung 2" in german
    if "{about}" in ACTIONS[action]:
        assert "Bea" in german


def test_an_action_without_words_is_shown_as_it_is() -> None:
    entry = AuditEntry("t", datetime(2026, 3, 1, tzinfo=UTC), "Anna", "stock_set", "MUG-01", "", "{odd} 12")
    assert Words("de").sentence(history_sentence(entry)) == "stock set {odd} 12"
