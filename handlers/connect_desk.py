"""Which subject answers which question about connecting, and the role each needs at the door."""

from __future__ import annotations

from domain.connect_intents import ConnectIntent, ConnectStore, DisconnectStore, ReconnectStore, ShowPermissions
from domain.people import Role
from handlers import connect, permissions
from handlers.desk import Asked, Desk

ROLES: dict[type, Role] = dict.fromkeys((ConnectStore, ReconnectStore, DisconnectStore, ShowPermissions), Role.ADMIN)


async def answer(asked: Asked, intent: ConnectIntent, desk: Desk) -> None:
    """Do what was asked about connecting. Raises what its subject does."""
    match intent:
        case ConnectStore():
            await connect.connect(asked, intent, desk)
        case ReconnectStore():
            await connect.reconnect(asked, intent, desk)
        case DisconnectStore():
            await connect.ask_disconnect(asked, intent, desk)
        case ShowPermissions():
            await permissions.show_permissions(asked, intent, desk)
