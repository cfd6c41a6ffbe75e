"""Opens the small business of the proof: three shops on their fakes, the real rows on SQLite, and a worker's desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from domain.catalog import Store, StoreId
from domain.connection import Contact
from domain.jobs import Job
from domain.people import Team
from domain.ports import StorePlatform
from domain.recipe import PictureRules
from domain.stock import SPLIT_AT, StockLink
from domain.stock_rules import first_count
from handlers.desk import Desk
from storage.catalog import StoreRows
from storage.database import Database, open_database
from storage.statements import insert
from storage.tables import TeamRow
from storage.work import SqlWork
from tests.fakes import FakeEnhancer, FakeMedia
from tests.stock.ledger import HandClock, Ledger
from tests.stock.proof import TEAM_ID, Business
from tests.stock.shops import MUG, Shops, open_shops

FIRST: Final = 10


class OpenStores:
    """The port `Stores` on the shops, as they are open now."""

    def __init__(self, shops: Shops) -> None:
        self._shops = shops

    async def of_team(self, team_id: str) -> Sequence[StorePlatform]:
        assert team_id == TEAM_ID
        return [shop.platform for shop in self._shops.all]

    async def open(self, store_id: StoreId) -> StorePlatform:
        return next(one for one in await self.of_team(TEAM_ID) if one.store.store_id == store_id)

    async def contact(self, store: Store) -> Contact:
        raise NotImplementedError(store.name)

    def rules(self, store: Store) -> PictureRules:
        raise NotImplementedError(store.name)


@asynccontextmanager
async def open_business(path: Path, *, split_at: int = SPLIT_AT, buffer: int = 0) -> AsyncIterator[Business]:
    """Open one on a migrated file: all three shops show ten mugs, and ten are counted."""
    clock = HandClock()
    database = open_database(f"sqlite:///{path}")
    try:
        async with open_shops(clock) as shops:
            stores = {shop.name: shop.platform.store for shop in shops.all}
            await _furnish(database, stores, clock)
            ledger = Ledger(database, Team(TEAM_ID, "Shop"), stores, clock)
            desk = Desk(SqlWork(database, _forget, clock), FakeMedia(), FakeEnhancer(), OpenStores(shops), clock)
            business = Business(shops, ledger, path, desk, split_at, on_shelf=FIRST)
            async with desk.work() as work:
                await work.sync.turn(TEAM_ID, is_on=True, by="Anna", now=clock())
            for shop in shops.all:
                shop.set_by_hand(FIRST)
                [level] = await shop.platform.read_stock([MUG])
                link = StockLink(
                    level.store_id, level.stock_id, MUG, level.listing_id, shop.way, clock(), buffer=buffer
                )
                async with business.ledger.work() as work:
                    await work.stock.put_links(TEAM_ID, [link])
                    [facts] = (await work.stock.facts(TEAM_ID)).values()
                    await work.stock.put_facts(TEAM_ID, [replace(facts, split_at=split_at)])
                await business.ask_levels(shop)
                await business.finish_read(shop)
            found = first_count(await business.pool())
            assert found == FIRST
            await business.ledger.count(found)
            clock.pass_by(3_600)
            yield business
    finally:
        await database.close()


def _forget(_connection: Connection, _job: Job) -> None:
    """Jobs are run by the machine, when it likes."""


async def _furnish(database: Database, stores: dict[str, Store], clock: HandClock) -> None:
    async with database.begin() as db_session:
        await insert(db_session, TeamRow(team_id=TEAM_ID, name="Shop", created_at=clock()))
    for store in stores.values():
        assert await StoreRows(database).add(store)
