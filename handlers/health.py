"""`status`, and what admins are told by itself: how stores and chats are doing, and the next step for each that is not well.

A store is spoken of once when it failed three times in a row, and once when it answers again; a key that ends is
spoken of a week and a day before. That it was said is a row (`HealthRows.tell_once`), so a restart says nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from domain.catalog import Store
from domain.data_replies import HealthNotice
from domain.enhancement import MOVING_ENHANCEMENTS, MOVING_PLACEMENTS, EnhancementState, PlacementState
from domain.health import FAILURES_TOLD, FailureKind, HealthLine, Pulse, failure_of
from domain.people import ChatName, Place
from domain.ports import Reading, UnitOfWork
from domain.replies import StatusShown
from domain.rows import Trouble
from domain.sentences import Sentence
from handlers.data_faces import as_word
from handlers.desk import Asked, Desk
from handlers.failures import sentence_for
from handlers.words import Words

WARNINGS: Final = (timedelta(days=1), timedelta(days=7))
"""How long before a key's end people are told, the shortest first."""
_FAILING = "failing"
_FAILED_PLACEMENTS = (PlacementState.PUBLISH_FAILED, PlacementState.RESTORE_FAILED, PlacementState.UNCLEAR)
_CHATS = {ChatName.SLACK: "Slack", ChatName.TELEGRAM: "Telegram", ChatName.CONSOLE: "Console"}


async def show_status(asked: Asked, desk: Desk) -> None:
    """Answer with what waits for a person, what runs, what failed, and how every store and chat is doing."""
    async with desk.work.reading() as rows:
        status = await status_of(rows, desk, asked.member.team_id, asked.incoming.place)
    async with desk.work(asked.incoming) as work:
        await work.answer(status)


async def status_of(rows: Reading, desk: Desk, team_id: str, place: Place) -> StatusShown:
    """Return how things are for a team, in the words of a place."""
    now = desk.clock()
    stores = [store.store for store in await desk.stores.of_team(team_id)]
    enhancements = await rows.enhancements.count_by_state(team_id)
    placements = await rows.placements.count_by_state(team_id)
    in_work = sum(enhancements.get(state, 0) for state in MOVING_ENHANCEMENTS)
    in_work += sum(placements.get(state, 0) for state in MOVING_PLACEMENTS)
    waiting = enhancements.get(EnhancementState.RECEIVED, 0) + placements.get(PlacementState.APPROVED, 0)
    failed = enhancements.get(EnhancementState.ENHANCE_FAILED, 0)
    failed += sum(placements.get(state, 0) for state in _FAILED_PLACEMENTS)
    here = await rows.places.settings(team_id, place)
    words = Words(here.language, here.timezone)
    troubles = await rows.troubles(team_id)
    pulses = await rows.health.pulses(team_id)
    return StatusShown(
        desk.enhancer.engine_name(),
        tuple(store.name for store in stores),
        enhancements.get(EnhancementState.AWAITING_DECISION, 0),
        in_work,
        failed,
        await rows.enhancements.oldest_awaiting(team_id),
        tuple(_in_words(one, words) for one in troubles),
        lines=(
            *(store_line(store, pulses.get(store.store_id, Pulse()), now=now) for store in stores),
            *_chat_lines(await rows.health.chats(team_id), troubles, desk),
        ),
        queue=replace(
            await rows.health.queue(team_id, now=now),
            jobs_waiting=waiting,
            jobs_running=in_work - waiting,
            dead_letters=failed,
        ),
    )


def store_line(store: Store, pulse: Pulse, *, now: datetime) -> HealthLine:
    """Return how a store is doing; without a pulse nobody had to talk to it yet."""
    ends = pulse.key_expires_at
    is_ending = ends is not None and ends - now <= WARNINGS[-1]
    failure: str = ""
    if pulse.failure is not None:
        failure = sentence_for(failure_of(pulse.failure, store=store.name, scope=pulse.scope))
    todo = ""
    if pulse.failures and pulse.failure is not None:
        todo = way_out(store, pulse.failure)
    elif is_ending and ends is not None:
        todo = _ending(store, ends)
    return HealthLine(
        "store",
        store.name,
        store.platform.value,
        not pulse.failures and not is_ending,
        pulse.last_ok_at,
        failure,
        pulse.failed_at,
        ends,
        todo,
    )


def way_out(store: Store, failure: FailureKind) -> Sentence:
    """Return the next step after a failure."""
    name = as_word(store.name)
    match failure:
        case FailureKind.RECONNECT:
            return Sentence("`reconnect {store}` gives me a new key.", store=name)
        case FailureKind.SCOPE:
            return Sentence("`permissions {store}` shows which right is missing, and grants it.", store=name)
        case FailureKind.DOWN | FailureKind.OTHER:
            return Sentence("I keep trying. If the shop itself is open, `reconnect {store}`.", store=name)


def _ending(store: Store, ends: datetime) -> Sentence:
    return Sentence(
        "Its key ends on {day}: `reconnect {store}` before then.", day=f"{ends:%Y-%m-%d}", store=as_word(store.name)
    )


def _chat_lines(contacts: Mapping[str, datetime], troubles: Sequence[Trouble], desk: Desk) -> list[HealthLine]:
    """Return a line for every chat that is set up or that somebody ever used."""
    lines = []
    for chat in ChatName:
        last_ok_at = contacts.get(chat.value)
        if chat is not ChatName.CONSOLE and chat not in desk.files and last_ok_at is None:
            continue
        closed = next((one for one in troubles if one.place.chat is chat and not one.place.place_id), None)
        lines.append(
            HealthLine(
                "chat",
                _CHATS[chat],
                chat.value,
                closed is None,
                last_ok_at,
                Sentence(closed.sentence) if closed else "",
                closed.since if closed else None,
                None,
                Sentence("Whoever runs me looks with `packshot doctor`.") if closed else "",
            )
        )
    return lines


def _in_words(trouble: Trouble, words: Words) -> str:
    """Return what, where and since when, in the reader's language and zone."""
    chat, place_id = _CHATS[trouble.place.chat], trouble.place.place_id
    where = words("{chat}, conversation {place}", chat=chat, place=place_id) if place_id else chat
    said = words(
        "{where}, since {since}: {why}", where=where, since=words.time(trouble.since), why=words(trouble.sentence)
    )
    if trouble.lost:
        lost = words.count("{number} message was not shown.", "{number} messages were not shown.", trouble.lost)
        said = f"{said} {lost}"
    if trouble.waiting:
        waiting = words.count("{number} message waits.", "{number} messages wait.", trouble.waiting)
        said = f"{said} {waiting}"
    return said


# ---------------------------------------------------------------- what is said by itself


async def tell_of_stores(desk: Desk, team_id: str) -> int:
    """Tell a team's admins what is new about its stores; return how many notices that made."""
    now = desk.clock()
    stores = [opened.store for opened in await desk.stores.of_team(team_id)]
    async with desk.work.reading() as rows:
        pulses = await rows.health.pulses(team_id)
    told = 0
    for store in stores:
        pulse = pulses.get(store.store_id)
        if pulse is not None:
            # One transaction each: a notice and that it was said belong together, and nothing else does.
            async with desk.work() as work:
                told += await _tell_of(work, store, pulse, now=now)
    return told


async def _tell_of(work: UnitOfWork, store: Store, pulse: Pulse, *, now: datetime) -> int:
    told = 0
    if pulse.failures >= FAILURES_TOLD and pulse.failure is not None:
        if await work.health.tell_once(store.team_id, store.store_id, _FAILING, now=now):
            said = Sentence(
                "{store} failed {number} times in a row: {why}",
                store=store.name,
                number=pulse.failures,
                why=sentence_for(failure_of(pulse.failure, store=store.name, scope=pulse.scope)),
            )
            notice = HealthNotice("bad", store.name, said, way_out(store, pulse.failure))
            await work.tell_admins(store.team_id, notice, subject=store.store_id)
            told += 1
    elif pulse.failures == 0 and await work.health.over(store.team_id, store.store_id, _FAILING):
        said = Sentence("{store} works again.", store=store.name)
        await work.tell_admins(store.team_id, HealthNotice("good", store.name, said), subject=store.store_id)
        told += 1
    return told + await _tell_of_key(work, store, pulse.key_expires_at, now=now)


async def _tell_of_key(work: UnitOfWork, store: Store, ends: datetime | None, *, now: datetime) -> int:
    """Tell of the shortest warning that is due; the longer ones are then said too."""
    if ends is None:
        return 0
    due = [warning for warning in WARNINGS if ends - now <= warning]
    kinds = [f"ends-{warning.days}-{ends:%Y-%m-%d}" for warning in due]
    fresh = [await work.health.tell_once(store.team_id, store.store_id, kind, now=now) for kind in kinds]
    if not fresh or not fresh[0]:
        return 0
    said = Sentence("The key of {store} ends on {day}.", store=store.name, day=f"{ends:%Y-%m-%d}")
    if ends <= now:
        said = Sentence("The key of {store} ended on {day}.", store=store.name, day=f"{ends:%Y-%m-%d}")
    todo = Sentence("`reconnect {store}` gives me a new one.", store=as_word(store.name))
    await work.tell_admins(store.team_id, HealthNotice("warn", store.name, said, todo), subject=store.store_id)
    return 1
