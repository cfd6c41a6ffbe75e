"""Every reply has a face in Telegram, within its limits, whatever words are in it.

Goldens: `PACKSHOT_UPDATE_GOLDENS=1 pytest tests/telegram/test_render.py` writes them anew; read the
difference before keeping it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from telegram import InlineKeyboardButton

from domain.picture import Finding, FindingCode, FindingLevel
from domain.replies import (
    REPLY_TYPES,
    HistoryLine,
    HistoryShown,
    Invited,
    Placed,
    PreviewReady,
    ProductList,
    Published,
    Reply,
    waits,
)
from domain.tokens import TOKEN_MAX_BYTES, Action, Token
from handlers.telegram.keyboards import (
    Kind,
    Pressed,
    Verb,
    chosen,
    kind_rows,
    menu_rows,
    read_data,
)
from handlers.telegram.markup import MAX_CAPTION, MAX_TEXT, read_length
from handlers.telegram.render import Shown, render
from handlers.words import Words
from tests.console.samples import NOW, named
from tests.fakes.telegram_rules import check_keyboard, visible_text
from tests.telegram.samples import BAD_WORDS, EVERY_SORT, PLAIN, name_of

GOLDENS = Path(__file__).parent / "goldens"
PREVIEW = next(reply for reply in PLAIN if isinstance(reply, PreviewReady))


def _keys(shown: Shown) -> list[InlineKeyboardButton]:
    return [key for row in shown.rows for key in row]


def _written(shown: Shown) -> str:
    """A message as a file that a person can read: its HTML, its picture, its buttons."""
    lines = [shown.html, "----", f"photo: {'yes' if shown.photo else 'no'}"]
    for row in shown.rows:
        lines.append(" | ".join(f"[{key.text}] {_behind(key)}" for key in row))
    return "\n".join(lines) + "\n"


def _behind(key: InlineKeyboardButton) -> str:
    copied = f"copy {key.copy_text.text}" if key.copy_text else ""
    return " ".join(filter(None, [str(key.callback_data or key.url or copied), key.style]))


def test_the_samples_are_every_reply() -> None:
    assert {name_of(reply) for reply in PLAIN} == set(REPLY_TYPES)


@pytest.mark.parametrize(("name", "reply"), named(PLAIN))
def test_a_reply_looks_as_it_did(name: str, reply: Reply) -> None:
    written = _written(render(reply, bot_name="packshot_bot"))
    golden = GOLDENS / f"{name}.html"
    if os.environ.get("PACKSHOT_UPDATE_GOLDENS"):
        GOLDENS.mkdir(exist_ok=True)
        golden.write_text(written, encoding="utf-8")
    assert written == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("reply", EVERY_SORT, ids=name_of)
@pytest.mark.parametrize("language", ["en", "de"])
def test_telegram_takes_every_reply(reply: Reply, language: str) -> None:
    shown = render(reply, Words(language, "Europe/Berlin"), bot_name="packshot_bot", is_recompressed=True)
    at_most = MAX_CAPTION if shown.photo else MAX_TEXT
    plain = visible_text(shown.html, "HTML", at_most=at_most, what="message")
    assert plain
    assert read_length(shown.html) >= len(plain), "cut to a length that is counted too small"
    check_keyboard({"inline_keyboard": [[key.to_dict() for key in row] for row in shown.rows]})


@pytest.mark.parametrize("reply", EVERY_SORT, ids=name_of)
def test_a_card_always_fits_under_a_picture(reply: Reply) -> None:
    if hasattr(reply, "card"):
        assert read_length(render(reply).html) <= MAX_CAPTION


@pytest.mark.parametrize("reply", BAD_WORDS, ids=name_of)
def test_words_stay_words(reply: Reply) -> None:
    html = render(reply).html
    assert "<script" not in html
    assert "<tg-spoiler" not in html
    assert "javascript:" not in html


@pytest.mark.parametrize("reply", PLAIN, ids=name_of)
def test_what_is_still_moving_has_no_buttons(reply: Reply) -> None:
    if waits(reply):
        assert render(reply).rows == ()


def test_a_state_is_an_emoji_and_words() -> None:
    first_line = render(PREVIEW).html.splitlines()[0]
    assert first_line == "👀 <b>Your decision</b>"


def test_the_caption_names_the_product_and_what_is_behind_it() -> None:
    html = render(PREVIEW).html
    assert "Stoneware mug, ocean blue" in html
    assert "on white" in html


def test_two_likely_buttons_stand_together_and_the_rest_below() -> None:
    assert [[key.text for key in row] for row in render(PREVIEW).rows] == [
        ["✅ Approve", "✖️ Reject"],
        ["🔁 Redo"],
        ["🖼 Compare versions"],
    ]
    first = PreviewReady(replace(PREVIEW.card, revision=1))
    assert [key.text for key in render(first).rows[-1]] == ["🔁 Redo"], "there is nothing to compare yet"
    assert [key.style for key in render(PREVIEW).rows[0]] == ["success", "danger"]


def test_after_the_decision_the_buttons_go_and_who_and_when_stands_there() -> None:
    published = next(reply for reply in PLAIN if isinstance(reply, Published))
    shown = render(published, Words("en", "Europe/Berlin"))
    assert "Approved by Anna, " in shown.html
    assert [key.text for key in _keys(shown) if key.callback_data] == ["↩️ Undo", "🔁 Redo"]
    assert [key.url for key in _keys(shown) if key.url] == ["https://shop.example/products/mug"]


def test_times_are_in_the_readers_zone_and_language() -> None:
    published = next(reply for reply in PLAIN if isinstance(reply, Published))
    english = render(published, Words("en", "UTC")).html
    tokyo = render(published, Words("en", "Asia/Tokyo")).html
    german = render(published, Words("de", "UTC")).html
    assert len({english, tokyo, german}) == 3


def test_only_web_addresses_become_buttons() -> None:
    published = next(reply for reply in PLAIN if isinstance(reply, Published))
    for url in ("javascript:alert(1)", "tg://user?id=1", "/shelf#mug", "https://", "http://local host.x/", ""):
        placed = (Placed("p1", "Shelf", "live", url),)
        assert not [key for key in _keys(render(replace(published, placed=placed))) if key.url]


def test_a_live_store_is_asked_for_once_more() -> None:
    live = PreviewReady(replace(PREVIEW.card, is_live=True))
    first = _keys(render(live))[0]
    pressed = read_data(str(first.callback_data))
    assert pressed.verb == Verb.ASK
    question = menu_rows(pressed, Token.parse(pressed.token))
    yes, back = question[0][0], question[1][0]
    assert (yes.text, yes.callback_data, yes.style) == ("✅ Yes, publish", pressed.token, "success")
    assert read_data(str(back.callback_data)).verb == Verb.BACK
    shown_again = kind_rows(pressed.kind, Token.parse(pressed.token), pressed.words)
    assert [key.callback_data for row in shown_again for key in row] == [
        key.callback_data for key in _keys(render(live))
    ]


def test_an_approve_for_a_store_nobody_sees_asks_nothing() -> None:
    assert read_data(str(_keys(render(PREVIEW))[0].callback_data)).verb == ""


@pytest.mark.parametrize("reply", PLAIN, ids=name_of)
def test_back_shows_the_same_buttons_again(reply: Reply) -> None:
    for key in _keys(render(reply, Words("de"))):
        pressed = read_data(str(key.callback_data or ""))
        if pressed.verb:
            again = kind_rows(pressed.kind, Token.parse(pressed.token), pressed.words)
            data = [key.callback_data for row in again for key in row]
            assert data == [key.callback_data for key in _keys(render(reply, Words("de"))) if key.callback_data]


def test_the_longest_button_fits() -> None:
    lengths = []
    for action in (Action.APPROVE, Action.REJECT, Action.REDO):
        token = Token(action, "i" * 40, 999_999)
        for kind in Kind:
            for verb in (Verb.ASK, Verb.MENU):
                pressed = Pressed(str(token), verb, kind, Words("de"))
                rows = (*kind_rows(kind, token, Words("de")), *menu_rows(pressed, token))
                lengths += [len(str(key.callback_data).encode()) for row in rows for key in row]
    assert max(lengths) <= TOKEN_MAX_BYTES


def test_a_menu_speaks_the_cards_language_and_says_reasons_in_words() -> None:
    pressed = read_data(f"{Token(Action.REJECT, 'e1', 2)}|0pen")
    assert chosen(pressed, Token.parse(pressed.token)) == ("Too dark", {})
    none = read_data(f"{Token(Action.REJECT, 'e1', 2)}|3pen")
    assert chosen(none, Token.parse(none.token)) == ("", {})
    grey = read_data(f"{Token(Action.REDO, 'e1', 2)}|1uen")
    assert chosen(grey, Token.parse(grey.token)) == ("", {"background": "#eeeeee"})


def _preview(*findings: Finding) -> PreviewReady:
    return PreviewReady(replace(PREVIEW.card, findings=findings))


def test_a_photo_made_smaller_is_told_with_the_measured_reason() -> None:
    preview = _preview(Finding(FindingCode.ENLARGED, FindingLevel.WARNING, measured=2.4))
    html = render(preview, is_recompressed=True).html
    assert "enlarged 2.4 times" in html
    assert "send it as a file for full quality" in html
    assert "as a file" not in render(preview).html, "the photo came as a file"
    assert "as a file" not in render(_preview(), is_recompressed=True).html, "nothing was enlarged"


def test_warnings_stand_open_and_what_passed_opens_at_a_tap() -> None:
    html = render(PREVIEW).html
    assert html.index("cut off") < html.index("<blockquote expandable>") < html.index("pure white")


def test_too_many_findings_are_counted_with_a_way_to_see_them() -> None:
    long = Finding(FindingCode.CUT_OFF, FindingLevel.WARNING, detail="left edge of a very wide and long picture")
    html = render(_preview(*[long] * 30)).html
    assert read_length(html) <= MAX_CAPTION
    assert "more: the console shows them all" in html


def test_a_long_list_says_how_to_see_the_rest() -> None:
    listed = next(reply for reply in PLAIN if isinstance(reply, ProductList))
    assert "<code>/products Stoneware mug, ocean blue page=3</code>" in render(listed).html
    many = HistoryShown("", tuple(HistoryLine(NOW, "Anna", "approved it " * 10, "MUG-01") for _ in range(100)))
    html = render(many).html
    assert read_length(html) <= MAX_TEXT
    assert "more: the console shows them all." in html


def test_an_invitation_is_copied_as_a_link() -> None:
    invited = next(reply for reply in PLAIN if isinstance(reply, Invited))
    copied = [key.copy_text.text for key in _keys(render(invited, bot_name="packshot_bot")) if key.copy_text]
    assert copied == [f"https://t.me/packshot_bot?start={invited.code}", invited.code]
