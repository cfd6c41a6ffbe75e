"""Messages are heard in order, once, and the newest word wins."""

from __future__ import annotations

from datetime import timedelta

from domain.people import Place
from domain.replies import HelpShown, Refused, Working
from tests.storage.conftest import OTHER_ROOM, ROOM, Shop


async def say(shop: Shop, event_key: str, *stages: str, place: Place = ROOM) -> str:
    """An enhancement whose card was posted and then edited once a further stage."""
    enhancement = shop.enhancement(place=place)
    incoming = shop.incoming(event_key, place=place)
    await shop.events.take(incoming)
    async with shop.work(incoming) as work:
        await work.enhancements.add(enhancement)
        await work.show(enhancement.enhancement_id, Working("MUG-01", stages[0]))
    await edit(shop, enhancement.enhancement_id, *stages[1:])
    return enhancement.enhancement_id


async def edit(shop: Shop, enhancement_id: str, *stages: str) -> None:
    for stage in stages:
        async with shop.work() as work:
            await work.show(enhancement_id, Working("MUG-01", stage))


async def due(shop: Shop) -> list[tuple[int, str]]:
    """(outbox id, stage) of what is due now."""
    messages = await shop.outbox.due(shop.clock(), 50)
    return [(message.outbox_id, getattr(message.outgoing.reply, "stage", "")) for message in messages]


async def test_only_the_first_of_each_place_is_due(shop: Shop) -> None:
    await say(shop, "console:1", "one")
    await say(shop, "console:2", "two")
    await say(shop, "telegram:1", "there", place=OTHER_ROOM)
    first, there = await due(shop)
    assert [first[1], there[1]] == ["one", "there"]
    assert await due(shop) == [first, there], "looking again changes nothing"
    await shop.outbox.sent(first[0], "n1")
    assert [stage for _, stage in await due(shop)] == ["two", "there"]


async def test_a_limit_takes_the_oldest(shop: Shop) -> None:
    await say(shop, "console:1", "one")
    await say(shop, "telegram:1", "there", place=OTHER_ROOM)
    assert len(await shop.outbox.due(shop.clock(), 1)) == 1


async def test_waiting_edits_of_one_message_collapse_into_the_newest(shop: Shop) -> None:
    await say(shop, "console:1", "posted", "old", "older news", "newest")
    assert await shop.deliver_all() == [("", "Working", "console:1"), ("native-1", "Working", "console:1")]
    async with shop.work() as work:
        await work.show((await work.enhancements.latest_in(ROOM, shop.team.team_id)).enhancement_id, HelpShown(()))  # type: ignore[union-attr]
    assert await shop.deliver_all() == [("native-1", "HelpShown", "console:1")]


async def test_what_another_event_waits_for_is_not_collapsed(shop: Shop) -> None:
    enhancement_id = await say(shop, "console:1", "posted")
    await shop.deliver_all()
    for event_key in ("console:2", "console:3"):
        press = shop.incoming(event_key, text="")
        await shop.events.take(press)
        async with shop.work(press) as work:
            await work.show(enhancement_id, Refused("late", "Somebody was first."))
    assert [cause for _, _, cause in await shop.deliver_all()] == ["console:2", "console:3"]


async def test_a_pause_holds_the_whole_place_and_nothing_ends_it_early(shop: Shop) -> None:
    enhancement_id = await say(shop, "console:1", "posted")
    await shop.deliver_all()
    await edit(shop, enhancement_id, "first")
    ((outbox_id, _),) = await due(shop)
    await shop.outbox.retry(outbox_id, shop.clock() + timedelta(hours=1), "RateLimited")
    await edit(shop, enhancement_id, "second")
    await say(shop, "console:2", "another")
    assert await due(shop) == []
    later = shop.clock() + timedelta(hours=2)
    (message,) = await shop.outbox.due(later, 50)
    assert message.outgoing.reply == Working("MUG-01", "second"), "by then the newer edit has taken over"


async def test_a_retry_counts_its_attempts(shop: Shop) -> None:
    await say(shop, "console:1", "one")
    ((outbox_id, _),) = await due(shop)
    await shop.outbox.retry(outbox_id, shop.clock(), "StoreDown")
    (message,) = await shop.outbox.due(shop.clock(), 50)
    assert (message.outbox_id, message.attempts) == (outbox_id, 1)


async def test_a_hopeless_message_makes_way(shop: Shop) -> None:
    await say(shop, "console:1", "one")
    await say(shop, "console:2", "two")
    ((outbox_id, _),) = await due(shop)
    await shop.outbox.failed(outbox_id, "no such conversation\x00")
    assert [stage for _, stage in await due(shop)] == ["two"]


async def test_an_edit_of_a_message_that_never_arrived_is_posted(shop: Shop) -> None:
    enhancement_id = await say(shop, "console:1", "one")
    ((outbox_id, _),) = await due(shop)
    await shop.outbox.failed(outbox_id, "gone")
    await edit(shop, enhancement_id, "two")
    assert await shop.deliver_all() == [("", "Working", "console:1")]
