"""`stock SKU…`: how many are there, and what each store shows of it now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.catalog import Sku, StoreId
from domain.errors import StoreError, UnknownSku
from domain.ports import StorePlatform
from domain.powers import ReadsStock
from domain.stock import LinkState, Outlet, OutletKey, Pool, WriteWay
from domain.stock_intents import ShowStock
from domain.stock_replies import OutletLine, StockOf, StockShown
from domain.stock_rules import targets
from domain.trade import StockLevel
from handlers.desk import Asked, Desk
from handlers.failures import sentence_for
from handlers.products import find_everywhere, nearest_skus
from handlers.words import Words


@dataclass(frozen=True, slots=True)
class Levels:
    """What one store answered. `silent` is why it did not."""

    store_id: StoreId
    store: str
    levels: Sequence[StockLevel]
    silent: StoreError | None = None


async def read_levels(desk: Desk, team_id: str, skus: Sequence[Sku]) -> Sequence[Levels]:
    """Ask every store of the team that counts, at once; one that fails is remembered, not fatal."""
    stores = [store for store in await desk.stores.of_team(team_id) if isinstance(store, ReadsStock)]
    return await asyncio.gather(*(_levels_of(store, skus) for store in stores))


async def _levels_of(store: StorePlatform, skus: Sequence[Sku]) -> Levels:
    assert isinstance(store, ReadsStock)
    try:
        return Levels(store.store.store_id, store.store.name, await store.read_stock(skus))
    except StoreError as error:
        return Levels(store.store.store_id, store.store.name, (), error)


async def raise_if_unknown(desk: Desk, team_id: str, sku: Sku, answers: Sequence[Levels]) -> None:
    """Raise UnknownSku with the nearest SKUs, or a silent store's error: “not found” would be a guess then."""
    for answer in answers:
        if answer.silent is not None:
            raise answer.silent
    raise UnknownSku(sku.value, guesses=await nearest_skus(desk, team_id, sku.value, limit=3))


async def show_stock(asked: Asked, intent: ShowStock, desk: Desk) -> None:
    """Answer with the ledger's number and every store's own, read now. Raises UnknownSku."""
    team_id = asked.member.team_id
    answers = await read_levels(desk, team_id, intent.skus)
    async with desk.work.reading() as rows:
        pools = await rows.stock.pools(team_id, intent.skus)
        here = await rows.places.settings(team_id, asked.incoming.place)
    words = Words(here.language, here.timezone)
    products = []
    for sku in intent.skus:
        product = _product(sku, pools.get(sku.key), answers, words)
        if product is None:
            await raise_if_unknown(desk, team_id, sku, answers)
            continue
        products.append(product)
    if len(products) == 1:  # of several the SKUs say enough, and each title would be a call to every store
        found = await find_everywhere(desk, team_id, intent.skus[0])
        products = [StockOf(products[0].sku, found.title, products[0].on_hand, products[0].outlets)]
    async with desk.work(asked.incoming) as work:
        await work.answer(StockShown(tuple(products)))


def _product(sku: Sku, pool: Pool | None, answers: Sequence[Levels], words: Words) -> StockOf | None:
    """Return the SKU as it stands, None where neither a store nor the ledger knows it."""
    links = {outlet.link.key: outlet for outlet in pool.outlets} if pool else {}
    due = targets(pool) if pool else {}
    lines: list[OutletLine] = []
    spelled = sku.value
    for answer in answers:
        levels = [level for level in answer.levels if level.sku.key == sku.key]
        for level in levels:
            spelled = level.sku.value
            key = (level.store_id, level.stock_id)
            lines.append(
                OutletLine(
                    answer.store,
                    level.quantity,
                    level.location,
                    due.get(key),
                    _notes(level, links.get(key), due.get(key), words),
                )
            )
        if not levels and answer.silent is not None and _sells(answer.store_id, links):
            lines.append(OutletLine(answer.store, None, notes=(words.sentence(sentence_for(answer.silent)),)))
    if pool is None and not lines:
        return None
    on_hand = pool.on_hand if pool and pool.is_counted else None
    return StockOf(pool.sku.value if pool else spelled, "", on_hand, tuple(lines))


def _sells(store_id: StoreId, links: Mapping[OutletKey, Outlet]) -> bool:
    """Whether a silent store is worth a line: it sells this SKU, or nobody can tell since nothing is linked."""
    return not links or any(key[0] == store_id for key in links)


def _notes(level: StockLevel, outlet: Outlet | None, due: int | None, words: Words) -> tuple[str, ...]:
    notes = []
    if level.quantity is None:
        notes.append(words("It does not count there."))
    elif not level.is_writable or (outlet and outlet.link.way is WriteWay.READS):
        notes.append(words("The platform keeps this number itself: I only read it."))
    if outlet is None:
        return tuple(notes)
    if outlet.link.state is LinkState.OFF:
        notes.append(words("Not kept in step: `sync on {sku}` does.", sku=level.sku.value))
    elif outlet.mismatch is not None:
        notes.append(words("Somebody changed it there: say which number is right on its card."))
    elif due is not None and level.quantity is not None and due != level.quantity:
        notes.append(words("It should show {number}: that is on its way.", number=words.number(due)))
    if outlet.link.buffer:
        notes.append(words("{number} are kept back from it.", number=words.number(outlet.link.buffer)))
    return tuple(notes)
