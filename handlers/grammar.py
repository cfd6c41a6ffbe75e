"""Text → Intent, by the command table.

Nothing here knows the catalogue: a word that could be a SKU is one until a store says otherwise.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from rapidfuzz import fuzz, process

from domain.catalog import Sha256, Sku
from domain.errors import BadInput
from domain.intents import EnhancePhotos, Intent, Join, NotUnderstood, Press, ShowHelp
from domain.stock_intents import ImportGoods
from domain.tokens import Token
from handlers.command import Words
from handlers.commands import BY_NAME, COMMANDS, LOOKS_LIKE_SKU

MAX_TEXT_CHARS = 2000

_OPTION = re.compile(r"([a-z]+)=(.+)", re.DOTALL)
_PLACES = re.compile(r"\b(?:keep|remove|white)=[\d.,;x%+ ]*\d%?", re.IGNORECASE)
"""Here a comma stands between numbers, not between words."""
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_TYPO_SCORE = 65
"""rapidfuzz ratio above which a word is taken for a misspelt command: `enhnce` scores 92, `mug` 33."""

_ALIASES = {
    "start": "help",
    "hello": "help",
    "hi": "help",
    "?": "help",
    "improve": "enhance",
    "publish": "approve",
    "without": "remove",
    "drop": "remove",
    "ohne": "remove",
    "entferne": "remove",
    "behalte": "keep",
}


def parse(text: str, *, photos: tuple[Sha256, ...] = (), has_photos: bool = False) -> Intent:
    """Return what the text, or the photo with this caption, asks for.

    `has_photos`: there are photos, though their bytes are not here yet.

    Raises BadInput where the command is clear and its words are not.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise BadInput(
            "That is {number} characters, and I read {most}: send the SKU alone.", number=len(text), most=MAX_TEXT_CHARS
        )
    pieces = _split(text)
    if pieces and pieces[0].lower() == "/packshot":
        pieces = pieces[1:]
    if photos or has_photos:
        if pieces and pieces[0].lower().removeprefix("/") == "import":
            return ImportGoods(photos)
        return _parse_photo(pieces, photos)
    if not pieces:
        return ShowHelp()
    name = pieces[0].lower().removeprefix("/").rstrip(":,")
    name = _ALIASES.get(name, name)
    if command := BY_NAME.get(name):
        rest = pieces[1:]
        if name == "help" and pieces[0].lower().lstrip("/") == "start" and rest:
            return Join(rest[0])
        return command.read(_sort(rest))
    return NotUnderstood(text.strip(), _suggestion(name, pieces[1:]))


def parse_press(token: str, *, text: str, options: Mapping[str, str]) -> Press:
    """Return the intent of a button. Raises BadInput for a forged or foreign one."""
    return Press(Token.parse(token), text.strip()[:500], dict(options))


def _parse_photo(pieces: list[str], photos: tuple[Sha256, ...]) -> Intent:
    if pieces and _ALIASES.get(pieces[0].lower().lstrip("/"), pieces[0].lower().lstrip("/")) == "enhance":
        pieces = pieces[1:]
    words = _sort(pieces)
    caption = words.text
    sku: Sku | None = None
    if len(words.plain) == 1:
        sku = Sku(words.plain[0])
    else:
        likely = next((word for word in words.plain if LOOKS_LIKE_SKU.fullmatch(word)), None)
        sku = Sku(likely) if likely else None
    return EnhancePhotos(photos, sku, words.stores, words.options, caption)


def _split(text: str) -> list[str]:
    text = _PLACES.sub(lambda places: places[0].replace(",", "x").replace(";", "x").replace(" ", ""), text)
    lexer = shlex.shlex(text.replace("“", '"').replace("”", '"'), posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.whitespace = " \t\r\n,"
    lexer.quotes = '"'
    lexer.escape = ""
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:  # an unclosed quote: people type inch marks
        return text.replace('"', " ").replace(",", " ").split()


def _sort(pieces: list[str]) -> Words:
    plain: list[str] = []
    stores: list[str] = []
    options: dict[str, str] = {}
    into = plain
    for piece in pieces:
        if (match := _OPTION.fullmatch(piece)) and not _LINK.match(piece):
            is_more = match[1] in {"keep", "remove"} and match[1] in options
            options[match[1]] = f"{options[match[1]]}+{match[2]}" if is_more else match[2]
        elif piece.lower() == "on" and plain:
            into = stores
        else:
            into.append(piece)
    return Words(tuple(plain), tuple(stores), options)


def _suggestion(word: str, rest: list[str]) -> str:
    best = process.extractOne(word, [command.name for command in COMMANDS], scorer=fuzz.ratio, score_cutoff=_TYPO_SCORE)
    return " ".join([best[0], *rest]) if best else ""
