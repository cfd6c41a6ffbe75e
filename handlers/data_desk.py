"""Which subject answers which question about health and data, and the role each needs at the door."""

from __future__ import annotations

from domain.data_intents import DataIntent, Export, Forget
from domain.people import Role
from handlers import own_data
from handlers.desk import Asked, Desk

ROLES: dict[type, Role] = {Export: Role.ADMIN, Forget: Role.ADMIN}


async def answer(asked: Asked, intent: DataIntent, desk: Desk) -> None:
    """Do what was asked about the team's data. Raises what its subject does."""
    match intent:
        case Export():
            await own_data.export(asked, desk)
        case Forget():
            await own_data.forget(asked, intent, desk)
