"""What Telegram refuses: the Bot API's definition as data, its limits, and its HTML.

The definition is the scraped one where it lies beside the project, else the extract in tests/data;
a parameter neither names is refused, as a misspelt one would pass by unseen on the real server.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_FULL = _ROOT.parent / "shared" / "specs" / "telegram" / "api.min.json"
EXTRACT = _ROOT / "tests" / "data" / "telegram_api.json"

MAX_TEXT, MAX_CAPTION = 4096, 1024
MAX_CALLBACK_BYTES, MAX_COPY_CHARS, MAX_ALERT_CHARS = 64, 256, 200
MAX_ROW, MAX_KEYS = 8, 100
MAX_PHOTO_BYTES, MAX_UPLOAD_BYTES, MAX_DOWNLOAD_BYTES = 10_000_000, 50_000_000, 20_000_000

_TAGS = frozenset(
    {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a", "tg-emoji", "code", "pre", "blockquote"}
)  # fmt: skip
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s+[a-zA-Z-]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))?)*)\s*>")
_ENTITY = re.compile(r"&(?:(lt|gt|amp|quot)|#(\d+)|#x([0-9a-fA-F]+));")


class Refusal(Exception):
    """An answer that is not ok, with Telegram's own words."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad(description: str) -> Refusal:
    return Refusal(400, f"Bad Request: {description}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a request."""

    filename: str
    content: bytes


Params = dict[str, Any]


@cache
def definition() -> dict[str, Any]:
    path = _FULL if _FULL.exists() else EXTRACT
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def read_params(method: str, raw: dict[str, str | Upload]) -> Params:
    """Return the parameters with their types, or refuse them."""
    known = definition()["methods"].get(method)
    if known is None:
        raise Refusal(404, "Not Found")
    fields = {field["name"]: field for field in known.get("fields", [])}
    attached = {name for name, value in raw.items() if isinstance(value, Upload)}
    named = {
        word[9:] for value in raw.values() if isinstance(value, str) for word in re.findall(r"attach://[\w-]+", value)
    }
    unknown = set(raw) - set(fields) - (attached & named)
    if unknown:
        raise bad(f"unknown parameter {min(unknown)} of {method}")
    for name, field in fields.items():
        if field["required"] and name not in raw:
            raise bad(f"{name} is required by {method}")
    return {name: _read(name, value, fields[name]["types"]) for name, value in raw.items() if name in fields} | {
        name: value for name, value in raw.items() if name not in fields
    }


def _read(name: str, value: str | Upload, types: list[str]) -> Any:
    if isinstance(value, Upload):
        if "InputFile" not in types:
            raise bad(f"{name} is no file")
        return value
    if types == ["Boolean"]:
        if value not in {"true", "false", "True", "False"}:
            raise bad(f"{name} must be a Boolean")
        return value.lower() == "true"
    if "Integer" in types and re.fullmatch(r"-?\d+", value):
        return int(value)
    if "String" in types or types == ["InputFile"]:
        return value
    if "Integer" in types:
        raise bad(f"{name} must be an Integer")
    try:
        parsed = json.loads(value)
    except ValueError:
        raise bad(f"can't parse {name} JSON object") from None
    _check(name, parsed, types)
    return parsed


def _check(name: str, value: Any, types: list[str]) -> None:
    problems: list[str] = []
    for kind in types:
        problem = _mismatch(name, value, kind)
        if not problem:
            return
        problems.append(problem)
    raise bad(problems[0])


def _mismatch(name: str, value: Any, kind: str) -> str:  # noqa: C901 - one line a kind
    if kind.startswith("Array of "):
        if not isinstance(value, list):
            return f"{name} must be an array"
        return next((problem for item in value if (problem := _mismatch(name, item, kind[9:]))), "")
    if kind in {"String", "InputFile"}:
        return "" if isinstance(value, str) else f"{name} must be a String"
    if kind == "Integer":
        return "" if isinstance(value, int) and not isinstance(value, bool) else f"{name} must be an Integer"
    if kind in {"Boolean", "True"}:
        return "" if isinstance(value, bool) else f"{name} must be a Boolean"
    if kind == "Float":
        return "" if isinstance(value, int | float) else f"{name} must be a Float"
    known = definition()["types"][kind]
    if "subtypes" in known:
        found = [_mismatch(name, value, subtype) for subtype in known["subtypes"]]
        return "" if "" in found else found[0]
    if not isinstance(value, dict):
        return f"{name} must be a {kind}"
    fields = {field["name"]: field for field in known.get("fields", [])}
    if unknown := set(value) - set(fields):
        return f"unknown field {min(unknown)} of {kind}"
    for field_name, field in fields.items():
        if field["required"] and field_name not in value:
            return f"field {field_name} of {kind} is required"
        if field_name in value:
            found = [_mismatch(f"{kind}.{field_name}", value[field_name], each) for each in field["types"]]
            if "" not in found:
                return found[0]
    return ""


def check_keyboard(markup: dict[str, Any] | None) -> None:
    """Refuse what Telegram refuses of an inline keyboard."""
    if not markup:
        return
    rows = markup.get("inline_keyboard", [])
    if any(len(row) > MAX_ROW for row in rows) or sum(len(row) for row in rows) > MAX_KEYS:
        raise bad("reply markup has too many buttons")
    for key in (key for row in rows for key in row):
        if not key["text"].strip():
            raise bad("text buttons are not allowed to be empty")
        kinds = set(key) - {"text", "style", "icon_custom_emoji_id"}
        if len(kinds) != 1:
            raise bad("inline keyboard button must have exactly one of the optional fields")
        if "callback_data" in key and not 1 <= len(key["callback_data"].encode()) <= MAX_CALLBACK_BYTES:
            raise bad("BUTTON_DATA_INVALID")
        if "copy_text" in key and not 1 <= len(key["copy_text"]["text"]) <= MAX_COPY_CHARS:
            raise bad("BUTTON_COPY_TEXT_INVALID")
        if "url" in key and not re.match(r"(?:https?|tg)://[^\s/]+", key["url"]):
            raise bad("BUTTON_URL_INVALID")
        if key.get("style", "primary") not in {"primary", "success", "danger"}:
            raise bad("button style is unknown")


def visible_text(text: str, parse_mode: str | None, *, at_most: int, what: str) -> str:
    """Return what a person reads of a text, or refuse its markup or its length.

    The length is counted in UTF-16 units, as Telegram counts entities: never less strict than it is.
    """
    if parse_mode not in {None, "HTML"}:
        raise bad("unsupported parse_mode")
    plain = (_plain(text) if parse_mode else text).strip()
    if len(plain.encode("utf-16-le")) // 2 > at_most:
        raise bad(f"{what} is too long")
    return plain


def _plain(html: str) -> str:
    """Return HTML without its tags, as Telegram's parser does: unknown and unclosed tags are errors."""
    open_tags: list[str] = []
    plain = ""
    position = 0
    while position < len(html):
        if html[position] == "<":
            match = _TAG.match(html, position)
            offset = len(html[:position].encode())
            if match is None or match[2].lower() not in _TAGS:
                name = re.match(r"</?([^\s>/]*)", html[position:])
                raise bad(
                    f'can\'t parse entities: Unsupported start tag "{name[1] if name else ""}" at byte offset {offset}'
                )
            tag = match[2].lower()
            if match[1]:
                if not open_tags or open_tags.pop() != tag:
                    raise bad(f"can't parse entities: Unexpected end tag at byte offset {offset}")
            else:
                open_tags.append(tag)
                if tag == "blockquote" and open_tags.count(tag) > 1:
                    raise bad("can't parse entities: blockquotes can't be nested")
            position = match.end()
        elif html[position] == "&" and (match := _ENTITY.match(html, position)):
            plain += {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}.get(match[1] or "") or chr(
                int(match[2]) if match[2] else int(match[3], 16)
            )
            position = match.end()
        else:
            plain += html[position]
            position += 1
    if open_tags:
        raise bad(f"can't parse entities: Can't find end tag corresponding to start tag \"{open_tags[-1]}\"")
    return plain
