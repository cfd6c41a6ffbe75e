"""What Slack refuses of a message's, modal's or home page's blocks. The SDK's models check too.

Limits: docs.slack.dev, reference/block-kit (seen November 2026). A view of a refused block names where,
as Slack's `response_metadata.messages` do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block, HeaderBlock, InputBlock

FindFile = Callable[[str], dict[str, Any] | None]

MOST = {"message": 50, "modal": 100, "home": 100}
SHOWABLE = {"image/png", "image/jpeg", "image/gif"}
_ENTITY = re.compile(r"&(?!(amp|lt|gt);)")


def refusals(blocks: list[dict[str, Any]], surface: str, find_file: FindFile) -> list[str]:
    """Return what is wrong, empty when Slack would take it."""
    wrong: list[str] = []
    if len(blocks) > MOST[surface]:
        wrong.append(f"no more than {MOST[surface]} items allowed [json-pointer:/blocks]")
    block_ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(block_ids)) != len(block_ids):
        wrong.append("duplicate block_id [json-pointer:/blocks]")
    for index, block in enumerate(blocks):
        wrong += [f"{each} [json-pointer:/blocks/{index}]" for each in _of_block(block, surface, find_file)]
    return wrong


def _of_block(block: dict[str, Any], surface: str, find_file: FindFile) -> Iterator[str]:
    try:
        parsed = Block.parse(block)
        if parsed is None:
            yield f"unsupported type: {block.get('type')}"
            return
        # The SDK's own validators refuse a header's `emoji` flag and some elements of an input, which Slack takes.
        if not isinstance(parsed, InputBlock | HeaderBlock):
            parsed.validate_json()
    except (SlackObjectFormationError, TypeError) as error:
        yield str(error)
    if len(block.get("block_id", "")) > 255:
        yield "block_id is too long"
    if block["type"] == "input" and surface == "message":
        yield "no inputs in messages here"
    if (check := _CHECKS.get(block["type"])) is not None:
        yield from check(block, find_file)


def _section(block: dict[str, Any], find_file: FindFile) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "section needs text or fields"
    if len(block.get("fields", ())) > 10:
        yield "no more than 10 fields"
    yield from _text(block.get("text"), 3000)
    for field in block.get("fields", ()):
        yield from _text(field, 2000)
    yield from _element(block.get("accessory"), find_file)


def _header(block: dict[str, Any], find_file: FindFile) -> Iterator[str]:
    if block["text"].get("type") != "plain_text":
        yield "a header is plain_text"
    yield from _text(block["text"], 150)


def _context(block: dict[str, Any], find_file: FindFile) -> Iterator[str]:
    if not 1 <= len(block["elements"]) <= 10:
        yield "context takes 1 to 10 elements"
    for element in block["elements"]:
        yield from _picture(element, find_file) if element["type"] == "image" else _text(element, 2000)


def _input(block: dict[str, Any], find_file: FindFile) -> Iterator[str]:
    yield from _text(block["label"], 2000)
    yield from _element(block["element"], find_file)


def _row(block: dict[str, Any], find_file: FindFile) -> Iterator[str]:
    elements = block["elements"]
    if not 1 <= len(elements) <= 25:
        yield "actions takes 1 to 25 elements"
    ids = [element.get("action_id") for element in elements]
    if len(set(ids)) != len(ids):
        yield "duplicate action_id"
    for element in elements:
        yield from _element(element, find_file)


def _element(element: dict[str, Any] | None, find_file: FindFile) -> Iterator[str]:
    if element is None:
        return
    if len(element.get("action_id", "")) > 255:
        yield "action_id is too long"
    kind = element["type"]
    if kind == "image":
        yield from _picture(element, find_file)
    elif kind == "button":
        yield from _button(element)
    elif kind in _MOST_OPTIONS:
        yield from _options(element, _MOST_OPTIONS[kind])
    elif kind == "plain_text_input":
        yield from _text(element.get("placeholder"), 150)
        if element.get("max_length", 1) > 3000:
            yield "max_length over 3000"
    else:
        yield f"the fake knows no {kind}"


def _button(element: dict[str, Any]) -> Iterator[str]:
    yield from _text(element["text"], 75)
    if len(element.get("value", "")) > 2000:
        yield "button value over 2000"
    if element.get("style", "primary") not in {"primary", "danger"}:
        yield "unknown style"
    yield from _confirm(element.get("confirm"))


def _options(element: dict[str, Any], most: int) -> Iterator[str]:
    if not 1 <= len(element["options"]) <= most:
        yield f"{element['type']} takes 1 to {most} options"
    for option in element["options"]:
        yield from _text(option["text"], 75)
        if len(option["value"]) > 150:
            yield "option value over 150"
    if "initial_option" in element and element["initial_option"] not in element["options"]:
        yield "initial_option is not among the options"


def _confirm(confirm: dict[str, Any] | None) -> Iterator[str]:
    for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        if confirm is not None:
            yield from _text(confirm.get(name), most)


def _text(text: dict[str, Any] | None, most: int) -> Iterator[str]:
    if text is None:
        return
    said = text["text"]
    if not said:
        yield "text must be more than 0 characters"
    if len(said) > most:
        yield f"text must be less than {most + 1} characters"
    if text["type"] == "mrkdwn" and _ENTITY.search(said):
        yield f"an unescaped & in {said[:60]!r}"


def _picture(image: dict[str, Any], find_file: FindFile) -> Iterator[str]:
    if not image.get("alt_text"):
        yield "missing alt_text"
    if len(image.get("alt_text", "")) > 2000:
        yield "alt_text over 2000"
    file = image.get("slack_file")
    if (file is None) == ("image_url" not in image):
        yield "an image has either image_url or slack_file"
        return
    if file is None:
        return
    if set(file) not in ({"id"}, {"url"}):
        yield "slack_file is either id or url"
        return
    found = find_file(str(file.get("id") or file.get("url")))
    if found is None or found["is_unshowable"] or found.get("mimetype") not in SHOWABLE:
        yield "invalid slack file"


_CHECKS: dict[str, Callable[[dict[str, Any], FindFile], Iterator[str]]] = {
    "section": _section,
    "header": _header,
    "image": _picture,
    "context": _context,
    "actions": _row,
    "input": _input,
}
_MOST_OPTIONS = {"overflow": 5, "radio_buttons": 10, "static_select": 100, "multi_static_select": 100}
