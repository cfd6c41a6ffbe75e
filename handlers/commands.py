"""The command table: a row a command, with the role it needs, what `help` says of it, and how its words are read.

It drives the parser (`handlers/grammar.py`), `help`, the chats' menus and the roles.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from domain.catalog import Sku
from domain.errors import BadInput
from domain.hint import HintKind
from domain.intents import (
    CompareVersions,
    CorrectPart,
    DecideBySku,
    EnhanceSkus,
    Intent,
    Invite,
    Join,
    ListMembers,
    ListProducts,
    ListStores,
    Settle,
    ShowCard,
    ShowHelp,
    ShowProduct,
)
from domain.people import Role
from domain.picture_intents import SplitPhoto
from handlers.alert_commands import ALERT_COMMANDS
from handlers.command import MAX_SKUS_AT_ONCE, Command, Words
from handlers.connect_commands import CONNECT_COMMANDS
from handlers.data_commands import DATA_COMMANDS
from handlers.session_commands import SESSION_COMMANDS
from handlers.stock_commands import STOCK_COMMANDS
from handlers.sync_commands import SYNC_COMMANDS
from handlers.team_commands import TEAM_COMMANDS

LOOKS_LIKE_SKU = re.compile(r"(?=.*\d)(?=.*[^\W\d_])[\w./#-]{3,}|[\w.]+[-/][\w.-]+")
_SKU_AND_NO_PLACE = re.compile(rf"(?![A-Da-d][1-4]$|[\d.x%]+$)(?=.*\d)(?:{LOOKS_LIKE_SKU.pattern})")
"""`keep A1` names a field of the photo, `keep 10x20` a point, `keep MUG-01 2` a product and its part."""


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
        if verb == "reject" and rest and not LOOKS_LIKE_SKU.fullmatch(rest[0]):
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
        "split",
        Role.EDITOR,
        "split [SKU…]",
        "Make each of several things in the photo a picture of its own",
        "split MUG-01 BOWL-2",
        lambda words: SplitPhoto(tuple(Sku(word) for word in words.plain)),
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
    *DATA_COMMANDS,
    *STOCK_COMMANDS,
    *ALERT_COMMANDS,
    *SYNC_COMMANDS,
    *TEAM_COMMANDS,
    *CONNECT_COMMANDS,
    *SESSION_COMMANDS,
)
BY_NAME = {command.name: command for command in COMMANDS}
