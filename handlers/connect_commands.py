"""The commands about connecting stores: rows of the command table."""

from __future__ import annotations

from domain.connect_intents import ConnectStore, DisconnectStore, ReconnectStore, ShowPermissions
from domain.connecting import FeatureName
from domain.errors import BadInput
from domain.intents import Intent
from domain.people import Role
from handlers.command import Command, Words

_FEATURES = {name.value: name.value for name in FeatureName}


def _read_connect(words: Words) -> Intent:
    if not words.plain:
        raise BadInput(
            "Which store? Write `connect shopify my-shop`, `connect amazon DE`, `connect etsy` or `connect woocommerce shop.example`."
        )
    return ConnectStore(words.plain[0].lower(), " ".join(words.plain[1:]))


def _read_reconnect(words: Words) -> Intent:
    names = list(words.plain)
    features: list[str] = []
    while len(names) > 1 and names[-1].lower() in _FEATURES:
        features.insert(0, names.pop().lower())
    if not names:
        raise BadInput("Which store? Write its name: `reconnect NAME`; `stores` lists them.")
    return ReconnectStore(" ".join(names), tuple(dict.fromkeys(features)))


def _read_disconnect(words: Words) -> Intent:
    if not words.plain:
        raise BadInput("Which store? Write its name: `disconnect NAME`; `stores` lists them.")
    return DisconnectStore(words.text)


CONNECT_COMMANDS: tuple[Command, ...] = (
    Command(
        "connect",
        Role.ADMIN,
        "connect shopify|amazon|etsy|woocommerce [shop]",
        "Connect a store: a private link to a page where you choose what I may do",
        "connect shopify my-shop",
        _read_connect,
    ),
    Command(
        "reconnect",
        Role.ADMIN,
        "reconnect STORE [orders] [shipping] [stock] [stock-writing]",
        "Give a store new keys, or allow one more thing; its history stays",
        "reconnect Shopify orders",
        _read_reconnect,
    ),
    Command(
        "disconnect",
        Role.ADMIN,
        "disconnect STORE",
        "Take a store away: its keys are deleted, after asking once more",
        "disconnect Shopify",
        _read_disconnect,
    ),
    Command(
        "permissions",
        Role.ADMIN,
        "permissions [STORE]",
        "What each store lets me do, what of it was used, and what is missing",
        "permissions Shopify",
        lambda words: ShowPermissions(words.text),
    ),
)
