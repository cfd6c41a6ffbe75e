"""The connected stores, and how things are: `stores`, `status`."""

from __future__ import annotations

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
    """Answer with every store and how much it holds."""
    lines = [await _line(store) for store in await desk.stores.of_team(asked.member.team_id)]
    async with desk.work(asked.incoming) as work:
        await work.answer(StoreList(tuple(lines)))


async def _line(store: StorePlatform) -> StoreLine:
    count, cursor, url = 0, None, ""
    try:
        while True:
            page = await store.list_products(cursor=cursor, limit=100)
            count += len(page.listings)
            url = url or next((listing.url for listing in page.listings), "")
            cursor = page.next_cursor
            if cursor is None:
                break
    except StoreError as error:
        return StoreLine(store.store.name, store.store.platform.value, count, sentence_for(error))
    return StoreLine(store.store.name, store.store.platform.value, count, url)


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
