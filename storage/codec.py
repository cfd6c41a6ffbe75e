"""Domain values as JSON and back. Names on the wire are the classes' names and fields, a promise.

A reader of an old row may be newer than its writer: a field with a default may be missing there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from domain.catalog import Sha256
from domain.enhancement import Replaced, StoredPicture, Target
from domain.intents import Incoming
from domain.picture import Finding
from domain.recipe import Recipe
from domain.replies import REPLY_TYPES, Reply
from domain.sentences import Sentence

INCOMING = TypeAdapter(Incoming)
RECIPE = TypeAdapter(Recipe)
TARGET = TypeAdapter(Target)
TARGETS = TypeAdapter(tuple[Target, ...])
PICTURE = TypeAdapter(StoredPicture)
PICTURES = TypeAdapter(tuple[StoredPicture, ...])
FINDINGS = TypeAdapter(tuple[Finding, ...])
REPLACED = TypeAdapter(Replaced)
PHOTOS = TypeAdapter(tuple[Sha256, ...])
OPTIONS = TypeAdapter(tuple[tuple[str, str], ...])
WORDS = TypeAdapter(tuple[str, ...])

_REPLIES: dict[str, TypeAdapter[Reply]] = {name: TypeAdapter(kind) for name, kind in REPLY_TYPES.items()}


def dump(adapter: TypeAdapter[Any], value: object) -> Any:
    """Return a value as JSON types, in words that every database can keep."""
    return _clean(adapter.dump_python(value, mode="json"))


def dump_reply(reply: Reply) -> dict[str, Any]:
    """Return a reply as JSON types, its class under `type`."""
    name = type(reply).__name__
    return {"type": name, **dump(_REPLIES[name], reply)}


def pack_reply(reply: Reply) -> dict[str, Any]:
    """Return a reply for a row: as `dump_reply` does, and under `sentences` what its sentences were made of."""
    packed = dump_reply(reply)
    if sentences := {path: pack_sentence(sentence) for path, sentence in _sentences(reply)}:
        packed["sentences"] = sentences
    return packed


def load_reply(words: Mapping[str, Any]) -> Reply:
    """Read what `pack_reply` or `dump_reply` wrote. Raises KeyError or ValidationError for anything else."""
    rest = dict(words)
    sentences = rest.pop("sentences", {})
    if isinstance(rest.get("said"), Mapping):  # an older row's name for them, which is a field of newer replies
        sentences = rest.pop("said")
    reply = _REPLIES[rest.pop("type")].validate_python(rest)
    for path, parts in sentences.items():
        reply = _put(reply, path.split("."), load_sentence(parts))
    return reply


def pack_sentence(sentence: str) -> dict[str, Any] | None:
    """Return what a sentence was made of; None for a plain text, which is all there is to it."""
    if not isinstance(sentence, Sentence):
        return None
    values = {
        name: pack_sentence(value) if isinstance(value, Sentence) else value for name, value in sentence.values.items()
    }
    return {"template": clean_text(sentence.template), "values": _clean(values)}


def load_sentence(parts: Mapping[str, Any]) -> Sentence:
    """Read what `pack_sentence` wrote."""
    values = {name: load_sentence(part) if isinstance(part, dict) else part for name, part in parts["values"].items()}
    return Sentence(parts["template"], **values)


def read_failure(failure: str, said: Mapping[str, Any] | None) -> str:
    """Return a row's failure as the sentence it was made as; an older row has only the text."""
    return load_sentence(said) if said else failure


def _sentences(value: object, path: str = "") -> Iterator[tuple[str, Sentence]]:
    """Find the sentences in a reply: in itself, and in the lines it holds."""
    if isinstance(value, Sentence):
        yield path, value
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _sentences(item, f"{path}.{index}")
    elif is_dataclass(value):
        for field in fields(value):
            yield from _sentences(getattr(value, field.name), f"{path}.{field.name}" if path else field.name)


def _put(value: Any, path: list[str], sentence: Sentence) -> Any:
    """Return a value with one of its sentences in place of the text it was kept as."""
    if not path:
        return sentence
    step, *rest = path
    if isinstance(value, tuple):
        index = int(step)
        return (*value[:index], _put(value[index], rest, sentence), *value[index + 1 :])
    return replace(value, **{step: _put(getattr(value, step), rest, sentence)})


def clean_json(value: Any) -> Any:
    """Return JSON types in words that every database can keep, as they will be read back."""
    return _clean(json.loads(json.dumps(value)))


def clean_text(text: str) -> str:
    """Replace what PostgreSQL or UTF-8 cannot hold: NUL and lone surrogates, which nobody types."""
    if "\x00" not in text and text.isprintable():
        return text
    return "".join("\ufffd" if char == "\x00" or "\ud800" <= char <= "\udfff" else char for char in text)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): _clean(item) for key, item in value.items()}
    return value
