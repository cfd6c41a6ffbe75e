"""A card in Slack: what it is about, how it stands today, its picture, and what can be pressed on it."""

from __future__ import annotations

from dataclasses import dataclass

from domain.picture import FindingLevel
from domain.replies import Card, CardReply, Placed, Working
from domain.tokens import Action, Token
from handlers.buttons import Button, buttons
from handlers.faces import STAGES, STEPS, Tone, alt_text, face, placed_words
from handlers.slack.blocks import (
    Block,
    Element,
    actions,
    button,
    confirm,
    context,
    cut,
    header,
    image,
    link,
    overflow,
    section,
    sections,
    sentence,
    when,
    words_of,
)
from handlers.words import Words

PRESS, MORE, SAY = "press", "more", "say"
"""How action ids begin: a token, the three dots, words that a press says for the person."""

SAYS = "say:"
"""How a value begins that is words to be said; every other value is a token."""

ICONS: dict[Tone, str] = {"wait": "⏳", "decide": "👉", "good": "✅", "warn": "⚠️", "bad": "❌", "quiet": "▫️"}
"""Beside the words, never instead of them."""

_FINDING_ICONS = {FindingLevel.WARNING: "⚠️", FindingLevel.NOTE: "•", FindingLevel.OK: "✓"}
MAX_LINES = 40
"""Rows of a list in one message; each may be a block."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a card's picture is: a file to show, or in the thread when Slack would not show it inside."""

    file_id: str = ""
    is_in_thread: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A message's two faces. `text` is escaped, since Slack reads it as mrkdwn."""

    text: str
    blocks: list[Block]


NO_PICTURE = Picture()


def show_working(reply: Working, words: Words) -> Shown:
    """Return the short card that stands while pixels are worked on."""
    step, said = STAGES.get(reply.stage, (2, ""))
    told = words(said) if said else words("The next version is on its way.")
    name = words_of((reply.card.title if reply.card else "") or reply.sku or words("Your photo"))
    way = "  ›  ".join(
        f"✓ {words(each)}" if index < step else f"*{words(each)}*" if index == step else words(each)
        for index, each in enumerate(STEPS)
    )
    return Shown(f"{name}: {told}", [section(f"⏳ *{name}*\n{told}"), context(way)])


def show_card(reply: CardReply, card: Card, words: Words, picture: Picture) -> Shown:
    """Return the whole card as it stands today."""
    today = face(reply, words)
    name = card.title or card.sku
    said = sentence(today.sentence)
    lead = f"{ICONS[today.tone]} *{today.state}*\n{said}"
    alt = alt_text(card, words)
    thumbnail = image(picture.file_id, alt) if picture.file_id and today.is_settled else None
    blocks: list[Block] = [header(name), section(lead, thumbnail)]
    if picture.file_id and not today.is_settled:
        blocks.append(image(picture.file_id, alt))
    elif picture.is_in_thread:
        blocks.append(context(words("🖼️ Slack could not show the picture here, so it is in the thread.")))
    blocks += sections(_placed(line, words) for line in today.placed[:MAX_LINES])
    if today.by and today.at:
        by = words_of(today.by)
        decided = words("Rejected by {by}", by=by) if today.is_rejected else words("Approved by {by}", by=by)
        blocks.append(context(decided, when(today.at, words)))
    if today.tone == "decide":
        blocks += _findings(card, words)
    blocks += [context(card_facts(card, words)), card_actions(card, buttons(reply), words)]
    return Shown(f"{words_of(name)}: {today.state}. {said}", blocks)


def _placed(line: Placed, words: Words) -> str:
    state, tone = placed_words(line, words)
    page = link(line.url, words("Open page"))
    told = f"{ICONS[tone]} *{words_of(line.store)}*  {state}{f'  ·  {page}' if page else ''}"
    return f"{told}\n{sentence(words.sentence(line.failure))}" if line.failure else told


def _findings(card: Card, words: Words) -> list[Block]:
    told = [
        f"{_FINDING_ICONS[finding.level]} {sentence(words.finding(finding))}"
        for finding in card.findings
        if finding.level is not FindingLevel.OK
    ]
    passed = [sentence(words.finding(finding)) for finding in card.findings if finding.level is FindingLevel.OK]
    blocks = sections(told)
    return [*blocks, context(f"✓ {' '.join(passed)}")] if passed else blocks


def card_facts(card: Card, words: Words) -> str:
    """Return a card's small print in one line."""
    facts = [words_of(card.sku), words_of(words.list(card.stores)) if card.stores else ""]
    if card.background:
        facts.append(words("Background: {background}", background=words_of(words(card.background))))
    if card.shadow:
        facts.append(words("Shadow: {shadow}", shadow=words_of(words(card.shadow))))
    if card.requested_by:
        facts.append(words("for {name}", name=words_of(card.requested_by)))
    return "  ·  ".join(fact for fact in facts if fact)


def card_actions(card: Card, pressable: tuple[Button, ...], words: Words) -> Block:
    """Return two actions to see, the rarer ones behind the dots; a question's answers stay together."""
    folded = [each for each in pressable if each.asks in {"recipe", "part"} or _is_rare(each)]
    visible = [each for each in pressable if each not in folded] or list(pressable[:1])
    folded = [each for each in folded if each not in visible]
    elements = [draw_button(each, index, card, words) for index, each in enumerate(visible)]
    rarer = [(_rarer(each, words), each.token) for each in folded]
    rarer += [
        (words("Show the product"), f"{SAYS}product {as_word(card.sku)}"),
        (words("History"), f"{SAYS}history {as_word(card.sku)}"),
    ]
    dots = overflow(rarer, MORE)
    return actions([*elements, dots] if dots else elements)


def _rarer(each: Button, words: Words) -> str:
    if each.asks == "recipe":
        return words("{action} with other options…", action=words(each.label))
    return words(each.label)


def _is_rare(each: Button) -> bool:
    return Token.parse(each.token).action in {Action.COMPARE, Action.SPLIT}


def draw_button(each: Button, index: int, card: Card | None, words: Words) -> Element:
    """Return a button with its token; publishing to a live shop asks once more."""
    asked = None
    if each.asks == "confirm" and card is not None and card.is_live:
        asked = confirm(
            words("Publish now?"),
            words(
                "Buyers will see the new picture of {product} ({sku}) on {stores} at once.",
                product=cut(card.title or card.sku, 100),
                sku=card.sku,
                stores=words.list(card.stores),
            ),
            words("Publish"),
            words("Not yet"),
        )
    return button(words(each.label), each.token, f"{PRESS}:{index}", style=each.style, confirm=asked)


def as_word(text: str) -> str:
    """Return text as one word of a command: SKUs may have spaces in them."""
    return f'"{text}"' if any(char.isspace() or char == "," for char in text) else text
