"""Every reply has a face in the console, whatever words are in it.

Goldens: `PACKSHOT_UPDATE_GOLDENS=1 pytest tests/console/test_render.py` writes them anew; read the
difference before keeping it.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from domain.replies import REPLY_TYPES, Guess, Placed, PreviewReady, PublishFailed, Refused, Reply, WhichProduct, waits
from domain.tokens import TOKEN_MAX_BYTES, Action, Token
from handlers.buttons import buttons
from handlers.console.render import fragment
from tests.console.samples import HOSTILE, LONG, every_reply, named

GOLDENS = Path(__file__).parent / "goldens"
PLAIN = every_reply()
BAD_WORDS = every_reply(HOSTILE, sku=HOSTILE, person=HOSTILE, store=HOSTILE, url="javascript:alert(1)")


def _name(reply: Reply) -> str:
    return type(reply).__name__


class _Tags(HTMLParser):
    """What a browser would make of a fragment: the tags, their attributes, and whether they close."""

    VOID = frozenset({"img", "input", "path", "circle", "rect", "br"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_samples_are_every_reply() -> None:
    assert {_name(reply) for reply in PLAIN} == set(REPLY_TYPES)


@pytest.mark.parametrize(("name", "reply"), named(PLAIN))
def test_a_reply_looks_as_it_did(name: str, reply: Reply) -> None:
    html = fragment(reply)
    golden = GOLDENS / f"{name}.html"
    if os.environ.get("PACKSHOT_UPDATE_GOLDENS"):
        GOLDENS.mkdir(exist_ok=True)
        golden.write_text(html, encoding="utf-8")
    assert html == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("reply", [*PLAIN, *BAD_WORDS, *every_reply(LONG)], ids=_name)
def test_words_stay_words(reply: Reply) -> None:
    html = fragment(reply)
    seen = _Tags(html)
    assert seen.open == []
    assert "script" not in seen.tags
    assert "49" not in re.sub(r"&#\d+;", "", html), "a template in the words was run"
    assert [name for name, _ in seen.attributes if name.startswith("on") or name == "style"] == []
    assert [value for name, value in seen.attributes if name in {"href", "src"} and not value.startswith("/")] == []


@pytest.mark.parametrize("reply", PLAIN, ids=_name)
def test_a_screen_reader_hears_what_happened(reply: Reply) -> None:
    announced = re.search(r'data-announce="([^"]+)"', fragment(reply))
    assert announced is not None
    assert announced[1].strip()


@pytest.mark.parametrize("reply", PLAIN, ids=_name)
def test_every_picture_and_control_has_a_name(reply: Reply) -> None:
    html = fragment(reply)
    assert all("alt=" in tag for tag in re.findall(r"<img[^>]*>", html))
    assert all("aria-label=" in tag for tag in re.findall(r"<input[^>]*>", html))


@pytest.mark.parametrize("reply", [*PLAIN, *BAD_WORDS], ids=_name)
def test_every_token_fits_and_can_be_read_back(reply: Reply) -> None:
    for button in buttons(reply):
        assert len(button.token.encode()) <= TOKEN_MAX_BYTES
        assert str(Token.parse(button.token)) == button.token
        assert f'data-token="{button.token}"' in fragment(reply)


@pytest.mark.parametrize("reply", PLAIN, ids=_name)
def test_what_is_still_moving_has_no_buttons(reply: Reply) -> None:
    if waits(reply):
        assert buttons(reply) == ()


def test_a_preview_can_be_approved_rejected_and_redone() -> None:
    preview = next(reply for reply in PLAIN if isinstance(reply, PreviewReady))
    assert [(button.label, button.style, button.asks) for button in buttons(preview)] == [
        ("Approve", "primary", "confirm"),
        ("Reject", "danger", "reason"),
        ("Redo", "plain", "recipe"),
        ("Keep a part…", "plain", "part"),
        ("Remove a part…", "plain", "part"),
        ("Compare versions", "plain", ""),
    ]
    first = PreviewReady(replace(preview.card, revision=1))
    assert "Compare versions" not in {button.label for button in buttons(first)}, "there is nothing to compare yet"


def test_undo_stands_beside_retry_only_where_something_is_live() -> None:
    failed = next(reply for reply in PLAIN if isinstance(reply, PublishFailed))
    nowhere = PublishFailed(failed.card, failed.by, failed.at, (Placed("p", "Shelf", "publish_failed"),))
    assert [button.label for button in buttons(failed)] == ["Retry", "Undo", "Redo"]
    assert [button.label for button in buttons(nowhere)] == ["Retry", "Redo"]


def test_a_choice_carries_its_number_not_its_words() -> None:
    question = WhichProduct("q1", (Guess("Mug", "MUG:01/🏺"), Guess("Bowl", "B" * 90)), 1)
    assert [button.token for button in buttons(question)] == [
        str(Token(Action.CHOOSE_PRODUCT, "q1", 0)),
        str(Token(Action.CHOOSE_PRODUCT, "q1", 1)),
    ]


def test_a_command_in_a_sentence_can_be_pressed_and_a_shell_command_only_read() -> None:
    refused = fragment(Refused("bad_input", "Did you mean `enhance <b>`? Or `packshot invite editor`."))
    assert 'data-fill="enhance &lt;b&gt;">enhance &lt;b&gt;</button>' in refused
    assert "<code>packshot invite editor</code>" in refused
    assert "`" not in refused


def test_pictures_come_from_our_own_hosts_only() -> None:
    shown = next(reply for reply in every_reply() if _name(reply) == "ProductList")
    assert 'src="/shelf/photos/mug.jpg"' in fragment(shown)
    assert "cdn.example" not in fragment(shown)
    assert 'src="/mug.jpg"' in fragment(shown, hosts=frozenset({"cdn.example"}))
