"""The words on a button's back: short enough for every chat, and nothing forged gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput
from domain.tokens import ENHANCEMENT_ID_CHARS, TOKEN_MAX_BYTES, Action, Token
from handlers.desk import id_from

IDS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=40)


def test_the_longest_token_fits_the_64_bytes_of_telegram() -> None:
    subject_id = id_from("team" * 50, "event" * 50)
    assert len(subject_id) == ENHANCEMENT_ID_CHARS
    longest = max(len(str(Token(action, subject_id, 999_999)).encode()) for action in Action)
    assert longest == 44  # "v1:trustothers:" 15, the id 22, ":" 1, the number 6
    assert longest <= TOKEN_MAX_BYTES


@given(st.sampled_from(Action), IDS, st.integers(0, 999_999))
def test_a_token_reads_back_as_it_was_written(action: Action, subject_id: str, number: int) -> None:
    token = Token(action, subject_id, number)
    assert Token.parse(f" {token}\n") == token


@given(st.text())
def test_any_text_is_a_token_or_bad_input(text: str) -> None:
    try:
        token = Token.parse(text)
    except BadInput:
        return
    assert Token.parse(str(token)) == token


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "approve",
        "v1:approve:abc",
        "v2:approve:abc:1",
        "v1:publish:abc:1",
        "v1:Approve:abc:1",
        "v1:approve:abc:-1",
        "v1:approve:abc:1:1",
        "v1:approve::1",
        "v1:approve:abc:1; DROP TABLE team",
        "v1:approve:ab c:1",
        "v1:approve:abc:٣",
        "v1:approve:" + "a" * 41 + ":1",
        "v1:approve:abc:1000000",
        "v1:approve:abc:1\x00",
    ],
)
def test_a_forged_token_is_refused_with_a_way_out(forged: str) -> None:
    with pytest.raises(BadInput, match="ask for the card again"):
        Token.parse(forged)


def test_the_words_on_old_buttons_never_change() -> None:
    assert [action.value for action in Action] == [
        "approve",
        "reject",
        "redo",
        "undo",
        "retry",
        "there",
        "notthere",
        "look",
        "product",
        "store",
        "part",
        "keep",
        "remove",
        "compare",
        "split",
        "dismiss",
        "stockyes",
        "stockundo",
        "import",
        "snooze",
        "truststore",
        "trustothers",
        "countmyself",
        "dealtwith",
        "goahead",
        "leaveit",
        "disconnect",
        "allow",
    ]
