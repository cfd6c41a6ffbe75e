"""Domain values as JSON and back. Names on the wire are the classes' names and fields, a promise.

A reader of an old row may be newer than its writer: a field with a default may be missing there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from domain.catalog import Sha256
from domain.enhancement import Replaced, StoredPicture, Target
from domain.intents import Incoming
from domain.picture import Finding
from domain.recipe import Recipe
from domain.replies import REPLY_TYPES, Reply

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


def load_reply(words: Mapping[str, Any]) -> Reply:
    """Read what `dump_reply` wrote. Raises KeyError or ValidationError for anything else."""
    fields = dict(words)
    return _REPLIES[fields.pop("type")].validate_python(fields)


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
