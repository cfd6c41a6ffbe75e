"""`why SKU`: the ledger's last movements in words."""

from __future__ import annotations

from typing import Final

from domain.errors import NotPossible
from domain.stock import Movement
from domain.stock_intents import WhyStock
from domain.stock_replies import MovedLine, WhyShown
from handlers.desk import Asked, Desk
from handlers.products import find_everywhere

MOVES_SHOWN: Final = 12


async def why_stock(asked: Asked, intent: WhyStock, desk: Desk) -> None:
    """Answer with what moved last and what is left after each. Raises NotPossible where nobody counted it."""
    team_id = asked.member.team_id
    async with desk.work.reading() as rows:
        pool = (await rows.stock.pools(team_id, [intent.sku])).get(intent.sku.key)
        moves = await rows.stock.movements(team_id, intent.sku, limit=MOVES_SHOWN)
    if pool is None or not moves:
        raise NotPossible(
            "Nothing of {sku} has moved yet: say how many there are, `stock count {sku} 12`.", sku=intent.sku.value
        )
    found = await find_everywhere(desk, team_id, intent.sku)
    names = {store.store.store_id: store.store.name for store in await desk.stores.of_team(team_id)}
    left, lines = pool.on_hand, []
    for move in moves:
        source = names.get(move.store_id, move.source) if move.store_id else move.source
        lines.append(_line(move, left, source))
        left -= move.quantity
    reply = WhyShown(pool.sku.value, found.title, pool.on_hand, tuple(lines))
    async with desk.work(asked.incoming) as work:
        await work.answer(reply)


def _line(move: Movement, left: int, source: str) -> MovedLine:
    return MovedLine(move.occurred_at, move.kind.value, move.quantity, left, source, move.actor, move.what)
