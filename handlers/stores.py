"""The connected stores, and how things are: `stores`, `status`."""

from __future__ import annotations

from domain.connection import Scope
from domain.enhancement import MOVING_ENHANCEMENTS, MOVING_PLACEMENTS, EnhancementState, PlacementState
from domain.errors import StoreError
from domain.people import ChatName
from domain.ports import StorePlatform
from domain.replies import StatusShown, StoreLine, StoreList
from domain.rows import Trouble
from handlers.desk import Asked, Desk
from handlers.failures import sentence_for
from handlers.words import Words

_FAILED_PLACEMENTS = (PlacementState.PUBLISH_FAILED, PlacementState.RESTORE_FAILED, PlacementState.UNCLEAR)
_CHATS = {ChatName.SLACK: "Slack", ChatName.TELEGRAM: "Telegram", ChatName.CONSOLE: "Console"}


async def list_stores(asked: Asked, desk: Desk) -> None:
    """Answer with every store: how much it holds, whether it answers, how long its key lasts, and what to do."""
    async with desk.work.reading() as rows:
        here = await rows.places.settings(asked.member.team_id, asked.incoming.place)
    words = Words(here.language, here.timezone)
    lines = [await _line(store, desk, words) for store in await desk.stores.of_team(asked.member.team_id)]
    async with desk.work(asked.incoming) as work:
        await work.answer(StoreList(tuple(lines)))


async def _line(platform: StorePlatform, desk: Desk, words: Words) -> StoreLine:
    store, count, url, notes = platform.store, 0, "", []
    contact = await desk.stores.contact(store)
    try:
        health = await platform.check()
    except StoreError as error:
        notes.append(words.sentence(sentence_for(error)))
        if contact.last_ok_at:
            notes.append(words("Its last answer came {time}.", time=words.time(contact.last_ok_at)))
    else:
        count, url = health.listing_count, health.url
        notes += [_lacking(scope, words) for scope in health.missing]
        if health.key_expires_at:
            until = words.time(health.key_expires_at)
            notes.append(words("Its key is good until {time}: connect it again before then.", time=until))
        notes += health.notes
    return StoreLine(store.name, store.platform.value, count, url, tuple(notes))


def _lacking(scope: Scope, words: Words) -> str:
    return words(
        "The right {scope} is missing ({reason}): grant it there, then connect again.",
        scope=scope.name,
        reason=scope.reason,
    )


async def show_status(asked: Asked, desk: Desk) -> None:
    """Answer with what waits for a person, what runs, what failed, and where nobody hears us."""
    team_id = asked.member.team_id
    stores = tuple(store.store.name for store in await desk.stores.of_team(team_id))
    async with desk.work(asked.incoming) as work:
        enhancements = await work.enhancements.count_by_state(team_id)
        placements = await work.placements.count_by_state(team_id)
        in_work = sum(enhancements.get(state, 0) for state in MOVING_ENHANCEMENTS)
        in_work += sum(placements.get(state, 0) for state in MOVING_PLACEMENTS)
        failed = enhancements.get(EnhancementState.ENHANCE_FAILED, 0)
        failed += sum(placements.get(state, 0) for state in _FAILED_PLACEMENTS)
        waiting = enhancements.get(EnhancementState.AWAITING_DECISION, 0)
        oldest = await work.enhancements.oldest_awaiting(team_id)
        here = await work.places.settings(team_id, asked.incoming.place)
        words = Words(here.language, here.timezone)
        trouble = tuple(_in_words(one, words) for one in await work.troubles(team_id))
        await work.answer(StatusShown(desk.enhancer.engine_name(), stores, waiting, in_work, failed, oldest, trouble))


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
