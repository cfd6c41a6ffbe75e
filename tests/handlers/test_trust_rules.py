"""Nobody approves their own, and two different people must: held against the press, whatever the card showed."""

from __future__ import annotations

import asyncio

import pytest

from domain.enhancement import EnhancementState
from domain.replies import Card, PreviewReady, Publishing, Refused, Reply
from domain.team_replies import RulesShown
from domain.tokens import Action
from handlers.buttons import TAKE_BACK, buttons
from handlers.faces import face
from tests.handlers.shop import PHOTO, Shop


async def preview_of(shop: Shop, *, by: str = "edith") -> Card:
    preview = (await shop.send("MUG-01", photos=[PHOTO], by=by))[-1]
    assert isinstance(preview, PreviewReady)
    return preview.card


def refusal(replies: list[Reply]) -> str:
    (refused,) = [reply for reply in replies if isinstance(reply, Refused)]
    return refused.sentence


async def test_rules_are_shown_to_everybody_and_changed_by_an_admin(shop: Shop) -> None:
    assert (await shop.send("rules", by="vera"))[-1] == RulesShown(own=True, approvals=1)
    assert "needs the role admin" in refusal(await shop.send("rules approvals=2", by="april"))
    assert (await shop.send("rules own=off approvals=2", by="ada"))[-1] == RulesShown(own=False, approvals=2)
    for wrong in ("rules approvals=3", "rules own=maybe", "rules what=1", "rules off"):
        assert refusal(await shop.send(wrong, by="ada"))
    assert "ruled" in await shop.audit_actions()


async def test_rules_that_nobody_could_keep_are_refused(shop: Shop) -> None:
    assert "takes two people" in refusal(await shop.send("rules approvals=2", by="olga"))


async def test_nobody_approves_their_own_from_the_moment_it_is_agreed(shop: Shop) -> None:
    card = await preview_of(shop, by="april")
    await shop.send("rules own=off", by="ada")
    # The button was drawn before; the press is what counts.
    assert "somebody else approves" in refusal(await shop.press(Action.APPROVE, card, by="april"))
    assert (await shop.enhancements())[0].state is EnhancementState.AWAITING_DECISION
    assert isinstance((await shop.press(Action.APPROVE, card, by="abel"))[0], Publishing)


async def test_the_card_says_what_it_takes(shop: Shop) -> None:
    await shop.send("rules own=off approvals=2", by="ada")
    card = await preview_of(shop)
    said = face(PreviewReady(card)).sentence
    assert "2 people" in said
    assert "edith asked for it" in said


async def test_two_different_people_approve(shop: Shop) -> None:
    await shop.send("rules approvals=2", by="ada")
    card = await preview_of(shop)
    (first,) = [
        reply for reply in await shop.press(Action.APPROVE, card, by="april") if isinstance(reply, PreviewReady)
    ]
    assert first.card.approved_by == ("april",)
    assert "1 of 2 approved, by april" in face(first).sentence
    assert [each for each in buttons(first) if each.label == TAKE_BACK]
    assert not await shop.placements()
    assert "already" in refusal(await shop.press(Action.APPROVE, card, by="april"))
    second = await shop.press(Action.APPROVE, card, by="abel")
    assert isinstance(second[0], Publishing)
    assert second[0].by == "april, abel"
    assert len(await shop.placements()) == 1


async def test_the_first_approval_can_be_taken_back_by_who_gave_it(shop: Shop) -> None:
    await shop.send("rules approvals=2", by="ada")
    card = await preview_of(shop)
    await shop.press(Action.APPROVE, card, by="april")
    assert "april" in refusal(await shop.press(Action.UNDO, card, by="abel"))
    (back,) = [reply for reply in await shop.press(Action.UNDO, card, by="april") if isinstance(reply, PreviewReady)]
    assert back.card.approved_by == ()
    await shop.press(Action.APPROVE, card, by="abel")
    assert not await shop.placements()


async def test_a_later_revision_starts_at_zero(shop: Shop) -> None:
    await shop.send("rules approvals=2", by="ada")
    card = await preview_of(shop)
    await shop.press(Action.APPROVE, card, by="april")
    again = (await shop.press(Action.REDO, card, by="edith"))[-1]
    assert isinstance(again, PreviewReady)
    assert again.card.approved_by == ()
    await shop.press(Action.APPROVE, again.card, by="april")
    assert not await shop.placements()


async def test_fewer_approvals_count_from_the_next_press(shop: Shop) -> None:
    await shop.send("rules approvals=2", by="ada")
    card = await preview_of(shop)
    await shop.press(Action.APPROVE, card, by="april")
    await shop.send("rules approvals=1", by="ada")
    assert isinstance((await shop.press(Action.APPROVE, card, by="april"))[0], Publishing)


@pytest.mark.parametrize(
    "presses", [("april", "abel"), ("april", "april"), ("april", "abel", "ada"), ("april", "-egon")]
)
async def test_first_approvals_at_once_are_counted_once_each(busy_shop: Shop, presses: tuple[str, ...]) -> None:
    """Two at once are enough, one twice is not, a third is too late, and a redo beside the first starts over."""
    shop = busy_shop
    await shop.send("rules approvals=2", by="ada")
    card = await preview_of(shop)
    taken = []
    for name in presses:
        action = Action.REDO if name.startswith("-") else Action.APPROVE
        token = f"v1:{action.value}:{card.enhancement_id}:{card.revision}"
        taken.append(await shop.take(by=name.lstrip("-"), token=token))
    await asyncio.gather(*(shop.run_intake(each) for each in taken))
    enhancement = (await shop.enhancements())[0]
    is_enough = len({name for name in presses if not name.startswith("-")}) >= 2
    assert len(await shop.placements()) == (1 if is_enough else 0)
    assert (enhancement.state is EnhancementState.APPROVED) is is_enough
    if "-egon" in presses:
        assert enhancement.revision.number == 2
        assert enhancement.approvals == ()
