"""What can be asked about connecting stores: the part `ConnectIntent` of the union `Intent`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectStore:
    """`connect shopify my-shop`; `shop` may be empty."""

    platform: str
    shop: str = ""


@dataclass(frozen=True, slots=True)
class ReconnectStore:
    """`reconnect STORE [FEATURE…]`: new keys for the same store; `features` are allowed on top of what it may now."""

    store: str
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DisconnectStore:
    """Take a store away: asked once more before it counts."""

    store: str


@dataclass(frozen=True, slots=True)
class ShowPermissions:
    """What each store lets us do, and what of that is used; `store` empty means all of them."""

    store: str = ""


ConnectIntent = ConnectStore | ReconnectStore | DisconnectStore | ShowPermissions
