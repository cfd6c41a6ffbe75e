"""What the ledger cannot settle by itself: places whose number is in doubt are read again, and what was oversold is told.

Called in the transaction that made the doubt, so that no crash loses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from domain.catalog import Sku, Store, StoreId
from domain.ports import UnitOfWork
from domain.stock import LinkState, Outlet, Pool, PushState, WriteWay
from domain.sync import RECHECK_AFTER_S, Oversold, SoldOrder, SyncJob
from domain.trade import Order
from handlers.desk import Desk, id_from
from handlers.stock_cards import show_oversold
from handlers.stock_send import ask_for

ORDERS_NAMED = 3
"""An oversold card names the orders that took the last pieces: mostly two."""
SOON_S = 5.0
"""In a rush the next sales widen the same numbers again, so that one read settles many."""


async def look_after(
    work: UnitOfWork,
    team_id: str,
    skus: Sequence[Sku],
    desk: Desk,
    *,
    orders: Sequence[Order] = (),
) -> None:
    """Ask for another read where a place's number is in doubt, and show, change or settle the oversold cards."""
    pools = await work.stock.pools(team_id, skus)
    open_ones = {one.sku.key: one for one in await work.sync.open_oversold(team_id, skus)}
    doubtful: set[StoreId] = set()
    for pool in pools.values():
        doubtful |= {outlet.link.store_id for outlet in pool.outlets if is_in_doubt(outlet)}
        if pool.is_counted and pool.on_hand < 0:
            await _oversold(work, pool, open_ones.get(pool.sku.key), desk, orders=orders)
        elif (was := open_ones.get(pool.sku.key)) is not None:
            await work.sync.close_oversold(team_id, was.oversold_id, by="")
            await show_oversold(work, was.oversold_id, team_id)
    for opened in await desk_stores(desk, team_id) if doubtful else ():
        if opened.store_id in doubtful:
            await recheck_soon(work, opened, desk, after_s=SOON_S)


def is_in_doubt(outlet: Outlet) -> bool:
    """Whether only a read can say what this place shows."""
    shown = outlet.shown
    is_kept = outlet.link.state is LinkState.ON and outlet.link.way is not WriteWay.READS
    is_quiet = outlet.mismatch is None and (outlet.push is None or outlet.push.state is not PushState.OPEN)
    return is_kept and is_quiet and (shown.quantity is None or shown.slack > 0 or shown.suspected is not None)


async def desk_stores(desk: Desk, team_id: str) -> Sequence[Store]:
    """Return the team's connected stores."""
    return [platform.store for platform in await desk.stores.of_team(team_id)]


async def recheck_soon(work: UnitOfWork, store: Store, desk: Desk, *, after_s: float = RECHECK_AFTER_S) -> None:
    """Pull the store's orders and read what is in doubt there, after a while."""
    now = desk.clock()
    await work.sync.want_pull(store, now=now)
    await work.sync.want_recheck(store, at=now + timedelta(seconds=after_s))
    await ask_for(work, SyncJob.READ, store.store_id, store.team_id, delay_s=after_s)


async def _oversold(work: UnitOfWork, pool: Pool, was: Oversold | None, desk: Desk, *, orders: Sequence[Order]) -> None:
    if was is not None and was.missing == -pool.on_hand:
        return
    sold = await _who_took_the_last(work, pool, desk, orders=orders)
    kept = {(one.store, one.number): one for one in (*sold, *(was.orders if was else ()))}
    newest = sorted(kept.values(), key=lambda one: one.ordered_at, reverse=True)[:ORDERS_NAMED]
    now = desk.clock()
    oversold = Oversold(
        oversold_id=id_from(pool.team_id, pool.sku.key, "oversold", now.isoformat()),
        team_id=pool.team_id,
        sku=pool.sku,
        missing=-pool.on_hand,
        orders=tuple(newest),
        opened_at=now,
    )
    oversold = await work.sync.add_oversold(oversold)
    await show_oversold(work, oversold.oversold_id, pool.team_id)


async def _who_took_the_last(work: UnitOfWork, pool: Pool, desk: Desk, *, orders: Sequence[Order]) -> list[SoldOrder]:
    """Return the newest orders of a SKU, with the store's own number and page where they are at hand."""
    names = {one.store_id: one.name for one in await desk_stores(desk, pool.team_id)}
    at_hand = {(order.store_id, order.order_id): order for order in orders}
    sold: dict[tuple[str, str], SoldOrder] = {}
    for movement in await work.stock.movements(pool.team_id, pool.sku, limit=4 * ORDERS_NAMED):
        if movement.order_id is None or movement.store_id is None or movement.quantity >= 0:
            continue
        order = at_hand.get((movement.store_id, movement.order_id))
        before = sold.get((movement.store_id, movement.order_id))
        sold[movement.store_id, movement.order_id] = SoldOrder(
            store=names.get(movement.store_id, movement.source),
            number=movement.what or movement.order_id.rpartition("/")[2],
            order_id=movement.order_id,
            quantity=-movement.quantity + (before.quantity if before else 0),
            ordered_at=movement.occurred_at,
            url=order.url if order else "",
        )
        if len(sold) == ORDERS_NAMED:
            break
    return list(sold.values())
