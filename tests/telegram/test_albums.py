"""Albums: every part is kept at once, and in a group they count when one of them speaks to us."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage.retention import forget_spare_photos
from tests.fakes.telegram import BOT_ID, TelegramServer
from tests.telegram.bot import TelegramBot


async def test_every_part_of_an_album_is_taken_at_once(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    parts = telegram.send_album(anna, [b"1", b"2", b"3"], "MUG-01", order=[2, 0, 1])
    await bot.taken()
    events = [event for event in await bot.events() if event.event_key.startswith(f"telegram:{BOT_ID}:")]
    by_message = {event.message_id: event for event in events}
    assert {str(part.message_id) for part in parts} <= set(by_message)
    assert len({event.album for event in events} - {""}) == 1


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
async def test_an_album_in_a_group_waits_for_the_part_that_speaks_to_us(
    bot: TelegramBot, telegram: TelegramServer, order: list[int]
) -> None:
    telegram.has_privacy = False
    anna, group = await bot.member("Anna"), telegram.group("Shop")
    telegram.send_album(anna, [b"family", b"dog"], "our holiday", order=[0, 1], to=group)
    telegram.send_album(anna, [b"1", b"2", b"3"], "/enhance MUG-01", order=order, to=group)
    await bot.settle()
    assert telegram.shown(group)
    assert [photo for photo, _ in bot.shop.enhancer.made][:1] == [b"1"]
    assert not any(photo in {b"family", b"dog"} for photo, _ in bot.shop.enhancer.made)


async def test_an_album_in_a_group_survives_a_restart_before_the_part_that_speaks_to_us(
    bot: TelegramBot, telegram: TelegramServer
) -> None:
    telegram.has_privacy = False
    anna, group = await bot.member("Anna"), telegram.group("Shop")
    telegram.is_holding = True
    telegram.send_album(anna, [b"1", b"2", b"3"], "/enhance MUG-01", order=[2, 1, 0], to=group)
    *spare, speaking = telegram.updates
    for update in spare:
        await bot.listeners.take(update)
    assert {event.is_spare for event in await bot.events()} == {True}
    assert not telegram.shown(group), "nobody has asked us for anything yet"
    await bot.stop()
    telegram.updates = [speaking]  # it has heard that we have the others
    telegram.release()
    bot.listeners = bot.make_listeners()
    await bot.start()
    await bot.settle()
    assert [photo for photo, _ in bot.shop.enhancer.made] == [b"1", b"2", b"3"]


async def test_an_album_that_never_speaks_to_us_leaves_nothing_behind(
    bot: TelegramBot, telegram: TelegramServer
) -> None:
    telegram.has_privacy = False
    anna, group = await bot.member("Anna"), telegram.group("Shop")
    telegram.send_album(anna, [b"family", b"dog"], "our holiday", order=[0, 1], to=group)
    telegram.send_album(anna, [b"1", b"2"], "/enhance MUG-01", order=[1, 0], to=group)
    await bot.settle()
    later = bot.shop.clock() + timedelta(hours=1)
    assert await forget_spare_photos(bot.shop.database, later) == 2
    assert await forget_spare_photos(bot.shop.database, later) == 0
    assert not any("holiday" in event.text for event in await bot.events())
