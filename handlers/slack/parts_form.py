"""The form that corrects several parts of a photo at once, and its answers read back.

The button that opens it carries all it needs, so that nothing is kept on our side while it is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.hint import FIELDS
from domain.tokens import Action, Token
from handlers.slack.blocks import Block, Element, image, option, plain_text
from handlers.slack.fields import View, WrongAnswer, radio
from handlers.slack.modals import modal
from handlers.slack.parts import SEVERAL
from handlers.words import Words

PARTS = "parts"
"""callback_id of the form."""
MOST_AT_ONCE = 8


def parts_modal(value: str, about: Mapping[str, str], words: Words) -> View:
    """Return the form behind “Several at once…”; `value` is the button's."""
    question_id, numbers, wants, file_id = value.removeprefix(SEVERAL).split(":", 3)
    parts = [words("Part {number}", number=number) for number in numbers.split(",") if number]
    options = [option(label, str(index)) for index, label in enumerate([*parts, *FIELDS])]
    keep_or_remove = [option(words("Keep"), "keep"), option(words("Remove"), "remove")]
    chosen: Element = {
        "type": "multi_static_select",
        "action_id": "fields",
        "placeholder": plain_text(words("Parts and fields"), 150),
        "options": options,
        "max_selected_items": MOST_AT_ONCE,
    }
    blocks: list[Block] = []
    if file_id:
        blocks.append(image(file_id, words("The photo in fields from A1 to D4, its parts numbered")))
    blocks += [
        radio("wants", words("What to do"), keep_or_remove, wants),
        {"type": "input", "block_id": "fields", "label": plain_text(words("Where"), 2000), "element": chosen},
    ]
    token = str(Token(Action.CHOOSE_PART, question_id, 0))
    return modal(PARTS, words("Correct the cut-out"), words("Redo"), blocks, dict(about) | {"token": token}, words)


def read_parts(view: Mapping[str, Any], words: Words) -> dict[str, str]:
    """Return what was chosen, as a press carries it. Raises WrongAnswer for nothing."""
    answers = (view.get("state") or {}).get("values") or {}
    fields = (answers.get("fields") or {}).get("fields") or {}
    chosen = [str(each["value"]) for each in fields.get("selected_options") or ()]
    if not chosen:
        raise WrongAnswer("fields", words("Choose at least one part or field."))
    wants = ((answers.get("wants") or {}).get("wants") or {}).get("selected_option") or {}
    return {"fields": " ".join(chosen), "wants": str(wants.get("value") or "keep")}
