"""`status` says where nobody hears us: what, where in words, and since when."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from domain.people import ChatName, Place
from domain.replies import SettingsShown, StatusShown
from handlers.console.render import fragment
from storage.trouble import note_closed, note_lost
from tests.handlers.shop import ROOM, Shop

SINCE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SLACK, TELEGRAM_ROOM = Place(ChatName.SLACK, ""), Place(ChatName.TELEGRAM, "-100")


async def status_of(shop: Shop) -> StatusShown:
    shown = (await shop.send("status", by="vera"))[-1]
    assert isinstance(shown, StatusShown)
    return shown


async def test_status_names_every_trouble_whole_chats_first(shop: Shop) -> None:
    now = shop.clock()
    async with shop.database.begin() as db_session:
        team_id = shop.team.team_id
        await note_closed(
            db_session,
            team_id,
            TELEGRAM_ROOM,
            "The bot was blocked.",
            now=now,
            since=datetime(2026, 2, 1, tzinfo=UTC),
            lost=3,
        )
        await note_closed(db_session, team_id, SLACK, "The token was revoked.", now=now, since=SINCE)
        await note_closed(db_session, shop.other_team.team_id, SLACK, "Not ours.", now=now)
    shown = await status_of(shop)
    assert shown.trouble == (
        "Slack, since 1 Mar, 12:00: The token was revoked.",
        "Telegram, conversation -100, since 1 Feb, 00:00: The bot was blocked. 3 messages were not shown.",
    )


async def test_times_are_those_of_the_place_that_asks(shop: Shop) -> None:
    async with shop.desk.work() as work:
        await work.places.change(shop.team.team_id, ROOM, SettingsShown("en", "Europe/Berlin", previews=False))
    async with shop.database.begin() as db_session:
        await note_closed(db_session, shop.team.team_id, SLACK, "Revoked.", now=shop.clock(), since=SINCE)
    assert (await status_of(shop)).trouble == ("Slack, since 1 Mar, 13:00: Revoked.",)


async def test_a_lost_message_is_named_for_a_day(shop: Shop) -> None:
    async with shop.database.begin() as db_session:
        now = shop.clock()
        await note_lost(db_session, shop.team.team_id, TELEGRAM_ROOM, "Refused.", now=now)
    (sentence,) = (await status_of(shop)).trouble
    assert sentence.endswith(": Refused. 1 message was not shown.")


async def test_without_trouble_status_says_nothing_of_it(shop: Shop) -> None:
    shown = await status_of(shop)
    assert shown.trouble == ()
    assert "Not reached" not in fragment(shown)


async def test_the_console_shows_trouble_and_lets_nobody_write_into_the_page(shop: Shop) -> None:
    shown = dataclasses.replace(await status_of(shop), trouble=("Slack: <b>revoked</b>", "Telegram: blocked"))
    page = fragment(shown)
    assert "Slack: &lt;b&gt;revoked&lt;/b&gt;" in page
    assert page.count("Not reached") == 1
