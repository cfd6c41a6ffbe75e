"""`stock`, `received`, `why` and `import` as people use them, over the real ledger and the real shelf."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.catalog import Sku
from domain.errors import StoreDown
from domain.intents import Attachment, Incoming
from domain.people import Actor, ChatName
from domain.replies import Refused, Reply
from domain.stock import Movement, MovementKind
from domain.stock_replies import (
    Imported,
    ImportPreview,
    LowShown,
    StockAnswer,
    StockDoubted,
    StockShown,
    StockWritten,
    WhyShown,
    WrittenLine,
)
from handlers.button import Button
from handlers.buttons import buttons
from handlers.goods_table import EXAMPLE, read_goods
from tests.handlers.shop import ROOM, Shop

TABLE = b"sku,supplier,lead,pack,cost,count\nMUG-01,Clay & Co,14,12,3.50,40\nMUG-02,Clay & Co,14,6,,2\n"


async def said(shop: Shop, words: str, *, by: str = "april", **kept: object) -> StockAnswer:
    (reply,) = await shop.send(words, by=by, **kept)  # type: ignore[arg-type]
    assert isinstance(reply, StockAnswer), reply
    return reply


async def refused(shop: Shop, words: str, *, by: str = "april", **kept: object) -> str:
    (reply,) = await shop.send(words, by=by, **kept)  # type: ignore[arg-type]
    assert isinstance(reply, Refused), reply
    return str(reply.sentence)


def only_button(reply: Reply) -> Button:
    (one,) = buttons(reply)
    return one


async def on_hand(shop: Shop, sku: str) -> int | None:
    async with shop.desk.work.reading() as rows:
        return (await rows.stock.on_hand(shop.team.team_id, [Sku(sku)])).get(Sku(sku).key)


async def test_before_a_count_every_store_is_read_and_the_first_step_is_named(shop: Shop) -> None:
    reply = await said(shop, "stock PLATE-3", by="vera")
    assert isinstance(reply, StockShown)
    (plate,) = reply.products
    assert (plate.sku, plate.title, plate.on_hand) == ("PLATE-3", "Dinner plate", None)
    assert [(line.store, line.quantity) for line in plate.outlets] == [("Shelf", 5), ("Outlet", 5)]


async def test_a_silent_store_is_a_line_and_not_the_end(shop: Shop) -> None:
    shop.outlet.before["read_stock"].append(StoreDown("The outlet does not answer.", store="Outlet"))
    reply = await said(shop, "stock PLATE-3")
    assert isinstance(reply, StockShown)
    shelf, outlet = reply.products[0].outlets
    assert (shelf.quantity, outlet.quantity) == (5, None)
    assert "Outlet" in outlet.notes[0]


async def test_a_count_is_the_difference_and_more_comes_on_top(shop: Shop) -> None:
    first = await said(shop, "stock count MUG-01 12")
    assert isinstance(first, StockWritten)
    assert first.lines == (WrittenLine("MUG-01", None, 12),)
    assert not first.is_sent  # nobody has said `sync on`
    received = await said(shop, "received 20 mug-01")
    assert isinstance(received, StockWritten)
    assert received.lines == (WrittenLine("MUG-01", 12, 32),)
    broken = await said(shop, "stock add MUG-01 -2")
    assert isinstance(broken, StockWritten)
    assert broken.lines == (WrittenLine("MUG-01", 32, 30),)
    again = await said(shop, "stock set MUG-01 31")
    assert isinstance(again, StockWritten)
    assert again.lines == (WrittenLine("MUG-01", 30, 31),)
    assert await on_hand(shop, "MUG-01") == 31


async def test_the_same_message_twice_counts_once(shop: Shop) -> None:
    await said(shop, "stock count MUG-01 12")
    await shop.send("received 5 MUG-01", by="april", event_key="console:april:doubled")
    await shop.send("received 5 MUG-01", by="april", event_key="console:april:doubled")
    assert await on_hand(shop, "MUG-01") == 17


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("stock count MUG-01 2.5", "no whole number"),
        ("stock count MUG-01 -3", "cannot be counted"),
        ("stock count MUG-01 many", "no number of pieces"),
        ("stock count MUG-01 99999999", "more than I believe"),
        ("stock count MUG-01", "I need a SKU and a number"),
        ("received 20", "I need a SKU and a number"),
        ("received 20 MUG-01 5 mug-01", "there twice"),
        ("received 5 MUG-02", "never counted"),
        ("stock count NOPE-1 3", "No store has"),
        ("stock NOPE-1", "No store has"),
        ("why NOPE-1", "No store has"),
        ("low days=0", "Days are a number"),
        ("stock undo MUG-02", "Nobody has counted"),
    ],
)
async def test_what_cannot_be_meant_is_a_question_and_changes_nothing(shop: Shop, words: str, sentence: str) -> None:
    before = await shop.everything()
    assert sentence in await refused(shop, words)
    assert await shop.everything() == before
    assert await on_hand(shop, "MUG-02") is None


async def test_taking_more_off_than_there_is_is_refused(shop: Shop) -> None:
    await said(shop, "stock count MUG-01 3")
    assert "only 3" in await refused(shop, "stock add MUG-01 -4")
    assert await on_hand(shop, "MUG-01") == 3


async def test_a_likely_slip_is_asked_again_and_written_once(shop: Shop) -> None:
    await said(shop, "stock count MUG-01 12")
    doubted = await said(shop, "stock count MUG-01 1200")
    assert isinstance(doubted, StockDoubted)
    assert await on_hand(shop, "MUG-01") == 12
    yes = only_button(doubted).token
    assert "approver" in await refused(shop, "", by="edith", token=yes)
    written = await said(shop, "", token=yes)
    assert isinstance(written, StockWritten)
    assert await on_hand(shop, "MUG-01") == 1200
    assert "answered already" in await refused(shop, "", token=yes)


async def test_undo_takes_back_all_of_one_message_once(shop: Shop) -> None:
    await said(shop, "stock count MUG-01 12 MUG-02 7")
    received = await said(shop, "received 3 MUG-01 4 MUG-02")
    undo = only_button(received).token
    undone = await said(shop, "", token=undo)
    assert isinstance(undone, StockWritten)
    assert undone.is_undone
    assert undone.lines == (WrittenLine("MUG-01", 15, 12), WrittenLine("MUG-02", 11, 7))
    assert buttons(undone) == ()
    assert "taken back already" in await refused(shop, "", token=undo)
    assert (await on_hand(shop, "MUG-01"), await on_hand(shop, "MUG-02")) == (12, 7)


async def test_undo_by_word_takes_back_the_last_one_and_then_the_one_before(shop: Shop) -> None:
    await said(shop, "stock count MUG-01 12")
    await said(shop, "received 3 MUG-01")
    await said(shop, "stock undo MUG-01")
    assert await on_hand(shop, "MUG-01") == 12
    await said(shop, "stock undo MUG-01")
    assert await on_hand(shop, "MUG-01") == 0


async def test_a_later_count_is_not_made_wrong_by_an_undo(shop: Shop) -> None:
    await said(shop, "stock count MUG-01 12")
    received = await said(shop, "received 3 MUG-01")
    await said(shop, "stock count MUG-01 14", by="abel")
    assert "counted again after that, by abel" in await refused(shop, "", token=only_button(received).token)
    assert await on_hand(shop, "MUG-01") == 14


async def test_another_team_can_neither_see_nor_undo(shop: Shop) -> None:
    written = await said(shop, "stock count MUG-01 12")
    assert "No store has" in await refused(shop, "stock MUG-01", by="olga")
    assert "No store has" in await refused(shop, "why MUG-01", by="olga")
    assert "do not know that button" in await refused(shop, "", by="olga", token=only_button(written).token)
    assert await on_hand(shop, "MUG-01") == 12


async def test_viewers_look_and_do_not_write(shop: Shop) -> None:
    assert "approver" in await refused(shop, "stock count MUG-01 3", by="edith")
    assert "approver" in await refused(shop, "received 3 MUG-01", by="vera")
    assert "admin" in await refused(shop, "import", by="april")


async def test_why_tells_what_moved_and_what_was_left(shop: Shop) -> None:
    await said(shop, "stock count MUG-01 12")
    await said(shop, "received 3 MUG-01", by="abel")
    reply = await said(shop, "why MUG-01", by="vera")
    assert isinstance(reply, WhyShown)
    assert (reply.title, reply.on_hand) == ("Blue mug", 15)
    assert [(line.kind, line.quantity, line.left, line.actor) for line in reply.moves] == [
        ("received", 3, 15, "abel"),
        ("count", 12, 12, "april"),
    ]


async def test_why_of_what_nobody_counted_says_that_the_stores_say_it(shop: Shop) -> None:
    reply = await said(shop, "why PLATE-3", by="vera")
    assert isinstance(reply, WhyShown)
    assert reply.title.startswith("Dinner plate")
    assert (reply.on_hand, reply.moves) == (5, ())  # both stores show the same five
    assert "what the stores show" in reply.reasons[0]
    assert "None was sold" in reply.reasons[1]


async def test_low_lists_what_runs_out_with_dates_and_an_order(shop: Shop) -> None:
    assert await said(shop, "low", by="vera") == LowShown((), 0)
    await said(shop, "import", by="ada", photos=[b"sku,supplier,lead,pack\nMUG-01,Clay & Co,7,6\n"])
    await said(shop, "", by="ada", token=only_button((await shop.said())[-1]).token)
    await said(shop, "stock count MUG-01 20")
    shop.clock.now += timedelta(days=14)
    async with shop.desk.work() as work:
        await work.stock.add_movements(
            shop.team.team_id,
            [
                Movement(
                    f"sold:shelf:{day}:1", Sku("MUG-01"), -1, MovementKind.SOLD, shop.clock.now - timedelta(days=day)
                )
                for day in range(1, 15)
            ],
        )
    reply = await said(shop, "low", by="vera")
    assert isinstance(reply, LowShown)
    (mug,) = reply.lines
    assert (mug.sku, mug.on_hand, mug.supplier, mug.state) == ("MUG-01", 6, "Clay & Co", "low")
    assert mug.order > 0
    assert mug.order % 6 == 0
    assert mug.runs_out_from is not None
    assert mug.runs_out_to is not None
    assert shop.clock.now.date() <= mug.runs_out_from <= mug.runs_out_to
    assert await said(shop, "low supplier=clay", by="vera") == replace(reply, supplier="clay")
    assert await said(shop, "low supplier=nobody", by="vera") == LowShown((), 0, None, "nobody")
    assert await said(shop, "low days=1", by="vera") == LowShown((), 0, 1)
    near = await said(shop, "low days=30", by="vera")
    assert isinstance(near, LowShown)
    assert near.lines == reply.lines


async def test_every_write_is_in_the_history_with_before_and_after(shop: Shop) -> None:
    await said(shop, "stock count MUG-01 12")
    received = await said(shop, "received 3 MUG-01")
    await said(shop, "", token=only_button(received).token)
    written = [entry for entry in await shop.audit() if entry.action.startswith("stock_")]
    assert [(entry.action, entry.before, entry.after) for entry in written] == [
        ("stock_count", {}, {"on_hand": 12}),
        ("stock_received", {"on_hand": 12}, {"on_hand": 15}),
        ("stock_undo", {"on_hand": 15}, {"on_hand": 12}),
    ]


# ---------------------------------------------------------------- import


async def test_an_import_is_shown_first_and_taken_once(shop: Shop) -> None:
    await said(shop, "stock count MUG-02 5")
    preview = await said(shop, "import", by="ada", photos=[TABLE])
    assert isinstance(preview, ImportPreview)
    assert (preview.good_count, preview.new_count, preview.changed_count, preview.count_count) == (2, 1, 1, 2)
    assert preview.counts == (WrittenLine("MUG-01", None, 40), WrittenLine("MUG-02", 5, 2))
    assert await on_hand(shop, "MUG-01") is None
    yes = only_button(preview).token
    imported = await said(shop, "", by="ada", token=yes)
    assert isinstance(imported, Imported)
    assert (await on_hand(shop, "MUG-01"), await on_hand(shop, "MUG-02")) == (40, 2)
    async with shop.desk.work.reading() as rows:
        facts = await rows.stock.facts(shop.team.team_id, [Sku("MUG-01")])
    mug = facts[Sku("MUG-01").key]
    assert (mug.supplier, mug.lead_days, mug.pack, str(mug.cost)) == ("Clay & Co", 14, 12, "3.50")
    assert "taken already" in await refused(shop, "", by="ada", token=yes)

    await said(shop, "", by="ada", token=only_button(imported).token)
    assert (await on_hand(shop, "MUG-01"), await on_hand(shop, "MUG-02")) == (0, 5)


async def test_bad_lines_are_named_by_line_and_column_and_left_out(shop: Shop) -> None:
    table = "SKU;Lieferant;Lieferzeit;Bestand;Farbe\nMUG-01;Töpferei;14;40;blau\nMUG-02;;-3;2,5;\n;x;;;\nmug-01;;;1;\n"
    preview = await said(shop, "import", by="ada", photos=[table.encode("cp1252")])
    assert isinstance(preview, ImportPreview)
    assert preview.good_count == 1
    assert [(line.number, line.column) for line in preview.bad] == [
        (3, "Lieferzeit"),
        (3, "Bestand"),
        (4, "SKU"),
        (5, "SKU"),
    ]
    assert preview.ignored == ("Farbe",)
    await said(shop, "", by="ada", token=only_button(preview).token)
    async with shop.desk.work.reading() as rows:
        facts = await rows.stock.facts(shop.team.team_id)
    assert {key: fact.supplier for key, fact in facts.items()} == {Sku("MUG-01").key: "Töpferei"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "must name the columns"),
        (b"\xff\xd8\xff\xe0 a photo", "must name the columns"),
        (b"name,count\nx,1\n", "must name the columns"),
        (b"sku\nMUG-01\n", "only a column of SKUs"),
        (b"sku,count,bestand\nMUG-01,1,2\n", "Two columns"),
        (b"sku,count\n", "headings and no lines"),
        (b'sku,count\n"MUG-01,1\n', "quote"),
        (b"sku,count\n" + b"A,1\n" * 20_001, "more than 20000 lines"),
    ],
    ids=["empty", "photo", "no sku", "only sku", "twice", "no lines", "quote", "long"],
)
async def test_what_is_no_table_is_refused_in_one_sentence(shop: Shop, content: bytes, sentence: str) -> None:
    assert sentence in await refused(shop, "import", by="ada", photos=[content])


async def test_a_csv_needs_no_caption(shop: Shop) -> None:
    shop.files.kept["F1"] = TABLE
    (reply,) = await shop.answer(
        Incoming(
            "telegram:1",
            shop.team.team_id,
            Actor(ChatName.CONSOLE, "ada", "ada"),
            ROOM,
            attachments=(Attachment("F1", "goods.csv", len(TABLE), "text/csv"),),
        )
    )
    assert isinstance(reply, ImportPreview)


def test_spreadsheets_of_this_world_are_read() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        for mark in (",", ";", "\t"):
            table = read_goods(EXAMPLE.replace(",", mark).encode(encoding))
            assert [line.sku.value for line in table.lines] == ["MUG-01"], (encoding, mark)
            assert table.bad == ()
