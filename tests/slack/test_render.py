"""Every reply has a face that Slack takes, whatever words are in it.

Goldens: `PACKSHOT_UPDATE_GOLDENS=1 pytest tests/slack/test_render.py` writes them anew; read the
difference before keeping it. `python -m tests.slack.page` draws them to look at.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.catalog import Sha256
from domain.replies import (
    HelpLine,
    HelpShown,
    HistoryShown,
    MemberList,
    PreviewReady,
    ProductList,
    Published,
    Reply,
    StatusShown,
    StoreLine,
    StoreList,
    WhichProduct,
    waits,
)
from domain.tokens import Token
from handlers.buttons import buttons
from handlers.slack.blocks import cut_markup, link, sentence, words_of
from handlers.slack.cards import SAYS, Picture, Shown
from handlers.slack.render import render
from handlers.words import Words
from tests.console.samples import HOSTILE, every_reply, named
from tests.fakes.slack_blocks import refusals

GOLDENS = Path(__file__).parent / "goldens"
PLAIN = every_reply()
HOSTILE_WORDS = f"{HOSTILE} *bold* _it_ ~no~ `code` <!channel> <@U1> &amp; @here"
RTL = "ספל קרמיקה כחול ‎MUG"
EMOJI = "🏺👩‍👩‍👧‍👦 :tada: é" * 20
LONG = "x & <y> * " * 400
WORST = {
    "hostile": every_reply(HOSTILE_WORDS, sku="<b>&*", person=HOSTILE_WORDS, store=HOSTILE_WORDS, url="javascript:x"),
    "rtl": every_reply(RTL, person=RTL, store=RTL),
    "emoji": every_reply(EMOJI, person=EMOJI, store=EMOJI),
    "4000 characters": every_reply(LONG, person=LONG, store=LONG, url=f"https://x.example/{'a' * 4000}"),
    "empty": every_reply("", person="", store=""),
}
FILE = {"is_unshowable": False, "mimetype": "image/jpeg"}


def _name(reply: Reply) -> str:
    return type(reply).__name__


def _taken(shown: Shown) -> list[str]:
    return refusals(shown.blocks, "message", lambda _file_id: FILE)


def _texts(blocks: Any) -> list[dict[str, Any]]:
    """Every text object in blocks."""
    if isinstance(blocks, list):
        return [text for each in blocks for text in _texts(each)]
    if not isinstance(blocks, dict):
        return []
    own = [blocks] if blocks.get("type") in {"mrkdwn", "plain_text"} else []
    return own + [text for value in blocks.values() for text in _texts(value)]


@pytest.mark.parametrize(("name", "reply"), named(PLAIN))
def test_a_reply_looks_as_it_did(name: str, reply: Reply) -> None:
    shown = render(reply, Words("en", "Europe/Berlin"), Picture("F1"))
    drawn = json.dumps({"text": shown.text, "blocks": shown.blocks}, indent=1, ensure_ascii=False) + "\n"
    golden = GOLDENS / f"{name}.json"
    if os.environ.get("PACKSHOT_UPDATE_GOLDENS"):
        GOLDENS.mkdir(exist_ok=True)
        golden.write_text(drawn, encoding="utf-8")
    assert drawn == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    "picture", [Picture(), Picture("F1"), Picture(is_in_thread=True)], ids=["none", "file", "thread"]
)
@pytest.mark.parametrize("reply", PLAIN, ids=_name)
def test_slack_takes_it(reply: Reply, picture: Picture, language: str) -> None:
    shown = render(reply, Words(language), picture)
    assert _taken(shown) == []
    assert shown.text.strip()


@pytest.mark.parametrize("words", WORST)
@pytest.mark.parametrize("number", range(len(PLAIN)), ids=[_name(reply) for reply in PLAIN])
def test_slack_takes_any_words(number: int, words: str) -> None:
    shown = render(WORST[words][number], Words("en", "Europe/Berlin"), Picture("F1"))
    assert _taken(shown) == []
    assert 0 < len(shown.text) <= 3000


@pytest.mark.parametrize("number", range(len(PLAIN)), ids=[_name(reply) for reply in PLAIN])
def test_peoples_words_mention_nobody_and_style_nothing(number: int) -> None:
    shown = render(WORST["hostile"][number], Words())
    for text in [shown.text, *(each["text"] for each in _texts(shown.blocks) if each["type"] == "mrkdwn")]:
        text = re.sub(r"`join .*", "", text, flags=re.DOTALL)  # an invitation's code is ours, and code shows as it is
        ours = ("!date^", "https://shop.example/")  # a time, and the address of our own page
        assert [angle for angle in re.findall(r"<([^>]*)>", text) if not angle.startswith(ours)] == []
        assert "_it_" not in text
        assert "~no~" not in text
    assert all(each.get("verbatim") for each in _texts(shown.blocks) if each["type"] == "mrkdwn")


@pytest.mark.parametrize("reply", PLAIN, ids=_name)
def test_every_button_is_there_and_can_be_read_back(reply: Reply) -> None:
    drawn = json.dumps(render(reply, Words()).blocks)
    for button in buttons(reply):
        assert button.token in drawn
        assert str(Token.parse(button.token)) == button.token
    if waits(reply):
        assert "v1:" not in drawn


def test_two_actions_are_seen_and_the_rest_is_behind_the_dots() -> None:
    row = render(_preview(), Words()).blocks[-1]["elements"]
    assert [element["type"] for element in row] == ["button", "button", "overflow"]
    assert [option["text"]["text"] for option in row[2]["options"]] == [
        "Redo with other options…",
        "Keep a part…",
        "Remove a part…",
        "Compare versions",
        "Show the product",
    ]
    assert row[2]["options"][-1]["value"] == f"{SAYS}product MUG-01"
    first = PreviewReady(replace(_preview().card, revision=1))
    row = render(first, Words()).blocks[-1]["elements"]
    assert [option["text"]["text"] for option in row[2]["options"]][3:] == ["Show the product", "History"]


def test_only_a_live_shop_is_asked_for_twice() -> None:
    preview = _preview()
    live = PreviewReady(replace(preview.card, is_live=True))
    assert "confirm" not in render(preview, Words()).blocks[-1]["elements"][0]
    asked = render(live, Words()).blocks[-1]["elements"][0]["confirm"]
    assert "Stoneware mug" in asked["text"]["text"]
    assert "confirm" not in render(live, Words()).blocks[-1]["elements"][1]


def test_the_picture_shrinks_when_nothing_is_left_to_decide() -> None:
    for reply in PLAIN:
        blocks = render(reply, Words(), Picture("F1")).blocks
        if _name(reply) in {"Rejected", "Expired", "Restored", "EnhanceFailed"}:
            assert blocks[1]["accessory"]["slack_file"] == {"id": "F1"}
            assert not any(block["type"] == "image" for block in blocks)
        elif _name(reply) in {"PreviewReady", "Published"}:
            assert next(block for block in blocks if block["type"] == "image")["alt_text"] == (
                "Stoneware mug, ocean blue on white, before and after"
            )


def test_times_are_in_each_readers_own_zone() -> None:
    published = next(reply for reply in PLAIN if isinstance(reply, Published))
    drawn = json.dumps(render(published, Words("en", "Europe/Berlin")).blocks)
    assert re.search(r"<!date\^\d+\^\{date_short_pretty\}, \{time\}\|[^>]+>", drawn)


def test_a_long_list_is_cut_and_says_so() -> None:
    product = next(reply for reply in PLAIN if isinstance(reply, ProductList))
    history = next(reply for reply in PLAIN if isinstance(reply, HistoryShown))
    members = next(reply for reply in PLAIN if isinstance(reply, MemberList))
    many: tuple[Reply, ...] = (
        replace(product, lines=product.lines[:1] * 500),
        replace(history, lines=history.lines[:1] * 500),
        replace(members, members=members.members[:1] * 500),
        StoreList((StoreLine("Shelf", "shelf", 8, ""),) * 500),
        HelpShown((HelpLine("enhance", LONG, "enhance MUG-01"),) * 100),
    )
    for reply in many:
        shown = render(reply, Words())
        assert _taken(shown) == []
        is_paged = isinstance(reply, HistoryShown)
        assert ("page=3" if is_paged else "more: ask for less") in json.dumps(shown.blocks)


def test_status_names_where_nobody_hears_us() -> None:
    status = next(reply for reply in PLAIN if isinstance(reply, StatusShown))
    shown = render(replace(status, trouble=("Slack C1, since 4 Mar: that channel is *archived*.", LONG) * 50), Words())
    assert _taken(shown) == []
    assert "⚠️ Slack C1, since 4 Mar" in json.dumps(shown.blocks, ensure_ascii=False)
    assert "Slack C1" in shown.text


def test_a_question_with_a_hundred_answers_still_fits() -> None:
    question = next(reply for reply in PLAIN if isinstance(reply, WhichProduct))
    assert _taken(render(replace(question, guesses=question.guesses * 50), Words())) == []


def test_a_sku_can_be_copied_and_code_stays_code() -> None:
    assert words_of("MUG_01*2") == "MUG_01*2"
    assert words_of("*bold* a_b _it_") == "\u200b*\u200bbold\u200b*\u200b a_b \u200b_\u200bit\u200b_\u200b"
    assert sentence("Send `join CODE` *now*") == "Send `join CODE` \u200b*\u200bnow\u200b*\u200b"
    assert sentence("5` mug") == "5\u200b`\u200b mug"


def test_links_go_to_pages_only() -> None:
    assert link("javascript:alert(1)", "x") == ""
    assert link("https://a.example/?a=1&b=2", "<Open>") == "<https://a.example/?a=1&amp;b=2|&lt;Open&gt;>"
    assert link("https://a.example/|x", "x") == ""


def test_a_cut_leaves_no_half_entity() -> None:
    for chars in range(1, 30):
        cut = cut_markup("a &amp; <https://x|y> &lt; end of it", chars)
        assert len(cut) <= max(chars, 1)
        assert cut.count("<") == cut.count(">")
        assert re.search(r"&(?!amp;|lt;)", cut) is None


def _preview() -> PreviewReady:
    preview = next(reply for reply in PLAIN if isinstance(reply, PreviewReady))
    return PreviewReady(replace(preview.card, preview=Sha256("c" * 64)))
