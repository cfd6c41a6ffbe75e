"""SKUs of the ledger and the places that sell them: the port `PoolRows`.

Plain columns instead of watched objects: a shop of 10,000 SKUs at four stores is 40,000 places, read in one go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Insert, Row, Select, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog import Sku, StoreId
from domain.stock import (
    MismatchState,
    Outlet,
    OutletKey,
    Pool,
    Pull,
    PushState,
    Shown,
    SkuFacts,
    StockLink,
)
from domain.stock_rows import Skus
from domain.trade import StockId
from storage.codec import clean_text
from storage.stock_codec import (
    MISMATCH,
    OUTLET,
    PULL,
    PUSH,
    SKU,
    facts_of,
    link_columns,
    link_of,
    mismatch_of,
    pull_of,
    push_of,
    shown_columns,
    shown_of,
)

KEYS_A_STATEMENT: Final = 5_000
"""SQLite takes 32,766 values in a statement, PostgreSQL 65,535."""


_SAVE_SHOWN: Final = (
    update(OUTLET)
    .where(OUTLET.c.store_id == bindparam("of_store"), OUTLET.c.stock_id == bindparam("of_stock"))
    .values(
        quantity=bindparam("quantity"),
        slack=bindparam("slack"),
        observed_at=bindparam("observed_at"),
        suspected=bindparam("suspected"),
        blocked_at=bindparam("blocked_at"),
        written_at=bindparam("written_at"),
        version=bindparam("version"),
    )
)


class SqlPools:
    """What is known of SKUs and places, seen by one transaction."""

    def __init__(self, db_session: AsyncSession) -> None:
        self._db_session = db_session

    async def pools(self, team_id: str, skus: Skus | None = None, *, for_change: bool = False) -> Mapping[str, Pool]:
        """Return them by key; `for_change` locks each SKU's row in the order of the keys."""
        return await self._pools(team_id, keys_of(skus), for_change=for_change)

    async def on_hand(self, team_id: str, skus: Skus | None = None) -> Mapping[str, int]:
        """Return the sums that every new movement keeps."""
        statement = select(SKU.c.sku_key, SKU.c.on_hand).where(SKU.c.team_id == team_id)
        return {row.sku_key: row.on_hand for row in await self.rows_of_skus(statement, SKU, keys_of(skus))}

    async def facts(self, team_id: str, skus: Skus | None = None) -> Mapping[str, SkuFacts]:
        """Return them by key."""
        return {row.sku_key: facts_of(row) for row in await self._of_team(SKU, team_id, keys_of(skus))}

    async def put_facts(self, team_id: str, facts: Sequence[SkuFacts]) -> None:
        """Make SKUs known, or replace what is said of them."""
        await self.know(team_id, [one.sku for one in facts])
        statement = (
            update(SKU)
            .where(SKU.c.team_id == team_id, SKU.c.sku_key == bindparam("of_key"))
            .values(
                sku=bindparam("sku"),
                lead_days=bindparam("lead_days"),
                review_days=bindparam("review_days"),
                pack=bindparam("pack"),
                supplier=bindparam("supplier"),
                cost=bindparam("cost"),
                currency=bindparam("currency"),
                split_at=bindparam("split_at"),
            )
        )
        values = [
            {
                "of_key": one.sku.key,
                "sku": one.sku.value,
                "lead_days": one.lead_days,
                "review_days": one.review_days,
                "pack": one.pack,
                "supplier": clean_text(one.supplier),
                "cost": "" if one.cost is None else str(one.cost),
                "currency": one.currency,
                "split_at": one.split_at,
            }
            for one in sorted(facts, key=lambda one: one.sku.key)
        ]
        await self.run(statement, values)

    async def links(
        self, team_id: str, skus: Skus | None = None, *, store_id: StoreId | None = None
    ) -> Sequence[StockLink]:
        """Return the places, by SKU and store."""
        statement = select(OUTLET).where(OUTLET.c.team_id == team_id)
        if store_id is not None:
            statement = statement.where(OUTLET.c.store_id == store_id)
        rows = await self.rows_of_skus(statement, OUTLET, keys_of(skus))
        return [link_of(row) for row in sorted(rows, key=_place)]

    async def put_links(self, team_id: str, links: Sequence[StockLink]) -> None:
        """Add places, or change them; a place with another SKU than before starts anew."""
        await self.know(team_id, [link.sku for link in links])
        known = await self._places([link.key for link in links])
        added = {link.key: link for link in links if link.key not in known}
        await self.run(self._insert_unless_there(OUTLET), [link_columns(team_id, link) for link in added.values()])
        same = [link for link in links if link.key in known and known[link.key].sku.key == link.sku.key]
        await self.run(_change_link(*_KEPT), [_changed(team_id, link) for link in same])
        other = [link for link in links if link.key in known and known[link.key].sku.key != link.sku.key]
        for link in other:
            for table, state in ((PUSH, PushState.LOST.value), (MISMATCH, MismatchState.PASSED.value)):
                is_open = (
                    table.c.store_id == link.store_id,
                    table.c.stock_id == link.stock_id,
                    table.c.state == "open",
                )
                await self._db_session.execute(update(table).where(*is_open).values(state=state))
        await self.run(_change_link(*_KEPT, "sku_key", "linked_at"), [_changed(team_id, link) for link in other])
        await self.save_shown([(link.key, Shown()) for link in other], is_forgotten=True)

    # ------------------------------------------------------------ for the other parts of the ledger

    async def know(self, team_id: str, skus: Iterable[Sku]) -> None:
        """Make SKUs known that are not yet."""
        empty = {"on_hand": 0, "supplier": "", "cost": "", "currency": "", "split_at": SkuFacts(Sku("?")).split_at}
        rows = {sku.key: {"team_id": team_id, "sku_key": sku.key, "sku": sku.value, **empty} for sku in skus}
        await self.run(self._insert_unless_there(SKU), [rows[key] for key in sorted(rows)])

    async def save_shown(self, beliefs: Sequence[tuple[OutletKey, Shown]], *, is_forgotten: bool = False) -> None:
        """Write beliefs; their SKUs are locked. `is_forgotten` keeps the version growing where a belief is dropped."""
        if is_forgotten:
            known = await self._shown([key for key, _ in beliefs])
            beliefs = [(key, Shown(version=known[key] + 1)) for key, _ in beliefs]
        await self.run(_SAVE_SHOWN, [shown_columns(key, shown) for key, shown in beliefs])

    async def pools_by_key(self, team_id: str, keys: Iterable[str]) -> Mapping[str, Pool]:
        """Return pools by their SKUs' keys, locked until the transaction ends."""
        return await self._pools(team_id, sorted(set(keys)), for_change=True)

    async def run(self, statement: Any, values: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each of the values, in one go; nothing for none."""
        if values:
            connection = await self._db_session.connection()
            await connection.execute(statement, [dict(one) for one in values])

    async def _pools(self, team_id: str, keys: Sequence[str] | None, *, for_change: bool) -> dict[str, Pool]:
        skus = await self._of_team(SKU, team_id, keys, is_locked=for_change)
        outlets = await self._of_team(OUTLET, team_id, keys)
        pulls = {row.store_id: pull_of(row) for row in await self._of_team(PULL, team_id, None)}
        pushes = {one.key: one for one in map(push_of, await self._of_team(PUSH, team_id, keys, is_open=True))}
        open_ones = await self._of_team(MISMATCH, team_id, keys, is_open=True)
        mismatches = {(one.store_id, one.stock_id): one for one in map(mismatch_of, open_ones)}
        by_sku: defaultdict[str, list[Outlet]] = defaultdict(list)
        for row in sorted(outlets, key=_place):
            link = link_of(row)
            key = link.key
            by_sku[row.sku_key].append(
                Outlet(link, shown_of(row), pushes.get(key), mismatches.get(key), pulls.get(link.store_id, Pull()))
            )
        in_order = sorted(skus, key=lambda row: str(row.sku_key))
        return {row.sku_key: Pool(team_id, facts_of(row), row.on_hand, tuple(by_sku[row.sku_key])) for row in in_order}

    async def _of_team(
        self,
        table: Table,
        team_id: str,
        keys: Sequence[str] | None,
        *,
        is_open: bool = False,
        is_locked: bool = False,
    ) -> Sequence[Row[Any]]:
        """Return a table's rows of these SKUs, of all for None, by a statement that is made once."""
        connection = await self._db_session.connection()
        statement = _made(table, of_skus=keys is not None, is_open=is_open, is_locked=is_locked)
        rows: list[Row[Any]] = []
        if keys is None:
            rows += (await connection.execute(statement, {"team": team_id})).all()
            return rows
        for some in in_parts(keys):
            rows += (await connection.execute(statement, {"team": team_id, "skus": some})).all()
        return rows

    async def rows_of_skus(
        self, statement: Select[Any], table: Table, keys: Sequence[str] | None
    ) -> Sequence[Row[Any]]:
        """Return a statement's rows of these SKUs, of all for None."""
        if keys is None:
            return await self.rows_of(statement)
        rows: list[Row[Any]] = []
        for some in in_parts(keys):
            rows += await self.rows_of(statement.where(table.c.sku_key.in_(some)))
        return rows

    async def _places(self, keys: Sequence[OutletKey]) -> dict[OutletKey, StockLink]:
        links: dict[OutletKey, StockLink] = {}
        for where in _are_places(OUTLET, keys):
            links |= {link.key: link for link in map(link_of, await self.rows_of(select(OUTLET).where(*where)))}
        return links

    async def _shown(self, keys: Sequence[OutletKey]) -> dict[OutletKey, int]:
        versions: dict[OutletKey, int] = {}
        for where in _are_places(OUTLET, keys):
            found = await self.rows_of(select(OUTLET.c.store_id, OUTLET.c.stock_id, OUTLET.c.version).where(*where))
            versions |= {(StoreId(row.store_id), StockId(row.stock_id)): row.version for row in found}
        return versions

    async def rows_of(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """Return what a statement finds."""
        connection = await self._db_session.connection()
        rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
        return rows

    def _insert_unless_there(self, table: Table) -> Insert:
        is_postgres = self._db_session.get_bind().dialect.name == "postgresql"
        if is_postgres:
            return postgresql.insert(table).on_conflict_do_nothing()
        return sqlite.insert(table).on_conflict_do_nothing()


@cache
def _made(table: Table, *, of_skus: bool, is_open: bool, is_locked: bool) -> Select[Any]:
    """Return a statement for one team; SQLAlchemy thinks longer about a new one than SQLite about its rows."""
    statement = select(table).where(table.c.team_id == bindparam("team"))
    if of_skus:
        statement = statement.where(table.c.sku_key.in_(bindparam("skus", expanding=True)))
    if is_open:
        statement = statement.where(table.c.state == "open")
    # Locked in one order, so that nobody waits in a circle.
    return statement.order_by(table.c.sku_key).with_for_update() if is_locked else statement


def keys_of(skus: Skus | None) -> Sequence[str] | None:
    """Return the keys without doubles, in the order in which rows are locked."""
    return None if skus is None else sorted({sku.key for sku in skus})


def in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield as many keys as one statement takes, in order."""
    for begin in range(0, len(keys), KEYS_A_STATEMENT):
        yield keys[begin : begin + KEYS_A_STATEMENT]


def _are_places(table: Table, keys: Sequence[OutletKey]) -> Iterator[tuple[ColumnElement[bool], ...]]:
    by_store: defaultdict[StoreId, list[str]] = defaultdict(list)
    for store_id, stock_id in keys:
        by_store[store_id].append(stock_id)
    for store_id, stock_ids in by_store.items():
        for some in in_parts(stock_ids):
            yield table.c.store_id == store_id, table.c.stock_id.in_(some)


def _place(row: Row[Any]) -> tuple[str, str, str]:
    return row.sku_key, row.store_id, row.stock_id


_KEPT: Final = ("sku", "listing_id", "location", "way", "buffer", "cap", "state")


def _change_link(*names: str) -> Any:
    return (
        update(OUTLET)
        .where(OUTLET.c.store_id == bindparam("of_store"), OUTLET.c.stock_id == bindparam("of_stock"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )


def _changed(team_id: str, link: StockLink) -> dict[str, Any]:
    named = {f"new_{name}": value for name, value in link_columns(team_id, link).items()}
    return {"of_store": link.store_id, "of_stock": link.stock_id, **named}
