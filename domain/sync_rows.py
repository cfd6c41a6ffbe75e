"""The port of the rows around the ledger: `work.sync` writes, `rows.sync` reads, always for one team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.catalog import Sku, Store, StoreId
from domain.people import Place
from domain.sync import OpenHint, Oversold, Run, RunKind, RunState, StoreSync, SyncJob, SyncSwitch


class SyncRows(Protocol):
    """The switch, how far each store is, runs that wait for a yes, and what was oversold."""

    async def switch(self, team_id: str) -> SyncSwitch:
        """Return whether the team's stores are kept in step."""
        ...

    async def turn(self, team_id: str, *, is_on: bool, by: str, now: datetime) -> bool:
        """Turn the switch; False when it stood there already."""
        ...

    async def show_in(self, team_id: str, place: Place) -> None:
        """Show the team's cards about stock in this place too, from now on."""
        ...

    async def stores(self, team_id: str) -> Mapping[StoreId, StoreSync]:
        """Return how far each store is; one nobody touched is missing."""
        ...

    async def was_pulled(self, store: Store, *, began_at: datetime) -> None:
        """Note that a pull of orders with the whole overlap ended."""
        ...

    async def want_pull(self, store: Store, *, now: datetime) -> None:
        """Note that what was done at this store now must be followed by a pull of its orders."""
        ...

    async def was_read(self, store: Store, *, began_at: datetime | None) -> None:
        """Note that all the store shows was compared, by a read that began then; None: it is to be read anew."""
        ...

    async def want_recheck(self, store: Store, *, at: datetime | None) -> None:
        """Note when what surprised us is to be read again; None when nothing is in doubt any more."""
        ...

    async def was_linked(self, store: Store) -> None:
        """Note that a person agreed to what this store shows, so that it may be written."""
        ...

    async def went_well(self, store: Store) -> None:
        """Note that the last job on this store ended well."""
        ...

    async def went_wrong(self, store: Store, trouble: str, *, now: datetime) -> None:
        """Note why the last job on this store failed; each failure in a row makes the pause before the next longer."""
        ...

    async def ask(self, job: SyncJob, subject_id: str, team_id: str) -> int | None:
        """Return the number of the job to enqueue, None where one waits already and will see what changed by now."""
        ...

    async def begin(self, job: SyncJob, subject_id: str) -> None:
        """Say that the job that waited begins: what changes from now on asks for another one."""
        ...

    async def put_due(self, team_id: str, skus: Sequence[Sku] | None) -> None:
        """Note that these SKUs (None: all) may have something to write."""
        ...

    async def due(self, team_id: str) -> Sequence[Sku] | None:
        """Return what was noted, None for all of them; an empty sequence for nothing."""
        ...

    async def drop_due(self, team_id: str, skus: Sequence[Sku] | None) -> None:
        """Forget what was noted: in the transaction that has looked at these SKUs, None for all."""
        ...

    async def hints(self, store_id: StoreId, *, limit: int) -> Sequence[OpenHint]:
        """Return the hints nobody acted on, the oldest first."""
        ...

    async def hints_about(self, store_id: StoreId, subjects: Sequence[str], *, before: datetime) -> Sequence[str]:
        """Return the keys of the open hints of orders that speak of these and came before that moment."""
        ...

    async def conclude(self, store_id: StoreId, keys: Sequence[str], *, now: datetime) -> None:
        """Say that they were acted on."""
        ...

    async def add_run(self, run: Run) -> bool:
        """Add it; False where one of its kind and subject waits already, and nothing is added."""
        ...

    async def run(self, team_id: str, run_id: str) -> Run | None:
        """Return one; None when unknown or of another team."""
        ...

    async def runs(self, team_id: str, *, kind: RunKind | None = None) -> Sequence[Run]:
        """Return those that are not over, the oldest first: what somebody said no to is, once `sync` was said."""
        ...

    async def save_run(self, run: Run, *, was: RunState) -> bool:
        """Write it where its state is still `was`; False when somebody was first."""
        ...

    async def add_oversold(self, oversold: Oversold) -> Oversold:
        """Keep it, and return it; where the SKU has an open one, that one with the new figures."""
        ...

    async def oversold(self, team_id: str, oversold_id: str) -> Oversold | None:
        """Return one; None when unknown or of another team."""
        ...

    async def open_oversold(self, team_id: str, skus: Sequence[Sku] | None = None) -> Sequence[Oversold]:
        """Return the open ones, the oldest first."""
        ...

    async def close_oversold(self, team_id: str, oversold_id: str, *, by: str) -> bool:
        """Close it; False when it was closed already."""
        ...
