"""Which part of the photo is meant, and versions side by side: the numbered picture, buttons, a menu and a form.

One press or one line of the menu is one correction; the form takes several at once. The form's button carries
what the form needs, the picture's file too, so that nothing is kept on our side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.hint import FIELDS
from domain.replies import Compared, WhichPart
from domain.tokens import Action, Token
from handlers.buttons import buttons
from handlers.slack.blocks import (
    Block,
    Element,
    actions,
    button,
    context,
    cut,
    image,
    option,
    plain_text,
    section,
    sections,
    words_of,
)
from handlers.slack.cards import PRESS, Picture, Shown
from handlers.slack.modals import View, WrongAnswer, modal, radio
from handlers.words import Words

PARTS = "parts"
"""callback_id of the form."""
SEVERAL = "several:"
"""How the value of the button that opens the form begins."""
MOST_AT_ONCE = 8


def show_which_part(reply: WhichPart, words: Words, picture: Picture) -> Shown:
    """Return the question with everything to answer it by."""
    name = words_of(reply.title or reply.sku)
    if reply.wants == "keep":
        asked = words(
            "Which part of {product} did I leave out? Choose its number, or the field it lies in.", product=name
        )
    else:
        asked = words("What does not belong to {product}? Choose its number, or the field it lies in.", product=name)
    choices = buttons(reply)
    parts, fields = choices[: reply.part_count], choices[reply.part_count :]
    pressed = [
        button(words("Part {number}", number=each.label), each.token, f"{PRESS}:{index}")
        for index, each in enumerate(parts)
    ]
    menu: Element = {
        "type": "static_select",
        "action_id": f"{PRESS}:field",
        "placeholder": plain_text(words("A field of the photo"), 150),
        "options": [option(each.label, each.token) for each in fields],
    }
    several = f"{SEVERAL}{reply.question_id}:{reply.part_count}:{reply.wants}:{picture.file_id}"
    elements = [*pressed, menu, button(words("Several at once…"), several, f"{PRESS}:several")]
    blocks: list[Block] = [section(f"*{asked}*")]
    if picture.file_id:
        alt = words(
            "The photo of {product} in fields from A1 to D4, its parts numbered", product=reply.title or reply.sku
        )
        blocks.append(image(picture.file_id, alt))
    elif picture.is_in_thread:
        blocks.append(context(words("🖼️ Slack could not show the picture here, so it is in the thread.")))
    blocks += [actions(elements), context(words("Each choice makes a new version; the old ones stay."))]
    return Shown(asked, blocks)


def show_compared(reply: Compared, words: Words, picture: Picture) -> Shown:
    """Return the sheet and what made each version other than the one before."""
    said = words("{product}, side by side", product=words_of(reply.title or reply.sku))
    blocks: list[Block] = [section(f"*{said}*")]
    if picture.file_id:
        blocks.append(image(picture.file_id, words("{product}, side by side", product=reply.title or reply.sku)))
    elif picture.is_in_thread:
        blocks.append(context(words("🖼️ Slack could not show the picture here, so it is in the thread.")))
    blocks += sections(
        words("Version {number}: {changes}", number=version.number, changes=words_of(cut(version.changes, 200)))
        for version in reply.versions
        if version.changes
    )
    return Shown(said, blocks)


def parts_modal(value: str, about: Mapping[str, str], words: Words) -> View:
    """Return the form behind “Several at once…”; `value` is the button's."""
    question_id, part_count, wants, file_id = value.removeprefix(SEVERAL).split(":", 3)
    parts = [words("Part {number}", number=number) for number in range(1, int(part_count) + 1)]
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
