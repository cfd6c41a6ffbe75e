"""A preview is spoken of before it closes, once; and who asked hears what others decided out of their sight, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from bot.retention import look_after_previews
from domain.enhancement import EnhancementState
from domain.people import ChatName, Place
from domain.replies import Card, DecidedElsewhere, DecisionDue, Expired, PreviewReady, Reply
from domain.tokens import Action
from handlers.expiry import LONGEST_NOTICE, notice_of, remind
from storage.tables import OutboxRow, PostedMessageRow
from tests.handlers.shop import PHOTO, ROOM, Shop, button

KEPT = timedelta(days=90)
ELSEWHERE = Place(ChatName.CONSOLE, "another room")


async def offered(shop: Shop, *, by: str = "edith", place: Place = ROOM) -> Card:
    replies = await shop.send("MUG-01", photos=[PHOTO], by=by, place=place)
    preview = replies[-1]
    assert isinstance(preview, PreviewReady)
    return preview.card


async def looked_after(shop: Shop, *, after: timedelta) -> list[Reply]:
    shop.clock.now += after
    mark = await shop.mark()
    await look_after_previews(shop.database, shop.desk, kept=KEPT)
    return await shop.said(mark)


async def posted(shop: Shop, kind: type) -> list[tuple[str, str | None]]:
    """Where messages of a kind were posted, and under which message."""
    statement = (
        select(OutboxRow, PostedMessageRow)
        .join(PostedMessageRow, col(PostedMessageRow.message_key) == col(OutboxRow.message_key))
        .where(col(OutboxRow.is_post))
    )
    async with shop.database.read() as db_session:
        rows = (await db_session.execute(statement)).all()
    return [(row.place_id, message.under) for row, message in rows if row.reply["type"] == kind.__name__]


async def test_a_preview_is_spoken_of_once_before_it_closes(shop: Shop) -> None:
    card = await offered(shop)
    assert not await looked_after(shop, after=KEPT - notice_of(KEPT) - timedelta(hours=1))
    (due,) = await looked_after(shop, after=timedelta(hours=2))
    assert isinstance(due, DecisionDue)
    assert (due.sku, due.requested_by) == (card.sku, "edith")
    assert due.expires_at - shop.clock.now <= LONGEST_NOTICE
    ((place_id, under),) = await posted(shop, DecisionDue)
    assert (place_id, under is not None) == (ROOM.place_id, True), "it answers the card"
    assert not await looked_after(shop, after=timedelta(days=6))
    (closed,) = await looked_after(shop, after=timedelta(days=2))
    assert isinstance(closed, Expired)
    assert not await looked_after(shop, after=timedelta(days=100))


async def test_a_bot_that_was_off_for_a_year_reminds_before_it_closes_anything(shop: Shop) -> None:
    await offered(shop)
    (due,) = await looked_after(shop, after=timedelta(days=365))
    assert isinstance(due, DecisionDue)
    assert [enhancement.state for enhancement in await shop.enhancements()] == [EnhancementState.AWAITING_DECISION]


async def test_a_decided_preview_is_not_spoken_of(shop: Shop) -> None:
    await shop.press(Action.REJECT, await offered(shop))
    assert not await looked_after(shop, after=timedelta(days=89))


async def test_a_new_revision_has_time_and_a_reminder_of_its_own(shop: Shop) -> None:
    card = await offered(shop)
    assert len(await looked_after(shop, after=timedelta(days=89))) == 1
    await shop.press(Action.REDO, card, by="edith")
    assert not await looked_after(shop, after=timedelta(days=80))
    assert len(await looked_after(shop, after=timedelta(days=4))) == 1


async def test_two_workers_remind_once(busy_shop: Shop) -> None:
    card = await offered(busy_shop)
    busy_shop.clock.now += KEPT
    notice = notice_of(KEPT)
    told = await asyncio.gather(*(remind(card.enhancement_id, busy_shop.desk, notice=notice) for _ in range(4)))
    assert sorted(told) == [False, False, False, True]
    assert len(await posted(busy_shop, DecisionDue)) == 1


async def test_a_reminder_makes_no_decision_lose_its_race(busy_shop: Shop) -> None:
    """A press that read the row before the reminder still counts."""
    shop, card = busy_shop, await offered(busy_shop)
    async with shop.desk.work.reading() as rows:
        before = await rows.enhancements.load(card.enhancement_id)
    assert await remind(card.enhancement_id, shop.desk, notice=notice_of(KEPT))
    async with shop.desk.work() as work:
        await work.enhancements.save(replace(before, state=EnhancementState.APPROVED), was=before)
    (now,) = await shop.enhancements()
    assert (now.state, now.reminded_at is not None) == (EnhancementState.APPROVED, True)


async def test_every_place_that_shows_the_card_is_reminded(shop: Shop) -> None:
    await offered(shop)
    await shop.send("card MUG-01", by="vera", place=ELSEWHERE)
    await looked_after(shop, after=timedelta(days=89))
    assert sorted(place_id for place_id, _ in await posted(shop, DecisionDue)) == ["another room", "room"]


@pytest.mark.parametrize(("action", "verdict"), [(Action.APPROVE, "approved"), (Action.REJECT, "rejected")])
async def test_who_asked_hears_what_was_decided_elsewhere(shop: Shop, action: Action, verdict: str) -> None:
    card = await offered(shop)
    token = button(action, card)
    replies = await shop.send("too dark", token=token, by="april", place=ELSEWHERE)
    (notice,) = [reply for reply in replies if isinstance(reply, DecidedElsewhere)]
    assert (notice.verdict, notice.by, notice.sku) == (verdict, "april", "MUG-01")
    assert notice.reason == ("too dark" if action is Action.REJECT else "")
    ((place_id, under),) = await posted(shop, DecidedElsewhere)
    assert (place_id, under is not None) == (ROOM.place_id, True)


async def test_who_asked_hears_of_an_undo_elsewhere_too(shop: Shop) -> None:
    card = await offered(shop)
    await shop.press(Action.APPROVE, card)
    replies = await shop.send(token=button(Action.UNDO, card), by="april", place=ELSEWHERE)
    assert [reply.verdict for reply in replies if isinstance(reply, DecidedElsewhere)] == ["undone"]


async def test_nobody_is_told_what_they_see_or_did_themselves(shop: Shop) -> None:
    card = await offered(shop)
    thread = Place(ROOM.chat, ROOM.place_id, "a thread of it")
    await shop.send(token=button(Action.APPROVE, card), by="april", place=thread)
    own = await offered(shop, by="april")
    await shop.send(token=button(Action.APPROVE, own), by="april", place=ELSEWHERE)
    assert not await posted(shop, DecidedElsewhere)


async def test_a_press_delivered_twice_and_a_second_person_tell_once(shop: Shop) -> None:
    token = button(Action.REJECT, await offered(shop))
    for by, key in (("april", "console:april:p1"), ("april", "console:april:p1"), ("abel", "console:abel:p2")):
        await shop.send(token=token, by=by, event_key=key, place=ELSEWHERE)
    assert len(await posted(shop, DecidedElsewhere)) == 1
