"""Two people at once, and one event many times: the database lets one through, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest

from domain.enhancement import EnhancementState
from domain.replies import AlreadyDecided, PreviewReady, Published, Refused, WhichProduct
from domain.tokens import Action, Token
from handlers import dispatch
from tests.handlers.shop import PHOTO, Shop, button


async def test_two_people_pressing_approve_at_once_make_one_publish(busy_shop: Shop) -> None:
    shop = busy_shop
    preview = (await shop.send("MUG-01", photos=[PHOTO]))[-1]
    assert isinstance(preview, PreviewReady)
    token = button(Action.APPROVE, preview.card)
    presses = [await shop.take(by=name, token=token) for name in ("april", "abel", "ada")]
    mark = await shop.mark()
    await asyncio.gather(*(dispatch.handle(incoming, shop.desk) for incoming in presses))
    await shop.run_jobs()
    replies = await shop.said(mark)
    late = [reply for reply in replies if isinstance(reply, AlreadyDecided)]
    published = [reply for reply in replies if isinstance(reply, Published)]
    assert len(late) == 2
    assert {reply.by for reply in late} == {published[-1].by}
    assert len(await shop.placements()) == 1
    assert shop.shelf.calls.count("publish_image") == 1
    assert (await shop.audit_actions()).count("approved") == 1


async def test_approve_and_reject_at_once_leave_one_of_them(busy_shop: Shop) -> None:
    shop = busy_shop
    preview = (await shop.send("MUG-01", photos=[PHOTO]))[-1]
    assert isinstance(preview, PreviewReady)
    presses = [
        await shop.take(by=name, token=button(action, preview.card))
        for name, action in (("april", Action.APPROVE), ("abel", Action.REJECT))
    ]
    await asyncio.gather(*(dispatch.handle(incoming, shop.desk) for incoming in presses))
    await shop.run_jobs()
    enhancement = (await shop.enhancements())[0]
    assert enhancement.state in {EnhancementState.APPROVED, EnhancementState.REJECTED}
    assert len(await shop.placements()) == (enhancement.state is EnhancementState.APPROVED)
    actions = await shop.audit_actions()
    assert actions.count("approved") + actions.count("rejected") == 1


async def test_one_question_answered_twice_at_once_starts_one_enhancement(busy_shop: Shop) -> None:
    shop = busy_shop
    question = (await shop.send(photos=[PHOTO]))[-1]
    assert isinstance(question, WhichProduct)
    presses = [
        await shop.take(by=name, token=str(Token(Action.CHOOSE_PRODUCT, question.question_id, index)))
        for index, name in enumerate(("edith", "egon"))
    ]
    mark = await shop.mark()
    await asyncio.gather(*(dispatch.handle(incoming, shop.desk) for incoming in presses))
    await shop.run_jobs()
    assert len(await shop.enhancements()) == 1
    assert [reply.code for reply in await shop.said(mark) if isinstance(reply, Refused)] == ["bad_input"]


async def test_the_same_event_five_times_makes_one_enhancement_and_one_card(busy_shop: Shop) -> None:
    shop = busy_shop
    for _ in range(5):
        await shop.send("MUG-01", photos=[PHOTO], event_key="console:edith:same")
    assert len(await shop.enhancements()) == 1
    assert len(await shop.message_keys()) == 1
    assert len(shop.enhancer.made) == 1


async def test_an_event_handled_again_after_a_crash_changes_nothing(
    busy_shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop = busy_shop
    incoming = await shop.take("MUG-01", photos=[PHOTO])
    await asyncio.gather(*(dispatch.handle(incoming, shop.desk) for _ in range(3)))
    await shop.run_jobs()
    before, said = await shop.everything(), await shop.said()
    await dispatch.handle(incoming, shop.desk)
    assert await shop.everything() == before
    assert await shop.said() == said
    assert len(await shop.enhancements()) == 1
    assert "event failed" not in caplog.text


async def test_a_press_handled_again_after_a_crash_publishes_once(busy_shop: Shop) -> None:
    shop = busy_shop
    preview = (await shop.send("MUG-01", photos=[PHOTO]))[-1]
    assert isinstance(preview, PreviewReady)
    incoming = await shop.take(by="april", token=button(Action.APPROVE, preview.card))
    for _ in range(3):
        await dispatch.handle(incoming, shop.desk)
        await shop.run_jobs()
    assert shop.shelf.calls.count("publish_image") == 1
    assert [type(reply).__name__ for reply in await shop.said()].count("AlreadyDecided") == 0
