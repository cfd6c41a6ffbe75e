"""`sync`: turn it on and off, run it now, and how far each store is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from domain.catalog import Store, StoreId
from domain.errors import NotPossible, UnknownSku
from domain.ports import Reading, StorePlatform, UnitOfWork
from domain.powers import ReadsOrders, ReadsStock
from domain.rows import AuditEntry
from domain.stock import LinkState, PushState, StockLink
from domain.sync import HINTS_PROVE_FOR, RunKind, RunState, StoreSync, SyncJob, held_back
from domain.sync_intents import TurnSync
from domain.sync_replies import SyncBegun, SyncShown, SyncStoreLine, SyncTurned
from handlers.desk import Asked, Desk
from handlers.stock_cards import show_mismatch, show_oversold, show_run
from handlers.stock_first import ask_first
from handlers.stock_links import link_of
from handlers.stock_send import ask_for, send_soon
from handlers.words import Words

CARDS_AGAIN = 5
"""`sync status` shows so many open questions of each kind again, so that one whose card is far up can be answered."""
FAILED_FOR = timedelta(days=1)
NOTES_MOST = 10


async def turn(asked: Asked, intent: TurnSync, desk: Desk) -> None:
    """Turn it on or off, for the team or for some products. Raises UnknownSku, NotPossible."""
    if intent.skus:
        await _turn_products(asked, intent, desk)
    elif intent.is_on:
        await _turn_on(asked, desk)
    else:
        await _turn_off(asked, desk)


async def _turn_on(asked: Asked, desk: Desk) -> None:
    """Begin: the first time, and wherever a store is new, what the stores show is asked about before anything is written."""
    team_id, by = asked.member.team_id, asked.member.name
    stores = [one for one in await desk.stores.of_team(team_id) if isinstance(one, ReadsStock)]
    if not stores:
        raise NotPossible(
            "No connected store counts its stock, so there is nothing to keep in step: `stores` lists them."
        )
    async with desk.work(asked.incoming) as work:
        is_news = await work.sync.turn(team_id, is_on=True, by=by, now=desk.clock())
        await work.sync.show_in(team_id, asked.incoming.place)
        linked = await work.sync.stores(team_id)
        is_first = any(not _of(linked, one.store).is_linked for one in stores)
        if is_first:
            await _ask_anew(work, team_id, RunKind.FIRST)
            await ask_first(work, team_id, desk)
        await _look_everywhere(work, [one.store for one in stores])
        if is_news:
            await work.audit(AuditEntry(team_id, desk.clock(), by, "sync_on", "", team_id, ""))
        await work.answer(SyncTurned(True, by, is_news=is_news, is_first=is_first))


async def _turn_off(asked: Asked, desk: Desk) -> None:
    team_id, by = asked.member.team_id, asked.member.name
    async with desk.work(asked.incoming) as work:
        is_news = await work.sync.turn(team_id, is_on=False, by=by, now=desk.clock())
        if is_news:
            await work.audit(AuditEntry(team_id, desk.clock(), by, "sync_off", "", team_id, ""))
        await work.answer(SyncTurned(False, by, is_news=is_news))


async def run_now(asked: Asked, desk: Desk) -> None:
    """Pull and compare everything now, and ask again what somebody said no to. Raises NotPossible while sync is off."""
    team_id = asked.member.team_id
    stores = [one for one in await desk.stores.of_team(team_id) if isinstance(one, ReadsStock)]
    async with desk.work(asked.incoming) as work:
        if not (await work.sync.switch(team_id)).is_on:
            raise NotPossible(
                "Sync is off, so nothing is written to any store: `sync on` shows what it would do first."
            )
        await work.sync.show_in(team_id, asked.incoming.place)
        for kind in RunKind:
            await _ask_anew(work, team_id, kind)
        linked = await work.sync.stores(team_id)
        if any(not _of(linked, one.store).is_linked for one in stores):
            await ask_first(work, team_id, desk)
        await _look_everywhere(work, [one.store for one in stores])
        await send_soon(work, team_id, None)
        await work.answer(SyncBegun(tuple(one.store.name for one in stores)))


async def _ask_anew(work: UnitOfWork, team_id: str, kind: RunKind) -> None:
    """Let go of what somebody said no to."""
    for run in await work.sync.runs(team_id, kind=kind):
        if run.state is RunState.LEFT:
            await work.sync.save_run(replace(run, state=RunState.PASSED), was=RunState.LEFT)


async def _look_everywhere(work: UnitOfWork, stores: list[Store]) -> None:
    for store in stores:
        await work.sync.was_read(store, began_at=None)
        await ask_for(work, SyncJob.HEAR, store.store_id, store.team_id)
        await ask_for(work, SyncJob.READ, store.store_id, store.team_id)


# ---------------------------------------------------------------- some products


async def _turn_products(asked: Asked, intent: TurnSync, desk: Desk) -> None:
    team_id, by = asked.member.team_id, asked.member.name
    renamed = await _renamed_to(team_id, intent, desk) if intent.is_on else []
    async with desk.work(asked.incoming) as work:
        links = [*await work.stock.links(team_id, intent.skus), *renamed]
        known = {link.sku.key for link in links}
        for sku in intent.skus:
            if sku.key not in known:
                raise UnknownSku(sku.value)
        was, will_be = (
            ({LinkState.OFF}, LinkState.ON) if intent.is_on else ({LinkState.ON, LinkState.RENAMED}, LinkState.OFF)
        )
        changed = [replace(link, state=will_be) for link in links if link.state in was]
        await work.stock.put_links(team_id, [*changed, *renamed])
        for sku in intent.skus:
            what = "sync_on" if intent.is_on else "sync_off"
            await work.audit(AuditEntry(team_id, desk.clock(), by, what, sku.value, sku.key, ""))
        if intent.is_on:
            await send_soon(work, team_id, intent.skus)
            for link in renamed:
                await _read_soon(work, link, team_id)
        names = ", ".join(sku.value for sku in intent.skus)
        await work.answer(SyncTurned(intent.is_on, by, sku=names, is_news=bool(changed or renamed)))


async def _read_soon(work: UnitOfWork, link: StockLink, team_id: str) -> None:
    await ask_for(work, SyncJob.READ, link.store_id, team_id)


async def _renamed_to(team_id: str, intent: TurnSync, desk: Desk) -> list[StockLink]:
    """Return the places that were another SKU's and are called so now: whoever names it says that it is the same place."""
    async with desk.work.reading() as rows:
        links = {link.key: link for link in await rows.stock.links(team_id)}
    if not any(link.state is LinkState.RENAMED for link in links.values()):
        return []
    found: list[StockLink] = []
    for platform in await desk.stores.of_team(team_id):
        if isinstance(platform, ReadsStock):
            for level in await platform.read_stock(intent.skus):
                link = link_of(platform, level, desk.clock())
                known = links.get(link.key)
                if known is not None and known.state is LinkState.RENAMED and known.sku.key != link.sku.key:
                    found.append(link)
    return found


# ---------------------------------------------------------------- how far


async def show(asked: Asked, desk: Desk) -> None:
    """Answer with how far each store is, and show the open questions again."""
    team_id = asked.member.team_id
    platforms = await desk.stores.of_team(team_id)
    async with desk.work(asked.incoming) as work:
        here = await work.places.settings(team_id, asked.incoming.place)
        shown = await status_of(work, team_id, platforms, desk, Words(here.language, here.timezone))
        await work.answer(shown)
        for mismatch in (await work.stock.mismatches(team_id))[:CARDS_AGAIN]:
            await show_mismatch(work, mismatch, team_id, desk)
        for oversold in (await work.sync.open_oversold(team_id))[:CARDS_AGAIN]:
            await show_oversold(work, oversold.oversold_id, team_id)
        for run in (await work.sync.runs(team_id))[:CARDS_AGAIN]:
            if run.state is RunState.ASKED:
                await show_run(work, run, desk)


async def status_of(
    rows: Reading, team_id: str, platforms: Sequence[StorePlatform], desk: Desk, words: Words
) -> SyncShown:
    """Return how far each store of a team is."""
    switch, known = await rows.sync.switch(team_id), await rows.sync.stores(team_id)
    links, runs = await rows.stock.links(team_id), await rows.sync.runs(team_id)
    lines = [await _line(rows, one, _of(known, one.store), links, desk, is_on=switch.is_on) for one in platforms]
    asking = [run for run in runs if run.state is RunState.ASKED]
    return SyncShown(
        is_on=switch.is_on,
        by=switch.by,
        at=switch.at,
        stores=tuple(lines),
        mismatches=len(await rows.stock.mismatches(team_id)),
        oversold=len(await rows.sync.open_oversold(team_id)),
        stopped=len(held_back(runs)),
        is_asking=bool(asking),
        notes=tuple(await _notes(rows, team_id, links, platforms, desk, words)),
    )


def _of(known: Mapping[StoreId, StoreSync], store: Store) -> StoreSync:
    return known.get(store.store_id, StoreSync(store.store_id, store.team_id))


async def _line(
    rows: Reading, platform: StorePlatform, sync: StoreSync, links: Sequence[StockLink], desk: Desk, *, is_on: bool
) -> SyncStoreLine:
    store, now = platform.store, desk.clock()
    pushes = await rows.stock.pushes(store.team_id, store_id=store.store_id)
    pull = (await rows.stock.pulls(store.team_id)).get(store.store_id)
    if not isinstance(platform, ReadsStock) or not isinstance(platform, ReadsOrders):
        state = "lacking"
    elif not is_on:
        state = "off"
    elif sync.trouble:
        state = "trouble"
    else:
        state = "in_step" if sync.is_linked else "waiting"
    return SyncStoreLine(
        store=store.name,
        platform=store.platform.value,
        state=state,
        tells=sync.hinted_at is not None and abs(now - sync.hinted_at) <= HINTS_PROVE_FOR,
        every_s=int(sync.pull_every(store.platform, now).total_seconds()),
        pulled_at=pull.began_at if pull else None,
        read_at=sync.read_at,
        linked=sum(1 for link in links if link.store_id == store.store_id and link.state is LinkState.ON),
        open_pushes=len(pushes),
        oldest_push_at=min((push.opened_at for push in pushes), default=None),
        trouble=sync.trouble,
    )


async def _notes(
    rows: Reading,
    team_id: str,
    links: Sequence[StockLink],
    platforms: Sequence[StorePlatform],
    desk: Desk,
    words: Words,
) -> list[str]:
    """Return what else a person should know, each with what to do."""
    names = {one.store.store_id: one.store.name for one in platforms}
    of_state: dict[LinkState, list[str]] = {}
    for link in links:
        of_state.setdefault(link.state, []).append(f"{link.sku} ({names.get(link.store_id, link.store_id)})")
    notes = []
    if off := of_state.get(LinkState.OFF):
        notes.append(
            words("Not kept in step, as somebody said so: {skus}. `sync on SKU` begins again.", skus=_some(off, words))
        )
    if renamed := of_state.get(LinkState.RENAMED):
        notes.append(
            words(
                "Called otherwise at the store now, so nothing is written there: {skus}. "
                "`sync on NEW-SKU` keeps it in step under its new name.",
                skus=_some(renamed, words),
            )
        )
    if gone := of_state.get(LinkState.GONE):
        notes.append(words("No longer at the store, so nothing is written there: {skus}.", skus=_some(gone, words)))
    recent = desk.clock() - FAILED_FOR
    failed = await rows.stock.pushes(team_id, state=PushState.FAILED)
    notes += [
        words(
            "{store} refused {number} of {sku} ({why}): it is tried again with the next comparison.",
            store=names.get(push.store_id, push.store_id),
            number=push.to_quantity,
            sku=push.sku,
            why=push.why,
        )
        for push in failed
        if push.closed_at is not None and push.closed_at >= recent and push.why
    ]
    return notes[:NOTES_MOST]


def _some(names: list[str], words: Words) -> str:
    """Return the first names, and how many more there are."""
    shown = ", ".join(sorted(names)[:5])
    more = len(names) - 5
    return shown if more <= 0 else words("{names} and {number} more", names=shown, number=words.number(more))
