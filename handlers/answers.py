"""Words that answer a card's message: “yes”, “no, too dark”, “redo on grey” need no SKU and no button."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from domain.hint import HintKind
from domain.intents import (
    CompareVersions,
    CorrectPart,
    DecideBySku,
    Incoming,
    Intent,
    NotUnderstood,
    ShowCard,
    ShowHistory,
    ShowProduct,
)
from domain.picture_intents import SplitPhoto
from domain.ports import Reading

_YES = frozenset(
    {"approve", "approved", "yes", "yep", "ok", "okay", "good", "great", "perfect", "publish", "publish it", "go",
     "looks good", "👍", "✅", "ja", "passt", "gut", "super", "freigeben", "veröffentlichen"}
)  # fmt: skip
_NO = re.compile(
    r"(?:reject(?:ed)?|no|nope|nein|ablehnen|👎|❌)\b[\s,.:;–-]*(.*)|(?:👎|❌)\s*(.*)", re.IGNORECASE | re.DOTALL
)
_UNDO = frozenset({"undo", "revert", "put it back", "rückgängig", "zurück"})
_REDO = re.compile(r"(?:redo|again|nochmal|noch einmal|once more)\b[\s,.:;–-]*(.*)", re.IGNORECASE | re.DOTALL)
_CORRECTIONS: Mapping[HintKind, re.Pattern[str]] = {
    "keep": re.compile(
        r"(?:please\s+|bitte\s+)?(?:keep|add|include|behalte|behalten)\b[\s,.:;–-]*(.*)|(?:bitte\s+)?(.+?)\s+behalten",
        re.IGNORECASE | re.DOTALL,
    ),
    "remove": re.compile(
        r"(?:please\s+|bitte\s+)?(?:remove|drop|delete|take out|take off|without|entferne|ohne|weg mit)\b[\s,.:;–-]*(.*)"
        r"|(?:bitte\s+)?(.+?)\s+(?:entfernen|wegnehmen|weg)",
        re.IGNORECASE | re.DOTALL,
    ),
}
_SHADOW = re.compile(r"\b(?:shadow|schatten)\b", re.IGNORECASE)
_OPTION = re.compile(r"\b([a-z]+)=(\S+)")
_COLOURS: Mapping[str, str] = {
    "white": "white", "weiß": "white", "weiss": "white",
    "light grey": "#eeeeee", "light gray": "#eeeeee", "hellgrau": "#eeeeee",
    "grey": "#dddddd", "gray": "#dddddd", "grau": "#dddddd",
    "black": "#000000", "schwarz": "#000000",
    "cream": "#f5efe0", "beige": "#f5efe0", "creme": "#f5efe0",
    "transparent": "transparent", "gradient": "gradient", "verlauf": "gradient",
}  # fmt: skip
_SHADOWS: Mapping[str, str] = {
    "no shadow": "none", "without shadow": "none", "without a shadow": "none", "ohne schatten": "none",
    "kein schatten": "none", "soft shadow": "soft", "weicher schatten": "soft", "contact shadow": "contact",
    "reflection": "reflection", "spiegelung": "reflection",
}  # fmt: skip
_LIGHT: Mapping[str, str] = {
    "brighter": "+0.5", "lighter": "+0.5", "heller": "+0.5", "darker": "-0.5", "dunkler": "-0.5",
}  # fmt: skip
_HASH_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")


async def in_context(incoming: Incoming, intent: Intent, rows: Reading) -> Intent:
    """Return what the words mean under the message they answer; unchanged where they stand for themselves.

    Only a word that names no SKU of its own is read so: `approve MUG-01` means MUG-01 wherever it is said.
    """
    if not incoming.reply_to or incoming.token or incoming.photos or incoming.attachments:
        return intent
    read: DecideBySku | CorrectPart | CompareVersions | SplitPhoto | None = read_answer(incoming.text)
    if isinstance(intent, SplitPhoto):
        read = intent
    elif isinstance(intent, CompareVersions):
        read = None if intent.sku else intent
    elif isinstance(intent, CorrectPart):
        read = None if intent.sku else read or intent
    elif not isinstance(intent, DecideBySku | NotUnderstood | ShowProduct | ShowHistory | ShowCard):
        return intent
    if read is None:
        return intent
    enhancement_id = await rows.places.card_under(incoming.team_id, incoming.place, incoming.reply_to)
    if enhancement_id is None:
        return intent
    return replace(read, enhancement_id=enhancement_id)


def read_answer(text: str) -> DecideBySku | CorrectPart | None:
    """Return the decision or correction that a few words under a card mean, None when they are neither."""
    said = " ".join(text.split()).strip(" .!,")
    low = said.lower()
    if low in _YES:
        return DecideBySku("approve", None)
    if low in _UNDO:
        return DecideBySku("undo", None)
    if match := _NO.fullmatch(said):
        return DecideBySku("reject", None, (match[1] or match[2] or "").strip())
    if match := _REDO.fullmatch(said):
        return DecideBySku("redo", None, "", _options(match[1]))
    if correction := _read_correction(said):
        return correction
    if low.startswith(("on ", "auf ")) and (options := _options(low)):
        return DecideBySku("redo", None, "", options)
    return None


def _read_correction(said: str) -> DecideBySku | CorrectPart | None:
    for kind, pattern in _CORRECTIONS.items():
        if match := pattern.fullmatch(said):
            if _SHADOW.search(said):  # a shadow is no part of the photo
                return DecideBySku("redo", None, "", {"shadow": "none"}) if kind == "remove" else None
            return CorrectPart(kind, (match[1] or match[2] or "").strip())
    return None


def _options(words: str) -> dict[str, str]:
    """Read `background=…` as it stands, and the colours and shadows people name."""
    options: dict[str, str] = {}
    for name, word in _OPTION.findall(words):
        is_more = name in {"keep", "remove"} and name in options
        options[name] = f"{options[name]}+{word}" if is_more else word
    low = words.lower()
    for name, shadow in _SHADOWS.items():
        if name in low:
            options.setdefault("shadow", shadow)
            break
    for name, stops in _LIGHT.items():
        if re.search(rf"\b{name}\b", low):
            options.setdefault("brightness", stops)
            break
    if colour := _HASH_COLOUR.search(words):
        options.setdefault("background", colour[0])
    # The longest name first: “light grey” is not “grey”.
    for name in sorted(_COLOURS, key=len, reverse=True):
        if re.search(rf"\b{re.escape(name)}\b", low):
            options.setdefault("background", _COLOURS[name])
            break
    return options
