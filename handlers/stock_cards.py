"""The cards about stock: derived from the rows and nothing else, shown wherever sync was turned on, and answered once."""

from __future__ import annotations

from dataclasses import replace

from domain.errors import BadInput, NotPossible
from domain.intents import Press
from domain.ports import UnitOfWork
from domain.rows import AuditEntry
from domain.stock import Mismatch, MismatchState
from domain.sync import Run, RunKind, RunState, SyncJob
from domain.sync_replies import DryRunLine, MismatchAsked, OversoldAsked, RunAsked, SoldLine
from domain.tokens import Action
from handlers.desk import Asked, Desk
from handlers.stock_send import ask_for, send_soon

ONLY_AGREED = 1
"""The number of a Go ahead that leaves out what the stores disagree on."""


# ---------------------------------------------------------------- showing


async def show_mismatch(work: UnitOfWork, mismatch: Mismatch, team_id: str, desk: Desk, *, counting: str = "") -> None:
    """Bring the card of a mismatch up to date."""
    names = {one.store.store_id: one.store.name for one in await desk.stores.of_team(team_id)}
    pool = (await work.stock.pools(team_id, [mismatch.sku])).get(mismatch.sku.key)
    others = {
        names[outlet.link.store_id]
        for outlet in (pool.outlets if pool else ())
        if outlet.link.store_id != mismatch.store_id and outlet.link.store_id in names
    }
    card = MismatchAsked(
        mismatch_id=mismatch.mismatch_id,
        sku=mismatch.sku.value,
        title="",
        store=names.get(mismatch.store_id, mismatch.store_id),
        expected=mismatch.expected,
        observed=mismatch.observed,
        others=tuple(sorted(others)),
        state=mismatch.state.value,
        by=mismatch.resolved_by,
        at=mismatch.resolved_at,
        counting=counting,
    )
    await _show(work, f"mismatch:{mismatch.mismatch_id}", card, team_id)


async def show_oversold(work: UnitOfWork, oversold_id: str, team_id: str) -> None:
    """Bring the card of what was oversold up to date."""
    oversold = await work.sync.oversold(team_id, oversold_id)
    if oversold is None:
        return
    orders = tuple(SoldLine(one.store, one.number, one.quantity, one.ordered_at, one.url) for one in oversold.orders)
    card = OversoldAsked(
        oversold_id, oversold.sku.value, "", oversold.missing, orders, oversold.is_open, oversold.by
    )  # fmt: skip
    await _show(work, f"oversold:{oversold_id}", card, team_id)


async def show_run(work: UnitOfWork, run: Run, desk: Desk) -> None:
    """Bring the card of a run up to date."""
    store = next(
        (one.store.name for one in await desk.stores.of_team(run.team_id) if one.store.store_id == run.store_id), ""
    )
    lines = tuple(DryRunLine(one.sku, one.shows, one.becomes, one.is_disputed) for one in run.lines)
    card = RunAsked(
        run_id=run.run_id,
        kind=run.kind.value,
        state=run.state.value,
        store=store,
        alarm=run.alarm.value if run.alarm else "",
        lines=lines,
        total=run.total,
        disputed=run.disputed,
        zeroed=run.zeroed,
        of=run.of,
        by=run.by,
        at=run.decided_at,
    )
    await _show(work, f"run:{run.run_id}", card, run.team_id)


async def _show(work: UnitOfWork, topic: str, card: MismatchAsked | OversoldAsked | RunAsked, team_id: str) -> None:
    places = (await work.sync.switch(team_id)).places
    await work.show_topic(topic, card, team_id=team_id, places=places)


# ---------------------------------------------------------------- answering


async def answer_mismatch(asked: Asked, press: Press, desk: Desk) -> None:
    """Take a person's word for one of the two numbers, or let them count first. Raises BadInput, NotPossible."""
    team_id, now = asked.member.team_id, desk.clock()
    async with desk.work(asked.incoming) as work:
        found = await work.stock.mismatch(team_id, press.token.subject_id)
        if found is None:
            raise BadInput("I do not know that button: ask for the card again with `sync status`.")
        _raise_if_answered(found)
        if press.token.action is Action.COUNT_MYSELF:
            await show_mismatch(work, found, team_id, desk, counting=asked.member.name)
            return
        state = MismatchState.TRUSTED if press.token.action is Action.TRUST_STORE else MismatchState.OURS
        resolved = await work.stock.resolve(team_id, found.mismatch_id, state, by=asked.member.name, now=now)
        if resolved is None:
            again = await work.stock.mismatch(team_id, found.mismatch_id)
            _raise_if_answered(again or found)
            return
        number = found.observed if state is MismatchState.TRUSTED else found.expected
        await work.audit(
            AuditEntry(
                team_id, now, asked.member.name, f"mismatch_{state.value}", found.sku.value, found.mismatch_id,
                f"{found.observed} → {number}",
                before={"shown": found.observed, "expected": found.expected}, after={"shown": number},
            )
        )  # fmt: skip
        await send_soon(work, team_id, [found.sku])
        await show_mismatch(work, resolved, team_id, desk)


async def settle_counted(work: UnitOfWork, team_id: str, sku_keys: frozenset[str], desk: Desk, *, by: str) -> None:
    """Close the mismatches of products that somebody has counted, in the transaction of the count."""
    for found in await work.stock.mismatches(team_id):
        if found.sku.key in sku_keys:
            now = desk.clock()
            resolved = await work.stock.resolve(team_id, found.mismatch_id, MismatchState.COUNTED, by=by, now=now)
            if resolved is not None:
                await show_mismatch(work, resolved, team_id, desk)


def _raise_if_answered(found: Mismatch) -> None:
    if found.state is not MismatchState.OPEN:
        raise NotPossible(
            "That was answered already ({by}): `stock {sku}` shows what holds.",
            by=found.resolved_by or "—",
            sku=found.sku.value,
        )


async def answer_oversold(asked: Asked, press: Press, desk: Desk) -> None:
    """Say that somebody has written to the buyer. Raises BadInput, NotPossible."""
    team_id = asked.member.team_id
    async with desk.work(asked.incoming) as work:
        found = await work.sync.oversold(team_id, press.token.subject_id)
        if found is None:
            raise BadInput("I do not know that button: ask for the card again with `sync status`.")
        if not await work.sync.close_oversold(team_id, found.oversold_id, by=asked.member.name):
            raise NotPossible("Somebody has dealt with that already.")
        numbers = ", ".join(f"{one.store} {one.number}" for one in found.orders)
        await work.audit(
            AuditEntry(
                team_id, desk.clock(), asked.member.name, "oversold_done", found.sku.value, found.oversold_id, numbers
            )
        )
        await show_oversold(work, found.oversold_id, team_id)


async def answer_run(asked: Asked, press: Press, desk: Desk) -> None:
    """Let a run go on, or leave everything as it is. Raises BadInput, NotPossible where somebody was first."""
    team_id, now = asked.member.team_id, desk.clock()
    is_yes = press.token.action is Action.GO_AHEAD
    async with desk.work(asked.incoming) as work:
        run = await work.sync.run(team_id, press.token.subject_id)
        if run is None:
            raise BadInput("I do not know that button: ask for the card again with `sync status`.")
        answered = replace(
            run,
            state=RunState.GOING if is_yes else RunState.LEFT,
            by=asked.member.name,
            decided_at=now,
            only_agreed=is_yes and press.token.number == ONLY_AGREED,
        )
        if run.state is not RunState.ASKED or not await work.sync.save_run(answered, was=RunState.ASKED):
            raise NotPossible("That was answered already: `sync status` shows what holds.")
        await work.audit(
            AuditEntry(
                team_id, now, asked.member.name, "sync_go_ahead" if is_yes else "sync_left", "", run.run_id,
                f"{run.kind.value} {run.total}",
            )
        )  # fmt: skip
        if is_yes:
            await _go_on(work, answered)
        await show_run(work, answered, desk)


async def _go_on(work: UnitOfWork, run: Run) -> None:
    """Start the job that carries the run on."""
    match run.kind:
        case RunKind.FIRST:
            await ask_for(work, SyncJob.FIRST, run.team_id, run.team_id)
        case RunKind.WRITE:
            await ask_for(work, SyncJob.PLAN, run.team_id, run.team_id)
        case RunKind.READ:
            assert run.store_id is not None, "a read is of one store"
            await ask_for(work, SyncJob.READ, run.store_id, run.team_id)
