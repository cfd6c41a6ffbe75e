"""The connected stores: `stores`."""

from __future__ import annotations

from domain.connection import Scope
from domain.errors import StoreError
from domain.ports import StorePlatform
from domain.replies import StoreLine, StoreList
from handlers.desk import Asked, Desk
from handlers.failures import sentence_for
from handlers.words import Words


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
        notes += [_lacking(scope, store.name, words) for scope in health.missing]
        if health.key_expires_at:
            until = words.time(health.key_expires_at)
            notes.append(words("Its key is good until {time}: connect it again before then.", time=until))
        notes += health.notes
    return StoreLine(store.name, store.platform.value, count, url, tuple(notes))


def _lacking(scope: Scope, store: str, words: Words) -> str:
    return words(
        "The right {scope} is missing ({reason}): `reconnect {store}` asks for it.",
        scope=scope.name,
        reason=scope.reason,
        store=store,
    )
