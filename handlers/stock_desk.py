"""Which function answers what about stock, and the role each asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, assert_never

from domain.intents import Press
from domain.people import Role
from domain.stock_intents import ImportGoods, ShowLow, ShowStock, StockIntent, UndoStock, WhyStock, WriteStock
from domain.tokens import Action
from handlers.desk import Asked, Desk
from handlers.goods_import import show_import, take_import
from handlers.stock import show_stock
from handlers.stock_why import show_low, why_stock
from handlers.stock_write import confirm, undo_by_press, undo_by_sku, write_stock

ROLES: Final[Mapping[type, Role]] = {
    ShowStock: Role.VIEWER,
    ShowLow: Role.VIEWER,
    WhyStock: Role.VIEWER,
    WriteStock: Role.APPROVER,
    UndoStock: Role.APPROVER,
    ImportGoods: Role.ADMIN,
}
PRESSES: Final = frozenset({Action.CONFIRM_STOCK, Action.UNDO_STOCK, Action.IMPORT})


async def answer(asked: Asked, intent: StockIntent, desk: Desk) -> None:
    """Answer what was asked about stock."""
    match intent:
        case ShowStock():
            await show_stock(asked, intent, desk)
        case WriteStock():
            await write_stock(asked, intent, desk)
        case UndoStock():
            await undo_by_sku(asked, intent, desk)
        case ShowLow():
            await show_low(asked, intent, desk)
        case WhyStock():
            await why_stock(asked, intent, desk)
        case ImportGoods():
            await show_import(asked, intent, desk)
        case _:
            assert_never(intent)


async def press(asked: Asked, pressed: Press, desk: Desk) -> None:
    """Do what a button of PRESSES says."""
    match pressed.token.action:
        case Action.CONFIRM_STOCK:
            await confirm(asked, pressed, desk)
        case Action.UNDO_STOCK:
            await undo_by_press(asked, pressed, desk)
        case _:
            await take_import(asked, pressed, desk)
