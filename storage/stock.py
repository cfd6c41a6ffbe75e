"""The stock ledger's rows: the port `StockRows`. What is on its way to the stores, and what they were seen to show.

Each method reads what it decides on under the lock of its SKUs, applies the rules of domain/stock_rules.py, and
writes what follows, all in the caller's transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select, update

from domain.catalog import Store, StoreId
from domain.stock import (
    Mismatch,
    MismatchState,
    Movement,
    MovementKind,
    Outlet,
    OutletKey,
    Pool,
    Push,
    PushEnd,
    PushState,
    Seen,
    Shown,
    Wish,
)
from domain.stock_rows import Skus, TakenUp
from domain.stock_rules import Verdict, after_push, after_read, outdated, plan
from storage.codec import clean_text
from storage.stock_codec import (
    MISMATCH,
    OUTLET,
    PUSH,
    mismatch_columns,
    mismatch_of,
    push_columns,
    push_of,
    shown_of,
)
from storage.stock_orders import SqlOrders
from storage.stock_pools import in_parts

_CLOSE_PUSH: Final = (
    update(PUSH)
    .where(PUSH.c.push_id == bindparam("of_push"), PUSH.c.state == PushState.OPEN.value)
    .values(state=bindparam("now_state"), closed_at=bindparam("at"), why=bindparam("said"))
)
_SEND_PUSH: Final = (
    update(PUSH)
    .where(PUSH.c.push_id == bindparam("of_push"), PUSH.c.state == PushState.OPEN.value, PUSH.c.sent_at.is_(None))
    .values(sent_at=bindparam("at"))
)
_CHANGE_MISMATCH: Final = (
    update(MISMATCH)
    .where(MISMATCH.c.mismatch_id == bindparam("of_mismatch"))
    .values(
        {name: bindparam(f"new_{name}") for name in ("expected", "observed", "state", "resolved_at", "resolved_by")}
    )
)


class SqlStock(SqlOrders):
    """The ledger, seen by one transaction."""

    async def open_pushes(self, team_id: str, skus: Skus | None = None, *, now: datetime) -> Sequence[Push]:
        """Open all that may be written now, decreases first."""
        pools = await self.pools(team_id, skus, for_change=True)
        opened: list[tuple[Outlet, Push]] = []
        for pool in pools.values():
            by_key = {outlet.link.key: outlet for outlet in pool.outlets}
            for wish in plan(pool):
                outlet = by_key[wish.store_id, wish.stock_id]
                opened.append((outlet, _push(pool, outlet, wish, now)))
        await self.run(PUSH.insert(), [push_columns(team_id, push) for _, push in opened])
        # A read that was asked before the write says nothing afterwards.
        await self.save_shown([(outlet.link.key, _stirred(outlet.shown)) for outlet, _ in opened])
        return sorted((push for _, push in opened), key=lambda push: push.delta > 0)

    async def pushes(
        self, team_id: str, *, state: PushState = PushState.OPEN, store_id: StoreId | None = None, limit: int = 1_000
    ) -> Sequence[Push]:
        """Return pushes in a state, the longest open first."""
        statement = select(PUSH).where(PUSH.c.team_id == team_id, PUSH.c.state == state.value)
        if store_id is not None:
            statement = statement.where(PUSH.c.store_id == store_id)
        in_order = statement.order_by(PUSH.c.opened_at, PUSH.c.push_id).limit(limit)
        return [push_of(row) for row in await self.rows_of(in_order)]

    async def take_up(self, team_id: str, store_id: StoreId, *, limit: int, now: datetime) -> TakenUp:
        """Take the longest open up to be sent now; raises that were never sent and are too much by now are withdrawn."""
        fresh = [one for one in await self.pushes(team_id, store_id=store_id, limit=limit) if one.sent_at is None]
        raised = {one.sku.key: one.sku for one in fresh if one.delta > 0}
        withdrawn: Sequence[Push] = ()
        if raised:
            pools = await self.pools(team_id, list(raised.values()), for_change=True)
            mine = [one for pool in pools.values() for one in outdated(pool) if one.store_id == store_id]
            ends = [PushEnd(one.push_id, PushState.WITHDRAWN, why="less is left by now") for one in mine]
            withdrawn = await self.close_pushes(team_id, ends, now=now)
        await self.run(_SEND_PUSH, [{"of_push": one.push_id, "at": now} for one in fresh])
        return TakenUp(await self.pushes(team_id, store_id=store_id, limit=limit), withdrawn)

    async def close_pushes(self, team_id: str, ends: Sequence[PushEnd], *, now: datetime) -> Sequence[Push]:
        """Close those that are open; what their ends mean for the belief comes with it."""
        by_id = {end.push_id: end for end in ends}
        keys: set[str] = set()
        for some in in_parts(sorted(by_id)):
            named = select(PUSH.c.sku_key).where(PUSH.c.team_id == team_id, PUSH.c.push_id.in_(some))
            keys |= {row.sku_key for row in await self.rows_of(named)}
        closed: list[Push] = []
        beliefs: list[tuple[OutletKey, Shown]] = []
        for pool in (await self.pools_by_key(team_id, keys)).values():
            for outlet in pool.outlets:
                push = outlet.push
                if push is None or push.push_id not in by_id:
                    continue
                end = by_id[push.push_id]
                closed.append(replace(push, state=end.state, closed_at=now, why=clean_text(end.why)))
                beliefs.append((push.key, after_push(outlet.shown, push, end, outlet.link, now=now)))
        values = [
            {"of_push": one.push_id, "now_state": one.state.value, "at": one.closed_at, "said": one.why}
            for one in closed
        ]
        await self.run(_CLOSE_PUSH, values)
        await self.save_shown(beliefs)
        return closed

    async def shown(self, team_id: str, *, store_id: StoreId) -> Mapping[OutletKey, Shown]:
        """Return what we believe a store shows."""
        statement = select(OUTLET).where(OUTLET.c.team_id == team_id, OUTLET.c.store_id == store_id)
        return {(store_id, row.stock_id): shown_of(row) for row in await self.rows_of(statement)}

    async def observe(
        self, store: Store, seen: Sequence[Seen], *, asked_at: datetime, now: datetime
    ) -> Sequence[Mismatch]:
        """Compare reads that count; only what differs from the belief is locked and written in full."""
        pull = (await self.pulls(store.team_id)).get(store.store_id)
        if pull is None or pull.began_at is None or pull.began_at < asked_at:
            return ()
        by_key: dict[OutletKey, Seen] = {(store.store_id, one.stock_id): one for one in seen}
        asked_about = {mismatch.stock_id for mismatch in await self.mismatches(store.team_id, store_id=store.store_id)}
        same: list[str] = []
        other: set[str] = set()
        of_store = select(OUTLET).where(OUTLET.c.team_id == store.team_id, OUTLET.c.store_id == store.store_id)
        for row in await self.rows_of(of_store):
            one = by_key.get((store.store_id, row.stock_id))
            if one is None or row.version != one.version:
                continue
            is_quiet = row.slack == 0 and row.suspected is None and row.stock_id not in asked_about
            if is_quiet and row.quantity == one.quantity:
                same.append(row.stock_id)
            else:
                other.add(row.sku_key)
        for some in in_parts(same):
            were_seen = update(OUTLET).where(OUTLET.c.store_id == store.store_id, OUTLET.c.stock_id.in_(some))
            await self._db_session.execute(were_seen.values(observed_at=now))
        return await self._judge(await self.pools_by_key(store.team_id, other), by_key, now=now) if other else ()

    async def mismatches(self, team_id: str, *, store_id: StoreId | None = None) -> Sequence[Mismatch]:
        """Return the open ones, the oldest first."""
        statement = select(MISMATCH).where(MISMATCH.c.team_id == team_id, MISMATCH.c.state == MismatchState.OPEN.value)
        if store_id is not None:
            statement = statement.where(MISMATCH.c.store_id == store_id)
        in_order = statement.order_by(MISMATCH.c.opened_at, MISMATCH.c.mismatch_id)
        return [mismatch_of(row) for row in await self.rows_of(in_order)]

    async def mismatch(self, team_id: str, mismatch_id: str) -> Mismatch | None:
        """Return one, in any state."""
        statement = select(MISMATCH).where(MISMATCH.c.team_id == team_id, MISMATCH.c.mismatch_id == mismatch_id)
        return next(map(mismatch_of, await self.rows_of(statement)), None)

    async def resolve(
        self, team_id: str, mismatch_id: str, state: MismatchState, *, by: str, now: datetime
    ) -> Mismatch | None:
        """Close it once; the loser of a race gets None."""
        found = await self.mismatch(team_id, mismatch_id)
        if found is None:
            return None
        pools = await self.pools(team_id, [found.sku], for_change=True)
        outlet = next(
            (
                one
                for one in pools[found.sku.key].outlets
                if one.mismatch is not None and one.mismatch.mismatch_id == mismatch_id
            ),
            None,
        )
        if outlet is None or outlet.mismatch is None:
            return None
        resolved = replace(outlet.mismatch, state=state, resolved_at=now, resolved_by=by)
        difference = resolved.observed - resolved.expected
        if state is MismatchState.TRUSTED:
            key = f"trust:{mismatch_id}"
            trusted = Movement(key, found.sku, difference, MovementKind.TRUSTED, now, actor=by, store_id=found.store_id)
            await self.append(team_id, [trusted])
        belief = replace(outlet.shown, quantity=(outlet.shown.quantity or 0) + difference, suspected=None)
        await self.run(_CHANGE_MISMATCH, [_changes(resolved)])
        await self.save_shown([(outlet.link.key, _stirred(belief))])
        return resolved

    async def _judge(
        self, pools: Mapping[str, Pool], by_key: Mapping[OutletKey, Seen], *, now: datetime
    ) -> Sequence[Mismatch]:
        """Apply reads to locked pools, and return the mismatches that are new or of another number now."""
        beliefs: list[tuple[OutletKey, Shown]] = []
        opened: list[Mismatch] = []
        changed: list[Mismatch] = []
        team_id = ""
        for pool in pools.values():
            team_id = pool.team_id
            for outlet in pool.outlets:
                one = by_key.get(outlet.link.key)
                if one is None or outlet.shown.version != one.version or outlet.push is not None:
                    continue
                shown, verdict = after_read(outlet.shown, one, now=now)
                beliefs.append((outlet.link.key, shown))
                known = outlet.mismatch
                if verdict in {Verdict.SAME, Verdict.SETTLED} and known is not None:
                    passed = replace(known, state=MismatchState.PASSED, resolved_at=now)
                    await self.run(_CHANGE_MISMATCH, [_changes(passed)])
                elif verdict is Verdict.MISMATCH and known is None:
                    opened.append(_mismatch(pool, outlet, one, now))
                elif verdict is Verdict.MISMATCH and known is not None and _moved_on(known, outlet.shown, one):
                    changed.append(replace(known, expected=outlet.shown.quantity or 0, observed=one.quantity))
        await self.save_shown(beliefs)
        await self.run(MISMATCH.insert(), [mismatch_columns(team_id, one) for one in opened])
        await self.run(_CHANGE_MISMATCH, [_changes(one) for one in changed])
        return [*opened, *changed]


def _push(pool: Pool, outlet: Outlet, wish: Wish, now: datetime) -> Push:
    """Return a push; its id is of this belief at this second, which no other one ever has."""
    push_id = f"{wish.store_id}:{wish.stock_id}:{outlet.shown.version}:{int(now.timestamp())}"
    delta = wish.to_quantity - wish.from_quantity
    return Push(push_id, pool.sku, wish.store_id, wish.stock_id, wish.from_quantity, delta, now)


def _stirred(shown: Shown) -> Shown:
    return replace(shown, version=shown.version + 1)


def _mismatch(pool: Pool, outlet: Outlet, seen: Seen, now: datetime) -> Mismatch:
    link = outlet.link
    expected = outlet.shown.quantity or 0
    return Mismatch(secrets.token_urlsafe(9), pool.sku, link.store_id, link.stock_id, expected, seen.quantity, now)


def _moved_on(known: Mismatch, shown: Shown, seen: Seen) -> bool:
    """Whether the difference is another one than people were asked about; sales change both numbers alike."""
    return seen.quantity - (shown.quantity or 0) != known.observed - known.expected


def _changes(one: Mismatch) -> dict[str, object]:
    named = {
        "expected": one.expected,
        "observed": one.observed,
        "state": one.state.value,
        "resolved_at": one.resolved_at,
        "resolved_by": clean_text(one.resolved_by),
    }
    return {"of_mismatch": one.mismatch_id, **{f"new_{name}": value for name, value in named.items()}}
