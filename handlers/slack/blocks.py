"""Block Kit's pieces, each within Slack's limits, and people's words made harmless on their way in.

Slack reads `*_~` and backticks as markup and `<…>` as links and mentions. Nothing escapes the former,
so zero-width spaces go round one where it would start or end a style: taken for a space or for a letter,
they make it neither. `MUG_01` gets none, so that it can be copied.
Source of the limits: docs.slack.dev, reference/block-kit (seen November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from handlers.words import Words

Block = dict[str, Any]
Element = dict[str, Any]

MAX_BLOCKS = 50
MAX_ACTIONS = 25
MAX_OVERFLOW = 5
SECTION_CHARS = 3000
HEADER_CHARS = 150
LABEL_CHARS = 75
ALT_CHARS = 2000
OPTION_VALUE_CHARS = 150
BUTTON_VALUE_CHARS = 2000
TEXT_CHARS = 3000
"""Of the top-level `text`: Slack cuts at 40,000, and a notification shows far less."""

_STYLE = re.compile(r"(?<![^\W_])[*_~`]|[*_~`](?![^\W_])")
"""A mark with no letter or digit on one side: only there does Slack take it for markup."""
_QUOTE = re.compile(r"(?m)^(?=>)")


def escaped(words: str) -> str:
    """Return words with Slack's three control characters escaped; markup in them stays markup."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def words_of(words: str) -> str:
    """Return people's words so that mrkdwn shows exactly them."""
    quiet = _STYLE.sub(lambda mark: f"\u200b{mark[0]}\u200b", words)
    return escaped(_QUOTE.sub("\u200b", quiet))


def sentence(said: str) -> str:
    """Return a sentence of ours, its `commands` as code and all else as words."""
    parts = said.split("`")
    if len(parts) % 2 == 0:  # somebody's lone backtick
        parts[-2:] = [f"{parts[-2]}`{parts[-1]}"]
    return "".join(
        f"`{escaped(part)}`" if index % 2 and part.strip() else words_of(part) for index, part in enumerate(parts)
    )


def cut(words: str, chars: int) -> str:
    """Return words cut to size, the cut shown."""
    words = words.strip()
    return words if len(words) <= chars else f"{words[: chars - 1].rstrip()}…"


def cut_markup(markup: str, chars: int) -> str:
    """Return mrkdwn cut to size without leaving half an entity or link behind."""
    if len(markup) <= chars:
        return markup
    head = markup[: chars - 1]
    for opening, closing in (("<", ">"), ("&", ";")):
        if head.rfind(opening) > head.rfind(closing):
            head = head[: head.rfind(opening)]
    return f"{head.rstrip()}…"


def link(url: str, label: str) -> str:
    """Return a link to follow, or just its label where the address is none that Slack may be given."""
    if not url.startswith(("https://", "http://")) or any(char in url for char in "<>|\\ \n"):
        return ""
    return f"<{url.replace('&', '&amp;')}|{escaped(label)}>"


def when(moment: datetime, words: Words) -> str:
    """Return a time that Slack shows in each reader's own zone; the fallback is in the place's."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}}, {{time}}|{escaped(words.time(moment))}>"


def header(words: str) -> Block:
    """A headline: plain text, so words need no escaping."""
    return {"type": "header", "text": plain_text(words, HEADER_CHARS)}


def section(markup: str, accessory: Element | None = None) -> Block:
    """A paragraph of mrkdwn; `verbatim` keeps Slack from linking what looks like an address or a name."""
    block: Block = {"type": "section", "text": mrkdwn(markup)}
    return block | {"accessory": accessory} if accessory else block


def sections(lines: Iterable[str]) -> list[Block]:
    """Put lines into as few sections as their length allows."""
    blocks: list[Block] = []
    paragraph = ""
    for line in lines:
        fitting = cut_markup(line, SECTION_CHARS)
        if paragraph and len(paragraph) + 1 + len(fitting) > SECTION_CHARS:
            blocks.append(section(paragraph))
            paragraph = ""
        paragraph = f"{paragraph}\n{fitting}" if paragraph else fitting
    return [*blocks, section(paragraph)] if paragraph else blocks


def context(*markups: str) -> Block:
    """Small grey print; at most ten pieces, which here are never more than a few."""
    return {"type": "context", "elements": [mrkdwn(markup, 2000) for markup in markups]}


def image(file_id: str, alt: str) -> Block:
    """A picture that was uploaded here before, as a block or as a section's accessory."""
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": cut(alt, ALT_CHARS)}


def actions(elements: Sequence[Element]) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(elements[:MAX_ACTIONS])}


def button(label: str, value: str, action_id: str, *, style: str = "", confirm: Element | None = None) -> Element:
    """A button; `style` is primary, danger or empty."""
    element: Element = {
        "type": "button",
        "text": plain_text(label, LABEL_CHARS),
        "action_id": action_id,
        "value": value[:BUTTON_VALUE_CHARS],
    }
    if style in {"primary", "danger"}:
        element["style"] = style
    return element | {"confirm": confirm} if confirm else element


def overflow(options: Sequence[tuple[str, str]], action_id: str) -> Element | None:
    """The three dots: (label, value) pairs. Values too long for Slack are left out, since a cut one is wrong."""
    fitting = [option(label, value) for label, value in options if len(value) <= OPTION_VALUE_CHARS]
    return {"type": "overflow", "action_id": action_id, "options": fitting[:MAX_OVERFLOW]} if fitting else None


def option(label: str, value: str) -> Element:
    """One line to choose."""
    return {"text": plain_text(label, LABEL_CHARS), "value": value}


def confirm(title: str, said: str, yes: str, no: str) -> Element:
    """Slack's own question before a press counts."""
    return {
        "title": plain_text(title, 100),
        "text": plain_text(said, 300),
        "confirm": plain_text(yes, 30),
        "deny": plain_text(no, 30),
    }


def plain_text(words: str, chars: int) -> Element:
    """Words as they are: no markup, no `:emoji:` codes. Never empty, which Slack refuses."""
    return {"type": "plain_text", "text": cut(words, chars) or "–", "emoji": False}


def mrkdwn(markup: str, chars: int = SECTION_CHARS) -> Element:
    """Markup that only we wrote: people's words in it went through `words_of`."""
    return {"type": "mrkdwn", "text": cut_markup(markup, chars) or "–", "verbatim": True}
