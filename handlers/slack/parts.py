"""Which part of the photo is meant, and versions side by side: the numbered picture, buttons and a menu.

One press or one line of the menu is one correction; a form behind a button takes several (parts_form.py).
"""

from __future__ import annotations

from domain.replies import Compared, WhichPart
from handlers.buttons import buttons
from handlers.faces import version_words
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
from handlers.words import Words

SEVERAL = "several:"
"""How the value of the button that opens the form begins; the picture's file stands in it too."""


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
    numbers = ",".join(each.label for each in parts)
    several = f"{SEVERAL}{reply.question_id}:{numbers}:{reply.wants}:{picture.file_id}"
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
        words("Version {number}: {changes}", number=version.number, changes=words_of(cut(made, 200)))
        for version in reply.versions
        if (made := version_words(version, words))
    )
    return Shown(said, blocks)
