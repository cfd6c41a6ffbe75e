"""Every text can be said in every language: nothing is missing, and no placeholder is lost on the way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from domain import errors
from domain.errors import NotAllowed, UnknownSku, UserError
from domain.picture import SENTENCES
from domain.sentences import Sentence
from handlers import words as words_module
from handlers.commands import COMMANDS
from handlers.failures import sentence_for
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


ROOMS = ("domain", "handlers", "imaging", "platforms", "storage")
"""Whose errors reach a chat; what `bot/` raises is read on a command line, in English."""
SAYING = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, UserError)}
WITH_WORDS_OF_THEIR_OWN = {"UnknownSku", "NotAMember", "NotAllowed", "ChangedMeanwhile"}


def error_sentences(tree: ast.AST, where: str) -> Iterator[tuple[str, str]]:
    """Yield every template an error or a failure is made of, and where; an f-string as "" since none can translate it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in SAYING:
            calls = [call for call in ast.walk(node) if isinstance(call, ast.Call) and _is_super_init(call)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            calls = [node] if node.func.id in (SAYING | {"Sentence"}) - WITH_WORDS_OF_THEIR_OWN else []
        else:
            continue
        for call in calls:
            first = call.args[0] if call.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, f"{where}:{call.lineno}"
            elif isinstance(first, ast.JoinedStr | ast.BinOp | ast.IfExp):
                yield "", f"{where}:{call.lineno}"


def _is_super_init(call: ast.Call) -> bool:
    target = call.func
    return isinstance(target, ast.Attribute) and target.attr == "__init__" and isinstance(target.value, ast.Call)


def every_error_sentence() -> list[tuple[str, str]]:
    root = HANDLERS.parent
    return [
        found
        for room in ROOMS
        for path in sorted((root / room).rglob("*.py"))
        for found in error_sentences(ast.parse(path.read_text()), str(path.relative_to(root)))
    ]


def wanted() -> set[tuple[str, ...]]:
    """Every text that some chat says through its Words."""
    found: set[tuple[str, ...]] = {(sentence,) for sentence in SENTENCES.values()}
    found |= {(command.meaning,) for command in COMMANDS}
    for path in HANDLERS.rglob("*.py"):
        found |= set(texts_of(ast.parse(path.read_text())))
    found |= {(template,) for template, _ in every_error_sentence()}
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


def test_no_error_is_an_f_string() -> None:
    """`BadInput(f"… {word}")` can be said in English only: write `BadInput("… {word}", word=word)`."""
    assert [where for template, where in every_error_sentence() if not template] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_error_can_be_said_in_every_language(language: str) -> None:
    translated = catalogue(language)
    assert [f"{where} {template}" for template, where in every_error_sentence() if (template,) not in translated] == []


def test_the_search_for_error_sentences_finds_them() -> None:
    planted = 'raise BadInput(f"No {word}.")\nraise NotPossible("Not {it}.", it=1)\nSentence("x" if y else "z")'
    assert list(error_sentences(ast.parse(planted), "f.py")) == [
        ("", "f.py:1"), ("Not {it}.", "f.py:2"), ("", "f.py:3"),
    ]  # fmt: skip


def test_an_error_is_said_in_the_readers_language_with_its_own_words_in_it() -> None:
    german = Words("de")
    refused = sentence_for(NotAllowed(needs="approver", has="editor", what=Sentence("Approving")))
    assert refused == "Approving needs the role approver, and you are editor: ask an admin to raise your role."
    said = german.sentence(refused)
    assert "Freigeben" in said
    assert german("approver") in said
    assert german("editor") in said
    assert "MUG {01} / BOWL" in german.sentence(UnknownSku("x", guesses=("MUG {01}", "BOWL")).sentence)
    assert german.sentence("A plain text of an old row {with braces}") == "A plain text of an old row {with braces}"


def test_a_language_we_do_not_speak_is_said_in_english() -> None:
    assert [known_language(tag) for tag in ("de-AT", "de_DE", "DE", "pt-BR", "", "en-GB")] == [
        "de", "de", "de", "en", "en", "en",
    ]  # fmt: skip
    assert Words("tlh")("Rejected") == "Rejected"


def test_numbers_times_and_lists_follow_the_reader() -> None:
    moment = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    english, german = Words("en", "America/New_York"), Words("de", "Europe/Berlin")
    assert (english.time(moment), german.time(moment)) == ("1 Mar, 17:30", "1. März, 23:30")
    assert (english.number(12345.5), german.number(12345.5)) == ("12,345.5", "12.345,5")
    assert (english.list(["a", "b", "c"]), german.list(["a", "b", "c"])) == ("a, b, and c", "a, b und c")


def test_braces_in_what_people_say_stay_as_they_are() -> None:
    assert Words()("{product} on {background}, before and after", product="{x}", background="{0}") == (
        "{x} on {0}, before and after"
    )
