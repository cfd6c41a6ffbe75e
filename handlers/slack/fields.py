"""The fields of Slack's forms, and how an answer is read back from one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.slack.blocks import Block, Element, plain_text

View = dict[str, Any]
Answers = Mapping[str, Mapping[str, Mapping[str, Any]]]


class WrongAnswer(Exception):
    """What Slack shows under a field of the modal."""

    def __init__(self, block_id: str, sentence: str) -> None:
        super().__init__(sentence)
        self.errors = {block_id: sentence}


def value_of(view: View, block_id: str) -> str:
    """Return what was typed or chosen in a field, empty for nothing."""
    answers: Answers = (view.get("state") or {}).get("values") or {}
    answer = next(iter((answers.get(block_id) or {}).values()), {})
    chosen = answer.get("selected_option") or {}
    return str(answer.get("value") or chosen.get("value") or "").strip()


def text_input(
    name: str, label: str, *, chars: int, multiline: bool = False, is_optional: bool = False, initial: str = ""
) -> Block:
    """Return a field to type into."""
    element: Element = {
        "type": "plain_text_input",
        "action_id": name,
        "max_length": chars,
        "multiline": multiline,
    }
    if initial:
        element["initial_value"] = initial
    return {
        "type": "input",
        "block_id": name,
        "label": plain_text(label, 2000),
        "element": element,
        "optional": is_optional,
    }


def radio(name: str, label: str, options: list[Element], chosen: str) -> Block:
    """Return a choice of one, `chosen` by its value to begin with."""
    element: Element = {"type": "radio_buttons", "action_id": name, "options": options}
    element["initial_option"] = next((each for each in options if each["value"] == chosen), options[0])
    return {"type": "input", "block_id": name, "label": plain_text(label, 2000), "element": element}
