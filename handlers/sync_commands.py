"""The rows of the command table about keeping the stores in step."""

from __future__ import annotations

from domain.catalog import Sku
from domain.errors import BadInput
from domain.intents import Intent
from domain.people import Role
from domain.sync_intents import ShowSync, SyncNow, TurnSync
from handlers.command import MAX_SKUS_AT_ONCE, Command, Words

_TURNS = {"on": True, "off": False}


def _read_sync(words: Words) -> Intent:
    # `sync on MUG-01` reads like `… on STORE`, so what follows `on` arrives as stores.
    plain = [*words.plain, *(("on", *words.stores) if words.stores else ())]
    verb = plain[0].lower() if plain else "now"
    if verb in {"now", "run"} and len(plain) < 2:
        return SyncNow()
    if verb == "status" and len(plain) == 1:
        return ShowSync()
    if verb not in _TURNS:
        raise BadInput("Write it as `sync`, `sync status`, `sync on`, `sync off` or `sync off MUG-01`.")
    skus = {sku.key: sku for sku in map(Sku, plain[1:])}
    if len(skus) > MAX_SKUS_AT_ONCE:
        raise BadInput(
            "That is {number} products, and I take {most} at once: send them in parts.",
            number=len(skus),
            most=MAX_SKUS_AT_ONCE,
        )
    return TurnSync(_TURNS[verb], tuple(skus.values()))


SYNC_COMMANDS: tuple[Command, ...] = (
    Command(
        "sync",
        Role.VIEWER,
        "sync [status|on|off] [SKU…]",
        "Keep the same number on every store; `sync status` shows how far each is",
        "sync status",
        _read_sync,
    ),
)
