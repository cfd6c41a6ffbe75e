"""One of every reply about connecting; `person`, `title` and `store` stand where people's words go."""

from __future__ import annotations

from datetime import timedelta

from domain.connect_replies import (
    ConnectOffered,
    ConnectReply,
    DisconnectAsked,
    PermissionMissing,
    PermissionsShown,
    ScopeLine,
    StoreConnected,
    StoreDisconnected,
    StorePermissions,
)
from tests.console.fakes import NOW


def connect_replies(title: str, *, person: str, store: str) -> tuple[ConnectReply, ...]:
    """Return one of every type, in the union's order."""
    url = "https://shop.example/connect/shopify?code=abc"
    given = (
        ScopeLine("write_products", "pictures", NOW - timedelta(hours=2)),
        ScopeLine("read_inventory", "stock", None, is_idle=True),
        ScopeLine("read_locales", ""),
    )
    return (
        ConnectOffered("Shopify", store, url, NOW + timedelta(minutes=15), True, ("orders",), "read_orders"),
        StoreConnected(store, "Shopify", title, 41, person, ("pictures", "stock"), True, (title,)),
        PermissionMissing("shopify-0123456789ab", store, "read_orders", "orders"),
        DisconnectAsked("shopify-0123456789ab", store, "Shopify", 327, False, "Shopify admin: Settings, Apps"),
        StoreDisconnected(store, "Shopify", person, False, "Shopify admin: Settings, Apps", 2),
        PermissionsShown((StorePermissions(store, "Shopify", given, (ScopeLine("read_orders", "orders"),), title),)),
    )
