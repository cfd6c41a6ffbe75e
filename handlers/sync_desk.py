"""Which function answers what about keeping stores in step, and the role each asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, assert_never

from domain.intents import Press
from domain.people import Role
from domain.sync_intents import ShowSync, SyncIntent, SyncNow, TurnSync
from domain.tokens import Action
from handlers.desk import Asked, Desk
from handlers.stock_cards import answer_mismatch, answer_oversold, answer_run
from handlers.sync import run_now, show, turn

ROLES: Final[Mapping[type, Role]] = {ShowSync: Role.VIEWER, SyncNow: Role.APPROVER, TurnSync: Role.APPROVER}
PRESSES: Final = frozenset(
    {
        Action.TRUST_STORE,
        Action.TRUST_OTHERS,
        Action.COUNT_MYSELF,
        Action.DEALT_WITH,
        Action.GO_AHEAD,
        Action.LEAVE_IT,
    }
)


async def answer(asked: Asked, intent: SyncIntent, desk: Desk) -> None:
    """Answer what was asked about keeping stores in step."""
    match intent:
        case SyncNow():
            await run_now(asked, desk)
        case ShowSync():
            await show(asked, desk)
        case TurnSync():
            await turn(asked, intent, desk)
        case _:
            assert_never(intent)


async def press(asked: Asked, pressed: Press, desk: Desk) -> None:
    """Do what a button of PRESSES says."""
    match pressed.token.action:
        case Action.GO_AHEAD | Action.LEAVE_IT:
            await answer_run(asked, pressed, desk)
        case Action.DEALT_WITH:
            await answer_oversold(asked, pressed, desk)
        case _:
            await answer_mismatch(asked, pressed, desk)
