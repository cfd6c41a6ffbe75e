"""What is left of an earlier revision, of an odd position, of a word that could mean two cards."""

from __future__ import annotations

from domain.enhancement import PlacementState
from domain.errors import RejectedByStore, StoreDown
from domain.replies import Card, PreviewReady, Published, PublishFailed, Refused, Restored, Unclear
from domain.tokens import Action
from tests.handlers.shop import PHOTO, Shop, button

REFUSAL = RejectedByStore("too blue", store="Shelf", field="image")
SECOND_PHOTO = PHOTO + b" again"


async def waiting_card(shop: Shop, words: str = "MUG-01", photo: bytes = PHOTO) -> Card:
    preview = (await shop.send(words, photos=[photo]))[-1]
    assert isinstance(preview, PreviewReady)
    return preview.card


async def failed_twice(shop: Shop) -> Card:
    """Revision 1 was refused by the store, revision 2 as well."""
    card = await waiting_card(shop)
    shop.shelf.before["publish_image"] = [REFUSAL]
    assert isinstance((await shop.press(Action.APPROVE, card, by="april"))[-1], PublishFailed)
    again = (await shop.send(token=button(Action.REDO, card), options={"background": "#eee"}))[-1]
    assert isinstance(again, PreviewReady)
    shop.shelf.before["publish_image"] = [REFUSAL]
    assert isinstance((await shop.press(Action.APPROVE, again.card, by="april"))[-1], PublishFailed)
    return again.card


async def test_retry_publishes_only_the_revision_on_the_card(shop: Shop) -> None:
    card = await failed_twice(shop)
    published = (await shop.press(Action.RETRY, card, by="april"))[-1]
    assert isinstance(published, Published)
    states = {item.revision: item.state for item in await shop.placements()}
    assert states == {1: PlacementState.PUBLISH_FAILED, 2: PlacementState.LIVE}


async def test_retry_does_nothing_while_a_newer_revision_waits_for_its_yes(shop: Shop) -> None:
    card = await waiting_card(shop)
    shop.shelf.before["publish_image"] = [REFUSAL]
    await shop.press(Action.APPROVE, card, by="april")
    again = (await shop.send(token=button(Action.REDO, card)))[-1]
    assert isinstance(again, PreviewReady)
    before = await shop.shown("MUG-01")
    refused = (await shop.send(token=button(Action.RETRY, again.card), by="edith"))[-1]
    assert isinstance(refused, Refused)
    assert await shop.shown("MUG-01") == before
    assert [item.state for item in await shop.placements()] == [PlacementState.PUBLISH_FAILED]


async def test_redo_waits_until_an_unclear_placement_is_cleared_up(shop: Shop) -> None:
    card = await waiting_card(shop)
    shop.shelf.after["read_images"] = []
    await shop.take(by="april", token=button(Action.APPROVE, card))

    async def shop_goes_silent() -> None:
        shop.shelf.before["read_images"] = [StoreDown("503", store="Shelf")] * 9

    await shop.run_jobs(before={"confirm": shop_goes_silent})
    assert isinstance((await shop.said())[-1], Unclear)
    refused = (await shop.send(token=button(Action.REDO, card)))[-1]
    assert isinstance(refused, Refused)
    assert "not settled on Shelf" in refused.sentence


async def test_a_picture_that_could_not_be_read_back_can_still_be_undone(shop: Shop) -> None:
    card = await waiting_card(shop)
    old = await shop.shown("MUG-01")
    await shop.take(by="april", token=button(Action.APPROVE, card))

    async def shop_goes_silent() -> None:
        shop.shelf.before["read_images"] = [StoreDown("503", store="Shelf")] * 9

    await shop.run_jobs(before={"confirm": shop_goes_silent})
    shop.shelf.before["read_images"] = []
    assert isinstance((await shop.said())[-1], Unclear), "it is in the shop, and nobody has seen it there"
    assert isinstance((await shop.press(Action.IT_IS_THERE, card, by="april"))[-1], Published)
    assert isinstance((await shop.press(Action.UNDO, card, by="april"))[-1], Restored)
    assert await shop.shown("MUG-01") == old


async def test_a_position_beyond_the_last_picture_is_appended_published_and_undone(shop: Shop) -> None:
    old = await shop.shown("MUG-01")
    card = await waiting_card(shop, "MUG-01 position=9")
    assert isinstance((await shop.press(Action.APPROVE, card, by="april"))[-1], Published)
    assert len(await shop.shown("MUG-01")) == len(old) + 1
    assert [item.target.position for item in await shop.placements()] == [len(old) + 1]
    assert isinstance((await shop.press(Action.UNDO, card, by="april"))[-1], Restored)
    assert await shop.shown("MUG-01") == old


async def test_a_word_does_not_choose_between_two_waiting_pictures(shop: Shop) -> None:
    await waiting_card(shop)
    await waiting_card(shop, photo=SECOND_PHOTO)
    for words in ("approve", "approve MUG-01", "reject too dark"):
        refused = (await shop.send(words, by="april"))[-1]
        assert isinstance(refused, Refused)
        assert "press the button" in refused.sentence
    assert await shop.placements() == []


async def test_a_word_means_the_one_picture_that_waits(shop: Shop) -> None:
    first = await waiting_card(shop)
    second = await waiting_card(shop, photo=SECOND_PHOTO)
    await shop.press(Action.REJECT, second, by="april")
    published = (await shop.send("approve", by="april"))[-1]
    assert isinstance(published, Published)
    assert published.card.enhancement_id == first.enhancement_id
