"""Buttons under Telegram's messages, and the menus behind them that never leave Telegram.

A button carries a `v1:` token; behind a `|` may stand what only Telegram needs: `<verb><kind><language>`.
`kind` names the keyboard to come back to, as a press knows its message but not the card; `language` is
the card's own, so that a menu speaks like the card around it. All fit into 64 bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from domain.errors import BadInput
from domain.picture import FindingCode
from domain.replies import Card, CardReply, PreviewReady, WhichPart
from domain.tokens import Action, Token
from handlers.buttons import TAKE_BACK, Button, buttons
from handlers.words import ENGLISH, LANGUAGES, Words, text

Rows = tuple[tuple[InlineKeyboardButton, ...], ...]
COPY_MAX_CHARS = 256
LABEL_MAX_CHARS = 64


class Verb(StrEnum):
    """What a press means inside Telegram. The signs of `_CHOICES` choose from a menu."""

    ASK = "a"
    """Ask once more before publishing where buyers look."""
    MENU = "m"
    BACK = "b"


class Kind(StrEnum):
    """Which buttons a card has, one letter each; the letters are a promise, as buttons live for months."""

    PREVIEW = "p"
    LIVE_PREVIEW = "P"
    PUBLISHED = "u"
    FAILED = "f"
    FAILED_WITH_UNDO = "F"
    REDO = "r"


_ACTIONS: dict[Kind, tuple[Action, ...]] = {
    Kind.PREVIEW: (Action.APPROVE, Action.REJECT, Action.REDO),
    Kind.LIVE_PREVIEW: (Action.APPROVE, Action.REJECT, Action.REDO),
    Kind.PUBLISHED: (Action.UNDO, Action.REDO),
    Kind.FAILED: (Action.RETRY, Action.REDO),
    Kind.FAILED_WITH_UNDO: (Action.RETRY, Action.UNDO, Action.REDO),
    Kind.REDO: (Action.REDO,),
}
_LABELS: dict[Action, tuple[str, str, str]] = {
    Action.APPROVE: ("✅", text("Approve"), "success"),
    Action.REJECT: ("✖️", text("Reject"), "danger"),
    Action.REDO: ("🔁", text("Redo"), ""),
    Action.UNDO: ("↩️", text("Undo"), ""),
    Action.RETRY: ("🔄", text("Retry"), "primary"),
    Action.LOOK_AGAIN: ("👀", text("Look again"), "primary"),
    Action.IT_IS_THERE: ("👍", text("It is there"), ""),
    Action.IT_IS_NOT_THERE: ("👎", text("It is not there"), ""),
    Action.KEEP: ("➕", text("Keep a part…"), ""),
    Action.REMOVE: ("➖", text("Remove a part…"), ""),
    Action.COMPARE: ("🖼", text("Compare versions"), ""),
    Action.SPLIT: ("✂️", text("Split into single pictures"), ""),
}
REASONS = (text("Too dark"), text("Cut-out is wrong"), text("Wrong background"), text("No reason"))
"""Why a picture is rejected; the last is none. Any other is written as a reply to the card."""
NO_REASON = len(REASONS) - 1
RECIPES: tuple[tuple[str, Mapping[str, str]], ...] = (
    (text("White"), {"background": "white"}),
    (text("Light grey"), {"background": "#eeeeee"}),
    (text("Soft shadow"), {"shadow": "soft"}),
    (text("No shadow"), {"shadow": "none"}),
    (text("As it was"), {}),
    (text("Gradient"), {"background": "gradient"}),
    (text("Reflection"), {"shadow": "reflection"}),
    (text("More room around it"), {"margin": "12"}),
    (text("Less room around it"), {"margin": "4"}),
    (text("Brighter"), {"brightness": "+0.5"}),
    (text("Darker"), {"brightness": "-0.5"}),
    (text("Original light"), {"brightness": "0"}),
    (text("Original colours"), {"white": "off"}),
    (text("Square"), {"aspect": "1:1"}),
    (text("Landscape, 4:3"), {"aspect": "4:3"}),
    (text("Portrait, 3:4"), {"aspect": "3:4"}),
    (text("Scale of the first picture"), {"scale": "sku"}),
    (text("Fill the frame"), {"scale": "auto"}),
    (text("Only the left thing"), {"thing": "1"}),
    (text("Only the second thing"), {"thing": "2"}),
    (text("All things"), {"thing": "all"}),
)
"""Ways to make it again. Their places are a promise, as buttons live for months: new ones come last."""
RECIPES_SHOWN = (0, 1, 5, 2, 6, 3, 7, 8, 13, 14, 15, 16, 17, 9, 10, 11, 12, 18, 19, 20, 4)
_OF_SEVERAL = {index for index, (_, options) in enumerate(RECIPES) if "thing" in options}
"""Of use only where the photo shows several things."""
_CHOICES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""How a menu's choice is written, one sign each; a Verb is a small letter."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button's back, read."""

    token: str
    verb: str = ""
    """A Verb, a choice, or empty: the token alone."""
    kind: Kind = Kind.REDO
    words: Words = ENGLISH


def read_data(data: str) -> Pressed:
    """Read what a button carries; the token itself is read, and refused, where every chat's is."""
    token, bar, rest = data.partition("|")
    if not bar:
        return Pressed(token)
    verb, kind, language = rest[:1], rest[1:2], rest[2:]
    if verb and (verb in set(Verb) or verb in _CHOICES) and kind in set(Kind) and language in LANGUAGES:
        return Pressed(token, verb, Kind(kind), Words(language))
    raise BadInput("I do not know that button: ask for the card again with `history`.")


def card_rows(reply: CardReply, words: Words) -> Rows:
    """Return the buttons of a card."""
    pressable = buttons(reply)
    kind = _kind(reply, pressable)
    if kind is None:
        return tuple((_plain(button, words),) for button in pressable)
    token = Token.parse(pressable[0].token)
    splits = [each for each in pressable if Token.parse(each.token).action is Action.SPLIT]
    rows = (*kind_rows(kind, token, words), *((_plain(each, words),) for each in splits))
    return (*rows, *_taken_back(pressable, words))


def _taken_back(pressable: tuple[Button, ...], words: Words) -> Rows:
    """Return the key by which the first of two approvals is taken back."""
    keys = [each for each in pressable if each.label == TAKE_BACK]
    return tuple((InlineKeyboardButton(f"↩️ {words(each.label)}", callback_data=each.token),) for each in keys)


def kind_rows(kind: Kind, token: Token, words: Words) -> Rows:
    """Return the buttons of a kind of card: what decides stands first, what is rarer below."""
    keys = [_card_key(kind, Token(action, token.subject_id, token.number), words) for action in _ACTIONS[kind]]
    if len(keys) < 3:
        return (tuple(keys),)
    first = 2 if _ACTIONS[kind][0] is Action.APPROVE else 1
    rows: Rows = (tuple(keys[:first]), tuple(keys[first:]))
    if token.number > 1 and kind in {Kind.PREVIEW, Kind.LIVE_PREVIEW}:
        rows = (*rows, (_card_key(kind, Token(Action.COMPARE, token.subject_id, token.number), words),))
    return rows


def menu_rows(pressed: Pressed, token: Token, *, card: Card | None = None) -> Rows:
    """Return the menu behind a button: the last question, the reasons, or the recipes; and the way back.

    `card`: what it is about, so that a yes names the product and the shops, and only what helps there is offered.
    """
    words = pressed.words
    back = InlineKeyboardButton(f"◀️ {words('Back')}", callback_data=_data(token, Verb.BACK, pressed.kind, words))
    if pressed.verb == Verb.ASK:
        yes = InlineKeyboardButton(_yes(card, words), callback_data=str(token), style="success")
        return ((yes,), (back,))
    if token.action is Action.REJECT:
        labels = dict(enumerate(REASONS))
    else:
        hidden = set() if card is None or _has_several(card) else _OF_SEVERAL
        labels = {index: RECIPES[index][0] for index in RECIPES_SHOWN if index not in hidden}
    keys = [
        InlineKeyboardButton(words(label), callback_data=_data(token, _CHOICES[index], pressed.kind, words))
        for index, label in labels.items()
    ]
    corrections = () if token.action is Action.REJECT else (correction_keys(token, words),)
    return (*(tuple(keys[at : at + 2]) for at in range(0, len(keys), 2)), *corrections, (back,))


def _has_several(card: Card) -> bool:
    """Whether its photo may show several things: a later version may be of one of them, and want the others back."""
    return card.revision > 1 or any(finding.code is FindingCode.SEVERAL_OBJECTS for finding in card.findings)


def _yes(card: Card | None, words: Words) -> str:
    """Return the last question's yes with the product and the shops in it; the shops give way first."""
    if card is None or not card.stores:
        return f"✅ {words('Yes, publish')}"
    sku = shortened(card.sku, 24)
    label = words("Yes, publish {sku} on {stores}", sku=sku, stores=words.list(card.stores))
    if len(label) > LABEL_MAX_CHARS - 2:
        shops = words.count("{number} shop", "{number} shops", len(card.stores))
        label = words("Yes, publish {sku} on {stores}", sku=sku, stores=shops)
    return f"✅ {label}"


def correction_keys(
    token: Token, words: Words, *, actions: Sequence[Action] = (Action.KEEP, Action.REMOVE)
) -> tuple[InlineKeyboardButton, ...]:
    """Return the keys that ask which part of a card's photo is meant."""
    return tuple(_card_key(Kind.REDO, Token(action, token.subject_id, token.number), words) for action in actions)


def part_rows(reply: WhichPart, words: Words) -> Rows:
    """Return the numbered parts, then the photo's fields as they lie in it, then the other question."""
    choices = buttons(reply)
    parts, fields = choices[: reply.part_count], choices[reply.part_count :]
    side = math.isqrt(len(fields))
    rows = [tuple(_tap(words("Part {number}", number=each.label), each) for each in parts)] if parts else []
    rows += [tuple(_tap(each.label, each) for each in fields[at : at + side]) for at in range(0, len(fields), side)]
    other = Action.REMOVE if reply.wants == "keep" else Action.KEEP
    rows.append(correction_keys(Token(other, reply.enhancement_id, reply.revision), words, actions=(other,)))
    return tuple(rows)


def _tap(label: str, button: Button) -> InlineKeyboardButton:
    return InlineKeyboardButton(label, callback_data=button.token)


def choice_rows(pressable: tuple[Button, ...]) -> Rows:
    """Return one choice a row; a long name is cut, since the whole one stands in the text."""
    return tuple(
        (InlineKeyboardButton(shortened(button.label, LABEL_MAX_CHARS), callback_data=button.token),)
        for button in pressable[:20]
    )


def chosen(pressed: Pressed, token: Token) -> tuple[str, Mapping[str, str]]:
    """Return the reason in words, or the options, that a choice stands for."""
    if not pressed.verb or pressed.verb not in _CHOICES:
        return "", {}
    index = _CHOICES.index(pressed.verb)
    if token.action is Action.REJECT and index < len(REASONS):
        return "" if index == NO_REASON else pressed.words(REASONS[index]), {}
    if token.action is Action.REDO and index < len(RECIPES):
        return "", RECIPES[index][1]
    raise BadInput("I do not know that button: ask for the card again with `history`.")


def copy_key(label: str, copied: str) -> InlineKeyboardButton:
    """Return a button that copies a text."""
    return InlineKeyboardButton(label, copy_text=CopyTextButton(copied[:COPY_MAX_CHARS]))


def with_links(rows: Rows, shown: InlineKeyboardMarkup | None) -> Rows:
    """Return rows above the links that stand under the message now, which a menu must not lose."""
    links = tuple(row for row in (shown.inline_keyboard if shown else ()) if all(key.url for key in row))
    return (*rows, *links)


def markup(rows: Rows) -> InlineKeyboardMarkup | None:
    """Return a keyboard, None where there is nothing to press."""
    return InlineKeyboardMarkup(rows) if rows else None


def shortened(words: str, at_most: int) -> str:
    """Return a text cut to size, with an ellipsis where something is missing."""
    return words if len(words) <= at_most else words[: at_most - 1].rstrip() + "…"


def _card_key(kind: Kind, token: Token, words: Words) -> InlineKeyboardButton:
    icon, label, style = _LABELS[token.action]
    data = str(token)
    if token.action is Action.APPROVE and kind is Kind.LIVE_PREVIEW:
        data = _data(token, Verb.ASK, kind, words)
    elif token.action in {Action.REJECT, Action.REDO}:
        data = _data(token, Verb.MENU, kind, words)
    return InlineKeyboardButton(f"{icon} {words(label)}", callback_data=data, **_styled(style))


def _plain(button: Button, words: Words) -> InlineKeyboardButton:
    icon, label, style = _LABELS[Token.parse(button.token).action]
    return InlineKeyboardButton(f"{icon} {words(label)}", callback_data=button.token, **_styled(style))


def _styled(style: str) -> dict[str, Any]:
    return {"style": style} if style else {}


def _kind(reply: CardReply, pressable: tuple[Button, ...]) -> Kind | None:
    # What corrects the cut-out stands in the menu behind Redo.
    actions = tuple(Token.parse(button.token).action for button in pressable if button.asks != "part")
    if isinstance(reply, PreviewReady):
        return Kind.LIVE_PREVIEW if _is_live(reply.card) else Kind.PREVIEW
    return next((kind for kind, known in _ACTIONS.items() if known == actions), None)


def _is_live(card: Card) -> bool:
    return card.is_live


def _data(token: Token, verb: str, kind: Kind, words: Words) -> str:
    return f"{token}|{verb}{kind.value}{words.language}"
