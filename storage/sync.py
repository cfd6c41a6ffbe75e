"""The rows around the ledger: the port `SyncRows`.

A job that waits is a number and a moment: whoever wants it raises the number where nobody waits, so that a hundred
hints make one job, and a job that begins lets the next one be asked for before it looks at anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import Sku, Store, StoreId
from domain.people import ChatName, Place
from domain.ports import Clock
from domain.sync import (
    OpenHint,
    Oversold,
    Run,
    RunKind,
    RunState,
    SoldOrder,
    StoreSync,
    SyncJob,
    SyncSwitch,
    is_of_order,
)
from storage.codec import clean_text, dump
from storage.database import Database
from storage.statements import change, find_all, find_one, insert_once, run_made, table_of
from storage.sync_tables import (
    OversoldRow,
    SyncDueRow,
    SyncJobRow,
    SyncPlaceRow,
    SyncRunRow,
    SyncStoreRow,
    SyncSwitchRow,
)
from storage.tables import StoreHintRow

ALL = ""
"""The `sku_key` that stands for every SKU of a team."""
_RUN = TypeAdapter(Run)
_ORDERS = TypeAdapter(tuple[SoldOrder, ...])
_NOT_OVER = (RunState.READING.value, RunState.ASKED.value, RunState.GOING.value, RunState.LEFT.value)
CONCLUDED_AT_ONCE = 500
_JOB = table_of(SyncJobRow)
_IS_ASKED = select(_JOB.c.number).where(
    _JOB.c.job == bindparam("of_job"), _JOB.c.subject_id == bindparam("of_subject"), _JOB.c.opened_at.is_not(None)
)
"""Made once: every webhook of an order asks it."""
_HINT = table_of(StoreHintRow)
_HINTS_ABOUT = select(_HINT.c.hint_key, _HINT.c.topic).where(
    _HINT.c.store_id == bindparam("of_store"),
    _HINT.c.concluded_at.is_(None),
    _HINT.c.taken_at < bindparam("before"),
    _HINT.c.subject.in_(bindparam("subjects", expanding=True)),
)


class SqlSync:
    """The rows of one transaction."""

    def __init__(self, db_session: AsyncSession, clock: Clock) -> None:
        self._db_session = db_session
        self._clock = clock

    # ------------------------------------------------------------ the switch

    async def switch(self, team_id: str) -> SyncSwitch:
        """Return whether the team's stores are kept in step."""
        places = await find_all(
            self._db_session,
            select(SyncPlaceRow)
            .where(col(SyncPlaceRow.team_id) == team_id)
            .order_by(col(SyncPlaceRow.chat), col(SyncPlaceRow.place_id)),
        )
        shown = tuple(Place(ChatName(row.chat), row.place_id, row.thread_id) for row in places)
        row = await find_one(self._db_session, select(SyncSwitchRow).where(col(SyncSwitchRow.team_id) == team_id))
        if row is None:
            return SyncSwitch(team_id, places=shown)
        return SyncSwitch(team_id, row.is_on, row.turned_by, row.turned_at, shown)

    async def turn(self, team_id: str, *, is_on: bool, by: str, now: datetime) -> bool:
        """Turn the switch; False when it stood there already."""
        turned = update(SyncSwitchRow).where(col(SyncSwitchRow.team_id) == team_id, col(SyncSwitchRow.is_on) != is_on)
        if await change(self._db_session, turned.values(is_on=is_on, turned_by=clean_text(by), turned_at=now)):
            return True
        row = SyncSwitchRow(team_id=team_id, is_on=is_on, turned_by=clean_text(by), turned_at=now)
        return await insert_once(self._db_session, row) and is_on

    async def show_in(self, team_id: str, place: Place) -> None:
        """Show the team's cards about stock in this place too, from now on."""
        row = SyncPlaceRow(
            team_id=team_id, chat=place.chat.value, place_id=place.place_id, thread_id=place.thread_id
        )  # fmt: skip
        await insert_once(self._db_session, row)

    # ------------------------------------------------------------ each store

    async def stores(self, team_id: str) -> Mapping[StoreId, StoreSync]:
        """Return how far each store is; one nobody touched is missing."""
        rows = await find_all(self._db_session, select(SyncStoreRow).where(col(SyncStoreRow.team_id) == team_id))
        return {StoreId(row.store_id): _store_sync(row) for row in rows}

    async def was_pulled(self, store: Store, *, began_at: datetime) -> None:
        """Note that a pull of orders with the whole overlap ended."""
        await self._note(store, {"pulled_at": began_at})

    async def want_pull(self, store: Store, *, now: datetime) -> None:
        """Note that what was done at this store now must be followed by a pull of its orders."""
        await self._note(store, {"wanted_at": now})

    async def was_read(self, store: Store, *, began_at: datetime | None) -> None:
        """Note that all the store shows was compared, by a read that began then; None: it is to be read anew."""
        await self._note(store, {"read_at": began_at})

    async def want_recheck(self, store: Store, *, at: datetime | None) -> None:
        """Note when what surprised us is to be read again; None when nothing is in doubt any more."""
        await self._note(store, {"recheck_at": at})

    async def was_linked(self, store: Store) -> None:
        """Note that a person agreed to what this store shows, so that it may be written."""
        await self._note(store, {"is_linked": True})

    async def went_well(self, store: Store) -> None:
        """Note that the last job on this store ended well."""
        await self._note(store, {"trouble": "", "trouble_at": None, "failures": 0})

    async def went_wrong(self, store: Store, trouble: str, *, now: datetime) -> None:
        """Note why the last job on this store failed; each failure in a row makes the pause before the next longer."""
        failures = col(SyncStoreRow.failures) + 1
        await self._note(store, {"trouble": clean_text(trouble), "trouble_at": now, "failures": failures})

    async def was_hinted(self, store: Store, *, now: datetime) -> None:
        """Note that the store told of an order by itself."""
        await self._note(store, {"hinted_at": now})

    async def _note(self, store: Store, values: Mapping[str, Any]) -> None:
        this = update(SyncStoreRow).where(col(SyncStoreRow.store_id) == store.store_id).values(**values)
        if not await change(self._db_session, this):
            await insert_once(self._db_session, SyncStoreRow(store_id=store.store_id, team_id=store.team_id))
            await change(self._db_session, this)

    # ------------------------------------------------------------ jobs that wait

    async def ask(self, job: SyncJob, subject_id: str, team_id: str) -> int | None:
        """Return the number of the job to enqueue, None where one waits already and will see what changed by now."""
        now = self._clock()
        this = (col(SyncJobRow.job) == job.value, col(SyncJobRow.subject_id) == subject_id)
        raised = (
            update(SyncJobRow)
            .where(*this, col(SyncJobRow.opened_at).is_(None))
            .values(number=col(SyncJobRow.number) + 1, opened_at=now)
        )
        if await change(self._db_session, raised):
            return (await self._db_session.execute(select(col(SyncJobRow.number)).where(*this))).scalar_one()
        row = SyncJobRow(job=job.value, subject_id=subject_id, team_id=team_id, number=1, opened_at=now)
        return 1 if await insert_once(self._db_session, row) else None

    async def is_asked(self, job: SyncJob, subject_id: str) -> bool:
        """Whether one waits already."""
        waiting = await run_made(self._db_session, _IS_ASKED, {"of_job": job.value, "of_subject": subject_id})
        return waiting.first() is not None

    async def begin(self, job: SyncJob, subject_id: str) -> None:
        """Say that the job that waited begins: what changes from now on asks for another one."""
        this = (col(SyncJobRow.job) == job.value, col(SyncJobRow.subject_id) == subject_id)
        await change(self._db_session, update(SyncJobRow).where(*this).values(opened_at=None))

    async def put_due(self, team_id: str, skus: Sequence[Sku] | None) -> None:
        """Note that these SKUs (None: all) may have something to write."""
        keys = {ALL: ""} if skus is None else {sku.key: sku.value for sku in skus}
        for key, value in sorted(keys.items()):
            await insert_once(self._db_session, SyncDueRow(team_id=team_id, sku_key=key, sku=value))

    async def due(self, team_id: str) -> Sequence[Sku] | None:
        """Return what was noted, None for all of them; an empty sequence for nothing."""
        rows = await find_all(
            self._db_session,
            select(SyncDueRow).where(col(SyncDueRow.team_id) == team_id).order_by(col(SyncDueRow.sku_key)),
        )
        return None if any(row.sku_key == ALL for row in rows) else [Sku(row.sku) for row in rows]

    async def drop_due(self, team_id: str, skus: Sequence[Sku] | None) -> None:
        """Forget what was noted: in the transaction that has looked at these SKUs, None for all."""
        this = delete(SyncDueRow).where(col(SyncDueRow.team_id) == team_id)
        if skus is not None:
            this = this.where(col(SyncDueRow.sku_key).in_([sku.key for sku in skus]))
        await change(self._db_session, this)

    # ------------------------------------------------------------ hints

    async def hints(self, store_id: StoreId, *, limit: int) -> Sequence[OpenHint]:
        """Return the hints nobody acted on, the oldest first."""
        statement = (
            select(StoreHintRow)
            .where(col(StoreHintRow.store_id) == store_id, col(StoreHintRow.concluded_at).is_(None))
            .order_by(col(StoreHintRow.taken_at), col(StoreHintRow.hint_key))
            .limit(limit)
        )
        rows = await find_all(self._db_session, statement)
        return [OpenHint(row.hint_key, row.topic, row.subject, row.taken_at) for row in rows]

    async def hints_about(self, store_id: StoreId, subjects: Sequence[str], *, before: datetime) -> Sequence[str]:
        """Return the keys of the open hints of orders that speak of these and came before that moment."""
        found: list[str] = []
        for begin in range(0, len(subjects), CONCLUDED_AT_ONCE):
            some = list(subjects[begin : begin + CONCLUDED_AT_ONCE])
            values = {"of_store": store_id, "subjects": some, "before": before}
            rows = await run_made(self._db_session, _HINTS_ABOUT, values)
            found += [row.hint_key for row in rows if is_of_order(row.topic)]
        return found

    async def conclude(self, store_id: StoreId, keys: Sequence[str], *, now: datetime) -> None:
        """Say that they were acted on."""
        for begin in range(0, len(keys), CONCLUDED_AT_ONCE):
            some = keys[begin : begin + CONCLUDED_AT_ONCE]
            this = (col(StoreHintRow.store_id) == store_id, col(StoreHintRow.hint_key).in_(some))
            await change(self._db_session, update(StoreHintRow).where(*this).values(concluded_at=now))

    # ------------------------------------------------------------ runs that ask

    async def add_run(self, run: Run) -> bool:
        """Add it; False where one of its kind and subject waits already, and nothing is added."""
        return await insert_once(self._db_session, _run_row(run))

    async def run(self, team_id: str, run_id: str) -> Run | None:
        """Return one; None when unknown or of another team."""
        this = (col(SyncRunRow.team_id) == team_id, col(SyncRunRow.run_id) == run_id)
        row = await find_one(self._db_session, select(SyncRunRow).where(*this))
        return None if row is None else _run(row)

    async def runs(self, team_id: str, *, kind: RunKind | None = None) -> Sequence[Run]:
        """Return those that are not over, the oldest first: what somebody said no to is, once `sync` was said."""
        statement = select(SyncRunRow).where(col(SyncRunRow.team_id) == team_id, col(SyncRunRow.state).in_(_NOT_OVER))
        if kind is not None:
            statement = statement.where(col(SyncRunRow.kind) == kind.value)
        rows = await find_all(self._db_session, statement.order_by(col(SyncRunRow.opened_at), col(SyncRunRow.run_id)))
        return [_run(row) for row in rows]

    async def save_run(self, run: Run, *, was: RunState) -> bool:
        """Write it where its state is still `was`; False when somebody was first."""
        this = (col(SyncRunRow.run_id) == run.run_id, col(SyncRunRow.state) == was.value)
        values = {"state": run.state.value, "dry_run": dump(_RUN, run)}
        return await change(self._db_session, update(SyncRunRow).where(*this).values(**values)) == 1

    # ------------------------------------------------------------ oversold

    async def add_oversold(self, oversold: Oversold) -> Oversold:
        """Keep it, and return it; where the SKU has an open one, that one with the new figures."""
        if await insert_once(self._db_session, _oversold_row(oversold)):
            return oversold
        [there] = await self.open_oversold(oversold.team_id, [oversold.sku])
        newer = replace(there, missing=oversold.missing, orders=oversold.orders)
        this = update(OversoldRow).where(col(OversoldRow.oversold_id) == there.oversold_id)
        await change(self._db_session, this.values(missing=newer.missing, orders=dump(_ORDERS, newer.orders)))
        return newer

    async def oversold(self, team_id: str, oversold_id: str) -> Oversold | None:
        """Return one; None when unknown or of another team."""
        this = (col(OversoldRow.team_id) == team_id, col(OversoldRow.oversold_id) == oversold_id)
        row = await find_one(self._db_session, select(OversoldRow).where(*this))
        return None if row is None else _oversold(row)

    async def open_oversold(self, team_id: str, skus: Sequence[Sku] | None = None) -> Sequence[Oversold]:
        """Return the open ones, the oldest first."""
        statement = select(OversoldRow).where(col(OversoldRow.team_id) == team_id, col(OversoldRow.is_open))
        if skus is not None:
            statement = statement.where(col(OversoldRow.sku_key).in_([sku.key for sku in skus]))
        rows = await find_all(self._db_session, statement.order_by(col(OversoldRow.opened_at)))
        return [_oversold(row) for row in rows]

    async def close_oversold(self, team_id: str, oversold_id: str, *, by: str) -> bool:
        """Close it; False when it was closed already."""
        this = (
            col(OversoldRow.team_id) == team_id, col(OversoldRow.oversold_id) == oversold_id, col(OversoldRow.is_open),
        )  # fmt: skip
        return await change(self._db_session, update(OversoldRow).where(*this).values(is_open=False, by=by)) == 1


async def teams_in_step(database: Database) -> Sequence[str]:
    """Return the teams whose switch is on."""
    async with database.read() as db_session:
        rows = await find_all(db_session, select(SyncSwitchRow).where(col(SyncSwitchRow.is_on)))
    return [row.team_id for row in rows]


async def waiting_jobs(database: Database) -> Sequence[tuple[SyncJob, str, int, datetime]]:
    """Return every job that was asked for and has not begun: what, on whom, its number, since when."""
    async with database.read() as db_session:
        rows = await find_all(db_session, select(SyncJobRow).where(col(SyncJobRow.opened_at).is_not(None)))
    return [(SyncJob(row.job), row.subject_id, row.number, row.opened_at) for row in rows if row.opened_at]


def _store_sync(row: SyncStoreRow) -> StoreSync:
    return StoreSync(
        store_id=StoreId(row.store_id),
        team_id=row.team_id,
        pulled_at=row.pulled_at,
        wanted_at=row.wanted_at,
        hinted_at=row.hinted_at,
        read_at=row.read_at,
        recheck_at=row.recheck_at,
        trouble=row.trouble,
        trouble_at=row.trouble_at,
        failures=row.failures,
        is_linked=row.is_linked,
    )


def _run_row(run: Run) -> SyncRunRow:
    return SyncRunRow(
        run_id=run.run_id,
        team_id=run.team_id,
        kind=run.kind.value,
        subject_id=run.store_id or run.team_id,
        state=run.state.value,
        opened_at=run.opened_at,
        dry_run=dump(_RUN, run),
    )


def _run(row: SyncRunRow) -> Run:
    return replace(_RUN.validate_python(row.dry_run), state=RunState(row.state))


def _oversold_row(oversold: Oversold) -> OversoldRow:
    return OversoldRow(
        oversold_id=oversold.oversold_id,
        team_id=oversold.team_id,
        sku_key=oversold.sku.key,
        sku=clean_text(oversold.sku.value),
        missing=oversold.missing,
        orders=dump(_ORDERS, oversold.orders),
        opened_at=oversold.opened_at,
        is_open=oversold.is_open,
        by=oversold.by,
    )


def _oversold(row: OversoldRow) -> Oversold:
    orders = _ORDERS.validate_python(row.orders)
    return Oversold(
        row.oversold_id, row.team_id, Sku(row.sku), row.missing, orders, row.opened_at, row.is_open, row.by
    )  # fmt: skip
