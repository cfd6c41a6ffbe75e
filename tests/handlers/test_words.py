"""Every text can be said in every language: nothing is missing, and no placeholder is lost on the way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from domain.picture import SENTENCES
from handlers import words as words_module
from handlers.grammar import COMMANDS
from handlers.words import LANGUAGES, Words, known_language

HANDLERS = Path(words_module.__file__).parent
TRANSLATED = [language for language in LANGUAGES if language != "en"]
PLACEHOLDER = re.compile(r"\{(\w+)(?:[:!][^}]*)?\}")


def texts_of(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    """Every `words("…")`, `text("…")` and `words.count("…", "…", n)` of a file; a text with several forms as a tuple."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        strings = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if name in {"words", "_words", "text", "say"} and len(node.args) == 1 and strings:
            yield (strings[0],)
        elif name == "count" and len(strings) == 2:
            yield tuple(strings)


def wanted() -> set[tuple[str, ...]]:
    """Every text that some chat says through its Words."""
    found: set[tuple[str, ...]] = {(sentence,) for sentence in SENTENCES.values()}
    found |= {(command.meaning,) for command in COMMANDS}
    for path in HANDLERS.rglob("*.py"):
        found |= set(texts_of(ast.parse(path.read_text())))
    return {texts for texts in found if texts != ("",)}


def catalogue(language: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    with (HANDLERS / "texts" / f"{language}.po").open("rb") as file:
        messages = [message for message in read_po(file, locale=language) if message.id]
    return {
        (message.id,) if isinstance(message.id, str) else tuple(message.id): (message.string,)
        if isinstance(message.string, str)
        else tuple(message.string)
        for message in messages
    }


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_missing_and_none_is_left_over(language: str) -> None:
    translated = catalogue(language)
    assert sorted(wanted() - set(translated)) == []
    assert sorted(set(translated) - wanted()) == []
    assert [texts for texts, said in translated.items() if not all(said)] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_placeholder_survives_translation(language: str) -> None:
    lost = {
        texts: said
        for texts, said in catalogue(language).items()
        if any(set(PLACEHOLDER.findall(form)) != set(PLACEHOLDER.findall(texts[-1])) for form in said[1:] or said)
    }
    assert lost == {}


def test_a_language_we_do_not_speak_is_said_in_english() -> None:
    assert [known_language(tag) for tag in ("de-AT", "de_DE", "DE", "pt-BR", "", "en-GB")] == [
        "de", "de", "de", "en", "en", "en",
    ]  # fmt: skip
    assert Words("tlh")("Rejected") == "Rejected"


def test_numbers_times_and_lists_follow_the_reader() -> None:
    moment = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    english, german = Words("en", "America/New_York"), Words("de", "Europe/Berlin")
    assert (english.time(moment), german.time(moment)) == ("1 Mar, 17:30", "1 März, 23:30")
    assert (english.number(12345.5), german.number(12345.5)) == ("12,345.5", "12.345,5")
    assert (english.list(["a", "b", "c"]), german.list(["a", "b", "c"])) == ("a, b, and c", "a, b und c")


def test_braces_in_what_people_say_stay_as_they_are() -> None:
    assert Words()("{product} on {background}, before and after", product="{x}", background="{0}") == (
        "{x} on {0}, before and after"
    )
