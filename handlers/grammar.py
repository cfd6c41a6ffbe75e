"""Text → Intent. One table drives the parser, `help`, the chats' menus and the roles.

Nothing here knows the catalogue: a word that could be a SKU is one until a store says otherwise.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from domain.catalog import Sha256, Sku
from domain.errors import BadInput
from domain.hint import HintKind
from domain.intents import (
    CompareVersions,
    CorrectPart,
    DecideBySku,
    EnhancePhotos,
    EnhanceSkus,
    Intent,
    Invite,
    Join,
    ListMembers,
    ListProducts,
    ListStores,
    NotUnderstood,
    Press,
    Settle,
    ShowCard,
    ShowHelp,
    ShowHistory,
    ShowProduct,
    ShowStatus,
)
from domain.people import Role
from domain.tokens import Token

MAX_TEXT_CHARS = 2000
MAX_SKUS_AT_ONCE = 20
"""One message may start twenty pictures; more is a slip of the paste buffer."""

_OPTION = re.compile(r"([a-z]+)=(.+)", re.DOTALL)
_LOOKS_LIKE_SKU = re.compile(r"(?=.*\d)(?=.*[^\W\d_])[\w./#-]{3,}|[\w.]+[-/][\w.-]+")
_SKU_AND_NO_PLACE = re.compile(rf"(?![A-Da-d][1-4]$|[\d.x%]+$)(?=.*\d)(?:{_LOOKS_LIKE_SKU.pattern})")
"""`keep A1` names a field of the photo, `keep 10x20` a point, `keep MUG-01 2` a product and its part."""
_PLACES = re.compile(r"\b(?:keep|remove|white)=[\d.,;x%+ ]*\d%?", re.IGNORECASE)
"""Here a comma stands between numbers, not between words."""
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_TYPO_SCORE = 65
"""rapidfuzz ratio above which a word is taken for a misspelt command: `enhnce` scores 92, `mug` 33."""


@dataclass(frozen=True, slots=True)
class Words:
    """What followed the command's name, sorted: plain words, `on STORE…`, `name=value`."""

    plain: tuple[str, ...]
    stores: tuple[str, ...]
    options: Mapping[str, str]

    @property
    def text(self) -> str:
        """The plain words as one text."""
        return " ".join(self.plain)

    def first_sku(self) -> Sku | None:
        """Return the first word as a SKU, None when there is none. Raises BadInput."""
        return Sku(self.plain[0]) if self.plain else None


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table."""

    name: str
    needs: Role
    usage: str
    meaning: str
    example: str
    read: Callable[[Words], Intent]


def _read_enhance(words: Words) -> Intent:
    skus = tuple(dict.fromkeys(Sku(word) for word in words.plain))
    if not skus:
        raise BadInput("Which product? Write its SKU: `enhance MUG-01`, or send a photo with the SKU as its caption.")
    if len(skus) > MAX_SKUS_AT_ONCE:
        raise BadInput(
            "That is {number} products, and I take {most} at once: send them in parts.",
            number=len(skus),
            most=MAX_SKUS_AT_ONCE,
        )
    return EnhanceSkus(skus, words.stores, words.options)


def _decide(verb: str) -> Callable[[Words], Intent]:
    def read(words: Words) -> Intent:
        rest = [*words.plain, *(("on", *words.stores) if words.stores else ())]
        if verb == "reject" and rest and not _LOOKS_LIKE_SKU.fullmatch(rest[0]):
            return DecideBySku(verb, None, " ".join(rest), words.options)  # `reject too dark`: the latest card here
        return DecideBySku(verb, words.first_sku(), " ".join(rest[1:]), words.options)

    return read


def _correct(kind: HintKind) -> Callable[[Words], Intent]:
    def read(words: Words) -> Intent:
        plain = [*words.plain, *words.stores]
        has_sku = bool(plain) and bool(_SKU_AND_NO_PLACE.fullmatch(plain[0]))
        sku, part = Sku(plain[0]) if has_sku else None, " ".join(plain[has_sku:])
        if kind == "remove" and part.lower().split()[-1:] in (["shadow"], ["schatten"]):
            return DecideBySku("redo", sku, "", {"shadow": "none"})  # a shadow is no part of the photo
        return CorrectPart(kind, part, sku)

    return read


def _read_product(words: Words) -> Intent:
    sku = words.first_sku()
    if sku is None:
        raise BadInput("Which product? Write its SKU: `product MUG-01`; `products` lists them all.")
    return ShowProduct(sku)


def _read_products(words: Words) -> Intent:
    page = words.options.get("page", "1")
    if not page.isdecimal() or not 1 <= int(page) <= 100_000:
        raise BadInput("The page is a number: `products page=2`.")
    return ListProducts(words.text, int(page))


def _read_settings(words: Words) -> Intent:
    if words.plain:
        raise BadInput("Write it as `settings language=de timezone=Europe/Berlin previews=on`, or `settings` alone.")
    return Settle(words.options)


def _read_invite(words: Words) -> Intent:
    return Invite(Role.parse(words.plain[0]) if words.plain else Role.EDITOR)


def _read_join(words: Words) -> Intent:
    if not words.plain:
        raise BadInput("The code is missing: send `join CODE` with the code an admin gave you.")
    return Join(words.plain[0])


COMMANDS: tuple[Command, ...] = (
    Command(
        "enhance",
        Role.EDITOR,
        "enhance SKU… [on STORE…] [background=… shadow=… position=…]",
        "Make a clean picture from the one the store has; or send a photo with the SKU as its caption",
        "enhance MUG-01",
        _read_enhance,
    ),
    Command(
        "approve", Role.APPROVER, "approve [SKU]", "Publish the preview you see", "approve MUG-01", _decide("approve")
    ),
    Command(
        "reject",
        Role.EDITOR,
        "reject [SKU] [reason]",
        "Say no to the preview; nothing is published",
        "reject MUG-01 too dark",
        _decide("reject"),
    ),
    Command(
        "redo",
        Role.EDITOR,
        "redo [SKU] [background=… shadow=… engine=… keep=… remove=…]",
        "Make it again another way",
        "redo MUG-01 background=#eee shadow=soft",
        _decide("redo"),
    ),
    Command(
        "keep",
        Role.EDITOR,
        "keep [SKU] PART",
        "Add a part that the cut-out left out",
        "keep the left strap",
        _correct("keep"),
    ),
    Command(
        "remove",
        Role.EDITOR,
        "remove [SKU] PART",
        "Take out what does not belong to the product",
        "remove the leaf",
        _correct("remove"),
    ),
    Command(
        "compare",
        Role.VIEWER,
        "compare [SKU]",
        "The photo and the versions of its picture side by side",
        "compare MUG-01",
        lambda words: CompareVersions(words.first_sku()),
    ),
    Command(
        "undo",
        Role.APPROVER,
        "undo [SKU]",
        "Put back the picture that was there before",
        "undo MUG-01",
        _decide("undo"),
    ),
    Command(
        "card",
        Role.VIEWER,
        "card [SKU]",
        "Show the newest preview of a product here too",
        "card MUG-01",
        lambda words: ShowCard(words.first_sku()),
    ),
    Command("product", Role.VIEWER, "product SKU", "Show one product on every store", "product MUG-01", _read_product),
    Command("products", Role.VIEWER, "products [words]", "List what you sell", "products mug", _read_products),
    Command(
        "history",
        Role.VIEWER,
        "history [SKU]",
        "Who did what, newest first",
        "history MUG-01",
        lambda words: ShowHistory(words.first_sku()),
    ),
    Command(
        "status", Role.VIEWER, "status", "What waits, what runs, what failed", "status", lambda words: ShowStatus()
    ),
    Command("stores", Role.VIEWER, "stores", "The connected stores", "stores", lambda words: ListStores()),
    Command("members", Role.VIEWER, "members", "Who belongs to the shop", "members", lambda words: ListMembers()),
    Command(
        "settings",
        Role.VIEWER,
        "settings [language=en|de] [timezone=…] [previews=on|off]",
        "What holds in this place; `previews=on` shows every new preview here",
        "settings language=de timezone=Europe/Berlin",
        _read_settings,
    ),
    Command(
        "invite",
        Role.ADMIN,
        "invite viewer|editor|approver|admin",
        "Make a one-time code for a colleague",
        "invite approver",
        _read_invite,
    ),
    Command(
        "join", Role.VIEWER, "join CODE", "Join a shop with the code its admin gave you", "join AB12-CD34", _read_join
    ),
    Command(
        "help", Role.VIEWER, "help [command]", "This list", "help enhance", lambda words: ShowHelp(words.text.lower())
    ),
)
BY_NAME = {command.name: command for command in COMMANDS}
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
        likely = next((word for word in words.plain if _LOOKS_LIKE_SKU.fullmatch(word)), None)
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
