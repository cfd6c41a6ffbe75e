"""`why SKU`: the ledger's last movements and the forecast's reasons in words. `low`: what runs out next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.alerts import TOLD, Level
from domain.errors import NotPossible, UnknownSku
from domain.forecast_words import reasons
from domain.sentences import Sentence
from domain.stock import Movement
from domain.stock_intents import ShowLow, WhyStock
from domain.stock_replies import LowLine, LowShown, MovedLine, WhyShown
from handlers.desk import Asked, Desk
from handlers.outlook import Prospect, look
from handlers.products import nearest_skus
from handlers.survey import survey_team

MOVES_SHOWN: Final = 12
LOW_SHOWN: Final = 10


async def why_stock(asked: Asked, intent: WhyStock, desk: Desk) -> None:
    """Answer with what moved last, what was left after each, and where the forecast's numbers come from.

    Raises UnknownSku, and NotPossible where no store counts the SKU and nobody did.
    """
    team_id = asked.member.team_id
    ahead = {one.sku.key: one for one in await _ahead(team_id, desk)}
    async with desk.work.reading() as rows:
        pool = (await rows.stock.pools(team_id, [intent.sku])).get(intent.sku.key)
        moves = await rows.stock.movements(team_id, intent.sku, limit=MOVES_SHOWN)
    prospect = ahead.get(intent.sku.key)
    if prospect is None:
        if pool is None:
            raise UnknownSku(intent.sku.value, guesses=await nearest_skus(desk, team_id, intent.sku.value, limit=3))
        raise NotPossible(
            "Nobody has counted {sku} yet: say how many there are, `stock count {sku} 12`.", sku=intent.sku.value
        )
    names = {store.store.store_id: store.store.name for store in await desk.stores.of_team(team_id)}
    left, lines = pool.on_hand if pool else 0, []
    for move in moves:
        source = names.get(move.store_id, move.source) if move.store_id else move.source
        lines.append(_line(move, left, source))
        left -= move.quantity
    told = reasons(prospect.forecast)
    if pool is None or not pool.is_counted:
        told = (_from_stores(prospect), *told)
    reply = WhyShown(prospect.sku.value, _title(prospect), prospect.forecast.on_hand, tuple(lines), told)
    async with desk.work(asked.incoming) as work:
        await work.answer(reply)


async def show_low(asked: Asked, intent: ShowLow, desk: Desk) -> None:
    """Answer with what runs out, the dearest day first. `days`: whatever is likelier gone than not by then."""
    now = desk.clock()
    wanted = intent.supplier.casefold()
    found = [
        one
        for one in await _ahead(asked.member.team_id, desk)
        if wanted in one.supplier.casefold() and _is_low(one, intent.days)
    ]
    found.sort(key=lambda one: (-one.lost_per_day, -one.level.rank, one.sku.key))
    lines = tuple(_low_line(one, now) for one in found[:LOW_SHOWN])
    async with desk.work(asked.incoming) as work:
        await work.answer(LowShown(lines, len(found), intent.days, intent.supplier))


async def _ahead(team_id: str, desk: Desk) -> Sequence[Prospect]:
    """Return every SKU's prospect; the stores are read now where nobody has read them yet."""
    async with desk.work.reading() as rows:
        is_first = not await rows.alerts.surveys(team_id)
    if is_first:
        await survey_team(team_id, desk)
    async with desk.work.reading() as rows:
        return await look(rows, team_id, desk.clock())


def _is_low(one: Prospect, days: int | None) -> bool:
    if days is None:
        return one.level in TOLD
    return one.level is Level.OUT or (one.forecast.out_early is not None and one.forecast.out_early <= days)


def _low_line(one: Prospect, now: datetime) -> LowLine:
    today = now.astimezone(UTC).date()
    early, late = one.forecast.out_early, one.forecast.out_late
    return LowLine(
        one.sku.value,
        _title(one),
        one.level.value,
        one.forecast.on_hand,
        one.supplier,
        today + timedelta(days=early) if early is not None else None,
        today + timedelta(days=late) if late is not None else None,
        one.forecast.order,
    )


def _title(one: Prospect) -> str:
    return f"{one.title}, {one.variant}" if one.variant else one.title


def _from_stores(one: Prospect) -> Sentence:
    return Sentence(
        "Nobody has counted {sku}, so {number} is what the stores show: `stock count {sku} 12` says what is there.",
        sku=one.sku.value,
        number=one.forecast.on_hand,
    )


def _line(move: Movement, left: int, source: str) -> MovedLine:
    return MovedLine(move.occurred_at, move.kind.value, move.quantity, left, source, move.actor, move.what)
